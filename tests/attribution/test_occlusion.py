"""Occlusion against closed forms, against a plain loop and against captum."""

import pytest
import torch
from captum import attr
from nets import (
    MEAN,
    REAL_SIZE,
    STD,
    polynomial_model,
    random_images,
    real_size_model,
    relative_difference,
    small_maps,
    small_model,
)
from torch import Tensor

import coursekit as ck
from coursekit.attribution.fills import baseline
from coursekit.probe.capture import BATCH
from coursekit.probe.targets import Unit

FILLS = ["mean", "black", "white", "blur", (0.25, 0.75, 0.5), random_images(1, seed=8)]


def windows(length: int, window: int, stride: int) -> list[slice]:
    """Where windows lie along one side: go on until one reaches the border."""
    found = [slice(0, window)]
    while found[-1].stop < length:
        found.append(slice(found[-1].start + stride, min(found[-1].start + stride + window, length)))
    return found


def covered(image: Tensor, fill: Tensor, window: int, stride: int) -> list[tuple[slice, slice, Tensor]]:
    """Every position of the window, row by row, with the image (1, 3, H, W) covered there."""
    found = []
    for rows in windows(image.shape[2], window, stride):
        for columns in windows(image.shape[3], window, stride):
            variant = image.clone()
            variant[..., rows, columns] = fill[..., rows, columns]
            found.append((rows, columns, variant))
    return found


def averaged(image: Tensor, drops: list[tuple[slice, slice, Tensor]]) -> Tensor:
    """The mean drop over the windows that cover each pixel, (H, W)."""
    height, width = image.shape[-2:]
    result = torch.empty(height, width, dtype=image.dtype)
    for y in range(height):
        for x in range(width):
            here = [d for r, c, d in drops if r.start <= y < r.stop and c.start <= x < c.stop]
            result[y, x] = torch.stack(here).mean()
    return result


# Closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", FILLS, ids=lambda fill: fill if isinstance(fill, str) else type(fill).__name__)
@pytest.mark.parametrize(("window", "stride"), [(4, 4), (5, 3), (7, 4), (12, 12), (1, 1)])
def test_on_a_linear_net_the_drop_is_the_weighted_change_inside_the_window(fill, window, stride):
    model, images = polynomial_model(mean=MEAN, std=STD), random_images(2, dtype=torch.float64)
    weight = (model.module.weight / model.std).detach()
    filled = baseline(model, images, fill)
    ours = ck.occlusion(model, images, [4, 1], window=window, stride=stride, fill=fill)
    assert ours.shape == (2, 1, 12, 12) and ours.dtype == torch.float64
    for i, c in enumerate([4, 1]):
        change = (weight[c] * (images[i] - filled[i])).sum(0)  # what each pixel loses, all channels together
        drops = [(r, s, change[r, s].sum()) for r in windows(12, window, stride) for s in windows(12, window, stride)]
        assert torch.allclose(ours[i, 0], averaged(images, drops), atol=1e-11)


def test_windows_of_one_pixel_give_each_pixel_its_own_drop():
    model, images = polynomial_model(degree=2), random_images(2, dtype=torch.float64)
    ours = ck.occlusion(model, images, 0, window=1, stride=1, fill="black")
    assert torch.allclose(ours, (model.module.weight[0] * images**2).sum(1, keepdim=True), atol=1e-10)


def test_a_window_as_large_as_the_image_gives_the_whole_drop_everywhere():
    model, images = small_model(), random_images()
    with torch.no_grad():
        drop = (model(images) - model(torch.ones_like(images)))[:, 3]
    ours = ck.occlusion(model, images, 3, window=12, stride=12, fill="white")
    assert torch.allclose(ours, drop.view(2, 1, 1, 1).expand(2, 1, 12, 12), atol=1e-6)


def test_positive_means_that_covering_hurts():
    model = polynomial_model()
    with torch.no_grad():
        model.module.weight.zero_()
        model.module.weight[0, :, 2:4, 2:4] = 1.0  # evidence for class 0 …
        model.module.weight[0, :, 8:10, 8:10] = -1.0  # … and against it
    ours = ck.occlusion(model, torch.full((1, 3, 12, 12), 0.5).double(), 0, window=2, stride=2, fill="black")[0, 0]
    assert torch.equal(ours[2:4, 2:4], torch.full((2, 2), 6.0).double())
    assert torch.equal(ours[8:10, 8:10], torch.full((2, 2), -6.0).double())
    assert ours.count_nonzero() == 8


