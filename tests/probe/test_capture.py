"""What a layer computes is what a run by hand computes, targets mean what they say, and no hook stays behind."""

import re

import pytest
import torch
from nets import CLASSES, MEAN, STD, random_images, small_maps, small_model
from torch import nn

import coursekit as ck
from coursekit.arguments import check_count
from coursekit.attribution.fills import baseline
from coursekit.probe.targets import reader, scoring

LAYERS = ["conv1", "bn1", "pool", "conv2", "conv3", "relu6", "dropout", "avgpool", "fc"]


def hooks(model: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


# capture ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inplace", [False, True])
def test_captured_maps_are_those_of_a_run_by_hand(inplace):
    images, expected = random_images(), small_maps(small_model(), random_images())
    with ck.capture(small_model(inplace), LAYERS) as maps:
        logits = small_model(inplace)(images)
        assert not maps, "another model ran, not this one"
    model = small_model(inplace)
    with ck.capture(model, LAYERS) as maps:
        logits = model(images)
    assert list(maps) == LAYERS
    for name in LAYERS:
        assert torch.equal(maps[name], expected[name]), name
    assert torch.equal(logits, small_model(inplace)(images)), "looking does not change the result"


def test_captured_convolution_is_safe_from_the_inplace_relu_after_it():
    model = small_model(inplace=True)
    with ck.capture(model, ["conv2"]) as maps:
        model(random_images())
    assert (maps["conv2"] < 0).any(), "a ReLU has overwritten the captured map"


@pytest.mark.parametrize("inplace", [False, True])
def test_gradients_flow_through_captured_maps(inplace):
    images = random_images().requires_grad_()
    model = small_model(inplace)
    with ck.capture(model, ["conv1", "conv3"]) as maps:
        score = model(images)[:, 2].sum()
    found = torch.autograd.grad(score, [maps["conv1"], maps["conv3"], images])
    by_hand = small_maps(small_model(), images)
    expected = torch.autograd.grad(by_hand["fc"][:, 2].sum(), [by_hand["conv1"], by_hand["conv3"], images])
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs.abs().max() > 0 and torch.equal(ours, theirs)
    # and from the image to an inner map
    with ck.capture(model, ["conv2"]) as maps:
        model(images)
    (ours,) = torch.autograd.grad(maps["conv2"][:, 3].sum(), images)
    (theirs,) = torch.autograd.grad(small_maps(small_model(), images)["conv2"][:, 3].sum(), images)
    assert torch.equal(ours, theirs)


def test_each_forward_pass_replaces_the_one_before():
    model, first, second = small_model(), random_images(seed=1), random_images(count=3, seed=2)
    with ck.capture(model, ["conv2"]) as maps:
        model(first)
        model(second)
    assert torch.equal(maps["conv2"], small_maps(model, second)["conv2"])


def test_capture_inside_capture():
    model, images = small_model(inplace=True), random_images()
    with ck.capture(model, ["conv2"]) as outer, ck.capture(model, ["conv2", "fc"]) as inner:
        model(images)
    assert torch.equal(outer["conv2"], inner["conv2"]) and list(inner) == ["conv2", "fc"]
    assert hooks(model) == 0


def test_no_hook_stays_behind():
    model, images = small_model(), random_images()
    with ck.capture(model, LAYERS):
        model(images)
        assert hooks(model) > 0
    assert hooks(model) == 0
    with pytest.raises(KeyboardInterrupt), ck.capture(model, LAYERS):
        raise KeyboardInterrupt
    assert hooks(model) == 0
    model.module.fuse.passes = 0
    with pytest.raises(RuntimeError, match="the fuse blew"), ck.capture(model, LAYERS):
        model(images)
    assert hooks(model) == 0


def test_unknown_layers_raise_and_leave_no_hook():
    model = small_model()
    with pytest.raises(ck.UnknownLayer, match=r"'conv9'.*conv1"), ck.capture(model, ["conv1", "conv9"]):
        raise AssertionError("the block must not start")
    assert hooks(model) == 0
    with pytest.raises(ck.UnknownLayer, match=re.escape("['conv1']")), ck.capture(model, "conv1"):
        raise AssertionError("the block must not start")


def test_a_layer_that_runs_twice_has_no_single_map():
    model = small_model()
    with pytest.raises(ck.UnknownLayer, match="'relu' runs more than once"), ck.capture(model, ["conv1", "relu"]):
        model(random_images())
    assert hooks(model) == 0
    model(random_images())  # works as before


# Units ------------------------------------------------------------------------------------------------------------


def test_a_unit_is_the_mean_of_its_map_or_one_position():
    maps = small_maps(small_model(), random_images())
    assert torch.equal(ck.unit("conv2", 3)(maps["conv2"]), maps["conv2"][:, 3].mean((1, 2)))
    assert torch.equal(ck.unit("conv2", 3, position=(0, 5))(maps["conv2"]), maps["conv2"][:, 3, 0, 5])
    assert torch.equal(ck.unit("fc", 4)(maps["fc"]), maps["fc"][:, 4])


def test_units_are_values():
    assert ck.unit("conv2", 3, [1, 2]) == ck.unit("conv2", 3, (1, 2)) != ck.unit("conv2", 3)
    assert len({ck.unit("conv2", 3), ck.unit("conv2", 3)}) == 1


@pytest.mark.parametrize("channel", [-1, 1.5, True, "3", None])
def test_bad_channels(channel):
    with pytest.raises(ck.TargetError, match="channel must be a whole number"):
        ck.unit("conv2", channel)


@pytest.mark.parametrize("position", [3, (1,), (1, 2, 3), (0.5, 1), "ab"])
def test_bad_positions(position):
    with pytest.raises(ck.TargetError, match="position must be"):
        ck.unit("conv2", 0, position)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (ck.unit("conv2", 8), r"'conv2'.*\(2, 8, 6, 6\).*channel 8"),
        (ck.unit("fc", 99), r"\(2, 5\).*channel 99"),
        (ck.unit("conv2", 0, (6, 0)), r"\(6, 0\).*6 x 6"),
        (ck.unit("conv2", 0, (0, -1)), r"\(0, -1\).*6 x 6"),
        (ck.unit("fc", 0, (0, 0)), "no positions"),
    ],
)
def test_units_that_the_layer_does_not_have(target, words):
    model = small_model()
    with pytest.raises(ck.TargetError, match=words):
        ck.input_gradient(model, random_images(), target)
    assert hooks(model) == 0


