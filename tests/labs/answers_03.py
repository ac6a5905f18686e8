"""Answers to the exercises of lab 03: right ones, and each likely mistake under words of its hint."""

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


def with_mistake(**mistake):
    return lambda *arguments: occlusion_map(*arguments, **mistake)


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


RIGHT = [
    ("03.1", 625),
    ("03.1", 25**2),
    ("03.2", cover),
    ("03.3", occlusion_map),
    ("03.3", lambda model, image, target, w, s: ck.occlusion(model, image, target, window=w, stride=s)),
    ("03.4", lambda maps, channel: maps[0, channel].sum()),
    ("03.4", lambda maps, channel: maps[:, channel].sum((1, 2))),
    ("03.4", lambda maps, channel: maps[0, channel].sum().item()),
]

MISTAKES = {
    "03.1": {
        "you lost the first window": ((224 - 32) // 8) ** 2,
        "a window must end inside the image": (224 // 8) ** 2,
        "that is one row of windows": (224 - 32) // 8 + 1,
        "only the windows count": 626,
        "the values differ": 7,
        "one number is asked for": [25, 25],
    },
    "03.2": {
        "changes the image it was given": in_place,
        "you filled with 0, which is black": black,
        "0.5 is a plain grey": grey,
        "rows and columns are swapped": lambda model, image, top, left, w: cover(model, image, left, top, w),
        "only one colour channel is covered": red_only,
        "nothing is covered": lost_copy,
        "the values differ": lambda model, image, top, left, w: cover(model, image, top, left, w - 1),
        "the shape should be (1, 3, 20, 20), but is (3, 20, 20)": lambda *arguments: cover(*arguments)[0],
        "NaN": lambda *arguments: cover(*arguments) / 0 * 0,
    },
    "03.3": {
        "the border is left uncovered": with_mistake(whole_windows_only=True),
        "divide by the number of windows that cover the pixel": with_mistake(divide=False),
        "the drop in probability": with_mistake(read=lambda logits: logits.softmax(0)),
        "you fill with black": with_mistake(hide=black),
        "the sign is wrong": lambda *arguments: -occlusion_map(*arguments),
        "divide by the number of all windows": with_mistake(count_all=True),
        "the shape should be (20, 20), but is (5, 5)": lambda *arguments: occlusion_map(*arguments)[:5, :5],
    },
    "03.4": {
        "that is the mean over the map": lambda maps, channel: maps[0, channel].mean(),
        "that is the strongest position": lambda maps, channel: maps[0, channel].max(),
        "you sum over all channels": lambda maps, channel: maps.sum(),
        "you took row 2": lambda maps, channel: maps[0, :, channel].sum(),
        "one number is asked for": lambda maps, channel: maps[0, channel],
        "the values differ": lambda maps, channel: maps[0, 0].sum(),
    },
}
