"""Paint the stored dreams of lab 10, with `python tools/dream_gallery.py` (some five minutes of one core).

gallery/features_dream_block10.jpeg, _block13.jpeg: a lake dreamt by two layers, 384 × 576 pixels, five octaves.
gallery/features_dream_helmets.jpeg: an astronaut's helmet, dreamt by block3 and by block11, each with six seeds.
gallery/features_dream_zoom.jpeg: a rocket, and frames 1, 5, 10 … 40 of a zoom into it, 256 × 256 pixels.
gallery/features_dream_classes.jpeg: three photographs climb another class's logit, after each of `AFTER` steps.

A sheet has no words and no gaps between its tiles, so that the lab can cut and measure them. Names on the command line
paint only these sheets.
"""

import sys
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor

import coursekit as ck
from coursekit.files import replacing
from notebooks import ROOT

SMOOTH = (0.5, 1, 2)  # pixels
HELMET = (slice(215, 320), slice(178, 313))  # rows and columns in the astronaut of 320 pixels
SEEDS = range(6)
PAIRS = (("china", "volcano"), ("hubble", "jellyfish"), ("rocket", "beacon"))
AFTER = (0, 10, 30, 96)


def lake(layer: str, steps: int) -> Tensor:
    """Dream of the lake at the size and with the octaves of the 2015 pictures."""
    image = ck.load_image("china", size=(384, 576))
    return ck.dream(ck.load_model("efficientnet_lite0"), image, layer, octaves=5, steps=steps, smooth=SMOOTH)


def helmets() -> Tensor:
    """Dream of the astronaut with each seed and cut out the helmet: a row for block3, a row for block11."""
    model, image = ck.load_model("efficientnet_lite0"), ck.load_image("astronaut", size=320)
    options = {"octaves": 5, "steps": 12, "smooth": SMOOTH}
    rows = [
        [ck.dream(model, image, layer, seed=seed, **options)[:, :, *HELMET] for seed in SEEDS]
        for layer in ("block3", "block11")
    ]
    return tiles(rows)


def zoom() -> Tensor:
    """Zoom into a rocket for 40 frames; two rows."""
    model, image = ck.load_model("efficientnet_lite0"), ck.load_image("rocket", size=256)
    frames = list(ck.dream_zoom(model, image, "block11", frames=40, factor=1.06, octaves=3, steps=4, smooth=SMOOTH))
    shown = [image, frames[0], *frames[4::5]]
    return tiles([shown[:5], shown[5:]])


def classes() -> Tensor:
    """Let three photographs climb the logit of another class."""
    model = ck.load_model("efficientnet_lite0")
    rows = []
    for name, wanted in PAIRS:
        image = ck.load_image(name, size=192)
        made = ck.render(
            model,
            model.labels.index(wanted),
            size=192,
            parameterization=ck.parameterizations.fourier(decay=1.5, start=image),
            rate=0.05,
            steps=AFTER[-1],
            snapshots=AFTER[1:],
            progress=False,
        )
        rows.append([image, *made.snapshots.values()])
    return tiles(rows)


def tiles(rows: list[list[Tensor]]) -> Tensor:
    """Put rows of pictures (1, 3, h, w) on one sheet (1, 3, H, W)."""
    return torch.cat([torch.cat(row, 3) for row in rows], 2)


SHEETS: dict[str, tuple[Callable[[], Tensor], int]] = {  # what paints a sheet, and the quality of its JPEG
    "block10": (lambda: lake("block10", 10), 80),
    "block13": (lambda: lake("block13", 14), 80),
    "helmets": (helmets, 80),
    "zoom": (zoom, 75),
    "classes": (classes, 88),
}


def main(names: list[str]) -> None:
    ck.setup(seed=0)
    for name in names or SHEETS:
        began = time.process_time()
        paint, quality = SHEETS[name]
        picture = Image.fromarray((paint()[0] * 255).round().byte().permute(1, 2, 0).numpy())
        with replacing(ROOT / f"gallery/features_dream_{name}.jpeg") as temporary:
            picture.save(temporary, "JPEG", quality=quality, optimize=True)
        print(f"features_dream_{name}.jpeg in {time.process_time() - began:.0f} s of one core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
