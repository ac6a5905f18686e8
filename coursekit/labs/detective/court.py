"""The court of lab 16: evidence that is measured again, a test that could have refuted it, and the verdict."""

import copy
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from coursekit.errors import CoursekitError, OptionError
from coursekit.labs.detective.case import Case, is_true
from coursekit.labs.detective.network import FAULTS, LABELS
from coursekit.networks.model import Model

MARGIN = 0.2  # by which evidence must set the accused apart from both others
TOLERANCE = 0.02  # between the number in a report and what its function measures again
NEEDED = 3  # different methods
COST = 2  # points, of each wrong accusation for which the envelope of a case was opened
METHODS = (
    "counterfactual",
    "discovered_concepts",
    "occlusion",
    "gradients",
    "grad_cam",
    "fullgrad",
    "feature_visualisation",
    "tcav",
    "top_patches",
    "dissection",
    "neighbours",
)
WRONG = "The envelope is opened: it says something else. What else could give your numbers?"
Measure = Callable[[Model], float]
_chance = random.SystemRandom()  # no seed, so nobody knows in which order the networks come
_mistaken: dict[int, set[tuple[str, str, str]]] = {}  # case -> the wrong accusations of this session


@dataclass
class Evidence:
    """One measurement: the method's name, a function model -> share in [0, 1], and what it gave for the accused."""

    method: str | EllipsisType
    measure: Measure | EllipsisType
    measured: float | EllipsisType


@dataclass
class Refutation:
    """A test that could have gone against you: what you claim, a function, and the least share that the claim needs."""

    claim: str | EllipsisType
    measure: Measure | EllipsisType
    at_least: float | EllipsisType


@dataclass
class Report:
    """An accusation: which network, what fault, which class rests on it, and why. `...` means: not known yet.

    `evidence` needs three different methods. See `verdict`.
    """

    case: Case
    network: str | EllipsisType = ...
    fault: str | EllipsisType = ...
    label: str | EllipsisType = ...
    evidence: Sequence[Evidence] = ()
    refutation: Refutation | EllipsisType | None = None

    def __post_init__(self) -> None:
        choices = {"network": tuple(self.case.networks), "fault": FAULTS, "label": LABELS}
        for name, known in choices.items():
            if getattr(self, name) not in (..., *known):
                raise OptionError(f"{name} is one of {', '.join(known)}, but is {getattr(self, name)!r}.")
        pieces = self.evidence if isinstance(self.evidence, list | tuple) else [self.evidence]
        if wrong := [piece for piece in pieces if not isinstance(piece, Evidence)]:
            raise OptionError(f"evidence is a list of ck.Evidence(method, measure, measured), but holds {wrong[0]!r}.")


@dataclass(frozen=True)
class Verdict:
    """What the court found: `points` of 10, whether the case is `solved`, and why, in sentences."""

    points: int
    solved: bool
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, f"Points: {self.points} of 10." + " Solved." * self.solved])


def unfinished(report: Report) -> list[str]:
    """Name the parts of a report that are still `...`."""
    parts: dict[str, tuple[object, tuple[str, ...]]] = {"": (report, ("network", "fault", "label", "refutation"))}
    parts |= {
        f"evidence {i}: ": (piece, ("method", "measure", "measured")) for i, piece in enumerate(report.evidence, 1)
    }
    if isinstance(report.refutation, Refutation):
        parts["refutation: "] = (report.refutation, ("claim", "measure", "at_least"))
    return [place + name for place, (part, names) in parts.items() for name in names if getattr(part, name, 0) is ...]


def verdict(report: Report) -> Verdict:
    """Check a report: measure its evidence again on all three networks, then open the envelope.

    - Evidence: 1 point for each of three different methods. The accused gives the number that the report says, and it
      is larger than those of both other networks by 0.2 or more.
    - Refutation: 3 points, if the accused passes it and at least one other network does not. A test that everyone
      passes could not have gone wrong.
    - Answer: 4 points. The envelope is opened only when all of the above stands.
    - Each different accusation of the same case for which the envelope was opened in this session and said something
      else costs 2 points.

    Each measure is taken twice of each network, in an order that is drawn anew each time; the networks come as copies
    without their letters. A measure that does not give the same twice counts its calls or draws at random.

    Returns
    -------
    Verdict, whose sentences say what holds and what is missing, and never what the truth is.
    """
    missing = unfinished(report)
    if missing:
        return Verdict(0, False, (f"The report is not finished: {', '.join(missing)} not filled in.",))
    held: dict[str, Any] = {}  # method -> its function
    said = []
    for evidence in report.evidence:
        holds, sentence = _weigh(report, evidence, held)
        held |= {str(evidence.method): evidence.measure} if holds else {}
        said.append(sentence)
    if len(held) < NEEDED:
        said.append(f"Evidence from {NEEDED} different methods is needed; {len(held)} so far.")
    stands, sentence = _try_to_refute(report)
    said.append(sentence)
    points = min(len(held), NEEDED) + 3 * stands
    if points < NEEDED + 3:
        return Verdict(points, False, (*said, "The envelope stays shut until the evidence is complete."))
    accusation = str(report.network), str(report.fault), str(report.label)
    solved = is_true(report.case, *accusation)
    said.append("The envelope is opened: your accusation is true." if solved else WRONG)
    mistaken = _mistaken.setdefault(report.case.seed, set())
    mistaken |= set() if solved else {accusation}
    if mistaken:
        said.append(f"Wrong accusations in this case so far: {len(mistaken)}; each costs {COST} points.")
    return Verdict(max(0, points + 4 * solved - COST * len(mistaken)), solved, tuple(said))


