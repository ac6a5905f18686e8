"""The plate of lab 03 says the truth about its windows."""

import pytest
import torch

import coursekit as ck
from coursekit.attribution.occlusion import OcclusionGrid


@pytest.fixture
def panels():
    probability = torch.tensor([[[0.9, 0.8], [0.7, 0.1], [0.9, 0.9]]])  # least at the second row, second column
    label = torch.tensor([[[2, 2], [2, 0], [1, 2]]])
    grid = OcclusionGrid(probability, probability, label, 10 * probability)
    row = ck.PlateRow(torch.rand(1, 3, 32, 24), grid, torch.randn(1, 3, 32, 24), "channel 3", "cat", 16, 8)
    return ck.show_plate([row], ["dog", "crane (machine)", "cat"]).figure.axes


def test_each_value_lies_at_the_centre_of_its_window(panels):
    for i in (1, 3, 4):
        # windows of 16 at 0, 8 (and 16): centres at 8, 16 (and 24), each drawn 8 pixels wide
        assert tuple(panels[i].images[0].get_extent()) == (4, 20, 28, 4)
        assert panels[i].get_xlim() == (0, 24) and panels[i].get_ylim() == (32, 0)


def test_the_box_is_the_window_that_costs_the_class_most(panels):
    (box,) = panels[0].patches
    assert (*box.get_xy(), box.get_width(), box.get_height()) == (8, 8, 16, 16)


def test_the_panels_show_what_their_titles_say(panels):
    names = ["photograph", "activation of\nchannel 3", "its projection", "probability of\ncat", "most probable\nlabel"]
    assert [ax.get_title().split(" · ")[1] for ax in panels] == names
    assert panels[1].images[0].get_array().max() == pytest.approx(9)
    assert panels[3].images[0].get_array().min() == pytest.approx(0.1)
    assert [text.get_text() for text in panels[4].get_legend().get_texts()] == ["cat", "dog", "crane"]
