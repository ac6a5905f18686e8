"""Answers to the exercises of lab 15: right ones, and each likely mistake under words of its hint."""

import torch


def preferred(answers, angles, *, times=2, half=2, wrap=True, radians=False, swap=False):
    around = torch.deg2rad(times * angles)
    y, x = (answers * around.sin()).sum(), (answers * around.cos()).sum()
    angle = torch.rad2deg(torch.atan2(x, y) if swap else torch.atan2(y, x)) / half
    angle = angle % 180 if wrap else angle
    return torch.deg2rad(angle) if radians else angle


def steps(y, x):
    return y.abs() + x.abs()


def template(n, row, column, *, distance=steps, floor=-1.0, high=None, factor=4, size=True):
    y, x = torch.arange(n).float()[:, None] - row, torch.arange(n).float()[None] - column
    return (1 - factor * distance(y, x) / (n if size else 1)).clamp(floor, high)


def on_object(y, x, box, mirrored, *, turn="column", divide=True, corner=True):
    top, left, height, width = box
    row, column = y - top * corner, x - left * corner
    row, column = (row / height, column / width) if divide else (row, column)
    if not mirrored or turn == "none":
        return row, column
    return (1 - row, column) if turn == "row" else (row, 1 - column)


def cut(weight, *index):
    copy = weight.clone()
    copy[index] = 0
    return copy


def cut_in_place(weight, channel, inputs):
    weight[channel, inputs] = 0
    return weight


def keep(weight, channel, inputs):
    return cut(weight, channel, [i for i in range(weight.shape[1]) if i not in inputs])


def swapped(y, x, box, mirrored):
    row, column = on_object(y, x, box, mirrored)
    return column, row


def multiply(widen, place, narrow):
    return torch.einsum("om,mhw,mi->oihw", narrow, place, widen)


def words(maps, row, column, n, *, above=True, down=True, size=False):
    here = maps[:, row, column].abs() if size else maps[:, row, column]
    order = here.argsort(descending=down).tolist()[:n]
    return [k for k in order if here[k] > 0 or not above]


RIGHT = [
    ("15.1", preferred),
    ("15.2", template),
    ("15.3", on_object),
    ("15.3", lambda *a: torch.tensor(on_object(*a))),
    ("15.4", lambda weight, channel, inputs: cut(weight, channel, inputs)),
    ("15.5", multiply),
    ("15.6", words),
    ("15.6", lambda *a: torch.tensor(words(*a))),
]

MISTAKES = {
    "15.1": {
        "double the angles": lambda *a: preferred(*a, times=1, half=1),
        "mean of degrees": lambda answers, angles: (answers * angles).sum() / answers.sum(),
        "largest answer": lambda answers, angles: angles[answers.argmax()],
        "halve": lambda *a: preferred(*a, half=1, wrap=False),
        "below 0": lambda *a: preferred(*a, wrap=False),
        "radians": lambda *a: preferred(*a, radians=True),
        "sines first": lambda *a: preferred(*a, swap=True),
    },
    "15.2": {
        "straight distance": lambda *a: template(*a, distance=torch.hypot),
        "larger of the two distances": lambda *a: template(*a, distance=lambda y, x: torch.maximum(y.abs(), x.abs())),
        "at least -1": lambda *a: template(*a, floor=-torch.inf),
        "which is the mask": lambda *a: template(*a, floor=0.0),
        "larger of two": lambda *a: template(*a, high=0.0),
        "swapped": lambda n, row, column: template(n, column, row),
        "factor 4": lambda *a: template(*a, factor=1),
        "divide the distance": lambda *a: template(*a, size=False),
    },
    "15.3": {
        "turned back": lambda *a: on_object(*a, turn="none"),
        "other axis": lambda *a: on_object(*a, turn="row"),
        "not mirrored": lambda y, x, box, mirrored: on_object(y, x, box, not mirrored),
        "1 - column": lambda y, x, box, mirrored: (
            (y - box[0]) / box[2],
            (-1 if mirrored else 1) * (x - box[1]) / box[3],
        ),
        "row comes first": swapped,
        "divide by the height": lambda *a: on_object(*a, divide=False),
        "top and left": lambda *a: on_object(*a, corner=False),
        "height and width are swapped": lambda y, x, box, mirrored: on_object(
            y, x, (*box[:2], box[3], box[2]), mirrored
        ),
        "two numbers": lambda *a: 7,
    },
    "15.4": {
        "work on a clone": cut_in_place,
        "all outputs": lambda weight, channel, inputs: cut(weight, slice(None), inputs),
        "all inputs of this output": lambda weight, channel, inputs: cut(weight, channel),
        "outputs come first": lambda weight, channel, inputs: cut(weight, inputs, channel),
        "nothing was cut": lambda weight, channel, inputs: weight.clone(),
        "kept the listed": keep,
    },
    "15.5": {
        "outputs come first": lambda *a: multiply(*a).transpose(0, 1),
        "rows and columns": lambda *a: multiply(*a).transpose(2, 3),
        "turned by 180": lambda *a: multiply(*a).flip(2, 3),
        "take the sum": lambda *a: multiply(*a) / len(a[0]),
        "twice": lambda widen, place, narrow: (narrow @ widen)[:, :, None, None] * place.sum(0),
        "leave the ReLU out": lambda widen, place, narrow: multiply(widen.relu(), place, narrow),
    },
    "15.6": {
        "leave them out": lambda *a: words(*a, above=False),
        "weakest first": lambda *a: words(*a)[::-1],
        "not by its size": lambda *a: words(*a, size=True),
        "swapped": lambda maps, row, column, n: words(maps.transpose(1, 2), row % 5, column % 4, n),
        "mean over all places": lambda maps, row, column, n: words(maps.mean((1, 2), keepdim=True), 0, 0, n),
        "those are the activations": lambda maps, row, column, n: maps[words(maps, row, column, n), row, column],
        "list of channel numbers": lambda *a: 3,
    },
}

UNKNOWN = [
    ("15.6", lambda *a: [5, 5]),
    ("15.1", lambda answers, angles: 3.0),
    ("15.5", lambda *a: torch.zeros(5, 4, 3, 3)),
]
