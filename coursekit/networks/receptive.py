"""What a neuron can see: shapes and receptive fields of layers, followed exactly through one forward pass.

Along each axis, output number i of a layer reads an interval of pixels that moves evenly with i. A convolution or
pooling widens the interval, a pointwise operation keeps it, branches that meet take the hull. After an operation that
this file does not know, the field is not known. (Araujo, Norris & Sim,
*Computing receptive fields of convolutional neural networks*, Distill 2019.)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from coursekit.networks.model import Model

NOTE = "_field"  # the attribute that a tensor gets, see Seen


@dataclass(frozen=True)
class Axis:
    """Along one axis, output number i reads the pixels from step * i + first to step * i + last."""

    step: int = 1
    first: int = 0
    last: int = 0

    def window(self, kernel: int, stride: int, before: int, dilation: int = 1) -> "Axis":
        """Return what a sliding window over this axis reads; `before` is the padding at its start."""
        first = self.first - before * self.step
        return Axis(self.step * stride, first, first + (self.last - self.first) + dilation * (kernel - 1) * self.step)

    @property
    def size(self) -> int:
        return self.last - self.first + 1


Field = tuple[Axis, ...]  # of rows and of columns


WHOLE = "whole"  # each number sees the whole image
FLAT = "flat"  # a map laid out as one vector: together its numbers see the whole image, and a linear layer on it too
Seen = Field | str | None  # None: not known

# These act on each position alone, and these on all of them; what is in none of the lists gives a field "not known".
POINTWISE = """
    relu relu6 hardtanh hardswish hardsigmoid leaky_relu elu selu celu silu mish gelu sigmoid tanh softplus
    prelu threshold clamp exp log abs square sqrt rsqrt pow neg batch_norm dropout dropout2d feature_dropout
    alpha_dropout local_response_norm add sub mul div truediv radd rsub rmul iadd isub imul itruediv maximum minimum
    cat concat chunk split getitem contiguous clone detach to float double half
""".split()  # noqa: SIM905 (a list of strings would fill a screen)
_EVERYWHERE = ("group_norm", "instance_norm")
_REDUCTIONS = ("mean", "sum", "amax", "amin", "std", "var", "logsumexp")
_LAYOUT = ("flatten", "view", "reshape", "squeeze")


class _Tracker(TorchFunctionMode):
    """While active, note on each tensor which pixels its numbers depend on: a field, WHOLE, FLAT or None."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        inputs = [tensor for tensor in tensors_in((args, tuple(kwargs.values()))) if hasattr(tensor, NOTE)]
        seen, sources = [getattr(tensor, NOTE) for tensor in inputs], [tensor.shape for tensor in inputs]
        result = func(*args, **kwargs)
        for output in tensors_in(result) if inputs else ():
            setattr(output, NOTE, _seen_after(func.__name__.strip("_"), args, kwargs, seen, sources, output.shape))
        return result


def tensors_in(values: object) -> Iterator[Tensor]:
    """Yield the tensors in a list or tuple, at any depth."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from tensors_in(value)


def _seen_after(
    name: str, args: tuple, kwargs: dict, seen: list[Seen], sources: list[torch.Size], output: torch.Size
) -> Seen:
    """Return what the numbers of an operation's output see, from what those of its inputs see."""
    if WHOLE in seen:  # a gate over all channels, as in squeeze and excitation, shows each position everything
        return WHOLE
    if None in seen or any(source[-2:] != sources[0][-2:] for source in sources):
        return None
    if FLAT in seen:
        return WHOLE if name == "linear" else FLAT if name in (*POINTWISE, *_LAYOUT) and len(output) == 2 else None
    if name in _EVERYWHERE or (name in _REDUCTIONS and _over_the_map(args, kwargs, len(sources[0]))):
        return WHOLE
    if name in _LAYOUT and len(output) == 2:
        return FLAT
    return _field_after(name, args, kwargs, [field for field in seen if isinstance(field, tuple)], sources[0], output)


def _over_the_map(args: tuple, kwargs: dict, ndim: int) -> bool:
    """Say whether a mean, a maximum ... goes over rows and columns."""
    dims = kwargs.get("dim", args[1] if len(args) > 1 else None)
    return isinstance(dims, tuple | list) and {dim % ndim for dim in dims} >= {ndim - 2, ndim - 1}


