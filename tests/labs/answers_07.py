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


def objectives(
    a,
    k,
    *,
    half=0.5,
    layer=lambda a, k: a.square().flatten(1).mean(1),
    channel=torch.mean,
    place=lambda m: m[:, m.shape[1] // 2, m.shape[2] // 2],
):
    return torch.stack([place(a[:, k]), channel(a[:, k].flatten(1), dim=1), half * layer(a, k)])


def differing(a, *, sign=-1, own=False, divide=None, unit=True, gram=lambda m: m @ m.transpose(1, 2)):
    g = gram(a.flatten(2)).flatten(1)
    g = g / g.norm(dim=1, keepdim=True) if unit else g
    products = g @ g.T
    products = products if own else products - torch.diag(products.diagonal())
    return sign * products.sum(1) / (divide or len(a) - 1)


def start(images, points, centre, k, *, largest=False, average=lambda x: x.mean(0)):
    near = torch.cdist(points, centre[None])[:, 0].topk(k, largest=largest).indices
    return average(images[near])


def phases(r, phi, size, *, dims=(2, 3), centred=True, scaled=True, real=torch.cos, imaginary=torch.sin):
    x = torch.fft.irfft2(torch.complex(r * real(phi), r * imaginary(phi)), s=(size, size))
    spread = x.std(dims, keepdim=True) if scaled else 1
    return (x - x.mean(dims, keepdim=True) if centred else x) / spread


def bounded(z, codes, *, low=0.0, high=lambda c: c.mean(0) + 3 * c.std(0)):
    return torch.minimum(z, high(codes)).clamp(min=low)


RIGHT = [
    ("07.1", climb),
    ("07.2", model),
    ("07.3", clipped),
    ("07.4", waves),
    ("07.5", objectives),
    ("07.6", differing),
    ("07.7", start),
    ("07.8", phases),
    ("07.9", bounded),
]

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
    "07.5": {
        "factor": lambda *a: objectives(*a, half=1),
        "mean, not a sum": lambda *a: objectives(*a, layer=lambda a, k: a.square().flatten(1).sum(1)),
        "all channels": lambda *a: objectives(*a, layer=lambda a, k: a[:, k].square().flatten(1).mean(1)),
        "the squares": lambda *a: objectives(*a, layer=lambda a, k: a.flatten(1).mean(1)),
        "not the sum": lambda *a: objectives(*a, channel=torch.sum),
        "not the maximum": lambda *a: objectives(*a, channel=torch.amax),
        "corner": lambda *a: objectives(*a, place=lambda m: m[:, 0, 0]),
        "strongest": lambda *a: objectives(*a, place=lambda m: m.flatten(1).amax(1)),
        "a row for each": lambda *a: objectives(*a).T,
        "keep the batch": lambda *a: objectives(*a).mean(1, keepdim=True),
    },
    "07.6": {
        "should lose": lambda a: differing(a, sign=1),
        "with itself": lambda a: differing(a, own=True),
        "number of the others": lambda a: differing(a, divide=len(a)),
        "not the sum": lambda a: differing(a, divide=1),
        "length first": lambda a: differing(a, unit=False),
        "where things are": lambda a: differing(a, gram=lambda m: m),
        "each picture": lambda a: differing(a).mean(),
    },
    "07.7": {
        "farthest": lambda *a: start(*a, largest=True),
        "not from 0": lambda images, points, centre, k: start(images, points, 0 * centre, k),
        "alone": lambda images, points, centre, k: start(images, points, centre, 1),
        "all images": lambda images, points, centre, k: start(images, points, centre, len(images)),
        "average the images": lambda *a: start(*a, average=lambda x: x),
        "the first k": lambda images, points, centre, k: images[:k].mean(0),
        "not the sum": lambda *a: start(*a, average=lambda x: x.sum(0)),
    },
    "07.8": {
        "its own mean": lambda *a: phases(*a, centred=False, scaled=False),
        "standard deviation as well": lambda *a: phases(*a, scaled=False),
        "the mean as well": lambda *a: phases(*a, centred=False),
        "for the batch": lambda *a: phases(*a, dims=(0, 1, 2, 3)),
        "three planes": lambda *a: phases(*a, dims=(1, 2, 3)),
        "do not enter": lambda r, phi, size: phases(torch.ones_like(r), phi, size),
        "wrong sign": lambda r, phi, size: phases(r, -phi, size),
        "imaginary part": lambda *a: phases(*a, imaginary=torch.zeros_like),
        "sin imaginary": lambda *a: phases(*a, real=torch.sin, imaginary=torch.cos),
    },
    "07.9": {
        "nothing was bounded": lambda z, codes: z,
        "upper bound": lambda z, codes: z.clamp(min=0),
        "lower bound 0": lambda *a: bounded(*a, low=-100.0),
        "after a ReLU": lambda z, c: torch.maximum(bounded(z, c, low=-100.0), c.mean(0) - 3 * c.std(0)),
        "not one": lambda *a: bounded(*a, high=lambda c: c.mean(0) + c.std(0)),
        "mean is missing": lambda *a: bounded(*a, high=lambda c: 3 * c.std(0)),
        "of its own": lambda *a: bounded(*a, high=lambda c: c.mean() + 3 * c.std()),
        "largest value": lambda *a: bounded(*a, high=lambda c: c.amax(0)),
    },
}

UNKNOWN = [
    ("07.1", lambda score, x, steps, rate: x + 0.5),
    ("07.2", lambda f, x, c, w: f(x)[:, 0]),
    ("07.3", lambda x, g, part: x),
    ("07.4", lambda z, size, decay: z.real),
    ("07.5", lambda a, k: a[:3, k, 0]),
    ("07.6", lambda a: a.flatten(1).mean(1)),
    ("07.7", lambda images, points, centre, k: images[0]),
    ("07.8", lambda r, phi, size: phi),
    ("07.9", lambda z, codes: 0 * z),
]