@pytest.mark.parametrize(("window", "stride"), [(5, 5), (5, 4), (5, 3), (8, 8), (8, 3), (11, 2), (7, 7), (10, 10)])
@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_the_border_is_covered(window, stride, corner):
    y, x = corner
    model = polynomial_model()
    with torch.no_grad():
        model.module.weight.zero_()
        model.module.weight[:, :, y, x] = 1.0  # only one corner matters
    images = torch.ones(1, 3, 12, 12, dtype=torch.float64)
    ours = ck.occlusion(model, images, 0, window=window, stride=stride, fill="black")
    assert ours[0, 0, y, x] == 3 and ours.isfinite().all()
    assert ours.count_nonzero() < ours.numel(), "a pixel far from that corner stays out"


def test_images_need_not_be_square():
    model, images = small_model().double(), torch.rand(2, 3, 9, 14, generator=torch.Generator().manual_seed(0)).double()
    filled = torch.zeros_like(images)
    ours = ck.occlusion(model, images, 2, window=5, stride=3, fill="black")
    for i in range(2):
        with torch.no_grad():
            whole = model(images[i : i + 1])[0, 2]
            drops = [(r, c, whole - model(v)[0, 2]) for r, c, v in covered(images[i : i + 1], filled[:1], 5, 3)]
        assert torch.allclose(ours[i, 0], averaged(images, drops), atol=1e-11)


@pytest.mark.parametrize("target", [ck.unit("conv2", 3), ck.unit("conv1", 2, (4, 9)), lambda y: y[:, 0] * y[:, 1]])
def test_inner_units_and_functions_of_the_logits(target):
    images, model = random_images(2), small_model()

    def score(x: Tensor) -> Tensor:
        maps = small_maps(model, x)
        return (target(maps[target.layer]) if isinstance(target, Unit) else target(maps["fc"])).detach()

    filled = baseline(model, images, "mean")
    for inplace in (False, True):
        ours = ck.occlusion(small_model(inplace), images, target, window=5, stride=4)
        for i in range(2):
            image, fill = images[i : i + 1], filled[i : i + 1]
            drops = [(r, c, (score(image) - score(v))[0]) for r, c, v in covered(image, fill, 5, 4)]
            assert torch.allclose(ours[i, 0], averaged(image, drops), atol=1e-6)


def test_a_neuron_does_not_mind_what_is_outside_its_receptive_field():
    ours = ck.occlusion(small_model(), random_images(), ck.unit("conv1", 2, (4, 9)), window=1, stride=1, fill="black")
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[3:6, 8:11] = True
    assert (ours[..., inside].abs() > 1e-2).all() and (ours[..., ~inside].abs() < 1e-6).all()


