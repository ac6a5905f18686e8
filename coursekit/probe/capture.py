"""Keep what layers compute while a network runs, and the one loop that runs it over many images."""

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from coursekit.arguments import check_count, check_images, check_layers
from coursekit.errors import OptionError, TargetError, UnknownLayer
from coursekit.networks.fast import Probe, fast_copy
from coursekit.networks.layers import all_parts
from coursekit.networks.model import Model, full_precision
from coursekit.networks.receptive import channel_axis

T = TypeVar("T")
NO_GRADIENT = (
    "The score does not depend on the image: the network or the target cuts the gradient (argmax, detach, no_grad, "
    "NumPy, quantised layers)."
)
_CUT = re.compile("does not require grad|Can't call numpy|not have been used in the graph")  # as torch says it
BATCH = 8  # images in one forward pass: on a CPU larger batches are slower per image
_FULL = re.compile("out of memory|can't allocate memory|not enough memory")


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
    dict, layer name -> activation: (N, C, H, W), or (N, C) after the last pooling. Where the layer itself has its
    channels last, (N, H, W, C), they are moved. Tokens (N, T, C) stay as they are. Half precision becomes float32.

    Raises
    ------
    UnknownLayer
        No such layer, or one that runs more than once in a forward pass, so that its name means no single map, or not
        at all, or that gives no tensor.
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

    size: list[int] = []  # height and width of the images

    def begin(module: nn.Module, inputs: tuple) -> None:
        maps.clear()
        size[:] = inputs[0].shape[2:]

    def keep(name: str) -> Callable:
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
            if name in maps:
                raise UnknownLayer(f"Layer {name!r} runs more than once in a forward pass; choose the layer around it.")
            check_output(output, name)
            if isinstance(module, Probe) and torch.is_grad_enabled() and not output.requires_grad:
                output.requires_grad_()  # the graph begins here where the image wants no gradient
            axis = channel_axis(module.of if isinstance(module, Probe) else module, output, size or (1, 1))
            maps[name] = full_precision(output.movedim(axis, 1))
            if isinstance(module, Probe) and not module.followed:
                return output
            # What follows may overwrite its input (ReLU(inplace=True)): let it have a copy.
            return maps[name].movedim(1, axis).to(output.dtype, copy=True)

        return hook

    handles = [model.register_forward_pre_hook(begin)]
    try:
        handles += [module.register_forward_hook(keep(name)) for name, module in modules.items()]
        handles.append(model.register_forward_hook(lambda module, inputs, output: check_ran(layers, maps)))
        yield maps
    finally:
        for handle in handles:
            handle.remove()


def check_output(output: object, layer: str) -> None:
    """Raise UnknownLayer unless a layer gives a tensor."""
    if not isinstance(output, Tensor):
        raise UnknownLayer(f"Layer {layer!r} gives a {type(output).__name__} and no tensor; choose a layer inside it.")