def _share(value: Any) -> float:
    """Return a number from 0 to 1, and NaN for everything else; NaN passes no comparison below."""
    try:
        share = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # the last: an integer of 400 digits
        return math.nan
    return share if 0 <= share <= 1 else math.nan


def _results(report: Report, measure: Any) -> tuple[float, dict[str, float]] | None:
    """Return what a measure gives for the accused and for the others; None if it gives something else the next time.

    It meets each network twice, as copies that bear no letter and come in an order that it cannot know.
    """
    if not callable(measure):
        raise OptionError(f"A measure is a function model -> share, but is {measure!r}.")
    found: dict[str, list[float]] = {letter: [] for letter in report.case.networks}
    turns = [*found, *found]
    _chance.shuffle(turns)
    for letter in turns:
        unnamed = copy.deepcopy(report.case[letter])
        unnamed.name = "?"
        value = _measured(measure, unnamed)
        if math.isnan(_share(value)):
            raise OptionError(f"A measure returns a share between 0 and 1, but got {value!r}.")
        found[letter].append(_share(value))
    if not all(abs(first - second) <= TOLERANCE for first, second in found.values()):
        return None
    means = {letter: sum(values) / 2 for letter, values in found.items()}
    return means.pop(str(report.network)), means


def _measured(measure: Measure, model: Model) -> Any:
    """Return what a measure gives; an error in it is named as one of the student's function."""
    try:
        return measure(model)
    except CoursekitError:  # it says already what to do
        raise
    except Exception as error:
        raise OptionError(f"Your measure raised {type(error).__name__}: {error}") from error


def _weigh(report: Report, evidence: Evidence, held: dict[str, Any]) -> tuple[bool, str]:
    """Say whether one piece of evidence holds, and why."""
    method = str(evidence.method)
    if method not in METHODS:
        return False, f"{method}: no method of this course; name one of {', '.join(METHODS)}."
    before = next((other for other, measure in held.items() if measure is evidence.measure and other != method), None)
    if before is not None:
        return False, f"{method}: this is the function of {before} under another name."
    reported = _share(evidence.measured)
    if math.isnan(reported):
        return False, f"{method}: report a number from 0 to 1, not {evidence.measured!r}."
    results = _results(report, evidence.measure)
    if results is None:
        return False, f"{method}: measured twice, your function gives two different shares of the same network."
    value, others = results
    if not abs(value - reported) <= TOLERANCE:
        return False, f"{method}: you report {reported:.2f}, but {report.network} gives {value:.2f}."
    numbers = f"{report.network} {value:.2f}, the others {' and '.join(f'{v:.2f}' for v in others.values())}"
    if not value - max(others.values()) >= MARGIN:
        return False, f"{method}: {numbers}. That does not set {report.network} apart by {MARGIN}."
    return True, f"{method}: {numbers}. That holds."


def _try_to_refute(report: Report) -> tuple[bool, str]:
    """Say whether the refutation could have failed, and did not."""
    test = report.refutation
    if not isinstance(test, Refutation):
        return False, "A test that could have refuted you is missing."
    least = _share(test.at_least)
    if math.isnan(least):
        return False, f"The share that your claim needs is a number from 0 to 1, not {test.at_least!r}."
    results = _results(report, test.measure)
    if results is None:
        return False, "Your test, taken twice, gives two different shares of the same network."
    value, others = results
    if not value >= least:
        return False, f"Your own test refutes you: {report.network} gives {value:.2f}, not {least:.2f}."
    if min(others.values()) >= least:
        return False, "Every network passes your test, so it could not have refuted you."
    return True, f"Your claim could have failed ({test.claim}), and did not: {value:.2f} against {least:.2f}."
