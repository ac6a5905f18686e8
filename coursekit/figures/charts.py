"""Charts in the style of the figures: lines, and dots with intervals."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, styled


@styled
def show_lines(
    x: Sequence[float] | Tensor,
    lines: Mapping[str, Sequence[float] | Tensor],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log: bool = False,
    ticks: Sequence[str] = (),
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    alt: str = "",
) -> Picture:
    """Draw one or more curves over a common x axis; `log` makes the y axis logarithmic.

    ticks : a word below each x instead of its number.
    bands : name of a curve -> (lower, upper) ends of its interval at each x, drawn as a light band.

    >>> import coursekit as ck
    >>> ck.show_lines([0, 1], {"loss": [2.0, 1.0]}, xlabel="step", ylabel="loss")
    <Picture: Curves of loss over step: loss>
    """
    many = len(lines) > 6  # then the legend would hide curves
    figure = Figure(figsize=(WIDTH, 4.2) if many else (WIDTH * 0.75, 3.4), layout="constrained")
    ax = figure.subplots()
    styles = ["-", "--", "-.", ":"]
    for i, (name, y) in enumerate(lines.items()):
        marker = "o" if len(x) < 20 else None  # few points: show where they are
        style = styles[(i + i // len(COLOURS)) % len(styles)]  # where colours come again, the style is another
        (line,) = ax.plot(torch.as_tensor(x).tolist(), torch.as_tensor(y).tolist(), style, marker=marker, label=name)
        if bands and name in bands:
            ax.fill_between(torch.as_tensor(x).tolist(), *bands[name], color=line.get_color(), alpha=0.15, lw=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log" if log else "linear")
    if ticks:
        crowded = len(ticks) > 8
        ax.set_xticks(
            torch.as_tensor(x).tolist(), ticks, rotation=45 if crowded else 0, ha="right" if crowded else "center"
        )
    ax.grid(alpha=0.3)
    if many:
        figure.legend(loc="outside right upper")
    elif len(lines) > 1:
        ax.legend()
    return Picture(figure, alt or f"Curves of {ylabel} over {xlabel}: " + ", ".join(lines))


@styled
def show_dots(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    line: str = "",
    grey: Sequence[str] = (),
    columns: int = 3,
    limits: tuple[float, float] | None = None,
    alt: str = "",
) -> Picture:
    """Compare scores: in each panel one dot with its interval for each name, the first name on top.

    Parameters
    ----------
    panels : title -> name -> (value, low, high); a name may be missing in a panel.
    line : a dashed line marks this name's value in each panel.
    grey : names to draw in grey, such as baselines.
    columns : panels in a row.
    limits : the same ends for the values of all panels, where they are to be compared; else each has its own.
    alt : what a reader who cannot see the figure should know.

    >>> show_dots({"accuracy": {"ours": (0.8, 0.7, 0.9), "chance": (0.5, 0.4, 0.6)}}, line="chance")
    <Picture: Values with their intervals: accuracy of ours, chance>
    """
    if not panels or not all(panels.values()):
        raise OptionError("show_dots needs at least one panel, and at least one value in each.")
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(WIDTH * min(1, 0.28 + 0.24 * columns), rows * (0.8 + 0.24 * len(names))))
    figure.set_layout_engine("constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
    for ax in axes[len(panels) :]:
        ax.remove()
    for ax, (title, panel) in zip(axes, panels.items(), strict=False):
        for y, name in enumerate(names):
            if name in panel:
                value, low, high = panel[name]
                colour = "#777777" if name in grey else COLOURS[0]
                ax.hlines(y, low, high, color=colour, lw=2)
                ax.plot(value, y, "o", color=colour, mfc="white" if name in grey else colour, ms=6)
        if line in panel:
            ax.axvline(panel[line][0], ls="--", lw=1, color="#777777", zorder=0)
        ax.set_title(title)
        ax.set_xlim(limits)
        ax.grid(alpha=0.3)
    figure.supxlabel("dot: value, bar: its interval" + f", dashed: {line}" * bool(line), fontsize=10)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    return Picture(figure, alt or f"Values with their intervals: {', '.join(panels)} of {', '.join(names)}")
