"""A network run backwards by shares: each layer divides what it gets among its inputs by a rule that is given.

As in `backward`, torch functions are seen, not modules: one place covers modules, functions and methods.
"""

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from coursekit.errors import UnsupportedNetwork
from coursekit.networks.model import Model
from coursekit.probe.backward import clipping, intercept

# What only moves values, or picks some: autograd takes their shares back to where they came from.
_MOVING = """
    maxpool2d adaptivemaxpool2d flatten reshape view contiguous clone permute transpose movedim squeeze unsqueeze cat
    getitem chunk split unbind narrow select to float double type dropout dropout2d alphadropout pad
""".split()  # noqa: SIM905
_AVERAGING = ("avgpool2d", "adaptiveavgpool2d", "mean", "sum")
_CLIPPING = ("relu", "relu6", "hardtanh", "clamp", "clip", "clampmin", "threshold")


@dataclass
class Layer:
    """A layer that adds weighed inputs: `run(x, weight, bias)` computes it, with BatchNorm folded into the weights.

    `kind` is "conv", "linear" or "mean" (a pooling, without weights). `box` holds the least and the largest value that
    each input can have, where the inputs are pixels.
    """

    kind: str
    run: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    weight: Tensor = field(default_factory=lambda: torch.empty(0))
    bias: Tensor | None = None
    box: tuple[Tensor, Tensor] | None = None


Rule = Callable[[Layer, Tensor, Tensor], Tensor]  # (layer, its input, what its output got) -> what its input gets
Addition = Callable[[Tensor, Tensor, Tensor], Tensor]  # (a, b, what a + b got) -> what a gets


@dataclass
class Ends:
    """The two ends of a forward pass, and what is known of the tensors between them."""

    pixels: Tensor = field(default_factory=lambda: torch.empty(0))  # normalised
    output: Tensor = field(default_factory=lambda: torch.empty(0))  # what the network returned
    inside: bool = False
    boxed: bool = False  # a layer has read the pixels
    boxes: MutableMapping = field(default_factory=WeakIdKeyDictionary)  # pixels, also padded -> least and largest value
    made: MutableMapping = field(default_factory=WeakIdKeyDictionary)  # output -> its layer, and the layer's input


