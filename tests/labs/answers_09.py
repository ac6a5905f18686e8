"""Answers to the exercises of lab 09: right ones, and each likely mistake under words of its hint."""

import torch

import coursekit as ck


def error(a, goal, *, top=lambda d: d.pow(2), down=lambda g: g.pow(2).sum(), each=lambda e: e):
    return each(top(a - goal).flatten(1).sum(1) / down(goal))


def variation(x, beta, *, v=1, h=1, power=0.5, size=None, apart=False, each=lambda e: e):
    dv, dh = x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]
    terms = [v * dv**2, h * dh**2] if apart else [v * dv**2 + h * dh**2]
    size = x.shape[2] * x.shape[3] if size is None else size
    return each(sum((t + 1e-12).pow(power * beta).flatten(1).sum(1) for t in terms) / size)


def rolled(x, beta):
    squares = (x.roll(-1, 2) - x) ** 2 + (x.roll(-1, 3) - x) ** 2
    return squares.pow(beta / 2).flatten(1).sum(1) / x[0, 0].numel()


def search(loss, start, steps, *, inside=False, after=True, last=False, zero=True, copy=True):
    x = (start.clone() if copy else start).requires_grad_()
    lbfgs = torch.optim.LBFGS([x], max_iter=5)

    def closure():
        if zero:
            x.grad = None
        if inside:
            with torch.no_grad():
                x.clamp_(0, 1)
        value = loss(x)
        value.backward()
        return value

    for _ in range(steps):
        lbfgs.step(closure)
        if after:
            with torch.no_grad():
                x.clamp_(0, 1)
    return x.detach().clamp(0, 1) if last else x.detach()


def code(model, x, layer="relu6"):
    with ck.capture(model, [layer]) as acts, torch.no_grad():
        model(x)
    return acts[layer]


def between(model, decode, first, second, t, *, layer="relu6", after=lambda c: c):
    mixed = (1 - t) * code(model, first, layer) + t * code(model, second, layer)
    return decode(after(mixed))


def mix(first, second, t):
    return (1 - t) * first + t * second


def squared_pairs(c):
    return torch.pdist(c).pow(2)


def histogram(dx, dy, bins, signed, *, votes=torch.hypot, turn=None, angle=torch.atan2, each=lambda h: h):
    turn = turn or (2 if signed else 1) * torch.pi
    part = (angle(dy, dx) % turn * (bins / turn)).long().flatten()
    return each(torch.zeros(bins).index_add(0, part, votes(dx, dy).flatten()))


def arc(first, second, t, *, way=lambda w: (w + torch.pi) % (2 * torch.pi) - torch.pi, give=lambda s, c: (s, c)):
    start, end = torch.atan2(*first), torch.atan2(*second)
    angle = start + t * way(end - start)
    return torch.stack(give(angle.sin(), angle.cos()))


def chord(first, second, t):
    return torch.lerp(first, second, t)


def other_way(w):
    w = (w + torch.pi) % (2 * torch.pi) - torch.pi
    return w - 2 * torch.pi * w.sign()


RIGHT = [
    ("09.1", error),
    ("09.1", lambda a, goal: (a - goal).pow(2).mean((1, 2, 3)) / goal.pow(2).mean()),
    ("09.2", variation),
    ("09.3", search),
    ("09.4", between),
    ("09.5", lambda c: torch.pdist(c).mean()),
    ("09.5", lambda c: torch.cdist(c, c).sum() / (len(c) * (len(c) - 1))),
    ("09.6", histogram),
    ("09.7", arc),
]

