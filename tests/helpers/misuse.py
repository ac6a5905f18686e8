"""Every public function, and every wrong argument that people give it, one at a time.

`BASE` holds a small right call of each function; `wrong` lists what may stand in the place of one argument, and
`outcome` says what came of it. `tests/test_arguments_everywhere.py` draws a sample; run as a script, this file tries
everything and prints which function let which Python error through.
"""

import contextlib
import inspect
import io
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from calls import CALLS, SIZE, contract_images, contract_model, public_functions
from PIL import Image
from torch import Tensor, nn

import coursekit as ck
from coursekit.figures.figure import Picture

LIMIT = 5.0  # seconds of the processor for one call
FOLDER = Path(tempfile.mkdtemp(prefix="misuse-"))

IMAGE = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
CODES = torch.randn(12, 4, generator=torch.Generator().manual_seed(2))
MAPS = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(3))
MASKS = torch.zeros(2, 8, 8, dtype=torch.bool)
MASKS[:, :4] = True
NAMES = [f"bird {k % 4}" for k in range(12)]
STATES = torch.tensor([[0, 1, 1], [3, 4, 5]])


def _numpy() -> np.random.Generator:
    return np.random.default_rng(0)


def _draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# The calls of functions that take no model; those of the others are in `calls.py`.
WITHOUT_MODEL = {
    "stimuli.grating": lambda: ck.stimuli.grating(16, 8, 0, 0, 1, square=False),
    "stimuli.gabor": lambda: ck.stimuli.gabor(16, 8, 0, 0, 3),
    "stimuli.curve": lambda: ck.stimuli.curve(16, 6, 0, 3, 9),
    "stimuli.circle": lambda: ck.stimuli.circle(16, 6, 2),
    "stimuli.checkerboard": lambda: ck.stimuli.checkerboard(16, 4, 0),
    "stimuli.stripes": lambda: ck.stimuli.stripes(16, 8, 45),
    "stimuli.dots": lambda: ck.stimuli.dots(16, 8, 30),
    "stimuli.zigzag": lambda: ck.stimuli.zigzag(16, 8, 0),
    "stimuli.mesh": lambda: ck.stimuli.mesh(16, 8, 45),
    "stimuli.noise": lambda: ck.stimuli.noise(16, 1, 0.5, 0),
    "stimuli.texture": lambda: ck.stimuli.texture("noise", 16, seed=0),
    "stimuli.some_colour": lambda: ck.stimuli.some_colour(_numpy()),
    "stimuli.caption": lambda: ck.stimuli.caption(IMAGE, "hen", position="bottom", size=0.3),
    "stimuli.shape": lambda: ck.stimuli.shape("circle", (0.8, 0.2, 0.2), 0.25, 0, position=(0.5, 0.5), size=16),
    "objectives.logit": lambda: ck.objectives.logit(1),
    "objectives.probability": lambda: ck.objectives.probability(1),
    "objectives.channel": lambda: ck.objectives.channel("conv2", 1),
    "objectives.neuron": lambda: ck.objectives.neuron("conv2", 1, (1, 1)),
    "objectives.layer": lambda: ck.objectives.layer("conv2"),
    "objectives.direction": lambda: ck.objectives.direction("conv2", torch.ones(8), 0.0),
    "objectives.gram": lambda: ck.objectives.gram(torch.rand(1, 4, 5, 5)),
    "objectives.softened": lambda: ck.objectives.softened(torch.rand(1, 4, 5, 5), 1.0),
    "objectives.diversity": lambda: ck.objectives.diversity("conv2"),
    "objectives.as_objective": lambda: ck.objectives.as_objective(1),
    "parameterizations.pixels": lambda: ck.parameterizations.pixels("noise", 0.02),
    "parameterizations.logits": lambda: ck.parameterizations.logits(IMAGE),
    "parameterizations.natural_statistics": lambda: ck.parameterizations.natural_statistics(16),
    "parameterizations.colours": lambda: ck.parameterizations.colours(IMAGE),
    "parameterizations.fourier": lambda: ck.parameterizations.fourier(0.01, 1.0, True, IMAGE),
    "parameterizations.code": lambda: ck.parameterizations.code(nn.Identity(), IMAGE, 0.0, 1.0),
    "regularizers.l2": lambda: ck.regularizers.l2(1.0),
    "regularizers.alpha_norm": lambda: ck.regularizers.alpha_norm(1.0, 6.0),
    "regularizers.total_variation": lambda: ck.regularizers.total_variation(1.0, 2.0),
    "regularizers.centre_bias": lambda: ck.regularizers.centre_bias(1.0),
    "regularizers.decay": lambda: ck.regularizers.decay(0.9),
    "regularizers.blur": lambda: ck.regularizers.blur(1.0, 4),
    "regularizers.clip_norm": lambda: ck.regularizers.clip_norm(0.1),
    "regularizers.clip_contribution": lambda: ck.regularizers.clip_contribution(0.1),
    "regularizers.bilateral": lambda: ck.regularizers.bilateral(4, 5, 0.1, 3.0),
    "regularizers.blur_gradient": lambda: ck.regularizers.blur_gradient(1.0),
    "regularizers.even_frequencies": lambda: ck.regularizers.even_frequencies(3),
    "regularizers.gaussian": lambda: ck.regularizers.gaussian(IMAGE, 1.0),
    "transforms.pad": lambda: ck.transforms.pad(2, "reflect"),
    "transforms.jitter": lambda: ck.transforms.jitter(2),
    "transforms.roll": lambda: ck.transforms.roll(2),
    "transforms.warp": lambda: ck.transforms.warp(10.0, (0.9, 1.1)),
    "transforms.crops": lambda: ck.transforms.crops(0.3, 0.9, 0.05),
    "transforms.robust": lambda: ck.transforms.robust(64),
    "transforms.apply": lambda: ck.transforms.apply([ck.transforms.jitter(2)], IMAGE, _draw()),
    "catch.boards": lambda: ck.catch.boards(STATES),
    "catch.step": lambda: ck.catch.step(STATES, torch.tensor([0, 2])),
    "catch.play": lambda: ck.catch.play(_agent(), STATES),
    "catch.train": lambda: ck.catch.train(range(3), updates=2, seed=0),
    "bootstrap_interval": lambda: ck.bootstrap_interval([0.1, 0.5, 0.3], ["a", "b", "c"], samples=50, seed=0),
    "holm": lambda: ck.holm([0.01, 0.4]),
    "concept_pictures": lambda: ck.concept_pictures("striped", 2, seed=0, size=32),
    "concept_folder": lambda: ck.concept_folder(_folder(), 32),
    "load_image": lambda: ck.load_image("chelsea", 32),
    "save_image": lambda: ck.save_image(IMAGE, FOLDER / "image.png"),
    "save_animation": lambda: ck.save_animation([IMAGE, IMAGE], FOLDER / "film.gif", milliseconds=80),
    "public_folder": lambda: ck.public_folder("dtd", "striped"),
    "load_scene": lambda: ck.load_scene(["hen"], background="grey", seed=0, size=32, scale=0.5),
    "scenes": lambda: ck.scenes(2, objects=["hen"], classes=["hen"], background="grey", seed=0, size=32),
    "cutouts": lambda: ck.cutouts("all"),
    "style_image": lambda: ck.style_image("strokes", 32, seed=0),
    "painted_landscape": lambda: ck.painted_landscape(32, seed=0),
    "descriptor": lambda: ck.descriptor("hog"),
    "setup": lambda: ck.setup(0, "cpu"),
    "coursenet_at": lambda: ck.coursenet_at(80),
    "load_model": lambda: ck.load_model("patternnet"),
    "random_model": lambda: ck.random_model("patternnet", 0),
    "is_available": lambda: ck.is_available("patternnet"),
    "filter_loss": lambda: ck.filter_loss(torch.rand(2, 2, 4, 4), 1.0),
    "part_templates": lambda: ck.part_templates(4),
    "load_decoder": lambda: ck.load_decoder("fc6", "feature"),
    "shape_parameters": lambda: ck.shape_parameters("circle", (0.8, 0.2, 0.2), 0.25, 0, position=(0.5, 0.5)),
    "load_style_network": lambda: ck.load_style_network("transformer"),
    "load_superresolution": lambda: ck.load_superresolution("feature"),
    "unit": lambda: ck.unit("conv2", 1, (1, 1)),
    "importance": lambda: ck.importance(MAPS, (16, 16)),
    "show_lines": lambda: ck.show_lines(
        [0, 1], {"a": [2.0, 1.0]}, xlabel="x", ylabel="y", title="t", ticks=["l", "r"], bands={"a": ([1, 1], [2, 2])}
    ),
    "show_histograms": lambda: ck.show_histograms({"p": CODES}, xlabel="x", bins=4, log=False, columns=2),
    "show_scatter": lambda: ck.show_scatter(
        {"g": ([0.1, 0.9], CODES[0, :2])}, xlabel="x", ylabel="y", names=["a", "b"], curves={"c": ([0, 1], [0.1, 1])}
    ),
    "show_dots": lambda: ck.show_dots({"p": {"a": (0.8, 0.7, 0.9)}}, line="a", grey=["a"], columns=3, limits=(0, 1)),
    "show_polar": lambda: ck.show_polar({"u": {"a": torch.rand(16)}}, turn=360, columns=4),
    "show_circuit": lambda: ck.show_circuit(torch.randn(2, 3, 3), ["a", "b"], pictures=[IMAGE, IMAGE], unit="w"),
    "show_parts": lambda: ck.show_parts({"f": (torch.ones(1, 3, 8, 8), torch.rand(5, 2))}, columns=4),
    "show_images": lambda: ck.show_images(IMAGE, ["a"], columns=4, boxes=[(0, 0, 4, 4)]),
    "show_predictions": lambda: ck.show_predictions(IMAGE, [[("cat", 0.8), ("dog", 0.1)]]),
    "signal_pictures": lambda: ck.signal_pictures(torch.randn(1, 3, 4, 4), 99.5),
    "show_matrix": lambda: ck.show_matrix({"r": {"a": MAPS[:1], "b": MAPS[1:]}}, image=IMAGE, pool=1),
    "show_maps": lambda: ck.show_maps(IMAGE, {"a": MAPS[:1]}, unit="u", pool=1, clip=99.0, columns=4, limits=(-1, 1)),
    "show_grid": lambda: ck.show_grid(IMAGE, torch.tensor([[[0, 1], [0, 0]]]), ["cat", "dog"], title="t"),
    "show_points": lambda: ck.show_points({"p": CODES[:, :2]}, NAMES, unit="u", grey=["bird 1"], columns=3, most=100),
    "show_shares": lambda: ck.show_shares({"A": {"bird": 0.9}, "B": {"bird": "4 of 8"}}, title="t", side=0.55),
    "eleven": lambda: ck.eleven(),
    "fast_style": lambda: ck.fast_style(_styles(), IMAGE, {"ink": 1, "mosaic": 3}),
    "fast_texture": lambda: ck.fast_texture(ck.load_texture_network(), n=1, size=64, seed=0),
    "sample_diversity": lambda: ck.sample_diversity(contract_images()),
    "texture_parameters": lambda: ck.texture_parameters([8, 4], components=None, statistic="gram"),
    "cav": lambda: ck.cav(CODES[:6] + 1, CODES[6:], classifier=None, seed=0),
    "tcav_score": lambda: ck.tcav_score(CODES, torch.ones(4)),
    "sort_by_concept": lambda: ck.sort_by_concept(CODES, torch.ones(4)),
    "neighbours": lambda: ck.neighbours(CODES, 2, metric="l2", groups=NAMES),
    "precision_at_k": lambda: ck.precision_at_k(torch.tensor([[1, 2], [0, 2], [0, 1]]), ["a", "a", "b"]),
    "project": lambda: ck.project(CODES, "pca", dims=2, seed=0),
    "trustworthiness": lambda: ck.trustworthiness(CODES, CODES[:, :2], k=3),
    "grid_layout": lambda: ck.grid_layout(CODES[:6, :2], 2, 3),
    "tcav_test": lambda: ck.tcav_test(
        {"fc": CODES}, {"red": {"fc": CODES + 1}}, {"fc": CODES.repeat(20, 1)}, runs=2, draws=40, seed=0
    ),
    "grand_tour": lambda: ck.grand_tour({"in": CODES, "fc": CODES}, frames=2, dims=3, speed=0.03, seed=0),
    "effective_weights": lambda: ck.effective_weights(nn.Conv2d(3, 4, 3)),
    "concept_scenes": lambda: ck.concept_scenes(4, objects=["hen"], seed=0, size=32),
    "filter_pictures": lambda: ck.filter_pictures(torch.randn(2, 3, 7, 7)),
    "filter_health": lambda: ck.filter_health(torch.randn(2, 3, 7, 7)),
    "frequency_response": lambda: ck.frequency_response(torch.randn(2, 3, 7, 7), size=16),
    "main_pattern": lambda: ck.main_pattern(torch.randn(2, 3, 7, 7)),
    "spread": lambda: ck.spread(CODES[:, :2], 3),
    "pin_thumbnails": lambda: ck.pin_thumbnails(
        ck.show_points({"p": CODES[:, :2]}, NAMES), CODES[:, :2], {0: torch.rand(3, 8, 8)}
    ),
    "show_gabors": lambda: ck.show_gabors(
        ck.load_model("coursenet").layer("conv1").weight[:1],
        torch.rand(1, 3),
        [ck.fit_gabor(ck.stimuli.gabor(7, 5, 30, 0, 3)[0, 0])],
    ),
    "show_arrows": lambda: ck.show_arrows({"toy": torch.eye(2)}),
    "show_nulls": lambda: ck.show_nulls({"fc": (CODES[0].sigmoid(), {"striped": 0.8})}, columns=2),
    "show_plate": lambda: ck.show_plate([_plate_row()], ["cat", "dog"]),
    "show_picture_table": lambda: ck.show_picture_table({"a": [IMAGE, IMAGE]}, ["b", "c"], xlabel="d"),
    "style_tiles": lambda: ck.style_tiles("starts", 112),
    "cue_conflicts": lambda: ck.cue_conflicts(),
    "shape_scene": lambda: ck.shape_scene("zebra", 48),
    "object_texture": lambda: ck.object_texture("zebra", 48),
    "explore_generator": lambda: ck.explore_generator("star", "circle", 0.5),
    "explore_learning": lambda: ck.explore_learning(_lesson, torch.rand(4, 1, 12, 12)),
    "blind_trial": lambda: ck.blind_trial([ck.Trial(lambda: ck.show_images(IMAGE), ("a", "b"), 0, "CAM")], "Which?"),
    "wilson": lambda: ck.wilson(3, 5, z=1.96),
    "sobol_indices": lambda: ck.sobol_indices(lambda x: x[:, 0], 2, samples=4, seed=0),
    "matched_controls": lambda: ck.matched_controls(torch.ones(6), [0, 1], draws=2, tolerance=0.1, seed=0),
    "sparse_dictionary": lambda: ck.sparse_dictionary(torch.rand(2, 4, 8, 8), 6, active=2, steps=1, progress=False),
    "fit_gabor": lambda: ck.fit_gabor(ck.stimuli.gabor(11, 5, 30, 0, 3)[0, 0]),
    "natural_patches": lambda: ck.natural_patches(20, size=7, names=("chelsea",), seed=0),
    "mosaic": lambda: ck.mosaic(torch.rand(3, 3, 7, 7), columns=2, zoom=1, gap=1, background=1.0),
    "neuron_groups": lambda: ck.neuron_groups(torch.rand(1, 4, 4, 4), 2, seed=0),
    "activation_grid": lambda: ck.activation_grid(torch.rand(4, 2, 3), {0: torch.zeros(3, 8, 8)}),
    "colour_groups": lambda: ck.colour_groups(torch.rand(2, 4, 4), IMAGE, torch.eye(3)[:2]),
    "part_scenes": lambda: ck.part_scenes(2, ["hen"], seed=0, size=64),
    "part_spread": lambda: ck.part_spread(torch.rand(6, 1, 2), torch.ones(6, 1), ["hen"] * 6, share=0.5),
    "cutout_picture": lambda: ck.cutout_picture("giraffe", size=32),
    "gradient_orientation": lambda: ck.gradient_orientation(IMAGE),
    "angle_between": lambda: ck.angle_between(torch.tensor([170.0]), torch.tensor([10.0]), turn=180),
    "pointing_game": lambda: ck.pointing_game(MAPS, MASKS),
    "mask_energy": lambda: ck.mask_energy(MAPS, MASKS),
    "best_iou": lambda: ck.best_iou(MAPS, MASKS),
    "ranking_auc": lambda: ck.ranking_auc(MAPS, MASKS),
    "report_card": lambda: ck.report_card("coursenet"),
    "stored_sanity": lambda: ck.stored_sanity("coursenet"),
    "stored_scoreboard": lambda: ck.stored_scoreboard("coursenet"),
    "map_similarity": lambda: ck.map_similarity(MAPS, MAPS + 1),
    "rank_correlation": lambda: ck.rank_correlation(MAPS, MAPS + 1, absolute=False),
    "structural_similarity": lambda: ck.structural_similarity(MAPS, MAPS + 1),
    "hog_correlation": lambda: ck.hog_correlation(MAPS, MAPS + 1),
    "explore_concepts": lambda: ck.explore_concepts(
        {"hen": {"fc": CODES.repeat(20, 1)}},
        {"red": {"fc": CODES}},
        {"fc": CODES.repeat(20, 1)},
        IMAGE.expand(8, -1, -1, -1),
        {"fc": CODES[:8]},
    ),
    "explore_points": lambda: ck.explore_points(CODES[:3, :2], torch.rand(3, 1, 8, 8), ["a", "b", "a"], grey=["b"]),
    "explore_fast_style": lambda: ck.explore_fast_style(_styles(), "astronaut", 64),
    "feature_gallery": lambda: ck.feature_gallery("coursenet"),
    "progress": ck.progress,
    "claim": lambda: ck.claim("share", 0.7, above=0.5, below=0.9, at_least=0.5, at_most=0.9, digits=2),
    "method_colour": lambda: ck.method_colour("grad_cam"),
    "check": lambda: ck.check("00.1", 1.0),
    "case": lambda: ck.case(0),
    "verdict": lambda: ck.verdict(ck.Report(_case())),
    "explore_case": lambda: ck.explore_case(_case()),
}
# Without parameters, so that nothing can be wrong.
NO_ARGUMENTS = {
    *("all_methods", "catch.states", "doctor", "eleven", "explore_training", "load_generator", "load_texture_network"),
    *("load_autoencoder", "parameterizations.maco", "photographs", "stored_cases", "training_history"),
}
NOT_TRIED: set[str] = set()


