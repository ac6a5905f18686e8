"""Charts in the style of the figures: lines, dots with intervals, polar plots, circuits."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.errors import OptionError
from coursekit.figures.figure import (
    COLOURS,
    SIGNED,
    WIDTH,
    Picture,
    bare,
    draw_image,
    grid_of_panels,
    image_panels,
    styled,
)


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
    alt: str | None = None,
) -> Picture:
    """Draw one or more curves over a common x axis; `log` makes the y axis logarithmic.

    ticks : a word below each x instead of its number.
    bands : name of a curve -> (lower, upper) ends of its interval at each x, drawn as a light band.

    >>> import coursekit as ck
    >>> ck.show_lines([0, 1], {"loss": [2.0, 1.0]}, xlabel="step", ylabel="loss")
    <Picture 675 × 340>
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
    return Picture(figure, alt)


@styled
def show_dots(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    line: str = "",
    grey: Sequence[str] = (),
    columns: int = 3,
    limits: tuple[float, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Compare scores: in each panel one dot with its interval for each name, the first name on top.

    Parameters
    ----------
    panels : title -> name -> (value, low, high); a name may be missing in a panel.
    line : a dashed line marks this name's value in each panel.
    grey : names to draw in grey, such as baselines.
    columns : panels in a row.
    limits : the same ends for the values of all panels, where they are to be compared; else each has its own.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    >>> show_dots({"accuracy": {"ours": (0.8, 0.7, 0.9), "chance": (0.5, 0.4, 0.6)}}, line="chance")
    <Picture 468 × 121>
    """
    if not panels or not all(panels.values()):
        raise OptionError("show_dots needs at least one panel, and at least one value in each.")
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))

    def size(rows: int, columns: int) -> tuple[float, float]:
        return WIDTH * min(1, 0.28 + 0.24 * columns), rows * (0.8 + 0.24 * len(names))

    figure, axes = grid_of_panels(len(panels), columns, size, sharey=True)
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
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
    return Picture(figure, alt)


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
    if not panels or not all(panels.values()) or turn not in (180, 360):
        raise OptionError("show_polar needs at least one panel with a curve, and turn is 180 or 360.")

    def size(rows: int, columns: int) -> tuple[float, float]:
        width = WIDTH * min(1, 0.3 * columns)
        return width, rows * (width / columns + 0.5)

    figure, axes = grid_of_panels(len(panels), columns, size, subplot_kw={"projection": "polar"})
    figure.set_layout_engine("constrained", wspace=0.12)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for i, (name, values) in enumerate(curves.items()):
            around = torch.cat([values.detach().cpu()] * (360 // turn))
            angles = torch.linspace(0, 2 * math.pi, len(around) + 1)
            style = ("-", "--", "-.", ":")[i % 4]
            ax.plot(angles, torch.cat([around, around[:1]]), style, color=COLOURS[i % len(COLOURS)], label=name)
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
    if kernels.ndim != 3 or len(titles) != len(kernels) or len(pictures) not in (0, len(kernels)):
        raise OptionError(
            f"Give kernels (n, k, k), n titles and n pictures or none, but got {tuple(kernels.shape)}, {len(titles)} "
            f"and {len(pictures)}."
        )
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


@styled
def show_parts(panels: Mapping[str, tuple[Tensor, Tensor]], *, columns: int = 4, alt: str | None = None) -> Picture:
    """Draw places on pictures, as dots: the peaks of a filter on an object.

    Parameters
    ----------
    panels : title -> picture (1, 3, h, w), and places (n, 2): row and column from 0 to 1, as of `part_places`.
        What lies more than a tenth outside the picture is left out.
    columns : panels in a row.

    >>> show_parts({"filter 3": (torch.ones(1, 3, 8, 8), torch.rand(5, 2))})
    <Picture 320 × 355>
    """
    if not panels:
        raise OptionError("show_parts needs at least one panel.")
    figure, axes = image_panels(len(panels), columns, 1.0)
    for ax, (title, (picture, places)) in zip(axes, panels.items(), strict=False):
        draw_image(ax, picture[0])
        height, width = picture.shape[2:]
        near = places[((places > -0.1) & (places < 1.1)).all(1)]
        ax.plot(near[:, 1] * width, near[:, 0] * height, "o", ms=7, mec="white", color=COLOURS[5], alpha=0.8)
        ax.set_title(title)
    return Picture(figure, alt)
