"""Look inside a network while it runs: the only hooks of the package, and the targets that methods explain."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from coursekit.errors import OptionError, TargetError, UnknownLayer
from coursekit.images.loading import check_images
from coursekit.probe.backward import (
    relu_rule as relu_rule,  # belongs here; a file of its own keeps both on a few screens
)

BATCH = 8  # images in one forward pass: on a CPU larger batches are slower per image


@dataclass(frozen=True)
class Unit:
    """One channel of a layer, or one neuron of it; made by `unit`."""

    layer: str
    channel: int
    position: tuple[int, int] | str | None = None

    def __call__(self, activation: Tensor) -> Tensor:
        """Reduce the layer's activation (N, C, H, W) or (N, C) to one number for each image, (N,)."""
        if activation.ndim not in (2, 4) or not 0 <= self.channel < activation.shape[1]:
            raise TargetError(
                f"Layer {self.layer!r} has the shape {tuple(activation.shape)}, so it has no channel {self.channel}."
            )
        values = activation[:, self.channel]
        if self.position is None:
            return values.flatten(1).mean(1) if values.ndim == 3 else values
        if values.ndim == 1:
            raise TargetError(f"Layer {self.layer!r} has no positions; leave position out.")
        if self.position == "max":
            return values.flatten(1).max(1).values  # the first one, where several are the largest
        row, column = self.position
        height, width = values.shape[1:]
        if not (0 <= row < height and 0 <= column < width):
            raise TargetError(f"Position {self.position} lies outside the {height} x {width} map of {self.layer!r}.")
        return values[:, row, column]


Target = int | Sequence[int] | Tensor | Unit | Callable[[Tensor], Tensor] | None
Score = Callable[[Tensor, Tensor], Tensor]


def unit(layer: str, channel: int, position: tuple[int, int] | str | None = None) -> Unit:
    """Name a channel (its mean over the map) or one neuron of an inner layer as the target of a method.

    position : (row, column) of the neuron, "max" for the one that is strongest on each image, None for the mean.

    >>> unit("block5", 3, position=(4, 4))
    Unit(layer='block5', channel=3, position=(4, 4))
    """
    if isinstance(channel, bool) or not isinstance(channel, int) or channel < 0:
        raise TargetError(f"channel must be a whole number from 0 on, but is {channel!r}.")
    pair = isinstance(position, tuple | list) and [type(p) for p in position] == [int, int]
    if not (pair or position is None or position == "max"):
        raise TargetError(f"position must be (row, column), 'max' or None, but is {position!r}.")
    return Unit(layer, channel, tuple(position) if pair else position)


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


@contextmanager
def scoring(model: nn.Module, images: Tensor, target: Target) -> Iterator[Score]:
    """Check images and target, fix the target, and yield `score(variants, owner)` -> (N,).

    `owner` (N,) says which of the images each variant (occluded, noisy, interpolated …) was made from: a class chosen
    for the original stays the target for its variants.
    """
    with evaluating(model), capture(model, [target.layer] if isinstance(target, Unit) else []) as maps:
        read = reader(model, images, target)
        yield lambda variants, owner: read(model(variants), maps, owner)


def reader(model: nn.Module, images: Tensor, target: Target) -> Callable[[Tensor, dict[str, Tensor], Tensor], Tensor]:
    """Check images and target; return `read(logits, maps, owner)` -> (N,), the target's value in a forward pass."""
    check_images(images)
    if isinstance(target, Unit):
        model.layer(target.layer)  # raises before any work
        return lambda logits, maps, owner: target(maps[target.layer])
    if callable(target):
        return lambda logits, maps, owner: _check_scores(target(logits), len(logits))
    classes = _classes(model, images, target)

    def read(logits: Tensor, maps: dict[str, Tensor], owner: Tensor) -> Tensor:
        check_class(classes.max(), logits.shape[1])
        return logits.gather(1, classes[owner].to(logits.device)[:, None]).squeeze(1)

    return read


def _classes(model: nn.Module, images: Tensor, target: int | Sequence[int] | Tensor | None) -> Tensor:
    """One class index for each image, as a tensor (N,)."""
    if target is None:
        with torch.no_grad():
            return torch.cat([model(batch).argmax(1).cpu() for batch in images.split(BATCH)])
    try:
        classes = torch.as_tensor(target)
    except (TypeError, ValueError, RuntimeError):
        classes = torch.tensor(0.5)  # not a number at all: falls into the error below
    if classes.is_floating_point() or classes.dtype == torch.bool or classes.ndim > 1:
        raise TargetError(
            f"A target is a class index, one index for each image, ck.unit(…), a function of the logits or None, "
            f"but got {target!r}."
        )
    if classes.ndim == 1 and len(classes) != len(images):
        raise TargetError(f"There are {len(images)} images, but {len(classes)} targets; give one or {len(images)}.")
    classes = classes.long().cpu().expand(len(images))
    check_class(classes.min(), None)
    check_class(classes.max(), len(model.labels) if getattr(model, "labels", None) else None)
    return classes


def check_class(index: Tensor, count: int | None) -> None:
    """Raise TargetError for a class that the model does not have; None means that their number is not known yet."""
    if index < 0 or (count is not None and index >= count):
        allowed = "0 on" if count is None else f"0 to {count - 1}"
        raise TargetError(f"Class {int(index)} does not exist: the model has the classes from {allowed}.")


def _check_scores(scores: Tensor, count: int) -> Tensor:
    if not isinstance(scores, Tensor) or scores.shape != (count,):
        seen = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise TargetError(f"A target function must return one number for each image, ({count},), but returned {seen}.")
    return scores


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise OptionError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise OptionError(f"{name} must be a whole number of at least {least}, but is {value!r}.")


def baseline(model: nn.Module, images: Tensor, kind: str | Sequence[float] | Tensor) -> Tensor:
    """Return the picture that stands for "nothing there", in the shape of `images`.

    kind : "black", "white", "mean" (the mean colour of the training set, which is zero after normalisation),
        "blur" (the image without its details), an RGB colour in [0, 1], or a tensor that broadcasts to the images.
    """
    if isinstance(kind, str):
        if kind == "blur":
            from torchvision.transforms.functional import gaussian_blur

            sigma = min(images.shape[-2:]) / 16
            return gaussian_blur(images, 2 * round(2 * sigma) + 1, sigma)
        colours = {"black": torch.zeros(1), "white": torch.ones(1), "mean": getattr(model, "mean", None)}
        if colours.get(kind) is None:
            raise OptionError(f"{kind!r} is no fill; give 'black', 'white', 'mean', 'blur', a colour or a tensor.")
        colour = colours[kind]
    else:
        try:
            colour = torch.as_tensor(kind)
        except (TypeError, ValueError, RuntimeError):
            raise OptionError(f"A fill is a name, an RGB colour or a tensor, but got {kind!r}.") from None
        colour = colour.view(1, 3, 1, 1) if colour.shape == (3,) else colour
    try:
        filled = colour.detach().to(images).expand_as(images)
    except RuntimeError:
        raise OptionError(f"A fill of shape {tuple(colour.shape)} does not fit images {tuple(images.shape)}.") from None
    check_images(filled)
    return filled
