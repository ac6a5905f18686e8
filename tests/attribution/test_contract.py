"""The contract of every attribution method, case by case: targets, bad inputs, settings of model and autograd.

`tests/test_contract.py` holds every function that takes a model to the common part.
Methods are found by themselves: every public function of `attribution` whose first two parameters are `model` and
`images`. A new one is tested with its default options, or with those that it gets in OPTIONS.
"""

import functools
import inspect
import pkgutil
from importlib import import_module

import pytest
import torch
from nets import CLASSES, random_images, relative_difference, small_model
from state import unchanged, unusual_model
from torch import Tensor, nn

import coursekit as ck
from coursekit import attribution

DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()

OPTIONS = {  # what a method needs for images of 12 pixels, as a function of the images
    "occlusion": lambda images: {"window": 5, "stride": 4},
    "occlusion_grid": lambda images: {"window": 5, "stride": 4, "feature": ck.unit("conv2", 3)},
    "smoothgrad": lambda images: {"samples": 4},
    "integrated_gradients": lambda images: {"steps": 10},
    "completeness_gap": lambda images: {"attribution": images - 0.5},
}


def is_method(function: object) -> bool:
    return inspect.isfunction(function) and list(inspect.signature(function).parameters)[:2] == ["model", "images"]


def attribution_modules() -> list[str]:
    return [
        f"{attribution.__name__}.{module.name}"
        for module in pkgutil.iter_modules(attribution.__path__)
        if module.name not in ("reference", "fills")
    ]


ONLY_LOGITS = {"cam"}  # methods that explain what follows from the logits, and no inner unit
# What some networks do not have, or, in "x has y, through …", what has no rule.
NEEDS = {"cam": "global average pooling", "fullgrad": "linear piece by piece", "relevance": "has pow"}

METHODS = {
    name: function
    for path in attribution_modules()
    for name, function in vars(import_module(path)).items()
    if is_method(function) and function.__module__ == path and name in ck.__all__
}


@pytest.fixture(params=METHODS)
def method(request):
    """Call as method(model, images, target) -> the result's tensors."""
    function, options = METHODS[request.param], OPTIONS.get(request.param, lambda images: {})

    @functools.wraps(function)
    def call(model: ck.Model, images: Tensor, target: object = None) -> list[Tensor]:
        result = function(model, images, target=target, **options(images))
        return [result] if isinstance(result, Tensor) else [field for field in result if field is not None]

    return call


def same(ours: list[Tensor], theirs: list[Tensor], tolerance: float = 0.0) -> bool:
    """Equal to the bit, or to a part of the largest value."""
    if tolerance == 0:
        return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    return all(relative_difference(a.cpu(), b.cpu()) < tolerance for a, b in zip(ours, theirs, strict=True))


TARGETS = {
    "top class": None,
    "class": 3,
    "class per image": [4, 0],
    "unit": ck.unit("conv2", 3),
    "neuron": ck.unit("conv3", 1, (2, 2)),
    "function": lambda logits: logits[:, 0] - logits[:, 1],
}

BAD = {  # name -> (target, images, exception, words of its message)
    "class out of range": (CLASSES, random_images(), ck.TargetError, "Class 5 .* 0 to 4"),
    "negative class": (-1, random_images(), ck.TargetError, "Class -1 "),
    "too few classes": ([1], random_images(), ck.TargetError, "2 images, but 1 targets"),
    "no target": ("cat", random_images(), ck.TargetError, "'cat'"),
    "unknown layer": (ck.unit("conv9", 0), random_images(), ck.UnknownLayer, "'conv9'.*conv1"),
    "channel out of range": (ck.unit("conv2", 8), random_images(), ck.TargetError, r"\(\d, 8, 6, 6\).*channel 8"),
    "layer that runs twice": (ck.unit("relu", 0), random_images(), ck.UnknownLayer, "'relu' runs more than once"),
    "function of a wrong shape": (lambda logits: logits, random_images(), ck.TargetError, r"returned \(\d, 5\)"),
    "wrong shape": (0, random_images()[0], ck.ImageError, r"\(N, 3, H, W\), but got \(3, 12, 12\)"),
    "wrong channels": (0, random_images()[:, :1], ck.ImageError, r"\(2, 1, 12, 12\)"),
    "no images": (0, random_images()[:0], ck.ImageError, r"\(0, 3, 12, 12\)"),
    "wrong type": (0, random_images().half(), ck.ImageError, "float32.*float16"),
    "whole numbers": (0, (random_images() * 255).byte(), ck.ImageError, "float32.*uint8"),
    "wrong range": (0, random_images() * 255, ck.ImageError, r"\[0, 1\].*2\d\d\]; divide by 255"),
    "normalised": (0, random_images() * 4 - 2, ck.ImageError, r"\[0, 1\].*\[-(1\.99|2),"),
    "NaN": (0, random_images() * float("nan"), ck.ImageError, "NaN"),
}


