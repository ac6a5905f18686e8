"""Answers to the exercises of lab 10: right ones, and each likely mistake under words of its hint."""

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


def smoothed(g, blur, sigmas, *, by=lambda b: b.std()):
    scales = [blur(g, sigma) for sigma in sigmas]
    return sum([b / by(b) for b in scales])


def smoothed_again(g, blur, sigmas):
    for sigma in sigmas:
        g = blur(g, sigma)
    return g / g.std()


def guide_score(a, q):
    return (a.T @ q).amax(1).mean()


def closer(image, factor, *, cut=lambda whole, part: (whole - part) // 2, mode="bilinear"):
    height, width = image.shape[2:]
    h, w = round(height / factor), round(width / factor)
    top, left = cut(height, h), cut(width, w)
    middle = image[:, :, top : top + h, left : left + w]
    return F.interpolate(middle, size=(height, width), mode=mode)


RIGHT = [
    ("10.1", step),
    ("10.2", rolled),
    ("10.3", sizes),
    ("10.4", octaves),
    ("10.5", smoothed),
    ("10.6", guide_score),
    ("10.7", closer),
]

MISTAKES = {
    "10.1": {
        "add the step": lambda *a: step(*a, way=-1),
        "clip": lambda *a: step(*a, clip=False),
        "largest": lambda *a: step(*a, by=lambda g: g.abs().max()),
        "signs cancel": lambda *a: step(*a, by=lambda g: g.mean()),
        "length": lambda *a: step(*a, by=lambda g: g.norm()),
        "one rate serves": lambda *a: step(*a, by=lambda g: 1),
        "sign": lambda *a: step(*a, by=lambda g: g.abs()),
    },
    "10.2": {
        "way back": lambda x, f, dy, dx: f(x.roll((dy, dx), (2, 3))),
        "same direction": lambda *a: rolled(*a, back=1),
        "swapped": lambda *a: rolled(*a, swap=True),
        "rolled back first": lambda *a: rolled(*a, sign=-1),
        "not roll at all": lambda x, f, dy, dx: f(x),
    },
    "10.3": {
        "other way round": lambda *a: sizes(*a, turn=False),
        "add up": from_the_last,
        "round to the nearest": lambda *a: sizes(*a, whole=int),
        "height comes first": lambda *a: sizes(*a, swap=True),
        "own size is the last": lambda *a: sizes(*a, first=1),
        "too many": lambda *a: sizes(*a, last=1),
        "from 0 to n - 1": lambda *a: sizes(*a, first=1, last=1),
        "pairs": lambda *a: 7,
    },
    "10.4": {
        "whole dream": lambda *a: octaves(*a, whole=True),
        "not what differs": lambda *a: octaves(*a, detail=lambda made, photo: made),
        "no detail is carried": lambda *a: octaves(*a, detail=lambda made, photo: 0 * made),
        "last dream": lambda *a: octaves(*a, give="detail"),
        "wrong sign": lambda *a: octaves(*a, detail=lambda made, photo: photo - made),
        "last size only": lambda image, f, sizes: f(image),
    },
    "10.5": {
        "widest blur": lambda *a: smoothed(*a, by=lambda b: 1),
        "*own*": lambda g, blur, sigmas: smoothed(g, blur, sigmas, by=lambda b: g.std()),
        "before you add": lambda g, *a: (lambda s: s / s.std())(smoothed(g, *a, by=lambda b: 1)),
        "mean of the scales": lambda g, blur, sigmas: smoothed(g, blur, sigmas) / len(sigmas),
        "blurred already": smoothed_again,
        "largest value": lambda *a: smoothed(*a, by=lambda b: b.abs().max()),
        "mean of |b|": lambda *a: smoothed(*a, by=lambda b: b.abs().mean()),
        "variance": lambda *a: smoothed(*a, by=lambda b: b.var()),
        "last scale alone": lambda g, blur, sigmas: smoothed(g, blur, sigmas[-1:]),
    },
    "10.6": {
        "each place of the *dream*": lambda a, q: (a.T @ q).amax(0).mean(),
        "mean of all products": lambda a, q: (a.T @ q).mean(),
        "one best pair": lambda a, q: (a.T @ q).amax(),
        "sum over places": lambda a, q: (a.T @ q).amax(1).sum(),
        "cosine": lambda a, q: (F.normalize(a, dim=0).T @ F.normalize(q, dim=0)).amax(1).mean(),
        "nearest code": lambda a, q: (a * q[:, torch.cdist(a.T, q.T).argmin(1)]).sum(0).mean(),
        "smallest product": lambda a, q: (a.T @ q).amin(1).mean(),
    },
    "10.7": {
        "upper left": lambda *a: closer(*a, cut=lambda whole, part: 0),
        "lower right": lambda *a: closer(*a, cut=lambda whole, part: whole - part),
        "enlarge what you cut": lambda x, f: x[
            :,
            :,
            (x.shape[2] - round(x.shape[2] / f)) // 2 :,
            (x.shape[3] - round(x.shape[3] / f)) // 2 :,
        ][:, :, : round(x.shape[2] / f), : round(x.shape[3] / f)],
        "squares": lambda *a: closer(*a, mode="nearest"),
        "nothing has come closer": lambda image, factor: image,
    },
}
