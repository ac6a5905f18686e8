"""The explorer of concepts follows its controls, shows what the functions give, and runs no network."""

import pytest
import torch
from nets import random_images

import coursekit as ck
from coursekit.explorers import concepts as module


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def parts():
    """Two classes, concepts and layers; "striped" matters to the zebra at the layer "high" and nowhere else."""
    axis = 4 * torch.eye(16)[0]
    layers = {"low": 0.0, "high": 1.0}
    gradients = {
        "zebra": {layer: normal(30, 16, seed=1) + factor * axis for layer, factor in layers.items()},
        "lemon": {layer: normal(30, 16, seed=2) for layer in layers},
    }
    concepts = {
        "striped": {layer: normal(12, 16, seed=3) + axis for layer in layers},
        "dotted": {layer: normal(12, 16, seed=4) + axis.flip(0) for layer in layers},
    }
    random = {layer: normal(240, 16, seed=5) for layer in layers}
    images = random_images(10, size=16)
    codes = {layer: normal(10, 16, seed=6) for layer in layers}
    return gradients, concepts, random, images, codes


@pytest.fixture
def shown(monkeypatch):
    """Keep what is drawn: the test, the class, the sorted images and their cosines."""
    calls, draw = [], module._show
    monkeypatch.setattr(module, "_show", lambda *arguments: calls.append(arguments) or draw(*arguments))
    return calls


@pytest.mark.parametrize(
    ("control", "value"), [("concept", "dotted"), ("target", "lemon"), ("layer", "low"), ("seed", 3)]
)
def test_the_figure_follows_each_control(control, value):
    explorer = ck.explore_concepts(*parts())
    before = bytes(explorer.image.value)
    explorer.controls[control].value = value
    assert explorer.message.value == ""
    assert bytes(explorer.image.value) != before


def test_it_shows_the_test_of_the_chosen_concept_class_and_layer(shown):
    gradients, concepts, random, images, codes = parts()
    explorer = ck.explore_concepts(gradients, concepts, random, images, codes)
    test, target, _, _ = shown[0]
    assert target == "zebra" and test["striped", "high"].p == pytest.approx(2 / 101)
    explorer.controls["target"].value = "lemon"
    assert shown[-1][1] == "lemon" and shown[-1][0]["striped", "high"].score < test["striped", "high"].score
    explorer.controls["target"].value = "zebra"
    explorer.controls["layer"].value = "low"
    assert shown[-1][0]["striped", "low"].p > 0.05
    explorer.controls["seed"].value = 2
    expected = ck.tcav_test(
        {"low": gradients["zebra"]["low"]}, {"striped": concepts["striped"]}, random, runs=5, draws=100, seed=2
    )
    assert shown[-1][0].rows == expected.rows
    line = next(line for line in explorer.picture.figure.axes[0].lines)
    assert line.get_xdata()[0] == expected.rows[0].score


def test_pictures_come_from_most_to_least_of_the_concept(shown):
    *_, images, codes = parts()
    ck.explore_concepts(*parts())
    _, _, ordered, cosine = shown[0]
    assert (cosine.diff() <= 0).all()
    first = codes["high"][next(i for i in range(10) if torch.equal(images[i], ordered[0]))]
    last = codes["high"][next(i for i in range(10) if torch.equal(images[i], ordered[-1]))]
    assert first[0] / first.norm() > last[0] / last.norm(), "the first lies more along the concept's axis"


def test_what_cannot_be_explored_is_refused_in_one_sentence():
    gradients, concepts, random, images, codes = parts()
    with pytest.raises(ck.OptionError, match=r"concepts must be .* at least one entry"):
        ck.explore_concepts(gradients, {}, random, images, codes)
    with pytest.raises(ck.OptionError, match="8 or more images and the codes of each; there are 5"):
        ck.explore_concepts(gradients, concepts, random, images[:5], codes)
    with pytest.raises(ck.OptionError, match="at layer 'high' are missing"):
        ck.explore_concepts(gradients, concepts, {"low": random["low"]}, images, codes)
