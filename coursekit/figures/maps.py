"""Signed maps over images, grids of them, and matrices of maps."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from coursekit.arguments import check_shape
from coursekit.attribution.reading import magnitude_picture
from coursekit.errors import OptionError
from coursekit.figures.figure import (
    COLOURS,
    MAGNITUDE,
    OVERLAY,
    SIGNED,
    WIDTH,
    Picture,
    aspect_of,
    bare,
    draw_image,
    draw_outline,
    image_panels,
    styled,
)
from coursekit.figures.lettering import words

Photographs = Tensor | Mapping[str, Tensor] | None


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
    windows: tuple[int, int] | None = None,
    mask: Tensor | None = None,
    alt: str | None = None,
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
    overlay : draw the map over the grey, lightened image instead. The colours are those of the colour bar; 0 has
        none.
    clip : percentile of |value| that the scale reaches; single outliers do not darken the whole map.
    limits : fixed ends of the scale instead.
    windows : (window, stride) of a grid (1, rows, cols) by windows: each value is drawn at its own window's centre.
    mask : (H, W) bool, outlined on the image and on each map.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    >>> import coursekit as ck
    >>> image = ck.load_image("chelsea")
    >>> ck.show_maps(image, {"red": image[:, :1]}, unit="intensity")
    <Picture 640 × 229>
    """
    flat = {title: avg_pool2d(_flat(values)[None], pool)[0] for title, values in maps.items()}
    if not isinstance(unit, str) and len(unit) != len(flat):
        raise OptionError(f"Give one unit, or one for each of {len(flat)} maps, but there are {len(unit)}.")
    if relative:
        flat = {title: values / _scale([values], clip, None)[1] for title, values in flat.items()}
        limits = (-1.0 if any(values.min() < 0 for values in flat.values()) else 0.0, 1.0)
    first = image if image is not None else next(iter(flat.values()))
    figure, panels = image_panels(len(flat) + (image is not None), columns, aspect_of(first), bars=True)
    if image is not None:
        ax, *panels = panels
        draw_image(ax, image[0], mask=mask)
        ax.set_title("image")
    units = [unit] * len(flat) if isinstance(unit, str) else list(unit)
    for i, (ax, (title, values)) in enumerate(zip(panels, flat.items(), strict=True)):
        scale = _scale(list(flat.values()) if shared else [values], clip, limits)
        low, high, colours = scale
        if overlay and image is not None:
            colours = SIGNED if low < 0 else OVERLAY
            draw_image(ax, 0.4 + 0.6 * image[0].detach().cpu().mean(0, keepdim=True))  # grey: the only hue is the map's
        alpha = 0.6 if overlay and image is not None else 1.0
        drawn = _place(ax, values, first.shape[-2:], windows, cmap=colours, vmin=low, vmax=high, alpha=alpha)
        if mask is not None:
            draw_outline(ax, mask, *first.shape[:-3:-1])
        ax.set_title(title)
        if not shared or i == len(flat) - 1:
            target = panels if shared and len(flat) <= columns else ax
            ends = _ends(values, *scale)
            figure.colorbar(drawn, ax=target, label=units[i], shrink=0.85, pad=0.02, extend=ends)
    return Picture(figure, alt)


def _place(ax: Axes, values: Tensor, size: Sequence[int], windows: tuple[int, int] | None, **how: Any) -> AxesImage:
    """Draw a map (h, w) all over an image of that size, or each value of a grid at the centre of its window."""
    (rows, cols), (height, width) = values.shape, size
    start, tall, wide = 0.0, height / rows, width / cols  # of the cells
    if windows is not None:
        start, tall, wide = (windows[0] - windows[1]) / 2, windows[1], windows[1]
    smooth = "nearest" if min(rows, cols) < 64 else "antialiased"
    extent = (start, start + cols * wide, start + rows * tall, start)
    drawn = ax.imshow(values.numpy(), extent=extent, interpolation=smooth, **how)
    ax.set(xlim=(0, width), ylim=(height, 0))
    bare(ax)
    ax.spines[:].set(visible=windows is not None, color="#BBBBBB")  # the image's frame, which the grid may not reach
    return drawn


def _ends(values: Tensor, low: float, high: float, colours: str) -> str:
    """Say at which ends the colour bar has an arrow: where there are values beyond it."""
    if values.max() <= high and values.min() >= low:
        return "neither"
    return "both" if low < 0 else "max"


