"""Lab 01's checks: the right answers pass, and each known mistake gets its own hint."""

import pytest
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


def zeros(maps):
    return (maps == 0).float()


RIGHT = {
    "01.1": 9472,
    "01.2": similarity,
    "01.3": lambda maps: zeros(maps).mean((1, 2, 3)),
    "01.4": activation,
}

WRONG = [
    ("01.1", 9408, "bias"),
    ("01.1", 3136, "three colours, and a bias"),
    ("01.1", 3200, "not for one"),
    ("01.1", 9409, "bias of its own"),
    ("01.1", 9600, "one bias, not"),
    ("01.1", 148, "there are 64"),
    ("01.1", 12, "go through the formula"),
    ("01.2", lambda w: similarity(w, self_too=True), "diagonal"),
    ("01.2", lambda w: similarity(w, sign=True), "sign is kept"),
    ("01.2", lambda w: similarity(w, length=False), "lengths"),
    ("01.2", lambda w: similarity(w, pool=lambda c: c.sum(1) / 5), "mean over the others"),
    ("01.2", lambda w: similarity(w, pool=lambda c: c.max()), "one for each filter"),
    ("01.3", lambda maps: (maps > 0).float().mean((1, 2, 3)), "above zero"),
    ("01.3", lambda maps: zeros(maps).mean(), "over the images too"),
    ("01.3", lambda maps: zeros(maps).sum((1, 2, 3)), "divide by the number"),
    ("01.3", lambda maps: maps.mean((1, 2, 3)), "mean activation"),
    ("01.3", lambda maps: zeros(maps).mean((2, 3)), "over the channels as well"),
    ("01.4", lambda *a: activation(*a, relu=False), "ReLU is missing"),
    ("01.4", lambda *a: activation(*a, bias=False), "bias is missing"),
    ("01.4", lambda *a: activation(*a, step=1), "stride is missing"),
    ("01.4", lambda *a: activation(*a, flip=True), "flipped"),
    ("01.4", lambda *a: activation(*a, swap=True), "swapped"),
    ("01.4", lambda x, w, b, s, i, j: torch.zeros(2), "one number"),
]


@pytest.mark.parametrize("number", RIGHT)
def test_the_right_answer_passes(said, number):
    assert said(number, RIGHT[number]) == f"✓ {number} right."


@pytest.mark.parametrize(("number", "answer", "hint"), WRONG)
def test_each_mistake_gets_its_hint(said, number, answer, hint):
    message = said(number, answer)
    assert message.startswith(f"✗ {number} not yet: ") and hint in message
