"""Answers to the exercises of lab 03: right ones, and each likely mistake under words of its hint."""

import numpy as np
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
    moved=False,
):
    """The right map; each option makes one of the mistakes that students make."""
    height, width = image.shape[-2:]
    total, count, windows = torch.zeros(height, width), torch.zeros(height, width), 0
    whole = read(model(image)[0])[target]
    end = 1 if whole_windows_only else stride
    tops, lefts = (list(range(0, side - window + end, stride)) for side in (height, width))
    if moved:
        tops, lefts = [*tops[:-1], height - window], [*lefts[:-1], width - window]
    for top in tops:
        for left in lefts:
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


def fill_with(colour):
    def answer(model, image, top, left, window):
        covered = image.clone()
        covered[:, :, top : top + window, left : left + window] = colour(image)
        return covered

    return answer


def start_length(model, image, top, left, window):
    covered = image.clone()
    covered[:, :, top:window, left:window] = model.mean
    return covered


def rise_map(scores, masks):
    return (scores.view(-1, 1, 1, 1) * masks).sum(0)[0] / masks.sum(0)[0]


RIGHT = [
    ("03.1", 625),
    ("03.1", 25**2),
    ("03.2", cover),
    ("03.2", lambda *arguments: cover(*arguments)[0]),
    ("03.2", lambda *arguments: cover(*arguments).double().numpy()),
    ("03.2", lambda *arguments: cover(*arguments).tolist()),
    ("03.3", occlusion_map),
    ("03.3", lambda *arguments: occlusion_map(*arguments)[None, None].double().numpy()),
    ("03.3", lambda *arguments: occlusion_map(*arguments).tolist()),
    ("03.3", lambda model, image, target, w, s: ck.occlusion(model, image, target, window=w, stride=s)),
    ("03.4", lambda maps, channel: maps[0, channel].sum()),
    ("03.4", lambda maps, channel: maps[:, channel].sum((1, 2))),
    ("03.4", lambda maps, channel: maps[0, channel].sum().item()),
    ("03.4", lambda maps, channel: np.asarray(maps, dtype=np.float64)[:, channel].sum()),
    ("03.5", rise_map),
    ("03.5", lambda scores, masks: rise_map(scores, masks)[None, None].double()),
    ("03.5", lambda scores, masks: np.tensordot(scores, masks[:, 0], 1) / masks[:, 0].numpy().sum(0)),
    ("03.5", lambda scores, masks: [[float(v) for v in row] for row in rise_map(scores, masks)]),
    ("03.5", lambda scores, masks: torch.einsum("n,nchw->chw", scores, masks) / masks.sum(0)),
]

MISTAKES = {
    "03.1": {
        "you lost the first window": ((224 - 32) // 8) ** 2,
        "a window must end inside the image": (224 // 8) ** 2,
        "that is one row of windows": (224 - 32) // 8 + 1,
        "only the windows count": 626,
        "24 steps lead to 25 places": 26**2,
        "so many fit side by side": 49,
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
        "that is the mean of this picture; use model.mean, of all": fill_with(lambda x: x.mean((2, 3), keepdim=True)),
        "one number for each colour": fill_with(lambda x: x.mean()),
        "not its centre": lambda model, image, top, left, w: cover(model, image, top - w // 2, left - w // 2, w),
        "not start:length": lambda model, image, top, left, w: start_length(model, image, top, left, w),
        "without + 1": lambda model, image, top, left, w: cover(model, image, top, left, w + 1),
        "without − 1": lambda model, image, top, left, w: cover(model, image, top, left, w - 1),
        "the values differ": lambda model, image, top, left, w: cover(model, image, top, left, w + 2),
        "the shape should be (3, 20, 20), but is (20, 20)": lambda *arguments: cover(*arguments)[0, 0],
        "should be a number or a tensor": lambda *arguments: "covered",
        "NaN": lambda *arguments: cover(*arguments) / 0 * 0,
    },
    "03.3": {
        "the border is left uncovered": with_mistake(whole_windows_only=True),
        "divide by the number of windows that cover the pixel": with_mistake(divide=False),
        "the last window is moved inside": with_mistake(moved=True),
        "this is the covered image's score": lambda model, image, target, w, s: (
            model(image)[0, target] - occlusion_map(model, image, target, w, s)
        ),
        "that is the map of class 0": lambda model, image, target, w, s: occlusion_map(model, image, 0, w, s),
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
    "03.5": {
        "that is the sum": lambda scores, masks: (scores.view(-1, 1, 1, 1) * masks).sum(0)[0],
        "by the number of masks": lambda scores, masks: (scores.view(-1, 1, 1, 1) * masks).mean(0)[0],
        "you divide by one number": lambda scores, masks: (
            (scores.view(-1, 1, 1, 1) * masks).sum(0)[0] / masks.sum(0).mean()
        ),
        "by the sum of the scores": lambda scores, masks: (scores.view(-1, 1, 1, 1) * masks).sum(0)[0] / scores.sum(),
        "the masks that hide the pixel": lambda scores, masks: rise_map(scores, 1 - masks),
        "how often the pixel is shown": lambda scores, masks: masks.mean(0)[0],
        "changes the scores or masks": lambda scores, masks: rise_map(scores.mul_(2), masks),
        "the shape should be (4, 5), but is (6, 4, 5)": lambda scores, masks: scores.view(-1, 1, 1) * masks[:, 0],
    },
}
