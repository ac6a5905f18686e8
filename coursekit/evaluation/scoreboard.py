"""All methods on all scenes, in one table: `scoreboard` measures, a `Scoreboard` keeps and shows the numbers."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.arguments import check_count, check_masks
from coursekit.attribution.reference import BASELINES
from coursekit.errors import OptionError, UnsupportedActivation, UnsupportedNetwork
from coursekit.evaluation.deletion import deletion_curve, insertion_curve
from coursekit.evaluation.localisation import LOCALISATION, localisation
from coursekit.figures.charts import show_dots
from coursekit.figures.figure import Picture
from coursekit.figures.tables import html_table, text_table
from coursekit.files import DATA, checksum, continued, read_json, stored, write_json
from coursekit.images.scenes import Scenes
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH
from coursekit.statistics import bootstrap_interval

Method = Callable[[Model, Tensor, Tensor], Tensor]


CURVES = {"deletion": deletion_curve, "insertion": insertion_curve}


BETTER = dict.fromkeys(LOCALISATION, "↑") | {"deletion": "↓", "insertion": "↑"}


@dataclass
class Scoreboard:
    """Scores of several methods on the same scenes; print it for the table, `show()` draws it.

    Every number is a mean over source objects (the mean of each object's scenes first), and every interval resamples
    objects, never scenes: forty scenes of one zebra are one zebra.

    Attributes
    ----------
    model : name of the network
    objects : source object of each scene
    rows : method -> measure -> one value for each scene (for deletion and insertion, for each of the first scenes)
    not_applicable : method -> why it cannot apply to this network
    subject : checksums of network, scenes and options; a file of another subject is not continued
    """

    model: str
    objects: list[str]
    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    subject: dict[str, int] = field(default_factory=dict)

    @property
    def measures(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys(measure for row in self.rows.values() for measure in row))

    def sound(self) -> bool:
        """Tell whether every row has the same measures, and as many values of each, one for each of its scenes."""
        lengths = [{measure: len(values) for measure, values in row.items()} for row in self.rows.values()]
        most = len(self.objects)
        return all(row == lengths[0] and all(0 < n <= most for n in row.values()) for row in lengths)

    def interval(self, method: str, measure: str) -> tuple[float, float, float]:
        """Return the mean over objects and its 95 % bootstrap interval: (mean, low, high)."""
        return bootstrap_interval(*self._values(method, measure))

    def difference(self, method: str, other: str, measure: str) -> tuple[float, float, float]:
        """Return how much higher `method` scores than `other` on the same scenes: (mean, low, high) of the difference.

        Two methods differ if this interval leaves 0 out; whether their own intervals overlap tells less.
        """
        ours, objects = self._values(method, measure)
        theirs, _ = self._values(other, measure)
        return bootstrap_interval([a - b for a, b in zip(ours, theirs, strict=True)], objects)

    def _values(self, method: str, measure: str) -> tuple[list[float], list[str]]:
        if method not in self.rows or measure not in self.rows[method]:
            reason = self.not_applicable.get(
                method, f"there are {', '.join(self.rows)} with {', '.join(self.measures)}"
            )
            raise OptionError(f"The scoreboard has no {measure!r} of {method!r}: {reason}.")
        values = self.rows[method][measure]
        return values, self.objects[: len(values)]

    def _heading(self) -> str:
        counts = {m: {len(row[m]) for row in self.rows.values() if m in row}.pop() for m in self.measures}
        text = f"{self.model}: {len(self.objects)} scenes of {len(set(self.objects))} distinct objects"
        if few := counts.get("deletion"):
            text += f"; deletion and insertion: {few} scenes of {len(set(self.objects[:few]))} objects"
        return f"{text}. Mean over objects [95 % interval]."

    def _table(self) -> list[list[str]]:
        """The cells as text: a head, the methods, and those that cannot apply."""
        table = [["method", *(f"{measure} {BETTER.get(measure, '')}".strip() for measure in self.measures)]]
        for method in self.rows:
            cells = (self.interval(method, measure) for measure in self.measures)
            table.append([method, *(f"{mean:.2f} [{low:.2f}, {high:.2f}]" for mean, low, high in cells)])
        return table + [[method, *["n/a"] * len(self.measures)] for method in self.not_applicable]

    def __repr__(self) -> str:
        return text_table(self._heading(), self._table(), self._notes())

    def _repr_html_(self) -> str:
        return html_table(self._heading(), self._table(), self._notes())

    def _notes(self) -> list[str]:
        return [f"n/a, {method}: {reason}" for method, reason in self.not_applicable.items()]

    def show(self, measures: Sequence[str] = ()) -> Picture:
        """Draw each measure as a dot with its interval for each method, best on top; a dashed line marks chance.

        The order is that of the first measure. `measures` names the panels; without it there is one for each.
        """
        measures = list(measures) or self.measures
        first = {method: self.interval(method, measures[0])[0] for method in self.rows}
        order = sorted(first, key=lambda method: first[method], reverse=BETTER.get(measures[0]) == "↑")
        panels = {
            f"{measure} {BETTER.get(measure, '')}": {method: self.interval(method, measure) for method in order}
            for measure in measures
        }
        best = ", ".join(f"{method} {first[method]:.2f}" for method in order)
        counts = dict.fromkeys(len({*self._values(order[0], measure)[1]}) for measure in measures)
        return show_dots(
            panels,
            grey=list(BASELINES),
            line="chance",
            interval=f"95 % interval over {' or '.join(map(str, counts))} objects",
            alt=f"{self._heading()} Order by {measures[0]}: {best}.",
        )

    def save(self, path: str | os.PathLike) -> None:
        """Write the numbers as JSON, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Scoreboard":
        """Read a scoreboard that `save` or `scoreboard(path=…)` wrote; OptionError if the file is none."""
        return read_json(cls, path, "scoreboard")


def scoreboard(
    model: Model,
    methods: Mapping[str, Method],
    scenes: Scenes,
    *,
    curve_scenes: int = 40,
    steps: int = 16,
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> Scoreboard:
    """Score attribution methods against the true masks of composed scenes, beside three baselines.

    The measures are `pointing_game`, `mask_energy`, `best_iou`, `ranking_auc`, and the areas under `deletion_curve` and
    `insertion_curve`. Each scene is explained for its true class, whatever the network says. The rows chance, edges
    and centre (`random_map`, `edge_map`, `centre_map`) are added.

    Parameters
    ----------
    model : Model
    methods : name -> function (model, images, targets) -> signed maps (N, 1 | 3, h, w), see `importance`.
        One that raises UnsupportedNetwork, UnsupportedActivation or OptionError gets an "n/a" row with the reason.
    scenes : from `ck.scenes`; at least two distinct objects.
    curve_scenes : deletion and insertion are measured on so many scenes, the first ones; 0 leaves them out.
    steps : steps of the two curves.
    path : JSON file, written after each method. Rows that it has already are not computed again; so delete the file, or
        rename the method, when a method's code has changed.
    progress : show a bar.

    Returns
    -------
    Scoreboard: a table when printed, a figure by `show()`.

    Raises
    ------
    OptionError
        Scenes of one object only, maps of a wrong shape, or a file of another network, other scenes or options.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, scenes = ck.load_model("efficientnet_lite0"), ck.scenes(2, objects=["zebra", "hen"])
    >>> board = ck.scoreboard(model, {"gradient": ck.input_gradient}, scenes, curve_scenes=0)
    >>> list(board.rows)
    ['gradient', 'chance', 'edges', 'centre']
    """
    _check(methods, scenes, curve_scenes, steps)
    board = Scoreboard(model.name, list(scenes.objects))
    board.subject = _subject(model, scenes, curve_scenes, steps)
    board = continued(path, board)
    functions = {**methods, **BASELINES}
    with tqdm(total=len(functions) * len(scenes), unit="map", disable=not progress) as bar:
        for i, (name, method) in enumerate(functions.items()):
            bar.set_description(name)
            bar.update(i * len(scenes) - bar.n)
            if name in board.rows:
                continue
            found = _score(model, method, scenes, curve_scenes, steps, bar)
            board.not_applicable.pop(name, None)  # what could not apply when the file was written was tried again
            (board.not_applicable if isinstance(found, str) else board.rows)[name] = found
            if path is not None:
                board.save(path)
        bar.update(bar.total - bar.n)
    return board


def _score(
    model: Model, method: Method, scenes: Scenes, curve_scenes: int, steps: int, bar: tqdm
) -> dict[str, list[float]] | str:
    """Return measure -> a value for each scene, or the reason why the method cannot apply."""
    row: dict[str, list[float]] = {}
    for batch in torch.arange(len(scenes)).split(BATCH):
        images, targets = scenes.images[batch], scenes.targets[batch]
        try:
            maps = method(model, images, targets)
        except (UnsupportedNetwork, UnsupportedActivation, OptionError) as error:
            return str(error)
        for measure, values in localisation(maps, scenes.masks[batch]).items():
            row.setdefault(measure, []).extend(values.tolist())
        few = int((batch < curve_scenes).sum())
        for measure, curve in CURVES.items() if few else ():
            points = curve(model, images[:few], maps[:few], targets[:few], steps=steps)
            row.setdefault(measure, []).extend(torch.trapezoid(points, dx=1 / steps).tolist())
        bar.update(len(batch))
    return {measure: [round(value, 6) for value in values] for measure, values in row.items()}


def _check(methods: Mapping[str, Method], scenes: Scenes, curve_scenes: int, steps: int) -> None:
    for name, method in methods.items():
        if name in BASELINES or not callable(method):
            raise OptionError(
                f"methods maps names to functions (model, images, targets) -> maps, and {', '.join(BASELINES)} are "
                f"added by themselves, but got {name!r}: {method!r}."
            )
    check_masks(scenes.masks, len(scenes))
    check_count("curve_scenes", curve_scenes, least=0)
    check_count("steps", steps)
    if len(set(scenes.objects)) < 2:
        raise OptionError(
            f"Intervals resample objects, so give scenes of two or more, not of {scenes.objects[0]!r} only."
        )
    if curve_scenes and len(set(scenes.objects[:curve_scenes])) < 2:
        raise OptionError(f"The first {curve_scenes} scenes show one object only; raise curve_scenes, or set it to 0.")


def _subject(model: Model, scenes: Scenes, curve_scenes: int, steps: int) -> dict[str, int]:
    """Checksums of all that the numbers depend on, but for the methods' own code."""
    data = [scenes.images, scenes.masks, scenes.targets]
    return {
        "network": checksum(model.state_dict().values()),
        "scenes": checksum(data),
        "curve_scenes": min(curve_scenes, len(scenes)),
        "steps": steps,
    }


def stored_scoreboard(network: str) -> Scoreboard:
    """Read what `training/scoreboard.py` measured ahead: all methods but RISE on 200 scenes.

    Deletion and insertion are measured on the first 40 of them.

    Raises `DataUnavailable` if nothing was measured for this network.
    """
    missing = f"There is no stored scoreboard of {network!r}; make it: python training/scoreboard.py {network}"
    return Scoreboard.load(stored(DATA / f"scoreboard/{network}.json", missing))
