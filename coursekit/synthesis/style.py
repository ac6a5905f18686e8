"""Style transfer: the content of one picture and the Gram matrices of another (Gatys, Ecker & Bethge 2016)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from coursekit.arguments import check_images, check_one, check_options
from coursekit.errors import ImageError, OptionError
from coursekit.images.loading import load_image
from coursekit.networks.model import Model
from coursekit.synthesis.objectives import Objective, match
from coursekit.synthesis.render import Rendering
from coursekit.synthesis.style_search import chosen_layers, default_layers, paint, style_objective

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, as in YIQ


def style_layers(model: Model) -> list[str]:
    """List the layers whose Gram matrices are a style in this network, from the first to the deepest.

    EfficientNet-Lite, CourseNet and VGG have a choice of their own, `relu1_1` to `relu5_1` being that of Gatys et al.
    2016. Of another network these are four layers with maps, evenly spaced over the first two thirds.

    >>> import coursekit as ck
    >>> style_layers(ck.load_model("efficientnet_lite0"))
    ['block1', 'block3', 'block5', 'block8']
    """
    return default_layers(model)[0]


def style_transfer(
    model: Model,
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    style_weights: Sequence[float] | None = None,
    layers: Sequence[str] | None = None,
    content_layer: str | None = None,
    content_weight: float | Sequence[float] = 0.04,
    tv: float = 1.0,
    start: str | Tensor = "content",
    colour: str = "style",
    smooth: float | None = None,
    parameterization: str = "fourier",
    optimizer: str = "lbfgs",
    steps: int = 100,
    seed: int = 0,
    snapshots: Sequence[int] = (),
    progress: bool = False,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Rendering:
    r"""Paint the content of one picture in the style of another.

    min_x  α ‖A_c(x) - A_c(p)‖² / ‖A_c(p)‖²  +  mean_l ‖G_l(x) - G_l(a)‖² / ‖G_l(a)‖²  +  tv · TV(x)

    A_c are the maps of the content layer, G_l the Gram matrices of the style layers, p the content, a the style. Each
    term is relative to its goal, so that one α serves many pictures and networks.

    Parameters
    ----------
    model : Model
    content : (1, 3, H, W) in [0, 1], of at least 32 × 32 pixels; the result has its size.
    style : one image of any size, or several to mix.
    style_weights : one for each style, by default equal; they are divided by their sum.
    layers, content_layer : by default those of `style_layers`, and one that was tried with them.
    content_weight : α. A list makes one picture for each of its values, in one batch.
    tv : weight of the total variation.
    start : "content", "noise", "style" or images (1 or n, 3, H, W).
    colour : "content" keeps the colours of the content: only the luminance is painted (Gatys et al. 2017).
    smooth : temperature of a softmax over the activations, for networks with residual connections (Wang et al. 2021).
    parameterization : "fourier" (lab 07: large forms and small ones move alike) or "pixels", as in the paper.
    optimizer : "lbfgs" or "adam".
    steps, seed, snapshots, progress, watch : as in `ck.render`.

    Returns
    -------
    Rendering. `images` (n, 3, H, W) in [0, 1]; `values` (steps, n) hold minus the content and style terms.

    Raises
    ------
    ImageError, OptionError, UnknownLayer
        Before any work.

    References
    ----------
    Gatys, Ecker, Bethge, *Image style transfer using convolutional neural networks*, CVPR 2016. Gatys et al.,
    *Controlling perceptual factors in neural style transfer*, CVPR 2017 (colour). Wang, Li, Vasconcelos, *Rethinking
    and improving the robustness of image style transfer*, CVPR 2021 (smooth).

    Examples
    --------
    >>> import coursekit as ck
    >>> model, cat = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=(64, 96))
    >>> style_transfer(model, cat, ck.style_image("ink", 64), steps=2).images.shape
    torch.Size([1, 3, 64, 96])
    """
    content = check_one("content", content)
    styles = _styles(style)
    shares = _shares(style_weights, len(styles))
    layers, content_layer = chosen_layers(model, layers, content_layer)
    weights = _content_weights(content_weight)
    search: dict[str, Any] = {"tv": tv, "parameterization": parameterization, "optimizer": optimizer, "steps": steps}
    check_options(smooth=smooth, **search)
    if colour not in ("style", "content"):
        raise OptionError(f"colour is 'style' or 'content', but is {colour!r}.")
    begin = _begin(start, content, styles[0], len(weights), seed)
    finish = None
    if colour == "content":
        finish = partial(recolour, colours=content)
        content = luminance(content).expand_as(content)
        styles = [_like(luminance(s), content).expand(-1, 3, -1, -1) for s in styles]
        begin = luminance(begin).expand_as(begin)
    goal = _for_each(match(model, content, content_layer, smooth), weights)
    for share, image in zip(shares, styles, strict=True):
        goal = goal + share * style_objective(model, layers, image, smooth)
    shown: dict[str, Any] = {"snapshots": snapshots, "progress": progress, "watch": watch, "finish": finish}
    return paint(model, goal, begin, seed=seed, **search, **shown)


def _for_each(objective: Objective, factors: Sequence[float]) -> Objective:
    """Multiply by another factor for each image of the batch."""

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        values = objective.read(acts, logits)
        return torch.tensor(factors).to(values) * values

    return replace(objective, read=read)


def luminance(images: Tensor) -> Tensor:
    """Return how bright each pixel is, (N, 1, H, W)."""
    return (images * torch.tensor(LUMINANCE).to(images).view(1, 3, 1, 1)).sum(1, keepdim=True)


def recolour(images: Tensor, colours: Tensor) -> Tensor:
    """Give `images` the chrominance of `colours`: the brightness moves only as far as the colour still fits in [0, 1].

    >>> import coursekit as ck
    >>> cat = ck.load_image("chelsea", size=32)
    >>> bool(recolour(cat.mean(1, keepdim=True).expand_as(cat), cat).allclose(cat, atol=0.2))
    True
    """
    hue = colours - luminance(colours)  # red, green and blue without the brightness
    low, high = -hue.amin(1, keepdim=True), 1 - hue.amax(1, keepdim=True)
    return torch.maximum(torch.minimum(luminance(images), high), low) + hue


def _styles(style: Tensor | Sequence[Tensor]) -> list[Tensor]:
    styles = list(style.split(1)) if isinstance(style, Tensor) and style.ndim == 4 else style
    if not isinstance(styles, list | tuple) or not styles:
        raise ImageError("style must be an image (1, 3, H, W), or a list of at least one.")
    return [check_one("style", image) for image in styles]


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    weights = [1.0] * count if weights is None else [float(w) for w in weights]
    if len(weights) != count or min(weights) < 0 or sum(weights) <= 0:
        raise OptionError(f"style_weights must be {count} numbers from 0 on, not all 0, but are {weights}.")
    return [w / sum(weights) for w in weights]


def _content_weights(weight: float | Sequence[float]) -> list[float]:
    weights = list(weight) if isinstance(weight, Sequence) else [weight]
    if not weights or not all(isinstance(w, int | float) and 0 <= w < float("inf") for w in weights):
        raise OptionError(f"content_weight must be a number from 0 on, or a list of them, but is {weight!r}.")
    return weights


def _begin(start: str | Tensor, content: Tensor, style: Tensor, n: int, seed: int) -> Tensor:
    """Return the images (n, 3, H, W) that the search begins with."""
    if isinstance(start, Tensor):
        check_images(start)
        if start.shape[2:] != content.shape[2:] or (n > 1 and len(start) not in (1, n)):
            raise ImageError(f"start must be (1 or {n}, 3) of the content's size, but has {tuple(start.shape)}.")
        return start.expand(max(n, len(start)), -1, -1, -1)
    if start == "noise":
        noise = torch.randn(n, *content.shape[1:], generator=torch.Generator().manual_seed(seed))
        return 0.5 + 0.02 * noise  # grey, as in `pixels`: loud grain would stay, for strides hide it from the network
    if start not in ("content", "style"):
        raise OptionError(f"start is 'content', 'noise', 'style' or images, but is {start!r}.")
    image = content if start == "content" else load_image(style, size=(content.shape[2], content.shape[3]))
    return image.expand(n, -1, -1, -1)


def _like(grey: Tensor, content: Tensor) -> Tensor:
    """Give a style's luminance the mean and the contrast of the content's (Gatys et al. 2017, eq. 10)."""
    return ((grey - grey.mean()) * content.std() / grey.std().clamp(min=1e-6) + content.mean()).clamp(0, 1)
