"""Facets: groups that are known, means of the nearest, and sentences for wrong input."""

import pytest
import torch
from torch import nn

import coursekit as ck
from coursekit.errors import ImageError, OptionError, TargetError, UnknownLayer

RED, BLUE, GREEN = torch.eye(3)


@pytest.fixture
def model():
    """Its code is the mean colour; class 0 likes red and blue alike and dislikes green."""
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    net[2].weight.data = torch.tensor([[1.0, 1.0, -1.0], [0.0, 0.0, 1.0]])
    net[2].bias.data.zero_()
    return ck.Model(net)


@pytest.fixture
def images():
    """12 red, 8 blue and 10 green pictures, in turns, each a little darker than the one before."""
    generator = torch.Generator().manual_seed(0)
    colours = [RED] * 12 + [BLUE] * 8 + [GREEN] * 10
    made = torch.stack([(1 - 0.01 * i) * c.view(3, 1, 1).expand(3, 8, 8) for i, c in enumerate(colours)])
    return made[torch.randperm(30, generator=generator)]


def colour_of(images):
    return images.mean((2, 3)).argmax(1)


def test_each_facet_is_one_of_the_two_colours_that_the_class_likes(model, images):
    found = ck.facets(model, images, 0, count=2, top=20, nearest=5)
    assert repr(found) == "Facets(2 facets of 20 images: 12, 8)"
    assert colour_of(found.starts).tolist() == [0, 1], "the larger group comes first"
    assert colour_of(images[found.top]).max() == 1, "no green one among the best"
    assert torch.equal(found.cluster, colour_of(images[found.top]))
    assert found.points.shape == (20, 2)


def test_a_start_is_the_mean_of_the_nearest_images(model, images):
    found = ck.facets(model, images, 0, count=2, top=20, nearest=5)
    for i, (start, chosen) in enumerate(zip(found.starts, found.members, strict=True)):
        assert len(set(chosen.tolist())) == 5 and (colour_of(images[chosen]) == i).all()
        torch.testing.assert_close(start, images[chosen].mean(0))
        points = found.points[found.cluster == i]
        distance = (points - points.mean(0)).norm(dim=1).sort()
        expected = found.top[found.cluster == i][distance.indices[:5]]
        assert set(expected.tolist()) == set(chosen.tolist())


def test_a_small_group_is_averaged_whole(model, images):
    found = ck.facets(model, images, 0, count=2, top=20, nearest=50)
    assert [len(chosen) for chosen in found.members] == [12, 8]


def test_the_best_come_first_and_the_values_are_the_answers(model, images):
    found = ck.facets(model, images, 1, count=2, top=10)
    with torch.no_grad():
        torch.testing.assert_close(found.values, model(images)[:, 1])
    assert (found.values[found.top].diff() <= 0).all() and (colour_of(images[found.top]) == 2).all()


def test_the_seed_decides_and_the_model_stays(model, images):
    one, two = (ck.facets(model, images, 0, count=3, top=20, seed=4) for _ in range(2))
    assert torch.equal(one.starts, two.starts) and torch.equal(one.points, two.points)
    assert not any(m._forward_hooks for m in model.modules()) and all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"top": 31}, OptionError, "there are 30 images"),
        ({"count": 20, "top": 20}, OptionError, "top must be above count"),
        ({"nearest": 0}, OptionError, "nearest"),
        ({"layer": "conv9"}, UnknownLayer, "conv9"),
        ({"target": [0, 1]}, OptionError, "one unit"),
        ({"target": "red"}, TargetError, "target must be"),
        ({"images": torch.full((4, 3, 8, 8), 255.0)}, ImageError, "255"),
    ],
)
def test_wrong_input_gets_one_sentence(model, images, options, error, words):
    given = {"images": images, "target": 0, "top": 20} | options
    with pytest.raises(error, match=words):
        ck.facets(model, given.pop("images"), given.pop("target"), **given)


def test_a_dead_layer_has_no_facets():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    net[0].weight.data.zero_(), net[0].bias.data.fill_(-1.0)
    images = torch.rand(24, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ck.OptionError, match="All codes are the same"):
        ck.facets(ck.Model(net), images, 0, layer="1", top=20)