def _plate_row() -> "ck.PlateRow":
    grid = ck.OcclusionGrid(*torch.rand(2, 1, 3, 3), torch.zeros(1, 3, 3).long(), torch.rand(1, 3, 3))
    return ck.PlateRow(IMAGE, grid, IMAGE, "a", "b", 16, 8)


def _lesson(rate: float, batch: int, weight_decay: float) -> list:
    return [(0, torch.randn(4, 1, 5, 5), [2.0], 0.1)]


@cache
def _agent() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(90, 3))


@cache
def _styles() -> nn.Module:
    return ck.load_style_network("transformer")


@cache
def _case() -> object:
    return ck.case(0)


@cache
def _folder() -> Path:
    folder = FOLDER / "concept"
    folder.mkdir()
    for k in range(10):
        ck.save_image(IMAGE.roll(k, 3), folder / f"{k}.png")
    return folder


class _Caught(Exception):
    pass


def base(name: str) -> dict[str, object]:
    """The arguments of a function's small right call, by name."""
    parent, _, short = name.rpartition(".")
    home = getattr(ck, parent) if parent else ck
    function, seen = getattr(home, short), {}

    def record(*args: object, **kwargs: object) -> None:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
        seen.update(bound | bound.pop("options", {}))
        raise _Caught

    setattr(home, short, record)
    try:
        call = CALLS.get(name)
        if call:
            result = call(contract_model(), contract_images(), "conv2")
            list(result)  # a generator records when it starts
        else:
            WITHOUT_MODEL[name]()
    except _Caught:
        pass
    finally:
        setattr(home, short, function)
    return seen


