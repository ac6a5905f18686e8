"""Answers to the exercises of lab 14: right ones, and each likely mistake under words of its hint."""

import torch
from skimage.metrics import structural_similarity as ssim
from torch.nn.functional import conv_transpose2d


def ranks(values):
    return values.flatten().argsort().argsort().float()


def pearson(a, b):
    return torch.corrcoef(torch.stack([a.flatten().float(), b.flatten().float()]))[0, 1]


def spearman(a, b, absolute, *, rank=ranks):
    if absolute:
        a, b = a.abs(), b.abs()
    return pearson(rank(a), rank(b))


def cascade(trained, fresh, k, *, more=0):
    keep = len(trained) - k - more
    return trained[:keep] + fresh[keep:]


def write_into(trained, fresh, k):
    for old, new in zip(trained[-k:], fresh[-k:], strict=True):
        old.copy_(new)
    return trained


def alone(trained, fresh, k):
    made = list(trained)
    made[-k] = fresh[-k]
    return made


def stays(trained, stages, explain, similarity, image, *, own=False, first=False, chain=False, low=False):
    target = int(trained(image).argmin() if low else trained(image).argmax())
    reference = explain(trained, image, target)
    values = [1.0] if first else []
    for stage in stages:
        found = explain(stage, image, None if own else target)
        values.append(similarity(reference, found))
        reference = found if chain else reference
    return values


def alike(a, b, *, scales=None, size=1.0):
    first, second = scales or (a.max(), b.max())
    return ssim((a / first).numpy(), (b / second).numpy(), data_range=size)


def spread(kernel, u, *, gate=lambda u: (u > 0).float(), turned=False, added=False):
    found = conv_transpose2d(gate(u), kernel.flip(2, 3) if turned else kernel)
    return found.sum(1, keepdim=True) if added else found


def gain(ours, edges, objects, *, last=torch.mean, each=torch.mean):
    names = list(dict.fromkeys(objects))
    differences = ours - edges
    own = [torch.stack([d for d, o in zip(differences, objects, strict=True) if o == name]) for name in names]
    return last(torch.stack([each(values) for values in own]))


RIGHT = [
    ("14.1", spearman),
    ("14.2", cascade),
    ("14.3", stays),
    ("14.4", 0.325),
    ("14.5", alike),
    ("14.6", spread),
    ("14.7", gain),
]

MISTAKES = {
    "14.1": {
        "correlates the values": lambda *a: spearman(*a, rank=lambda values: values),
        "argsort of the argsort": lambda *a: spearman(*a, rank=lambda values: values.flatten().argsort()),
        "although absolute is False": lambda a, b, absolute: spearman(a, b, True),
        "added up the channels": lambda a, b, absolute: spearman(a.sum(1), b.sum(1), absolute),
        "absolute makes no difference": lambda a, b, absolute: spearman(a, b, False),
        "magnitude of ρ": lambda a, b, absolute: abs(spearman(a, b, False)) if absolute else spearman(a, b, False),
    },
    "14.2": {
        "began at the input": lambda trained, fresh, k: fresh[:k] + trained[k:],
        "one layer anew": alone,
        "nothing is drawn": lambda trained, fresh, k: list(trained),
        "all layers": lambda trained, fresh, k: list(fresh),
        "too many": lambda *a: cascade(*a, more=1),
        "too few": lambda *a: cascade(*a, more=-1),
        "not those of another": lambda trained, fresh, k: trained[:-k] + fresh[:k],
        "wrote into": write_into,
        "list of five": lambda trained, fresh, k: 7,
    },
    "14.3": {
        "sees itself": lambda *a: stays(*a, own=True),
        "leave it out": lambda *a: stays(*a, first=True),
        "stage before": lambda *a: stays(*a, chain=True),
        "wrong class": lambda *a: stays(*a, low=True),
        "for each stage is asked for, no mean.": lambda *a: [sum(stays(*a)) / 2],
        "no 1 of the trained": lambda *a: [sum(stays(*a, first=True)) / 3],
        "a list with one number": lambda *a: "high",
    },
    "14.4": {
        "mean with the original": 0.4,
        "still divide by nine": 0.4 - 1 / 9,
        "9 · 0.4": (0.4 * 8 - 1) / 8,
        "divide by the number": 2.6,
        "still in the sum": 0.45,
    },
    "14.5": {
        "0.01 is not a picture": lambda a, b: alike(a, b, scales=(1, 1)),
        "its own scale": lambda a, b: alike(a, b, scales=(max(a.max(), b.max()),) * 2),
        "range of [−1, 1]": lambda a, b: alike(a, b, size=2.0),
        "255": lambda a, b: alike(a, b, size=255.0),
        "small maps look alike": lambda a, b: alike(a, b, scales=(1, 1), size=2.0),
    },
    "14.6": {
        "what the filter answered": lambda k, u: spread(k, u, gate=lambda u: u),
        "is the value": lambda k, u: spread(k, u, gate=torch.relu),
        "all gates are open": lambda k, u: spread(k, u, gate=torch.ones_like),
        "open where u is negative": lambda k, u: spread(k, u, gate=lambda u: (u < 0).float()),
        "at u = 0": lambda k, u: spread(k, u, gate=lambda u: (u >= 0).float()),
        "not −1": lambda k, u: spread(k, u, gate=torch.sign),
        "turned the filter": lambda k, u: spread(k, u, turned=True),
        "added up the colours": lambda k, u: spread(k, u, added=True),
    },
    "14.7": {
        "mean over scenes": lambda ours, edges, objects: (ours - edges).mean(),
        "better the edges are": lambda ours, edges, objects: gain(edges, ours, objects),
        "own mean": lambda ours, edges, objects: gain(ours, 0 * edges, objects),
        "count four times": lambda *a: gain(*a, each=torch.sum),
        "not the sum": lambda *a: gain(*a, last=torch.sum),
    },
}