# Targets ----------------------------------------------------------------------------------------------------------


def scores_of(target, variants, owner):
    model = small_model()
    with scoring(model, random_images(3), target) as score, torch.no_grad():
        return score(variants, torch.tensor(owner))


def test_every_kind_of_target():
    images, maps = random_images(3), small_maps(small_model(), random_images(3))
    logits, owner = maps["fc"].detach(), [0, 1, 2]
    each = torch.tensor([4, 0, 2])
    for target, expected in {
        "one class": (3, logits[:, 3]),
        "one class as a tensor": (torch.tensor(3), logits[:, 3]),
        "one class for each image": ([4, 0, 2], logits[[0, 1, 2], each]),
        "the same as a tensor": (each, logits[[0, 1, 2], each]),
        "a unit": (ck.unit("conv3", 1), maps["conv3"][:, 1].mean((1, 2))),
        "a function": (lambda y: y[:, 0] - y[:, 1], logits[:, 0] - logits[:, 1]),
        "the top class": (None, logits.amax(1)),
    }.values():
        assert torch.allclose(scores_of(target, images, owner), expected, atol=1e-6)


def test_the_target_of_the_original_stays_the_target_of_its_variants():
    variants = random_images(4, seed=9)
    logits = small_maps(small_model(), variants)["fc"].detach()
    top = small_maps(small_model(), random_images(3))["fc"].argmax(1)
    owner = torch.tensor([2, 0, 0, 1])
    assert torch.equal(scores_of(None, variants, owner.tolist()), logits[range(4), top[owner]])
    assert torch.equal(scores_of([4, 0, 2], variants, owner.tolist()), logits[range(4), [2, 4, 4, 0]])


