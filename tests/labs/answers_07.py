"""Answers to the exercises of lab 07: right ones, and each likely mistake under words of its hint."""

import torch


def climb(score, x, steps, rate, *, way=1, by=lambda g: g.abs().mean(), forget=True, clip="after", more=0):
    x = x.clone().requires_grad_()
    for _ in range(steps + more):
        if forget:
            x.grad = None
        score(x.clamp(0, 1) if clip == "inside" else x).backward()
        with torch.no_grad():
            x += way * rate * x.grad / by(x.grad)
            if clip == "after":
                x.clamp_(0, 1)
    return x.detach().clamp(0, 1) if clip == "end" else x.detach()


def model(f, x, c, weight, *, sign=-1, grey=0.5, reduce=lambda d: d.pow(2).flatten(1).sum(1), read=lambda z: z):
    return read(f(x))[:, c] + sign * weight * reduce(x - grey)


def clipped(x, g, part, *, value=lambda d, g: (d * g).sum(1, keepdim=True).abs(), grey=0.5, to=0.5):
    v = value(x - grey, g)
    keep = v > torch.quantile(v, part)
    return x * keep + to * ~keep


def waves(z, size, decay, *, low=True, norm="ortho", way=-1, join=torch.hypot, unit=1.0):
    f = unit * join(torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None])
    f = f.clamp(min=unit / size) if low else f
    return torch.fft.irfft2(z * f ** (way * decay), s=(size, size), norm=norm)


RIGHT = [("07.1", climb), ("07.2", model), ("07.3", clipped), ("07.4", waves)]

MISTAKES = {
    "07.1": {
        "goes down": lambda *a: climb(*a, way=-1),
        "add up": lambda *a: climb(*a, forget=False),
        "clip inside": lambda *a: climb(*a, clip="inside"),
        "leave [0, 1]": lambda *a: climb(*a, clip="never"),
        "once at the end": lambda *a: climb(*a, clip="end"),
        "largest": lambda *a: climb(*a, by=lambda g: g.abs().max()),
        "signs cancel": lambda *a: climb(*a, by=lambda g: g.mean()),
        "length": lambda *a: climb(*a, by=lambda g: g.norm()),
        "divide the gradient": lambda *a: climb(*a, by=lambda g: 1),
        "too few": lambda *a: climb(*a, more=-1),
        "too many": lambda *a: climb(*a, more=1),
        "did not change": lambda score, x, steps, rate: x,
    },
    "07.2": {
        "wrong sign": lambda *a: model(*a, sign=1),
        "minimiser": lambda *a: -model(*a),
        "from grey": lambda *a: model(*a, grey=0),
        "mean over the pixels": lambda *a: model(*a, reduce=lambda d: d.pow(2).flatten(1).mean(1)),
        "its square": lambda *a: model(*a, reduce=lambda d: d.flatten(1).norm(dim=1)),
        "λ is missing": lambda f, x, c, w: model(f, x, c, 1),
        "penalty is missing": lambda f, x, c, w: f(x)[:, c],
        "took the probability": lambda *a: model(*a, read=lambda z: z.softmax(1)),
        "logarithm": lambda *a: model(*a, read=lambda z: z.log_softmax(1)),
        "not their sum": lambda *a: model(*a).sum(),
        "over the batch": lambda *a: model(*a, reduce=lambda d: d.pow(2).sum()),
    },
    "07.3": {
        "black": lambda *a: clipped(*a, to=0.0),
        "contribute most": lambda x, g, part: clipped(
            x, g, part, value=lambda d, g: -(d * g).sum(1, keepdim=True).abs()
        ),
        "small norm": lambda *a: clipped(*a, value=lambda d, g: d.norm(dim=1, keepdim=True)),
        "single values": lambda *a: clipped(*a, value=lambda d, g: (d * g).abs()),
        "first, then": lambda *a: clipped(*a, value=lambda d, g: (d * g).abs().sum(1, keepdim=True)),
        "speaks against": lambda *a: clipped(*a, value=lambda d, g: (d * g).sum(1, keepdim=True)),
        "from grey": lambda *a: clipped(*a, grey=0),
        "alone": lambda *a: clipped(*a, value=lambda d, g: g.sum(1, keepdim=True).abs()),
    },
    "07.4": {
        "same weight": lambda *a: waves(*a, way=0),
        "multiplied": lambda *a: waves(*a, way=1),
        "exponent": lambda z, size, decay: waves(z, size, 1),
        "not their sum": lambda *a: waves(*a, join=lambda a, b: (a + b).abs()),
        "ortho": lambda *a: waves(*a, norm="backward"),
        "cycles a pixel": lambda z, size, decay: waves(z, size, decay, unit=size),
        "divided by zero": lambda *a: waves(*a, low=False),
    },
}

UNKNOWN = [
    ("07.1", lambda score, x, steps, rate: x + 0.5),
    ("07.2", lambda f, x, c, w: f(x)[:, 0]),
    ("07.3", lambda x, g, part: x),
    ("07.4", lambda z, size, decay: z.real),
]