MISTAKES = {
    "09.1": {
        "denominator is missing": lambda *a: error(*a, down=lambda g: 1),
        "squares are missing": lambda *a: error(*a).sqrt(),
        "numerator needs its square": lambda *a: error(*a, down=lambda g: 1).sqrt() / a[1].pow(2).sum(),
        "denominator needs its square": lambda *a: error(*a, down=lambda g: g.norm()),
        "not of the code that moves": lambda a, g: error(a, g, down=lambda g: a.pow(2).sum((1, 2, 3))),
        "added up all images": lambda *a: error(*a, each=lambda e: e.sum()),
        "averaged over the images": lambda *a: error(*a, each=lambda e: e.mean()),
        "number of values": lambda *a: error(*a, down=lambda g: g.numel()),
        "take squares": lambda *a: error(*a, top=lambda d: d.abs(), down=lambda g: g.abs().sum()),
    },
    "09.2": {
        "only the differences down": lambda *a: variation(*a, h=0),
        "only the differences to the right": lambda *a: variation(*a, v=0),
        "not β": lambda *a: variation(*a, power=1),
        "β / 2 is missing": lambda x, beta: variation(x, 2),
        "β = 1 for every β": lambda x, beta: variation(x, 1),
        "one edge, one length": lambda *a: variation(*a, apart=True),
        "larger pictures pay more": lambda *a: variation(*a, size=1),
        "over the colours": lambda x, beta: variation(x, beta, size=x[0].numel()),
        "not by the differences": lambda x, beta: variation(x, beta, size=x[0, 0, 1:, 1:].numel()),
        "variation of its own": lambda *a: variation(*a, each=lambda e: e.sum()),
        "neighbour of the last": rolled,
    },
    "09.3": {
        "inside the closure": lambda *a: search(*a, inside=True, after=False),
        "never took": lambda *a: search(*a, inside=True),
        "learns from steps": lambda *a: search(*a, inside=True, after=False, last=True),
        "values leave": lambda *a: search(*a, after=False),
        "only once": lambda *a: search(*a, after=False, last=True),
        "old gradients": lambda *a: search(*a, zero=False),
        "one step": lambda loss, start, steps: search(loss, start, 1),
        "has not moved": lambda loss, start, steps: start.clone(),
        "start.clone()": lambda *a: search(*a, copy=False),
    },
    "09.4": {
        "before the ReLU (fc6)": lambda *a: between(*a, layer="fc6"),
        "then mix": lambda *a: between(*a, layer="fc6", after=lambda c: c.clamp(min=0)),
        "you mixed the pixels": lambda m, d, x, y, t: d(code(m, mix(x, y, t))),
        "without any code": lambda m, d, x, y, t: mix(x, y, t),
        "decoded pictures": lambda m, d, x, y, t: mix(d(code(m, x)), d(code(m, y)), t),
        "swapped": lambda m, d, x, y, t: between(m, d, y, x, t),
        "decode it": lambda m, d, x, y, t: mix(code(m, x), code(m, y), t),
        "its share": lambda m, d, x, y, t: d(code(m, x) + t * code(m, y)),
    },
    "09.5": {
        "no pair with itself": lambda c: torch.cdist(c, c).mean(),
        "not the sum": lambda c: torch.pdist(c).sum(),
        "squared distances": lambda c: squared_pairs(c).mean(),
        "root of each distance": lambda c: squared_pairs(c).mean().sqrt(),
        "each pair once": lambda c: torch.pdist(c).sum() / (len(c) * (len(c) - 1)),
        "from the mean code": lambda c: (c - c.mean(0)).norm(dim=1).mean(),
        "neighbours in the list": lambda c: (c[1:] - c[:-1]).norm(dim=1).mean(),
    },
    "09.6": {
        "counted the pixels": lambda *a: histogram(*a, votes=lambda x, y: torch.ones_like(x)),
        "squared lengths": lambda *a: histogram(*a, votes=lambda x, y: x**2 + y**2),
        "root of dx² + dy²": lambda *a: histogram(*a, votes=lambda x, y: x.abs() + y.abs()),
        "atan2 takes dy first": lambda dx, dy, *a: histogram(dy, dx, *a),
        "unsigned one of 180": lambda dx, dy, bins, signed: histogram(dx, dy, bins, not signed),
        "keep the sign of dy": lambda dx, dy, *a: histogram(dx, -dy, *a),
        "not their shares": lambda *a: histogram(*a, each=lambda h: h / h.sum()),
        "not the means": lambda dx, *a: histogram(dx, *a) / dx.numel(),
    },
    "09.7": {
        "leaves the circle": chord,
        "on the circle again": lambda *a: chord(*a) / chord(*a).norm(),
        "longer way round": lambda *a: arc(*a, way=other_way),
        "swapped: t = 0": lambda first, second, t: arc(first, second, 1 - t),
        "sine and cosine are swapped": lambda *a: arc(*a, give=lambda s, c: (c, s)),
        "that is the angle": lambda *a: torch.atan2(*arc(*a)),
    },
}
