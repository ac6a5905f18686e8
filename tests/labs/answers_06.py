"""Answers to the exercises of lab 06: right ones, and each likely mistake under words of its hint."""

import torch
import torch.nn.functional as F


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


def layer_map(maps, gradient):
    return (gradient.relu() * maps).sum(0).relu()


def enlarged(maps, like, **how):
    return F.interpolate(maps[None], like.shape[-2:], mode="bilinear", **how)[0]


def product(guided, heat):
    return guided * enlarged(heat[None], guided)


def masks(image, maps):
    large = enlarged(maps, image)
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    return ((large - low) / (high - low))[:, None]


def black(network, image, target):
    return network(0 * image)[0, target]


def kept(network, image, maps, target, mask=masks):
    return network(image * mask(image, maps))[:, target]


def weights(network, image, maps, target):
    return kept(network, image, maps, target) - black(network, image, target)


def weights_one_by_one(network, image, maps, target):
    found = []
    for mask in masks(image, maps):
        found.append((network(image * mask) - network(torch.zeros_like(image)))[0, target].item())
    return torch.tensor(found)


def loose(image, maps):
    return enlarged(maps, image)[:, None]


def of_all(image, maps):
    large = enlarged(maps, image)
    return ((large - large.min()) / (large.max() - large.min()))[:, None]


def parts(first, b1, second, b2, x, c):
    on = (first @ x + b1 > 0).float()
    return second[c] @ (on * (first @ x)), second[c] @ (on * b1), b2[c]


def both_parts(*arguments):
    pixels, hidden, last = parts(*arguments)
    return torch.stack([pixels, hidden + last])


def both_parts_by_gradient(first, b1, second, b2, x, c):
    x, b1, b2 = (value.clone().requires_grad_() for value in (x, b1, b2))
    logit = (second @ (first @ x + b1).relu() + b2)[c]
    of_x, of_b1, of_b2 = torch.autograd.grad(logit, [x, b1, b2])
    return torch.stack([(of_x * x).sum(), (of_b1 * b1).sum() + (of_b2 * b2).sum()])


def wilson(hits, n, z=1.96):
    p, middle = hits / n, hits / n + z * z / (2 * n)
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def wald(hits, n):
    p = hits / n
    half = 1.96 * (p * (1 - p) / n) ** 0.5
    return p - half, p + half


