"""Lab 03's checks: the right answers pass, and each known mistake gets its own hint."""

import pytest
import torch

import coursekit as ck


def cover(model, image, top, left, window):
    covered = image.clone()
    covered[:, :, top : top + window, left : left + window] = model.mean.cpu()
    return covered


def occlusion_map(
    model,
    image,
    target,
    window,
    stride,
    *,
    read=lambda logits: logits,
    hide=cover,
    whole_windows_only=False,
    count_all=False,
    divide=True,
):
    """The right map; each option makes one of the mistakes that students make."""
    height, width = image.shape[-2:]
    total, count, windows = torch.zeros(height, width), torch.zeros(height, width), 0
    whole = read(model(image)[0])[target]
    end = 1 if whole_windows_only else stride
    for top in range(0, height - window + end, stride):
        for left in range(0, width - window + end, stride):
            drop = whole - read(model(hide(model, image, top, left, window))[0])[target]
            total[top : top + window, left : left + window] += drop
            count[top : top + window, left : left + window] += 1
            windows += 1
    if count_all:
        return total / windows
    return total / count.clamp(min=1) if divide else total


def in_place(model, image, top, left, window):
    image[:, :, top : top + window, left : left + window] = model.mean
    return image


def black(model, image, top, left, window):
    covered = image.clone()
    covered[:, :, top : top + window, left : left + window] = 0
    return covered


def grey(model, image, top, left, window):
    covered = image.clone()
    covered[:, :, top : top + window, left : left + window] = 0.5
    return covered


def red_only(model, image, top, left, window):
    covered = image.clone()
    covered[:, 0, top : top + window, left : left + window] = model.mean[0, 0]
    return covered


def lost_copy(model, image, top, left, window):
    image.clone()[:, :, top : top + window, left : left + window] = model.mean
    return image


def one_pixel_short(model, image, top, left, window):
    return cover(model, image, top, left, window - 1)


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("03.1", 625),
        ("03.1", 25**2),
        ("03.2", cover),
        ("03.3", occlusion_map),
        ("03.3", lambda model, image, target, w, s: ck.occlusion(model, image, target, window=w, stride=s)),
        ("03.4", lambda maps, channel: maps[0, channel].sum()),
        ("03.4", lambda maps, channel: maps[:, channel].sum((1, 2))),
        ("03.4", lambda maps, channel: maps[0, channel].sum().item()),
    ],
)
def test_the_right_answer_passes(said, number, answer):
    assert said(number, answer) == f"✓ {number} right."


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (((224 - 32) // 8) ** 2, "you lost the first window"),
        ((224 // 8) ** 2, "a window must end inside the image"),
        ((224 - 32) // 8 + 1, "that is one row of windows"),
        (626, "only the windows count"),
        (7, "the values differ"),
        ([25, 25], "one number is asked for"),
    ],
)
def test_the_count_of_windows_names_the_mistake(said, answer, hint):
    assert said("03.1", answer).startswith("✗ 03.1 not yet: ") and hint in said("03.1", answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (in_place, "changes the image it was given"),
        (black, "you filled with 0, which is black"),
        (grey, "0.5 is a plain grey"),
        (
            lambda model, image, top, left, window: cover(model, image, left, top, window),
            "rows and columns are swapped",
        ),
        (red_only, "only one colour channel is covered"),
        (lost_copy, "nothing is covered"),
        (one_pixel_short, "the values differ"),
        (lambda *arguments: cover(*arguments)[0], "the shape should be (1, 3, 20, 20), but is (3, 20, 20)"),
        (lambda *arguments: cover(*arguments) / 0 * 0, "NaN"),
    ],
)
def test_the_covered_square_names_the_mistake(said, answer, hint):
    assert said("03.2", answer).startswith("✗ 03.2 not yet: ") and hint in said("03.2", answer)


def with_mistake(**mistake):
    return lambda *arguments: occlusion_map(*arguments, **mistake)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (with_mistake(whole_windows_only=True), "the border is left uncovered"),
        (with_mistake(divide=False), "divide by the number of windows that cover the pixel"),
        (with_mistake(read=lambda logits: logits.softmax(0)), "the drop in probability"),
        (with_mistake(hide=black), "you fill with black"),
        (lambda *arguments: -occlusion_map(*arguments), "the sign is wrong"),
        (with_mistake(count_all=True), "divide by the number of all windows"),
        (lambda *arguments: occlusion_map(*arguments)[:5, :5], "the shape should be (20, 20), but is (5, 5)"),
    ],
)
def test_the_map_names_the_mistake(said, answer, hint):
    assert said("03.3", answer).startswith("✗ 03.3 not yet: ") and hint in said("03.3", answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda maps, channel: maps[0, channel].mean(), "that is the mean over the map"),
        (lambda maps, channel: maps[0, channel].max(), "that is the strongest position"),
        (lambda maps, channel: maps.sum(), "you sum over all channels"),
        (lambda maps, channel: maps[0, :, channel].sum(), "you took row 2"),
        (lambda maps, channel: maps[0, channel], "one number is asked for"),
        (lambda maps, channel: maps[0, 0].sum(), "the values differ"),
    ],
)
def test_the_total_activation_names_the_mistake(said, answer, hint):
    assert said("03.4", answer).startswith("✗ 03.4 not yet: ") and hint in said("03.4", answer)
