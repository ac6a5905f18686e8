"""Checks for lab 16: what counts as evidence, a counterfactual, a map against its area, a refutation, the report."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from coursekit.labs.checking import Unfinished, call, case, compare, varied
from coursekit.labs.detective.court import Report, unfinished, verdict

# share of the accused, shares of the others
SHARES = [
    (0.9, [0.1, 0.3]),
    (0.5, [0.05, 0.45]),
    (0.1, [0.6, 0.7]),
    (0.35, [0.3, 0.2]),
    (0.6, [0.2, 0.4]),
    (0.8, [0.75, 0.0]),
    (0.5, [0.45, 0.2]),
]
# the same, and the least share that the claim needs
TRIALS = [
    (0.9, [0.1, 0.2], 0.5),
    (0.9, [0.8, 0.7], 0.5),
    (0.3, [0.1, 0.2], 0.5),
    (0.9, [0.8, 0.1], 0.5),
    (0.5, [0.2, 0.9], 0.5),
    (0.4, [0.8, 0.9], 0.5),
    (0.9, [0.5, 0.8], 0.5),
]


def _answers(function: object, cases: Sequence[tuple]) -> list:
    return [call(function, *case) for case in cases]


def _first(found: list, rules: Sequence[tuple[Callable, str]], cases: Sequence[tuple]) -> str | None:
    """Return the hint of the first wrong rule that gives the same answers."""
    return next((hint for rule, hint in rules if found == [rule(*case) for case in cases]), None)


def sets_apart(answer: object) -> str | None:
    """16.1: larger than the largest of the others, by the margin."""
    found = _answers(answer, SHARES)
    if not all(isinstance(value, bool) for value in found):
        return f"True or False is asked for, not {type(found[0]).__name__}."
    right = [s - max(o) >= 0.2 - 1e-9 for s, o in SHARES]
    rules = [
        (lambda s, o: s - sum(o) / len(o) >= 0.2 - 1e-9, "compare with the larger of the others, not with their mean."),
        (lambda s, o: s - min(o) >= 0.2 - 1e-9, "compare with the larger of the others, not with the smaller."),
        (lambda s, o: s > max(o), "larger is not enough: the margin is 0.2."),
        (
            lambda s, o: min(abs(s - v) for v in o) >= 0.2 - 1e-9,
            "a share far below the others is no evidence: no absolute values.",
        ),
        (lambda s, o: s - max(o) > 0.2 + 1e-9, "a difference of exactly 0.2 is enough: allow for rounding (1e-9)."),
    ]
    if found == right:
        return None
    return _first(found, rules, SHARES) or "the decisions differ from the right ones; try 0.6 against 0.2 and 0.4."


def lost(answer: object) -> str | None:
    """16.2: what a class loses when its cue is gone."""
    labels = torch.tensor([1, 1, 1, 1, 1, 0, 0, 2, 2])
    before = torch.tensor([1, 1, 1, 1, 2, 0, 1, 2, 1])
    after = torch.tensor([1, 0, 2, 0, 0, 0, 0, 1, 0])
    if case():  # another class, and some pictures less
        before, after, labels = (2 - values[1:] for values in (before, after, labels))
        before[3], after[1] = 0, 2
    k = 1 - case()
    result = call(answer, before.clone(), after.clone(), labels.clone(), k)
    of_class, was, gone = labels == k, before == k, after != k
    mistakes = [
        ((gone & of_class).sum() / of_class.sum(), "one picture was wrong before: it has nothing to lose."),
        ((gone & was).sum() / was.sum(), "look at the pictures of the class only, by their labels."),
        ((was & gone & of_class).sum() / len(labels), "divide by the class's pictures that were right, not by all."),
        ((was & gone & of_class).sum() / of_class.sum(), "divide by the class's pictures that were right before."),
        ((was & gone & of_class).sum(), "a share is asked for, not a number of pictures."),
        ((was & ~gone & of_class).sum() / (was & of_class).sum(), "that is the share that stays right."),
    ]
    right = (was & gone & of_class).sum() / (was & of_class).sum()
    return compare(result, right.float(), [(value.float(), hint) for value, hint in mistakes])


def excess(answer: object) -> str | None:
    """16.3: a map's energy in a region, beyond the region's area."""
    generator = varied(3)
    heat = torch.randn(3, 1, 8, 8, generator=generator) + torch.tensor([0.2, 1.0, -0.3]).view(3, 1, 1, 1)
    heat[1] *= 20
    region = torch.rand(3, 8, 8, generator=generator) < torch.tensor([0.2, 0.5, 0.7]).view(3, 1, 1)
    result = call(answer, heat.clone(), region.clone())

    def share(values: Tensor) -> Tensor:
        return (values[:, 0] * region).sum((1, 2)) / values.sum((1, 2, 3))

    positive, area = heat.clamp(min=0), region.float().mean((1, 2))
    mistakes = [
        (share(positive).mean(), "a large region has much energy by chance: take its part of the area away."),
        ((share(heat) - area).mean(), "what speaks against the class has no place here: keep positive values only."),
        (
            (share(heat.abs()) - area).mean(),
            "a strong value against the class counts as one for it: clamp, no absolute values.",
        ),
        (
            (positive[:, 0] * region).sum() / positive.sum() - area.mean(),
            "one loud picture outvotes the rest: a share for each picture, then the mean.",
        ),
        (share(positive) - area, "one number is asked for: the mean over the pictures."),
        ((area - share(positive)).mean(), "the sign is the wrong way round."),
    ]
    return compare(result, (share(positive) - area).mean(), mistakes)


def trial(answer: object) -> str | None:
    """16.4: what a refutation has shown."""
    found = _answers(answer, TRIALS)
    words = {"refuted", "empty", "stands"}
    if not all(isinstance(value, str) and value in words for value in found):
        return "return one of the words 'refuted', 'empty' and 'stands'."

    def judge(
        s: float, o: list[float], least: float, some: Callable = all, fails: Callable = lambda s, b: s < b
    ) -> str:
        if fails(s, least):
            return "refuted"
        return "empty" if some(v >= least for v in o) else "stands"

    rules = [
        (
            lambda s, o, b: judge(s, o, b, some=any),
            "one network that fails is enough: empty means that all the others pass.",
        ),
        (lambda s, o, b: judge(s, o, b, fails=lambda s, b: s <= b), "exactly the least share is enough to stand."),
        (
            lambda s, o, b: "empty" if all(v >= b for v in o) else judge(s, o, b),
            "ask about the accused first: who fails the own test is refuted.",
        ),
        (lambda s, o, b: "stands" if s >= b else "refuted", "a test that everyone passes is empty."),
        (
            lambda s, o, b: "stands" if s > max(o) else "refuted",
            "compare with the least share that was named before, not with the others.",
        ),
    ]
    if found == [judge(*case) for case in TRIALS]:
        return None
    return (
        _first(found, rules, TRIALS) or "the words differ from the right ones; go through the three of them once more."
    )


def report(answer: object) -> str | None:
    """16.5: the report, as the court sees it."""
    if not isinstance(answer, Report):
        return f"a ck.Report is asked for, not {type(answer).__name__}."
    if unfinished(answer):
        raise Unfinished
    found = verdict(answer)
    return None if found.solved else " ".join(found.sentences)


JUDGES = {"16.1": sets_apart, "16.2": lost, "16.3": excess, "16.4": trial, "16.5": report}
