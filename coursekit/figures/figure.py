"""Every figure of the course: one style, colour-blind safe maps, a unit on each colour bar, alt text on each picture.

Scaling for the eye happens here and nowhere else: methods return raw numbers.
"""

import io
import math
import os
import warnings
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from PIL import Image
from torch import Tensor

from coursekit.arguments import check_picture
from coursekit.errors import ImageError, OptionError
from coursekit.figures.alt import described, next_alt
from coursekit.figures.lettering import fit_text
from coursekit.files import replacing

MAGNITUDE, SIGNED, OVERLAY = "magma", "RdBu_r", "Reds"


# Okabe & Ito (2008): eight colours that colour-blind readers can tell apart
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"]


WIDTH = 9.0  # inches of a full row; shown 900 pixels wide, drawn at twice that density for sharp slides


_STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.grid": False,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "image.interpolation": "nearest",
}


# The quality of a JPEG, and with how many bytes it will do: in many panels of fine grain nobody sees the difference.
QUALITIES = ((82, 80_000), (65, 120_000), (50, math.inf))


styled = mpl.rc_context(_STYLE)  # as a decorator: the style holds while a figure is made and never leaks out


class Picture:
    """A finished figure; a notebook shows it with its alt text, `save` writes it.

    In a lab the text of data/alt/NN.md is shown, elsewhere `alt`; without one, the words written in the figure.
    """

    def __init__(self, figure: Figure, alt: str | None = None):
        self.figure, self.alt = figure, (alt or described(figure)).encode(errors="replace").decode()
        fit_text(figure)
        # photographs are four times smaller as JPEG, diagrams are smaller and sharper as PNG
        self.kind = "jpeg" if any(axes.images for axes in figure.axes) else "png"

    @cached_property
    def data(self) -> bytes:
        """The encoded picture."""
        drawn, encoded = io.BytesIO(), io.BytesIO()
        with mpl.rc_context(_STYLE):
            self._draw(drawn, format="png", dpi=150)
        picture = Image.open(drawn).convert("RGB")
        if self.kind == "png":  # a diagram has few colours; with a table of 256 it is three times smaller
            picture.quantize(256).save(encoded, "png", optimize=True)
            return encoded.getvalue()
        sampling = 0 if _has_fine_colours(picture) else 2
        for quality, enough in QUALITIES:
            encoded = io.BytesIO()
            picture.save(encoded, "jpeg", quality=quality, subsampling=sampling)
            if encoded.tell() <= enough:
                break
        return encoded.getvalue()

    @styled
    def save(self, path: str | os.PathLike, dpi: int = 150) -> None:
        """Write the picture, whole or not at all; the suffix of `path` (.png, .svg, .pdf …) chooses the format."""
        with replacing(path) as temporary:
            self._draw(temporary, dpi=dpi, format=Path(path).suffix[1:] or "png")

    def _draw(self, target: io.BytesIO | Path, **options: Any) -> None:
        """Lay the figure out, and then draw it: one round finds room for titles, the next for a bar's new numbers."""
        with warnings.catch_warnings():  # a letter that the font has not is a box; no room is seen in the figure
            warnings.filterwarnings("ignore", message="Glyph .* missing|constrained_layout not applied")
            for _ in range(2):  # a lower bar has other ticks, and "0.25" is wider than "0.2"
                self.figure.draw_without_rendering()
            self.figure.savefig(target, **options)

    def __repr__(self) -> str:
        width, height = self.figure.get_size_inches()
        return f"<Picture {width * 100:.0f} × {height * 100:.0f}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        mime = f"image/{self.kind}"
        width = round(self.figure.get_figwidth() * 100)
        return {mime: self.data, "text/plain": repr(self)}, {mime: {"alt": next_alt() or self.alt, "width": width}}


def _has_fine_colours(picture: Image.Image) -> bool:
    """Whether colours change from pixel to pixel, as in gradients and filters: half the resolution would lose them."""
    colours = np.asarray(picture.convert("YCbCr"), dtype=np.float32)[..., 1:] - 128
    height, width = picture.height // 2, picture.width // 2
    squares = colours[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 2)
    lost = squares - squares.mean((1, 3), keepdims=True)
    return bool(np.abs(lost).mean() > 0.05 * np.abs(colours).mean())


def grid_of_panels(
    count: int, columns: int, size: Callable[[int, int], tuple[float, float]], **options: Any
) -> tuple[Figure, list[Axes]]:
    """Make `count` panels, at most `columns` to a row; size(rows, columns) is the figure's width and height in inches.

    `options` go to matplotlib's `subplots`.
    """
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=size(rows, columns), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def image_panels(count: int, columns: int, aspect: float, bars: bool = False) -> tuple[Figure, list[Axes]]:
    """Make panels for images of that height divided by width, with room for colour bars where `bars`."""

    def size(rows: int, columns: int) -> tuple[float, float]:
        width = min(WIDTH, (3.2 if aspect > 0.5 else 8.0) * columns)  # a wide strip alone takes the whole row
        return width, rows * (width / columns * aspect * (0.92 if bars else 1) + 0.35)

    return grid_of_panels(count, columns, size)


def draw_image(ax: Axes, image: Tensor, *, squares: bool | None = None, mask: Tensor | None = None) -> None:
    """Draw an image (3 or 1, H, W) in [0, 1] without axes, enlarged smoothly, or by `squares`: filters, masks.

    None: by squares where the image has at most 16 pixels to a side, or more than half of neighbours are equal.
    The outline of `mask`, of any size, is drawn over it.
    """
    check_picture(image)
    pixels = image.detach().cpu().float().clamp(0, 1).permute(1, 2, 0)
    height, width = pixels.shape[:2]
    if squares is None:
        equal = (pixels[:, 1:] == pixels[:, :-1]).float().mean() if width > 1 else 1.0
        squares = min(height, width) <= 16 or bool(equal > 0.5)
    extent = (0, width, height, 0)
    smooth = "nearest" if squares else "bicubic"
    ax.imshow(pixels.numpy(), cmap="gray", vmin=0, vmax=1, extent=extent, interpolation=smooth)
    if mask is not None:
        draw_outline(ax, mask, width, height)
    bare(ax)


def draw_outline(ax: Axes, mask: Tensor, width: float, height: float) -> None:
    """Draw the outline of a mask (…, h, w), stretched over width × height: black with a white rim, for all grounds."""
    if not isinstance(mask, Tensor) or mask.ndim < 2 or mask.numel() != mask.shape[-2] * mask.shape[-1]:
        seen = tuple(mask.shape) if isinstance(mask, Tensor) else type(mask).__name__
        raise OptionError(f"A mask to outline is one (H, W), but is {seen}; index it first.")
    inside = torch.nn.functional.pad(mask.detach().cpu().reshape(mask.shape[-2:]).float(), (1, 1, 1, 1))
    x, y = width / mask.shape[-1], height / mask.shape[-2]  # the padding closes outlines at the border
    where: dict[str, Any] = {"origin": "lower", "extent": (-x, width + x, -y, height + y)}
    for colour, thick in (("white", 3.5), ("black", 1.5)):
        ax.contour(inside.numpy(), levels=[0.5], colors=colour, linewidths=thick, **where)
    ax.set(xlim=(0, width), ylim=(height, 0))


def bare(ax: Axes) -> None:
    """Take ticks and frame away."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def aspect_of(image: Tensor) -> float:
    """Return height divided by width."""
    if image.ndim < 2 or not image.numel():
        raise ImageError(f"An image to draw must have the shape (3, H, W) or (1, H, W), but got {tuple(image.shape)}.")
    return image.shape[-2] / image.shape[-1]