def check_ran(layers: Iterable[str], ran: Collection[str]) -> None:
    """Raise UnknownLayer for a layer that no hook has seen in a forward pass."""
    for layer in layers:
        if layer not in ran:
            raise UnknownLayer(
                f"Layer {layer!r} did not run where it can be seen: choose another one, or where torch.compile hides "
                f"layers, give ck.Model the network from before that."
            )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Run the block in eval mode, where dropout is off and BatchNorm keeps its statistics; then restore each mode."""
    training = [part for part in all_parts(model) if part.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def differentiating() -> Iterator[None]:
    """Run the block with gradients, also for a caller who has turned them off; OptionError where that cannot be.

    TargetError where a score is differentiated in the block that does not depend on what it should.
    """
    if torch.is_inference_mode_enabled():
        raise OptionError("This needs gradients, which torch.inference_mode() rules out; take torch.no_grad() instead.")
    with torch.enable_grad():
        try:
            yield
        except RuntimeError as error:
            if not _CUT.search(str(error)):
                raise
            raise TargetError(NO_GRADIENT) from None


def in_batches(work: Callable[..., T], *tensors: Tensor, size: int = BATCH) -> list[T]:
    """Return what `work` makes of each batch of rows of the tensors.

    Where a batch does not fit into the memory, this and the next ones are half as large; a warning says so once.

    >>> in_batches(lambda x, y: int((x * y).sum()), torch.arange(5), torch.ones(5), size=2)
    [1, 5, 4]
    """
    found: list[T] = []
    start, full = 0, size
    while start < len(tensors[0]):
        try:
            found.append(work(*(rows[start : start + size] for rows in tensors)))
            start += size
        except RuntimeError as error:
            if size == 1 or not _FULL.search(str(error)):
                raise
            if size == full:
                warnings.warn(f"The memory is too small for {size} images at once: fewer are taken.", stacklevel=3)
            size = (min(size, len(tensors[0]) - start) + 1) // 2
    return found


def run(
    model: Model,
    images: Tensor,
    layers: Sequence[str],
    keep: Callable[[Tensor, dict[str, Tensor]], T],
    *,
    logits: bool = True,
) -> list[T]:
    """Run the network over the images in batches and return `keep(logits, maps)` of each batch.

    The only loop of the package that asks a network about many images: in eval mode, without gradients, with checked
    images, by its fast copy. What a loop must not hold in memory, `keep` reduces. `logits` False: `keep` reads maps
    alone, and the network ends with the deepest layer.

    Raises ImageError, UnknownLayer.
    """
    check_images(images)
    check_layers(layers)
    model = fast_copy(model, layers, logits=logits)
    with capture(model, layers) as maps, evaluating(model), torch.no_grad():
        return in_batches(
            lambda batch: keep(model(batch.to(model.device, memory_format=torch.channels_last)), maps), images
        )


def answers(model: Model, images: Tensor) -> Tensor:
    """Return the logits of each image, (N, K), on the images' device."""

    def keep(logits: Tensor, maps: dict[str, Tensor]) -> Tensor:
        model.check_logits(logits)
        return logits.to(images.device)

    return torch.cat(run(model, images, [], keep))


def predict(model: Model, images: Tensor, top: int | None = None) -> list[list[tuple[str, float]]]:
    """Return the most probable classes of each image as (label, probability), best first.

    Parameters
    ----------
    images : Tensor (N, 3, H, W), float32 in [0, 1]
    top : int, 1 to the number of classes; by default 5, or all where there are fewer.

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
    if top is not None:
        check_count("top", top)
    probabilities = answers(model, images).softmax(1).cpu()
    top = min(5, probabilities.shape[1]) if top is None else top
    if top > probabilities.shape[1]:
        raise OptionError(f"top is at most the number of classes, {probabilities.shape[1]}, but got {top}.")
    labels = model.labels or [f"class {index}" for index in range(probabilities.shape[1])]
    best = probabilities.topk(top, dim=1)
    return [
        [(labels[index], value) for value, index in zip(values, indices, strict=True)]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def places(activation: Tensor) -> Tensor:
    """Lay the places of each channel in a row, (N, C, h·w) or (N, C, 1); UnknownLayer for tokens and other shapes."""
    if activation.ndim not in (2, 4):
        raise UnknownLayer(
            f"The layer gives {tuple(activation.shape)}, no (N, C, h, w) and no (N, C), so it is not known which axis "
            f"holds the channels; choose another layer, or give ck.activations a function: reduce=lambda a: a.mean(1)."
        )
    return activation.flatten(2) if activation.ndim == 4 else activation[:, :, None]


# What becomes of a layer's output (N, C, h, w) or (N, C).
REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda a: places(a).mean(2),
    "max": lambda a: places(a).amax(2),
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

    def keep(logits: Tensor, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        return {layer: change(maps[layer]).to(images.device) for layer in layers}

    rows = run(model, images, layers, keep, logits=False)
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
