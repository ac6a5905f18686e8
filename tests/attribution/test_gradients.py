"""Gradient methods against closed forms, against a Jacobian in float64 and against captum."""

import math

import pytest
import torch
from captum import attr
from nets import (
    CLASSES,
    MEAN,
    REAL_SIZE,
    STD,
    in_float64,
    polynomial_model,
    random_images,
    real_size_model,
    relative_difference,
    small_maps,
    small_model,
)
from torch import Tensor
from torch.autograd.functional import jacobian

import coursekit as ck

IMAGES = random_images(3, dtype=torch.float64)


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> bool:
    return ours.shape == theirs.shape and relative_difference(ours, theirs) < tolerance


# Closed forms -----------------------------------------------------------------------------------------------------


def test_on_a_linear_net_every_method_gives_the_weights():
    model = polynomial_model(mean=MEAN, std=STD)
    weight = (model.module.weight / model.std)[[4, 0, 2]].detach()  # normalisation divides the image by std
    target, start = [4, 0, 2], torch.tensor([0.25, 0.75, 0.5], dtype=torch.float64).view(1, 3, 1, 1)
    assert close(ck.input_gradient(model, IMAGES, target), weight)
    assert close(ck.input_x_gradient(model, IMAGES, target), weight * IMAGES)
    assert close(ck.saliency(model, IMAGES, target), weight.abs().amax(1, keepdim=True))
    assert close(ck.smoothgrad(model, IMAGES, target, samples=3), weight)
    for steps in (1, 2, 7, 8, 9, 50):
        assert close(ck.integrated_gradients(model, IMAGES, target, steps=steps), weight * IMAGES)
    ours = ck.integrated_gradients(model, IMAGES, target, steps=3, baseline=(0.25, 0.75, 0.5))
    assert close(ours, weight * (IMAGES - start))


def test_on_a_quadratic_net():
    model, target = polynomial_model(degree=2), 3
    weight = model.module.weight[3].detach()
    assert close(ck.input_gradient(model, IMAGES, target), 2 * weight * IMAGES)
    assert close(ck.input_x_gradient(model, IMAGES, target), 2 * weight * IMAGES**2)
    assert close(ck.saliency(model, IMAGES, target), (2 * weight * IMAGES).abs().amax(1, keepdim=True))
    for steps in (1, 4, 50):  # the gradient is linear along the way, so the midpoint rule is exact
        assert close(ck.integrated_gradients(model, IMAGES, target, steps=steps), weight * IMAGES**2)
        ours = ck.integrated_gradients(model, IMAGES, target, steps=steps, baseline="white")
        assert close(ours, weight * (IMAGES**2 - 1))
        gap = ck.completeness_gap(model, IMAGES, ours, target, baseline="white")
        assert gap.shape == (3,) and gap.abs().max() < 1e-10


@pytest.mark.parametrize("steps", [1, 2, 9, 50])
def test_integrated_gradients_use_the_midpoint_rule(steps):
    # ∫ 3α² dα = 1, and the midpoint rule with n points gives 1 − 1/(4n²); other rules err otherwise.
    model = polynomial_model(degree=3)
    exact = model.module.weight[1].detach() * IMAGES**3
    assert close(ck.integrated_gradients(model, IMAGES, 1, steps=steps), exact * (1 - 1 / (4 * steps**2)))


def test_smoothgrad_averages_over_the_noise_that_the_docstring_promises():
    model, images = polynomial_model(degree=2), IMAGES * torch.tensor([1.0, 0.5, 0.25]).view(3, 1, 1, 1)
    generator = torch.Generator().manual_seed(7)
    noise = torch.randn(11, 3, 12, 12, generator=generator).double().mean(0)
    ranges = torch.stack([x.max() - x.min() for x in images]).view(3, 1, 1, 1)
    expected = 2 * model.module.weight[0].detach() * (images + 0.2 * ranges * noise)
    assert close(ck.smoothgrad(model, images, 0, samples=11, sigma=0.2, seed=7), expected)


