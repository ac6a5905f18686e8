"""Every figure of the course: one style, colour-blind safe maps, a unit on each colour bar, alt text on each picture.

Scaling for the eye happens here and nowhere else: methods return raw numbers.
"""

import io
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from coursekit.errors import OptionError

MAGNITUDE, SIGNED, OVERLAY = "magma", "RdBu_r", "Reds"
# Okabe & Ito (2008): eight colours that colour-blind readers can tell apart
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"]
WIDTH = 9.0  # inches of a full row; shown 900 pixels wide, drawn at twice that density for sharp slides
_STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.grid": False,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "image.interpolation": "nearest",
}

LARGE = 80_000  # bytes of a figure from which on it is compressed more

styled = mpl.rc_context(_STYLE)  # as a decorator: the style holds while a figure is made and never leaks out


class Picture:
    """A finished figure with its alt text; a notebook shows it, `save` writes it."""

    def __init__(self, figure: Figure, alt: str):
        self.figure, self.alt = figure, alt
        # photographs are four times smaller as JPEG, diagrams are smaller and sharper as PNG
        self.kind = "jpeg" if any(axes.images for axes in figure.axes) else "png"

    @cached_property  # drawn once: a second drawing moves the panels by a fraction of a pixel
    def data(self) -> bytes:
        """The encoded picture."""
        drawn, encoded = io.BytesIO(), io.BytesIO()
        with mpl.rc_context(_STYLE):
            self.figure.savefig(drawn, format="png", dpi=150)
        picture = Image.open(drawn).convert("RGB")
        if self.kind == "png":  # a diagram has few colours; with a table of 256 it is three times smaller
            picture.quantize(256).save(encoded, "png", optimize=True)
            return encoded.getvalue()
        picture.save(encoded, "jpeg", quality=82, subsampling=2)
        if encoded.tell() > LARGE:  # many panels of fine grain: nobody sees the difference
            encoded = io.BytesIO()
            picture.save(encoded, "jpeg", quality=65, subsampling=2)
        return encoded.getvalue()

    @styled
    def save(self, path: str | os.PathLike, dpi: int = 150) -> None:
        """Write the picture; the suffix of `path` (.png, .svg, .pdf …) chooses the format."""
        self.figure.savefig(Path(path), dpi=dpi)

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        mime = f"image/{self.kind}"
        width = round(self.figure.get_figwidth() * 100)
        return {mime: self.data, "text/plain": repr(self)}, {mime: {"alt": self.alt, "width": width}}


@styled
def show_images(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str] = (),
    *,
    columns: int = 4,
    boxes: Sequence[tuple[int, int, int, int]] = (),
    alt: str = "",
) -> Picture:
    """Show images side by side.

    Parameters
    ----------
    images : (N, 3, H, W) in [0, 1], or a list of such tensors of any sizes; one channel is shown in grey.
    titles : one for each image.
    columns : pictures in a row.
    boxes : for each image a box (top, left, height, width) to outline, optional.
    alt : what a reader who cannot see the figure should know.

    >>> import coursekit as ck
    >>> ck.show_images(ck.load_image("chelsea"), ["a cat"])
    <Picture: Pictures: a cat>
    """
    pictures = [image for batch in ([images] if isinstance(images, Tensor) else images) for image in batch]
    figure, axes = _panels(len(pictures), columns, _aspect(pictures[0]))
    for i, (picture, ax) in enumerate(zip(pictures, axes, strict=False)):
        _draw_image(ax, picture)
        ax.set_title(titles[i] if i < len(titles) else "")
        if i < len(boxes):
            top, left, height, width = boxes[i]
            ax.add_patch(mpl.patches.Rectangle((left, top), width, height, fill=False, ec=COLOURS[1], lw=2.5))
    return Picture(figure, alt or "Pictures: " + ", ".join(titles))