@contextmanager
def redistributing(model: Model, rule: Rule, add: Addition) -> Iterator[Ends]:
    """Let `model` run so that `torch.autograd.grad` gives shares by `rule` in place of gradients.

    Convolutions (with the BatchNorm after them), linear layers and mean poolings use `rule`, sums of two maps `add`;
    ReLU and ReLU6 pass on what they get; max-pooling gives all to the maximum. What has no rule raises
    UnsupportedNetwork when a share reaches it. Only the forward pass may lie inside the block.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in model.modules()):
        raise no_rule(model, "layers that TorchScript hides")
    ends = Ends()

    def begin(module: nn.Module, inputs: tuple) -> tuple:
        pixels = ends.pixels = inputs[0].detach().clone().requires_grad_()
        black, white = ((edge - model.mean) / model.std for edge in (0, 1))
        ends.boxes[pixels] = black.to(pixels).expand_as(pixels), white.to(pixels).expand_as(pixels)
        ends.inside, ends.boxed = True, False  # last: what stands above is not the network's
        return (pixels, *inputs[1:])

    def end(module: nn.Module, inputs: tuple, output: object) -> None:
        ends.inside = False
        if isinstance(output, Tensor):
            ends.output = output

    handles = [model.module.register_forward_pre_hook(begin), model.module.register_forward_hook(end, always_call=True)]
    try:
        with intercept(_handlers(model, ends, rule, add), otherwise=_otherwise(model, ends)):
            yield ends
    finally:
        for handle in handles:
            handle.remove()


def no_rule(model: Model, what: str) -> UnsupportedNetwork:
    """Make the error for a network that contains something that shares cannot go through."""
    return UnsupportedNetwork(
        f"{model.name} has {what}, through which no relevance can be shared; take a network of convolutions (with "
        f"BatchNorm after them), linear layers, ReLU or ReLU6, poolings and sums."
    )


def _handlers(model: Model, ends: Ends, rule: Rule, add: Addition) -> dict[str, Callable]:
    """What becomes of each torch function that a share can go through."""
    mean = _averaging(ends, rule)
    handlers: dict[str, Callable] = {"add": _adding(model, ends, add), "batchnorm": _folding(model, ends, rule)}
    handlers |= {"conv2d": _weighing("conv", ends, rule), "linear": _weighing("linear", ends, rule)}
    handlers |= dict.fromkeys(_MOVING, _moving(ends)) | dict.fromkeys(_AVERAGING, mean)
    return handlers | dict.fromkeys(_CLIPPING, _rectifying(model, ends))


def _shared(ends: Ends, rule: Rule, layer: Layer, x: Tensor) -> Tensor:
    run, back = (lambda x: layer.run(x, layer.weight, layer.bias)), (lambda share, x: rule(layer, x, share))
    output = _Share.apply(run, back, x)
    ends.made[output] = layer, x
    return output


def _weighing(kind: str, ends: Ends, rule: Rule) -> Callable:
    def weigh(func: Callable, x: Tensor, weight: Tensor, bias: Tensor | None = None, *args: Any, **kw: Any) -> Tensor:
        if not (ends.inside and x.requires_grad):
            return func(x, weight, bias, *args, **kw)
        box = ends.boxes.get(x)
        ends.boxed |= box is not None
        fixed = None if bias is None else bias.detach()
        layer = Layer(kind, lambda x, w, b: func(x, w, b, *args, **kw), weight.detach(), fixed, box)
        return _shared(ends, rule, layer, x)

    return weigh


def _averaging(ends: Ends, rule: Rule) -> Callable:
    def average(func: Callable, x: Tensor, *args: Any, **kw: Any) -> Tensor:
        if not (ends.inside and x.requires_grad):
            return func(x, *args, **kw)
        return _shared(ends, rule, Layer("mean", lambda x, w, b: func(x, *args, **kw)), x)

    return average


def _folding(model: Model, ends: Ends, rule: Rule) -> Callable:
    def batch_norm(func: Callable, x: Tensor, mean: Tensor, var: Tensor, *args: Any, **kw: Any) -> Tensor:
        if not (ends.inside and x.requires_grad):
            return func(x, mean, var, *args, **kw)
        layer, source = ends.made.get(x, (None, None))
        if layer is None or layer.kind == "mean" or mean is None:
            return _refused(func, func(x, mean, var, *args, **kw), no_rule(model, "a BatchNorm that follows no layer"))
        at = [func(torch.full_like(mean, v)[None], mean, var, *args, **kw)[0].detach() for v in (0, 1)]
        scale = at[1] - at[0]  # in eval mode BatchNorm is x · scale + at[0]
        weight = layer.weight * scale.view(-1, *[1] * (layer.weight.ndim - 1))
        bias = at[0] if layer.bias is None else at[0] + scale * layer.bias
        return _shared(ends, rule, Layer(layer.kind, layer.run, weight, bias, layer.box), source)

    return batch_norm


def _rectifying(model: Model, ends: Ends) -> Callable:
    def clip(func: Callable, x: Tensor, *args: Any, **kw: Any) -> Tensor:
        if not (ends.inside and x.requires_grad):
            return func(x, *args, **kw)
        low, high, inplace = clipping(func, *args, **kw)
        if not (isinstance(low, int | float) and low == 0):
            return _refused(func, func(x, *args, **kw), no_rule(model, "an activation that does not begin at 0"))
        ends.made.pop(x, None)  # if it works in place, x is no longer what its layer gave
        return _Pass.apply(x, high, inplace)

    return clip


def _moving(ends: Ends) -> Callable:
    def move(func: Callable, x: Any, *args: Any, **kw: Any) -> Any:
        output = func(x, *args, **kw)
        box = ends.boxes.get(x) if isinstance(x, Tensor) and isinstance(output, Tensor) else None
        if box is not None:
            ends.boxes[output] = tuple(func(edge, *args, **kw) for edge in box)
        return output

    return move


def _adding(model: Model, ends: Ends, add: Addition) -> Callable:
    def total(func: Callable, a: Any, b: Any, *args: Any, **kw: Any) -> Tensor:
        shares = [part for part in (a, b) if isinstance(part, Tensor) and part.requires_grad]
        if not (ends.inside and shares):
            return func(a, b, *args, **kw)
        if args or kw or len(shares) < 2 or a.shape != b.shape:
            return _refused(func, func(a, b, *args, **kw), no_rule(model, "a sum of other than two maps of one shape"))
        ends.made.pop(a, None)
        return _Sum.apply(add, a, b, func.__name__.endswith("_"))

    return total


def _otherwise(model: Model, ends: Ends) -> Callable:
    def refuse(func: Callable, *args: Any, **kw: Any) -> Any:
        output = func(*args, **kw)
        values = args[:1] if output is None else output if isinstance(output, tuple | list) else (output,)  # x[0] = …
        if not ends.inside or not any(isinstance(value, Tensor) and value.requires_grad for value in values):
            return output
        return _refused(func, output, no_rule(model, func.__name__.strip("_")))

    return refuse


def _refused(func: Callable, output: Any, error: UnsupportedNetwork) -> Tensor:
    """Let the value pass, but no share come back; where the value is not all that the network can go on with, raise."""
    if not isinstance(output, Tensor) or func.__name__.endswith("_"):
        raise error
    return _Refuse.apply(output, error)


class _Share(torch.autograd.Function):
    """A function of its input; backwards, the input gets what a rule gives it."""

    @staticmethod
    def forward(ctx: Any, run: Callable, rule: Callable, x: Tensor) -> Tensor:
        ctx.rule = rule
        ctx.save_for_backward(x)
        return run(x)

    @staticmethod
    def backward(ctx: Any, share: Tensor) -> tuple:
        return None, None, ctx.rule(share, ctx.saved_tensors[0].detach())


class _Sum(torch.autograd.Function):
    """a + b, which may overwrite a; backwards, both get what a rule gives them."""

    @staticmethod
    def forward(ctx: Any, add: Addition, a: Tensor, b: Tensor, inplace: bool) -> Tensor:
        ctx.add = add
        ctx.save_for_backward(a.clone() if inplace else a, b)
        if inplace:
            ctx.mark_dirty(a)
            return a.add_(b)
        return a + b

    @staticmethod
    def backward(ctx: Any, share: Tensor) -> tuple:
        a, b = (x.detach() for x in ctx.saved_tensors)
        return None, ctx.add(a, b, share), ctx.add(b, a, share), None


class _Pass(torch.autograd.Function):
    """min(max(x, 0), high), which passes back all that it gets."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, high: float, inplace: bool) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
            return x.clamp_(0, high)
        return x.clamp(0, high)

    @staticmethod
    def backward(ctx: Any, share: Tensor) -> tuple:
        return share, None, None


class _Refuse(torch.autograd.Function):
    """The value as it is; what comes back through it raises."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, error: Exception) -> Tensor:
        ctx.error = error
        return x.clone()

    @staticmethod
    def backward(ctx: Any, share: Tensor) -> tuple:
        raise ctx.error
