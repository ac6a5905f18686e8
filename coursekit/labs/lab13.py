"""Lab 13, TCAV: scores among those of random concepts, and the checks of its exercises."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, grid_of_panels, styled
from coursekit.figures.lettering import words, wrapped
from coursekit.interrupts import importing
from coursekit.labs.checking import call, case, compare, varied
from coursekit.statistics import holm

TONES = {"red": "#CC3311", "yellow": "#C9A400", "green": "#009E73", "blue": "#0072B2", "purple": "#882288"}


@styled
def show_nulls(
    panels: Mapping[str, tuple[Tensor, Mapping[str, float]]], *, columns: int = 3, alt: str | None = None
) -> Picture:
    """Draw how the TCAV scores of random concepts are distributed, with the score of each tested concept as a line.

    At each panel stand the scores and p = 2 min(#{T_r ≥ T}, #{T_r ≤ T}) / (R + 1), with Holm's correction for all
    lines of the figure. A line is solid where p is below 0.05, and dashed elsewhere; grey ground: 95 % of the random
    concepts.

    Parameters
    ----------
    panels : title -> the scores (R,) of random concepts, and concept -> score, all in [0, 1].
    columns : panels in a row.

    Raises OptionError.

    >>> show_nulls({"block14": (torch.rand(99), {"striped": 0.8, "dotted": 0.3})})
    <Picture ... × ...>
    """
    lines = [(title, name, score) for title, (_, scores) in panels.items() for name, score in scores.items()]
    if not lines or not all(0 <= score <= 1 for *_, score in lines):
        raise OptionError("show_nulls needs at least one score, and each from 0 to 1.")
    nulls = {title: check_shape(f"The scores of {title!r}", null, "R").cpu() for title, (null, _) in panels.items()}
    p = dict(zip([line[:2] for line in lines], holm([_rank(s, nulls[title]) for title, _, s in lines]), strict=True))
    names = list(dict.fromkeys(name for _, name, _ in lines))
    tallest = max(len(scores) for _, scores in panels.values())

    def size(rows: int, columns: int) -> tuple[float, float]:
        return WIDTH * (0.2 + 0.8 * columns / 3 if columns < 3 else 1) * 0.75 ** (columns == 1), rows * (
            1.6 + 0.22 * tallest
        ) + 0.6

    figure, axes = grid_of_panels(len(panels), columns, size, sharex=True)
    for ax, (title, (_, scores)) in zip(axes, panels.items(), strict=True):
        null = nulls[title]
        ax.hist(null.tolist(), bins=25, range=(0, 1), color="#999999")
        ax.axvspan(*null.quantile(null.new_tensor([0.025, 0.975])).tolist(), color="#999999", alpha=0.2, lw=0)
        for name, score in scores.items():
            found = p[title, name]
            label = f"{words(name)} {score:.2f}, p = {found:.{3 if found < 0.1 else 2}f}"
            colour = TONES.get(name) or COLOURS[(5, 0, 2, 3, 1, 4)[names.index(name) % 6]]
            ax.axvline(score, ls="-" if found < 0.05 else (0, (4, 1.5)), color=colour, lw=2.2, label=label)
        ax.set(title=title, xlim=(-0.02, 1.02), yticks=[])
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.tick_params(labelbottom=True)
        ax.spines["left"].set_visible(False)
        if tallest == 1:
            ax.set_title("\n".join([title, *str(ax.lines[0].get_label()).split(", ")]), fontsize=10)
        else:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=10, handlelength=1.6, borderaxespad=0)
    tests = f"{len(lines)} tests" if len(lines) > 1 else "one test"
    below = f"TCAV score; grey: random concepts, light: 95 % of them; p after Holm's correction of {tests}"
    figure.supxlabel(wrapped(below, figure.get_figwidth(), 11), fontsize=11)
    return Picture(figure, alt)


def _rank(score: float, null: Tensor) -> float:
    tail = min(int((null >= score - 1e-9).sum()), int((null <= score + 1e-9).sum()))
    return min(1.0, 2 * (1 + tail) / (len(null) + 1))


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


def total_index(answer: object) -> str | None:
    """13.5: S_k = mean((f(A) - f(A_k))²) / (2 Var), Var over f(A) and f(B) together."""
    a, b = _normal(8, seed=8), 2 * _normal(8, seed=9) + 1
    mixed = torch.stack([a, a + 0.3 * _normal(8, seed=10), _normal(8, seed=11)])
    if case():  # other numbers, larger, and few
        a, b, mixed = 5 * a[:5] - 9, 5 * b[:5], 5 * mixed[:2, :5] + 4
    both, gap = torch.cat([a, b]), a - mixed
    squares, variance = gap.square().mean(1), both.var(correction=0)
    result = call(answer, a.clone(), b.clone(), mixed.clone())
    mistakes = [
        (squares / variance, "the factor 2 is missing: two independent values differ by twice the variance."),
        (squares / (2 * both.var()), "divide by the number of values, not by one less: var(correction=0)."),
        (squares / (2 * both.std(correction=0)), "divide by the variance, not by its root."),
        (squares / (2 * a.var(correction=0)), "the variance is that of all values, f(A) and f(B) together."),
        (squares / (2 * b.var(correction=0)), "the variance is that of all values, f(A) and f(B) together."),
        (squares / 2, "divide by the variance of the values: an index is a share of it."),
        (gap.square().sum(1) / (2 * variance), "take the mean over the points, not the sum."),
        (gap.mean(1).square() / (2 * variance), "square first, then take the mean; else + and - cancel."),
        (gap.abs().mean(1) / (2 * variance), "square the differences."),
        ((b - mixed).square().mean(1) / (2 * variance), "compare f(A_k) with f(A), which differs from it in input k."),
        (squares.mean() / (2 * variance), "each input has its own index: the mean is over the points, dim 1."),
    ]
    return compare(result, squares / (2 * variance), mistakes)


def lost(answer: object) -> str | None:
    """13.6: accuracy with the word minus accuracy without it, mean over the classes, with its sign."""
    labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    read, bare = (torch.tensor(v) for v in ([0, 0, 0, 0, 1, 0, 1, 1, 2, 0, 0], [0, 2, 2, 0, 1, 1, 1, 0, 2, 1, 2]))
    if case():  # this network is better without words
        labels, read, bare = labels[:8], bare[:8], torch.tensor([0, 0, 0, 0, 0, 2, 1, 1])
    result = call(answer, read.clone(), bare.clone(), labels.clone())
    with_word, without = (
        torch.stack([(said == labels)[labels == k].double().mean() for k in labels.unique()]) for said in (read, bare)
    )
    gap, plain = with_word - without, (read == labels).double().mean() - (bare == labels).double().mean()
    mistakes = [
        (-gap.mean(), "the sign is the other way round: with the word minus without it."),
        (gap.mean().clamp(min=0), "a network may also gain: do not cut at 0."),
        (gap.clamp(min=0).mean(), "a class may also gain: do not cut at 0."),
        (gap.abs().mean(), "a network may also gain: keep the sign."),
        (plain, "that is over all pictures; take each class's accuracy, then the mean over the classes."),
        (plain.abs(), "a network may also gain: keep the sign. And take the mean over the classes."),
        (gap, "that is one number for each class; return their mean."),
        (gap.sum(), "that is the sum over the classes; return their mean."),
        (with_word.mean(), "that is the accuracy with the word; subtract that without it."),
        (without.mean(), "that is the accuracy without the word; subtract it from that with it."),
        (gap.mean() / with_word.mean(), "return the difference itself, not as a share of the accuracy."),
        ((read != bare).double().mean(), "that counts answers that change; some of them were wrong before."),
    ]
    return compare(result, gap.mean(), mistakes)


def fewest(answer: object) -> str | None:
    """13.7: the smallest s whose prediction has R² of at least `enough`."""
    full, enough = 2 * _normal(9, seed=12) + 5, 0.7
    # How much of the spread is missed by each row. It is enough in row 3, too little again in rows 4 and 5.
    missed = [3, 1.1, 1.05, 0.25, 0.5, 0.6, 0.2, 0.06, 0.02, 0.03, 0.1]
    if case():
        full, enough, missed = -full[:7], 0.9, [2, 1.05, 0.08, 0.4, 0.05]
    away = _normal(len(missed), len(full), seed=13)
    away[1] = 1  # right but for a shift, which a correlation does not see
    sizes = torch.tensor(missed, dtype=torch.float64).sqrt()[:, None] * (full - full.mean()).norm()
    kept = full + sizes * away / away.norm(dim=1, keepdim=True)
    r2 = 1 - (kept - full).square().sum(1) / (full - full.mean()).square().sum()
    far = 1 - (kept - full).square().sum(1) / full.square().sum()
    alike = torch.stack([torch.corrcoef(torch.stack([row, full]))[0, 1] for row in kept])

    def first(good: Tensor) -> int:
        return int(good.int().argmax())

    right = first(r2 >= enough)
    result = call(answer, full.clone(), kept.clone(), enough)
    mistakes = [
        (first(far >= enough), "compare with the mean of `full`: always saying the mean is no explanation."),
        (
            first(alike.square() >= enough),
            "a correlation does not see a shift; completeness is 1 minus error over spread.",
        ),
        (right + 1, "row 0 keeps no concept: the number of the row is the number of concepts."),
        (right - 1, "that one is not complete enough yet."),
        (int((r2 >= enough).sum()), "that is how many of them are complete enough; which is the first?"),
        (int(r2.argmax()), "that is the most complete; the *fewest* concepts that are enough are asked for."),
        (int((r2 >= enough).nonzero().max()), "that is the last one that is complete enough; take the first."),
    ]
    return compare(result, torch.tensor(right), mistakes)


JUDGES = {
    "13.1": towards,
    "13.2": derivative,
    "13.3": score,
    "13.4": p_value,
    "13.5": total_index,
    "13.6": lost,
    "13.7": fewest,
}
