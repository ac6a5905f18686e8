"""Is a TCAV score more than that of random pictures? A test that keeps its level, for many concepts and layers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from coursekit.arguments import check_count, check_vectors
from coursekit.errors import OptionError
from coursekit.figures.tables import text_table
from coursekit.representations.concepts import cav
from coursekit.statistics import holm

CHUNK = 256  # linear models that are solved at a time
POOL = 20  # random pictures for each picture of a concept: fewer would make the random concepts too much alike
PAIRS = 25  # pairs of random sets whose accuracy says what chance is


@dataclass(frozen=True)
class TcavRow:
    """One concept at one layer; the meaning of each number stands in `tcav_test`."""

    concept: str
    layer: str
    n: int
    score: float
    random: float
    effect: float
    low: float
    high: float
    p: float
    p_holm: float
    accuracy: float
    chance: tuple[float, float]

    def __repr__(self) -> str:
        return (
            f"{self.concept} at {self.layer}: score {self.score:.2f} of {self.n} images (random {self.random:.2f}), "
            f"p = {self.p:.4f}, Holm {self.p_holm:.4f}; "
            f"CAV accuracy {self.accuracy:.2f} (random {self.chance[0]:.2f} to {self.chance[1]:.2f})"
        )


@dataclass(frozen=True)
class TcavTest:
    """What `tcav_test` found: a row for each concept and layer, and the scores of each run before they are averaged.

    Attributes
    ----------
    rows : list of TcavRow; `test["striped", "block11"]` finds one.
    runs : (concept, layer) -> (M,) scores of the runs. They share the concept's pictures: their spread is no interval.
    null : (layer, P) -> (R, M) scores of the runs of the random concepts of P pictures.
    others : (layer, P) -> (M, P) which of the random pictures were the counter-examples of each run of a concept.
    chance : (layer, P) -> (25,) accuracies of CAVs that tell P random pictures from P others.

    So `tcav_score(gradients[layer], cav(concept, random[layer][others[layer, P][m]]).vector)` is run m.
    """

    rows: list[TcavRow]
    runs: dict[tuple[str, str], Tensor]
    null: dict[tuple[str, int], Tensor]
    others: dict[tuple[str, int], Tensor]
    chance: dict[tuple[str, int], Tensor]

    def __getitem__(self, key: tuple[str, str]) -> TcavRow:
        for row in self.rows:
            if (row.concept, row.layer) == tuple(key):
                return row
        known = ", ".join(str((row.concept, row.layer)) for row in self.rows)
        raise OptionError(f"There is no row {key!r}; there are {known}.")

    def __repr__(self) -> str:
        draws, runs = next(iter(self.null.values())).shape
        n = " or ".join(map(str, sorted({row.n for row in self.rows})))
        heading = f"TCAV: {len(self.rows)} tests, n = {n} images of the class, {draws} random concepts of {runs} runs"
        table = [["concept", "layer", "accuracy", "by chance", "score", "random", "effect [95 %]", "p", "p (Holm)"]]
        for row in self.rows:
            chance = "{:.2f} to {:.2f}".format(*row.chance)
            effect = f"{row.effect:+.2f} [{row.low:+.2f}, {row.high:+.2f}]"
            numbers = [f"{row.accuracy:.2f}", chance, f"{row.score:.2f}", f"{row.random:.2f}", effect]
            table.append([row.concept, row.layer, *numbers, f"{row.p:.4f}", f"{row.p_holm:.4f}"])
        return text_table(heading, table)


def tcav_test(
    gradients: Mapping[str, Tensor],
    concepts: Mapping[str, Mapping[str, Tensor]],
    random: Mapping[str, Tensor],
    *,
    runs: int = 10,
    draws: int | None = None,
    seed: int = 0,
) -> TcavTest:
    """Test whether concepts matter more, or less, to a class than random concepts built the same way.

    A concept's M runs (its P pictures against M sets of P random ones) share the P pictures, so they are not
    independent and no test may count them as M observations. Their mean is *one* number, T. R random concepts (P
    random pictures each, against M sets of their own) give T_1 … T_R. If the concept is no more than random pictures, T
    has any rank among them, and with #{…} counted over all R + 1

    p = 2 · min(#{T_r ≥ T}, #{T_r ≤ T}) / (R + 1).

    Each run of each random concept draws its counter-examples anew from the random pictures that the concept leaves. So
    either set could be the concept, and the T_r lie about ½ for every seed. Counter-examples that all shared would
    shift all T_r alike, by the chance of one draw.

    Parameters
    ----------
    gradients : layer -> (N, D), the class's `activation_gradients`.
    concepts : name -> layer -> (P, D), the `activations` of each concept's pictures.
    random : layer -> (Q, D), those of random pictures, Q ≥ 20 P.
    runs : M. draws : R; None takes 40 for each test, and at least 100. Fewer could never pass Holm's correction.
    seed : of all random sets. The concepts' own runs all meet the same M sets, so that no concept changes with what is
        tested beside it.

    Returns
    -------
    TcavTest with a row for each concept and layer: `n` the class's images N, `score` T in [0, 1], `random` the mean of
    T_r, `effect` their difference, `low` and `high` between which 95 % of the T − T_r lie, `p`, `p_holm` (for all tests
    together), the cross-validated `accuracy` of the CAVs, mean of the runs, and `chance`, between which 95 % of the
    accuracies of random pictures against others lie.

    Raises
    ------
    OptionError

    References
    ----------
    Kim et al. 2018, sec. 3.4, propose a t-test over the runs; that one finds far too much, as
    tests/representations/test_tcav.py shows. Phipson & Smyth, *Permutation p-values should never be zero*, 2010; Holm
    1979.

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
    _check_test(gradients, concepts, random, runs, draws)
    by_concept, null, others, chance = {}, {}, {}, {}
    rows: list[TcavRow] = []
    for layer, slopes in gradients.items():
        ours = {name: codes[layer] for name, codes in concepts.items()}
        for size in sorted({len(codes) for codes in ours.values()}):
            same = {name: codes for name, codes in ours.items() if len(codes) == size}
            scores, sets = _all_scores(slopes, list(same.values()), random[layer], runs, draws, seed)
            null[layer, size], others[layer, size] = scores[len(same) :], sets
            chance[layer, size] = _chance(random[layer], size, seed)
            low, high = chance[layer, size].quantile(torch.tensor([0.025, 0.975])).tolist()
            for (name, codes), row in zip(same.items(), scores, strict=False):
                by_concept[name, layer] = row
                accuracy = np.mean([cav(codes, random[layer][chosen], seed=seed).accuracy for chosen in sets])
                numbers = _compare(row.mean(), null[layer, size].mean(1))
                rows.append(TcavRow(name, layer, len(slopes), *numbers, 1.0, float(accuracy), (low, high)))
    rows = [replace(row, p_holm=p) for row, p in zip(rows, holm([row.p for row in rows]), strict=True)]
    order = {name: i for i, name in enumerate(concepts)}
    return TcavTest(sorted(rows, key=lambda row: order[row.concept]), by_concept, null, others, chance)


def _compare(score: Tensor, null: Tensor) -> tuple[float, float, float, float, float, float]:
    """Return score, mean of the null, effect, its interval (low, high) and p."""
    low, high = (score - null.quantile(null.new_tensor([0.975, 0.025]))).tolist()
    # T counts itself. The margin lets equal means of different roundings be ties.
    as_high, as_low = (1 + int((null >= score - 1e-9).sum())), (1 + int((null <= score + 1e-9).sum()))
    p = min(1.0, 2 * min(as_high, as_low) / (len(null) + 1))
    return float(score), float(null.mean()), float(score - null.mean()), low, high, p


def _chance(random: Tensor, size: int, seed: int) -> Tensor:
    """Return how well CAVs tell `size` random pictures from as many others, for 25 pairs of sets."""
    generator = torch.Generator().manual_seed(seed)
    pairs = [torch.randperm(len(random), generator=generator)[: 2 * size].split(size) for _ in range(PAIRS)]
    return torch.tensor([cav(random[one], random[other], seed=seed).accuracy for one, other in pairs])


def _all_scores(
    gradients: Tensor, concepts: list[Tensor], random: Tensor, runs: int, draws: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return the TCAV scores (concepts + draws, runs), and the concepts' counter-examples (runs, P): rows of `random`.

    A ridge classifier needs no more than the inner products of its examples, and g · v no more than those with the
    gradients. Both are computed once, for all pictures; each linear model then is a system of 2 P equations.
    """
    size, generator = len(concepts[0]), torch.Generator().manual_seed(seed)

    def drawn(rows: Tensor) -> Tensor:
        """Draw `runs` times `size` of these rows: (runs, size)."""
        return torch.stack([rows[torch.randperm(len(rows), generator=generator)[:size]] for _ in range(runs)])

    others = drawn(torch.arange(len(random)))
    known = len(random) + torch.arange(len(concepts) * size).view(-1, size)
    pairs = [torch.cat([concept.expand(runs, -1), others], 1) for concept in known]
    for _ in range(draws):
        positives, rest = torch.randperm(len(random), generator=generator).tensor_split([size])
        pairs.append(torch.cat([positives.expand(runs, -1), drawn(rest)], 1))

    points = torch.cat([random, *concepts])
    points = points - points.mean(0)  # smaller numbers lose fewer digits
    inner, slopes = (points @ points.T).cpu().double(), (gradients.to(points) @ points.T).cpu().double()
    scores = torch.cat([_ridge_scores(inner, slopes, rows) for rows in torch.cat(pairs).split(CHUNK)])
    return scores.view(len(pairs), runs), others


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


def _check_test(gradients: Mapping, concepts: Mapping, random: Mapping, runs: int, draws: int) -> None:
    check_count("runs", runs)
    check_count("draws", draws)
    tests = len(gradients) * len(concepts)
    if draws < 40 * tests:
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
        if not (random[layer] != random[layer][0]).any():
            raise OptionError(f"All random pictures have the same activations at {layer!r}: is the layer dead?")
        check_vectors({"the class (gradients)": slopes, "the random pictures": random[layer]}, least=1)
        largest = max(map(len, sets.values()))
        if len(random[layer]) < POOL * largest:
            raise OptionError(
                f"A concept of {largest} pictures needs {POOL * largest} random ones, but there are "
                f"{len(random[layer])}; random concepts from fewer would share too many pictures."
            )
