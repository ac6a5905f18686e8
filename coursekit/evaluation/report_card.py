"""The report card: what each method scored, whether it knows the network, its cost, and what it may be used for."""

import math
import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coursekit.attribution.reference import BASELINES
from coursekit.errors import OptionError
from coursekit.evaluation.sanity import RandomisationTest
from coursekit.evaluation.scoreboard import BETTER, Scoreboard, stored_scoreboard
from coursekit.figures.figure import Picture, styled
from coursekit.figures.lettering import method_colour, words
from coursekit.figures.tables import draw_cell, html_table, text_table
from coursekit.files import DATA, stored

# Passes through the network for one map: forward plus backward. Occlusion's and RISE's are those of `all_methods`: 169
# windows and the whole picture, 500 masks.
PASSES = {
    "input_gradient": 2,
    "input_x_gradient": 2,
    "smoothgrad": 100,
    "integrated_gradients": 100,
    "guided_backprop": 2,
    "deconvnet": 2,
    "occlusion": 170,
    "cam": 1,
    "grad_cam": 2,
    "guided_grad_cam": 3,
    "fullgrad": 2,
    "rise": 500,
    "hires_cam": 2,
    "layer_cam": 2,
    "relevance": 3,
    **dict.fromkeys(BASELINES, 0),
}
USES = {
    "input_gradient": "which pixels would change the score; grainy",
    "input_x_gradient": "a first guess of each pixel's share of the logit",
    "smoothgrad": "the gradient's places, with less grain",
    "integrated_gradients": "shares of a logit, if black means nothing there",
    "guided_backprop": "what excites a neuron; not why this class",
    "deconvnet": "patterns behind a neuron; not why this class",
    "occlusion": "what the score loses without a part; any network",
    "cam": "where the evidence for a class lies; coarse",
    "grad_cam": "where the evidence for a class lies; any CNN",
    "guided_grad_cam": "sharp pictures; the detail is guided backprop's",
    "fullgrad": "where the object is; hardly which class",
    "rise": "as occlusion, without a window to choose; slow",
    "hires_cam": "as Grad-CAM, and adds up over a linear head",
    "layer_cam": "where the object is, from inner layers too",
    "relevance": "each pixel's share, by rules; biases take some",
    "chance": "baseline: noise, the same for every network",
    "edges": "baseline: it asks no network",
    "centre": "baseline: it looks at nothing at all",
}
SCORES = ("energy in mask", "pointing game", "best IoU", "deletion")  # of the board
LIKENESS = {"similarity, signed": "Spearman", "similarity, magnitudes": "Spearman of magnitudes"}  # of the test
COLUMNS = (*(f"{name} {BETTER[name]}" for name in SCORES), *LIKENESS, "passes ↓")
HIGH = 0.5  # a similarity above it is marked
_LEFT, _STEP, _SIZE = 2.08, 1.0, (13.8, 0.285)  # inches; the size: width, and height of one row