def explains(name: str, target: object) -> bool:
    return not (name in ONLY_LOGITS and isinstance(target, type(ck.unit("conv1", 0))))


def with_each_method(names: str, cases: dict[str, tuple]) -> pytest.MarkDecorator:
    """Every method with every case whose target it explains; the first of a case's values is the target."""
    pairs = {
        f"{name}-{case}": (name, *values)
        for name in METHODS
        for case, values in cases.items()
        if explains(name, values[0])
    }
    return pytest.mark.parametrize(("method", *names.split()), pairs.values(), ids=pairs, indirect=["method"])


each_target = with_each_method("target", {name: (target,) for name, target in TARGETS.items()})
each_bad_input = with_each_method("target images error words", BAD)


def test_methods_are_found():
    known = """input_gradient input_x_gradient saliency smoothgrad integrated_gradients completeness_gap occlusion
    occlusion_grid guided_backprop deconvnet cam grad_cam guided_grad_cam fullgrad"""
    assert set(known.split()) <= set(METHODS)
    assert set(OPTIONS) | ONLY_LOGITS | set(NEEDS) <= set(METHODS), "an option for a method that does not exist"


@pytest.mark.parametrize("name", ONLY_LOGITS)
def test_a_method_that_explains_classes_refuses_units_before_any_work(name):
    model, images = unusual_model(), random_images()
    model.module.fuse.passes = 0
    for target in TARGETS.values():
        if not explains(name, target):
            with unchanged(model, images), pytest.raises(ck.TargetError, match="explains classes"):
                METHODS[name](model, images, target)


def test_every_method_of_the_attribution_modules_is_public():
    for path in attribution_modules():
        for name, function in vars(import_module(path)).items():
            if is_method(function) and function.__module__ == path and not name.startswith("_"):
                assert name in ck.__all__ and inspect.unwrap(getattr(ck, name)) is function, (
                    f"coursekit.{name} is not {path}'s"
                )


def test_every_method_takes_a_target_third_or_by_name_and_options_by_name_only():
    for name, function in METHODS.items():
        parameters = inspect.signature(function).parameters
        assert parameters["target"].default is None, name
        positional = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
        assert positional in (["model", "images", "target"], ["model", "images", "attribution", "target"]), name


@each_target
def test_the_model_is_left_as_found_after_success(method, target):
    model, images = unusual_model(), random_images()
    with unchanged(model, images):
        method(model, images, target)


@each_bad_input
def test_the_model_is_left_as_found_after_bad_input(method, target, images, error, words):
    model = unusual_model()
    with unchanged(model, images), pytest.raises(error, match=words):
        method(model, images, target)


@pytest.mark.parametrize("passes", [0, 1])
@pytest.mark.parametrize("error", [RuntimeError("the fuse blew"), KeyboardInterrupt()], ids=repr)
@each_target
def test_the_model_is_left_as_found_after_a_layer_that_raises(method, target, error, passes):
    model, images = unusual_model(), random_images(9)
    target = [0] * 9 if isinstance(target, list) else target
    model.module.fuse.passes, model.module.fuse.error = passes, error
    with unchanged(model, images), pytest.raises(type(error)):
        method(model, images, target)


