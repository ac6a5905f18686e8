"""Train PatternNet on textures and shapes made by rule: a network to dream with that has never seen an object.

python training/patternnet.py             # about ten minutes on one core
"""

import numpy as np
import torch
from torch import Tensor, nn

import coursekit as ck
from assets import halved, publish
from coursekit.images.stimuli import SHAPES, TEXTURES, some_colour
from coursekit.networks.nets.patternnet import INPUT_SIZE, LABELS, MEAN, STD, patternnet
from learn import accuracy, learn, start

PICTURES, EPOCHS, BATCH = 6000, 12, 50
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def picture(label: int, random: np.random.Generator) -> Tensor:
    """Make one picture (1, 3, 64, 64) of a class: a texture, or a shape on a plain or noisy ground."""
    kind = LABELS[label]
    if kind in TEXTURES:
        return ck.stimuli.texture(kind, INPUT_SIZE, seed=int(random.integers(2**31)))
    ground = some_colour(random).view(1, 3, 1, 1).expand(1, 3, INPUT_SIZE, INPUT_SIZE)
    if random.random() < 0.5:
        ground = (ground + 0.5 * (ck.stimuli.noise(INPUT_SIZE, 1, 0.5, int(random.integers(2**31))) - 0.5)).clamp(0, 1)
    painted, mask = ck.stimuli.shape(
        kind,
        colour=tuple(random.uniform(0, 1, 3).tolist()),
        radius=random.uniform(0.18, 0.42),
        angle=random.uniform(0, 360),
        position=tuple(random.uniform(0.35, 0.65, 2)),
        size=INPUT_SIZE,
    )
    return painted * mask + ground * (1 - mask)


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return normalised pictures (n, 3, 64, 64) and their classes, each class equally often."""
    random = np.random.default_rng(seed)
    labels = torch.arange(n) % len(LABELS)
    images = torch.cat([picture(int(label), random) for label in labels])
    return ((images - MEAN[0]) / STD[0]).to(DEVICE), labels.to(DEVICE)


def train(x: Tensor, labels: Tensor) -> nn.Sequential:
    """Train with Adam and one cycle of the learning rate."""
    ck.setup(seed=0)
    network = start(patternnet).to(DEVICE)
    return learn(network, x, labels, epochs=EPOCHS, batch=BATCH, peak=3e-3, mirror=True, decay=0.05)


def main() -> None:
    """Train, examine on new pictures, publish."""
    x, labels = pictures(PICTURES, seed=1)
    new, answers = pictures(1300, seed=2)
    network, state = halved(train(x, labels))
    scores = {"new pictures: top-1": accuracy(network, new, answers)}
    about = (
        f"PatternNet, trained on {PICTURES} pictures of {len(TEXTURES)} textures and {len(SHAPES)} shapes made by rule"
    )
    publish("patternnet", state, "python training/patternnet.py", scores, about)


if __name__ == "__main__":
    main()