@dataclass
class ReportCard:
    """One row for each method; print it for the table, `show()` draws it.

    Attributes
    ----------
    board : the scores against the true masks, and deletion (lab 06)
    test : cascading randomisation (lab 14): similarity to the trained network's maps, mean over all layers
    """

    board: Scoreboard
    test: RandomisationTest

    @property
    def methods(self) -> list[str]:
        """The methods that both measured, in the order of their energy in the mask, and the baselines last."""
        both = [method for method in self.board.rows if method in self.test.methods and method in USES]
        energy = {method: self.board.interval(method, "energy in mask")[0] for method in both}
        return sorted(both, key=lambda method: (method in BASELINES, -energy[method]))

    def intervals(self, method: str) -> list[tuple[float, float, float]]:
        """Return (mean, low, high) for each of the card's columns but the passes; 95 % intervals."""
        if method not in self.methods:
            raise OptionError(f"The report card has no {method!r}; it has {', '.join(self.methods)}.")
        scores = [self.board.interval(method, name) for name in SCORES]
        return scores + [self.test.interval(method, measure) for measure in LIKENESS.values()]

    def row(self, method: str) -> list[float]:
        """Return the numbers of a method, one for each of the card's columns."""
        return [*(mean for mean, *_ in self.intervals(method)), PASSES[method]]

    def _heading(self) -> str:
        objects = self.board.objects
        few = max(len(row["deletion"]) for row in self.board.rows.values())
        random = len(self.test.seeds)
        return (
            f"{self.board.model}: scores from {len(set(objects))} objects ({len(objects)} scenes), deletion from "
            f"{len(set(objects[:few]))}; similarity to the trained network's maps (Spearman), mean over "
            f"{len(self.test.layers)} layers, from {len(set(self.test.objects))} objects and {random} random "
            f"network{'s' * (random > 1)}. Mean [95 % interval]."
        )

    def _table(self) -> list[list[str]]:
        rows = []
        for method in self.methods:
            cells = [f"{_number(mean)} [{_number(low)}, {_number(high)}]" for mean, low, high in self.intervals(method)]
            rows.append([method, *cells, str(PASSES[method]), USES[method]])
        return [["method", *COLUMNS, "may be used for"], *rows]

    def __repr__(self) -> str:
        return text_table(self._heading(), self._table())

    def _repr_html_(self) -> str:
        return html_table(self._heading(), self._table())

    @styled
    def show(self) -> Picture:
        """Draw the table: the bluer a score, the better; similarity is grey, with a red mark above 0.5.

        The line below a number is its interval, on a scale from 0 to 1 over the cell. The baselines stand at the end.
        """
        rows, count = {method: self.row(method) for method in self.methods}, len(self.methods)
        figure = Figure(figsize=(_SIZE[0], (count + 5.4) * _SIZE[1]))
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, _SIZE[0]), ylim=(count + 2.3, -3.1))
        ax.axis("off")
        right = _LEFT + _STEP * len(COLUMNS) + 0.15
        ax.text(right, -0.2, "may be used for", va="bottom")
        for y, method in enumerate(rows):
            ax.text(0.1, y + 0.5, words(method), va="center", color=method_colour(method) or "#555555")
            ax.text(right, y + 0.5, USES[method], va="center")
        for i, (name, column) in enumerate(zip(COLUMNS, zip(*rows.values(), strict=True), strict=True)):
            left, alike = _LEFT + _STEP * i, name in LIKENESS
            ax.text(left + _STEP / 2, -0.2, textwrap.fill(name, 11), ha="center", va="bottom")
            shades = [0.0] * count if alike else _shades(column, "↑" in name)
            for y, (method, shade, value) in enumerate(zip(rows, shades, column, strict=True)):
                draw_cell(ax, left, y, _STEP, shade, _number(value) if i < len(COLUMNS) - 1 else str(value))
                if i < len(COLUMNS) - 1:
                    _draw_interval(ax, left, y, self.intervals(method)[i], alike and abs(value) > HIGH)
        ax.axhline(count - sum(method in BASELINES for method in rows), color="#777777", lw=1)
        for line, text in enumerate(textwrap.wrap(words(self._heading()), 125)):
            ax.text(0.1, count + 0.75 + 0.85 * line, text, va="center", color="#555555")
        told = "; ".join(f"{method}: {', '.join(map(_number, row[:-1]))}, {row[-1]}" for method, row in rows.items())
        return Picture(figure, f"Report card. {self._heading()} {', '.join(COLUMNS)} of {told}.")


def _draw_interval(ax: Axes, left: float, y: int, cell: tuple[float, float, float], marked: bool) -> None:
    """Draw an interval below the number in its cell, which is the scale from 0 to 1; red and thick if marked."""
    ends = [left + 0.05 + (_STEP - 0.1) * min(max(end, 0.0), 1.0) for end in cell[1:]]
    colour, width = ("#C00000", 3.5) if marked else ("#444444", 1.5)
    ax.plot([ends[0], max(ends[1], ends[0] + 0.03)], [y + 0.9] * 2, color=colour, lw=width, solid_capstyle="butt")


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # + 0.0: no minus before a zero


def _shades(column: tuple[float, ...], high_is_good: bool) -> list[float]:
    """Where each value lies in its column: 1 for the best, 0 for the worst; counts by logarithm, signs do not count."""
    values = [math.log1p(value) if max(column) > 1 else abs(value) for value in column]
    low, high = min(values), max(values)
    parts = [(value - low) / (high - low) if high > low else 0.5 for value in values]
    return parts if high_is_good else [1 - part for part in parts]


def stored_sanity(network: str = "efficientnet_lite0") -> RandomisationTest:
    """Read what `training/sanity_sweep.py` measured ahead: cascading randomisation of all methods but RISE.

    The cascade goes through all layers and is read at some of them. SmoothGrad took 10 samples there, integrated
    gradients 10 steps, and occlusion's windows lay side by side; `seconds` is the processor time.
    Raises `DataUnavailable` if nothing was measured for this network.

    >>> stored_sanity("coursenet").layers[:3]
    ['fc8', 'fc6', 'conv5']
    """
    missing = (
        f"There is no stored randomisation test of {network!r}; make it: python training/sanity_sweep.py {network}"
    )
    return RandomisationTest.load(stored(DATA / f"sanity/{network}.json", missing))


def report_card(network: str = "efficientnet_lite0") -> ReportCard:
    """Return the table of all methods: ground truth, deletion, sanity check, cost, and what each may be used for.

    It is put together from `stored_scoreboard` and `stored_sanity`. A high similarity to the trained network's maps is
    bad: such a map stays as it was while the network forgets. A low one alone is no praise, for noise has it too.
    Raises `DataUnavailable` if the network was not measured.

    >>> card = report_card("coursenet")
    >>> sorted(card.methods[-3:]), card.row("edges")[4]
    (['centre', 'chance', 'edges'], 1.0)
    """
    return ReportCard(stored_scoreboard(network), stored_sanity(network))
