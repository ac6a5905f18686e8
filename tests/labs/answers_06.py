"""Answers to the exercises of lab 06: right ones, and each likely mistake under words of its hint."""

import torch


def column(values):
    return values.view(-1, 1, 1)


def weighed(maps, by):
    return (column(by) * maps).sum(0)


def best_class(maps, weight):
    return (weight @ maps.mean((1, 2))).argmax()


def gradient(tail, maps, read):
    x = maps.clone().requires_grad_()
    return torch.autograd.grad(read(tail(x)), x)[0][0]


def of_logit(tail, maps, target):
    return gradient(tail, maps, lambda logits: logits[0, target])


def importance(tail, maps, target):
    return of_logit(tail, maps, target).mean((1, 2))


def importance_by_backward(tail, maps, target):
    x = maps.clone().requires_grad_()
    tail(x)[:, target].sum().backward()
    return x.grad.mean(dim=(2, 3))


def iou(regions, masks):
    return (regions & masks).sum() / (regions | masks).sum()


RIGHT = [
    ("06.1", lambda maps, weight, target: torch.einsum("k,khw->hw", weight[target], maps)),
    ("06.1", lambda maps, weight, target: weighed(maps, weight[target])[None]),
    ("06.2", importance),
    ("06.2", importance_by_backward),
    ("06.3", lambda maps, alpha: weighed(maps, alpha).clamp(min=0)),
    ("06.4", iou),
    ("06.4", lambda regions, masks: iou(regions, masks).item()),
    ("06.5", 0.25),
]


def stretched(heat):
    return (heat - heat.min()) / (heat.max() - heat.min())


CLASS_MAP = {
    "no ReLU here": lambda m, w, t: weighed(m, w[t]).relu(),
    "divided by the number of positions": lambda m, w, t: weighed(m, w[t]) / m[0].numel(),
    "averaged over the channels": lambda m, w, t: (column(w[t]) * m).mean(0),
    "added up the positions too": lambda m, w, t: weighed(m, w[t]).sum(),
    "averaged over the positions too": lambda m, w, t: weighed(m, w[t]).mean(),
    "this is the sum of the maps": lambda m, w, t: m.sum(0),
    "this is the mean of the maps": lambda m, w, t: m.mean(0),
    "keep the sign of the weights": lambda m, w, t: weighed(m, w[t].abs()),
    "without a softmax": lambda m, w, t: weighed(m, w[t].softmax(0)),
    "weights of the most probable class": lambda m, w, t: weighed(m, w[best_class(m, w)]),
    "weights of all classes": lambda m, w, t: weighed(m, w.sum(0)),
    "add the weighted maps up": lambda m, w, t: column(w[t]) * m,
    "no stretching": lambda m, w, t: stretched(weighed(m, w[t])),
    "changes what it was given": lambda m, w, t: m.mul_(column(w[t])).sum(0),
}

IMPORTANCE = {
    "gradient of the probability": lambda f, m, t: gradient(f, m, lambda z: z.softmax(1)[0, t]).mean((1, 2)),
    "averaged over the channels": lambda f, m, t: of_logit(f, m, t).mean(0),
    "divide by Z": lambda f, m, t: of_logit(f, m, t).sum((1, 2)),
    "the largest gradient": lambda f, m, t: of_logit(f, m, t).amax((1, 2)),
    "keep the sign": lambda f, m, t: of_logit(f, m, t).abs().mean((1, 2)),
    "no ReLU on the importances": lambda f, m, t: importance(f, m, t).relu(),
    "gradient × activation": lambda f, m, t: (of_logit(f, m, t) * m[0]).mean((1, 2)),
    "mean activation": lambda f, m, t: m[0].mean((1, 2)),
    "use the target that is given": lambda f, m, t: importance(f, m, f(m)[0].argmax()),
    "sum of all logits": lambda f, m, t: gradient(f, m, lambda z: z.sum()).mean((1, 2)),
    "gradient at each place": of_logit,
    "do not normalise": lambda f, m, t: importance(f, m, t) / importance(f, m, t).norm(),
    "requires_grad_": lambda f, m, t: torch.autograd.grad(f(m)[0, t], m)[0].mean((2, 3)),
    "needs one number": lambda f, m, t: gradient(f, m, lambda z: z).mean((1, 2)),
}

GRAD_CAM = {
    "the ReLU is missing": weighed,
    "the ReLU comes last": lambda m, a: (column(a) * m).relu().sum(0),
    "do not cut the importances": lambda m, a: weighed(m, a.relu()).relu(),
    "not on the importances": lambda m, a: weighed(m, a.relu()),
    "not on the maps": lambda m, a: weighed(m.relu(), a),
    "that is the magnitude": lambda m, a: weighed(m, a).abs(),
    "the sign is wrong": lambda m, a: (-weighed(m, a)).relu(),
    "averaged over the channels": lambda m, a: (column(a) * m).mean(0).relu(),
    "do not stretch": lambda m, a: weighed(m, a).relu() / weighed(m, a).max(),
    "add the weighted maps up": lambda m, a: (column(a) * m).relu(),
    "no effect on your answer": lambda m, a: m.sum(0).relu(),
}

IOU = {
    "averaged the images' ratios": lambda r, m: torch.stack([iou(a, b) for a, b in zip(r, m, strict=True)]).mean(),
    "counts the common part once: |A|": lambda r, m: (r & m).sum() / (r.sum() + m.sum()),
    "you divide by the mask": lambda r, m: (r & m).sum() / m.sum(),
    "you divide by the region": lambda r, m: (r & m).sum() / r.sum(),
    "Dice": lambda r, m: 2 * (r & m).sum() / (r.sum() + m.sum()),
    "both are absent": lambda r, m: (r == m).float().mean(),
    "divide by the union.": lambda r, m: (r & m).sum(),
    "one number for all images": lambda r, m: (r & m).sum((1, 2)) / (r | m).sum((1, 2)),
    "upside down": lambda r, m: (r | m).sum() / (r & m).sum(),
}

PLACE = {
    "Z is not 1": 12.25,
    "the other way round": 600.25,
    "not of one row": 1.75,
    "not of channels": 12.25 / 1280,
    "keeps it as it is": -0.25,
    "so ReLU keeps it.": 0,
}

MISTAKES = {
    "06.1": CLASS_MAP,
    "06.2": IMPORTANCE,
    "06.3": GRAD_CAM,
    "06.4": IOU,
    "06.5": PLACE,
}


UNKNOWN = [
    ("06.1", lambda m, w, t: torch.rand(3, 4)),
    ("06.2", lambda f, m, t: torch.rand(5)),
    ("06.3", lambda m, a: torch.rand(3, 4)),
    ("06.4", lambda r, m: 0.5),
    ("06.5", 17),
    ("06.5", float("nan")),
]
