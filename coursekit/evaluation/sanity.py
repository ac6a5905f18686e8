"""Sanity checks: does a map change when the network forgets what it has learned? (Adebayo et al., NeurIPS 2018)"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.arguments import check_images, is_whole
from coursekit.errors import OptionError, UnsupportedActivation, UnsupportedNetwork
from coursekit.evaluation.randomisation import ordered_layers, randomised
from coursekit.evaluation.scoreboard import Method
from coursekit.evaluation.similarity import SIMILARITIES, map_similarity
from coursekit.figures.charts import draw_multiples, show_lines
from coursekit.figures.figure import Picture
from coursekit.figures.tables import html_table, text_table
from coursekit.files import checksum, continued, read_json, write_json
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH
from coursekit.probe.targets import Classes, fixed_classes
from coursekit.statistics import bootstrap_interval

Stages = Callable[[int], Iterable[tuple[str, Model]]]  # seed -> layer name and network, one after another


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

    def sound(self) -> bool:
        """Tell whether every row has the same known measures, with a value for each layer and image."""
        rows = [by for row in self.rows.values() for by in row.values()]
        shape = [len(self.objects)] * len(self.layers)
        known = bool(self.objects and self.layers and self.seeds)
        known &= all(by and by.keys() == rows[0].keys() <= set(self.measures) for by in rows)
        return known and all([len(line) for line in table] == shape for by in rows for table in by.values())

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
        """Draw a measure's curve for each method with its interval, over the layers; the most similar method first.

        More than six methods have a small panel each, with the edge detector's curve in all of them.
        """
        curves = {method: self.curve(method, measure) for method in methods or self.methods}
        order = sorted(curves, key=lambda method: -sum(mean for mean, *_ in curves[method]))
        ends = {method: list(zip(*curves[method], strict=True)) for method in order}
        means = ", ".join(f"{method} {sum(ends[method][0]) / len(self.layers):.2f}" for method in order)
        xlabel = {"cascading": "randomised from the logits down to", "independent": "randomised alone"}
        options: dict[str, Any] = {
            "ticks": self.layers,
            "xlabel": xlabel.get(self.mode, "trained on"),
            "ylabel": f"share of {measure} maps" if measure == BLANK else f"similarity ({measure})",
            "alt": f"{self._heading()} {measure}, means over layers: {means}.",
        }
        if len(order) > 6:  # the other baselines ask no network either, and have the same straight line
            drawn = {method: curves[method] for method in order if method not in ("chance", "centre")}
            return draw_multiples(drawn, reference="edges", **options)
        means_only = {method: mean for method, (mean, *_) in ends.items()}
        bands = {method: (low, high) for method, (_, low, high) in ends.items()}
        return show_lines(range(len(self.layers)), means_only, bands=bands, **options)

    def save(self, path: str | os.PathLike) -> None:
        """Write the numbers as JSON, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "RandomisationTest":
        """Read what `save` or a test with `path=` wrote; OptionError if the file holds something else."""
        return read_json(cls, path, "randomisation test")


