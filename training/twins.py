"""Train the twins: the same network on true labels, and on the same pictures with shuffled labels.

    python training/twins.py                  # about a quarter of an hour on one core

Both are trained until they know their training pictures. Only the true one can say anything about new pictures.
"""

import numpy as np
import torch
from torch import Tensor, nn

import coursekit as ck
from assets import halved, publish
from coursekit.networks.nets.twin import INPUT_SIZE, LABELS, MEAN, STD, twin
from learn import accuracy, learn, start

PICTURES, EPOCHS, BATCH = 1500, 80, 50
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return normalised scenes (n, 3, 64, 64) of the ten objects and the places of their labels in LABELS."""
    made = ck.scenes(n, objects=LABELS, seed=seed, size=INPUT_SIZE)
    places = torch.tensor([LABELS.index(name) for name in made.objects])
    return ((made.images - MEAN[0]) / STD[0]).to(DEVICE), places.to(DEVICE)


def train(x: Tensor, labels: Tensor) -> nn.Sequential:
    """Train a twin with Adam until the end of the epochs; no augmentation, for it shall learn by heart."""
    ck.setup(seed=0)
    network = start(twin).to(DEVICE)
    return learn(network, x, labels, epochs=EPOCHS, batch=BATCH, peak=2e-3)


def main() -> None:
    """Train and publish both."""
    x, true = pictures(PICTURES, seed=1)
    new, answers = pictures(1000, seed=2)
    shuffled = true[torch.from_numpy(np.random.default_rng(0).permutation(PICTURES))]
    for kind, labels in (("true", true), ("permuted", shuffled)):
        network, state = halved(train(x, labels))
        scores = {"training accuracy": accuracy(network, x, labels), "new scenes": accuracy(network, new, answers)}
        about = f"a small network trained on {PICTURES} scenes of ten objects, {kind} labels"
        publish(f"twin_{kind}", state, "python training/twins.py", scores, about)


if __name__ == "__main__":
    main()
