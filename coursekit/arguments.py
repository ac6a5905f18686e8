"""What a caller may give: one check for each kind of argument, each with one sentence for what is wrong."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from coursekit.errors import ImageError, OptionError, TargetError, UnknownLayer


def shown(value: object) -> str:
    """Write a value into a sentence: tensors and arrays by their shape, anything else as it is, up to a line."""
    if isinstance(value, Tensor | np.ndarray) and value.ndim:
        return f"{type(value).__name__} {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]} …"


def is_whole(value: object, least: int = 0) -> bool:
    """Whether a value is a whole number of at least `least`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_images(images: Tensor) -> None:
    """Raise ImageError unless `images` is a float tensor (N, 3, H, W) without NaN and with values in [0, 1]."""
    if not isinstance(images, Tensor):
        raise ImageError(f"Images must be a tensor (N, 3, H, W), but got {type(images).__name__}; use ck.load_image.")
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        hint = " Add the batch dimension with image[None]." if images.ndim == 3 and images.shape[0] == 3 else ""
        raise ImageError(f"Images must have the shape (N, 3, H, W), but got {tuple(images.shape)}.{hint}")
    if images.dtype not in (torch.float32, torch.float64):
        raise ImageError(f"Images must be float32 in [0, 1], but got {images.dtype}; use ck.load_image to convert.")
    low, high = images.detach().aminmax()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError("Images must be finite, but some values are NaN or infinite.")
    if low < -1e-4 or high > 1 + 1e-4:
        cause = "divide by 255" if high > 2 and low >= 0 else "do not normalise: the model does that itself"
        raise ImageError(f"Image values must lie in [0, 1], but they lie in [{low:.3g}, {high:.3g}]; {cause}.")


def check_class(index: int | Tensor, count: int | None) -> None:
    """Raise TargetError for a class that the model does not have; None means that their number is not known yet."""
    if index < 0 or (count is not None and index >= count):
        allowed = "0 on" if count is None else f"0 to {count - 1}"
        raise TargetError(f"Class {int(index)} does not exist: the model has the classes from {allowed}.")


def check_count(name: str, value: int, least: int = 1, most: int | None = None) -> None:
    """Raise OptionError unless `value` is a whole number of at least `least`, and of at most `most`."""
    if not is_whole(value, least) or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise OptionError(f"{name} must be a whole number {allowed}, but is {shown(value)}.")


def check_numbers(what: str, numbers: Sequence[int], count: int, layer: str) -> None:
    """Raise OptionError unless each number is that of one of a layer's `count` channels (or inputs: `what`)."""
    if not isinstance(numbers, Sequence):
        raise OptionError(f"The {what}s must be a list of numbers, but are {shown(numbers)}.")
    for number in numbers:
        if not is_whole(number) or number >= count:
            raise OptionError(f"{layer!r} has the {what}s 0 to {count - 1}, but {shown(number)} was asked for.")


def check_layers(layers: Sequence[str]) -> None:
    """Raise UnknownLayer unless this is a list of names."""
    if isinstance(layers, str):
        raise UnknownLayer(f"layers must be a list of names; write [{layers!r}].")
    if isinstance(layers, Tensor) or not isinstance(layers, Iterable):
        raise UnknownLayer(f"layers must be a list of names such as ['conv1'], but is {shown(layers)}.")


def check_maps(maps: Tensor, layer: str) -> Tensor:
    """Return a layer's maps (N, K, h, w); raise OptionError for a layer that has none."""
    if maps.ndim != 4:
        raise OptionError(f"Layer {layer!r} has no maps, but the shape {tuple(maps.shape)}; choose an earlier one.")
    return maps


def check_vectors(sets: Mapping[str, Tensor], least: int = 2) -> None:
    """Raise OptionError unless all are finite floating-point tensors (N, D), with the same D."""
    width = None
    for name, codes in sets.items():
        if not isinstance(codes, Tensor) or codes.ndim != 2 or not codes.is_floating_point() or len(codes) < least:
            seen = tuple(codes.shape) if isinstance(codes, Tensor) else type(codes).__name__
            raise OptionError(f"The activations of {name} must be a tensor (N, D) with N ≥ {least}, but got {seen}.")
        if not codes.isfinite().all():
            raise OptionError(f"The activations of {name} must be finite, but some are NaN or infinite.")
        width = width or codes.shape[1]
        if codes.shape[1] != width:
            raise OptionError(f"{name} has {codes.shape[1]} numbers for each picture, but the others have {width}.")


