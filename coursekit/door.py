"""The door: every function that `ck.` hands out first checks its arguments, by the kinds that its annotations name.

What is of another kind is refused in one sentence, before any work; numbers of NumPy and torch become Python's own.
Whether a value of the right kind *fits* (images in [0, 1], a layer that exists) is what `arguments.py` checks.
"""

import collections.abc
import functools
import inspect
import math
import operator
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.arguments import shown
from coursekit.errors import CoursekitError, ImageError, OptionError, TargetError, UnknownExercise, UnknownLayer

# The exception for an argument of that name; OptionError for all others.
ERRORS: dict[str, type[CoursekitError]] = {
    **dict.fromkeys(("image", "images", "content", "style", "painting"), ImageError),
    "number": UnknownExercise,  # of an exercise
    **dict.fromkeys(("layer", "layers", "content_layer"), UnknownLayer),
    **dict.fromkeys(("target", "targets", "objective", "channel", "position", "feature"), TargetError),
}
# The least and the largest that an argument of that name can be; one word means one thing everywhere.
COUNTS = ("size", "n", "columns", "pool", "samples", "window", "stride", "zoom", "rows", "cols", "bins")
WHOLE: dict[str, tuple[int, int]] = {
    **dict.fromkeys(COUNTS, (1, 2**16)),
    **dict.fromkeys(("seed", "seeds"), (0, 2**32 - 1)),
    **{"jitter": (0, 2**16), "steps": (0, 2**20), "most": (1, 2**31)},
}
REAL: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("radius", "radii"), (0, math.inf)),  # a straight line is an arc of infinite radius
    **dict.fromkeys(("share", "position"), (0, 1)),
    **{"clip": (0, 100), "rate": (0, 1e12), "epsilon": (0, 1e12), "gamma": (0, 1e12), "side": (0.1, 10)},
}
WORDS: dict[Any, str] = {
    **{int: "a whole number", float: "a finite number", bool: "True or False", str: "a string", Tensor: "a tensor"},
    **{type(None): "None", os.PathLike: "a path", Mapping: "a dict", dict: "a dict", Callable: "a function"},
    **{nn.Module: "a network", np.random.Generator: "a NumPy generator", torch.Generator: "a torch.Generator"},
}


GAPS = ("lines", "bands", "panels", "rows")  # of figures: there a NaN says that a value is missing
HUGE = 1e18  # beyond it float32 cannot square a number


class _Unfit(Exception):
    """A value is of another kind; or of the right kind but of no use, and then the words say what it must be."""


def checked(function: Any, name: str) -> Any:
    """Return what `ck.` has under that name behind a door: a function, or a module with a door for each of its own."""
    if isinstance(function, types.ModuleType):
        return _checked_module(function, name)

    @functools.wraps(function)
    def at_the_door(*args: object, **kwargs: object) -> object:
        try:
            given = signature().bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # an argument is missing or unknown: Python says so
        for name, value in given.arguments.items():
            if name in kinds():
                given.arguments[name] = check(name, value, kinds()[name])
        return function(*given.args, **given.kwargs)

    @functools.cache
    def signature() -> inspect.Signature:
        return inspect.signature(function)

    @functools.cache
    def kinds() -> dict[str, object]:
        rest = {name for name, p in signature().parameters.items() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        return {name: kind for name, kind in typing.get_type_hints(function).items() if name not in rest | {"return"}}

    at_the_door.__module__, at_the_door.__qualname__ = __name__, name  # where pickle finds it again, see below
    return at_the_door


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(sys.modules["coursekit"], name)


def _checked_module(module: types.ModuleType, name: str) -> types.ModuleType:
    door = types.ModuleType(module.__name__, module.__doc__)
    for key, value in vars(module).items():
        own = inspect.isfunction(inspect.unwrap(value)) and value.__module__ == module.__name__
        setattr(door, key, checked(value, f"{name}.{key}") if own and not key.startswith("_") else value)
    return door


def check(name: str, value: object, kind: Any) -> object:
    """Return the value, with Python's own numbers; raise one of our exceptions if it is of another kind."""
    try:
        return fitting(value, kind, name)
    except _Unfit as unfit:
        error = OptionError if isinstance(value, Mapping) else ERRORS.get(name, OptionError)
        if str(unfit):
            raise error(f"{name} must be {unfit}.") from None
        expected = words(kind)
        for noun, bounds in (("(whole numbers?)", WHOLE.get(name)), ("finite (numbers?)", REAL.get(name))):
            if bounds:
                above = isinstance(value, int) and value > bounds[1]
                extent = r"\1 of at least {}".format(*bounds) + f" and at most {bounds[1]}" * (above or name == "seed")
                expected = re.sub(noun, extent, expected, count=1)
        sentence = f"{name} must be {expected}, but is {_seen(value)}{_hint(name, value, expected)}."
        raise error(sentence) from None


def _seen(value: object) -> str:
    kind, text = type(value).__name__, shown(value)
    if isinstance(value, nn.Module):
        return f"a {kind}"
    return text if kind in text or isinstance(value, int | float) else f"{kind} {text}"


def _hint(name: str, value: object, expected: str) -> str:
    if isinstance(value, nn.Module) and "ck.Model" in expected:
        return "; wrap it: ck.Model(network, mean=…, std=…)"
    if isinstance(value, str) and expected.startswith("a list of strings"):
        return f"; write [{value!r}]"
    if ERRORS.get(name) is ImageError:
        return "; use ck.load_image"
    return "; use torch.from_numpy" if isinstance(value, np.ndarray) and "tensor" in expected else ""


def words(kind: Any) -> str:
    """Say what is expected."""
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        *most, last = dict.fromkeys(words(part) for part in parts)
        return f"{', '.join(most)} or {last}" if most else last
    if origin is typing.Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple and Ellipsis not in parts:
        return f"{len(parts)} values, each {' or '.join(dict.fromkeys(map(words, parts)))}"
    if origin in (list, tuple, Sequence, Iterable):
        each = words(parts[0]) if parts else "a value"
        return f"a list of {each[2:]}s" if each in WORDS.values() else f"a list, each of it {each}"
    return WORDS.get(origin) or f"a ck.{origin.__name__}"


def fitting(value: object, kind: Any, name: str = "") -> object:
    """Return a value of that kind, within the bounds of an argument of that name, or raise _Unfit."""
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (object, Any):
        return value
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, parts, name)
    if origin is typing.Literal:
        return _sure(value, isinstance(value, str) and value in parts)
    if origin is int:
        return _whole(value, *WHOLE.get(name, (-(2**53), 2**53)))
    if origin is float:
        return _number(value, *REAL.get(name, (-1e12, 1e12)), name in GAPS)
    if origin is bool:
        return bool(_sure(value, isinstance(value, bool | np.bool_)))
    if origin is Tensor:
        return _tensor(value, name in GAPS)
    if origin is collections.abc.Callable:
        return _sure(value, callable(value))
    if origin in (Mapping, dict):
        keys, kind = parts or (object, object)
        return _mapping(value, keys, kind, name if name in GAPS else "")
    if origin in (list, tuple, Sequence, Iterable):
        return _list(value, parts, name, origin is tuple and Ellipsis not in parts)
    if hasattr(origin, "_fields") and isinstance(value, origin):  # a named tuple is as good as its parts
        kinds = typing.get_type_hints(origin)
        return origin(
            *(fitting(part, kinds.get(field, object)) for field, part in zip(origin._fields, value, strict=True))
        )
    return _sure(value, isinstance(value, origin))


