"""Charts in the style of the figures: lines, dots with intervals, polar plots, circuits."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import chain, cycle
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, SIGNED, WIDTH, Picture, bare, draw_image, grid_of_panels, styled
from coursekit.figures.lettering import method_colour, words, wrapped

STYLES = ("-", "--", "-.", ":")
SCALES = ("linear", "log")


@styled
def show_lines(
    x: Sequence[float] | Tensor,
    lines: Mapping[str, Sequence[float] | Tensor],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log: bool = False,
    logx: bool = False,
    limits: tuple[float, float] | None = None,
    ticks: Sequence[str] = (),
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    levels: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
    slopes: Mapping[str, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Draw one or more curves over a common x axis; `log` makes the y axis logarithmic, `logx` the x axis.

    A curve that names a method has that method's colour. Where a curve has NaN, its legend says how many points it has.

    ticks : a word below each x instead of its number.
    bands : name of a curve -> (lower, upper) ends of its interval at each x, drawn as a light band.
    limits : ends of the y axis.
    levels : name -> y, a horizontal line in grey, such as chance.
    marks : name -> x, a vertical line in grey, such as the size that a network was trained with.
    slopes : name -> k, a grey guide y ∝ x^k through the first point of the first curve; both axes must be logarithmic.

    Raises `OptionError` if there is no curve, or slopes on axes that are not logarithmic.

    >>> import coursekit as ck
    >>> ck.show_lines([0, 1], {"loss": [2.0, 1.0]}, xlabel="step", ylabel="loss")
    <Picture 675 × 360>
    """
    if slopes and not (log and logx):
        raise OptionError("slopes need log=True and logx=True.")
    xs = check_shape("x", torch.as_tensor(x), "N").tolist()
    if any(len(y) != len(xs) for y in chain(lines.values(), *(bands or {}).values())) or len(ticks) not in (0, len(xs)):
        raise OptionError(f"Each line, each band and the ticks must have one value for each of the {len(xs)} x.")
    legend = len(lines) + len(levels or {}) + len(marks or {}) + len(slopes or {}) > 1
    figure = Figure(figsize=(WIDTH if legend else WIDTH * 0.75, 4.2 if len(lines) > 6 else 3.6), layout="constrained")
    ax = figure.subplots()
    for i, (name, values) in enumerate(lines.items()):
        y = torch.as_tensor(values).tolist()
        marker = "o" if len(xs) < 20 else None  # few points: show where they are
        colour = method_colour(name) or COLOURS[i % len(COLOURS)]
        style = STYLES[(i + i // len(COLOURS)) % len(STYLES)]  # where colours come again, the style is another
        ax.plot(xs, y, style, marker=marker, color=colour, label=_counted(name, y))
        if bands and name in bands:
            ax.fill_between(xs, *bands[name], color=colour, alpha=0.15, lw=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale=SCALES[logx], yscale=SCALES[log])
    if limits:
        ax.set_ylim(limits)
    _draw_references(ax, levels or {}, marks or {}, slopes or {})
    if ticks:
        crowded = len(ticks) > 8
        ax.set_xticks(xs, list(map(words, ticks)), rotation=45 * crowded, ha="right" if crowded else "center")
        ax.set_xticks([], minor=True)  # on a logarithmic axis they have numbers of their own
    ax.grid(alpha=0.3)
    if legend:
        figure.legend(loc="outside right upper")  # where it hides no curve
    return Picture(figure, alt)


@styled
def draw_multiples(
    lines: Mapping[str, Sequence[tuple[float, float, float]]],
    *,
    ticks: Sequence[str],
    xlabel: str,
    ylabel: str,
    reference: str = "",
    limits: tuple[float, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Draw each curve of (value, low, high) in a small panel of its own, in its method's colour; one grey in all."""
    others = [name for name in lines if name != reference] or [reference]

    def size(rows: int, columns: int) -> tuple[float, float]:
        return WIDTH, rows * 1.45 + 0.8

    figure, axes = grid_of_panels(len(others), 4 if len(others) > 6 else 3, size, sharex=True, sharey=True)
    for ax, name in zip(axes, others, strict=True):
        mean, low, high = zip(*lines[name], strict=True)
        colour = method_colour(name) or COLOURS[0]
        if reference in lines:
            ax.plot(range(len(ticks)), [middle for middle, *_ in lines[reference]], "--", color="#777777", lw=1.5)
        ax.fill_between(range(len(ticks)), low, high, color=colour, alpha=0.2, lw=0)
        ax.plot(range(len(ticks)), mean, "o-", color=colour, ms=4)
        ax.set_title(words(name), color=colour)
        ax.grid(alpha=0.3)
        shown = range(0, len(ticks), math.ceil(len(ticks) / 6))
        ax.set_xticks(shown, [words(ticks[i]) for i in shown], rotation=60, ha="right")
    if limits:
        axes[0].set_ylim(limits)
    figure.supxlabel(f"{xlabel} (dashed: {words(reference)})" if reference in lines else xlabel, fontsize=11)
    figure.supylabel(ylabel, fontsize=11)
    return Picture(figure, alt)


def _counted(name: str, values: Sequence[float]) -> str:
    """The name for the legend, with the number of points where some are missing (NaN)."""
    there = sum(value == value for value in values)
    name = name if there == len(values) else f"{name} ({there} of {len(values)} points)"
    return textwrap.fill(words(name), 26)


def _draw_references(
    ax: Axes, levels: Mapping[str, float], marks: Mapping[str, float], slopes: Mapping[str, float]
) -> None:
    """Draw grey lines without markers: levels, marks, and powers of x through the first point of the first curve."""
    styles = cycle([(0, (6, 3)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 5))])
    options: dict[str, Any] = {"color": "#777777", "lw": 1.5, "zorder": 1}
    x, y = (torch.as_tensor(values, dtype=torch.double) for values in ax.lines[0].get_data())
    for name, k in slopes.items():
        ax.plot(x, y[0] * (x / x[0]) ** k, ls=next(styles), label=words(name), **options)
    for draw, places in ((ax.axhline, levels), (ax.axvline, marks)):
        for name, place in places.items():
            draw(place, ls=next(styles), label=words(name), **options)


@styled
def show_dots(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    xlabel: str = "",
    interval: str = "interval",
    line: str = "",
    grey: Sequence[str] = (),
    columns: int = 3,
    limits: tuple[float, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Compare scores: in each panel one dot with its interval for each name, the first name on top.

    A name that is a method has that method's colour. A value that is missing or NaN is said: n/a.

    Parameters
    ----------
    panels : title -> name -> (value, low, high); low = high where there is no interval.
    xlabel : the quantity and its unit, if it is one for all panels; they then have the same ends.
    interval : what the bars are intervals of, such as "95 % interval over 48 objects" or "range of six scenes".
    line : a dashed line marks this name's value in each panel.
    grey : names to draw in grey, such as baselines.
    columns : panels in a row.
    limits : the ends of the axis in all panels.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    >>> show_dots({"CourseNet": {"ours": (0.8, 0.7, 0.9), "chance": (0.5, 0.4, 0.6)}}, xlabel="accuracy", line="chance")
    <Picture 468 × 151>
    """
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))

    def size(rows: int, columns: int) -> tuple[float, float]:
        return WIDTH * min(1, 0.28 + 0.24 * columns), 0.3 + rows * (0.8 + 0.24 * len(names))

    figure, axes = grid_of_panels(len(panels), columns, size, sharey=True, sharex=bool(xlabel))
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
        for y, name in enumerate(names):
            _draw_dot(ax, y, panel.get(name, (math.nan,) * 3), name, name in grey)
        if line in panel:
            ax.axvline(panel[line][0], ls="--", lw=1, color="#777777", zorder=0)
        ax.set_title(title)
        if limits:
            ax.set_xlim(limits)
        ax.tick_params(labelbottom=True)
        ax.grid(alpha=0.3)
    barred = any(low < high for panel in panels.values() for _, low, high in panel.values())
    below = filter(None, [xlabel, f"bar: {interval}" * barred, f"dashed: {words(line)}" * bool(line)])
    figure.supxlabel(wrapped(", ".join(below), figure.get_figwidth(), 11), fontsize=11)
    axes[0].set_yticks(range(len(names)), list(map(words, names)))
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    return Picture(figure, alt)


def _draw_dot(ax: Axes, y: int, cell: tuple[float, float, float], name: str, grey: bool) -> None:
    value, low, high = map(float, cell)
    if value != value:  # missing: said at the left end, where no dot could be meant
        ax.text(0.02, y, "n/a", transform=ax.get_yaxis_transform(), va="center", color="#777777", style="italic")
        return
    colour = "#777777" if grey else method_colour(name) or COLOURS[0]
    ax.hlines(y, low, high, color=colour, lw=2)
    ax.plot(value, y, "o", color=colour, mfc="white" if grey else colour, ms=6)


@styled
def show_polar(
    panels: Mapping[str, Mapping[str, Tensor]],
    *,
    turn: int = 360,
    columns: int = 4,
    alt: str | None = None,
) -> Picture:
    """Draw tuning curves around the circle: the angle is the stimulus's, the distance from the centre the answer.

    Parameters
    ----------
    panels : title -> name of a curve -> answers (A,) at A evenly spaced angles from 0 on. Each panel has its own scale.
    turn : degrees that the A angles cover: 360, or 180 for bars, whose curve is then drawn twice.
    columns : panels in a row.

    >>> show_polar({"unit 3": {"answer": torch.rand(16)}})
    <Picture 270 × 320>
    """
    if turn not in (180, 360):
        raise OptionError(f"turn is 180 or 360, but is {turn}.")
    for title, curves in panels.items():
        for values in curves.values():
            check_shape(f"A curve of {title!r}", values, "A")

    def size(rows: int, columns: int) -> tuple[float, float]:
        width = WIDTH * min(1, 0.3 * columns)
        return width, rows * (width / columns + 0.5)

    figure, axes = grid_of_panels(len(panels), columns, size, subplot_kw={"projection": "polar"})
    figure.set_layout_engine("constrained", wspace=0.12)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for i, (name, values) in enumerate(curves.items()):
            around = torch.cat([values.detach().cpu()] * (360 // turn))
            angles = torch.linspace(0, 2 * math.pi, len(around) + 1)
            ax.plot(angles, torch.cat([around, around[:1]]), STYLES[i % 4], color=COLOURS[i % len(COLOURS)], label=name)
            if i == 0:
                ax.fill(angles[:-1], around, color=COLOURS[0], alpha=0.12)
        ax.set_title(title)
        ax.set_xticks([k * math.pi / 2 for k in range(4)], ["0°", "90°", "180°", "270°"])
        ax.set_yticks([])
        ax.set_ylim(0)
        ax.tick_params(pad=0)
        ax.grid(alpha=0.4)
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    if len(names) > 1:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(names))
    return Picture(figure, alt)


@styled
def show_circuit(
    kernels: Tensor,
    titles: Sequence[str],
    *,
    pictures: Sequence[Tensor] = (),
    unit: str = "weight",
    alt: str | None = None,
) -> Picture:
    """Draw kernels as excitation (red) and inhibition (blue) by place, on one scale, each below its input's picture.

    Parameters
    ----------
    kernels : (n, k, k)
    titles : one for each.
    pictures : n images (3, H, W) or (1, 3, H, W) of what each input looks for; none if empty.
    unit : what the colour bar measures.

    >>> show_circuit(torch.randn(3, 3, 3), ["0°", "60°", "120°"])
    <Picture 792 × 260>
    """
    kernels = check_shape("kernels", kernels, "n", "k", "k")
    if len(titles) != len(kernels) or len(pictures) not in (0, len(kernels)):
        counts = f"{len(titles)} titles and {len(pictures)} pictures"
        raise OptionError(f"Give {len(kernels)} titles, and as many pictures or none, but got {counts}.")
    rows = 2 if len(pictures) else 1
    side = min(2.2, WIDTH / (len(kernels) + 0.6))
    figure = Figure(figsize=(side * (len(kernels) + 0.6), rows * side + 0.4), layout="constrained")
    axes = figure.subplots(rows, len(kernels), squeeze=False)
    high = float(kernels.abs().max()) or 1.0
    for i, title in enumerate(titles):
        if len(pictures):
            draw_image(axes[0, i], pictures[i].reshape(-1, *pictures[i].shape[-2:]))
        drawn = axes[-1, i].imshow(kernels[i].detach().cpu().numpy(), cmap=SIGNED, vmin=-high, vmax=high)
        bare(axes[-1, i])
        axes[0, i].set_title(title)
    figure.colorbar(drawn, ax=list(axes.flat), label=unit, shrink=0.8, pad=0.02)
    return Picture(figure, alt)
