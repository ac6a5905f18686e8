"""Style images made by rule."""

import pytest
import torch

import coursekit as ck
from coursekit.images.styles import STYLES


@pytest.mark.parametrize("kind", STYLES)
def test_a_style_is_repeated_by_its_seed_and_fills_the_canvas(kind):
    image = ck.style_image(kind, size=96)
    assert image.shape == (1, 3, 96, 96) and image.dtype == torch.float32
    assert image.min() >= 0 and image.max() <= 1
    assert torch.equal(image, ck.style_image(kind, size=96))
    assert not torch.equal(image, ck.style_image(kind, size=96, seed=1))
    quarters = torch.stack([q for half in image.chunk(2, 2) for q in half.chunk(2, 3)])
    assert quarters.flatten(1).std(1).min() > 0.05  # no corner is empty


def test_only_woodcut_and_ink_are_without_colour():
    def colourful(kind):
        image = ck.style_image(kind, size=96)
        return (image.amax(1) - image.amin(1)).mean()

    order = sorted(STYLES, key=colourful)
    assert set(order[:2]) == {"woodcut", "ink"} and colourful(order[2]) > 0.2


def test_wrong_input_gets_one_sentence():
    with pytest.raises(ck.OptionError, match=r"kind is one of strokes, .* but is 'fauve'"):
        ck.style_image("fauve")
    with pytest.raises(ck.OptionError, match="size must be a whole number of at least 32"):
        ck.style_image("ink", size=10)
