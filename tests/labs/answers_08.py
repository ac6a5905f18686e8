"""Answers to the exercises of lab 08: right ones, and each likely mistake under words of its hint."""

import torch
import torch.nn.functional as F


def step(model, image, target, epsilon, *, way=-1, change=torch.sign, clip=True, score=None):
    image = image.clone().requires_grad_()
    value = F.cross_entropy(model(image), torch.tensor([target])) if score is None else score(model(image), target)
    (g,) = torch.autograd.grad(value, image)
    x = image.detach() + way * epsilon * change(g)
    return x.clamp(0, 1) if clip else x


def views(model, images, shift=8, *, pick=(0, 1, 2), mirror=3, along=3, way=1):
    made = [images, images.flip(mirror), images.roll(way * shift, along)]
    return [model(made[i]).softmax(1) for i in pick]


def mean(probabilities):
    return sum(probabilities) / len(probabilities)


def generation(pool, scores, change, noise, *, down=True, cut=True, where=None):
    parents = pool[scores.argsort(descending=down)[: len(pool) // 2]]
    children = torch.where(change, parents + noise, parents) if where is None else where(change, parents, noise)
    return torch.cat([parents, children.clamp(0, 1) if cut else children])


def border(lead, g):
    return -lead * g / g.pow(2).sum()


RIGHT = [
    ("08.1", step),
    ("08.2", lambda x, start, e: (start + (x - start).clamp(-e, e)).clamp(0, 1)),
    ("08.3", lambda w, e: e * w.abs().sum()),
    ("08.4", lambda *a: mean(views(*a))),
    ("08.5", generation),
    ("08.6", border),
]

MISTAKES = {
    "08.1": {
        "subtract the sign": lambda *a: step(*a, way=1),
        "clip them at the end": lambda *a: step(*a, clip=False),
        "and the loss grows": lambda *a: step(*a, way=1, clip=False),
        "take its sign": lambda *a: step(*a, change=lambda g: g),
        "divided by the length": lambda *a: step(*a, change=lambda g: g / g.norm()),
        "climbed the logit": lambda *a: step(*a, way=1, score=lambda y, c: y[0, c]),
    },
    "08.2": {
        "[0, 1]": lambda x, start, e: start + (x - start).clamp(-e, e),
        "too far from the start": lambda x, start, e: x.clamp(0, 1),
        "scaled": lambda x, start, e: (start + (x - start) * e / (x - start).abs().max()).clamp(0, 1),
        "border of the box": lambda x, start, e: (start + e * (x - start).sign()).clamp(0, 1),
        "add the start": lambda x, start, e: (x - start).clamp(-e, e),
    },
    "08.3": {
        "ball": lambda w, e: e * w.norm(),
        "take |w|": lambda w, e: e * w.sum(),
        "mean": lambda w, e: e * w.abs().mean(),
        "one value alone": lambda w, e: e * w.abs().max(),
        "ε is missing": lambda w, e: w.abs().sum(),
        "whole range": lambda w, e: 2 * e * w.abs().sum(),
    },
    "08.4": {
        "these are logits": lambda m, x, s: (m(x) + m(x.flip(3)) + m(x.roll(s, 3))) / 3,
        "other way round": lambda m, x, s: ((m(x) + m(x.flip(3)) + m(x.roll(s, 3))) / 3).softmax(1),
        "divide by the number": lambda *a: sum(views(*a)),
        "are a view": lambda *a: mean(views(*a, pick=(1, 2))),
        "rolled view is missing": lambda *a: mean(views(*a, pick=(0, 1))),
        "flipped rows": lambda *a: mean(views(*a, mirror=2)),
        "rolled rows": lambda *a: mean(views(*a, along=2)),
        "to the left": lambda *a: mean(views(*a, way=-1)),
    },
    "08.5": {
        "leave [0, 1]": lambda *a: generation(*a, cut=False),
        "worse half": lambda *a: generation(*a, down=False),
        "elsewhere": lambda *a: generation(*a, where=lambda c, p, z: torch.where(c, p, p + z)),
        "not the noise alone": lambda *a: generation(*a, where=lambda c, p, z: torch.where(c, z, p)),
        "may change": lambda *a: generation(*a, where=lambda c, p, z: p + z),
        "mere copies": lambda *a: generation(*a, where=lambda c, p, z: p),
        "parents first": lambda *a: generation(*a).view(2, -1, a[0].shape[1]).flip(0).flatten(0, 1),
        "children alone": lambda *a: generation(*a)[len(a[0]) // 2 :],
        "kept the first half": lambda p, s, c, z: generation(p, -torch.arange(len(p)).float(), c, z),
    },
    "08.6": {
        "go against": lambda lead, g: -border(lead, g),
        "square of the length": lambda lead, g: -lead * g / g.norm(),
        "sum of its squares": lambda lead, g: -lead * g,
        "along the gradient itself": lambda lead, g: -lead * g.sign() / g.abs().sum(),
        "grow with the lead": lambda lead, g: -g / g.pow(2).sum(),
        "direction of g": lambda lead, g: -lead / g.norm() * torch.ones_like(g),
    },
}