def _sure(value: object, fits: bool) -> object:
    if not fits:
        raise _Unfit
    return value


def _one_of(value: object, kinds: tuple, name: str) -> object:
    wide: tuple[Any, ...] = (int, float, Tensor, collections.abc.Mapping)  # first: these can pass for a list as well
    flaw = ""
    for kind in sorted(kinds, key=lambda kind: (typing.get_origin(kind) or kind) not in wide):
        try:
            return fitting(value, kind, name)
        except _Unfit as unfit:
            flaw = flaw or str(unfit)
    raise _Unfit(flaw)


def _tensor(value: object, gaps: bool) -> object:
    """Only what can be computed with: in memory, with values, each of them finite."""
    if not isinstance(value, Tensor):
        raise _Unfit
    if value.layout != torch.strided or value.is_meta or value.is_complex() or value.is_quantized:
        seen = f"a tensor {tuple(value.shape)} of {value.dtype} on {value.device}, {value.layout}"
        raise _Unfit(f"a dense tensor of real numbers, with its values in memory, but is {seen}")
    if not value.ndim or not value.numel():
        raise _Unfit(f"a tensor with values along its axes, but has the shape {tuple(value.shape)}")
    if value.is_floating_point() and not gaps:
        low, high = value.detach().aminmax()
        if not (math.isfinite(low) and math.isfinite(high)):
            raise _Unfit("finite, but some values are NaN or infinite")
        if max(-low, high) > HUGE:
            raise _Unfit(f"smaller, for float32 cannot square {float(max(-low, high)):.2g}; divide them")
    return value


def _whole(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or (isinstance(value, Tensor) and value.dtype == torch.bool):
        raise _Unfit
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except (TypeError, RuntimeError, ValueError):
        raise _Unfit from None
    return typing.cast(int, _sure(number, least <= number <= most))


def _number(value: object, least: float, most: float, gaps: bool) -> float:
    if isinstance(value, Tensor) and value.ndim == 0 and value.dtype != torch.bool and not value.is_meta:
        value = value.item()
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Unfit
    return typing.cast(float, _sure(value, least <= value <= most or (gaps and math.isnan(value))))


def _mapping(value: object, keys: Any, kind: Any, name: str) -> object:
    if not isinstance(value, Mapping):
        raise _Unfit
    if not value:
        raise _Unfit("a dict with at least one entry, but is empty")
    made = {fitting(key, keys): fitting(part, kind, name) for key, part in value.items()}
    return value if all(made[key] is part for key, part in value.items()) else made


def _list(value: object, kinds: tuple, name: str, fixed: bool) -> object:
    if isinstance(value, np.ndarray | Tensor) and value.ndim == 1 and str not in kinds:
        value = value.tolist()
    if isinstance(value, str) and not kinds:
        return value  # a word is a list of letters
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | set | frozenset | Tensor | np.ndarray):
        raise _Unfit
    given = value if isinstance(value, Sequence) else list(value)
    if fixed and len(given) != len(kinds):
        raise _Unfit
    each = kinds if fixed else [kinds[0] if kinds else object] * len(given)
    inner = "" if name in COUNTS else name  # `columns` counts them, or names some of them
    made = [fitting(part, kind, inner) for part, kind in zip(given, each, strict=True)]
    if all(ours is theirs for ours, theirs in zip(made, given, strict=True)):
        return given
    return tuple(made) if isinstance(given, tuple) else made
