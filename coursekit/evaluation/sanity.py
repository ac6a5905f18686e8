"""Sanity checks: does a map change when the network forgets what it has learned? (Adebayo et al., NeurIPS 2018)"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from coursekit.errors import OptionError, TargetError, UnsupportedActivation, UnsupportedNetwork
from coursekit.evaluation.randomisation import ordered_layers, randomised
from coursekit.evaluation.scoreboard import Method
from coursekit.evaluation.similarity import map_similarity
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, evaluating, reader
from coursekit.results import checksum, continued
from coursekit.sanity_result import BLANK, RandomisationTest

Stages = Callable[[int], Iterable[tuple[str, nn.Module]]]  # seed -> layer name and network, one after another


def randomisation_test(
    model: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    targets: int | Sequence[int] | Tensor | None = None,
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
    if len(seeds) != len(set(seeds)) or not all(type(seed) is int and seed >= 0 for seed in seeds) or not seeds:
        raise OptionError(f"seeds are different whole numbers from 0 on, at least one, but got {list(seeds)}.")
    wanted = ordered_layers(model, mode, layers)
    randomised(model, seed=seeds[0])  # raises for a network whose weights cannot be drawn
    new = RandomisationTest(model.name, mode, wanted, list(seeds), list(objects or []))

    def stages(seed: int) -> Iterable[tuple[str, Model]]:
        return randomised(model, seed=seed, mode=mode, layers=wanted)

    return _test(new, model, methods, images, targets, stages, path, progress)


def data_randomisation_test(
    model: Model,
    permuted: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    targets: int | Sequence[int] | Tensor | None = None,
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
    return _test(new, model, methods, images, targets, lambda seed: [(new.layers[0], permuted)], path, progress)


def _test(
    new: RandomisationTest,
    model: Model,
    methods: Mapping[str, Method],
    images: Tensor,
    targets: object,
    stages: Stages,
    path: str | os.PathLike | None,
    progress: bool,
) -> RandomisationTest:
    """Fill the rows that a result still lacks."""
    targets = _fixed(model, images, targets)
    _check(methods, images, new)
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
                trained = _maps(method, model, images, targets)[0] if missing else None
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
    stages: Iterable[tuple[str, nn.Module]],
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


def _maps(method: Method, model: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
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


def _fixed(model: Model, images: Tensor, targets: object) -> Tensor:
    """The class of each image (N,), chosen while the weights are still the trained ones."""
    if callable(targets):
        raise TargetError("The sanity checks explain classes; give class indices, or None for each image's top class.")
    with evaluating(model), torch.no_grad():
        reader(model, images, targets)  # raises for what is no image or no class
        if targets is None:
            targets = torch.cat([model(batch).argmax(1).cpu() for batch in images.split(BATCH)])
    return torch.as_tensor(targets).long().cpu().expand(len(images))


def _check(methods: Mapping[str, Method], images: Tensor, test: RandomisationTest) -> None:
    if not methods or not all(callable(method) for method in methods.values()):
        raise OptionError(f"methods maps names to functions (model, images, targets) -> maps, but got {methods!r}.")
    test.objects = test.objects or [str(i) for i in range(len(images))]
    if len(test.objects) != len(images):
        raise OptionError(f"There are {len(images)} images, but {len(test.objects)} objects; give one for each image.")
