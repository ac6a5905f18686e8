"""Lab 01's own figures: Gabor functions beside their filters, and the training that can be watched."""

import math

import pytest
import torch

import coursekit as ck


def test_the_crosses_lie_where_the_spectrum_of_a_grating_is_strongest():
    grating = (ck.stimuli.gabor(15, wavelength=4, angle=30, sigma=5) - 0.5)[0]
    patterns, colours, _ = ck.main_pattern(grating.expand(1, 3, -1, -1))
    picture = ck.show_gabors(grating.expand(1, 3, -1, -1), colours, [ck.fit_gabor(patterns[0, 0])])
    spectrum = picture.figure.axes[2]
    drawn = torch.as_tensor(spectrum.images[0].get_array())
    row, column = divmod(int(drawn.argmax()), drawn.shape[1])
    peak = ((column - 32) / 64, (row - 32) / 64)
    xs, ys = (torch.as_tensor(values) for values in spectrum.lines[0].get_data())
    assert min(math.hypot(x - peak[0], y - peak[1]) for x, y in zip(xs, ys, strict=True)) < 0.03
    left, right, low, high = spectrum.images[0].get_extent()
    assert (left, right, low, high) == (-0.5, 0.5, 0.5, -0.5)


@pytest.fixture
def trained():
    return []


@pytest.fixture
def explorer(trained):
    def train(rate, batch, weight_decay):
        trained.append((rate, batch, weight_decay))
        filters = torch.randn(4, 1, 5, 5, generator=torch.Generator().manual_seed(len(trained)))
        for step in range(3):
            yield step, filters * (math.nan if rate == 0.5 and step else 1), [2.3] * step, 0.1 * step

    return ck.explore_learning(train, torch.rand(20, 1, 12, 12))


def test_a_new_rate_trains_again_and_is_watched(explorer, trained):
    seen = []
    explorer.image.observe(lambda change: seen.append(change["new"]), names="value")
    explorer.controls["rate"].value = 0.02
    assert trained == [(0.05, 32, 0.01), (0.02, 32, 0.01)]
    assert len(set(seen)) == 3 and seen[-1] == explorer.picture.data  # one picture for each moment


def test_a_training_that_is_done_is_not_repeated(explorer, trained):
    explorer.controls["unit"].value = 2
    explorer.controls["step"].value = 0
    assert "after 0 steps" in explorer.picture.alt and "unit 2" in explorer.picture.alt and len(trained) == 1


def test_weights_beyond_all_numbers_are_a_sentence(explorer):
    explorer.controls["rate"].value = 0.5
    assert "smaller rate" in explorer.message.value