def test_smoothgrad_without_noise_is_the_gradient():
    model, images = small_model(), random_images()
    assert torch.allclose(ck.smoothgrad(model, images, 1, samples=3, sigma=0), ck.input_gradient(model, images, 1))
    plain = torch.full((1, 3, 12, 12), 0.4)  # a plain image has no range, so its noise is nothing
    assert torch.allclose(ck.smoothgrad(model, plain, 1, samples=3), ck.input_gradient(model, plain, 1))


def test_smoothgrad_noise_depends_on_the_seed_alone_and_is_the_same_for_each_image():
    model, images = small_model(), random_images(1).repeat(3, 1, 1, 1)
    maps = ck.smoothgrad(model, images, 1, samples=3)
    assert torch.allclose(maps[0], maps[1]) and torch.allclose(maps[0], maps[2])
    torch.manual_seed(99)
    assert torch.equal(ck.smoothgrad(model, images, 1, samples=3), maps)
    assert not torch.allclose(ck.smoothgrad(model, images, 1, samples=3, seed=1), maps)
    assert not torch.allclose(ck.input_gradient(model, images, 1), maps)


# Against differentiation by other means ---------------------------------------------------------------------------


def test_gradients_are_rows_of_the_jacobian():
    model = small_model().double()
    for i, image in enumerate(IMAGES):
        rows = jacobian(lambda x: model(x[None])[0], image)  # (classes, 3, H, W)
        for c in range(CLASSES):
            assert close(ck.input_gradient(model, IMAGES, c)[i], rows[c])
            assert close(ck.input_gradient(model, IMAGES, [c] * 3)[i], rows[c])


def test_gradients_are_limits_of_differences():
    model, step = small_model().double(), 1e-6
    gradient = ck.input_gradient(model, IMAGES, 2)
    with torch.no_grad():
        for k, y, x in ((0, 0, 0), (1, 11, 11), (2, 5, 7)):
            nudge = torch.zeros_like(IMAGES)
            nudge[:, k, y, x] = step
            slope = (model(IMAGES + nudge) - model(IMAGES - nudge))[:, 2] / (2 * step)
            assert torch.allclose(gradient[:, k, y, x], slope, atol=1e-6)


def test_the_gradient_is_of_the_logit_and_not_of_the_probability():
    model = small_model().double()
    rows = torch.stack([ck.input_gradient(model, IMAGES, c) for c in range(CLASSES)], dim=1)
    p = model(IMAGES).softmax(1).detach()[..., None, None, None]
    of_probability = ck.input_gradient(model, IMAGES, lambda logits: logits.softmax(1)[:, 2])
    expected = p[:, 2] * (rows[:, 2] - (p * rows).sum(1))
    assert close(of_probability, expected, 1e-10)
    assert not close(ck.input_gradient(model, IMAGES, 2), of_probability, 0.1)


@pytest.mark.parametrize("target", [ck.unit("conv2", 3), ck.unit("conv1", 0, (4, 9)), ck.unit("fc", 2)])
def test_gradients_of_inner_units(target):
    images = random_images().requires_grad_()
    score = target(small_maps(small_model(), images)[target.layer]).sum()
    (expected,) = torch.autograd.grad(score, images)
    for inplace in (False, True):
        assert torch.allclose(ck.input_gradient(small_model(inplace), images, target), expected, atol=1e-7)


def test_the_neuron_sees_its_receptive_field_only():
    gradient = ck.input_gradient(small_model(), random_images(), ck.unit("conv1", 0, (4, 9)))
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[3:6, 8:11] = True
    assert (gradient[..., inside] != 0).all() and (gradient[..., ~inside] == 0).all()


def test_integrated_gradients_add_up_to_the_change_of_the_score():
    model = small_model().double()
    for baseline in ("black", "mean", "blur"):
        gaps = []
        for steps in (4, 400):
            ours = ck.integrated_gradients(model, IMAGES, 2, steps=steps, baseline=baseline)
            gaps.append(ck.completeness_gap(model, IMAGES, ours, 2, baseline=baseline).abs().max())
        assert gaps[1] < 2e-3 and gaps[1] < gaps[0]


