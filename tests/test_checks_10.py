"""Lab 10's checks: the right answers pass, and each known mistake gets its own hint."""

import pytest
import torch
import torch.nn.functional as F


def step(x, g, rate, *, by=lambda g: g.abs().mean(), way=1, clip=True):
    made = x + way * rate * g / by(g)
    return made.clamp(0, 1) if clip else made


def rolled(x, f, dy, dx, *, swap=False, sign=1, back=-1):
    shift = (dx, dy) if swap else (dy, dx)
    made = f(x.roll([sign * s for s in shift], (2, 3)))
    return made.roll([back * sign * s for s in shift], (2, 3))


def sizes(h, w, n, scale, *, whole=round, first=0, last=0, turn=True, swap=False):
    made = [(whole(h / scale**k), whole(w / scale**k)) for k in range(first, n + last)]
    made = [size[::-1] for size in made] if swap else made
    return made[::-1] if turn else made


def from_the_last(h, w, n, scale):
    made = [(h, w)]
    for _ in range(n - 1):
        made.append((int(made[-1][0] / scale), int(made[-1][1] / scale)))
    return made[::-1]


def octaves(image, f, sizes, *, detail=lambda made, photo: made - photo, whole=False, give=None):
    kept = torch.zeros_like(image)
    for size in sizes:
        photo = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        larger = F.interpolate(kept, size=size, mode="bilinear", antialias=True)
        made = f(larger if whole and kept.any() else photo + (0 if whole else larger))
        kept = made if whole else detail(made, photo)
    return kept if give == "detail" else made


RIGHT = {"10.1": step, "10.2": rolled, "10.3": sizes, "10.4": octaves}

WRONG = [
    ("10.1", lambda *a: step(*a, way=-1), "add the step"),
    ("10.1", lambda *a: step(*a, clip=False), "clip"),
    ("10.1", lambda *a: step(*a, by=lambda g: g.abs().max()), "largest"),
    ("10.1", lambda *a: step(*a, by=lambda g: g.mean()), "signs cancel"),
    ("10.1", lambda *a: step(*a, by=lambda g: g.norm()), "length"),
    ("10.1", lambda *a: step(*a, by=lambda g: 1), "one rate serves"),
    ("10.1", lambda *a: step(*a, by=lambda g: g.abs()), "sign"),
    ("10.2", lambda x, f, dy, dx: f(x.roll((dy, dx), (2, 3))), "way back"),
    ("10.2", lambda *a: rolled(*a, back=1), "same direction"),
    ("10.2", lambda *a: rolled(*a, swap=True), "swapped"),
    ("10.2", lambda *a: rolled(*a, sign=-1), "rolled back first"),
    ("10.2", lambda x, f, dy, dx: f(x), "not roll at all"),
    ("10.3", lambda *a: sizes(*a, turn=False), "other way round"),
    ("10.3", from_the_last, "add up"),
    ("10.3", lambda *a: sizes(*a, whole=int), "round to the nearest"),
    ("10.3", lambda *a: sizes(*a, swap=True), "height comes first"),
    ("10.3", lambda *a: sizes(*a, first=1), "own size is the last"),
    ("10.3", lambda *a: sizes(*a, last=1), "too many"),
    ("10.3", lambda *a: sizes(*a, first=1, last=1), "from 0 to n - 1"),
    ("10.3", lambda *a: 7, "pairs"),
    ("10.4", lambda *a: octaves(*a, whole=True), "whole dream"),
    ("10.4", lambda *a: octaves(*a, detail=lambda made, photo: made), "not what differs"),
    ("10.4", lambda *a: octaves(*a, detail=lambda made, photo: 0 * made), "no detail is carried"),
    ("10.4", lambda *a: octaves(*a, give="detail"), "last dream"),
    ("10.4", lambda *a: octaves(*a, detail=lambda made, photo: photo - made), "wrong sign"),
    ("10.4", lambda image, f, sizes: f(image), "last size only"),
]


@pytest.mark.parametrize("number", RIGHT)
def test_the_right_answer_passes(said, number):
    assert said(number, RIGHT[number]) == f"✓ {number} right."


@pytest.mark.parametrize(("number", "answer", "hint"), WRONG)
def test_each_mistake_gets_its_hint(said, number, answer, hint):
    message = said(number, answer)
    assert message.startswith(f"✗ {number} not yet: ") and hint in message
