"""Pictures and measures of filters mean what they say."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import coursekit as ck
from coursekit.images import stimuli


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_each_filter_fills_the_range_on_its_own_scale():
    weights = noise(5, 3, 7, 7) * torch.tensor([1e-6, 1, 10, 100, 0.1])[:, None, None, None]
    pictures = ck.filter_pictures(weights)
    assert pictures.shape == weights.shape
    assert torch.allclose(pictures.amin((1, 2, 3)), torch.zeros(5)) and torch.allclose(
        pictures.amax((1, 2, 3)), torch.ones(5)
    )
    moved = 3 * weights + weights.amax((1, 2, 3), True)
    assert torch.allclose(ck.filter_pictures(moved), pictures, atol=1e-4), "scale and offset do not show"
    assert torch.equal(ck.filter_pictures(torch.ones(2, 3, 4, 4)), torch.full((2, 3, 4, 4), 0.5))
    assert ck.filter_pictures(noise(4, 3, 3)).shape == (4, 1, 3, 3)


@given(st.integers(1, 20), st.integers(1, 9), st.integers(1, 3), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_mosaic_holds_every_tile_once(n, columns, zoom, gap):
    tiles = torch.arange(1, n + 1).float()[:, None, None, None].expand(n, 1, 2, 3) / 100
    image = ck.mosaic(tiles, columns=columns, zoom=zoom, gap=gap, background=0)
    rows, across = math.ceil(n / columns), min(columns, n)
    assert image.shape == (1, 1, rows * (2 * zoom + gap) - gap, across * (3 * zoom + gap) - gap)
    for k in range(1, n + 1):
        assert torch.isclose(image, torch.tensor(k / 100)).sum() == 6 * zoom**2


def test_noise_is_rough_and_a_broad_filter_is_smooth():
    broad = stimuli.gabor(7, wavelength=12, sigma=4).expand(6, 3, 7, 7) + 0.01 * noise(6, 3, 7, 7)
    assert ck.filter_health(noise(200, 3, 7, 7))["roughness"].mean() == pytest.approx(2, abs=0.1)
    assert ck.filter_health(broad)["roughness"].max() < 0.5


def test_a_double_is_found_whatever_its_sign_and_length_and_a_dead_filter_has_no_norm():
    weights = noise(10, 3, 5, 5)
    weights[7], weights[2] = -5 * weights[3], 1e-9 * weights[2]
    health = ck.filter_health(weights)
    assert health["similarity"][[3, 7]].tolist() == pytest.approx([1, 1], abs=1e-5)
    assert health["similarity"][[0, 1, 4]].max() < 0.6
    assert health["norm"].argmin() == 2 and health["norm"][2] < 1e-6


@pytest.mark.parametrize("angle", [0, 40, 90, 130])
def test_the_spectrum_of_a_grating_peaks_at_its_frequency(angle):
    bars = (stimuli.grating(16, wavelength=4, angle=angle) - 0.5)[:, :1]
    response = ck.frequency_response(bars, size=64)[0, 0]
    row, column = divmod(response.argmax().item(), 64)
    fy, fx = (row - 32) / 64, (column - 32) / 64
    assert math.hypot(fy, fx) == pytest.approx(1 / 4, abs=0.02)
    across = math.degrees(math.atan2(fx, fy)) % 180  # the wave runs across the bars
    assert abs((across - angle + 90) % 180 - 90) < 4


def test_the_spectrum_answers_like_the_convolution_itself():
    weights = noise(3, 3, 5, 5)
    response = ck.frequency_response(weights, size=32)
    wave = torch.exp(2j * math.pi * (torch.arange(32)[:, None] * 3 + torch.arange(32)[None] * 6) / 32)
    padded = torch.zeros(3, 3, 32, 32, dtype=torch.cfloat)
    padded[..., :5, :5] = weights
    answer = (padded * wave.conj()).sum((2, 3)).abs().pow(2).sum(1).sqrt()
    assert torch.allclose(response[:, 0, 16 + 3, 16 + 6], answer, rtol=1e-4)


def test_the_main_pattern_of_a_coloured_gabor_is_the_gabor_and_its_colour():
    colour = torch.tensor([0.8, 0.0, -0.6])
    grey = (stimuli.gabor(7, wavelength=5, angle=20) - 0.5)[0, 0]
    patterns, colours, kept = ck.main_pattern((colour[:, None, None] * grey)[None])
    assert kept[0] == pytest.approx(1, abs=1e-5)
    assert torch.allclose(colours[0].abs(), colour.abs(), atol=1e-5)
    product = colours[0][:, None, None] * patterns[0]
    assert torch.allclose(product, colour[:, None, None] * grey, atol=1e-5)


@pytest.mark.parametrize("angle", [0, 25, 90, 155])
def test_a_gabor_is_found_again_under_noise(angle):
    pattern = (stimuli.gabor(9, wavelength=5, angle=angle, phase=60, sigma=2.5) - 0.5)[0, 0] + 0.02 * noise(9, 9)
    fitted = ck.fit_gabor(pattern)
    assert abs((fitted.angle - angle + 90) % 180 - 90) < 5
    assert fitted.wavelength == pytest.approx(5, abs=0.6) and fitted.fit > 0.9
    rest, variance = (pattern - pattern.mean() - fitted.drawn).pow(2).sum(), (pattern - pattern.mean()).pow(2).sum()
    assert fitted.fit == pytest.approx(float(1 - rest / variance), abs=1e-4)


def test_noise_is_no_gabor():
    assert max(ck.fit_gabor(noise(9, 9, seed=s)).fit for s in range(3)) < 0.7


def test_patches_come_from_the_photographs_and_follow_from_the_seed():
    first, again, other = (ck.natural_patches(50, size=5, seed=s) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (50, 3, 5, 5) and first.min() >= 0 and first.max() <= 1
    image = ck.load_image("coffee")
    (patch,) = ck.natural_patches(1, size=5, names=("coffee",), seed=4)
    windows = image[0].unfold(1, 5, 1).unfold(2, 5, 1)
    assert (windows == patch[:, None, None]).all(-1).all(-1).all(0).any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ck.filter_pictures([1, 2]), ck.OptionError, "list"),
        (lambda: ck.filter_pictures(torch.zeros(3, 3)), ck.ImageError, "layer.weight"),
        (lambda: ck.filter_health(torch.zeros(1, 3, 7, 7)), ck.OptionError, "two filters"),
        (lambda: ck.filter_health(torch.zeros(4, 3, 1, 1)), ck.OptionError, "2 × 2"),
        (lambda: ck.frequency_response(torch.zeros(1, 3, 9, 9), size=5), ck.OptionError, "at least"),
        (lambda: ck.fit_gabor(torch.zeros(3, 3)), ck.OptionError, "at least 4"),
        (lambda: ck.mosaic(torch.zeros(3, 7, 7)), ck.ImageError, "N, C, h, w"),
        (lambda: ck.mosaic(torch.zeros(1, 3, 7, 7), zoom=0), ck.OptionError, "at least 1"),
        (lambda: ck.natural_patches(2), ck.OptionError, "at least 8"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_gabor_can_be_fitted_to_a_nearly_constant_pattern():
    pattern = 5 + 0.1 * ck.stimuli.gabor(9, wavelength=4, angle=60, sigma=2)[0, 0]
    fitted = ck.fit_gabor(pattern)
    assert round(fitted.angle) == 60 and fitted.fit > 0.99
