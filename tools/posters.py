"""Paint the six posters of the README, with `python tools/posters.py`: gallery/posters.jpeg; minutes on two cores.

Each is `ck.style_transfer` on EfficientNet-Lite0, of a packaged photograph and a style that is made by rule.
"""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import coursekit as ck
from coursekit.files import replacing

ROOT = Path(__file__).resolve().parent.parent
# photograph, style, weight of the content
POSTERS = [
    ("china", "strokes", 0.08),
    ("chelsea", "mosaic", 0.04),
    ("grace_hopper", "woodcut", 0.04),
    ("flower", "swirls", 0.03),
    ("astronaut", "colour field", 0.02),
    ("china", "ink", 0.035),
]
SIZE, STEPS, SHOWN, COLUMNS = 448, 120, 320, 3  # pixels of a side while painting, and on the sheet


def poster(photograph: str, style: str, weight: float, size: int = SIZE, steps: int = STEPS) -> Tensor:
    """Paint one poster, (1, 3, size, size)."""
    content, example = ck.load_image(photograph, size=size), ck.style_image(style, size * 3 // 4)
    model = ck.load_model("efficientnet_lite0")
    return ck.style_transfer(model, content, example, content_weight=weight, steps=steps).images


def sheet(images: Tensor, side: int = SHOWN, gap: int = 8) -> Image.Image:
    """Lay images (N, 3, S, S) on white, COLUMNS to a row."""
    rows = -(-len(images) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * (side + gap) - gap, rows * (side + gap) - gap), "white")
    for i, image in enumerate(images):
        array = (image.permute(1, 2, 0) * 255).round().byte().numpy()
        tile = Image.fromarray(array).resize((side, side), Image.Resampling.LANCZOS)
        canvas.paste(tile, (i % COLUMNS * (side + gap), i // COLUMNS * (side + gap)))
    return canvas


def write(picture: Image.Image, path: Path) -> None:
    """Write a JPEG, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        picture.save(temporary, "JPEG", quality=82, optimize=True)


if __name__ == "__main__":
    ck.setup(seed=0)
    write(sheet(torch.cat([poster(*which) for which in POSTERS])), ROOT / "gallery/posters.jpeg")
