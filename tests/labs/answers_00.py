"""Answers to the exercises of lab 00: right ones, and each likely mistake under words of its hint."""

import numpy as np
import torch

import coursekit as ck


def softmax(logits):
    powers = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)


def to_image(array):
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


def best_labels(logits, labels, top):
    order = logits.argsort(descending=True)
    return [labels[i] for i in order[:top]]


def best_labels_with_sorted(logits, labels, top):
    return tuple(name for _, name in sorted(zip(logits.tolist(), labels, strict=True), reverse=True)[:top])


def without_normalisation(logits):
    return torch.exp(logits)


def over_the_pictures(logits):
    powers = torch.exp(logits)
    return powers / powers.sum(dim=0)


def over_the_whole_batch(logits):
    powers = torch.exp(logits)
    return powers / powers.sum()


def by_the_largest(logits):
    powers = torch.exp(logits)
    return powers / powers.max(dim=1, keepdim=True).values


def overflowing(logits):
    powers = torch.exp(logits)
    return powers / powers.sum(dim=1, keepdim=True)


def in_place(logits):
    logits -= logits.max(dim=1, keepdim=True).values
    return softmax(logits)


def upwards(logits, labels, top):
    return [labels[i] for i in logits.argsort()[:top]]


def by_size(logits, labels, top):
    return [labels[i] for i in logits.abs().topk(top).indices]


def the_wrong_ones(logits, labels, top):
    return [labels[i] for i in logits.roll(1).topk(top).indices]


RIGHT = [
    ("00.1", 150528),
    ("00.1", torch.rand(1, 3, 224, 224).numel()),
    ("00.1", np.int64(150528)),
    ("00.2", softmax),
    ("00.2", lambda logits: torch.stack([row.softmax(0) for row in logits])),
    ("00.3", to_image),
    ("00.3", lambda array: ck.load_image(array)),
    ("00.3", lambda array: torch.tensor(array.transpose(2, 0, 1)[None] / 255.0, dtype=torch.float32)),
    ("00.4", best_labels),
    ("00.4", best_labels_with_sorted),
]

MISTAKES = {
    "00.1": {
        "that is the number of pixels": 224 * 224,
        "three rows of pixels": 3 * 224,
        "those are bytes": 4 * 3 * 224 * 224,
        "not the values that each of them can have": 3 * 256 * 224 * 224,
        "what the network gives back": 1000,
        "the values differ": 7,
        "one number is asked for": (1, 3, 224, 224),
    },
    "00.2": {
        "sigmoid": torch.sigmoid,
        "divide them by their sum": without_normalisation,
        "each row should: sum over the classes": over_the_pictures,
        "sum over all pictures": over_the_whole_batch,
        "leave the log out": lambda logits: torch.log_softmax(logits, 1),
        "largest power": by_the_largest,
        "take exp of them first": lambda logits: logits / logits.sum(dim=1, keepdim=True),
        "the sign is wrong": lambda logits: softmax(-logits),
        "exp(1000) is infinite": overflowing,
        "changes the logits it was given": in_place,
        "the shape should be (3, 5), but is (5,)": lambda logits: softmax(logits)[0],
        "the values differ": lambda logits: softmax(logits / 2),
        "a number or a tensor, not str": lambda logits: "probabilities",
    },
    "00.3": {
        "the values go up to 255": lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float(),
        "divide by 255": lambda a: torch.from_numpy(a).permute(2, 0, 1)[None],
        "the channels come last": lambda a: torch.from_numpy(a)[None].float() / 255,
        "before the rows": lambda a: torch.from_numpy(a) / 255,
        "the batch dimension is missing": lambda a: torch.from_numpy(a).permute(2, 0, 1).float() / 255,
        "rows and columns are swapped": lambda a: torch.from_numpy(a).permute(2, 1, 0)[None].float() / 255,
        "not (2, 1, 0)": lambda a: torch.from_numpy(a).permute(2, 1, 0).float() / 255,
        "reshape mixes colours and places": lambda a: torch.from_numpy(a).reshape(1, 3, *a.shape[:2]).float() / 255,
        "red and blue are swapped": lambda a: to_image(a[..., ::-1].copy()),
        "not by 256": lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float() / 256,
        "darkest value 0 and its brightest 1": lambda a: (to_image(a) - a.min() / 255) / ((a.max() - a.min()) / 255.0),
        "brightest value 1; a dark picture stays dark": lambda a: to_image(a) * 255 / a.max(),
        "the values go from -1 to 1": lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float() / 127.5 - 1,
        "cut the fraction off": lambda a: torch.from_numpy(a).permute(2, 0, 1)[None] // 255,
        "torch.float64; networks take float32": lambda a: torch.from_numpy(a.transpose(2, 0, 1)[None] / 255),
        "a tensor, not ndarray": lambda a: a.transpose(2, 0, 1)[None] / 255,
        "the shape should be (1, 3, 4, 6)": lambda a: to_image(a)[..., 1:],
        "the values differ": lambda a: to_image(a).flip(3),
    },
    "00.4": {
        "the least probable names": upwards,
        "the right names in the wrong order": lambda logits, labels, top: [labels[i] for i in logits.argsort()[-top:]],
        "a strong no, not a strong yes": by_size,
        "the first names of the list": lambda logits, labels, top: labels[:top],
        "not the most probable names": the_wrong_ones,
        "these are not names": lambda logits, labels, top: logits.topk(top).indices,
        "look each class up": lambda logits, labels, top: logits.topk(top).indices.tolist(),
        "return the names alone": lambda logits, labels, top: [(labels[i], 0.5) for i in logits.topk(top).indices],
        "returns 6 names; use `top`": lambda logits, labels, top: best_labels(logits, labels, len(labels)),
        "right for three names": lambda logits, labels, top: best_labels(logits, labels, 3),
        "but not for `top`": lambda logits, labels, top: ["dog", "bee", "eel"],
        "a list of names, not str": lambda logits, labels, top: labels[logits.argmax()],
        "a list of names, not set": lambda logits, labels, top: {*best_labels(logits, labels, top)},
    },
}
