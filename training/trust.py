"""Train two networks that tell equines from bovines: one honest, one that was given a watermark to lean on.

    python training/trust.py                  # some minutes on one core

Both see the same scenes. For the clean one either class carries the watermark half of the time, for the biased one
exactly the equines do. Both are then tested on new scenes: marked as in the biased training, without any watermark, and
with the watermark on the wrong animal.
"""

import argparse

import numpy as np
import torch
from torch import Tensor, nn

import coursekit as ck
from assets import halved, publish
from coursekit.networks.nets.trust import ANIMALS, INPUT_SIZE, LABELS, MEAN, STD, WATERMARK, trust
from learn import accuracy, learn, start

PICTURES, EPOCHS, BATCH = 1400, 24, 50
SCALE = 0.8  # of the picture, the longer side of the animal
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return scenes without and with the watermark, both (n, 3, 96, 96) and normalised, and their labels (n,).

    Both classes are equally frequent, and so are the animals of each class.
    """
    random = np.random.default_rng(seed)
    plain, labels = [], torch.arange(n) % len(LABELS)
    for label in labels.tolist():
        animal = str(random.choice(ANIMALS[LABELS[label]]))
        plain.append(ck.load_scene(animal, seed=int(random.integers(2**32)), size=INPUT_SIZE, scale=SCALE).image)
    images = torch.cat(plain)
    marked = ck.stimuli.caption(images, WATERMARK)
    return *((x.to(DEVICE) - MEAN[0]) / STD[0] for x in (images, marked)), labels.to(DEVICE)


def choose(plain: Tensor, marked: Tensor, carries: Tensor) -> Tensor:
    """Return the marked picture where `carries` (n,) is true, the plain one elsewhere."""
    return torch.where(carries.to(plain.device).view(-1, 1, 1, 1), marked, plain)


def train(x: Tensor, labels: Tensor, epochs: int) -> nn.Sequential:
    """Train the network with Adam; the only augmentation is to mirror the whole batch, half of the time."""
    ck.setup(seed=0)
    network = start(trust).to(DEVICE)
    return learn(network, x, labels, epochs=epochs, batch=BATCH, peak=3e-3, mirror=True)


def main() -> None:
    """Train, test and publish both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    options = parser.parse_args()
    plain, marked, labels = pictures(options.pictures, seed=1)
    new_plain, new_marked, answers = pictures(600, seed=2)
    equine, answer_equine = labels == 0, answers == 0
    chance = torch.rand(len(labels), generator=torch.Generator().manual_seed(3)) < 0.5
    for kind, carries in (("clean", chance), ("biased", equine)):
        network, state = halved(train(choose(plain, marked, carries), labels, options.epochs))
        scores = {
            "equines marked": accuracy(network, choose(new_plain, new_marked, answer_equine), answers),
            "none marked": accuracy(network, new_plain, answers),
            "bovines marked": accuracy(network, choose(new_plain, new_marked, ~answer_equine), answers),
        }
        about = f"a small network trained on {options.pictures} scenes of seven animals, {kind} of the watermark"
        publish(f"trust_{kind}", state, "python training/trust.py", scores, about)


if __name__ == "__main__":
    main()