def _field_after(
    name: str, args: tuple, kwargs: dict, fields: list[Field], source: torch.Size, output: torch.Size
) -> Seen:
    """Return the field of a map after an operation on maps of one size."""
    if len(output) < 4 or len({tuple(axis.step for axis in field) for field in fields}) > 1:
        return None
    merged = tuple(
        Axis(axes[0].step, min(axis.first for axis in axes), max(axis.last for axis in axes))
        for axes in zip(*fields, strict=True)
    )
    same_size = source[-2:] == output[-2:]
    if name == "getitem" and isinstance(args[1], tuple) and (len(args[1]) > 2 or Ellipsis in args[1]):
        return None  # rows and columns in another order, perhaps
    if name in POINTWISE or name in ("view", "reshape"):  # these keep a map as it is where its two sides stay last
        return merged if same_size else None
    if name == "transpose":
        return merged if same_size and max(dim % len(source) for dim in args[1:3]) < len(source) - 2 else None
    if name.startswith("adaptive"):
        factors = [before / after for before, after in zip(source[-2:], output[-2:], strict=True)]
        if output[-2:].numel() == 1 < source[-2:].numel():
            return WHOLE
        if any(factor != int(factor) for factor in factors):
            return None
        return tuple(axis.window(int(factor), int(factor), 0) for axis, factor in zip(merged, factors, strict=True))
    call = bound(name, args, kwargs)
    if call is None:
        return None
    return tuple(axis.window(*window) for axis, window in zip(merged, sliding(call), strict=True))


# The operations that slide a window over a map, and the names of their arguments in order.
_SLIDING = {
    "conv2d": "input weight bias stride padding dilation groups",
    "max_pool2d": "input kernel_size stride padding dilation ceil_mode",
    "avg_pool2d": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "pad": "input pad mode value",
}


def bound(name: str, args: tuple, kwargs: dict) -> dict[str, Any] | None:
    """Return the arguments of a sliding window's call by name; None for any other operation."""
    name = "max_pool2d" if name == "max_pool2d_with_indices" else name
    if name not in _SLIDING:
        return None
    call = dict(zip(_SLIDING[name].split(), args, strict=False)) | kwargs
    return None if len(call.get("pad", ())) > 4 else call


def sliding(call: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """Read (kernel, stride, padding before, dilation) for rows and columns from the `bound` call of a window."""
    if "pad" in call:  # (left, right, top, bottom): the same pixels, counted from another corner
        pads = [*call["pad"], 0, 0]
        return [(1, 1, pads[2], 1), (1, 1, pads[0], 1)]
    kernel = call["weight"].shape[2:] if "weight" in call else _pair(call["kernel_size"])
    stride = _pair(call.get("stride") or (1 if "weight" in call else call["kernel_size"]))
    dilation, padding = _pair(call.get("dilation", 1)), call.get("padding", 0)
    if isinstance(padding, str):
        padding = [d * (k - 1) // 2 if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
    return list(zip(kernel, stride, _pair(padding), dilation, strict=True))


def _pair(value: int | Sequence[int]) -> Sequence[int]:
    return (value, value) if isinstance(value, int) else tuple(value) * (2 // len(value))


def channel_axis(module: nn.Module | None, output: Tensor, size: Sequence[int]) -> int:
    """Tell which axis of a layer's output holds the channels: 1, or 3 of a map (N, h, w, C) as transformers have it.

    A linear layer and LayerNorm work on the last axis. Of others the shape of the image, `size`, decides: the channels
    are last where h × w has the shape of the image and w × C has not.
    """
    if output.ndim != 4 or isinstance(module, nn.modules.conv._ConvNd):
        return 1
    if isinstance(module, nn.Linear | nn.LayerNorm):
        return 3
    wide, (a, b, c) = size[1] / size[0], output.shape[1:]
    return 3 if a > 1 and abs(a * wide - b) <= 1 < abs(b * wide - c) else 1


class Call(NamedTuple):
    """What one call of a layer gave for one image: shape (C, H, W) or (K,), and field.

    A field of None is the whole image where it is `known`.
    """

    shape: tuple[int, ...]
    field: Field | None
    known: bool = True


def trace(model: "Model", parts: dict[str, nn.Module]) -> dict[str, list[Call]]:
    """Run one black image and return the calls of each layer; the model stays as it was."""
    calls: dict[str, list[Call]] = {name: [] for name in parts}
    modes = [(part, part.training) for part in model.modules()]
    handles = []
    try:
        image = torch.zeros(1, 3, model.input_size, model.input_size, device=model.device)
        for name, part in parts.items():
            handles.append(part.register_forward_hook(partial(_note, calls[name], image.shape[2:])))
        setattr(image, NOTE, (Axis(), Axis()))
        with torch.no_grad(), torch.random.fork_rng(), _Tracker():
            model.eval()(image)
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.training = training
    return calls


def _note(calls: list[Call], size: Sequence[int], module: nn.Module, inputs: object, output: object) -> None:
    if isinstance(output, Tensor):
        maps = output.movedim(channel_axis(module, output, size), 1)
        seen = getattr(output, NOTE, None)
        calls.append(Call(tuple(maps.shape[1:]), seen if isinstance(seen, tuple) else None, seen is not None))
