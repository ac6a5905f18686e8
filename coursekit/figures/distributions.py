"""Histograms, and one number against another."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, grid_of_panels, styled
from coursekit.figures.lettering import method_colour, words


@styled
def show_histograms(
    panels: Mapping[str, Tensor],
    *,
    xlabel: str,
    bins: int = 40,
    log: bool = False,
    columns: int = 4,
    alt: str | None = None,
) -> Picture:
    """Draw how values are distributed, one panel for each name; all have the same bins and the same ends.

    Parameters
    ----------
    panels : title -> values, a tensor of any shape. The height of a bar is the share of the panel's values.
    xlabel : the quantity and its unit.
    bins : number of bars from the smallest to the largest value of all panels.
    log : make the height logarithmic, so that rare values are seen beside a peak at 0.
    columns : panels in a row.

    Raises `OptionError` if there is no value, or one that is NaN or infinite.

    >>> show_histograms({"relu1": torch.rand(100), "relu2": torch.rand(100)}, xlabel="activation")
    <Picture 675 × 270>
    """
    flat = {title: values.detach().cpu().float().flatten() for title, values in panels.items()}
    if not all(values.abs().max() < 1e18 for values in flat.values()):
        raise OptionError("Values to count must be finite, but some are NaN or infinite.")
    ends = min(float(v.min()) for v in flat.values()), max(float(v.max()) for v in flat.values())
    edges = np.histogram_bin_edges(np.array(ends), bins)

    def size(rows: int, columns: int) -> tuple[float, float]:
        return WIDTH * min(1, 0.25 + 0.25 * columns), 0.6 + 2.1 * rows

    figure, axes = grid_of_panels(len(flat), columns, size, sharex=True, sharey=True)
    for ax, (title, values) in zip(axes, flat.items(), strict=True):
        share = np.histogram(values.numpy(), edges)[0] / len(values)
        ax.stairs(share, edges, fill=True, color=COLOURS[0])
        ax.set(title=title, yscale="log" if log else "linear")
        ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    figure.supxlabel(xlabel, fontsize=11)
    figure.supylabel("share of the values", fontsize=11)
    return Picture(figure, alt)


@styled
def show_scatter(
    groups: Mapping[str, tuple[Sequence[float] | Tensor, Sequence[float] | Tensor]],
    *,
    xlabel: str,
    ylabel: str,
    names: Sequence[str] = (),
    curves: Mapping[str, tuple[Sequence[float] | Tensor, Sequence[float] | Tensor]] | None = None,
    log: bool = False,
    logx: bool = False,
    alt: str | None = None,
) -> Picture:
    """Draw dots, one number against another, with a name at each, and curves to compare them with.

    Parameters
    ----------
    groups : name -> (x, y), each (N,); a group has one colour, that of the method where it names one.
    names : a word at each dot, for the groups one after the other.
    curves : name -> (x, y) of a line in grey, such as what a formula says.
    log, logx : make the y axis or the x axis logarithmic.

    Raises `OptionError` if there is no dot, if x and y have other lengths, or if there is not a name for each.

    >>> show_scatter({"photographs": ([0.1, 0.9], [2.0, 1.0])}, xlabel="p", ylabel="length", names=["cat", "hen"])
    <Picture 675 × 420>
    """
    dots = {name: [torch.as_tensor(v).detach().cpu().tolist() for v in pair] for name, pair in groups.items()}
    places = [place for x, y in dots.values() for place in zip(x, y, strict=False)]
    pairs = (*dots.values(), *(curves or {}).values())
    if not places or any(len(x) != len(y) for x, y in pairs) or len(names) not in (0, len(places)):
        raise OptionError("show_scatter needs as many x as y in each group, at least one, and a name for each or none.")
    many = len(dots) + len(curves or {}) > 1
    figure = Figure(figsize=(WIDTH if many else WIDTH * 0.75, 4.2), layout="constrained")
    ax = figure.subplots()
    for name, curve in (curves or {}).items():
        x, y = (torch.as_tensor(values).tolist() for values in curve)
        ax.plot(x, y, "--", lw=1.5, color="#777777", label=words(name))
    for i, (name, (x, y)) in enumerate(dots.items()):
        colour = method_colour(name) or COLOURS[i % len(COLOURS)]
        ax.plot(x, y, "os^Dv"[i % 5], color=colour, label=words(name), ms=7, mec="white", mew=0.5)
    for name, place in zip(names, places, strict=False):
        ax.annotate(name, place, xytext=(6, 4), textcoords="offset points")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set(xscale="log" if logx else "linear", yscale="log" if log else "linear")
    ax.margins(x=0.12, y=0.1)
    ax.grid(alpha=0.3)
    if many:
        figure.legend(loc="outside right upper")
    return Picture(figure, alt)
