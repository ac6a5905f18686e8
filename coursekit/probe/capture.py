"""Look inside a network while it runs: the only hooks of the package, and the targets that methods explain."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from coursekit.arguments import check_images
from coursekit.errors import OptionError, UnknownLayer
from coursekit.networks.model import Model
from coursekit.probe.backward import relu_rule as relu_rule

BATCH = 8  # images in one forward pass: on a CPU larger batches are slower per image


@contextmanager
def capture(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Keep what the named layers compute while the model runs inside the `with` block.

    Each forward pass replaces what the one before has left. The captured tensors are part of the autograd graph and
    are safe from in-place activations that follow the layer. The hooks are removed at the end, whatever happens.

    Parameters
    ----------
    model : Model
    layers : friendly layer names, see `model.layers`.

    Yields
    ------
    dict, layer name -> activation: (N, C, H, W), or (N, C) after the last pooling.

    Raises
    ------
    UnknownLayer
        No such layer, or one that runs more than once in a forward pass, so that its name means no single map.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> with ck.capture(model, ["block1", "block16"]) as maps:
    ...     logits = model(image)
    >>> maps["block16"].shape
    torch.Size([1, 320, 7, 7])
    """
    if isinstance(layers, str):
        raise UnknownLayer(f"layers must be a list of names; write [{layers!r}].")
    modules = {name: model.layer(name) for name in layers}
    maps: dict[str, Tensor] = {}

    def keep(name: str) -> Callable:
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
            if name in maps:
                raise UnknownLayer(f"Layer {name!r} runs more than once in a forward pass; choose the layer around it.")
            maps[name] = output
            return output.clone()  # what follows may overwrite its input (ReLU(inplace=True)): let it have the copy

        return hook

    handles = [model.register_forward_pre_hook(lambda module, inputs: maps.clear())]
    try:
        handles += [module.register_forward_hook(keep(name)) for name, module in modules.items()]
        yield maps
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Run the block in eval mode, where dropout is off and BatchNorm keeps its statistics; then restore each mode."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def predict(model: Model, images: Tensor, top: int = 5) -> list[list[tuple[str, float]]]:
    """Return the most probable classes of each image as (label, probability), best first.

    Parameters
    ----------
    images : Tensor (N, 3, H, W), float32 in [0, 1]
    top : int, 1 to the number of classes

    Examples
    --------
    >>> import coursekit as ck
    >>> best = ck.predict(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224), top=2)
    >>> best[0][0][0]
    'Egyptian cat'
    """
    from coursekit.arguments import check_images

    check_images(images)
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise OptionError(f"top is a whole number of at least 1, but got {top!r}.")
    with torch.no_grad():
        probabilities = torch.cat([model(batch).softmax(1) for batch in images.split(8)]).cpu()
    if top > probabilities.shape[1]:
        raise OptionError(f"top is at most the number of classes, {probabilities.shape[1]}, but got {top}.")
    labels = model.labels or [f"class {index}" for index in range(probabilities.shape[1])]
    best = probabilities.topk(top, dim=1)
    return [
        [(labels[index], value) for value, index in zip(values, indices, strict=True)]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def activations(model: nn.Module, images: Tensor, layers: Sequence[str], *, pool: bool = True) -> dict[str, Tensor]:
    """Return what several layers compute for each image, one vector each, from one forward pass.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    layers : friendly layer names.
    pool : True averages each channel of a map over its positions (D = C), False keeps every position (D = C·h·w).

    Returns
    -------
    dict, layer name -> Tensor (N, D), on the device of the images. Raises ImageError, UnknownLayer.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> {layer: tuple(a.shape) for layer, a in ck.activations(model, image, ["block11", "avgpool"]).items()}
    {'block11': (1, 112), 'avgpool': (1, 1280)}
    """
    check_images(images)
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    with evaluating(model), capture(model, layers) as maps, torch.no_grad():
        for batch in images.split(BATCH):
            model(batch.contiguous(memory_format=torch.channels_last))  # a fifth faster on a CPU
            for layer, parts in found.items():
                code = maps[layer].flatten(2).mean(2) if pool and maps[layer].ndim > 2 else maps[layer].flatten(1)
                parts.append(code.to(images.device))
    return {layer: torch.cat(parts) for layer, parts in found.items()}


def embed(model: nn.Module, images: Tensor, layer: str, *, pool: str = "mean") -> Tensor:
    """Return the code of each image: what a layer computes for it, as one vector.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    layer : friendly layer name; the last one before the classifier is usual.
    pool : "mean" averages each channel of a spatial map over its positions (D = C), "flatten" keeps all (D = C·h·w).

    Returns
    -------
    Tensor (N, D), on the device of the images.

    Raises
    ------
    ImageError, UnknownLayer, OptionError

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> embed(model, image, "avgpool").shape
    torch.Size([1, 1280])
    """
    check_images(images)
    if pool not in ("mean", "flatten"):
        raise OptionError(f"pool is 'mean' or 'flatten', but got {pool!r}.")
    codes = []
    with evaluating(model), capture(model, [layer]) as maps, torch.no_grad():
        for batch in images.split(BATCH):
            model(batch.contiguous(memory_format=torch.channels_last))  # a fifth faster on a CPU
            code = maps[layer]
            code = code.flatten(1) if pool == "flatten" or code.ndim == 2 else code.flatten(2).mean(2)
            codes.append(code.to(images.device))
    return torch.cat(codes)


def peaks(model: Model, layer: str, images: Tensor) -> Tensor:
    """Return the peak of each channel of a layer in each image, (N, K); for a layer without maps its values.

    >>> import coursekit as ck
    >>> ck.peaks(ck.load_model("coursenet"), "relu5", ck.load_image("chelsea", size=128)).shape
    torch.Size([1, 256])
    """
    found = []
    with evaluating(model), capture(model, [layer]) as maps, torch.no_grad():
        for batch in images.split(BATCH):
            model(batch)
            value = maps[layer]
            found.append((value.flatten(2).amax(2) if value.ndim == 4 else value).cpu())
    return torch.cat(found)
