"""Lab 08's checks: the right answers pass, and each known mistake gets its own hint."""

import pytest
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


RIGHT = {
    "08.1": step,
    "08.2": lambda x, start, e: (start + (x - start).clamp(-e, e)).clamp(0, 1),
    "08.3": lambda w, e: e * w.abs().sum(),
    "08.4": lambda *a: mean(views(*a)),
}

WRONG = [
    ("08.1", lambda *a: step(*a, way=1), "subtract the sign"),
    ("08.1", lambda *a: step(*a, clip=False), "clip them at the end"),
    ("08.1", lambda *a: step(*a, way=1, clip=False), "and the loss grows"),
    ("08.1", lambda *a: step(*a, change=lambda g: g), "take its sign"),
    ("08.1", lambda *a: step(*a, change=lambda g: g / g.norm()), "divided by the length"),
    ("08.1", lambda *a: step(*a, way=1, score=lambda y, c: y[0, c]), "climbed the logit"),
    ("08.2", lambda x, start, e: start + (x - start).clamp(-e, e), "[0, 1]"),
    ("08.2", lambda x, start, e: x.clamp(0, 1), "too far from the start"),
    ("08.2", lambda x, start, e: (start + (x - start) * e / (x - start).abs().max()).clamp(0, 1), "scaled"),
    ("08.2", lambda x, start, e: (start + e * (x - start).sign()).clamp(0, 1), "border of the box"),
    ("08.2", lambda x, start, e: (x - start).clamp(-e, e), "add the start"),
    ("08.3", lambda w, e: e * w.norm(), "ball"),
    ("08.3", lambda w, e: e * w.sum(), "take |w|"),
    ("08.3", lambda w, e: e * w.abs().mean(), "mean"),
    ("08.3", lambda w, e: e * w.abs().max(), "one value alone"),
    ("08.3", lambda w, e: w.abs().sum(), "ε is missing"),
    ("08.3", lambda w, e: 2 * e * w.abs().sum(), "whole range"),
    ("08.4", lambda m, x, s: (m(x) + m(x.flip(3)) + m(x.roll(s, 3))) / 3, "these are logits"),
    ("08.4", lambda m, x, s: ((m(x) + m(x.flip(3)) + m(x.roll(s, 3))) / 3).softmax(1), "other way round"),
    ("08.4", lambda *a: sum(views(*a)), "divide by the number"),
    ("08.4", lambda *a: mean(views(*a, pick=(1, 2))), "are a view"),
    ("08.4", lambda *a: mean(views(*a, pick=(0, 1))), "rolled view is missing"),
    ("08.4", lambda *a: mean(views(*a, mirror=2)), "flipped rows"),
    ("08.4", lambda *a: mean(views(*a, along=2)), "rolled rows"),
    ("08.4", lambda *a: mean(views(*a, way=-1)), "to the left"),
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_answers_pass(said, number):
    assert said(number, RIGHT[number]) == f"✓ {number} right."


@pytest.mark.parametrize(("number", "answer", "hint"), WRONG)
def test_each_mistake_gets_its_own_hint(said, number, answer, hint):
    message = said(number, answer)
    assert message.startswith("✗") and hint in message
