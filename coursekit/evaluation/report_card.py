"""The report card: what each method scored, whether it knows the network, its cost, and what it may be used for."""

import math
import textwrap
from dataclasses import dataclass

from matplotlib.figure import Figure

from coursekit.errors import OptionError
from coursekit.evaluation.sanity import RandomisationTest
from coursekit.evaluation.scoreboard import Scoreboard, stored_scoreboard
from coursekit.figures.figure import WIDTH, Picture, styled
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
    "edges": 0,
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
    "edges": "the baseline: it asks no network",
}
COLUMNS = ("energy in mask ↑", "deletion ↓", "similarity, signed ↓", "similarity, unsigned ↓", "passes ↓")
_LEFT, _STEP = 1.75, 0.78  # inches: where the first column begins, the width of each


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
        """The methods that both measured, in the order of their energy in the mask, and the edge detector last."""
        both = [method for method in self.board.rows if method in self.test.methods and method in USES]
        energy = {method: self.board.interval(method, "energy in mask")[0] for method in both}
        return sorted(both, key=lambda method: (method == "edges", -energy[method]))

    def row(self, method: str) -> list[float]:
        """Return the numbers of a method, one for each of the card's columns."""
        if method not in self.methods:
            raise OptionError(f"The report card has no {method!r}; it has {', '.join(self.methods)}.")
        return [
            self.board.interval(method, "energy in mask")[0],
            self.board.interval(method, "deletion")[0],
            self.test.interval(method, "Spearman")[0],
            self.test.interval(method, "Spearman of magnitudes")[0],
            PASSES[method],
        ]

    def _heading(self) -> str:
        return (
            f"{self.board.model}: energy in the mask and deletion from {len(set(self.board.objects))} objects; "
            f"similarity to the trained network's maps (Spearman) from {len(set(self.test.objects))} objects and "
            f"{len(self.test.seeds)} random network{'s' * (len(self.test.seeds) > 1)}, mean over "
            f"{len(self.test.layers)} layers."
        )

    def _table(self) -> list[list[str]]:
        rows = [[method, *_cells(self.row(method)), USES[method]] for method in self.methods]
        return [["method", *COLUMNS, "may be used for"], *rows]

    def __repr__(self) -> str:
        return text_table(self._heading(), self._table())

    def _repr_html_(self) -> str:
        return html_table(self._heading(), self._table())

    @styled
    def show(self) -> Picture:
        """Draw the table: the bluer a cell, the better; the edge detector, which knows no network, below the line."""
        rows, count = {method: self.row(method) for method in self.methods}, len(self.methods)
        figure = Figure(figsize=(WIDTH, 0.6 + 0.34 * count))
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set(xlim=(0, WIDTH), ylim=(count + 0.1, -1.6))
        ax.axis("off")
        right = _LEFT + _STEP * len(COLUMNS) + 0.15
        ax.text(right, -0.2, "may be used for", va="bottom", fontsize=9)
        for y, method in enumerate(rows):
            ax.text(0.1, y + 0.5, method, va="center", fontsize=10)
            ax.text(right, y + 0.5, USES[method], va="center", fontsize=9)
        for i, (name, column) in enumerate(zip(COLUMNS, zip(*rows.values(), strict=True), strict=True)):
            left, texts = _LEFT + _STEP * i, [_cells(row)[i] for row in rows.values()]
            ax.text(left + _STEP / 2, -0.2, textwrap.fill(name, 12), ha="center", va="bottom", fontsize=9)
            for y, (shade, text) in enumerate(zip(_shades(column, "↑" in name), texts, strict=True)):
                draw_cell(ax, left, y, _STEP, shade, text)
        ax.axhline(count - 1, color="#777777", lw=1)
        words = "; ".join(f"{method}: {', '.join(_cells(row))}" for method, row in rows.items())
        return Picture(figure, f"Report card. {self._heading()} {', '.join(COLUMNS)} of {words}.")


def _cells(row: list[float]) -> list[str]:
    *shares, passes = row
    return [*(f"{round(value, 2) + 0.0:.2f}" for value in shares), str(passes)]  # + 0.0: no minus before a zero


def _shades(column: tuple[float, ...], high_is_good: bool) -> list[float]:
    """Where each value lies in its column: 1 for the best, 0 for the worst; counts by logarithm, signs do not count."""
    values = [math.log1p(value) if max(column) > 1 else abs(value) for value in column]
    low, high = min(values), max(values)
    parts = [(value - low) / (high - low) if high > low else 0.5 for value in values]
    return parts if high_is_good else [1 - part for part in parts]


def stored_sanity(network: str = "efficientnet_lite0") -> RandomisationTest:
    """Read what `training/sanity_sweep.py` measured ahead: cascading randomisation of all methods over all layers.

    SmoothGrad took 10 samples there, integrated gradients 10 steps, and occlusion's windows lay side by side; `seconds`
    is the processor time. Raises `DataUnavailable` if nothing was measured for this network.

    >>> stored_sanity("coursenet").layers[:3]
    ['fc8', 'fc7', 'fc6']
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
    >>> card.methods[-1], card.row("edges")[2]
    ('edges', 1.0)
    """
    return ReportCard(stored_scoreboard(network), stored_sanity(network))
