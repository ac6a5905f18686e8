"""Answers to the exercises of lab 01: right ones, and each likely mistake under words of its hint."""

import torch


def similarity(w, *, sign=False, length=True, self_too=False, pool=lambda c: c.amax(1)):
    flat = w.flatten(1)
    unit = flat / flat.norm(dim=1, keepdim=True) if length else flat
    cosine = unit @ unit.T
    cosine = cosine if sign else cosine.abs()
    return pool(cosine if self_too else cosine.fill_diagonal_(-2 if sign else 0))


def activation(x, w, b, s, i, j, *, step=None, bias=True, relu=True, flip=False, swap=False):
    i, j = (j, i) if swap else (i, j)
    step, k = step or s, w.shape[-1]
    patch = x[:, i * step : i * step + k, j * step : j * step + k]
    value = ((w.flip(1, 2) if flip else w) * patch).sum() + (b if bias else 0)
    return value.clamp(min=0) if relu else value


def inputs(w):
    return w.flatten(2).norm(dim=2)


def likeness(moments):
    end = list(moments.values())[-1].flatten(1)
    return torch.stack([torch.cosine_similarity(w.flatten(1), end) for w in moments.values()])


def settled(moments):
    steps, enough = list(moments), likeness(moments) >= 0.9
    return [next(s for i, s in enumerate(steps) if enough[i:, k].all()) for k in range(enough.shape[1])]


def first_time(moments):
    steps, enough = list(moments), likeness(moments) >= 0.9
    return [next(s for i, s in enumerate(steps) if enough[i, k]) for k in range(enough.shape[1])]


def zeros(maps):
    return (maps == 0).float()


RIGHT = [
    ("01.1", 9472),
    ("01.2", similarity),
    ("01.3", lambda maps: zeros(maps).mean((1, 2, 3))),
    ("01.4", activation),
    ("01.5", lambda w: inputs(w).argmax(1)),
    ("01.5", lambda w: (w.double() ** 2).sum((2, 3)).argmax(1).numpy()),
    ("01.5", lambda w: inputs(w).argmax(1).tolist()),
    ("01.5", lambda w: inputs(w).argmax(1)[None]),
    ("01.6", settled),
    ("01.6", lambda moments: [settled(moments)]),
    ("01.6", lambda moments: torch.tensor(settled(moments)).double()),
]

MISTAKES = {
    "01.1": {
        "bias": 9408,
        "three colours, and a bias": 3136,
        "not for one": 3200,
        "bias of its own": 9409,
        "one bias, not": 9600,
        "there are 64": 148,
        "go through the formula": 12,
    },
    "01.2": {
        "diagonal": lambda w: similarity(w, self_too=True),
        "sign is kept": lambda w: similarity(w, sign=True),
        "lengths": lambda w: similarity(w, length=False),
        "mean over the others": lambda w: similarity(w, pool=lambda c: c.sum(1) / 5),
        "one for each filter": lambda w: similarity(w, pool=lambda c: c.max()),
    },
    "01.3": {
        "above zero": lambda maps: (maps > 0).float().mean((1, 2, 3)),
        "over the images too": lambda maps: zeros(maps).mean(),
        "divide by the number": lambda maps: zeros(maps).sum((1, 2, 3)),
        "mean activation": lambda maps: maps.mean((1, 2, 3)),
        "over the channels as well": lambda maps: zeros(maps).mean((2, 3)),
    },
    "01.4": {
        "ReLU is missing": lambda *a: activation(*a, relu=False),
        "bias is missing": lambda *a: activation(*a, bias=False),
        "stride is missing": lambda *a: activation(*a, step=1),
        "flipped": lambda *a: activation(*a, flip=True),
        "swapped": lambda *a: activation(*a, swap=True),
        "one number": lambda x, w, b, s, i, j: torch.zeros(2),
    },
    "01.5": {
        "argmax": lambda w: inputs(w).amax(1),
        "cancel in a sum": lambda w: w.sum((2, 3)).argmax(1),
        "single largest weight": lambda w: w.flatten(2).amax(2).argmax(1),
        "uses each input most": lambda w: inputs(w).argmax(0),
        "one channel for the layer": lambda w: inputs(w).sum(0).argmax(),
        "norm of each filter": lambda w: w.flatten(1).norm(dim=1),
    },
    "01.6": {
        "it must stay so": first_time,
        "place in the list": lambda moments: [list(moments).index(step) for step in settled(moments)],
        "one step for each": lambda moments: max(settled(moments)),
        "these are cosines": lambda moments: likeness(moments).amax(0),
    },
}
