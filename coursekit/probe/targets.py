"""What a method explains: a class, a unit of an inner layer, or a function of the logits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from coursekit.arguments import check_class, check_count, check_images, check_layers, is_whole, shown
from coursekit.errors import OptionError, TargetError
from coursekit.networks.fast import fast_copy
from coursekit.networks.model import Model
from coursekit.probe.capture import answers, capture, differentiating, evaluating, in_batches

# Of a neuron in its map: row and column; "max": the strongest neuron; None: the mean of all.
Position = tuple[int, int] | Literal["max"] | None


@dataclass(frozen=True)
class Unit:
    """One channel of a layer, or one neuron of it; made by `unit`."""

    layer: str
    channel: int
    position: Position = None

    def values(self, activation: Tensor) -> Tensor:
        """Pick the channel out of the layer's activation (N, C, H, W) or (N, C): (N, H, W) or (N,)."""
        if activation.ndim not in (2, 4) or not 0 <= self.channel < activation.shape[1]:
            raise TargetError(
                f"Layer {self.layer!r} has the shape {tuple(activation.shape)}, so it has no channel {self.channel}."
            )
        return activation[:, self.channel]

    def __call__(self, activation: Tensor) -> Tensor:
        """Reduce the layer's activation (N, C, H, W) or (N, C) to one number for each image, (N,)."""
        values = self.values(activation)
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


Classes = int | Sequence[int] | Tensor | None
Target = Classes | Unit | Callable[[Tensor], Tensor]
Score = Callable[[Tensor, Tensor], Tensor]


def unit(layer: str, channel: int, position: Position = None) -> Unit:
    """Name a channel (its mean over the map) or one neuron of an inner layer as the target of a method.

    position : (row, column) of the neuron, "max" for the one that is strongest on each image, None for the mean.

    >>> unit("block5", 3, position=(4, 4))
    Unit(layer='block5', channel=3, position=(4, 4))
    """
    if not is_whole(channel):
        raise TargetError(f"channel must be a whole number from 0 on, but is {shown(channel)}.")
    if isinstance(position, tuple | list) and [type(p) for p in position] == [int, int]:
        return Unit(layer, channel, (position[0], position[1]))
    if position is None or (isinstance(position, str) and position == "max"):
        return Unit(layer, channel, position)
    raise TargetError(f"position must be (row, column), 'max' or None, but is {shown(position)}.")


@contextmanager
def scoring(model: Model, images: Tensor, target: Target) -> Iterator[Score]:
    """Check images and target, fix the target, and yield `score(variants, owner)` -> (N,).

    `owner` (N,) says which of the images each variant (occluded, noisy, interpolated …) was made from: a class chosen
    for the original stays the target for its variants. The scores live with the variants.
    """
    model = quicker(model, target)
    with capture(model, [target.layer] if isinstance(target, Unit) else []) as maps, evaluating(model):
        read = reader(model, images, target)
        yield lambda variants, owner: read(model(variants), maps, owner).to(variants.device)


def quicker(model: Model, target: Target, *layers: str) -> Model:
    """Return the model's fast copy, as deep as the target and these layers are, or the model itself.

    Who gives it to `scoring` too can say that what the network does in the block shall be another thing (`relu_rule`).
    """
    unit = [target.layer] if isinstance(target, Unit) else []
    return fast_copy(model, [*unit, *layers], logits=not unit)


def reader(model: Model, images: Tensor, target: Target) -> Callable[[Tensor, dict[str, Tensor], Tensor], Tensor]:
    """Check images and target; return `read(logits, maps, owner)` -> (N,), the target's value in a forward pass."""
    check_images(images)
    if isinstance(target, Unit):
        model.layer(target.layer)  # raises before any work
        return lambda logits, maps, owner: target(maps[target.layer])
    if callable(target):
        return lambda logits, maps, owner: _check_scores(target(logits), len(logits))
    classes = fixed_classes(model, images, target)

    def read(logits: Tensor, maps: dict[str, Tensor], owner: Tensor) -> Tensor:
        model.check_logits(logits)
        check_class(classes.max(), logits.shape[1])
        return logits.gather(1, classes[owner].to(logits.device)[:, None]).squeeze(1)

    return read


