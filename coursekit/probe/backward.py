"""Other ways back through a network: replace what autograd does at a ReLU or a max-pooling, wherever it is called.

Modules, functions and methods (`nn.ReLU`, `F.relu`, `x.relu_()`) all end in a call of a torch function, so one place
that sees these calls covers modules that are used twice and in-place activations as well. `nn.Module` hooks do not.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from coursekit.errors import OptionError, UnsupportedActivation
from coursekit.networks.layers import all_parts

RULES = ("gradient", "deconvnet", "guided")

# Activations that no rule covers, in lower case and without "_": so one list serves classes and functions.
_UNSUPPORTED = tuple(
    """
    silu swish gelu quickgelu leakyrelu prelu rrelu elu selu celu mish hardmish hardswish hardsigmoid hardshrink
    sigmoid logsigmoid tanh tanhshrink softplus softsign softshrink glu maximum minimum
    """.split()  # noqa: SIM905 (a list of strings would fill a screen)
)
# The functions that can be a ReLU: from their further arguments to (lower bound, upper bound, in place).
_CLIPPING: dict[str, Callable[..., tuple]] = {
    "relu": lambda inplace=False: (0, math.inf, inplace),
    "relu6": lambda inplace=False: (0, 6, inplace),
    "hardtanh": lambda min_val=-1.0, max_val=1.0, inplace=False: (min_val, max_val, inplace),
    "threshold": lambda threshold, value, inplace=False: (threshold or value, math.inf, inplace),
    "clamp": lambda min=None, max=None: (min, math.inf if max is None else max, False),
    "clip": lambda min=None, max=None: (min, math.inf if max is None else max, False),
    "clampmin": lambda min: (min, math.inf, False),
    "clampmax": lambda max: (None, max, False),
}


class intercept(TorchFunctionMode):
    """While active, call `handlers[name](function, *arguments)` in place of each torch function of that name.

    `name` is the function's own in lower case without "_": "conv2d", "relu" (also for `relu_`), "leakyrelu".
    What a handler calls itself is not intercepted. `otherwise` is the handler of all other functions.
    """

    def __init__(self, handlers: dict[str, Callable], otherwise: Callable | None = None):
        super().__init__()
        self.handlers = handlers
        self.otherwise = otherwise

    def __torch_function__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        kwargs = dict(kwargs or {})
        handler = self.handlers.get(_plain(getattr(func, "__name__", "")), self.otherwise)
        if handler is None:
            return func(*args, **kwargs)
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        return handler(func, *args, **kwargs)


def clipping(func: Callable, *args: object, **kwargs: object) -> tuple[float | Tensor | None, float | Tensor, bool]:
    """Read (lower bound, upper bound, in place) from a call of a function that can be a ReLU; `args` without input."""
    low, high, inplace = _CLIPPING[_plain(func.__name__)](*args, **kwargs)
    return low, high, bool(inplace) or func.__name__.endswith("_")


@contextmanager
def relu_rule(model: nn.Module, rule: str) -> Iterator[list[str]]:
    """Run the network backwards by another rule: inside the `with` block each ReLU of `model` treats gradients by it.

    With x the input of a ReLU, g the signal that comes back from above, and [·] = 1 where true, else 0:

    - "gradient":  g · [x > 0], what autograd does,
    - "deconvnet": g · [g > 0], the ReLU applied to the signal (Zeiler & Fergus 2014); what went forward does not count,
    - "guided":    g · [x > 0] · [g > 0], both (Springenberg et al. 2015).

    The upper bound of ReLU6 cuts the gradient too: "gradient" and "guided" pass nothing where x ≥ 6. For "deconvnet"
    only the sign of g counts, here as well. The forward pass does not change. Forward and backward pass must both be
    asked for by `torch.autograd`; only the forward pass has to lie inside the block. The block gets the rule in a list:
    whoever puts another one there changes how the next backward pass goes.

    Covered are ReLU and ReLU6 as modules, functions and methods, in place or not, used once or often; a clamp from 0
    counts as a ReLU. A ReLU that is written as arithmetic, `x * (x > 0)`, cannot be seen.

    Parameters
    ----------
    model : Model or any nn.Module
    rule : "gradient", "deconvnet" or "guided"

    Raises
    ------
    OptionError
        No such rule.
    UnsupportedActivation
        An activation that the rule is not defined for (SiLU, GELU, LeakyReLU, sigmoid …), with the layer's name.
        Modules are found on entry, functions when they run. "gradient" is the plain gradient and never refuses.

    References
    ----------
    Springenberg, Dosovitskiy, Brox, Riedmiller, *Striving for simplicity: the all convolutional net*, ICLR workshop
    2015, fig. 1.

    Examples
    --------
    >>> import torch, coursekit as ck
    >>> x = torch.tensor([[-1.0, 2.0, 3.0]], requires_grad=True)
    >>> for rule in ("gradient", "deconvnet", "guided"):
    ...     with ck.relu_rule(net := torch.nn.ReLU(), rule):
    ...         y = net(x)
    ...     print(rule, torch.autograd.grad(y, x, torch.tensor([[5.0, -7.0, 9.0]]))[0].tolist())
    gradient [[0.0, -7.0, 9.0]]
    deconvnet [[5.0, 0.0, 9.0]]
    guided [[0.0, 0.0, 9.0]]
    """
    if rule not in RULES:
        raise OptionError(f"rule is 'gradient', 'deconvnet' or 'guided', but got {rule!r}.")
    way = [rule]
    if rule == "gradient":
        yield way  # what autograd does anyway
        return
    check_rule(model, rule)
    with _running(model) as running:

        def rectify(func: Callable, x: Tensor, *args: object, **kwargs: object) -> Tensor:
            low, high, inplace = clipping(func, *args, **kwargs)
            if not running or not x.requires_grad:
                return func(x, *args, **kwargs)
            if not (isinstance(low, int | float) and low == 0 and isinstance(high, int | float)):
                what = f"{func.__name__.strip('_')} with bounds other than those of ReLU"
                raise _unsupported(_at_work(model), what, rule)
            return _Rectify.apply(x, high, way, inplace)

        def refuse(func: Callable, *args: object, **kwargs: object) -> object:
            if running and any(isinstance(arg, Tensor) and arg.requires_grad for arg in args):
                raise _unsupported(_at_work(model), func.__name__.strip("_"), rule)
            return func(*args, **kwargs)

        def largest(func: Callable, *args: object, **kwargs: object) -> object:
            of_two = any(isinstance(arg, Tensor) for arg in (*args[1:], *kwargs.values()))
            return refuse(func, *args, **kwargs) if of_two else func(*args, **kwargs)  # of one: a kind of pooling

        handlers = dict.fromkeys(_UNSUPPORTED, refuse) | dict.fromkeys(_CLIPPING, rectify) | {"max": largest}
        with intercept(handlers):
            yield way


def check_rule(model: nn.Module, rule: str) -> None:
    """Raise UnsupportedActivation for a module that the rule is not defined for."""
    if not any(_without_rule(kind) for kind in {type(part) for part in all_parts(model)}):
        return  # which is soon seen
    for path, part in model.named_modules():
        what = _without_rule(type(part))
        if what and not any(part.children()):
            raise _unsupported(path, what, rule)


def _without_rule(kind: type) -> str:
    """Name a kind of module that no rule is defined for; "" for all others."""
    if issubclass(kind, torch.jit.ScriptModule):
        return "compiled by TorchScript, so that its ReLUs cannot be seen"
    return kind.__name__ if _plain(kind.__name__).startswith(_UNSUPPORTED) else ""


def on_signal(output: Tensor, do: Callable[[Tensor], None]) -> None:
    """Call `do` with the gradient at this output when it comes by, also where what follows overwrites the output."""
    output.register_hook(lambda signal: do(signal))


@contextmanager
def pool_switches() -> Iterator[None]:
    """Inside the `with` block, max-pooling sends signals back by switches: each window sets the place of its maximum.

    Where windows overlap, several can have their maximum at one place. Autograd then adds their signals; here the last
    window (row by row) overwrites the others, as unpooling does. Without overlap there is no difference.
    """

    def by(pool: Callable) -> Callable:
        def switched(func: Callable, x: Tensor, *args: object, **kwargs: object) -> Tensor:
            kwargs["return_indices"] = True
            values, places = pool(x.detach(), *args, **kwargs)
            return _Switch.apply(x, values, places)

        return switched

    with intercept({"maxpool2d": by(F.max_pool2d), "adaptivemaxpool2d": by(F.adaptive_max_pool2d)}):
        yield


class _Rectify(torch.autograd.Function):
    """min(max(x, 0), high), with the backward pass of the rule that `way` holds by then."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, high: float, way: list[str], inplace: bool) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
        y = x.clamp_(0, high) if inplace else x.clamp(0, high)
        ctx.high, ctx.way = high, way
        ctx.save_for_backward(*[y] * (way[0] != "deconvnet"))
        return y

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple:
        signal = signal if ctx.way[0] == "gradient" else signal.clamp(min=0)
        for y in ctx.saved_tensors:  # 0 < y < high where 0 < x < high; torch has one operation for this
            signal = torch.ops.aten.hardtanh_backward(signal, y, 0, ctx.high)
        return signal, None, None, None