@styled
def show_grid(
    image: Tensor,
    labels: Tensor,
    names: Sequence[str],
    *,
    title: str = "most probable label",
    windows: tuple[int, int] | None = None,
    alt: str | None = None,
) -> Picture:
    """Show which label wins for each position of a window: a map of classes with its legend.

    labels : (1, rows, cols) class indices, as in `OcclusionGrid.label`.  names : the label of each class.
    windows : (window, stride): each label is drawn at its own window's centre; without it all over the image.

    >>> import coursekit as ck, torch
    >>> ck.show_grid(ck.load_image("chelsea"), torch.tensor([[[0, 1], [0, 0]]]), ["cat", "dog"])
    <Picture 640 × 229>
    """
    check_shape("labels", labels, 1, "rows", "columns", whole=True)
    if len(image) != 1 or not 0 <= int(labels.min()) <= int(labels.max()) < len(names):
        raise OptionError(f"Give one image, and labels from 0 to {len(names) - 1}, one for each name.")
    found, place, count = labels[0].unique(return_inverse=True, return_counts=True)
    order = count.argsort(descending=True, stable=True)
    rank = order.argsort()[place].clamp(max=len(COLOURS) - 1)  # rare labels share the last colour
    entries = [f"{names[found[i]]} ({count[i]} window{'s' * bool(count[i] > 1)})" for i in order.tolist()]
    if len(entries) > len(COLOURS):
        rest = int(count[order[len(COLOURS) - 1 :]].sum())
        entries = [*entries[: len(COLOURS) - 1], f"others ({rest} windows)"]
    figure, axes = image_panels(2, 2, aspect_of(image), bars=True)
    draw_image(axes[0], image[0])
    axes[0].set_title("image")
    how = {"cmap": ListedColormap(COLOURS), "vmin": -0.5, "vmax": len(COLOURS) - 0.5}
    _place(axes[1], rank, image.shape[-2:], windows, **how)
    axes[1].set_title(title)
    patches = [Patch(color=colour, label=entry) for colour, entry in zip(COLOURS, entries, strict=False)]
    figure.legend(handles=patches, loc="outside lower center", ncols=2)
    return Picture(figure, alt)


def _flat(values: Tensor) -> Tensor:
    """Any map as (height, width) on the CPU; channels are added up."""
    values = values.detach().cpu().float()
    if values.ndim == 4:
        values = values.sum(1)
    if values.ndim == 3 and len(values) != 1:
        raise OptionError(f"Give one map for each title, but this one holds {len(values)}; index it first.")
    return check_shape("A map to draw", values[0] if values.ndim == 3 else values, "h", "w")


def _scale(maps: Sequence[Tensor], clip: float, limits: tuple[float, float] | None) -> tuple[float, float, str]:
    values = torch.cat([m.flatten() for m in maps])
    if limits is not None:
        return *limits, SIGNED if limits[0] < 0 else MAGNITUDE
    high = float(torch.quantile(values.abs()[:: 1 + len(values) // 1_000_000], clip / 100)) or 1.0
    if values.min() < 0:
        return -high, high, SIGNED
    return 0.0, high, MAGNITUDE


@styled
def show_matrix(
    rows: Mapping[str, Mapping[str, Tensor]], *, image: Photographs = None, pool: int = 1, alt: str | None = None
) -> Picture:
    """Draw each map as a small picture: a row for each outer name, a column for each inner one.

    A tile is the picture that `structural_similarity` compares: the magnitude Σ_c |A_c| of the map, divided by its own
    99th percentile. So shapes can be compared from tile to tile, sizes cannot.

    Parameters
    ----------
    rows : name -> column -> map (1, C, h, w). A column that a row lacks stays empty there.
    image : (1, 3, H, W) in [0, 1], shown at the left of the first row; or the name of a row -> its image, a plate of
        photographs and methods.
    pool : draw the mean magnitude of so many by so many pixels, which calms grain; only in the largest maps.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    Raises `OptionError` if there is no map, or one that is not of one image.

    >>> import torch
    >>> show_matrix({"gradient": {"trained": torch.rand(1, 3, 8, 8), "random": torch.rand(1, 3, 8, 8)}})
    <Picture 900 × 415>
    """
    tiles = [check_shape("A map", values, 1, "C", "h", "w") for row in rows.values() for values in row.values()]
    height, width = tiles[0].shape[-2:]
    largest = max(values.shape[2] for values in tiles)
    images = dict(image if isinstance(image, Mapping) else {} if image is None else {next(iter(rows)): image})
    columns = [*["image"] * bool(images), *dict.fromkeys(column for row in rows.values() for column in row)]
    side = (WIDTH - 1.3) / len(columns)  # 1.3 inches for the names of the rows
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure = Figure(figsize=(WIDTH, len(rows) * side * height / width + 0.3), layout=layout)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for ax, column in zip(line, columns, strict=True):
            bare(ax)
            if ax is line[0] and name in images:
                draw_image(ax, check_shape("image", images[name], 1, 3, "H", "W")[0])
            elif column in row:
                heat = row[column].detach().cpu().float().abs().sum(1)
                calm = pool > 1 and row[column].shape[2] == largest
                heat, smooth = (avg_pool2d(heat, pool), "bilinear") if calm else (heat, "antialiased")
                options = {"cmap": MAGNITUDE, "vmin": 0, "vmax": 1, "interpolation": smooth}
                ax.imshow(magnitude_picture(heat), **options)
        line[0].set_ylabel(words(name).replace(" ", "\n"), rotation=0, ha="right", va="center")
    for ax, column in zip(axes[0], columns, strict=True):
        ax.set_title(column)
    return Picture(figure, alt)
