"""Automatic checks behind the exercises, right, not done yet, or the sentence that names the mistake; and claims.

Each lab has its file here with one judge for each exercise: a function that takes the student's answer and returns
None when it is right, or a hint. Judges call the student's functions on tiny networks, so a check takes milliseconds.
A judge whose data come from `case` or `varied` is asked twice, with other numbers, signs and sizes the second time, so
that nothing passes which is right for one example only.
"""

import linecache
import math
import operator
import os
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from coursekit.arguments import check_count, shown
from coursekit.console import say
from coursekit.errors import OptionError, UnknownExercise

Judge = Callable[[object], str | None]


class Unfinished(Exception):
    """The student's function still returns the starter's `...`."""


class _Nothing(Exception):
    """The student's function returns None."""


class _Cases:
    """Which example the judge is to make, and whether it has asked."""

    now, asked = 0, False


_marks: dict[str, str] = {}  # what came of each exercise that was checked in this session


def case() -> int:
    """Return which example a judge is to make: 0, and where that was right, 1."""
    _Cases.asked = True
    return _Cases.now


def varied(seed: int) -> torch.Generator:
    """Return a generator whose numbers differ from example to example."""
    return torch.Generator().manual_seed(seed + 1000 * case())


def judged(judge: Judge, answer: object) -> str | None:
    """Return a judge's hint, None where all of its examples are right.

    >>> judged(lambda answer: compare(answer, 2.0), 2)
    >>> judged(lambda answer: "take the root" if case() else None, 2)
    'right for one example, but not for another: take the root'
    """
    _Cases.asked = False
    try:
        for _Cases.now in range(2):
            hint = judge(answer)
            if hint is not None:
                return f"right for one example, but not for another: {hint}" if _Cases.now else hint
            if not _Cases.asked:
                break
    finally:
        _Cases.now = 0
    return None


def check(number: str, answer: object = ...) -> None:
    """Judge the answer to an exercise and print ✓, ✗ with a hint, or that it is not done yet.

    Nothing is raised, so that the cells after an unfinished exercise still run; with COURSEKIT_STRICT=1 in the
    environment (as in the tests of the solutions) anything but ✓ raises AssertionError.

    Parameters
    ----------
    number : lab and exercise, such as "03.1".
    answer : a value or a function, as the exercise asks for.

    Raises
    ------
    UnknownExercise

    Examples
    --------
    >>> check("03.1")
    ○ 03.1 not done yet.
    >>> check("03.1", 625)
    ✓ 03.1 right.
    """
    judge = _find(number)
    try:
        if answer is ... or answer is None:
            raise Unfinished
        hint = judged(judge, answer)
        message = f"✓ {number} right." if hint is None else f"✗ {number} not yet: {hint}"
    except Unfinished:
        message = f"○ {number} not done yet."
    except _Nothing:
        message = f"✗ {number} not yet: your function returns nothing: is `return` missing?"
    except Exception as error:  # whatever the student's code raises is a hint, not the end of Run All
        message = f"✗ {number} not yet: your code raised {type(error).__name__}: {error}{_line(error, answer)}"
    _marks[number] = message[0]
    say(message)
    if os.environ.get("COURSEKIT_STRICT") == "1" and not message.startswith("✓"):
        raise AssertionError(message)


def progress() -> dict[str, str]:
    """Print and return what the checks of this session have said: for each exercise ✓, ✗, or ○ for not done yet.

    It lists all exercises of the labs whose checks have run since the kernel was started; run the lab first.

    >>> check("03.1", 625)
    ✓ 03.1 right.
    >>> progress()["03.1"]  # doctest: +ELLIPSIS
    Lab ... right · ... ✓ 03.1 · ...
    '✓'
    """
    marks: dict[str, str] = {}
    for lab in sorted({number.split(".")[0] for number in _marks}):
        numbers = import_module(f"coursekit.labs.lab{lab}").JUDGES
        own = {number: _marks.get(number, "○") for number in numbers}
        right = sum(mark == "✓" for mark in own.values())
        say(" · ".join([f"Lab {lab}: {right} of {len(own)} right", *(f"{own[number]} {number}" for number in own)]))
        marks |= own
    if not marks:
        say("No check has run yet in this session: run the lab first.")
    return marks


