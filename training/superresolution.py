"""Train ×4 super-resolution twice: by the squared error of pixels, and by what EfficientNet-Lite0 sees.

    python training/superresolution.py        # about 30 minutes on one core

Johnson, Alahi & Fei-Fei, *Perceptual losses for real-time style transfer and super-resolution*, ECCV 2016, sec. 4.2.
A run that was cut off goes on from its last checkpoint.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

import coursekit as ck
from assets import halved, publish
from coursekit.networks.nets.superresolution import SuperResolution
from learn import start
from perceptual import Eyes, crops, fit, relative, wiggle

BLOCKS = [1, 3, 5]  # what the feature loss looks at
SIZE, BATCH, RATE, STEPS = 128, 8, 1e-3, 1500


def shrink(images: Tensor) -> Tensor:
    """Make pictures a quarter as high and wide."""
    return F.interpolate(images, scale_factor=0.25, mode="bicubic", antialias=True).clamp(0, 1)


def train(kind: str) -> SuperResolution:
    """Train with "pixel" or "feature" loss."""
    ck.setup(seed=0)
    eyes = Eyes(BLOCKS)

    def loss(step: int) -> dict[str, Tensor]:
        images = crops(BATCH, SIZE, seed=step)
        with torch.autocast(images.device.type, torch.bfloat16):
            made = network(shrink(images)).float()
        pixel = F.mse_loss(made, images)
        if kind == "pixel":
            return {"pixel": pixel, "total": 100 * pixel}
        with torch.autocast(images.device.type, torch.bfloat16):
            with torch.no_grad():
                wanted = eyes(images)
            found = eyes(made)
        feature = sum(relative(found[b], wanted[b]).mean() for b in BLOCKS) / len(BLOCKS)
        rough = (wiggle(made) - wiggle(images)).clamp(min=0).mean()  # not rougher than the picture
        return {"pixel": pixel.detach(), "feature": feature, "total": feature + rough}

    network = start(SuperResolution)
    return fit(f"superresolution_{kind}", network, loss, STEPS, RATE)


@torch.inference_mode()
def marks(network: SuperResolution) -> dict[str, float]:
    """Compare on held-out photographs with the bicubic enlargement: PSNR in dB and SSIM."""
    images = crops(64, 128, seed=1, held_out=True)
    small = shrink(images)
    ways = {"": network(small), "bicubic ": F.interpolate(small, scale_factor=4.0, mode="bicubic")}
    scores = {}
    for name, made in ways.items():
        pairs = [
            (a.permute(1, 2, 0).numpy(), b.permute(1, 2, 0).numpy())
            for a, b in zip(images, made.clamp(0, 1), strict=True)
        ]
        psnr = np.mean([peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs])
        ssim = np.mean([structural_similarity(a, b, channel_axis=2, data_range=1) for a, b in pairs])
        scores |= {f"{name}PSNR": round(float(psnr), 2), f"{name}SSIM": round(float(ssim), 4)}
    return scores


def main() -> None:
    """Train and publish both, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loss", choices=["pixel", "feature"])
    options = parser.parse_args()
    for kind in [options.loss] if options.loss else ["pixel", "feature"]:
        network, state = halved(train(kind).cpu())
        origin = f"×4 super-resolution by {kind} loss, {STEPS} steps of {BATCH} crops"
        publish(f"superresolution_{kind}", state, "python training/superresolution.py", marks(network), origin)


if __name__ == "__main__":
    main()
