"""Images made by rule hold what their parameters say: measured, not looked at."""

import math

import pytest
import torch

import coursekit as ck
from coursekit.images import stimuli

GREY_ONES = ("grating", "gabor", "curve", "circle", "checkerboard", "stripes", "dots", "zigzag", "mesh")


def spectrum_peak(image):
    """Return frequency (cycles per pixel) and direction (degrees in [0, 180), counter-clockwise) of the main wave."""
    size = image.shape[-1]
    power = torch.fft.fft2(image[0, 0] - image.mean()).abs()
    row, column = divmod(power.argmax().item(), size)
    fy, fx = ((k - size if k > size / 2 else k) / size for k in (row, column))
    return math.hypot(fx, fy), math.degrees(math.atan2(-fy, fx)) % 180


@pytest.mark.parametrize("name", GREY_ONES)
def test_every_drawing_is_a_grey_image(name):
    image = getattr(ck.stimuli, name)(64)
    assert image.shape == (1, 3, 64, 64) and image.dtype == torch.float32
    assert image.min() >= 0 and image.max() <= 1 and image.std() > 0.01
    assert torch.equal(image[:, 0], image[:, 1]) and torch.equal(image[:, 0], image[:, 2])


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_a_grating_has_its_wavelength_and_its_bars_their_angle(angle):
    frequency, across = spectrum_peak(
        stimuli.grating(128, wavelength=8 * math.sqrt(2) if angle % 90 else 8, angle=angle)
    )
    assert frequency == pytest.approx(1 / (8 * math.sqrt(2)) if angle % 90 else 1 / 8, rel=0.02)
    assert (across - 90 - angle) % 180 == pytest.approx(0, abs=2)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_stripes_lie_at_their_angle_like_gratings(angle):
    _, across = spectrum_peak(stimuli.stripes(128, period=16, angle=angle))
    assert (across - 90 - angle + 4) % 180 < 8


def test_a_gabor_fades_with_its_gaussian():
    image = stimuli.gabor(65, wavelength=8, angle=0, sigma=6) - 0.5
    crest, next_crest = image[0, 0, 32, 32], image[0, 0, 32 + 8, 32]
    assert next_crest / crest == pytest.approx(math.exp(-(8**2) / (2 * 6**2)), abs=1e-5)


def test_points_of_a_curve_lie_on_its_circle_on_the_side_of_its_angle():
    for angle in (0, 90, 200):
        image = stimuli.curve(129, radius=30, angle=angle, width=2, length=60)
        y, x = ((image[0, 0] < 0.5).nonzero().T - 64).double()
        a = math.radians(angle)
        cx, cy = 30 * math.cos(a), -30 * math.sin(a)
        assert ((x - cx).hypot(y - cy) - 30).abs().max() < 2
        assert len(x) * 1.0 == pytest.approx(2 * 60, rel=0.2)  # its length, two pixels wide


def test_a_curve_of_infinite_radius_is_straight():
    image = stimuli.curve(65, radius=math.inf, angle=0, width=2, length=40)
    y, x = (image[0, 0] < 0.5).nonzero().T - 32
    assert x.abs().max() <= 1 and y.abs().max() == pytest.approx(20, abs=2)


def test_a_checkerboard_is_half_white_and_changes_from_cell_to_cell():
    image = stimuli.checkerboard(64, cell=8)[0, 0]
    assert image.mean() == pytest.approx(0.5, abs=0.02)
    assert (image - image.roll(16, 1)).abs().max() < 1e-4
    assert (image + image.roll(8, 1) - 1).abs().mean() < 0.05


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_the_amplitude_of_noise_falls_with_its_exponent(exponent):
    power = sum(torch.fft.fft2(stimuli.noise(128, exponent, seed=seed)[0, 0] - 0.5).abs() ** 2 for seed in range(20))
    f = torch.fft.fftfreq(128)[:, None].hypot(torch.fft.fftfreq(128)[None])
    ring = [power[(f > a) & (f < 1.3 * a)].mean().log() for a in (0.05, 0.2)]
    assert (ring[0] - ring[1]) / (2 * math.log(4)) == pytest.approx(exponent, abs=0.12)


def test_noise_is_reproducible_and_leaves_the_random_state():
    before = torch.get_rng_state()
    assert torch.equal(stimuli.noise(32, seed=1), stimuli.noise(32, seed=1))
    assert not torch.equal(stimuli.noise(32, seed=1), stimuli.noise(32, seed=2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", stimuli.TEXTURES)
def test_textures_follow_from_their_seed(kind):
    first, again, other = (stimuli.texture(kind, 64, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (1, 3, 64, 64) and first.std() > 0.005 and 0 <= first.min() <= first.max() <= 1


def test_a_caption_changes_its_strip_only():
    image = torch.full((2, 3, 128, 128), 0.4)
    written = stimuli.caption(image, "zebra")
    changed = (written != image).any(1).any(0)
    assert changed[100:].any() and not changed[:96].any()
    assert written.max() == 1 and written.min() < 0.1  # white letters with a dark edge
    assert (stimuli.caption(image, "zebra", position="top") != image).any(1).any(0)[:32].any()
    long = (stimuli.caption(image, "a very long caption that does not fit") != image).any(1).any(0).any(0)
    assert not long[0] and not long[-1]  # it shrinks to the width of the image


@pytest.mark.parametrize("kind", stimuli.SHAPES)
def test_a_shape_is_what_its_parameters_say(kind):
    image, mask = stimuli.shape(kind, colour=(0.2, 0.4, 0.9), radius=0.2, position=(0.6, 0.3), size=96)
    assert image.shape == (1, 3, 96, 96) and mask.shape == (1, 1, 96, 96)
    inside = image[0][:, mask[0, 0] == 1]
    assert torch.allclose(inside.mean(1), torch.tensor([0.2, 0.4, 0.9]), atol=1e-5)
    y, x = (mask[0, 0] > 0.5).nonzero().T.double()
    assert (x.mean() / 96, y.mean() / 96) == (pytest.approx(0.6, abs=0.03), pytest.approx(0.3, abs=0.03))
    assert (x / 96 - 0.6).hypot(y / 96 - 0.3).max() <= 0.21


def test_a_shape_turns_counter_clockwise():
    _, mask = stimuli.shape("triangle", angle=90, size=96)  # its tip, at the top, moves to the left
    columns = (mask[0, 0] > 0.5).sum(0).nonzero().ravel()
    heights = (mask[0, 0] > 0.5).sum(0)
    assert heights[columns[0]] < heights[columns[-1] - 1]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: stimuli.grating(0), ck.OptionError, "size"),
        (lambda: stimuli.grating(wavelength=1), ck.OptionError, "wavelength"),
        (lambda: stimuli.grating(contrast=2), ck.OptionError, "contrast"),
        (lambda: stimuli.gabor(sigma=0), ck.OptionError, "sigma"),
        (lambda: stimuli.curve(radius=0), ck.OptionError, "radius"),
        (lambda: stimuli.noise(exponent=-1), ck.OptionError, "exponent"),
        (lambda: stimuli.stripes(period=0), ck.OptionError, "period"),
        (lambda: stimuli.texture("plaid"), ck.ImageError, "noise, sky"),
        (lambda: stimuli.shape("heart"), ck.ImageError, "circle"),
        (lambda: stimuli.caption(torch.zeros(3, 8, 8), "x"), ck.ImageError, "batch"),
        (lambda: stimuli.caption(torch.zeros(1, 3, 64, 64), "x", position="left"), ck.ImageError, "bottom"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()
