"""Answers to the exercises of lab 11: right ones, and each likely mistake under words of its hint."""

import torch

import coursekit as ck

Y = (0.299, 0.587, 0.114)


def gram(a, *, by=lambda a: a.shape[2] * a.shape[3], centre=False):
    flat = a.flatten(2)
    if centre:
        flat = flat - flat.mean(2, keepdim=True)
    return flat @ flat.transpose(1, 2) / by(a)


def distance(model, image, style, layers, *, ratio=None, pool=lambda d: sum(d) / len(d)):
    ratio = ratio or (lambda g, goal: (g - goal).pow(2).sum() / goal.pow(2).sum())
    grams = []
    for x in (image, style):
        with ck.capture(model, layers) as acts, torch.no_grad():
            model(x)
        grams.append([ck.objectives.gram(acts[k]) for k in layers])
    return pool([ratio(g, goal) for g, goal in zip(*grams, strict=True)])


def variation(x, *, cut=True, down=True, right=True, f=torch.square, end=lambda v: v.flatten(1).sum(1)):
    v, h = x.diff(dim=2), x.diff(dim=3)
    v, h = (v[..., :-1], h[:, :, :-1]) if cut else (v, h)
    return sum(end(f(part)) for part, wanted in ((v, down), (h, right)) if wanted)


def looped(x):
    total = torch.zeros(len(x))
    for i in range(x.shape[2] - 1):
        for j in range(x.shape[3] - 1):
            total += (x[:, :, i + 1, j] - x[:, :, i, j]).pow(2).sum(1) + (x[:, :, i, j + 1] - x[:, :, i, j]).pow(2).sum(
                1
            )
    return total


def paint(loss, start, steps, *, clamp="after", max_iter=5, copy=True, values="steps"):
    x = start.clone() if copy else start
    x.requires_grad_()
    optimizer, losses = torch.optim.LBFGS([x], max_iter=max_iter), []

    def closure():
        if clamp == "inside":
            x.data.clamp_(0, 1)
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        if values == "all":
            losses.append(value.item())
        return value

    for _ in range(steps):
        first = optimizer.step(closure).item()
        if clamp == "after":
            x.data.clamp_(0, 1)
        if values != "all":
            losses.append(first if values == "steps" else loss(x).item())
    return x.detach().clamp(0, 1) if clamp == "end" else x.detach(), losses


def colours(painted, photo, *, share=Y, clip=True, take=True):
    share = torch.tensor(share).view(1, 3, 1, 1)
    grey = (painted * share).sum(1, keepdim=True)
    made = grey + photo - take * (photo * share).sum(1, keepdim=True)
    return made.clamp(0, 1) if clip else made


def regions(a, masks, *, by=lambda a, masks: masks.sum((1, 2))[:, None, None]):
    return torch.einsum("rhw,chw,dhw->rcd", masks, a, a) / by(a, masks)


