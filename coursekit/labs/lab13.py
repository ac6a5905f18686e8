"""Checks of lab 13, TCAV."""

from collections.abc import Callable

import torch
from torch import Tensor

from coursekit.interrupts import importing
from coursekit.labs.checking import call, case, compare, varied


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=varied(seed), dtype=torch.float64)


def towards(answer: object) -> str | None:
    """13.1: the unit vector along w that points to the concept."""
    # Both kinds lie on the positive side of the origin, and the classifier called the *others* 1.
    shift = torch.tensor([5.0, 5.0, 0.0], dtype=torch.float64)
    concept, others = _normal(12, 3, seed=1) + shift, _normal(12, 3, seed=2) + 2 * shift
    w = torch.tensor([3.0, 3.0, -1.0], dtype=torch.float64)
    if case():  # here w points to the concept already, and there are fewer pictures of it
        concept, others = others[:5], concept
    unit, means = w / w.norm(), concept.mean(0) - others.mean(0)
    result = call(answer, w.clone(), concept.clone(), others.clone())
    right = unit if case() else -unit
    mistakes = [
        (
            -right,
            "it points away from the concept, whose pictures should have the larger w · a, compared with the others.",
        ),
        (-right * w.norm(), "neither oriented nor of length 1: compare both means of w · a, then divide by |w|."),
        (right * w.norm(), "the direction is right; divide by its length |w|."),
        (means / means.norm(), "that is the difference of the means; keep the direction of w, or turn it round."),
        (means, "that is the difference of the means; keep the direction of w, or turn it round."),
        (
            right * w.norm() / w.abs().sum(),
            "you divided by the sum of |w|; the length is the root of the sum of squares.",
        ),
        (
            right * w.norm() / w.abs().max(),
            "you divided by the largest |w|; the length is the root of the sum of squares.",
        ),
    ]
    return compare(result, right, mistakes)


def derivative(answer: object) -> str | None:
    """13.2: g · v with g = ∂ logit_c / ∂a."""
    first, second, a, v = (_normal(*s, seed=i) for i, s in enumerate([(4, 6), (6, 3), (5, 4), (4,)], 3))
    c, v, second = 1 + case(), v / v.norm(), (1 + 4 * case()) * second

    def head(codes: Tensor) -> Tensor:
        return torch.tanh(codes @ first / 2) @ second

    def slope(read: Callable[[Tensor], Tensor]) -> Tensor:
        codes = a.clone().requires_grad_()
        return torch.autograd.grad(read(head(codes)).sum(), codes)[0]

    g = slope(lambda logits: logits[:, c])
    result = call(answer, head, a.clone(), c, v.clone())
    mistakes = [
        (-g @ v, "the sign is the other way round: positive means more of the concept, more of the class."),
        (
            slope(lambda logits: logits.softmax(1)[:, c]) @ v,
            "that is the derivative of the probability; it also moves when other classes do. Take the logit.",
        ),
        (
            slope(lambda logits: logits.log_softmax(1)[:, c]) @ v,
            "that is the derivative of the log-probability; take the logit.",
        ),
        (slope(lambda logits: logits) @ v, "you differentiated the sum of all logits; pick that of class c first."),
        (slope(lambda logits: logits[:, c] / len(a)) @ v, "you took the mean over the pictures; each has its own."),
        (a @ v, "that is a · v, how much concept there is; how much it *matters* is gradient · v."),
        (g, "that is the whole gradient; its product with v is one number for each picture."),
        (g * v, "sum the products over the channels: one number for each picture."),
        ((g @ v).sign(), "that is the sign alone; return the derivative."),
    ]
    return compare(result, g @ v, mistakes)


def score(answer: object) -> str | None:
    """13.3: the part of positive derivatives, a zero counts half."""
    d = torch.tensor([0.3, -0.2, 0.0, 1.5, 0.0, 0.1, -4.0, 0.0, 0.2, 0.7], dtype=torch.float64)
    d = -2 * d[:7] if case() else d
    up, tie, n = int((d > 0).sum()), int((d == 0).sum()), len(d)
    result = call(answer, d.clone())
    mistakes = [
        ((up + tie) / n, "ties counted as positive: a dead layer would get the score 1. A zero counts half."),
        (up / n, "ties counted as negative, as in the paper: a dead layer would get the score 0. A zero counts half."),
        (up / (n - tie), "ties left out: of a dead layer nothing would be left. A zero counts half."),
        ((n - up - tie / 2) / n, "that is the part of negative ones."),
        ((n - up - tie) / n, "that is the part of negative ones."),
        (float(d.mean()), "that is the mean derivative; one large value would hide all others. Count signs."),
        (float(d.sign().mean()), "that lies in [-1, 1]; bring it to [0, 1]."),
        (up + tie / 2, "that is a number of pictures; divide by how many there are."),
    ]
    return compare(result, (up + tie / 2) / n, mistakes)


def p_value(answer: object) -> str | None:
    """13.4: one number for the concept, its rank among the random concepts, both sides."""
    null = torch.arange(1, 40, dtype=torch.float64)[:, None] / 40 + torch.tensor([-0.1, 0.0, 0.1], dtype=torch.float64)
    if not case():
        return _p_hint(answer, torch.tensor([0.96, 0.83, 0.91], dtype=torch.float64) + 2e-10, null)  # ties with 0.9
    below = _p_hint(answer, torch.tensor([0.13, 0.07], dtype=torch.float64) - 2e-10, null[:29])  # ties with 0.1
    middle = torch.full((39, 2), 0.5, dtype=torch.float64)  # twice either tail is more than 1
    middle[:5], middle[-8:] = 0.1, 0.9
    return below or _p_hint(answer, torch.tensor([0.4, 0.6], dtype=torch.float64), middle)


def _p_hint(answer: object, runs: Tensor, null: Tensor) -> str | None:
    mean, means, total = float(runs.mean()), null.mean(1), len(null) + 1
    counts = [int((means >= mean - 1e-9).sum()), int((means <= mean + 1e-9).sum())]
    inside, outside = min(counts), max(counts)
    result = call(answer, runs.clone(), null.clone())
    pooled = min(int((null >= mean - 1e-9).sum()), int((null <= mean + 1e-9).sum()))
    right = min(1.0, 2 * (1 + inside) / total)
    mistakes = [
        (
            (1 + inside) / total,
            "one side only: a concept may also speak *against* a class. Take twice the smaller tail.",
        ),
        (2 * inside / len(null), "the concept counts itself: add 1 to the number and to the total, or p could be 0."),
        (2 * inside / total, "add 1 to the number, too, or p could be 0; or did you leave out a tie? Use >= and <=."),
        (2 * (1 + inside) / len(null), "the total is R + 1: the concept is one of them."),
        (
            2 * (1 + pooled) / (null.numel() + 1),
            "you counted each run for itself; runs share their pictures. First average each concept's runs.",
        ),
        (_t_test(runs, null), "that is a t-test over runs; runs are not independent. Average, then rank."),
        (2 * (1 + outside) / total, "you took the larger tail; take the smaller of the two. And p is at most 1."),
        (2 * (1 + counts[0]) / total, "you took the upper tail; take the smaller of the two."),
        (1.0, "you took the larger tail; take the smaller of the two."),
    ]
    return compare(result, right, mistakes)


def _t_test(runs: Tensor, null: Tensor) -> float:
    with importing():
        from scipy import stats

    return float(stats.ttest_ind(runs.numpy(), null.flatten().numpy()).pvalue)


JUDGES = {"13.1": towards, "13.2": derivative, "13.3": score, "13.4": p_value}
