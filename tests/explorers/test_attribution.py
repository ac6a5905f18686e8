"""The explorer of class activation maps follows its controls and shows what the functions give."""

import pytest
import torch
from nets import random_images, seeded, small_model
from torch import nn

import coursekit as ck
from coursekit.explorers import attribution as explore_maps


@pytest.fixture
def explorer():
    model = small_model()
    model.labels = ["ant", "bee", "cat", "dog", "eel"]
    return ck.explore_cam(model, random_images(1, size=16), ["conv2", "relu6"])


@pytest.mark.parametrize(
    ("control", "value"),
    [("target", None), ("method", "CAM"), ("method", "Guided Grad-CAM"), ("method", "FullGrad"), ("layer", "conv2")],
)
def test_the_figure_follows_each_control(explorer, control, value):
    before, widget = bytes(explorer.image.value), explorer.controls[control]
    widget.value = next(v for _, v in widget.options if v != widget.value) if value is None else value
    assert explorer.message.value == ""
    assert bytes(explorer.image.value) != before


def test_against_shows_what_speaks_against_the_chosen_class(monkeypatch):
    shown, model, image, draw = [], small_model(), random_images(1, size=16), explore_maps.show_maps

    def recording(image, maps, **options):
        shown.append(next(iter(maps.items())))
        return draw(image, maps, **options)

    monkeypatch.setattr(explore_maps, "show_maps", recording)
    explorer = ck.explore_cam(model, image)
    explorer.controls["target"].value = 3
    explorer.controls["method"].value = "CAM"
    explorer.controls["against"].value = True
    assert explorer.message.value == ""
    title, heat = shown[-1]
    assert title == "CAM against 3"
    assert torch.allclose(heat, -ck.cam(model, image, 3, upsample=True))


def test_the_five_best_classes_can_be_chosen_and_the_last_layer_comes_first(explorer):
    names = [name for name, _ in explorer.controls["target"].options]
    assert sorted(names) == ["ant", "bee", "cat", "dog", "eel"]
    assert explorer.controls["layer"].value == "relu6"


def test_a_network_without_cam_is_told_so_below_the_controls():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 6))
    explorer = ck.explore_cam(ck.Model(seeded(net)), random_images(1, size=16))
    still = bytes(explorer.image.value)
    explorer.controls["method"].value = "CAM"
    assert "no class activation map" in explorer.message.value and bytes(explorer.image.value) == still
    explorer.controls["method"].value = "Grad-CAM"
    assert explorer.message.value == ""


def test_something_that_is_no_image_is_refused():
    with pytest.raises(ck.ImageError):
        ck.explore_cam(small_model(), torch.zeros(3, 8))
