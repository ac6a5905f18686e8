"""Train the generator: from the parameters of a shape to its picture and its mask.

python training/generator.py              # about ten minutes on one core
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

import coursekit as ck
from assets import halved, publish
from coursekit.images.stimuli import SHAPES
from coursekit.networks.nets.generator import SIZE, generator
from learn import start

SHAPES_DRAWN, EPOCHS, BATCH = 16000, 10, 64


def drawings(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw n shapes without colours: their parameters (n, 17), and their masks (n, 1, 64, 64) in 8 bits."""
    generator_ = torch.Generator().manual_seed(seed)
    rows, masks = [], []
    for i in range(n):
        r, a, x, y = torch.rand(4, generator=generator_).tolist()
        options = {
            "kind": SHAPES[i % len(SHAPES)],
            "radius": 0.15 + 0.25 * r,
            "angle": 360 * a,
            "position": (0.3 + 0.4 * x, 0.3 + 0.4 * y),
        }
        rows.append(ck.shape_parameters(**options))
        masks.append((ck.stimuli.shape(size=SIZE, **options)[1] * 255).round().byte())
    return torch.cat(rows), torch.cat(masks)


def paint(rows: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Give each shape and each background a random colour; return the parameters and the wanted RGB and mask."""
    rows, masks = rows.clone(), masks.float() / 255
    colour, background = torch.rand(2, len(rows), 3)
    rows[:, 6:9], rows[:, 14:17] = colour, background
    images = colour[:, :, None, None] * masks + background[:, :, None, None] * (1 - masks)
    return rows, torch.cat([images, masks], 1)


def train(rows: Tensor, masks: Tensor) -> nn.Sequential:
    """Minimise the squared error of picture and mask; the mask counts as much as the three colours."""
    ck.setup(seed=0)
    network = start(generator)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = OneCycleLR(optimizer, 3e-3, EPOCHS * -(-len(rows) // BATCH))
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(rows)).split(BATCH):
            parameters, wanted = paint(rows[chosen], masks[chosen])
            made = network(parameters)
            loss = F.mse_loss(made[:, :3], wanted[:, :3]) + F.mse_loss(made[:, 3:], wanted[:, 3:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen) / len(rows)
        print(f"epoch {epoch + 1:2d}: loss {total:.5f}", flush=True)
    return network.eval()


def main() -> None:
    """Train, examine on new shapes, publish."""
    network, state = halved(train(*drawings(SHAPES_DRAWN, seed=1)))
    torch.manual_seed(2)
    parameters, wanted = paint(*drawings(600, seed=2))
    with torch.inference_mode():
        made = network(parameters)
    found, truth = made[:, 3] > 0.5, wanted[:, 3] > 0.5
    iou = ((found & truth).sum((1, 2)) / (found | truth).sum((1, 2))).mean().item()
    error = (made[:, :3] - wanted[:, :3]).pow(2).mean().sqrt().item()
    scores = {"new shapes: IoU of the mask": round(iou, 4), "new shapes: RMS error of the picture": round(error, 4)}
    about = f"a generator of shapes, trained on {SHAPES_DRAWN} drawings in ever new colours"
    publish("generator", state, "python training/generator.py", scores, about)


if __name__ == "__main__":
    main()