def claim(
    text: str,
    value: Any,
    *,
    above: float | None = None,
    below: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    digits: int = 2,
) -> None:
    """Print a claim with its number, its threshold, and ✓ if it holds or ✗ if it does not.

    A claim that fails raises nothing, so that the cells after it still run; with COURSEKIT_STRICT=1 in the environment
    (as in continuous integration) it raises AssertionError. NaN holds no claim. The value is compared as it is, and
    printed with more digits where the rounded one would hide on which side of a threshold it lies.

    Parameters
    ----------
    text : what is measured, such as "share of windows that lower the logit".
    value : one number, or a tensor or an array of one; of several seeds or objects give the worst.
    above, below, at_least, at_most : thresholds, at least one; two together make a band.
    digits : significant digits that are stable from one processor to another; whole numbers are printed in full.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> claim("share of windows that lower the logit", 0.7712, above=0.5)
    share of windows that lower the logit: 0.77 (more than 0.5) ✓
    >>> claim("correlation with another seed", 0.1, at_least=0.2, below=1)
    correlation with another seed: 0.10 (at least 0.2 and less than 1) ✗
    """
    check_count("digits", digits)
    try:
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, bool | str):
            raise TypeError
        number = number if isinstance(number, int) else float(number)
    except (TypeError, ValueError, RuntimeError):
        raise OptionError(f"A claim is about one number, but not {shown(value)}; give what was measured.") from None
    given: list[tuple[str, float | None, Callable[[float, float], bool]]] = [
        ("more than", above, operator.gt),
        ("at least", at_least, operator.ge),
        ("less than", below, operator.lt),
        ("at most", at_most, operator.le),
    ]
    bounds = [(words, threshold, holds) for words, threshold, holds in given if threshold is not None]
    if not bounds:
        raise OptionError("A claim needs a threshold: give above, below, at_least or at_most.")
    right = all(holds(number, threshold) for _, threshold, holds in bounds)
    words = " and ".join(f"{words} {threshold:g}" for words, threshold, _ in bounds)
    printed = _rounded(number, digits, [threshold for _, threshold, _ in bounds])
    message = f"{text}: {printed} ({words}) {'✓' if right else '✗'}"
    say(message)
    if os.environ.get("COURSEKIT_STRICT") == "1" and not right:
        raise AssertionError(message)


def call(function: object, *arguments: object) -> Any:
    """Run the student's function; `Unfinished` where it still returns `...`."""
    if not callable(function):
        raise TypeError(f"give the function itself, not {type(function).__name__}")
    result = function(*arguments)
    if result is ...:
        raise Unfinished
    if result is None:
        raise _Nothing
    return result


def compare(answer: object, right: Tensor | float, mistakes: Sequence[tuple[Tensor | float, str]] = ()) -> str | None:
    """Return None if the answer equals `right` to 0.01 %, else a hint: the mistake that it equals, or what is off.

    Leading dimensions of length 1 do not count, so a batch of one answer is that answer.

    >>> compare(4.0, 2.0, [(4.0, "take the root")])
    'take the root'
    """
    try:
        answer = torch.as_tensor(answer).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError):
        return f"the answer should be a number or a tensor, not {type(answer).__name__}."
    if answer.isnan().any():
        return "the answer holds NaN (not a number); did you divide by zero?"
    if _same(answer, right):
        return None
    for value, hint in mistakes:
        if _same(answer, value):
            return hint
    right = torch.as_tensor(right)
    if _unbatched(answer).shape != _unbatched(right).shape:
        shape = tuple(right.shape)
        return f"the shape should be {shape}, but is {tuple(answer.shape)}." if shape else "one number is asked for."
    return "the values differ from the right ones; go through the formula once more."


def _line(error: Exception, answer: object) -> str:
    """Say in which line of the student's function an error arose, where that is known."""
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    own = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    if not own:
        return ""
    number = [number for frame, number in traceback.walk_tb(error.__traceback__) if frame is own[-1]][-1]
    text = linecache.getline(str(file), number).strip()
    return f" (in line {number}: `{text}`)" if text else f" (in line {number})"


def _same(answer: Tensor, value: Tensor | float) -> bool:
    value = torch.as_tensor(value).detach().cpu()
    whole = not value.is_floating_point()  # a number of things is right or wrong
    answer, value = _unbatched(answer), _unbatched(value.double())
    if answer.shape != value.shape:
        return False
    tolerance = 0.1 if whole else 1e-4 * max(float(value.abs().max()), 1e-12)
    return math.isfinite(float(answer.abs().max())) and float((answer - value).abs().max()) <= tolerance


def _unbatched(value: Tensor) -> Tensor:
    while value.ndim and len(value) == 1:
        value = value[0]
    return value


def _rounded(number: float, digits: int, thresholds: Sequence[float]) -> str:
    if isinstance(number, int):
        return str(number)
    text = f"{number:.{digits - 1}e}"
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    if abs(number) >= 1e-4:  # smaller ones stay in powers of ten
        text = f"{float(text):.{max(digits - 1 - int(text.split('e')[1]), 0)}f}"
    if digits < 17 and any(float(text) == threshold != number for threshold in thresholds):
        return _rounded(number, digits + 1, thresholds)
    return text


def _find(number: str) -> Judge:
    lab = str(number).split(".")[0]
    module = f"coursekit.labs.lab{lab}"
    judges = import_module(module).JUDGES if lab.isalnum() and find_spec(module) else {}
    if number not in judges:
        known = ", ".join(judges) or "none in this lab"
        raise UnknownExercise(f"There is no exercise {number!r}; known: {known}.")
    return judges[number]
