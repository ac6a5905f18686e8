"""The court of lab 16: evidence that is measured again, a test that could have refuted it, and the verdict."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType

from coursekit.errors import OptionError
from coursekit.labs.detective.case import Case, is_true
from coursekit.labs.detective.network import FAULTS, LABELS
from coursekit.networks.model import Model

MARGIN = 0.2  # by which evidence must set the accused apart from both others
TOLERANCE = 0.02  # between the number in a report and what its function measures again
NEEDED = 3  # different methods
METHODS = (
    "counterfactual",
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


@dataclass
class Evidence:
    """One measurement: the method's name, a function model -> share in [0, 1], and what it gave for the accused."""

    method: str
    measure: Measure
    measured: float


@dataclass
class Refutation:
    """A test that could have gone against you: what you claim, a function, and the least share that the claim needs."""

    claim: str
    measure: Measure
    at_least: float


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


@dataclass(frozen=True)
class Verdict:
    """What the court found: `points` of 10, whether the case is `solved`, and why, in sentences."""

    points: int
    solved: bool
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, f"Points: {self.points} of 10." + " Solved." * self.solved])


def verdict(report: Report) -> Verdict:
    """Check a report: measure its evidence again on all three networks, then open the envelope.

    - Evidence: 1 point for each of three different methods. The accused gives the number that the report says, and it
      is larger than those of both other networks by 0.2 or more.
    - Refutation: 3 points, if the accused passes it and at least one other network does not. A test that everyone
      passes could not have gone wrong.
    - Answer: 4 points. The envelope is opened only when all of the above stands.

    The networks come to your functions as copies without their letters.

    Returns
    -------
    Verdict, whose sentences say what holds and what is missing, and never what the truth is.
    """
    missing = [name for name in ("network", "fault", "label") if getattr(report, name) is ...]
    if missing:
        return Verdict(0, False, (f"The report is not finished: {', '.join(missing)} not filled in.",))
    held, said = set(), []
    for evidence in report.evidence:
        holds, sentence = _weigh(report, evidence)
        held |= {evidence.method} if holds else set()
        said.append(sentence)
    if len(held) < NEEDED:
        said.append(f"Evidence from {NEEDED} different methods is needed; {len(held)} so far.")
    stands, sentence = _try_to_refute(report)
    said.append(sentence)
    points = min(len(held), NEEDED) + 3 * stands
    if points < NEEDED + 3:
        return Verdict(points, False, (*said, "The envelope stays shut until the evidence is complete."))
    accused, fault, label = str(report.network), str(report.fault), str(report.label)
    if is_true(report.case, accused, fault, label):
        return Verdict(points + 4, True, (*said, "The envelope is opened: your accusation is true."))
    return Verdict(points, False, (*said, WRONG))


def _results(report: Report, measure: Measure) -> tuple[float, dict[str, float]]:
    """Return what a measure gives for the accused and for the others; it meets copies that bear no letter."""
    found = {}
    for letter, network in report.case.networks.items():
        unnamed = copy.deepcopy(network)
        unnamed.name = "?"
        value = float(measure(unnamed))
        if not 0 <= value <= 1:
            raise OptionError(f"A measure returns a share between 0 and 1, but got {value}.")
        found[letter] = value
    return found.pop(str(report.network)), found


def _weigh(report: Report, evidence: Evidence) -> tuple[bool, str]:
    """Say whether one piece of evidence holds, and why."""
    if evidence.method not in METHODS:
        return False, f"{evidence.method}: no method of this course; name one of {', '.join(METHODS)}."
    value, others = _results(report, evidence.measure)
    if abs(value - float(evidence.measured)) > TOLERANCE:
        return False, f"{evidence.method}: you report {evidence.measured:.2f}, but {report.network} gives {value:.2f}."
    numbers = f"{report.network} {value:.2f}, the others {' and '.join(f'{v:.2f}' for v in others.values())}"
    if value - max(others.values()) < MARGIN:
        return False, f"{evidence.method}: {numbers}. That does not set {report.network} apart by {MARGIN}."
    return True, f"{evidence.method}: {numbers}. That holds."


def _try_to_refute(report: Report) -> tuple[bool, str]:
    """Say whether the refutation could have failed, and did not."""
    test = report.refutation
    if not isinstance(test, Refutation):
        return False, "A test that could have refuted you is missing."
    value, others = _results(report, test.measure)
    if value < test.at_least:
        return (
            False,
            f"Your own test refutes you: {report.network} gives {value:.2f}, not {test.at_least:.2f}.",
        )
    if min(others.values()) >= test.at_least:
        return False, "Every network passes your test, so it could not have refuted you."
    return True, f"Your claim could have failed ({test.claim}), and did not: {value:.2f} against {test.at_least:.2f}."
