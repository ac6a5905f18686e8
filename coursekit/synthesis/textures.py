"""Textures: new pictures with the Gram matrices of a sample, and how many numbers a texture takes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_one, check_options
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import run
from coursekit.synthesis.objectives import Objective, code_of, gram
from coursekit.synthesis.parameterizations import fourier
from coursekit.synthesis.regularizers import total_variation
from coursekit.synthesis.render import Rendering, render
from coursekit.synthesis.style_search import RATES, chosen_layers, style_objective


def synthesise_texture(
    model: Model,
    image: Tensor,
    *,
    layers: Sequence[str] | None = None,
    size: int = 256,
    n: int = 1,
    components: int | None = None,
    statistic: str = "gram",
    tv: float = 0.0,
    optimizer: str = "lbfgs",
    steps: int = 150,
    seed: int = 0,
    snapshots: Sequence[int] = (),
) -> Rendering:
    """Paint new pictures of a texture, from noise: the style term of `style_transfer` alone.

    The search walks among frequencies (`fourier`), for pixels keep the grain of the noise, which the network does not
    see.

    Parameters
    ----------
    model : Model
    image : (1, 3, H, W) in [0, 1], a sample of the texture.
    layers : whose Gram matrices shall agree, by default `style_layers(model)`.
    size : of the new pictures, in pixels a side.
    n : how many, from different noise.
    components, statistic : what must agree, as `texture_parameters` counts it: the Gram matrix of so many principal
        components of the sample's maps, or ("mean") the mean of each map. By default the whole Gram matrix.
    tv, optimizer, steps, seed, snapshots : as in `style_transfer`.

    Returns
    -------
    Rendering, `images` (n, 3, size, size).

    Raises
    ------
    ImageError, OptionError, UnknownLayer

    References
    ----------
    Gatys, Ecker, Bethge, *Texture synthesis using convolutional neural networks*, NeurIPS 2015.

    Examples
    --------
    >>> import coursekit as ck
    >>> stones = ck.load_image("gravel", size=64)
    >>> synthesise_texture(ck.load_model("coursenet"), stones, size=64, steps=2).images.shape
    torch.Size([1, 3, 64, 64])
    """
    check_one("image", image)
    layers, _ = chosen_layers(model, layers)
    check_options(tv=tv, smooth=None, parameterization="fourier", optimizer=optimizer, steps=steps)
    check_count("size", size, 32)
    _check_statistic(components, statistic)
    if components is None and statistic == "gram":
        goal = style_objective(model, layers, image)
    else:
        first, *rest = (_reduced(model, image, layer, components, statistic) for layer in layers)
        goal = sum(rest, first) * (1 / len(layers))
    return render(
        model,
        goal,
        n=n,
        size=size,
        parameterization=fourier(),
        transforms=[],
        regularizers=[total_variation(tv)] if tv else [],
        optimizer=optimizer,
        rate=RATES["fourier", optimizer],
        steps=steps,
        seed=seed,
        snapshots=snapshots,
        progress=False,
    )


def _reduced(model: Model, image: Tensor, layer: str, components: int | None, statistic: str) -> Objective:
    """Come near fewer numbers of a texture: minus the squared distance of its statistics, relative to the sample's."""
    seen = code_of(model, image, layer)
    basis = torch.linalg.eigh(gram(seen)[0].cpu()).eigenvectors[:, -(components or seen.shape[1]) :]

    def statistics(maps: Tensor) -> Tensor:
        if statistic == "mean":
            return maps.mean((2, 3))
        return (basis.T.to(maps) @ gram(maps) @ basis.to(maps)).flatten(1)

    goal = statistics(seen)

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        away = statistics(acts[layer]) - goal.to(acts[layer])
        return -away.pow(2).sum(1) / goal.pow(2).sum().to(away)

    return Objective(read, frozenset([layer]), logits=False)


def _check_statistic(components: int | None, statistic: str) -> None:
    if statistic not in ("gram", "mean"):
        raise OptionError(f"statistic is 'gram' or 'mean', but is {statistic!r}.")
    if components is not None:
        check_count("components", components)
        if statistic == "mean":
            raise OptionError("components are of a Gram matrix; means have none: leave one of the two out.")


def texture_parameters(
    channels: Sequence[int] | Model,
    layers: Sequence[str] | None = None,
    *,
    components: int | None = None,
    statistic: str = "gram",
) -> int:
    r"""Count the numbers that describe a texture: Σ_l C_l (C_l + 1) / 2, for a Gram matrix is symmetric.

    Parameters
    ----------
    channels : C_l of each layer, or a model.
    layers : of the model, by default its `style_layers`.
    components : keep only so many principal components of each layer.
    statistic : "gram", or "mean" for one number for each channel.

    References
    ----------
    Gatys, Ecker, Bethge, *Texture synthesis using convolutional neural networks*, NeurIPS 2015, sec. 4 and fig. 3.

    Examples
    --------
    VGG-19's conv1_1 and pool1 to pool4: means, 64 principal components, and all.

    >>> vgg = [64, 64, 128, 256, 512]
    >>> texture_parameters(vgg, statistic="mean"), texture_parameters(vgg, components=64), texture_parameters(vgg)
    (1024, 10400, 176640)
    """
    _check_statistic(components, statistic)
    if isinstance(channels, Model):
        channels = [channels.layers.shape(name)[0] for name in chosen_layers(channels, layers)[0]]
    kept = [c if components is None else min(c, components) for c in channels]
    return sum(kept) if statistic == "mean" else sum(c * (c + 1) // 2 for c in kept)


def gram_distance(model: Model, images: Tensor, style: Tensor, layers: Sequence[str] | None = None) -> Tensor:
    r"""Measure how far the style of each picture is from another's: mean_l ‖G_l - G_l(a)‖² / ‖G_l(a)‖².

    0 is the same style. Ask a network that took no part in the painting.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    style : (1, 3, h, w), of any size.
    layers : by default `style_layers(model)`.

    Returns
    -------
    Tensor (N,), on the device of the images.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, ink = ck.load_model("coursenet"), ck.style_image("ink", 64)
    >>> gram_distance(model, torch.cat([ink, 1 - ink]), ink) > 0.1
    tensor([False,  True])
    """
    check_images(images)
    check_one("style", style)
    layers, _ = chosen_layers(model, layers)
    distance = -style_objective(model, layers, style)

    def keep(logits: Tensor, maps: dict[str, Tensor]) -> Tensor:
        return distance.read(maps, logits).to(images.device)

    return torch.cat(run(model, images, layers, keep, logits=False))