# The grid ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", ["mean", "blur"])
@pytest.mark.parametrize(
    "target", [None, 3, [4, 0], ck.unit("conv2", 3), ck.unit("conv3", 1, (2, 2)), lambda y: -y[:, 0]]
)
def test_the_grid_is_what_a_plain_loop_finds(target, fill):
    images = torch.rand(2, 3, 11, 14, generator=torch.Generator().manual_seed(1)).double()
    model = small_model().double()
    feature = ck.unit("conv3", 5)
    grid = ck.occlusion_grid(model, images, target, window=6, stride=4, fill=fill, feature=feature)
    rows, columns = 3, 3  # windows start at 0, 4, 8 along both sides
    assert all(field.shape == (2, rows, columns) for field in grid)
    filled, top = baseline(model, images, fill), model(images).argmax(1)
    for i in range(2):
        for j, (_, _, variant) in enumerate(covered(images[i : i + 1], filled[i : i + 1], 6, 4)):
            at = (i, j // columns, j % columns)
            maps = small_maps(model, variant)
            logits = maps["fc"]
            index = top[i] if target is None or callable(target) else target if isinstance(target, int) else target[i]
            if isinstance(target, Unit):
                score = target(maps[target.layer])[0]
            else:
                score = target(logits)[0] if callable(target) else logits[0, index]
            assert torch.allclose(grid.score[at], score, atol=1e-10)
            assert torch.allclose(grid.probability[at], logits.softmax(1)[0, index], atol=1e-10)
            assert grid.label[at] == logits.argmax(1)[0]
            assert torch.allclose(grid.activation[at], maps["conv3"][0, 5].sum(), atol=1e-10)


def test_the_label_map_names_the_most_probable_class():
    # Two patches of evidence: class 0 wins unless its patch is covered, then class 1 does.
    model = polynomial_model()
    with torch.no_grad():
        model.module.weight.zero_()
        model.module.weight[0, :, :4, :4], model.module.weight[1, :, 8:, 8:] = 2.0, 1.0
    grid = ck.occlusion_grid(model, torch.ones(1, 3, 12, 12).double(), window=4, stride=4, fill="black")
    assert grid.label.dtype == torch.long
    assert grid.label.tolist() == [[[1, 0, 0], [0, 0, 0], [0, 0, 0]]]
    assert grid.score[0, 0, 0] == 0 and grid.score[0, 1, 1] == 96
    assert grid.probability[0, 0, 0] < 0.01 and grid.probability[0, 1, 1] > 0.99


def test_without_a_feature_there_is_no_activation_map():
    assert ck.occlusion_grid(small_model(), random_images(), window=6, stride=6).activation is None


def test_grid_and_map_agree():
    model, images = small_model(), random_images()
    grid = ck.occlusion_grid(model, images, 2, window=4, stride=4)
    drop = model(images)[:, 2].detach().view(2, 1, 1) - grid.score
    ours = ck.occlusion(model, images, 2, window=4, stride=4)
    assert torch.allclose(ours[:, 0], drop.repeat_interleave(4, 1).repeat_interleave(4, 2), atol=1e-6)


@pytest.mark.parametrize("method", [ck.occlusion, ck.occlusion_grid])
def test_the_network_runs_in_full_batches(method):
    model, sizes = small_model(), []
    model.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    method(model, random_images(3), 0, window=4, stride=4)
    assert sum(sizes) <= 3 * 9 + 3 and max(sizes) == BATCH, "27 windows, and the three whole images at most"
    assert len(sizes) <= 5


# Against captum ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL_SIZE)
def test_occlusion_equals_captum(name):
    """EfficientNet-Lite0 is trained; ResNet-18 and VGG-16 have random weights."""
    model, target = real_size_model(name), torch.tensor([285, 967])
    images = torch.cat([ck.load_image(photo, size=64) for photo in ("chelsea", "coffee")])
    theirs = attr.Occlusion(model).attribute(
        images,
        sliding_window_shapes=(3, 30, 30),
        strides=(3, 20, 20),
        baselines=baseline(model, images, "mean")[:1],
        target=target,
        perturbations_per_eval=4,
    )
    ours = ck.occlusion(model, images, target, window=30, stride=20)  # the last windows are cut by the border
    assert relative_difference(ours.expand_as(theirs), theirs) < 3e-5  # of differences between two logits


# Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [ck.occlusion, ck.occlusion_grid])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 13}, r"window must be at most .* 12 pixels, but is 13"),
        ({"window": 0}, r"window must be .* at least 1, but is 0"),
        ({"window": 4.0}, r"window must be a whole number .* 4\.0"),
        ({"window": 4, "stride": 0}, r"stride must be .* at least 1, but is 0"),
        ({"window": 4, "stride": -2}, r"stride must be .* -2"),
        ({"window": 4, "stride": 5}, r"stride must be at most the window of 4 pixels.* 5"),
        ({"window": 4, "stride": 2, "fill": "grey"}, "'grey' is no fill"),
        ({"window": 4, "stride": 2, "fill": torch.zeros(5, 7)}, r"fill of shape \(5, 7\) does not fit images"),
    ],
)
def test_bad_options(method, options, words):
    model = small_model()
    model.module.fuse.passes = 0  # raises before the network runs
    with pytest.raises(ck.OptionError, match=words):
        method(model, random_images(), 0, **options)


@pytest.mark.parametrize("feature", ["conv2", 3, ck.unit("conv2", 3, (0, 0))])
def test_a_feature_is_a_whole_map(feature):
    with pytest.raises(ck.TargetError, match=r"feature must be a (whole feature map|ck.Unit or None)"):
        ck.occlusion_grid(small_model(), random_images(), 0, window=4, stride=4, feature=feature)


def test_unknown_features():
    with pytest.raises(ck.UnknownLayer, match="'conv9'"):
        ck.occlusion_grid(small_model(), random_images(), 0, window=4, stride=4, feature=ck.unit("conv9", 0))
    with pytest.raises(ck.TargetError, match="no channel 8"):
        ck.occlusion_grid(small_model(), random_images(), 0, window=4, stride=4, feature=ck.unit("conv2", 8))