class Nothing:
    """An object of no kind that any function knows."""


def _scalars() -> dict[str, object]:
    return {
        "None": None,
        "a word": "no such thing",
        "an empty word": "",
        "3.5": 3.5,
        "NaN": float("nan"),
        "infinity": float("inf"),
        "True": True,
        "-1": -1,
        "0": 0,
        "2**63": 2**63,
        "np.int64(3)": np.int64(3),
        "np.float32(0.5)": np.float32(0.5),
        "a 0-d tensor": torch.tensor(2),
        "1j": 1j,
        "bytes": b"bytes",
        "an object": Nothing(),
        "a class": Nothing,
        "a function": lambda *values: None,
        "a path": Path("no") / "such.png",
        "a raw network": nn.Linear(2, 2),
        "a unit": ck.unit("conv2", 1),
        "an unknown unit": ck.unit("no such layer", 1),
    }


def _containers() -> dict[str, object]:
    return {
        "an empty list": [],
        "a list of numbers": [1, 2],
        "a list of words": ["a", "b"],
        "a list of None": [None],
        "a list of NaN": [float("nan")] * 3,
        "a list of lists": [[1], [2, 3]],
        "a long list": list(range(50)),
        "a generator": (value for value in (1, 2)),
        "a set": {1, 2},
        "an empty dict": {},
        "a dict": {"a": 1},
        "a dict of tensors": {"a": torch.rand(2, 3)},
        "a dict of dicts": {"a": {"b": None}},
        "NumPy (H, W, 3)": np.zeros((8, 8, 3), np.uint8),
        "a PIL image": Image.new("RGB", (8, 8)),
        "an image": IMAGE,
        "two codes": CODES[:2],
    }