def without_root(hits, n, z=1.96):
    p, middle = hits / n, hits / n + z * z / (2 * n)
    half = z * (p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


RIGHT = [
    ("06.1", lambda maps, weight, target: torch.einsum("k,khw->hw", weight[target], maps)),
    ("06.1", lambda maps, weight, target: weighed(maps, weight[target])[None]),
    ("06.2", importance),
    ("06.2", importance_by_backward),
    ("06.3", lambda maps, alpha: weighed(maps, alpha).clamp(min=0)),
    ("06.4", iou),
    ("06.4", lambda regions, masks: iou(regions, masks).item()),
    ("06.5", 0.25),
    ("06.6", layer_map),
    ("06.6", lambda maps, gradient: layer_map(maps, gradient)[None]),
    ("06.7", product),
    ("06.8", weights),
    ("06.8", weights_one_by_one),
    ("06.9", both_parts),
    ("06.9", both_parts_by_gradient),
    ("06.10", wilson),
    ("06.10", lambda hits, n: torch.tensor(wilson(hits, n))),
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

LAYER_CAM = {
    "this is HiResCAM": lambda m, g: (g * m).sum(0).relu(),
    "this is Grad-CAM": lambda m, g: (g.mean((1, 2), keepdim=True) * m).sum(0).relu(),
    "do not average the gradient": lambda m, g: (g.mean((1, 2), keepdim=True).relu() * m).sum(0).relu(),
    "the outer ReLU is missing": lambda m, g: (g.relu() * m).sum(0),
    "not on the product": lambda m, g: (g * m).relu().sum(0),
    "no magnitude": lambda m, g: (g.abs() * m).sum(0).relu(),
    "averaged over the channels": lambda m, g: (g.relu() * m).mean(0).relu(),
    "add the channels up": lambda m, g: (g.relu() * m).relu(),
}

PRODUCT = {
    "enlarge smoothly": lambda g, h: g * F.interpolate(h[None, None], g.shape[1:])[0],
    "align_corners": lambda g, h: g * enlarged(h[None], g, align_corners=True),
    "keep the sign of guided backprop.": lambda g, h: product(g, h) * g.sign(),
    "only the Grad-CAM map has a ReLU": lambda g, h: product(g, h).relu(),
    "multiply the two": lambda g, h: g + enlarged(h[None], g),
    "guided backprop has no effect": lambda g, h: enlarged(h[None], g).expand(3, -1, -1),
    "the Grad-CAM map has no effect": lambda g, h: g.clone(),
    "keep the three colours": lambda g, h: product(g, h).sum(0),
    "do not stretch the map": lambda g, h: product(g, h) / enlarged(h[None], g).max(),
}

SCORES = {
    "yet: subtract the score of a black picture": kept,
    "before it becomes a mask": lambda f, x, m, t: kept(f, x, m, t, loose) - black(f, x, t),
    "stretch each map to [0, 1], and": lambda f, x, m, t: kept(f, x, m, t, loose),
    "its own smallest and largest": lambda f, x, m, t: kept(f, x, m, t, of_all) - black(f, x, t),
    "yours takes it away": lambda f, x, m, t: f(x * (1 - masks(x, m)))[:, t] - black(f, x, t),
    "not how much it takes": lambda f, x, m, t: f(x)[0, t] - kept(f, x, m, t),
    "not with the whole one": lambda f, x, m, t: kept(f, x, m, t) - f(x)[0, t],
    "not the probability": lambda f, x, m, t: f(x * masks(x, m)).softmax(1)[:, t],
    "no softmax over the channels": lambda f, x, m, t: weights(f, x, m, t).softmax(0),
    "mirrored": lambda f, x, m, t: f(x * masks(x, m).flip(3))[:, t] - black(f, x, t),
    "logit of the target class alone": lambda f, x, m, t: f(x * masks(x, m)) - f(0 * x),
}

PARTS = {
    "the bias of the last layer is missing": lambda *a: torch.stack(parts(*a)[:2]),
    "biases of the first layer are missing": lambda *a: torch.stack(parts(*a)[::2]),
    "counts only where its ReLU is on": lambda f, b, s, d, x, c: torch.stack(
        [parts(f, b, s, d, x, c)[0], s[c] @ b + d[c]]
    ),
    "only units count whose ReLU is on": lambda f, b, s, d, x, c: torch.stack([s[c] @ (f @ x), s[c] @ b + d[c]]),
    "both together": lambda f, b, s, d, x, c: torch.stack([s[c] @ (f @ x).relu(), s[c] @ b.relu() + d[c]]),
    "the input comes first": lambda *a: both_parts(*a).flip(0),
    "this is the logit": lambda *a: both_parts(*a).sum(),
    "not as shares": lambda *a: both_parts(*a) / both_parts(*a).sum(),
}

INTERVAL = {
    "whose width is 0": wald,
    "z = 1.96": lambda hits, n: wilson(hits, n, 1.0),
    "the lower end comes first": lambda hits, n: wilson(hits, n)[::-1],
    "not counts": lambda hits, n: tuple(n * end for end in wilson(hits, n)),
    "divide by 1 + z²/n": lambda hits, n: tuple((1 + 1.96**2 / n) * end for end in wilson(hits, n)),
    "the square root is missing": without_root,
}

MISTAKES = {
    "06.1": CLASS_MAP,
    "06.2": IMPORTANCE,
    "06.3": GRAD_CAM,
    "06.4": IOU,
    "06.5": PLACE,
    "06.6": LAYER_CAM,
    "06.7": PRODUCT,
    "06.8": SCORES,
    "06.9": PARTS,
    "06.10": INTERVAL,
}


UNKNOWN = [
    ("06.1", lambda m, w, t: torch.rand(3, 4)),
    ("06.2", lambda f, m, t: torch.rand(5)),
    ("06.3", lambda m, a: torch.rand(3, 4)),
    ("06.4", lambda r, m: 0.5),
    ("06.5", 17),
    ("06.6", lambda m, g: torch.rand(3, 4)),
    ("06.7", lambda g, h: torch.rand(3, 6, 9)),
    ("06.8", lambda f, x, m, t: torch.rand(5)),
    ("06.9", lambda *a: torch.rand(2)),
    ("06.10", lambda hits, n: (0.1, 0.2)),
    ("06.10", lambda hits, n: wilson(hits, n) if 0 < hits < n else (hits / n, hits / n)),
    ("06.5", float("nan")),
]