def _cell(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if low != low else f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def randomisation_test(
    model: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    targets: Classes = None,
    *,
    objects: Sequence[str] | None = None,
    seeds: Sequence[int] = range(5),
    mode: str = "cascading",
    layers: Sequence[str] = (),
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> RandomisationTest:
    """Draw the weights anew, layer by layer, and measure how similar each method's maps stay to the trained network's.

    A map that stays as it was cannot have shown what the network learned. The class that is explained is fixed while
    the network is still trained, and stays the same throughout. Maps are compared at the size of the images, coarse
    ones enlarged (bilinear), by `map_similarity`.

    Parameters
    ----------
    model : Model
    methods : name -> function (model, images, targets) -> maps (N, C, h, w), as in `ck.eleven()`; add
        `{"edges": ck.edge_map}` for what a method that ignores the network scores. One that raises
        UnsupportedNetwork, UnsupportedActivation or OptionError gets an "n/a" row with the reason.
    images : (N, 3, H, W) in [0, 1].
    targets : class index, one for each image, or None for the class that the trained network sees.
    objects : source object of each image, for the intervals; without it each image is its own.
    seeds : random networks to go through.
    mode, layers : see `randomised`.
    path : JSON file, written after each method and seed. What it has already is not computed again.
    progress : show a bar.

    Returns
    -------
    RandomisationTest: a table when printed, curves by `show()`. Costs one map for each method, seed, layer and image.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer, UnsupportedNetwork

    References
    ----------
    Adebayo et al., *Sanity checks for saliency maps*, NeurIPS 2018, sec. 3.1 and 3.2. They draw one network once.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> test = ck.randomisation_test(model, {"edges": ck.edge_map}, image, seeds=[0], layers=["fc"], progress=False)
    >>> round(test.interval("edges")[0], 6)
    1.0
    """
    if len(seeds) != len(set(seeds)) or not all(is_whole(seed) for seed in seeds) or not seeds:
        raise OptionError(f"seeds are different whole numbers from 0 on, at least one, but got {list(seeds)}.")
    wanted = ordered_layers(model, mode, layers)
    randomised(model, seed=seeds[0])  # raises for a network whose weights cannot be drawn
    new = RandomisationTest(model.name, mode, wanted, list(seeds), list(objects or []))

    def stages(seed: int) -> Iterable[tuple[str, Model]]:
        return randomised(model, seed=seed, mode=mode, layers=wanted)

    return _test(new, model, methods, images, targets, stages, path=path, progress=progress)


def data_randomisation_test(
    model: Model,
    permuted: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    targets: Classes = None,
    *,
    objects: Sequence[str] | None = None,
    path: str | os.PathLike | None = None,
    progress: bool = True,
) -> RandomisationTest:
    """Compare the maps of a network that learned true labels with those of one that learned permuted labels by heart.

    A map that is alike on both shows the picture and not what was learned. `permuted` has the architecture of `model`
    and is asked about the same classes. Everything else as for `randomisation_test`; the result has one layer,
    "permuted labels", and one seed (Adebayo et al. 2018, sec. 4).

    >>> import coursekit as ck
    >>> true, permuted = ck.random_model("twin_true"), ck.random_model("twin_permuted", seed=1)  # untrained stand-ins
    >>> images = ck.load_image("chelsea", size=64)
    >>> test = ck.data_randomisation_test(true, permuted, {"edges": ck.edge_map}, images, progress=False)
    >>> round(test.interval("edges", "SSIM")[0], 6)
    1.0
    """
    new = RandomisationTest(model.name, "data", ["permuted labels"], [0], list(objects or []))
    new.subject["permuted network"] = checksum(permuted.state_dict().values())
    return _test(
        new, model, methods, images, targets, lambda seed: [(new.layers[0], permuted)], path=path, progress=progress
    )


def _test(
    new: RandomisationTest,
    model: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    classes: Classes,
    stages: Stages,
    *,
    path: str | os.PathLike | None,
    progress: bool,
) -> RandomisationTest:
    """Fill the rows that a result still lacks."""
    targets = _fixed(model, images, classes)
    new.objects = new.objects or [str(i) for i in range(len(images))]
    if len(new.objects) != len(images):
        raise OptionError(f"There are {len(images)} images, but {len(new.objects)} objects; give one for each image.")
    new.subject |= {"network": checksum(model.state_dict().values()), "images or targets": checksum([images, targets])}
    new.subject |= {"mode": new.mode, "layers": new.layers}
    test = continued(path, new)
    test.seeds, test.objects = new.seeds, new.objects
    each = len(new.layers) * len(images)
    with tqdm(total=len(methods) * len(new.seeds) * each, unit="map", disable=not progress) as bar:
        for i, (name, method) in enumerate(methods.items(), 1):
            bar.set_description(name)
            test.not_applicable.pop(name, None)  # what could not apply when the file was written is tried again
            row = test.rows.setdefault(name, {})
            missing = [seed for seed in new.seeds if str(seed) not in row]
            started = time.process_time()
            try:
                if missing:
                    trained, _ = _maps(method, model, images, targets)
                for seed in missing:
                    row[str(seed)] = _compare(method, trained, stages(seed), images, targets, bar)
                    started, test.seconds = _elapsed(started, test.seconds)
                    if path is not None:
                        test.save(path)
            except (UnsupportedNetwork, UnsupportedActivation, OptionError) as error:
                test.not_applicable[name] = str(error)
                del test.rows[name]
            bar.update(i * len(new.seeds) * each - bar.n)
    return test


def _elapsed(started: float, seconds: float) -> tuple[float, float]:
    """Return the processor time now, and `seconds` with what has passed since `started`."""
    now = time.process_time()
    return now, round(seconds + now - started, 3)


def _compare(
    method: Method,
    trained: Tensor,
    stages: Iterable[tuple[str, Model]],
    images: Tensor,
    targets: Tensor,
    bar: tqdm,
) -> dict[str, list[list[float]]]:
    """Return measure -> for each stage one value for each image."""
    row: dict[str, list[list[float]]] = {}
    for _, network in stages:
        maps, blank = _maps(method, network, images, targets)
        for measure, values in (map_similarity(trained, maps) | {BLANK: blank}).items():
            row.setdefault(measure, []).append([round(value, 6) for value in values.tolist()])
        bar.update(len(images))
    return row


def _maps(method: Method, model: Model, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maps at the images' size (N, C, H, W), and which of them are blank (N,)."""
    maps = []
    for batch, classes in zip(images.split(BATCH), targets.split(BATCH), strict=True):
        maps.append(method(model, batch, classes).detach().cpu())
        if maps[-1].ndim != 4 or len(maps[-1]) != len(batch):
            shape = tuple(maps[-1].shape)
            raise OptionError(f"Maps must have the shape ({len(batch)}, C, h, w) for these images, but got {shape}.")
    found = torch.cat(maps)
    blank = found.flatten(1).amax(1) == found.flatten(1).amin(1)
    if found.shape[2:] != images.shape[2:]:
        found = F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)
    return found, blank.float()


def _fixed(model: Model, images: Tensor, targets: Classes) -> Tensor:
    """The class of each image (N,), chosen while the weights are still the trained ones."""
    check_images(images)
    return fixed_classes(model, images, targets)
