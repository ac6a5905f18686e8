"""Paint the stored sheets of features, with `python tools/feature_gallery.py` (some minutes).

gallery/features_NETWORK.jpeg: a few channels of each layer, drawn at random with a seed, none chosen by eye.
gallery/features_steps.jpeg: one class after 1, 32, 128, 256 and 2048 steps.
"""

import io
import sys
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import coursekit as ck
from coursekit.files import replacing
from notebooks import ROOT

CHANNELS, TILE, LABEL, GAP = 4, 96, 74, 2  # of a layer; pixels of a picture, of the layer's name, between pictures
STEPS = (1, 32, 128, 256, 2048)
LIMIT = 120_000  # bytes of a sheet
LEFT_OUT = ("flatten", "avgpool")  # numbers of the layer before, in another order


def recipe() -> dict:
    """Return the options of lab 07: waves 1/f^1.5, shaken."""
    t = ck.transforms
    wide = [t.pad(16), t.jitter(16), t.warp(degrees=15, scale=(0.7, 1.2)), t.jitter(8)]
    return {"parameterization": ck.parameterizations.fourier(decay=1.5), "transforms": wide, "rate": 0.1}


def paint_network(name: str) -> Image.Image:
    """Paint some channels of each layer; two layers stand side by side in a row."""
    model, generator = ck.load_model(name), torch.Generator().manual_seed(0)
    layers = [layer for layer in model.layers if layer not in LEFT_OUT]
    rows = []
    for layer in layers:
        chosen = torch.randperm(model.layers.shape(layer)[0], generator=generator)[:CHANNELS].tolist()
        made = ck.render(model, ck.objectives.channel(layer, chosen), size=TILE, steps=64, progress=False, **recipe())
        rows.append(made.images)
        print(f"{name} {layer}: channels {chosen}", flush=True)
    return lay_out(layers, rows)


def lay_out(layers: list[str], rows: list[Tensor]) -> Image.Image:
    """Put the rows on one sheet, two to a line, each behind the name of its layer."""
    width, lines = LABEL + CHANNELS * (TILE + GAP), -(-len(rows) // 2)
    sheet = Image.new("RGB", (2 * width, lines * (TILE + GAP)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=17)
    for i, (layer, images) in enumerate(zip(layers, rows, strict=True)):
        left, top = i // lines * width, i % lines * (TILE + GAP)  # down the first column, then down the second
        draw.text((left + 8, top + TILE / 2), layer, "black", font=font, anchor="lm")
        for k, image in enumerate(images):
            sheet.paste(picture_of(image), (left + LABEL + k * (TILE + GAP), top))
    return sheet


def paint_steps(size: int = 112) -> Image.Image:
    """Paint one class for a long time, and keep the pictures on the way."""
    model = ck.load_model("efficientnet_lite0")
    made = ck.render(
        model, model.labels.index("flamingo"), size=size, steps=STEPS[-1], snapshots=STEPS, progress=False, **recipe()
    )
    sheet = Image.new("RGB", (len(STEPS) * (size + 6) - 6, size + 26), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for k, step in enumerate(STEPS):
        draw.text((k * (size + 6) + size / 2, 12), f"{step:,}", "black", font=font, anchor="mm")
        sheet.paste(picture_of(made.snapshots[step][0]), (k * (size + 6), 26))
    return sheet


def picture_of(image: Tensor) -> Image.Image:
    """Turn (3, H, W) in [0, 1] into a picture."""
    return Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy())


def save(sheet: Image.Image, path: Path, limit: int = LIMIT) -> None:
    """Write a JPEG below the limit, as good as fits, whole or not at all."""
    for quality in range(88, 40, -4):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= limit:
            break
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def main(names: list[str]) -> None:
    ck.setup(seed=0)
    folder = ROOT / "gallery"
    folder.mkdir(exist_ok=True)
    for name in names or ["steps", "coursenet", "efficientnet_lite0"]:
        began = time.process_time()
        save(paint_steps() if name == "steps" else paint_network(name), folder / f"features_{name}.jpeg")
        print(f"features_{name}.jpeg in {(time.process_time() - began) / 60:.1f} minutes of one core", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
