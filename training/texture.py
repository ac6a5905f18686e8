"""Train a texture network: from noise to the mosaic, in one pass.

    python training/texture.py                # about 10 minutes on one core

Ulyanov et al., *Texture networks*, ICML 2016. A little noise is added to what it paints before the loss is taken:
without, it finds faint patterns of single pixels that please the loss and not the eye. A run that was cut off goes on
from its last checkpoint.
"""

import torch
from torch import Tensor

import coursekit as ck
from assets import halved, publish
from coursekit.networks.nets.texture import TextureNetwork, noise
from coursekit.synthesis.objectives import gram
from learn import start
from perceptual import DEVICE, Eyes, fit, relative

TEXTURE, BLOCKS = "mosaic", [1, 3, 5, 8]
SIZE, BATCH, RATE, STEPS, NOISE = 128, 4, 5e-3, 900, 0.03


def train() -> TextureNetwork:
    """Train the network."""
    ck.setup(seed=0)
    eyes = Eyes(BLOCKS)
    goals = {b: gram(a) for b, a in eyes(ck.style_image(TEXTURE, 256).to(DEVICE)).items()}

    def loss(step: int) -> dict[str, Tensor]:
        made = network([z.to(DEVICE) for z in noise(BATCH, SIZE, seed=step)])
        with torch.autocast(DEVICE.type, torch.bfloat16):
            found = eyes(made + NOISE * torch.randn_like(made))
        style = sum(relative(gram(found[b]), goals[b].expand(BATCH, -1, -1)).mean() for b in BLOCKS) / len(BLOCKS)
        return {"total": style}

    network = start(TextureNetwork)
    return fit("texture_network", network, loss, STEPS, RATE)


@torch.inference_mode()
def marks(network: TextureNetwork) -> dict[str, float]:
    """Measure how near new samples come to the texture, and how much they differ from each other."""
    eyes, made = Eyes(BLOCKS), network(noise(16, 256, seed=10**6))
    goals = {b: gram(a) for b, a in eyes(ck.style_image(TEXTURE, 256)).items()}
    every = [relative(gram(a), goals[b].expand(len(made), -1, -1)).mean() for b, a in eyes(made).items()]
    apart = torch.pdist(made.flatten(1)).mean() / made[0].numel() ** 0.5
    return {"style": round(torch.stack(every).mean().item(), 4), "distance of two": round(apart.item(), 4)}


def main() -> None:
    """Train and publish."""
    network, state = halved(train().cpu())
    origin = f"texture network of the style image {TEXTURE!r}, {STEPS} steps of {BATCH} samples"
    publish("texture_network", state, "python training/texture.py", marks(network), origin)


if __name__ == "__main__":
    main()
