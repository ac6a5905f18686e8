"""Do the sentences of lab 13 hold with other seeds? Replays its cells ten times and prints the numbers.

    python benchmarks/tcav.py                # all; about half an hour on one core
    python benchmarks/tcav.py level classes  # some of them

Each line is one seed: of the random concepts, of the scenes and the factorisation, or of a thousand simulated tests.
"""

from functools import partial
from typing import Any

import torch
from replaying import Names, Parts, ten_seeds
from replaying import cells as cells_of
from replaying import replay as replay_of
from scipy import stats

from coursekit.representations import tcav

LESSON = "13_tcav"
replay = partial(replay_of, LESSON)


def level(names: Names, seed: int) -> str:
    """False alarms at 5 % in 1000 experiments, in each of which the concept is random pictures, too."""

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=lots, dtype=torch.float64)

    lots, ours, theirs = torch.Generator().manual_seed(seed), 0, 0
    for i in range(1000):
        gradients, pictures = normal(5) + normal(40, 5), normal(5 * (1 + tcav.POOL), 5)
        scores, _ = tcav._all_scores(gradients, [pictures[:5]], pictures[5:], 5, 100, 1000 * seed + i)
        ours += tcav._compare(scores[0].mean(), scores[1:].mean(1))[-1] <= 0.05
        theirs += stats.ttest_ind(scores[0].numpy(), scores[1:6].diagonal().numpy()).pvalue <= 0.05
    return f"rank test {ours / 1000:.3f}, t-test over runs {theirs / 1000:.3f}"


def told(test: Any) -> str:
    """The means of the nulls, and the scores and p of the rows."""
    means = ", ".join(f"{layer} {scores.mean():.3f}" for (layer, _), scores in test.null.items())
    rows = "; ".join(f"{r.concept} {r.layer} {r.score:.2f} p {r.p:.4f} Holm {r.p_holm:.3f}" for r in test.rows)
    return f"null {means}; {rows}"


def patterns(names: Names, seed: int) -> str:
    replay(names, "test", **{"random_codes)": f"random_codes, seed={seed})"})
    return told(names["result"])


def swap(names: Names, seed: int) -> str:
    replay(names, "swap", **{"draws=1000": f"draws=1000, seed={seed}"})
    return told(names["other"])


def classes(names: Names, seed: int) -> str:
    replay(names, "classes", **{"draws=700": f"draws=700, seed={seed}"})
    return told(names["by_class"])


def rather(names: Names, seed: int) -> str:
    replay(names, "relative-test", **{"manual_seed(0)": f"manual_seed({seed})"})
    return f"score {names['rather']:.2f}, p {min(1, 2 * names['tail'] / 101):.3f}"


def colours(names: Names, seed: int) -> str:
    replay(names, "colour", **{"draws=320": f"draws=320, seed={seed}"})
    return "; ".join(f"{name}: {told(test)}" for name, test in names["coloured"].items())


def captions(names: Names, seed: int) -> str:
    replay(names, "captions-test", **{"seed=k)": f"seed={3 * seed} + k)"})
    lines = []
    for noise, (null, found) in names["scored"].items():
        for concept, score in found.items():
            p = tcav._compare(torch.tensor(score).to(null), null)[-1]
            lines.append(f"{noise} {concept} {score:.2f} p {p:.4f}")
    return "; ".join(lines)


def discovered(names: Names, seed: int) -> str:
    changes = {"seed=0)": f"seed={seed})", "count=K)": f"count=K, seed={seed})"}
    replay(names, "craft", **changes)
    replay(names, "craft-claim")
    ids = {"seed=100)": f"seed={100 + seed})", "draws=40)": f"draws=40, seed={seed})"}
    deletion = cells_of(LESSON)["craft-delete"].split("lines, ends")[0]
    for old, new in ids.items():
        deletion = deletion.replace(old, new)
    exec(compile(deletion, str(LESSON), "exec"), names)
    return "; ".join(
        f"{name}: importance {found.importance[0]:.2f}, lost with concept 1 "
        f"{names['deleted'][name].curve[0] - names['deleted'][name].curve[1]:+.2f}, "
        f"controls {(names['deleted'][name].curve[0] - names['deleted'][name].controls[:, 1].mean()):+.2f}, "
        f"p of all {names['deleted'][name].p:.3f}"
        for name, found in names["discovered"].items()
    )


GROUND = ["setup", "pictures", "cache", "my-score", "same-score"]
PARTS: Parts = {
    "level": ([], level),
    "patterns": (GROUND, patterns),
    "swap": (GROUND, swap),
    "classes": ([*GROUND, "swap"], classes),
    "rather": (GROUND, rather),
    "colours": (GROUND, colours),
    "captions": (["setup", "captions", "truth"], captions),
    "discovered": (["setup"], discovered),
}


if __name__ == "__main__":
    ten_seeds(LESSON, PARTS, __doc__)