def _tensors(right: Tensor) -> dict[str, object]:
    """What a tensor may look like that is not the right one."""
    right = right.detach().contiguous()
    real = right.float()
    broken, huge = real.contiguous().clone(), real.contiguous().clone()
    if real.numel():
        broken.view(-1)[0], huge.view(-1)[-1] = float("nan"), float("inf")
    return {
        "NumPy": right.numpy(),
        "a nested list": right.tolist(),
        "half": real.half(),
        "double": real.double(),
        "uint8": (real * 255).byte(),
        "int64": real.long(),
        "bool": real > 0.5,
        "complex": real.to(torch.complex64),
        "meta": right.to("meta"),
        "sparse": right.to_sparse(),
        "with NaN": broken,
        "with infinity": huge,
        "times 255": real * 255,
        "minus 1": real - 1,
        "1e30": real + 1e30,
        "zeros": torch.zeros_like(right),
        "without its first axis": right[0] if right.ndim else right,
        "with one axis more": right[None],
        "of length 0": right[:0] if right.ndim else right,
        "twice": torch.cat([right, right]) if right.ndim else right,
        "without its last column": right[..., :-1] if right.ndim else right,
        "a single column": right[..., :1] if right.ndim else right,
        "with its last axis empty": right[..., :0] if right.ndim else right,
        "one pixel": right[..., :1, :1] if right.ndim > 1 else right,
        "channels last": right.movedim(1, -1) if right.ndim > 2 else right,
        "with a gradient": real.clone().requires_grad_(),
    }