def test_bad_images_and_targets_cost_no_forward_pass(method):
    model = small_model()
    model.labels = [f"class {i}" for i in range(CLASSES)]
    model.module.fuse.passes = 0
    for name, (target, images, error, words) in BAD.items():
        known_later = name in ("channel out of range", "layer that runs twice", "function of a wrong shape")
        if not known_later and explains(method.__name__, target):
            with pytest.raises(error, match=words):
                method(model, images, target)


# The same result in every setting ---------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@each_target
def test_two_calls_agree(method, target, device):
    model, images = small_model().to(device), random_images().to(device)
    first = method(model, images, target)
    torch.manual_seed(99)
    assert same(method(model, images, target), first, 0 if device == "cpu" else 1e-5)


@pytest.mark.parametrize("device", DEVICES)
@each_target
def test_a_batch_equals_a_loop(method, target, device):
    model, images = small_model().to(device), random_images(11).to(device)
    each = [i % CLASSES for i in range(11)]
    target = each if isinstance(target, list) else target
    one_by_one = [
        method(model, image[None], target[i : i + 1] if isinstance(target, list) else target)
        for i, image in enumerate(images)
    ]
    together = [torch.cat(parts) for parts in zip(*one_by_one, strict=True)]
    assert same(method(model, images, target), together, 1e-5)


@each_target
def test_inplace_activations_change_nothing(method, target):
    images = random_images()
    assert same(method(small_model(inplace=True), images, target), method(small_model(), images, target))


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("grad", [torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize("trainable", [True, False])
def test_the_state_of_the_model_and_of_autograd_does_not_matter(method, mode, grad, trainable):
    model, images = small_model(), random_images()
    expected = method(model, images, 2)
    model.train(mode == "train").requires_grad_(trainable)
    with grad():
        found = method(model, images.clone().requires_grad_(), 2)
    assert same(found, expected)
    assert not any(tensor.requires_grad for tensor in found), "a result is a map, not a part of a graph"


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("device", DEVICES)
@each_target
def test_devices_agree_and_the_result_lives_with_the_images(method, target, device, where):
    images = random_images()
    found = method(small_model().to(device), images.to(where), target)
    assert all(tensor.device.type == where for tensor in found)
    assert all(tensor.dtype in (torch.float32, torch.long) and len(tensor) == 2 for tensor in found)
    assert same(found, method(small_model(), images, target), 1e-5 if "cpu" == device == where else 1e-4)


def test_maps_are_float32_and_finite(method):
    found = method(small_model(), random_images())
    assert found[0].dtype == torch.float32
    assert all(tensor.isfinite().all() for tensor in found)


def test_images_in_float64_work_on_a_network_in_float32(method):
    images = random_images()
    for ours, theirs in zip(method(small_model(), images.double()), method(small_model(), images), strict=True):
        assert relative_difference(ours, theirs) < 1e-4


def test_the_top_class_is_the_default_target(method):
    model, images = small_model(), random_images(9)
    top = model(images).argmax(1)
    assert len(top.unique()) > 1, "images of several classes make this a test"
    assert same(method(model, images), method(model, images, top))
    assert not same(method(model, images), method(model, images, (top + 1) % CLASSES))


def test_a_network_without_a_linear_layer_or_convolution_will_do_or_is_refused(method):
    class Colours(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv2 = nn.Identity()  # the name that occlusion_grid's option asks for

        def forward(self, x: Tensor) -> Tensor:
            return self.conv2(torch.cat([x, -x], dim=1) ** 2).mean((2, 3))

    if lacking := NEEDS.get(method.__name__):
        with pytest.raises(ck.UnsupportedNetwork, match=f"Colours.*{lacking}"):
            method(ck.Model(Colours()), random_images(), 5)
    else:
        assert all(tensor.isfinite().all() for tensor in method(ck.Model(Colours()), random_images(), 5))