BAD_TARGETS = [
    (CLASSES, r"Class 5 does not exist.*0 to 4"),
    (-1, r"Class -1 does not exist"),
    ([0, 1, CLASSES + 7], r"Class 12 does not exist.*0 to 4"),
    ([0, 1], r"3 images, but 2 targets"),
    (torch.zeros(3, 1, dtype=torch.long), "A target is a class index"),
    (1.0, "A target is a class index.*1.0"),
    (True, "A target is a class index.*True"),
    ("cat", "A target is a class index.*'cat'"),
    ([0, 1, None], "A target is a class index"),
    (lambda y: y, r"\(3,\), but returned \(3, 5\)"),
    (lambda y: y.sum(), r"\(3,\), but returned \(\)"),
    (lambda y: 3.0, r"\(3,\), but returned float"),
]


@pytest.mark.parametrize(("target", "words"), BAD_TARGETS)
def test_bad_targets(target, words):
    with pytest.raises(ck.TargetError, match=words):
        scores_of(target, random_images(3), [0, 1, 2])


def test_a_unit_of_an_unknown_layer_raises_before_the_network_runs():
    model = small_model()
    model.module.fuse.passes = 0
    with pytest.raises(ck.UnknownLayer, match="'conv9'"):
        reader(model, random_images(), ck.unit("conv9", 0))


@pytest.mark.parametrize("value", [0, -3, 1.5, True, "8", None])
def test_counts(value):
    with pytest.raises(ck.OptionError, match=f"steps must be .* at least 1, but is {value!r}"):
        check_count("steps", value)


# Baselines --------------------------------------------------------------------------------------------------------


def test_plain_baselines():
    model, images = small_model(), random_images()
    assert torch.equal(baseline(model, images, "black"), torch.zeros_like(images))
    assert torch.equal(baseline(model, images, "white"), torch.ones_like(images))
    colour = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)
    assert torch.equal(baseline(model, images, (0.1, 0.2, 0.3)), colour.expand_as(images))
    assert torch.equal(baseline(model, images, [0, 0, 1])[:, 2], torch.ones(2, 12, 12))
    other = random_images(1, seed=5)
    assert torch.equal(baseline(model, images, other), other.expand_as(images))
    for kind in ("black", "white", "mean", "blur", (0.1, 0.2, 0.3), other):
        assert baseline(model, images, kind).shape == images.shape
        assert baseline(model, images.double(), kind).dtype == torch.float64


def test_the_mean_is_zero_after_normalisation_and_not_black():
    filled = baseline(small_model(), random_images(), "mean")
    assert torch.allclose(filled, torch.tensor(MEAN).view(3, 1, 1).expand_as(filled))
    normalised = (filled - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    assert normalised.abs().max() < 1e-6 < filled.min()


def test_the_blur_keeps_the_colour_and_loses_the_detail():
    model = small_model()
    plain = torch.full((1, 3, 32, 32), 0.3)
    assert (baseline(model, plain, "blur") - plain).abs().max() < 1e-6
    noise = random_images(1, 64)
    blurred = baseline(model, noise, "blur")
    assert blurred.std() < 0.2 * noise.std()
    assert (blurred.mean() - noise.mean()).abs() < 0.02
    step = torch.zeros(1, 3, 64, 64)
    step[..., 32:] = 1
    blurred = baseline(model, step, "blur")
    assert blurred[..., 8].max() < 0.05 and blurred[..., -8].min() > 0.95, "what is far apart stays apart"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17])
def test_the_blur_of_small_images(size):
    assert baseline(small_model(), random_images(1, size), "blur").shape == (1, 3, size, size)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("grey", "'grey'.*'black', 'white', 'mean', 'blur'"),
        ((0.1, 0.2), r"\(2,\).*\(2, 3, 12, 12\)"),
        (torch.zeros(3, 5, 5), r"\(3, 5, 5\)"),
    ],
)
def test_bad_baselines(kind, words):
    with pytest.raises(ck.OptionError, match=words):
        baseline(small_model(), random_images(), kind)


def test_no_fill_at_all_is_refused_where_a_method_is_entered():
    with pytest.raises(ck.OptionError, match=r"fill.*None"):
        ck.occlusion(small_model(), random_images(), 0, fill=None)


def test_a_colour_outside_0_to_1():
    with pytest.raises(ck.ImageError, match=r"\[0, 255\]"):
        baseline(small_model(), random_images(), (255, 0, 0))
