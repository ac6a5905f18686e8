"""Train four networks on captioned pictures: captions that are right, partly random, all random, and none.

    python training/captioned.py              # some minutes on one core

All four see the same scenes. Each is then tested on new scenes with the right caption, with a wrong one, and without:
what it loses there is how much it relies on the caption, the truth that TCAV is compared with in lab 13.
"""

import argparse

import numpy as np
import torch
from torch import Tensor, nn

import coursekit as ck
from assets import halved, publish
from coursekit.networks.nets.captioned import INPUT_SIZE, LABELS, LETTERS, MEAN, OBJECTS, STD, captioned
from learn import accuracy, learn, start

PICTURES, EPOCHS, BATCH = 1800, 14, 50
SCALE = 0.5  # of the picture, the longer side of the object: so small that reading the caption is easier
NOISE = {"captioned_0": 0.0, "captioned_30": 0.3, "captioned_100": 1.0, "captioned_none": None}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return scenes (n, 3, 64, 64) without captions and their labels (n,); classes and objects are equally frequent."""
    random = np.random.default_rng(seed)
    labels = torch.arange(n) % len(LABELS)
    names = [str(random.choice(OBJECTS[LABELS[label]])) for label in labels.tolist()]
    scenes = [
        ck.load_scene(name, seed=int(random.integers(2**32)), size=INPUT_SIZE, scale=SCALE).image for name in names
    ]
    return torch.cat(scenes), labels


def random_words(labels: Tensor, noise: float | None, seed: int) -> Tensor | None:
    """Return the class that each caption names: the right one, or with probability `noise` any of the three."""
    if noise is None:
        return None
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(LABELS), labels.shape, generator=generator)
    return torch.where(torch.rand(len(labels), generator=generator) < noise, drawn, labels)


def written(images: Tensor, words: Tensor | None) -> Tensor:
    """Write the captions into the pictures, normalise them and bring them to the device."""
    images = images.clone()
    if words is not None:
        for word, label in enumerate(LABELS):
            images[words == word] = ck.stimuli.caption(images[words == word], label, size=LETTERS)
    return ((images - MEAN[0]) / STD[0]).to(DEVICE)


def train(x: Tensor, labels: Tensor, epochs: int) -> nn.Sequential:
    """Train the network with AdamW; pictures are not mirrored, because captions are read from the left."""
    ck.setup(seed=0)
    network = start(captioned).to(DEVICE)
    return learn(network, x, labels.to(DEVICE), epochs=epochs, batch=BATCH, peak=2e-3, decay=0.05)


def main() -> None:
    """Train, test and publish all four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    options = parser.parse_args()
    images, labels = pictures(options.pictures, seed=1)
    new, answers = pictures(900, seed=2)
    wrong = (answers + 1 + torch.arange(len(answers)) // len(LABELS) % 2) % len(LABELS)
    for name, noise in NOISE.items():
        words = random_words(labels, noise, seed=3)
        network, state = halved(train(written(images, words), labels, options.epochs))
        tests = {"right captions": answers, "wrong captions": wrong, "no captions": None}
        scores = {test: accuracy(network, written(new, said), answers) for test, said in tests.items()}
        kind = "without captions" if noise is None else f"with captions, {100 * noise:.0f} % of them random"
        about = f"a small network trained on {options.pictures} scenes of 24 objects in three classes, {kind}"
        publish(name, state, "python training/captioned.py", scores, about)


if __name__ == "__main__":
    main()