def numbers(channels, components, *, kept=min, count=lambda k: k * (k + 1) // 2, end=sum):
    return end([count(kept(c, components)) for c in channels])


def bias(logits, shape, texture, *, end=lambda s, t, n: s / (s + t)):
    chosen = logits.argmax(1)
    s, t = ((chosen == wanted).sum().item() for wanted in (shape, texture))
    return end(s, t, len(logits))


def two_way(logits, shape, texture):
    at = range(len(logits))
    return (logits[at, shape] > logits[at, texture]).float().mean()


RIGHT = [
    ("11.1", gram),
    ("11.2", distance),
    ("11.3", variation),
    ("11.3", looped),
    ("11.4", paint),
    ("11.5", colours),
    ("11.6", regions),
    ("11.7", numbers),
    ("11.8", bias),
]

MISTAKES = {
    "11.1": {
        "(N, C, H, H)": lambda a: a @ a.transpose(2, 3) / (a.shape[2] * a.shape[3]),
        "(N, C, W, W)": lambda a: a.transpose(2, 3) @ a,
        "HW × HW": lambda a: a.flatten(2).transpose(1, 2) @ a.flatten(2),
        "larger pictures": lambda a: gram(a, by=lambda a: 1),
        "not by C as well": lambda a: gram(a, by=lambda a: a[0].numel()),
        "divided by C": lambda a: gram(a, by=lambda a: a.shape[1]),
        "H W - 1": lambda a: gram(a, by=lambda a: a[0, 0].numel() - 1),
        "covariance": lambda a: gram(a, centre=True),
        "added up the batch": lambda a: gram(a).sum(0),
        "averaged over the batch": lambda a: gram(a).mean(0),
        "first image": lambda a: gram(a)[0],
        "in this order": lambda a: gram(a.reshape(len(a), -1, a.shape[1]).transpose(1, 2).unsqueeze(3)),
    },
    "11.2": {
        "added up the layers": lambda *a: distance(*a, pool=sum),
        "last layer": lambda *a: distance(*a, pool=lambda d: d[-1]),
        "first layer": lambda *a: distance(*a, pool=lambda d: d[0]),
        "Gram matrix of the style": lambda *a: distance(*a, ratio=lambda g, s: (g - s).pow(2).sum() / g.pow(2).sum()),
        "denominator": lambda *a: distance(*a, ratio=lambda g, s: (g - s).pow(2).sum()),
        "number of entries": lambda *a: distance(*a, ratio=lambda g, s: (g - s).pow(2).mean()),
        "squares are missing": lambda *a: distance(*a, ratio=lambda g, s: (g - s).norm() / s.norm()),
        "absolute": lambda *a: distance(*a, ratio=lambda g, s: (g - s).abs().sum() / s.abs().sum()),
        "sign": lambda *a: -distance(*a),
    },
    "11.3": {
        "last row and the last column": lambda x: variation(x, cut=False),
        "roll": lambda x: ((x.roll(-1, 2) - x) ** 2 + (x.roll(-1, 3) - x) ** 2).flatten(1).sum(1),
        "differences down": lambda x: variation(x, right=False),
        "to the right": lambda x: variation(x, down=False),
        "absolute": lambda x: variation(x, f=torch.abs),
        "square each": lambda x: (x.diff(dim=2)[..., :-1] + x.diff(dim=3)[:, :, :-1]).pow(2).flatten(1).sum(1),
        "added up the batch": lambda x: variation(x).sum(),
        "divided by H W": lambda x: variation(x) / (x.shape[2] * x.shape[3]),
        "took a mean": lambda x: variation(x, end=lambda v: v.flatten(1).mean(1)),
        "over the channels": lambda x: variation(x, end=lambda v: v.flatten(2).sum(2)),
    },
    "11.4": {
        "stands in the closure": lambda *a: paint(*a, clamp="inside"),
        "once at the end": lambda *a: paint(*a, clamp="end"),
        "brings the values back": lambda *a: paint(*a, clamp="never"),
        "too many": lambda f, x, n: paint(f, x, n + 1),
        "too few": lambda f, x, n: paint(f, x, n - 1),
        "max_iter=5": lambda *a: paint(*a, max_iter=20),
        "nothing has moved": lambda f, x, n: (x, []),
        "two things": lambda *a: paint(*a)[0],
        "all evaluations": lambda *a: paint(*a, values="all"),
        "after each step; step(closure)": lambda *a: paint(*a, values="after"),
        "on a copy": lambda *a: paint(*a, copy=False),
    },
    "11.5": {
        "swapped": lambda painted, photo: colours(photo, painted),
        "leave [0, 1]": lambda *a: colours(*a, clip=False),
        "plain mean": lambda *a: colours(*a, share=(1 / 3, 1 / 3, 1 / 3)),
        "wrong order": lambda *a: colours(*a, share=Y[::-1]),
        "away before": lambda *a: colours(*a, take=False),
        "grey": lambda painted, photo: colours(painted, torch.zeros_like(photo)),
    },
    "11.6": {
        "divided by H W": lambda a, m: regions(a, m, by=lambda a, m: a[0].numel()),
        "divide by the size of the region.": lambda a, m: regions(a, m, by=lambda a, m: 1),
        "not by C": lambda a, m: regions(a, m) / len(a),
        "one Gram matrix": lambda a, m: gram(a[None])[0],
        "of another one": lambda a, m: regions(a, m, by=lambda a, m: m.sum((1, 2)).flip(0)[:, None, None]),
    },
    "11.7": {
        "all channels": lambda *a: numbers(*a, kept=lambda c, k: c),
        "C components at most": lambda *a: numbers(*a, kept=lambda c, k: k),
        "symmetric": lambda *a: numbers(*a, count=lambda k: k * k),
        "diagonal": lambda *a: numbers(*a, count=lambda k: k * (k - 1) // 2),
        "count the pairs": lambda *a: numbers(*a, count=lambda k: k),
        "mean over the layers": lambda *a: numbers(*a, end=lambda v: sum(v) / len(v)),
        "only the last": lambda *a: numbers(*a, end=lambda v: v[-1]),
        "only the first": lambda *a: numbers(*a, end=lambda v: v[0]),
        "in common": lambda c, k: (lambda n: n * (n + 1) / 2)(sum(min(x, k) for x in c)),
    },
    "11.8": {
        "do not count": lambda *a: bias(*a, end=lambda s, t, n: s / n),
        "share of the texture": lambda *a: bias(*a, end=lambda s, t, n: t / (s + t)),
        "this is a count": lambda *a: bias(*a, end=lambda s, t, n: s),
        "texture alone": lambda *a: bias(*a, end=lambda s, t, n: s / t),
        "all decisions": lambda *a: bias(*a, end=lambda s, t, n: s + t),
        "all decisions; which": lambda *a: bias(*a, end=lambda s, t, n: (s + t) / n),
        "compared the two": two_way,
        "per cent": lambda *a: bias(*a, end=lambda s, t, n: 100 * s / (s + t)),
    },
}
UNKNOWN = [("11.1", lambda a: gram(a) + 1), ("11.6", lambda a, m: regions(a, m)[:1])]