def _changed(right: object) -> dict[str, object]:
    """A right list or mapping, spoilt in one place."""
    if isinstance(right, Tensor):
        return _tensors(right)
    if isinstance(right, dict) and right:
        key, value = next(iter(right.items()))
        spoilt = {f"its value is {name}": {**right, key: part} for name, part in wrong(value).items()}
        return spoilt | {"a key is None": {None: value}, "a key is 3": {3: value}}
    if isinstance(right, list | tuple) and right:
        named = hasattr(right, "_fields")
        kind = type(right)._make if named else type(right)
        spoilt = {f"its first is {name}": kind([part, *right[1:]]) for name, part in wrong(right[0]).items()}
        return spoilt if named else spoilt | {"one too few": right[:-1], "one too many": kind([*right, right[0]])}
    if isinstance(right, ck.Model):
        broken = {"the raw module": right.module, "half": contract_model().half(), "double": contract_model().double()}
        return broken | {"a model without layers": ck.Model(nn.Flatten()), "a state dict": right.state_dict()}
    return {}


def wrong(right: object) -> dict[str, object]:
    """Name -> a value to put in the place of a right one; made anew, since a generator can be used only once."""
    return _scalars() | _containers() | _changed(right)


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(function: Callable, given: dict[str, object]) -> object:
    """Call it, look inside what it gives back: enter a block, take two steps of a generator."""
    result = function(**given)
    if hasattr(result, "__enter__"):
        with result as value:
            return value
    if inspect.isgenerator(result):
        return [part for part, _ in zip(result, range(2), strict=False)]
    return result


