"""The explorer of the randomisation test, and the table of maps that it draws."""

import pytest
import torch
from nets import random_images, small_model

import coursekit as ck
from coursekit.explorers import sanity as explore_sanity

METHODS = ["input_gradient", "smoothgrad", "occlusion", "grad_cam", "edges"]


@pytest.fixture
def shown(monkeypatch):
    """What the explorer draws: (rows, options) of each call."""
    calls, draw = [], explore_sanity.show_matrix

    def recording(rows, **options):
        calls.append((rows, options))
        return draw(rows, **options)

    monkeypatch.setattr(explore_sanity, "show_matrix", recording)
    return calls


@pytest.mark.parametrize(("control", "value"), [("method", "edges"), ("forgotten", 3), ("seed", 4)])
def test_the_figure_follows_each_control(control, value):
    explorer = ck.explore_randomisation(small_model(), random_images(1))
    before = bytes(explorer.image.value)
    explorer.controls[control].value = value
    assert explorer.message.value == ""
    assert bytes(explorer.image.value) != before


@pytest.mark.parametrize("method", METHODS)
def test_it_shows_the_method_on_both_networks_for_the_trained_networks_class(shown, method):
    model, image = small_model(), random_images(1)
    explorer = ck.explore_randomisation(model, image)
    explorer.controls["seed"].value = 1
    explorer.controls["forgotten"].value = 2
    explorer.controls["method"].value = method
    target = int(model(image).argmax())
    _, network = next(ck.randomised(model, seed=1, layers=["conv3"]))
    (name, tiles), *_ = shown[-1][0].items()
    assert name == method and list(tiles) == ["trained", "down to conv3"]
    for found, net in zip(tiles.values(), (model, network), strict=True):
        assert torch.equal(found, explore_sanity.METHODS[method](net, image, target))


def test_nothing_forgotten_shows_the_same_map_twice_and_the_model_stays_as_it_was(shown):
    model, image = small_model(), random_images(1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    explorer = ck.explore_randomisation(model, image)
    explorer.controls["forgotten"].value = 0
    first, second = shown[-1][0]["input_gradient"].values()
    assert torch.equal(first, second)
    assert explorer.controls["forgotten"].max == len(ck.randomisable(model))
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_a_method_that_cannot_apply_is_told_below_the_controls():
    explorer = ck.explore_randomisation(ck.random_model("coursenet"), random_images(1, size=64))
    explorer.controls["method"].value = "cam"
    assert "no class activation map" in explorer.message.value


def test_one_image_only():
    with pytest.raises(ck.ImageError, match=r"must be one image .* take image\[:1\]"):
        ck.explore_randomisation(small_model(), random_images(2))


# The table of maps ------------------------------------------------------------------------------------------------


def test_a_tile_is_the_magnitude_on_its_own_scale_and_columns_stand_in_order():
    first, second = torch.zeros(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    first[0, :, 2, 5] = torch.tensor([-2.0, 1.0, 1.0])
    picture = ck.show_matrix({"a": {"x": first, "y": second}, "b": {"y": 1000 * second}})
    axes = picture.figure.axes
    assert [ax.get_title() for ax in axes[:2]] == ["x", "y"]
    assert [axes[0].get_ylabel(), axes[2].get_ylabel()] == ["a", "b"]
    x, y, empty, scaled = (ax.images[0].get_array() if ax.images else None for ax in axes)
    assert x[2, 5] == 1 and x.sum() == 1, "signs do not cancel"
    assert empty is None and y.max() == 1 and abs(y - scaled).max() < 1e-6


def test_pooling_calms_the_largest_maps_only_and_signs_do_not_cancel():
    board = torch.ones(1, 1, 8, 8)
    board[..., ::2, ::2], board[..., 1::2, 1::2] = -1, -1
    first, second = (
        ax.images[0].get_array()
        for ax in ck.show_matrix({"a": {"x": board, "y": board[..., :4, :4]}}, pool=2).figure.axes
    )
    assert first.shape == second.shape == (4, 4) and first.min() == second.min() == 1


def test_a_plate_has_the_photograph_of_each_row_at_its_left():
    images, heat = random_images(2), torch.rand(1, 1, 12, 12)
    rows = {name: {"x": heat, "y": heat} for name in ("a", "b", "c")}
    axes = ck.show_matrix(rows, image={"a": images[:1], "c": images[1:]}).figure.axes
    assert [ax.get_title() for ax in axes[:3]] == ["image", "x", "y"] and len(axes) == 9
    first, none, last = (ax.images[0].get_array() if ax.images else None for ax in axes[::3])
    assert none is None and first.shape == last.shape == (12, 12, 3) and (first != last).any()


def test_the_image_comes_first_and_what_is_no_map_is_refused():
    image, heat = random_images(1), torch.rand(1, 1, 12, 12)
    axes = ck.show_matrix({"a": {"x": heat}}, image=image).figure.axes
    assert axes[0].get_title() == "image" and axes[0].images[0].get_array().shape == (12, 12, 3)
    for wrong in ({}, {"a": {}}, {"a": {"x": heat[0]}}, {"a": {"x": heat.expand(2, -1, -1, -1)}}):
        with pytest.raises(ck.OptionError, match=r"at least one entry|shape \(1, C, h, w\)|must be finite"):
            ck.show_matrix(wrong)
