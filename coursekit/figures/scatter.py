"""Embeddings as pictures: dots in the plane, coloured by name or by number."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.patheffects import withStroke
from torch import Tensor

from coursekit.arguments import check_points
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, grid_of_panels, styled

GREY = "#BBBBBB"


# Paul Tol's "muted" colours, made for colour-blind readers, and an orange; no grey, which means noise or other
TEN = ["#332288", "#ee7733", "#117733", "#cc6677", "#88ccee", "#882255", "#ddcc77", "#44aa99", "#aa4499", "#999933"]


@styled
def show_points(
    panels: Mapping[str, Tensor],
    colours: Sequence[str] | Tensor | Mapping[str, Sequence[str] | Tensor],
    *,
    unit: str | Mapping[str, str] = "",
    grey: Sequence[str] = (),
    columns: int = 3,
    most: int = 1500,
    alt: str | None = None,
) -> Picture:
    """Draw embeddings as dots, without axes: in most of them the numbers on the axes mean nothing.

    Parameters
    ----------
    panels : title -> points (N, 2).
    colours : for each point a name (dots of one name have one colour) or a number (N,); or title -> such.
    unit : what a colour bar measures; or title -> such. Where numbers have both signs, blue is below 0 and red above.
    grey : names to draw in grey, such as "other" or "noise".
    columns : panels in a row.
    most : of more points than this, every second, third … one is drawn, so that dots hide each other less.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    Raises
    ------
    OptionError

    >>> import torch
    >>> show_points({"PCA": torch.rand(3, 2)}, ["zebra", "zebra", "hen"])
    <Picture 720 × 500>
    """
    if isinstance(colours, Mapping) and set(colours) != set(panels):
        raise OptionError(f"colours must have the panels' titles, {', '.join(panels)}, but has {', '.join(colours)}.")
    given = {title: colours[title] if isinstance(colours, Mapping) else colours for title in panels}
    for title, points in panels.items():
        check_points(points, given[title], title)

    def size(rows: int, columns: int) -> tuple[float, float]:
        width = 0.8 * WIDTH if columns == 1 else WIDTH
        return width, rows * min(0.75 * width / columns + 0.3, 5.0)

    figure, axes = grid_of_panels(len(panels), columns, size)
    legend: dict[str, str] = {}
    for ax, (title, points) in zip(axes, panels.items(), strict=True):
        step = math.ceil(len(points) / most)
        xy, colour = points[::step].detach().cpu(), given[title][::step]
        if isinstance(colour, Tensor):
            measure = unit.get(title, "") if isinstance(unit, Mapping) else unit
            figure.colorbar(_numbered_dots(ax, xy, colour), ax=ax, label=measure, pad=0.02, shrink=0.85)
        else:
            legend |= _named_dots(ax, xy, list(colour), list(given[title]), grey)
        ax.set_title(title)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="#DDDDDD")
        ax.set_aspect("equal", adjustable="datalim")
    if legend:
        handles = [mpl.lines.Line2D([], [], ls="", marker="o", color=c, label=name) for name, c in legend.items()]
        fit = int(figure.get_figwidth() / (0.5 + 0.07 * max(map(len, legend))))  # so many names side by side
        figure.legend(
            handles=handles, loc="outside lower center", ncols=max(1, min(len(handles), fit)), handletextpad=0.1
        )
    return Picture(figure, alt)


def _size(count: int) -> float:
    return min(22.0, max(4.0, 5000 / count))


def _numbered_dots(ax: mpl.axes.Axes, xy: Tensor, values: Tensor) -> mpl.collections.PathCollection:
    values = values.detach().cpu().float()
    high = float(values.abs().max())
    scale = {"cmap": "coolwarm", "vmin": -high, "vmax": high} if values.min() < 0 else {"cmap": "viridis"}
    order = values.abs().argsort(stable=True) if values.min() < 0 else torch.arange(len(values))  # strong ones on top
    x, y = xy[order].T.numpy()
    return ax.scatter(x, y, c=values[order].numpy(), s=_size(len(xy)), linewidths=0, **scale)


def palette(names: Sequence[str], grey: Sequence[str] = ()) -> dict[str, str]:
    """Give each name a colour, in the order of first appearance; short names (digits) in their own order."""
    found = [name for name in dict.fromkeys(names) if name not in grey]
    if all(len(name) <= 2 for name in found):
        found = sorted(found, key=lambda name: (len(name), name))
    cycle = COLOURS[:7] if len(found) <= 7 else TEN
    return {name: cycle[i % len(cycle)] for i, name in enumerate(found)} | {name: GREY for name in grey}


def _named_dots(ax: mpl.axes.Axes, xy: Tensor, names: list[str], all_names: list[str], grey: Sequence[str]) -> dict:
    """Draw dots coloured by name; short names stand among their dots, longer ones are returned for a legend."""
    colour = palette(all_names, grey)
    order = sorted(range(len(names)), key=lambda i: names[i] not in grey)  # grey ones below all others
    x, y = xy[order].T.numpy()
    ax.scatter(x, y, c=[colour[names[i]] for i in order], s=_size(len(xy)), linewidths=0)
    labelled = [name for name in colour if name not in grey]
    short = all(len(name) <= 2 for name in labelled)
    if len(labelled) > (26 if short else len(TEN)):  # more names than colours: a legend would lie
        return {}
    if not short:
        present = set(all_names)
        return {name: c for name, c in colour.items() if name in present}
    for name in labelled:
        own = xy[[i for i, n in enumerate(names) if n == name]]
        if len(own):  # on the dot nearest to the middle, so that the name lies on its own colour
            middle = own[(own - own.median(0).values).norm(dim=1).argmin()].tolist()
            ax.text(
                middle[0],
                middle[1],
                name,
                ha="center",
                va="center",
                weight="bold",
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )
    return {}
