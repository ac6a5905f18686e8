"""Score all methods but RISE on composed scenes, once and for all: data/scoreboard/NETWORK.json.

    python training/scoreboard.py                            # both networks, about 20 minutes each on two cores
    python training/scoreboard.py coursenet --scenes 4       # a quick look, printed but not stored

Localisation is measured on 200 scenes, deletion and insertion on the first 40 of them. The numbers are saved after each
method under build/scoreboard/, so that a run that was cut off goes on where it stopped; a finished board is stored.
RISE stays out: its 500 masks for each of 200 scenes are 100,000 passes through the network.
"""

import argparse

import coursekit as ck
from assets import ROOT, publish_table

NETWORKS = ("efficientnet_lite0", "coursenet")
SCENES, CURVE_SCENES, STEPS, SEED = 200, 40, 16, 6


def measure(network: str, count: int, curve_scenes: int, keep: bool) -> ck.Scoreboard:
    """Score all methods but RISE on `count` scenes of objects that an ImageNet network knows."""
    model = ck.load_model(network)
    scenes = ck.scenes(count, objects=list(ck.cutouts("core")), seed=SEED, size=model.input_size)
    path = ROOT / "build/scoreboard" / f"{network}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path if keep else None
    methods = {name: method for name, method in ck.all_methods().items() if name != "rise"}
    return ck.scoreboard(model, methods, scenes, curve_scenes=curve_scenes, steps=STEPS, path=path)


def store(board: ck.Scoreboard) -> None:
    """Write a finished board under data/ and enter it in the manifest."""
    origin = f"scores of {len(board.rows)} methods on {len(board.objects)} composed scenes"
    publish_table(board, "scoreboard", "training/scoreboard.py", origin)


def main() -> None:
    """Measure each network that was asked for, print its table, store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--scenes", type=int, help="so many scenes instead, and store nothing")
    options = parser.parse_args()
    ck.setup(seed=0)
    for network in options.networks:
        if options.scenes is not None:
            print(measure(network, options.scenes, min(options.scenes, CURVE_SCENES), keep=False))
            continue
        board = measure(network, SCENES, CURVE_SCENES, keep=True)
        store(board)
        print(board)


if __name__ == "__main__":
    main()
