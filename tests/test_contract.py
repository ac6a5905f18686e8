"""The contract: every function that takes a model leaves it as found, and answers alike in every setting.

The functions are found by themselves (`takes_a_model`); one that has no call in `tests/helpers/calls.py` fails here.
Each clause of the contract is a function below; `tests/test_contract_catches.py` shows of each that it catches a
function which breaks it.
`tests/attribution/test_contract.py` asks the attribution methods more closely.
"""

import dataclasses
import functools
import itertools
import random
import re
import warnings
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pytest
import torch
from calls import CALLS, PER_IMAGE, SIZE, TOGETHER, contract_images, contract_model, takes_a_model
from matplotlib.figure import Figure
from stand_in import on
from state import unchanged, unusual_model
from torch import Tensor

import coursekit as ck
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import Picture
from coursekit.synthesis.render import Rendering

DEVICES = ["cpu", "pretend"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
Call = Callable[[ck.Model, Tensor, str], object]


class Blown(Exception):
    """What a layer of the network raises on purpose."""


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Figures are made but not encoded, which takes most of an explorer's time; `numbers` reads what they hold."""
    monkeypatch.setattr(Picture, "data", b"")


def numbers(result: object) -> list[Tensor]:
    """All that a result says, as tensors in order: its fields, the numbers of its figure, what it yields, its words."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, bool | int | float | np.ndarray | np.number):
        return [torch.as_tensor(result)]
    if isinstance(result, str):
        return [torch.tensor(list(result.encode()))]
    if isinstance(result, Explorer):
        return numbers([result.picture.alt, result.picture.figure])
    if isinstance(result, Figure):
        bars = [[p.get_width() for p in ax.patches if hasattr(p, "get_width")] for ax in result.axes]
        lines = [line.get_ydata() for ax in result.axes for line in ax.lines]
        return numbers([[image.get_array().data for ax in result.axes for image in ax.images], bars, lines])
    if dataclasses.is_dataclass(result):
        return numbers([getattr(result, field.name) for field in dataclasses.fields(result)])
    if isinstance(result, Rendering | Mapping):
        return numbers([*(vars(result) if isinstance(result, Rendering) else result).items()])
    if isinstance(result, Iterable):
        return [tensor for part in result for tensor in numbers(part)]
    return []


def assert_same(ours: list[Tensor], theirs: list[Tensor], tolerance: float = 0.0) -> None:
    """Equal to the bit, or up to a part of the largest value."""
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.detach().cpu().double(), b.detach().cpu().double()
        apart = (a - b).nan_to_num().abs().max() if a.numel() else 0
        assert torch.equal(a.isnan(), b.isnan()) and apart <= tolerance * b.nan_to_num().abs().max(), "differs"


@dataclasses.dataclass
class Usual:
    """What a call gives in the usual setting, how often it runs the network, and whether it needs gradients."""

    result: list[Tensor]
    passes: int
    gradients: bool


@functools.cache
def usual(call: Call) -> Usual:
    model, asked = contract_model(), []
    model.module.fuse.passes = 10**6
    with pytest.MonkeyPatch.context() as patch:
        for name in ("grad", "backward"):
            patch.setattr(torch.autograd, name, _counted(getattr(torch.autograd, name), asked))
        result = numbers(call(model, contract_images(), "conv2"))
    return Usual(result, 10**6 - model.module.fuse.passes, bool(asked))


def _counted(function: Callable, asked: list) -> Callable:
    def counted(*args: object, **kwargs: object) -> object:
        asked.append(function)
        return function(*args, **kwargs)

    return counted


# The clauses -------------------------------------------------------------------------------------------------------


def leaves_all_as_found(call: Call) -> None:
    """A model of mixed modes, with hooks, gradients and flags of its own, is as before; and so is the world."""
    model, images = unusual_model(SIZE), contract_images()
    expected = usual(call)  # before: what a first call imports may draw random numbers, as scikit-learn does
    with unchanged(model, images):
        result = numbers(call(model, images, "conv2"))
    assert_same(result, expected.result)
    assert not any(tensor.requires_grad for tensor in result), "a result is no part of a graph"


def answers_in_train_mode_as_in_eval_mode(call: Call) -> None:
    model, images, expected = contract_model().train(), contract_images(), usual(call)
    with unchanged(model, images):
        result = numbers(call(model, images, "conv2"))
    assert_same(result, expected.result)


def refuses_what_is_wrong(call: Call) -> None:
    """Images beyond [0, 1], an unknown layer: one sentence, before any forward pass, from all that look at them."""
    images = contract_images()
    refused = [_refuses(call, images * 255, "conv2", r"\[0, 1\]"), _refuses(call, images, "conv9", "'conv9'")]
    assert any(refused), "looks at neither, so it needs a case of its own in OTHERWISE_WRONG"


def _refuses(call: Call, images: Tensor, layer: str, words: str) -> bool:
    """Tell whether the call refuses these arguments; fail where it does so late, or takes what is wrong."""
    model = unusual_model(SIZE)
    model.module.fuse.passes, model.module.fuse.error = 0, Blown()
    with unchanged(model, images):
        try:
            numbers(call(model, images, layer))
        except ck.CoursekitError as error:
            assert re.search(words, str(error)), str(error)
            return True
        except Blown:
            pass
    try:
        assert_same(numbers(call(contract_model(), images, layer)), usual(call).result)
    except ck.CoursekitError as error:
        raise AssertionError(f"refuses late, after a forward pass: {error}") from error
    return False  # it does not look at them


def survives_a_raising_layer(call: Call) -> None:
    """An error or an interrupt at a random forward pass; a function may turn an interrupt into a warning."""
    for error in (Blown(), KeyboardInterrupt()):
        for seed in range(2):
            _raise_at_a_random_step(call, error, seed)


def _raise_at_a_random_step(call: Call, error: BaseException, seed: int) -> None:
    model, images = unusual_model(SIZE), contract_images()
    model.module.fuse.error = error
    model.module.fuse.passes = random.Random(seed).randrange(usual(call).passes or 1)
    with unchanged(model, images), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            numbers(call(model, images, "conv2"))
        except type(error):
            return
    interrupted = isinstance(error, KeyboardInterrupt) and any("Interrupted" in str(w.message) for w in told)
    assert interrupted or not usual(call).passes, "the error is swallowed without a word"


def agrees_with_itself(call: Call) -> None:
    """Whatever random numbers were drawn before."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        for seed_all in (torch.manual_seed, np.random.seed, random.seed):
            seed_all(99)
        assert_same(numbers(call(contract_model(), contract_images(), "conv2")), usual(call).result)
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def is_the_same_for_inplace_activations(call: Call) -> None:
    assert_same(numbers(call(contract_model(inplace=True), contract_images(), "conv2")), usual(call).result)


def works_without_grad(call: Call) -> None:
    with torch.no_grad():
        result = numbers(call(contract_model(), contract_images(), "conv2"))
        assert not torch.is_grad_enabled()
    assert_same(result, usual(call).result)


def works_or_explains_itself_in_inference_mode(call: Call) -> None:
    model, images, expected = unusual_model(SIZE), contract_images(), usual(call)
    with torch.inference_mode(), unchanged(model, images):
        if expected.gradients:
            with pytest.raises(ck.OptionError, match=r"needs gradients.*inference_mode.*no_grad"):
                numbers(call(model, images, "conv2"))
        else:
            assert_same(numbers(call(model, images, "conv2")), expected.result)


CLAUSES = [
    leaves_all_as_found,
    answers_in_train_mode_as_in_eval_mode,
    survives_a_raising_layer,
    agrees_with_itself,
    is_the_same_for_inplace_activations,
    works_without_grad,
    works_or_explains_itself_in_inference_mode,
]


def takes_a_batch_as_a_loop(call: Call, device: str = "cpu") -> None:
    images = contract_images().to(device)
    one_by_one = [numbers(call(contract_model().to(device), image[None], "conv2")) for image in images]
    together = numbers(call(contract_model().to(device), images, "conv2"))
    assert_same(together, [torch.cat(parts) for parts in zip(*one_by_one, strict=True)], 1e-5)


def answers_where_the_images_are(call: Call, device: str = "cpu", where: str = "cpu") -> None:
    found = numbers(call(contract_model().to(device), contract_images().to(where), "conv2"))
    assert {tensor.device.type for tensor in found} == {where}, "the result lives elsewhere"
    assert_same(found, usual(call).result, 1e-4)


def answers_on_any_device(call: Call, device: str = "pretend", where: str = "cpu") -> None:
    """And leaves the network where it is."""
    expected = usual(call).result
    with on(device), on(where):
        model, images = contract_model().to(device), contract_images().to(where)
        assert_same(numbers(call(model, images, "conv2")), expected, 1e-4)
        assert model.device.type == device


# Every function, every clause --------------------------------------------------------------------------------------

# No argument of these can be wrong but the model itself.
NOTHING_TO_REFUSE = {"randomisable", "style_layers"}
# Neither images nor a layer: the same clause with what they ask for instead.
OTHERWISE_WRONG = {
    "evolve": lambda m, x: ck.evolve(m, -1, lambda genes: x),
    "explore_prediction": lambda m, x: ck.explore_prediction(m, "no photograph"),
    "explore_style": lambda m, x: ck.explore_style(m, "no photograph"),
    "flips": lambda m, x: ck.flips(m, ck.Case(0, {}, x, torch.arange(2), [], None), "watermark", "no class"),
}


def test_every_function_that_takes_a_model_has_its_call():
    assert takes_a_model() == set(CALLS)
    assert {"predict", "objectives.match", "explore_unit", "flips", "render"} <= takes_a_model()
    assert NOTHING_TO_REFUSE | set(OTHERWISE_WRONG) <= set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_gives_something_to_compare(name):
    result = usual(CALLS[name]).result
    assert any(tensor.double().nan_to_num().abs().max() > 0 for tensor in result if tensor.numel()), "all is 0"


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
@pytest.mark.parametrize("name", CALLS)
def test_every_function_keeps_the_contract(name, clause):
    clause(CALLS[name])


@pytest.mark.parametrize("name", sorted(set(CALLS) - NOTHING_TO_REFUSE - set(OTHERWISE_WRONG)))
def test_every_function_refuses_what_is_wrong(name):
    refuses_what_is_wrong(CALLS[name])


@pytest.mark.parametrize("name", OTHERWISE_WRONG)
def test_what_looks_at_neither_images_nor_layers_refuses_other_things(name):
    model, images = unusual_model(SIZE), contract_images()
    model.module.fuse.passes = 0
    with unchanged(model, images), pytest.raises(ck.CoursekitError, match=r"-1|no photograph|no class"):
        OTHERWISE_WRONG[name](model, images)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", PER_IMAGE)
def test_a_batch_equals_a_loop(name, device):
    with on(device):
        takes_a_batch_as_a_loop(PER_IMAGE[name], device)


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", PER_IMAGE)
def test_the_result_lives_with_the_images(name, device, where):
    with on(device), on(where):
        answers_where_the_images_are(PER_IMAGE[name], device, where)


@pytest.mark.parametrize(("device", "where"), list(itertools.product(DEVICES, repeat=2)))
@pytest.mark.parametrize("name", TOGETHER)
def test_a_network_and_images_may_live_on_different_devices(name, device, where):
    answers_on_any_device(TOGETHER[name], device, where)