def fixed_classes(model: Model, images: Tensor, target: Classes) -> Tensor:
    """One class index for each image, as a tensor (N,)."""
    if target is None:
        return answers(model, images).argmax(1).cpu()
    try:
        classes = torch.as_tensor(target)
    except (TypeError, ValueError, RuntimeError):
        classes = torch.tensor(0.5)  # not a number at all: falls into the error below
    if classes.is_floating_point() or classes.dtype == torch.bool or classes.ndim > 1:
        raise TargetError(
            f"A target is a class index, one index for each image, ck.unit(…), a function of the logits or None, "
            f"but got {shown(target)}."
        )
    if classes.ndim == 1 and len(classes) != len(images):
        raise TargetError(f"There are {len(images)} images, but {len(classes)} targets; give one or {len(images)}.")
    classes = classes.long().cpu().expand(len(images))
    check_class(classes.min(), None)
    check_class(classes.max(), len(model.labels) if model.labels else None)
    return classes


def _check_scores(scores: Tensor, count: int) -> Tensor:
    if not isinstance(scores, Tensor) or scores.shape != (count,):
        seen = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise TargetError(f"A target function must return one number for each image, ({count},), but returned {seen}.")
    return scores


def activation_gradients(
    model: Model, images: Tensor, target: Target, layers: Sequence[str], *, reduce: str = "mean"
) -> dict[str, Tensor]:
    r"""Return the gradient of the class's logit with respect to what each layer computes.

    g = ∂S_c/∂a. The directional derivative along a concept's vector v is g · v: by how much the *logit* grows when the
    activations move towards the concept. So positive means: more of the concept, more of the class.

    "mean" answers for the mean of a map: the vector v moves every position alike, and g is the sum over positions.

    Parameters
    ----------
    model, images, layers : as in `activations`.
    target : class index, one index for each image, `unit`, function logits -> (N,), or None for each image's top class.
    reduce : "mean", (N, C); or "flatten", a derivative for every position, (N, C·h·w).

    Returns
    -------
    dict, layer name -> Tensor (N, D), on the device of the images.

    Raises
    ------
    ImageError, UnknownLayer
    TargetError
        The target does not fit, or it does not depend on a layer.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> g = ck.activation_gradients(model, image, 285, ["avgpool"])["avgpool"]
    >>> torch.allclose(g[0], model.head.weight[285])  # after the last pooling the logit is linear
    True
    """
    if reduce not in ("mean", "flatten"):
        raise OptionError(f"reduce is 'mean' or 'flatten', but got {reduce!r}.")
    check_layers(layers)
    check_count("The number of layers", len(layers))
    extra = [target.layer] if isinstance(target, Unit) and target.layer not in layers else []
    model = quicker(model, target, *layers)
    with evaluating(model), capture(model, [*layers, *extra]) as maps:
        read = reader(model, images, target)

        def gradients(batch: Tensor, owner: Tensor) -> list[Tensor]:
            with differentiating():
                score = read(model(batch.detach().clone().requires_grad_()), maps, owner).sum()
                found = torch.autograd.grad(score, [maps[layer] for layer in layers], allow_unused=True)
            for layer, gradient in zip(layers, found, strict=True):
                if gradient is None:
                    raise TargetError(f"The target does not depend on layer {layer!r}; name a layer before it.")
            rows = [g.flatten(2).sum(2) if reduce == "mean" and g.ndim > 2 else g.flatten(1) for g in found]
            return [row.to(images.device) for row in rows]

        parts = in_batches(gradients, images, torch.arange(len(images)))
    return {layer: torch.cat(rows) for layer, rows in zip(layers, zip(*parts, strict=True), strict=True)}
