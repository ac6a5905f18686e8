"""Inversion: closed forms where the code is linear, the error's unit, and sentences for wrong input."""

import pytest
import torch
from nets import SmallNet, random_images, seeded
from torch import nn

import coursekit as ck
from coursekit.errors import ImageError, OptionError, UnknownLayer
from tests.explorers.test_explorer import green_png, upload

SIZE = 12


@pytest.fixture
def model():
    model = ck.Model(seeded(SmallNet()))
    model.input_size = SIZE
    return model


class Grey(nn.Module):
    """Its code is the mean over the channels: colour is lost, brightness is kept."""

    def __init__(self):
        super().__init__()
        self.code, self.head = nn.Conv2d(3, 1, 1, bias=False), nn.Flatten()
        nn.init.constant_(self.code.weight, 1 / 3)

    def forward(self, x):
        return self.head(self.code(x))


def test_what_the_code_keeps_comes_back_and_what_it_drops_does_not():
    model, image = ck.Model(Grey()), 0.2 + 0.6 * random_images(1, SIZE)
    found = ck.invert(model, image, "code", weight=0.0, parameterization=ck.parameterizations.pixels(), steps=80).images
    torch.testing.assert_close(found.mean(1), image.mean(1), atol=0.02, rtol=0)
    assert found.std(1).mean() < 0.3 * image.std(1).mean(), "nothing in the code asks for colour"


def test_each_start_has_its_own_picture_and_all_have_the_code(model):
    image = random_images(1, SIZE)
    out = ck.invert(model, image, "fc", n=3, weight=1e-3, steps=60)
    assert out.images.shape == (3, 3, SIZE, SIZE) and out.values.shape == (60, 3)
    errors = ck.inversion_error(model, out.images, "fc", image)
    assert errors.max() < 0.05, "five numbers are soon matched"
    assert torch.pdist(out.images.flatten(1)).min() > 10 * errors.max(), "by very different pictures"


def test_the_search_is_repeatable_and_its_seed_counts(model):
    image = random_images(1, SIZE)
    made = [ck.invert(model, image, "conv2", steps=3, seed=s).images for s in (0, 0, 1)]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_a_heavy_total_variation_gives_a_smooth_picture(model):
    image = random_images(1, SIZE)
    rough, smooth = (ck.invert(model, image, "conv1", weight=w, steps=20).images for w in (0.0, 100.0))
    assert smooth.diff(dim=3).abs().mean() < 0.3 * rough.diff(dim=3).abs().mean()


def test_jitter_looks_at_rolled_pictures(model):
    """A code of places cannot be matched by a picture that moves; one without places can."""
    image = random_images(1, SIZE)
    still, moved = (ck.invert(model, image, "conv1", weight=0.0, jitter=j, steps=60).images for j in (0, 3))
    errors = ck.inversion_error(model, torch.cat([still, moved]), "conv1", image)
    assert errors[0] < 0.5 * errors[1]


def test_the_alpha_norm_has_its_closed_form():
    x = torch.tensor([[[[0.5, 1.0]], [[0.25, 0.0]], [[0.5, 0.5]]]])
    penalty = ck.regularizers.alpha_norm(3.0, alpha=6).penalty(x)
    torch.testing.assert_close(penalty, torch.tensor([3 * (1 + 1 + 0.5**6) / 2]))


def test_the_error_counts_in_lengths_of_the_code_or_in_distances_of_other_pictures():
    model = ck.Model(nn.Sequential(nn.Identity(), nn.Flatten()))
    goal, zero, one = torch.full((1, 3, 2, 2), 0.5), torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    layer = next(iter(model.layers))
    images = torch.cat([goal, zero, one])
    torch.testing.assert_close(ck.inversion_error(model, images, layer, goal), torch.tensor([0.0, 1.0, 1.0]))
    among = ck.inversion_error(model, images, layer, goal, others=torch.cat([zero, one, one]))
    torch.testing.assert_close(among, torch.tensor([0.0, 0.75, 0.75]))  # pairs are √12, √12 and 0 apart
    assert ck.inversion_error(model, zero, layer, goal).shape == (1,)


def test_the_value_of_the_search_is_the_square_of_the_error(model):
    """`values` is taken before each step, so the last step is compared with one step fewer."""
    image = random_images(1, SIZE)
    before, after = (ck.invert(model, image, "conv2", steps=s) for s in (4, 5))
    error = ck.inversion_error(model, before.images, "conv2", image)
    torch.testing.assert_close(-after.values[-1], error**2, atol=1e-5, rtol=1e-4)


def test_wrong_input_gets_one_sentence(model):
    image = random_images(1, SIZE)
    for call, error in (
        (lambda: ck.invert(model, image, "conv9"), UnknownLayer),
        (lambda: ck.invert(model, random_images(2, SIZE), "conv2"), ImageError),
        (lambda: ck.invert(model, 255 * image, "conv2"), ImageError),
        (lambda: ck.invert(model, image[..., :8], "conv2"), ImageError),
        (lambda: ck.invert(model, image, "conv2", weight=-1), OptionError),
        (lambda: ck.invert(model, image, "conv2", jitter=-1), OptionError),
        (lambda: ck.invert(model, image, "conv2", jitter=1.5), OptionError),
        (lambda: ck.invert(model, image, "conv2", beta=0), OptionError),
        (lambda: ck.invert(model, image, "conv2", alpha=0), OptionError),
        (lambda: ck.invert(model, image, "conv2", n=0), OptionError),
        (lambda: ck.invert(model, image, "conv2", steps=0), OptionError),
        (lambda: ck.inversion_error(model, image, "conv9", image), UnknownLayer),
        (lambda: ck.inversion_error(model, image, "conv2", random_images(2, SIZE)), ImageError),
        (lambda: ck.inversion_error(model, image, "conv2", image, others=image), OptionError),
        (lambda: ck.inversion_error(model, image, "conv2", image, others=torch.cat([image, image])), OptionError),
        (lambda: ck.explore_inversion(model, "conv9"), UnknownLayer),
    ):
        with pytest.raises(error):
            call()


CHANGES = {"photograph": "coffee", "layer": "conv1", "weight": 10.0, "beta": 1.0, "seed": 3}


@pytest.mark.parametrize("control", [*CHANGES, "upload"])
def test_the_explorer_follows_each_control(model, control):
    explorer = ck.explore_inversion(model, "conv2", size=16, steps=2)
    before = bytes(explorer.image.value)
    assert set(explorer.controls) == {*CHANGES, "upload"}
    explorer.controls[control].value = CHANGES.get(control, upload("green.png", green_png()))
    assert bytes(explorer.image.value) != before and explorer.message.value == ""


def test_the_explorer_takes_the_last_choice(model):
    explorer = ck.explore_inversion(model, "conv2", size=16, steps=1)
    explorer.controls["upload"].value = upload("green.png", green_png())
    assert explorer.picture.alt.startswith("your picture")
    explorer.controls["photograph"].value = "coffee"
    assert explorer.picture.alt == "coffee and its inversion from conv2"