@styled
def show_maps(
    image: Tensor | None,
    maps: Mapping[str, Tensor],
    *,
    unit: str | Sequence[str],
    shared: bool = True,
    relative: bool = False,
    pool: int = 1,
    overlay: bool = False,
    clip: float = 99.8,
    columns: int = 4,
    limits: tuple[float, float] | None = None,
    alt: str = "",
) -> Picture:
    """Show heat maps beside their image.

    Maps that have a negative value are drawn blue-white-red, centred on 0; all others dark to bright.

    Parameters
    ----------
    image : (1, 3, H, W) in [0, 1] for the first panel, or None.
    maps : title -> (1, 1, h, w), (1, rows, cols) or (1, 3, H, W); three channels are added up.
    unit : what the colour bar measures, such as "drop in logit"; one for each map if they differ.
    shared : one colour scale for all maps (a comparison), or one for each.
    relative : divide each map by its own end of the scale, so that maps of different units can stand side by side.
    pool : draw the mean of so many by so many pixels, which calms grainy maps; signed maps cancel, so pool magnitudes.
    overlay : tint the grey image with the map instead; where the map is 0 the image shows unchanged.
    clip : percentile of |value| that the scale reaches; single outliers do not darken the whole map.
    limits : fixed ends of the scale instead.
    alt : what a reader who cannot see the figure should know.

    >>> import coursekit as ck
    >>> image = ck.load_image("chelsea")
    >>> ck.show_maps(image, {"red": image[:, :1]}, unit="intensity")
    <Picture: Heat maps (intensity) beside the image: red>
    """
    flat = {title: avg_pool2d(_flat(values)[None], pool)[0] for title, values in maps.items()}
    if not flat:
        raise OptionError("show_maps needs at least one map.")
    if relative:
        flat = {title: values / _scale([values], clip, None)[1] for title, values in flat.items()}
        limits = (-1.0 if any(values.min() < 0 for values in flat.values()) else 0.0, 1.0)
    scales = [_scale(list(flat.values()) if shared else [values], clip, limits) for values in flat.values()]
    first = image if image is not None else next(iter(flat.values()))
    figure, axes = _panels(len(flat) + (image is not None), columns, _aspect(first), bars=True)
    panels = list(axes)
    if image is not None:
        ax = panels.pop(0)
        _draw_image(ax, image[0])
        ax.set_title("image")
    for i, (ax, (title, values), (low, high, colours)) in enumerate(zip(panels, flat.items(), scales, strict=False)):
        height, width = image.shape[-2:] if image is not None else values.shape
        if overlay and image is not None:
            colours = SIGNED if low < 0 else OVERLAY
        drawn = ax.imshow(values.numpy(), cmap=colours, vmin=low, vmax=high, extent=(0, width, height, 0))
        if overlay and image is not None:
            drawn.set_visible(False)  # it only carries the colour scale; what shows is its product with the image
            _draw_image(ax, _tint(image[0], torch.tensor(drawn.to_rgba(values.numpy()))))
        ax.set_title(title)
        _bare(ax)
        if not shared or i == len(flat) - 1:
            extend = "both" if low < 0 else "max"
            target = panels[: len(flat)] if shared and len(flat) <= columns else ax
            extend = "neither" if values.max() <= high and values.min() >= low else extend
            figure.colorbar(
                drawn, ax=target, label=unit if isinstance(unit, str) else unit[i], shrink=0.85, extend=extend, pad=0.02
            )
    units = unit if isinstance(unit, str) else ", ".join(unit)
    return Picture(figure, alt or f"Heat maps ({units}) beside the image: " + ", ".join(maps))


