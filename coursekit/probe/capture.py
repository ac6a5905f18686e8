"""Keep what layers compute while a network runs, and the one loop that runs it over many images."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from coursekit.arguments import check_count, check_images, check_layers
from coursekit.errors import OptionError, UnknownLayer
from coursekit.networks.model import Model

T = TypeVar("T")
BATCH = 8  # images in one forward pass: on a CPU larger batches are slower per image


@contextmanager
def capture(model: Model, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
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
    OptionError
        The network is no `ck.Model`.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> with ck.capture(model, ["block1", "block16"]) as maps:
    ...     logits = model(image)
    >>> maps["block16"].shape
    torch.Size([1, 320, 7, 7])
    """
    if not isinstance(model, Model):
        seen = type(model).__name__
        raise OptionError(f"model must be a ck.Model, but is a {seen}; wrap it: ck.Model(network, mean=…, std=…).")
    check_layers(layers)
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


@contextmanager
def differentiating() -> Iterator[None]:
    """Run the block with gradients, also for a caller who has turned them off; OptionError where that cannot be."""
    if torch.is_inference_mode_enabled():
        raise OptionError("This needs gradients, which torch.inference_mode() rules out; take torch.no_grad() instead.")
    with torch.enable_grad():
        yield


def run(model: Model, images: Tensor, layers: Sequence[str], keep: Callable[[Tensor, dict[str, Tensor]], T]) -> list[T]:
    """Run the network over the images in batches and return `keep(logits, maps)` of each batch.

    The only loop of the package that asks a network about many images: in eval mode, without gradients, with checked
    images, in the memory format that is a fifth faster on a CPU. What a loop must not hold in memory, `keep` reduces.

    Raises ImageError, UnknownLayer.
    """
    check_images(images)
    with capture(model, layers) as maps, evaluating(model), torch.no_grad():
        batches = (batch.to(model.device, memory_format=torch.channels_last) for batch in images.split(BATCH))
        return [keep(model(batch), maps) for batch in batches]


def answers(model: Model, images: Tensor) -> Tensor:
    """Return the logits of each image, (N, K), on the images' device."""
    return torch.cat(run(model, images, [], lambda logits, maps: logits.to(images.device)))


def predict(model: Model, images: Tensor, top: int = 5) -> list[list[tuple[str, float]]]:
    """Return the most probable classes of each image as (label, probability), best first.

    Parameters
    ----------
    images : Tensor (N, 3, H, W), float32 in [0, 1]
    top : int, 1 to the number of classes

    Raises
    ------
    ImageError, OptionError

    Examples
    --------
    >>> import coursekit as ck
    >>> best = ck.predict(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224), top=2)
    >>> best[0][0][0]
    'Egyptian cat'
    """
    check_count("top", top)
    probabilities = answers(model, images).softmax(1).cpu()
    if top > probabilities.shape[1]:
        raise OptionError(f"top is at most the number of classes, {probabilities.shape[1]}, but got {top}.")
    labels = model.labels or [f"class {index}" for index in range(probabilities.shape[1])]
    best = probabilities.topk(top, dim=1)
    return [
        [(labels[index], value) for value, index in zip(values, indices, strict=True)]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


# What becomes of a layer's output (N, C, h, w) or (N, C).
REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda a: a.flatten(2).mean(2) if a.ndim > 2 else a,
    "max": lambda a: a.flatten(2).amax(2) if a.ndim > 2 else a,
    "flatten": lambda a: a.flatten(1),
    "maps": lambda a: a,
}


def activations(
    model: Model,
    images: Tensor,
    layers: Sequence[str],
    *,
    reduce: str | Callable[[Tensor], Tensor] = "mean",
) -> dict[str, Tensor]:
    """Return what several layers compute for each image, from one forward pass of each image.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    layers : friendly layer names.
    reduce : "mean" averages each channel over its positions, (N, C); "max" takes its peak, (N, C); "flatten" keeps all
        positions in one vector, (N, C·h·w); "maps" keeps the maps as they are, (N, C, h, w); or a function of the
        activations of a batch that returns one row for each image.

    Returns
    -------
    dict, layer name -> Tensor (N, …), on the device of the images.

    Raises
    ------
    ImageError, UnknownLayer, OptionError

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> {layer: tuple(a.shape) for layer, a in ck.activations(model, image, ["block11", "avgpool"]).items()}
    {'block11': (1, 112), 'avgpool': (1, 1280)}
    """
    if not callable(reduce) and reduce not in REDUCTIONS:
        raise OptionError(f"reduce is {', '.join(map(repr, REDUCTIONS))} or a function, but got {reduce!r}.")
    change = reduce if callable(reduce) else REDUCTIONS[reduce]
    rows = run(model, images, layers, lambda logits, maps: {a: change(maps[a]).to(images.device) for a in layers})
    return {layer: torch.cat([row[layer] for row in rows]) for layer in layers}


def embed(model: Model, images: Tensor, layer: str, *, reduce: str | Callable[[Tensor], Tensor] = "mean") -> Tensor:
    """Return the code of each image: what one layer computes for it, `activations` of that layer alone.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    layer : friendly layer name; the last one before the classifier is usual.
    reduce : as in `activations`.

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
    return activations(model, images, [layer], reduce=reduce)[layer]
