"""Put all methods but RISE and the three baselines through the randomisation test: data/sanity/NETWORK.json.

    python training/sanity_sweep.py                          # both networks, about 20 minutes on one core
    python training/sanity_sweep.py coursenet --scenes 1     # a quick look, printed but not stored

Cascading randomisation over all layers, read at some of them (LAYERS). The scenes show the first objects of the
scoreboard, twenty in all, each explained for its true class. The numbers are saved after each method and random network
under build/sanity/, one random network after the other and the quick methods first, so that a run that was cut off goes
on where it stopped. A finished test is stored, with the processor time that it took.
"""

import argparse
from collections.abc import Callable, Sequence

from torch import Tensor

import coursekit as ck
from assets import ROOT, publish_table
from coursekit.attribution.reference import BASELINES
from coursekit.probe.targets import Target

NETWORKS = ("coursenet", "efficientnet_lite0")
SCENES = 20  # of one distinct object each
SEEDS = {"coursenet": (1, 2), "efficientnet_lite0": (0, 1)}  # the random networks
LAYERS = {
    "coursenet": ("fc8", "fc6", "conv5", "conv3", "conv1"),
    "efficientnet_lite0": ("fc", "block15", "block11", "block6", "block2", "conv1"),
}
SEED = 6  # of the scenes, as in scoreboard.py
SLOW = ("smoothgrad", "integrated_gradients", "occlusion")


def sweep_methods() -> dict[str, Callable[..., Tensor]]:
    """Return all methods with fewer passes where they take many, and the three baselines.

    Each scene needs a map for each layer of each random network. So SmoothGrad takes 10 samples, integrated gradients
    10 steps, and occlusion's windows lie side by side. RISE, with its 500 masks, stays out.
    """

    def occlusion(model: ck.Model, images: Tensor, target: Target) -> Tensor:
        window = images.shape[-1] // 7
        return ck.occlusion(model, images, target, window=window, stride=window)

    every = {name: method for name, method in ck.all_methods().items() if name != "rise"}
    return {
        **every,
        "smoothgrad": lambda model, images, target: ck.smoothgrad(model, images, target, samples=10),
        "integrated_gradients": lambda model, images, target: ck.integrated_gradients(model, images, target, steps=10),
        "occlusion": occlusion,
        **BASELINES,
    }


def measure(network: str, count: int, seeds: Sequence[int], keep: bool) -> ck.RandomisationTest:
    """Run the test on `count` scenes of objects that an ImageNet network knows."""
    model = ck.load_model(network)
    scenes = ck.scenes(count, objects=list(ck.cutouts("core")), seed=SEED, size=model.input_size)
    path = ROOT / "build/sanity" / f"{network}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    methods = sweep_methods()
    quick = {name: method for name, method in methods.items() if name not in SLOW}
    rounds = [(some, seeds[: n + 1]) for n in range(len(seeds)) for some in (quick, methods)] if keep else []
    for some, drawn in rounds or [(methods, seeds[:1])]:
        test = ck.randomisation_test(
            model,
            some,
            scenes.images,
            scenes.targets,
            objects=scenes.objects,
            seeds=drawn,
            layers=LAYERS[network],
            path=path if keep else None,
        )
    return test


def store(test: ck.RandomisationTest) -> None:
    """Write a finished test under data/ and enter it in the manifest."""
    maps = len(test.layers) * len(test.seeds) * len(test.objects)
    origin = f"cascading randomisation: {maps} maps of each of {len(test.methods)} methods"
    publish_table(test, "sanity", "training/sanity_sweep.py", origin)


def main() -> None:
    """Measure each network that was asked for, print its table and its cost, store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--scenes", type=int, help="so many scenes of one random network, and store nothing")
    options = parser.parse_args()
    ck.setup(seed=0)
    for network in options.networks:
        test = measure(network, options.scenes or SCENES, SEEDS[network], keep=options.scenes is None)
        if options.scenes is None:
            store(test)
        print(test, f"{test.seconds:.0f} s of processor time.", sep="\n")


if __name__ == "__main__":
    main()