def check_spread(codes: Tensor) -> None:
    """Raise OptionError unless some codes differ, by what float32 can square: compiled projections crash on others."""
    spread = float((codes.double().amax(0) - codes.double().amin(0)).max())
    if spread == 0:
        raise OptionError("All codes are the same, so there is nothing to lay out; is the layer dead?")
    if not 1e-15 < spread < 1e15:
        raise OptionError(f"Codes differ by {spread:.2g}, which float32 cannot square; divide them by {spread:.2g}.")


def check_picture(image: Tensor) -> None:
    """Raise ImageError unless this can be drawn: (3 or 1, h, w), floats about [0, 1], which are cut to it, no NaN."""
    if not isinstance(image, Tensor) or image.ndim != 3 or image.shape[0] not in (1, 3) or 0 in image.shape:
        seen = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ImageError(
            f"Pictures are drawn from a batch (N, 3, H, W), but one has {seen}; a single one is image[None]."
        )
    if not image.is_floating_point() or image.max() > 10:
        values = f"{image.dtype} up to {float(image.max()):g}"
        raise ImageError(f"A picture to draw holds floats in [0, 1], but has {values}; divide by 255.")
    if not image.isfinite().all():
        raise ImageError("A picture to draw must be finite, but some values are NaN or infinite.")


def check_shape(name: str, values: Tensor, *axes: int | str, whole: bool = False) -> Tensor:
    """Return finite values of this shape, as floats unless they shall be whole; raise OptionError for any other.

    A number is the length of an axis, a letter stands for any length of at least 1.
    """
    pairs = zip(values.shape, axes, strict=False)
    if values.ndim != len(axes) or not all(k > 0 if isinstance(axis, str) else k == axis for k, axis in pairs):
        shape = f"({', '.join(map(str, axes))})"
        raise OptionError(f"{name} must have the shape {shape}, but has {tuple(values.shape)}.")
    if whole and (values.is_floating_point() or values.dtype == torch.bool):
        raise OptionError(f"{name} must be whole numbers, but are {values.dtype}.")
    if not values.isfinite().all():
        raise OptionError(f"{name} must be finite, but some values are NaN or infinite.")
    return values if whole or values.dtype in (torch.float32, torch.float64) else values.float()


def check_masks(masks: Tensor, count: int) -> None:
    """Raise OptionError unless there are `count` masks (N, H, W) bool, none of them empty or full."""
    fits = isinstance(masks, Tensor) and masks.ndim == 3 and masks.dtype == torch.bool and masks.numel()
    if not fits or len(masks) != count:
        seen = f"{tuple(masks.shape)} {masks.dtype}" if isinstance(masks, Tensor) else type(masks).__name__
        raise OptionError(f"Give one mask for each map, ({count}, H, W) bool, but got {seen}.")
    share = masks.flatten(1).float().mean(1)
    if ((share == 0) | (share == 1)).any():
        which = int(((share == 0) | (share == 1)).nonzero()[0])
        raise OptionError(f"Mask {which} covers nothing or the whole image, so no map can be right or wrong about it.")


def check_points(points: Tensor, colour: Sequence[str] | Tensor, title: str) -> None:
    """Raise OptionError unless there is one colour for each point (N, 2)."""
    if not isinstance(points, Tensor) or points.ndim != 2 or points.shape[1] != 2:
        seen = tuple(points.shape) if isinstance(points, Tensor) else type(points).__name__
        raise OptionError(f"The points of {title!r} must be a tensor (N, 2), but are {seen}.")
    if len(colour) != len(points):
        raise OptionError(f"{title!r} has {len(points)} points, but {len(colour)} names or numbers.")


def check_one(name: str, image: Tensor, least: int = 32) -> Tensor:
    """Return it in float32; raise ImageError unless this is one image of at least that many pixels a side."""
    check_images(image)
    if len(image) != 1 or min(image.shape[2:]) < least:
        size = f" of {least} pixels or more a side" if least > 1 else ""
        raise ImageError(f"{name} must be one image (1, 3, H, W){size}, but is {tuple(image.shape)}; take image[:1].")
    return image.float()


def check_options(*, tv: float, smooth: float | None, parameterization: str, optimizer: str, steps: int) -> None:
    """Raise OptionError for an option outside its range."""
    check_count("steps", steps)
    if optimizer not in ("lbfgs", "adam"):
        raise OptionError(f"optimizer is 'lbfgs' or 'adam', but is {optimizer!r}.")
    if parameterization not in ("fourier", "pixels"):
        raise OptionError(f"parameterization is 'fourier' or 'pixels', but is {parameterization!r}.")
    if not tv >= 0:
        raise OptionError(f"tv must be 0 or more, but is {tv!r}.")
    if smooth is not None and not smooth > 0:
        raise OptionError(f"smooth must be above 0, or None, but is {smooth!r}.")
