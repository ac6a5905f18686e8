"""The explorer of lab 09's generator draws the parameters that its controls say."""

import pytest
import torch

import coursekit as ck
from coursekit.labs import shapes


@pytest.fixture
def asked(monkeypatch):
    """Each row of parameters that the generator was given."""
    rows = []

    def draw(parameters):
        rows.append(parameters)
        return torch.zeros(1, 4, 64, 64)

    monkeypatch.setattr(shapes, "load_generator", lambda: draw)
    return rows


def test_each_control_turns_its_own_parameters(asked):
    explorer = ck.explore_generator("square", "star", 0.25)
    first = asked[-1].clone()
    hot = first[0, :6].tolist()
    assert hot == pytest.approx([0, 0.75, 0, 0.25, 0, 0])
    places = {"hue": [6, 7, 8], "radius": [9], "angle": [10, 11], "right": [12], "down": [13]}
    for name, value in {"hue": 0.6, "radius": 0.2, "angle": 30, "right": 0.4, "down": 0.6}.items():
        before = asked[-1]
        explorer.controls[name].value = value
        changed = (asked[-1] - before).abs()[0] > 1e-6
        assert set(changed.nonzero()[:, 0].tolist()) <= set(places[name]) and changed.any(), name
    assert asked[-1][0, [9, 12, 13]].tolist() == pytest.approx([0.2, 0.4, 0.6])


def test_the_words_say_what_is_mixed(asked):
    explorer = ck.explore_generator("cross", "ring", 0.5)
    assert "50% cross, 50% ring" in explorer.picture.alt
    explorer.controls["share"].value = 0
    assert explorer.picture.alt.startswith("cross, 0°")


def test_a_kind_that_is_not_there_is_one_sentence():
    with pytest.raises(ck.OptionError, match="kind is one of"):
        ck.explore_generator("pentagon")