class _Switch(torch.autograd.Function):
    """Max-pooling whose values and places are known; backwards, each place gets the signal of one window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, values: Tensor, places: Tensor) -> Tensor:
        ctx.shape = x.shape
        ctx.save_for_backward(places)
        return values

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple:
        places = ctx.saved_tensors[0].flatten(-2)
        windows = torch.arange(places.shape[-1], device=places.device).expand_as(places)
        last = places.new_full((*ctx.shape[:-2], ctx.shape[-2:].numel()), -1)  # which window won; -1: none
        # Not max_unpool2d: on a GPU and between threads it leaves to chance which window wins.
        last.scatter_reduce_(-1, places, windows, "amax")
        image = signal.flatten(-2).gather(-1, last.clamp(min=0)) * (last >= 0)
        return image.view(ctx.shape), None, None


@contextmanager
def _running(model: nn.Module) -> Iterator[list[bool]]:
    """Yield a list that is empty between the model's forward passes."""
    passes: list[bool] = []

    def begin(module: nn.Module, inputs: tuple) -> None:
        passes[:] = [True]  # an interrupt may have left one

    def end(module: nn.Module, inputs: tuple, output: object) -> None:
        passes.clear()

    handles = [model.register_forward_pre_hook(begin), model.register_forward_hook(end, always_call=True)]
    try:
        yield passes
    finally:
        for handle in handles:
            handle.remove()


def _at_work(model: nn.Module) -> str:
    """Return the path of the innermost module that is being called now."""
    paths, frame = {id(part): path for path, part in model.named_modules()}, inspect.currentframe()
    while frame and id(frame.f_locals.get("self")) not in paths:
        frame = frame.f_back
    return paths[id(frame.f_locals["self"])] if frame else ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _unsupported(path: str, what: str, rule: str) -> UnsupportedActivation:
    where = f"Layer {path.removeprefix('module.')!r}" if path not in ("", "module") else "The network itself"
    name = {"deconvnet": "deconvnet", "guided": "guided backprop"}[rule]
    return UnsupportedActivation(
        f"{where} uses {what}, but {name} is defined for ReLU and ReLU6 only; take a network with these, such as "
        f"efficientnet_lite0, or another method."
    )
