"""HOG and dense SIFT as layers: what they count, against closed forms and against scikit-image."""

import numpy as np
import pytest
import torch

import coursekit as ck
from coursekit.networks.descriptors import HOG, DenseSIFT, orientation_histograms


def ramp(angle: float, size: int = 64) -> torch.Tensor:
    """Grey values that rise in one direction, degrees from the x axis (rows go down)."""
    y, x = torch.meshgrid(torch.linspace(-0.5, 0.5, size), torch.linspace(-0.5, 0.5, size), indexing="ij")
    turn = np.deg2rad(angle)
    return (0.5 + 0.6 * (x * np.cos(turn) + y * np.sin(turn))).float().expand(1, 3, size, size)


@pytest.mark.parametrize("angle", [0, 45, 90, 180, 225, 315])
def test_a_ramp_votes_for_its_own_direction_alone(angle):
    h = orientation_histograms(ramp(angle), cell=8, bins=8, signed=True)[0, :, 3, 3]
    assert h.argmax() == angle // 45
    assert h.max() > 0.999 * h.sum()


def test_between_two_directions_the_vote_is_shared():
    h = orientation_histograms(ramp(22.5), cell=8, bins=8, signed=True)[0, :, 3, 3]
    torch.testing.assert_close(h[0], h[1], rtol=1e-3, atol=0)
    assert h[2:].max() < 1e-3 * h[0]


def test_the_sum_of_the_votes_is_the_sum_of_the_gradient_lengths():
    h = orientation_histograms(ramp(30), cell=8, bins=9, signed=False)[0, :, 3, 3]
    slope = 2 * 0.6 / 63  # of a central difference over two pixels
    assert h.sum().item() == pytest.approx(64 * slope, rel=1e-3)


def test_hog_does_not_see_the_sign_of_an_edge_and_sift_does():
    image = ck.load_image("chelsea", size=64)
    torch.testing.assert_close(HOG()(image), HOG()(1 - image), atol=1e-4, rtol=0)
    assert (DenseSIFT()(image) - DenseSIFT()(1 - image)).abs().max() > 0.1


@pytest.mark.parametrize("module", [HOG(), DenseSIFT()])
def test_contrast_hardly_matters_and_brightness_not_at_all(module):
    image = 0.25 + 0.5 * ck.load_image("chelsea", size=64)
    torch.testing.assert_close(module(image + 0.1), module(image), atol=1e-4, rtol=0)
    weaker = 0.5 + 0.7 * (image - 0.5)
    assert (module(weaker) - module(image)).norm() < 0.15 * module(image).norm()


@pytest.mark.parametrize("module", [HOG(), DenseSIFT()])
def test_gradients_are_those_of_differences_and_finite_on_flat_pictures(module):
    flat = torch.full((1, 3, 32, 32), 0.5, requires_grad=True)
    out = module(flat)
    out.sum().backward()
    assert out.abs().max() == 0 and flat.grad.abs().max() == 0
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, 3, 32, 32, generator=generator, dtype=torch.float64).requires_grad_()
    step = 1e-7 * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    (g,) = torch.autograd.grad(module(x).pow(2).sum(), x)
    with torch.no_grad():
        difference = module(x + step).pow(2).sum() - module(x - step).pow(2).sum()
    assert (g * step).sum().item() == pytest.approx(difference.item() / 2, rel=1e-3)


def test_hog_goes_with_scikit_images():
    """Theirs does not share a vote between directions: two of its neighbours make one of ours."""
    from skimage.feature import hog

    image = ck.load_image("chelsea", size=128)
    options = {"orientations": 18, "pixels_per_cell": (8, 8), "cells_per_block": (2, 2), "block_norm": "L2-Hys"}
    theirs = hog(image[0].mean(0).numpy(), feature_vector=False, **options)[:, :, 0, 0]  # (15, 15, 18), first cell
    theirs = theirs[:, :, 0::2] + np.roll(theirs, 1, axis=2)[:, :, 0::2]  # around 0°, 20°, …
    ours = HOG()(image)[0, 27:36, :15, :15].permute(1, 2, 0).numpy()  # divided by the block down and to the right
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.85


def test_a_descriptor_is_a_model_for_every_tool():
    model, image = ck.descriptor("sift"), ck.load_image("chelsea", size=128)
    with ck.capture(model, ["sift"]) as acts:
        assert model(image).shape == (1, 128 * 16 * 16)
    assert acts["sift"].shape == (1, 128, 16, 16)
    with pytest.raises(ck.OptionError, match="kind is one of hog, sift, but is 'orb'"):
        ck.descriptor("orb")
    with pytest.raises(ck.ImageError, match="multiples of 8 pixels"):
        ck.descriptor("hog")(torch.rand(1, 3, 60, 64))