def _numbers(result: object) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, float) and result != result:
        yield torch.tensor(result)
    elif isinstance(result, dict):
        for part in result.values():
            yield from _numbers(part)
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _numbers(part)
    elif hasattr(result, "__dataclass_fields__") or isinstance(result, ck.Rendering):
        yield from _numbers(vars(result))


SAYS_NAN = {"part_spread"}  # where a filter is silent on an object


def not_finite(result: object) -> bool:
    """Whether a result holds a NaN or an infinity."""
    return any(not part.isfinite().all() for part in _numbers(result) if part.is_floating_point())


def outcome(function: Callable, given: dict[str, object]) -> str:
    """ "right", "refused", or what went wrong: the Python error that came through, NaN, too long."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as here:
        warnings.simplefilter("ignore")
        there = os.getcwd()
        os.chdir(here)  # what a path of ours might be written to
        try:
            with _at_most(LIMIT):
                result = run(function, given)
            return "NaN" if not_finite(result) and function.__name__ not in SAYS_NAN else "right"
        except ck.CoursekitError:
            return "refused"
        except TimeoutError:
            return "too long"
        except Exception as error:  # this is what is looked for
            return f"{type(error).__name__}: {error}".splitlines()[0][:100]
        finally:
            os.chdir(there)


def tries(name: str, most: int | None = None) -> Iterator[tuple[str, str, str]]:
    """(parameter, value, outcome) for each wrong argument of a function, or for a seeded sample of each parameter's."""
    function = public_functions()[name]
    signature = inspect.signature(function)
    for parameter in signature.parameters:
        if parameter == "options":
            continue
        given = base(name)
        values = wrong(given.get(parameter))
        if parameter == "agent" or "Callable" in str(signature.parameters[parameter].annotation):
            own = ("a class", "network", "unit", "function")  # what the reader wrote fails in its own way
            values = {key: value for key, value in values.items() if not any(word in key for word in own)}
        asked = sorted(values) if most is None else random.Random(name + parameter).sample(sorted(values), most)
        for value in asked:
            yield parameter, value, outcome(function, given | {parameter: values[value]})


def main() -> None:
    Picture.data = b""  # made, not encoded
    counts: dict[str, Counter] = {}
    for name in sys.argv[1:] or sorted(set(public_functions()) - NO_ARGUMENTS - NOT_TRIED):
        counts[name] = Counter()
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            found = list(tries(name))
        for parameter, value, came in found:
            raw = came not in ("right", "refused", "NaN", "too long")
            counts[name]["raw" if raw else came] += 1
            if came not in ("right", "refused"):
                print(f"{name}\t{parameter}\t{value}\t{came}", flush=True)
    print(f"{'function':40}{'right':>8}{'refused':>8}{'raw':>8}{'NaN':>8}{'too long':>9}")
    kinds = ("right", "refused", "raw", "NaN", "too long")
    for name, row in sorted(counts.items(), key=lambda item: -item[1]["raw"]):
        print(f"{name:40}" + "".join(f"{row[kind]:8}" for kind in kinds))
    print(f"{'all':40}" + "".join(f"{sum(row[kind] for row in counts.values()):8}" for kind in kinds))


if __name__ == "__main__":
    main()
