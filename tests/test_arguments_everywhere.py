"""Every public function, with every kind of wrong argument, one at a time: one of our sentences or a right result.

What is tried stands in `tests/helpers/misuse.py`; here a seeded sample of it, all of it with COURSEKIT_MISUSE=all.
"""

import os

import numpy as np
import pytest
import torch
from calls import CALLS, contract_images, contract_model
from misuse import NO_ARGUMENTS, NOT_TRIED, WITHOUT_MODEL, public_functions, tries

import coursekit as ck
from coursekit.figures.figure import Picture

MOST = None if os.environ.get("COURSEKIT_MISUSE") == "all" else 4  # values for each parameter


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    monkeypatch.setattr(Picture, "data", b"")


def test_every_public_function_is_tried():
    assert set(public_functions()) == set(CALLS) | set(WITHOUT_MODEL) | NO_ARGUMENTS | NOT_TRIED


NUMBERS = [  # a call with a number, which may be of Python, NumPy or torch
    (lambda n: ck.stimuli.grating(n(16), n(8)), int),
    (lambda n: ck.stimuli.noise(16, seed=n(3)), int),
    (lambda n: ck.stimuli.gabor(16, 8, sigma=n(2.5)), float),
    (lambda n: ck.objectives.gram(ck.stimuli.shape(radius=n(0.25), size=n(16))[0]), lambda x: x),
    (lambda n: ck.smoothgrad(contract_model(), contract_images(), n(1), samples=n(2), seed=n(3)), int),
    (lambda n: ck.top_patches(contract_model(), contract_images(), "conv2", n(2), k=n(2)).values, int),
    (lambda n: ck.project(torch.rand(8, 3, generator=torch.Generator().manual_seed(0)), dims=n(2)), int),
]


@pytest.mark.parametrize(("call", "kind"), NUMBERS)
def test_numbers_of_numpy_and_torch_are_numbers(call, kind):
    right = call(kind)
    assert torch.equal(call(lambda x: np.array(kind(x))[()]), right)
    assert torch.equal(
        call(lambda x: torch.tensor(kind(x), dtype=None if isinstance(x, int) else torch.float64)), right
    )


NAN, TWO = float("nan"), torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
SILENT = {  # what once gave nonsense without a word -> the exception, and words of its sentence
    "a second image, match": (lambda m: ck.objectives.match(m, TWO, "conv2"), ck.ImageError, "one image"),
    "a second image, guide": (lambda m: ck.objectives.guide(m, TWO, "conv2"), ck.ImageError, "one image"),
    "a second image, fooling": (lambda m: ck.explore_fooling(m, TWO), ck.ImageError, "one image"),
    "two colours": (lambda m: ck.shape_parameters(colour=(0.1, 0.2)), ck.OptionError, "colour"),
    "a colour of 255": (lambda m: ck.shape_parameters(colour=(255, 0, 0)), ck.OptionError, "colour"),
    "radius": (lambda m: ck.shape_parameters(radius=-1), ck.OptionError, "radius"),
    "style_weights": (
        lambda m: ck.style_transfer(m, TWO[:1], TWO[1:], style_weights=[NAN]),
        ck.OptionError,
        "style_weights must be a list of finite numbers",
    ),
    "tv": (lambda m: ck.style_transfer(m, TWO[:1], TWO[1:], tv=float("inf")), ck.OptionError, "tv must be a finite"),
    "weight": (lambda m: ck.invert(m, TWO[:1], "conv2", weight=NAN), ck.OptionError, "weight must be a finite number"),
    "rate, dream": (
        lambda m: ck.dream(m, TWO[:1], "conv2", rate=NAN),
        ck.OptionError,
        "rate must be a number of at least 0",
    ),
    "rate, render": (
        lambda m: ck.render(m, 1, rate=float("inf")),
        ck.OptionError,
        "rate must be a number of at least 0",
    ),
    "sd": (lambda m: ck.parameterizations.fourier(sd=NAN), ck.OptionError, "sd must be a finite number"),
    "total variation": (lambda m: ck.regularizers.total_variation(NAN), ck.OptionError, "weight must be a finite"),
    "every": (lambda m: ck.regularizers.blur(1.0, every=1.5), ck.OptionError, "every must be a whole number"),
    "smallest change": (lambda m: ck.smallest_change(m, TWO[:1], 1, weight=NAN), ck.OptionError, "weight must be"),
    "TCAV": (lambda m: ck.tcav_score(torch.full((4, 2), NAN), torch.ones(2)), ck.OptionError, "gradients .* finite"),
    "sorting": (
        lambda m: ck.sort_by_concept(torch.full((4, 2), NAN), torch.ones(2)),
        ck.OptionError,
        "codes .* finite",
    ),
    "a turn of 0": (
        lambda m: ck.angle_between(torch.ones(1), torch.ones(1), turn=0),
        ck.OptionError,
        "turn must be above 0",
    ),
    "filters": (lambda m: ck.filter_pictures(torch.full((2, 3, 7, 7), NAN)), ck.OptionError, "weights must be finite"),
    "actions": (lambda m: ck.catch.step(torch.tensor([[0, 1, 1]]), torch.tensor([-5])), ck.OptionError, "stay"),
    "layer": (lambda m: ck.unit(None, 1), ck.UnknownLayer, "layer must be a string"),
    "seed": (lambda m: ck.random_model("patternnet", seed="3"), ck.OptionError, "seed must be a whole number"),
    "no seed": (lambda m: ck.load_scene("hen", seed=None), ck.OptionError, "seed must be a whole number"),
    "steps": (lambda m: ck.explore_doodle(m, size=32, steps=-1), ck.OptionError, "steps must be"),
    "a raw network": (lambda m: ck.cam(m.module, TWO), ck.OptionError, r"wrap it: ck.Model\(network, mean=…, std=…\)"),
    "meta": (lambda m: ck.saliency(m, TWO.to("meta")), ck.ImageError, "with its values in memory"),
    "sparse": (lambda m: ck.saliency(m, TWO.to_sparse()), ck.ImageError, "dense tensor"),
    "one name": (lambda m: ck.activations(m, TWO, "conv2"), ck.UnknownLayer, r"write \['conv2'\]"),
}


@pytest.mark.parametrize("case", SILENT)
def test_what_once_passed_in_silence_gets_a_sentence(case):
    call, error, words = SILENT[case]
    with pytest.raises(error, match=words):
        call(contract_model())


def test_python_says_what_is_missing_or_unknown():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'images'"):
        ck.saliency(contract_model())
    with pytest.raises(TypeError, match="unexpected keyword argument 'target_class'"):
        ck.saliency(contract_model(), TWO, target_class=1)


@pytest.mark.parametrize("name", sorted(set(public_functions()) - NO_ARGUMENTS - NOT_TRIED))
def test_a_wrong_argument_gets_a_sentence_or_a_right_result(name):
    came = [line for line in tries(name, MOST) if line[2] not in ("right", "refused")]
    assert not came, came