def test_completeness_gap_by_hand():
    model, images = small_model().double(), IMAGES
    attribution = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(0)).double()
    target = [4, 0, 2]
    with torch.no_grad():
        change = (model(images) - model(torch.ones_like(images)))[range(3), target]
    expected = attribution.sum((1, 2, 3)) - change
    assert close(ck.completeness_gap(model, images, attribution, target, baseline="white"), expected)


def test_many_images_are_the_same_as_one_at_a_time():
    model, images = small_model().double(), random_images(19, dtype=torch.float64)
    for method in (ck.input_gradient, ck.saliency, ck.smoothgrad, ck.integrated_gradients):
        options = {"samples": 2} if method is ck.smoothgrad else {"steps": 10} if "integ" in method.__name__ else {}
        one_by_one = torch.cat([method(model, image[None], **options) for image in images])
        assert close(method(model, images, **options), one_by_one)


# Against captum ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=REAL_SIZE)
def network(request):
    """EfficientNet-Lite0 is trained; ResNet-18 and VGG-16 have random weights."""
    return real_size_model(request.param)


def photographs(count: int = 2, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.cat([ck.load_image(name, size=64) for name in ("chelsea", "coffee")[:count]]).to(dtype)


def captum_gradient(model: ck.Model, images: Tensor, target: Tensor) -> Tensor:
    return attr.Saliency(model).attribute(images.clone().requires_grad_(), target, abs=False)


def test_gradients_equal_captum(network):
    # In float64, for a ReLU whose input is 0 but for rounding may open in the one and stay shut in the other.
    images, target = photographs(dtype=torch.float64), torch.tensor([285, 967])
    with in_float64(network) as model:
        theirs = captum_gradient(model, images, target)
        assert relative_difference(ck.input_gradient(model, images, target), theirs) < 1e-5
        assert relative_difference(ck.saliency(model, images, target), theirs.abs().amax(1, True)) < 1e-5
        theirs = attr.InputXGradient(model).attribute(images.clone().requires_grad_(), target)
        assert relative_difference(ck.input_x_gradient(model, images, target), theirs) < 1e-5


def test_integrated_gradients_equal_captum(network):
    images, target = photographs(1, torch.float64), torch.tensor([285])
    with in_float64(network) as model:
        start = model.mean.expand_as(images)
        theirs = attr.IntegratedGradients(model).attribute(images, start, target, n_steps=3, method="riemann_middle")
        ours = ck.integrated_gradients(model, images, target, steps=3, baseline="mean")
    assert relative_difference(ours, theirs) < 1e-5


def test_smoothgrad_equals_captum_on_the_same_noise(network):
    images, target = photographs(1, torch.float64), torch.tensor([285])
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(2, 3, 64, 64, generator=generator).double()
    spread = 0.1 * (images.max() - images.min())
    with in_float64(network) as model:
        theirs = sum(captum_gradient(model, images + spread * n, target) for n in noise) / 2
        ours = ck.smoothgrad(model, images, target, samples=2, sigma=0.1, seed=3)
    assert relative_difference(ours, theirs) < 1e-5


# Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [0, -1, 2.5])
def test_bad_samples(samples):
    with pytest.raises(ck.OptionError, match=f"samples must be .* at least 1, but is {samples}"):
        ck.smoothgrad(small_model(), random_images(), samples=samples)


@pytest.mark.parametrize("sigma", [-0.1, math.nan, math.inf, "wide", None])
def test_bad_sigma(sigma):
    with pytest.raises(ck.OptionError, match=f"sigma must be .*{sigma!r}"):
        ck.smoothgrad(small_model(), random_images(), sigma=sigma)


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_bad_steps(steps):
    with pytest.raises(ck.OptionError, match=f"steps must be .* at least [01], but is {steps}"):
        ck.integrated_gradients(small_model(), random_images(), steps=steps)


def test_bad_baseline():
    with pytest.raises(ck.OptionError, match="'grey' is no fill"):
        ck.integrated_gradients(small_model(), random_images(), baseline="grey")


def test_a_gap_needs_one_map_for_each_image():
    with pytest.raises(ck.OptionError, match=r"shape \(2, C, 12, 12\), but has \(3"):
        ck.completeness_gap(small_model(), random_images(), random_images(3))
