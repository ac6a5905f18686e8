"""The result of a sanity check: numbers for each method, layer, seed and image; a table, a figure, a file."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from coursekit.errors import OptionError
from coursekit.evaluation.scoreboard import bootstrap_interval
from coursekit.evaluation.similarity import SIMILARITIES
from coursekit.figures.charts import show_lines
from coursekit.figures.figure import Picture
from coursekit.results import html_table, read_json, text_table, write_json

BLANK = "blank"  # the measure that stands beside the four similarities


@dataclass
class RandomisationTest:
    """How similar each method's maps stay when weights are drawn anew; print it for the table, `show()` draws it.

    The trained network's own maps are what all others are compared with. They are in no row, and so in no mean.

    Attributes
    ----------
    model, mode : name of the network; "cascading", "independent" or "data"
    layers : in the order of randomisation, from the logits down
    seeds : the random networks
    objects : source object of each image
    rows : method -> seed -> measure -> for each layer one value for each image
    not_applicable : method -> why it cannot apply to this network
    subject : checksums of network, images, targets; a file of another subject is not continued
    seconds : processor time that all rows together took, in one run or several
    """

    model: str
    mode: str
    layers: list[str]
    seeds: list[int]
    objects: list[str]
    rows: dict[str, dict[str, dict[str, list[list[float]]]]] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    subject: dict[str, object] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)

    @property
    def methods(self) -> list[str]:
        """The methods that are measured for all seeds."""
        return [name for name, row in self.rows.items() if all(str(seed) in row for seed in self.seeds)]

    @property
    def measures(self) -> list[str]:
        """The four similarities, and "blank": the share of maps that have one value only and so show nothing."""
        return [*SIMILARITIES, BLANK]

    def values(self, method: str, measure: str = "Spearman") -> Tensor:
        """Return every number of a method: (seeds, layers, images)."""
        if method not in self.methods or measure not in self.measures:
            reason = self.not_applicable.get(
                method, f"there are {', '.join(self.methods)} with {', '.join(self.measures)}"
            )
            raise OptionError(f"The test has no {measure!r} of {method!r}: {reason}.")
        return torch.tensor([self.rows[method][str(seed)][measure] for seed in self.seeds], dtype=torch.float64)

    def interval(self, method: str, measure: str = "Spearman", layer: str | None = None) -> tuple[float, float, float]:
        """Return the mean over objects and seeds and its 95 % interval: (mean, low, high); all layers without one.

        Other pictures and other random weights would both give other numbers. So objects are resampled (means over
        seeds), seeds are resampled (means over objects), and the interval covers both; one object alone or one seed
        alone is not resampled, and one of each has no interval (NaN). Five seeds are few: read it as a lower bound.
        """
        values = self.values(method, measure)
        if layer is not None and layer not in self.layers:
            raise OptionError(f"The test has no layer {layer!r}; it has {', '.join(self.layers)}.")
        values = values.mean(1) if layer is None else values[:, self.layers.index(layer)]
        names = list(dict.fromkeys(self.objects))
        owned = [torch.tensor([owner == name for owner in self.objects]) for name in names]
        table = torch.stack([values[:, own].mean(1) for own in owned], 1)  # (seeds, objects)
        found = [bootstrap_interval(table.mean(0), names)] if len(names) > 1 else []
        found += [bootstrap_interval(table.mean(1), self.seeds)] if len(self.seeds) > 1 else []
        lows, highs = [low for _, low, _ in found], [high for *_, high in found]
        return float(table.mean()), min(lows, default=float("nan")), max(highs, default=float("nan"))

    def curve(self, method: str, measure: str = "Spearman") -> list[tuple[float, float, float]]:
        """Return (mean, low, high) at each layer, in the order of `layers`."""
        return [self.interval(method, measure, layer) for layer in self.layers]

    def _heading(self) -> str:
        where = ", ".join(self.layers)
        return (
            f"{self.model}, {self.mode} randomisation: similarity to the trained network's maps, mean over {where} "
            f"[95 % interval]; {len(self.objects)} images of {len(set(self.objects))} distinct objects, "
            f"{len(self.seeds)} seed{'s' * (len(self.seeds) > 1)}."
        )

    def _table(self) -> list[list[str]]:
        table = [["method", *self.measures]]
        for method in self.methods:
            cells = (self.interval(method, measure) for measure in self.measures)
            table.append([method, *(_cell(*cell) for cell in cells)])
        return table + [[method, *["n/a"] * len(self.measures)] for method in self.not_applicable]

    def _notes(self) -> list[str]:
        return [f"n/a, {method}: {reason}" for method, reason in self.not_applicable.items()]

    def __repr__(self) -> str:
        return text_table(self._heading(), self._table(), self._notes())

    def _repr_html_(self) -> str:
        return html_table(self._heading(), self._table(), self._notes())

    def show(self, measure: str = "Spearman", methods: Sequence[str] = ()) -> Picture:
        """Draw a measure's curve for each method with its interval, over the layers; the most similar method first."""
        curves = {method: self.curve(method, measure) for method in methods or self.methods}
        order = sorted(curves, key=lambda method: -sum(mean for mean, *_ in curves[method]))
        ends = {method: list(zip(*curves[method], strict=True)) for method in order}
        means = ", ".join(f"{method} {sum(ends[method][0]) / len(self.layers):.2f}" for method in order)
        return show_lines(
            range(len(self.layers)),
            {method: mean for method, (mean, *_) in ends.items()},
            bands={method: (low, high) for method, (_, low, high) in ends.items()},
            ticks=self.layers,
            xlabel={"cascading": "randomised from the logits down to", "independent": "randomised alone"}.get(
                self.mode, "trained on"
            ),
            ylabel=f"share of {measure} maps" if measure == BLANK else f"similarity ({measure})",
            alt=f"{self._heading()} {measure}, means over layers: {means}.",
        )

    def save(self, path: str | os.PathLike) -> None:
        """Write the numbers as JSON, under a temporary name first, so that an interrupt never leaves half a file."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "RandomisationTest":
        """Read what `save` or a test with `path=` wrote; OptionError if the file holds something else."""
        return read_json(cls, path, "randomisation test")


def _cell(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if low != low else f"{mean:.2f} [{low:.2f}, {high:.2f}]"
