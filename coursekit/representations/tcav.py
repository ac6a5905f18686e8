"""Is a TCAV score more than that of random pictures? A test that keeps its level, for many concepts and layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit.arguments import check_count, check_vectors
from coursekit.errors import OptionError
from coursekit.figures.tables import text_table
from coursekit.interrupts import importing
from coursekit.representations.concepts import cav
from coursekit.statistics import holm

CHUNK = 256  # linear models that are solved at a time


POOL = 20  # random pictures for each picture of a concept: 4 for counter-examples, 16 for random concepts


class TcavRow(NamedTuple):
    """One concept at one layer; the meaning of each number stands in `tcav_test`."""

    concept: str
    layer: str
    score: float
    random: float
    effect: float
    low: float
    high: float
    p: float
    p_holm: float
    accuracy: float


@dataclass(frozen=True)
class TcavTest:
    """What `tcav_test` found: a row for each concept and layer, and the scores of each run before they are averaged.

    Attributes
    ----------
    rows : list of TcavRow; `test["striped", "block11"]` finds one.
    runs : (concept, layer) -> (M,) scores of the runs.
    null : (layer, P) -> (R, M) scores of the runs of the random concepts of P pictures.
    others : (layer, P) -> (M, P) which of the random pictures were the counter-examples of each run.

    So `tcav_score(gradients[layer], cav(concept, random[layer][others[layer, P][m]]).vector)` is run m.
    """

    rows: list[TcavRow]
    runs: dict[tuple[str, str], Tensor]
    null: dict[tuple[str, int], Tensor]
    others: dict[tuple[str, int], Tensor]

    def __getitem__(self, key: tuple[str, str]) -> TcavRow:
        for row in self.rows:
            if (row.concept, row.layer) == tuple(key):
                return row
        raise OptionError(f"There is no row {key!r}; there are {', '.join(str(row[:2]) for row in self.rows)}.")

    def __repr__(self) -> str:
        draws, runs = next(iter(self.null.values())).shape
        heading = f"TCAV: {len(self.rows)} tests, {draws} random concepts, mean of {runs} runs each; effect [95 %]"
        table = [["concept", "layer", "accuracy", "score", "random", "effect", "p", "p (Holm)"]]
        for row in self.rows:
            numbers = [f"{value:.2f}" for value in (row.accuracy, row.score, row.random)]
            effect = f"{row.effect:+.2f} [{row.low:+.2f}, {row.high:+.2f}]"
            table.append([row.concept, row.layer, *numbers, effect, f"{row.p:.4f}", f"{row.p_holm:.4f}"])
        return text_table(heading, table)


def tcav_test(
    gradients: Mapping[str, Tensor],
    concepts: Mapping[str, Mapping[str, Tensor]],
    random: Mapping[str, Tensor],
    *,
    runs: int = 10,
    draws: int | None = None,
    method: str = "rank",
    seed: int = 0,
) -> TcavTest:
    """Test whether concepts matter more, or less, to a class than random concepts built the same way.

    A concept's M runs (its P pictures against M sets of P random ones) share the P pictures, so they are not
    independent and no test may count them as M observations. Their mean is *one* number, T. R random concepts (P random
    pictures each, against the same M sets) give T_1 … T_R. If the concept is no more than random pictures, T has any
    rank among them, and with #{…} counted over all R + 1

    p = 2 · min(#{T_r ≥ T}, #{T_r ≤ T}) / (R + 1).

    Parameters
    ----------
    gradients : layer -> (N, D), the class's `activation_gradients`.
    concepts : name -> layer -> (P, D), the `activations` of each concept's pictures.
    random : layer -> (Q, D), those of random pictures, Q ≥ 20 P. One fifth gives the counter-examples, the others the
        random concepts: drawn with replacement, so that they scatter as new pictures would.
    runs : M. draws : R; None takes 40 for each test, and at least 100. Fewer could never pass Holm's correction.
    method : "rank", or "t" for t = (T − mean) / (sd · √(1 + 1/R)) with R − 1 degrees of freedom, which needs no more
        than 10 draws but trusts that the T_r are normal. Scores that pile up near 0 and 1 are not; it is blunt there.
    seed : of all random sets. Every concept meets the same ones.

    Returns
    -------
    TcavTest with a row for each concept and layer: `score` T in [0, 1], `random` the mean of T_r, `effect` their
    difference, `low` and `high` between which 95 % of the T − T_r lie (by "t": effect ± t · sd · √(1 + 1/R)), `p`,
    `p_holm` (for all tests together), and the cross-validated `accuracy` of the CAVs, mean of the runs.

    Raises
    ------
    OptionError

    References
    ----------
    Kim et al. 2018, sec. 3.4, propose a t-test over the runs; that one finds far too much, as tests/test_concepts.py
    shows. Phipson & Smyth, *Permutation p-values should never be zero*, 2010; Holm 1979.

    Examples
    --------
    >>> draw = torch.Generator().manual_seed(0)
    >>> noise, towards = torch.randn(400, 4, generator=draw), torch.tensor([3.0, 0.0, 0.0, 0.0])
    >>> striped = {"conv1": torch.randn(20, 4, generator=draw) + towards}
    >>> gradients = {"conv1": torch.randn(50, 4, generator=draw) + towards}
    >>> row = tcav_test(gradients, {"striped": striped}, {"conv1": noise})["striped", "conv1"]
    >>> row.score > 0.9, row.p < 0.05
    (True, True)
    """
    tests = len(concepts) * len(gradients)
    draws = max(100, 40 * tests) if draws is None else draws
    _check_test(gradients, concepts, random, runs, draws, method)
    by_concept, null, others = {}, {}, {}
    rows: list[TcavRow] = []
    for layer, slopes in gradients.items():
        ours = {name: codes[layer] for name, codes in concepts.items()}
        for size in sorted({len(codes) for codes in ours.values()}):
            same = {name: codes for name, codes in ours.items() if len(codes) == size}
            scores, sets = _all_scores(slopes, list(same.values()), random[layer], runs, draws, seed)
            null[layer, size], others[layer, size] = scores[len(same) :], sets
            for (name, codes), row in zip(same.items(), scores, strict=False):
                by_concept[name, layer] = row
                accuracy = np.mean([cav(codes, random[layer][chosen], seed=seed).accuracy for chosen in sets])
                numbers = _compare(row.mean(), null[layer, size].mean(1), method)
                rows.append(TcavRow(name, layer, *numbers, p_holm=1.0, accuracy=float(accuracy)))
    rows = [row._replace(p_holm=p) for row, p in zip(rows, holm([row.p for row in rows]), strict=True)]
    order = {name: i for i, name in enumerate(concepts)}
    return TcavTest(sorted(rows, key=lambda row: order[row.concept]), by_concept, null, others)


def _compare(score: Tensor, null: Tensor, method: str) -> tuple[float, float, float, float, float, float]:
    """Return score, mean of the null, effect, its interval (low, high) and p."""
    with importing():
        from scipy import stats

    draws, effect = len(null), float(score - null.mean())
    if method == "t":
        error = float(null.std()) * (1 + 1 / draws) ** 0.5
        reach = stats.t.ppf(0.975, draws - 1) * error
        low, high = effect - reach, effect + reach
        p = 2 * stats.t.sf(abs(effect) / error, draws - 1) if error > 0 else float(effect == 0)
    else:
        low, high = (score - null.quantile(null.new_tensor([0.975, 0.025]))).tolist()
        # T counts itself. The margin lets equal means of different roundings be ties.
        as_high, as_low = (1 + int((null >= score - 1e-9).sum())), (1 + int((null <= score + 1e-9).sum()))
        p = min(1.0, 2 * min(as_high, as_low) / (draws + 1))
    return float(score), float(null.mean()), effect, low, high, float(p)


def _all_scores(
    gradients: Tensor, concepts: list[Tensor], random: Tensor, runs: int, draws: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return the TCAV scores (concepts + draws, runs), and the runs' counter-examples (runs, P): rows of `random`.

    A ridge classifier needs no more than the inner products of its examples, and g · v no more than those with the
    gradients. Both are computed once, for all pictures; each linear model then is a system of 2 P equations.
    """
    size, generator = len(concepts[0]), torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(random), generator=generator)
    kept, given = shuffled[: len(random) // 5], shuffled[len(random) // 5 :]
    others = torch.stack([kept[torch.randperm(len(kept), generator=generator)[:size]] for _ in range(runs)])
    drawn = given[torch.randint(len(given), (draws, size), generator=generator)]
    known = len(random) + torch.arange(len(concepts) * size).view(-1, size)
    positives = torch.cat([known, drawn])

    points = torch.cat([random, *concepts])
    points = points - points.mean(0)  # smaller numbers lose fewer digits
    inner, slopes = (points @ points.T).cpu().double(), (gradients.to(points) @ points.T).cpu().double()
    pairs = torch.cat([positives[:, None].expand(-1, runs, -1), others.expand(len(positives), -1, -1)], 2).flatten(0, 1)
    scores = torch.cat([_ridge_scores(inner, slopes, rows) for rows in pairs.split(CHUNK)])
    return scores.view(len(positives), runs), others


def _ridge_scores(inner: Tensor, slopes: Tensor, rows: Tensor) -> Tensor:
    """Return the TCAV scores (B,) of B ridge classifiers, as in `cav`.

    The first half of each of the `rows` (B, 2P) is the concept. With K the centred inner products and y = ±1 the
    classifier is w = Σ_i α_i x_i, (K + λ) α = y, where λ is the mean of K's diagonal, the examples' total variance.
    """
    count = rows.shape[1]
    kernel = inner[rows[:, :, None], rows[:, None, :]]
    kernel = kernel - kernel.mean(1, keepdim=True)
    kernel = kernel - kernel.mean(2, keepdim=True)
    penalty = kernel.diagonal(dim1=1, dim2=2).mean(1)
    labels = torch.ones(count, 1, dtype=inner.dtype)
    labels[count // 2 :] = -1
    identity = torch.eye(count, dtype=inner.dtype)
    weights = torch.linalg.solve(kernel + penalty[:, None, None] * identity, labels.expand(len(rows), -1, -1))
    derivatives = (slopes[:, rows].transpose(0, 1) @ weights).squeeze(2)
    return derivatives.sign().mean(1) / 2 + 0.5


def _check_test(gradients: Mapping, concepts: Mapping, random: Mapping, runs: int, draws: int, method: str) -> None:
    if method not in ("rank", "t"):
        raise OptionError(f"method is 'rank' or 't', but got {method!r}.")
    check_count("runs", runs)
    check_count("draws", draws, least=10)
    if not gradients or not concepts:
        raise OptionError("There is nothing to test: give gradients of at least one layer and at least one concept.")
    tests = len(gradients) * len(concepts)
    if method == "rank" and draws < 40 * tests:
        raise OptionError(
            f"With {draws} random concepts no p-value is below 2/{draws + 1}, but Holm's correction of {tests} tests "
            f"asks for 0.05/{tests}; take draws={40 * tests} or more, or fewer concepts and layers."
        )
    for layer, slopes in gradients.items():
        for name, codes in {**concepts, "the random pictures": random}.items():
            if layer not in codes:
                raise OptionError(f"There are no activations of {name} at layer {layer!r}; compute them there too.")
        sets = {name: codes[layer] for name, codes in concepts.items()}
        check_vectors({"the random pictures": random[layer], **sets})
        check_vectors({"the class (gradients)": slopes, "the random pictures": random[layer]}, least=1)
        largest = max(map(len, sets.values()))
        if len(random[layer]) < POOL * largest:
            raise OptionError(
                f"A concept of {largest} pictures needs {POOL * largest} random ones, but there are "
                f"{len(random[layer])}; random concepts from fewer would share too many pictures."
            )