@styled
def show_grid(
    image: Tensor, labels: Tensor, names: Sequence[str], *, title: str = "most probable label", alt: str = ""
) -> Picture:
    """Show which label wins for each position of a window: a map of classes with its legend.

    labels : (1, rows, cols) class indices, as in `OcclusionGrid.label`.  names : the label of each class.

    >>> import coursekit as ck, torch
    >>> ck.show_grid(ck.load_image("chelsea"), torch.tensor([[[0, 1], [0, 0]]]), ["cat", "dog"])
    <Picture: Map of the most probable label: cat (3 windows), dog (1 window)>
    """
    found, place, count = labels[0].unique(return_inverse=True, return_counts=True)
    order = count.argsort(descending=True, stable=True)
    rank = order.argsort()[place].clamp(max=len(COLOURS) - 1)  # rare labels share the last colour
    entries = [f"{names[found[i]]} ({count[i]} window{'s' * bool(count[i] > 1)})" for i in order.tolist()]
    if len(entries) > len(COLOURS):
        rest = int(count[order[len(COLOURS) - 1 :]].sum())
        entries = [*entries[: len(COLOURS) - 1], f"others ({rest} windows)"]
    figure, axes = _panels(2, 3, _aspect(image), bars=True)
    _draw_image(axes[0], image[0])
    axes[0].set_title("image")
    height, width = image.shape[-2:]
    axes[1].imshow(
        rank.numpy(), cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5, extent=(0, width, height, 0)
    )
    axes[1].set_title(title)
    _bare(axes[1])
    patches = [Patch(color=colour, label=entry) for colour, entry in zip(COLOURS, entries, strict=False)]
    axes[1].legend(handles=patches, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return Picture(figure, alt or f"Map of the {title}: " + ", ".join(entries))


@styled
def show_predictions(images: Tensor, predictions: Sequence[Sequence[tuple[str, float]]], *, alt: str = "") -> Picture:
    """Show each image beside bars of its most probable classes, as `predict` returns them.

    >>> import coursekit as ck
    >>> ck.show_predictions(ck.load_image("chelsea"), [[("Egyptian cat", 0.8), ("tabby", 0.1)]])
    <Picture: Predictions: Egyptian cat>
    """
    figure = Figure(figsize=(WIDTH, 0.5 + 2.1 * len(images)), layout="constrained")
    axes = figure.subplots(len(images), 2, squeeze=False, width_ratios=[1, 1.6])
    for (left, right), image, rows in zip(axes, images, predictions, strict=True):
        _draw_image(left, image)
        labels, values = zip(*reversed(rows), strict=True)
        right.barh(range(len(rows)), values, color=COLOURS[0], height=0.7)
        right.set_yticks(range(len(rows)), [label.split(",")[0] for label in labels])
        right.set_xlim(0, 1.12)
        right.set_xticks([0, 0.5, 1])
        right.set_xlabel("probability")
        for y, value in enumerate(values):
            right.text(value + 0.01, y, f"{value:.2f}", va="center")
    return Picture(figure, alt or "Predictions: " + ", ".join(rows[0][0] for rows in predictions))


def signal_pictures(signals: Tensor, clip: float = 99.5) -> Tensor:
    """Turn signed colour maps, such as `deconvnet` returns, into pictures: 0 is grey, each on its own scale.

    0.5 + s / 2q, where q is the `clip` percentile of |s| over all values of the map that are not 0.

    Parameters
    ----------
    signals : (N, C, H, W), C = 1 or 3.
    clip : percentile that becomes full colour; single outliers do not darken the whole picture.

    Returns
    -------
    Tensor (N, C, H, W) in [0, 1]. A map that is 0 everywhere becomes grey.

    >>> signal_pictures(torch.tensor([[[[-2.0, 0.0, 4.0]]]]), clip=100)
    tensor([[[[0.2500, 0.5000, 1.0000]]]])
    """
    if not isinstance(signals, Tensor) or signals.ndim != 4:
        shape = tuple(signals.shape) if isinstance(signals, Tensor) else type(signals).__name__
        raise OptionError(f"Signals must have the shape (N, C, H, W), but got {shape}.")
    pictures = []
    for signal in signals.detach().cpu().float():
        sizes = signal.abs()[signal != 0]
        high = float(torch.quantile(sizes, clip / 100)) if len(sizes) else 1.0
        pictures.append((0.5 + signal / (2 * high)).clamp(0, 1))
    return torch.stack(pictures)


def _panels(count: int, columns: int, aspect: float, bars: bool = False) -> tuple[Figure, list]:
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    width = min(WIDTH, (3.2 if aspect > 0.5 else 8.0) * columns)  # a wide strip alone takes the whole row
    height = rows * (width / columns * aspect * (0.92 if bars else 1) + 0.35)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes[count:]:
        ax.remove()
    return figure, axes[:count]


def _draw_image(ax: mpl.axes.Axes, image: Tensor) -> None:
    pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0)
    height, width = pixels.shape[:2]
    ax.imshow(pixels.numpy(), cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="antialiased")
    _bare(ax)


def _tint(image: Tensor, colours: Tensor) -> Tensor:
    """Multiply a washed-out grey image (3, H, W) by the colours (h, w, 4) of a map whose zero is white."""
    grey = 0.35 + 0.65 * image.detach().cpu().mean(0)
    colours = colours[..., :3].permute(2, 0, 1)[None].float()
    return grey * interpolate(colours, size=grey.shape)[0]


def _bare(ax: mpl.axes.Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _aspect(image: Tensor) -> float:
    return image.shape[-2] / image.shape[-1]


def _flat(values: Tensor) -> Tensor:
    """Any map as (height, width) on the CPU; channels are added up."""
    values = values.detach().cpu().float()
    if values.ndim == 4:
        values = values.sum(1)
    if values.ndim == 3:
        if len(values) != 1:
            raise OptionError(f"Give one map for each title, but this one holds {len(values)}; index it first.")
        values = values[0]
    return values


def _scale(maps: Sequence[Tensor], clip: float, limits: tuple[float, float] | None) -> tuple[float, float, str]:
    values = torch.cat([m.flatten() for m in maps])
    if limits is not None:
        return *limits, SIGNED if limits[0] < 0 else MAGNITUDE
    high = float(torch.quantile(values.abs()[:: 1 + len(values) // 1_000_000], clip / 100)) or 1.0
    if values.min() < 0:
        return -high, high, SIGNED
    return 0.0, high, MAGNITUDE
