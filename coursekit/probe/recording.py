"""The operations of one forward pass, one after another, and whether each can be done again for a piece of its map.

What counts is what the network does, be it in a module, a function or a hook. Nothing is kept for the next pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from coursekit.networks.receptive import POINTWISE, bound, sliding, tensors_in

_SHAPES = {"flatten", "view", "reshape", "squeeze", "unsqueeze"}
_WHOLE = {"linear", "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "max_pool2d", "mean"}
_READS = {"bool", "item", "tolist", "float", "int", "index", "numpy"}  # gives a number that Python may decide by


@dataclass(eq=False)
class Step:
    """One operation of the recorded pass.

    kind : "image"; "piece", which acts on each position alone; "slide", a window over the map; "whole", which needs all
        of the map; "detached", which leads to no answer; "unknown", which cannot be done again for a piece.
    """

    kind: str
    name: str
    value: Tensor  # what it gave for the whole image
    run: Callable[..., Tensor]  # the same operation on other tensors in place of the inputs
    inputs: tuple["Step", ...] = ()
    call: dict[str, Any] = field(default_factory=dict)  # the arguments of a slide, by name

    @property
    def size(self) -> np.ndarray:
        """Height and width of the map."""
        return np.array(self.value.shape[2:])


class Recorder(TorchFunctionMode):
    """While active, note every operation that depends on the image (1, 3, H, W)."""

    def __init__(self, image: Tensor):
        super().__init__()
        self.decided = False  # whether Python has read a number, by which it may have taken a branch
        self.steps = [Step("image", "image", image, lambda: image)]
        self._of = {id(image): self.steps[0]}
        self._kept = [image]  # alive, so that no two tensors have one identity

    def before(self, tensors: Sequence[Tensor]) -> tuple[list[Step], list[Step]] | None:
        """Return the steps that gave these tensors, and all that lead to them; None where one cannot be done again."""
        goals = [self._of[id(tensor)] for tensor in tensors if id(tensor) in self._of]
        needed = dict.fromkeys(goals)
        for step in reversed(self.steps):
            if step in needed:
                needed |= dict.fromkeys(step.inputs)
        sound = not self.decided and not {"unknown", "detached"} & {step.kind for step in needed}
        return (goals, [s for s in self.steps if s in needed]) if sound and len(goals) == len(tensors) else None

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        args, kwargs, name = _mapped(args, lambda value: value), kwargs or {}, func.__name__.strip("_")
        given = list(tensors_in([*args, *kwargs.values()]))
        inputs = {id(tensor): self._of[id(tensor)] for tensor in given if id(tensor) in self._of}
        if not inputs:
            return func(*args, **kwargs)
        may_write = func.__name__.endswith("_") or any(value is True for value in [*args, *kwargs.values()])
        alike = self._sharing(given[0]) if may_write else []
        for tensor in alike:
            self._of[id(tensor)].value = tensor.clone()  # as it was, before it is written over in place
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            constants = [tensor for tensor in given if id(tensor) not in inputs]
            step = Step("unknown", name, result, partial(_again, func, args, kwargs, list(inputs)), (*inputs.values(),))
            self._note(result, _classified(step, args, kwargs, constants))
        self.decided |= (
            name in _READS
            and not isinstance(result, Tensor)
            and any(step.kind != "detached" for step in inputs.values())
        )
        written = alike if name == "setitem" or result is given[0] else []
        for tensor in [*written, *tensors_in(result)]:
            if tensor is not result:
                self._note(tensor, Step("unknown", name, tensor, func))
        return result

    def _sharing(self, tensor: Tensor) -> list[Tensor]:
        """Return the noted tensors that share memory with this one, views of it and itself."""
        place = tensor.untyped_storage()._cdata
        return [other for other in self._kept if other.untyped_storage()._cdata == place]

    def _note(self, tensor: Tensor, step: Step) -> None:
        self.steps.append(step)
        self._of[id(tensor)] = step
        self._kept.append(tensor)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change what stands in a list or tuple, at any depth; the result is a new one."""
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(_mapped(part, change) for part in value)
    return change(value)


def _again(func: Callable, args: tuple, kwargs: dict, places: list[int], *inputs: Tensor) -> Tensor:
    """Call a recorded function with other tensors in the places of those with the given identities."""
    new = dict(zip(places, inputs, strict=True))
    args, values = _mapped((args, (*kwargs.values(),)), lambda value: new.get(id(value), value))
    return func(*args, **dict(zip(kwargs, values, strict=True)))


def _classified(step: Step, args: tuple, kwargs: dict, constants: list[Tensor]) -> Step:
    """Say what has to be known of the inputs to do the step again."""
    name, value, kinds = step.name, step.value, {source.kind for source in step.inputs}
    if name == "detach" or kinds == {"detached"}:
        return replace(step, kind="detached")
    if kinds & {"unknown", "detached"} or value.ndim < 2 or len(value) != 1:
        return step
    if call := bound(name, args, kwargs):
        exact = min(call.get("pad", [0])) >= 0 and call.get("mode", "constant") == "constant"
        if name == "avg_pool2d":  # a mean over the border counts its pixels in several ways
            exact = not call.get("ceil_mode") and not any(before for _, _, before, _ in sliding(call))
        if exact and value.ndim == 4 and len(step.inputs) == 1:
            return replace(step, kind="slide", call=call)
    if name == "batch_norm":
        training = kwargs.get("training", args[5] if len(args) > 5 else False)
        return step if training else replace(step, kind="piece")
    if name in _SHAPES:
        return replace(step, kind="whole", run=lambda x: x.reshape(len(x), *value.shape[1:]))
    if (name in POINTWISE or name == "movedim") and _each_position(step, args, kwargs, constants):
        alike = value.ndim == 4 and all(source.value.shape[2:] == value.shape[2:] for source in step.inputs)
        return replace(step, kind="piece" if alike else "whole")
    dims = kwargs.get("dim", args[1] if len(args) > 1 else 0)
    images_apart = name != "mean" or not {0, -value.ndim} & {*(dims if isinstance(dims, list | tuple) else [dims])}
    return replace(step, kind="whole") if name in _WHOLE and images_apart else step


def _each_position(step: Step, args: tuple, kwargs: dict, constants: list[Tensor]) -> bool:
    """Tell whether a pointwise function is one here: its constants differ by channel only, it joins channels only."""
    name, dimensions = step.name, step.value.ndim
    if name in ("chunk", "split", "getitem"):
        return False
    if name == "movedim":
        return args[1] == args[2]
    if name in ("cat", "concat"):
        return kwargs.get("dim", args[1] if len(args) > 1 else 0) in (1, 1 - dimensions)
    if "dropout" in name:
        return torch.equal(step.value, step.inputs[0].value)
    shapes = [[1] * (dimensions - tensor.ndim) + [*tensor.shape] for tensor in constants]
    return name == "prelu" or all(shape[:1] + shape[2:] == [1] * (dimensions - 1) for shape in shapes)
