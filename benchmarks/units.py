"""Do the sentences of lab 15 hold with other seeds? Replays its cells ten times and prints the numbers.

    python benchmarks/units.py                 # all; about 15 minutes on one core
    python benchmarks/units.py circuit votes   # some of them

Each line is one seed: of the draws of the controls, of the scenes, of the rotations, or of the start of the dictionary.
"""

from functools import partial

from replaying import Names, Parts, ten_seeds
from replaying import replay as replay_of

LESSON = "15_units_and_circuits"
replay = partial(replay_of, LESSON)


def circuit(names: Names, seed: int) -> str:
    changes = {
        "(sums, vertical)": f"(sums, vertical, seed={seed})",
        "(sums, horizontal)": f"(sums, horizontal, seed={seed})",
    }
    replay(names, "circuit-cut", **changes, **{"manual_seed(0)": f"manual_seed({seed})"})
    cap, cup = list(names["to_cap"].values()), list(names["to_cup"].values())
    within = cup[3].min() <= cup[1][0] <= cup[3].max()
    return (
        f"∪ without vertical inhibitors {cup[1][0]:.2f}, without others {cup[3].min():.2f} to {cup[3].max():.2f}: "
        f"within {bool(within)}; random inputs {cup[2].mean():.2f} ({cup[2].min():.2f} to {cup[2].max():.2f}); "
        f"∩ without horizontal exciters {cap[4][0]:.2f}, without others from {cap[5].min():.2f}"
    )


def axes(names: Names, seed: int) -> str:
    replay(names, "dissect", **{"range(5)": f"range({5 * seed}, {5 * seed + 5})"})
    counts = [len(set(i.argmax(1)[i.amax(1) > names["natural"].chance].tolist())) for i in names["mixed"]]
    tens = names["by_rank"][:, :10].mean(1)
    mine = len(set(names["natural"].names().values()))
    return (
        f"concepts with a detector {mine}, rotations {counts}; ten best {tens[0]:.3f}, rotations {tens[1:].max():.3f}"
    )


def votes(names: Names, seed: int) -> str:
    change = {
        'seed=1, background="plain"': f'seed={seed}, background="plain"',
        "manual_seed(s)": f"manual_seed({10 * seed} + s)",
    }
    replay(names, "poly-run", **change)
    shares = (names["mixed_share"], names["families_share"])
    return "; ".join(" ".join(f"{k} {min(v):.3f} to {max(v):.3f}" for k, v in share.items()) for share in shares)


def dictionary(names: Names, seed: int) -> str:
    replay(names, "sparse-run", "pure-run", **{"steps=300, progress": f"steps=300, seed={seed}, progress"})
    return "; ".join(
        f"{name} IoU {max(names['held'][name]):.3f} similarity {max(names['pure'][name]):.3f}" for name in names["held"]
    )


def assembled(names: Names, seed: int) -> str:
    replay(names, "assembled-run", **{"for seed in (2, 3)": f"for seed in ({seed}, {seed + 1})"})
    replay(names, "assembled-inputs", "assembled-cut")
    k, cut = names["assembled"], list(names["by_cut"].values())
    up, across = (loss[k] for loss in names["loss_by_flip"].values())
    return (
        f"channel {k}, score {names['arrangement'][k]:.1f} (chance {names['best_by_chance'].quantile(0.95):.1f}); "
        f"upside down {up:.2f}, left to right {across:.2f}; "
        f"cut {cut[1][0]:.2f}, controls {min(cut[2]):.2f} to {max(cut[2]):.2f}"
    )


GROUND = ["setup", "readable"]
PARTS: Parts = {
    "circuit": ([*GROUND, "same", "arcs-claim", "bars-measure", "circuit"], circuit),
    "axes": ([*GROUND, "dissect-code", "dissect-same"], axes),
    "votes": (GROUND, votes),
    "dictionary": (
        [*GROUND, "semantic", "dissect-code", "dissect-same", "dissect", "poly-run", "sparse-code"],
        dictionary,
    ),
    "assembled": ([*GROUND, "poly-run"], assembled),
}


if __name__ == "__main__":
    ten_seeds(LESSON, PARTS, __doc__)
