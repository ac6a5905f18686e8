"""Answers to the exercises of lab 02: right ones, and each likely mistake under words of its hint."""

from itertools import permutations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

# --- right answers --------------------------------------------------------------------------------------------------


def precision_of(distance, labels, objects, k):
    rows = []
    for i in range(len(labels)):
        others = sorted((j for j in range(len(labels)) if objects[j] != objects[i]), key=lambda j: distance[i, j])
        rows.append(sum(labels[j] == labels[i] for j in others[:k]) / k)
    return torch.tensor(rows)


def similarities(y):
    q = torch.zeros(len(y), len(y))
    for i in range(len(y)):
        for j in range(len(y)):
            if i != j:
                q[i, j] = 1 / (1 + (y[i] - y[j]).pow(2).sum())
    return q / q.sum()


def perplexity(p):
    return 2 ** torch.special.entr(p).sum().div(torch.log(torch.tensor(2.0)))


def split(labels, objects):
    first = {}
    for label, name in zip(labels, objects, strict=True):
        first.setdefault(label, name)
    teach = [i for i, name in enumerate(objects) if name == first[labels[i]]]
    return teach, [i for i in range(len(labels)) if i not in teach]


def core_points(distance, radius, least):
    return [sum(d <= radius for d in row) >= least for row in distance.tolist()]


def q_goal(reward, q_after, over, gamma):
    return torch.stack([r if end else r + gamma * max(q) for r, q, end in zip(reward, q_after, over, strict=True)])


def strongest(peaks, objects, k):
    best = {}
    for i, name in enumerate(objects):
        if name not in best or peaks[i] > peaks[best[name]]:
            best[name] = i
    return sorted(best.values(), key=lambda i: -peaks[i])[:k]


def to_cells(dots, cells):
    return min(permutations(range(len(dots))), key=lambda order: (dots - cells[list(order)]).square().sum())


def turned_view(points, axes, a, b, angle):
    turn = torch.eye(len(axes), dtype=axes.dtype)
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[b, a] = np.sin(angle)
    turn[a, b] = -np.sin(angle)
    return points @ (turn @ axes)


RIGHT = [
    ("02.1", lambda *given: precision_of(*given).numpy().astype(float)),
    ("02.1", lambda *given: precision_of(*given).tolist()),
    ("02.1", lambda *given: precision_of(*given)[None].double()),
    ("02.2", lambda y: similarities(y).numpy()[None]),
    ("02.2", lambda y: similarities(y.double()).tolist()),
    ("02.3", lambda p: np.float64(perplexity(p))),
    ("02.3", lambda p: [float(perplexity(p))]),
    ("02.5", torch.tensor([0.8])),
    ("02.5", np.sqrt(2 - 2 * 0.68)),
    ("02.6", core_points),
    ("02.6", lambda d, radius, least: torch.tensor(core_points(d, radius, least)).float()[None]),
    ("02.6", lambda d, radius, least: (d.numpy() <= radius).sum(0) >= least),
    ("02.7", q_goal),
    ("02.7", lambda r, q, over, gamma: (r.double() + gamma * q.amax(1) * ~over).numpy()[None]),
    ("02.7", lambda r, q, over, gamma: torch.where(over, r, r + gamma * q.max(1).values).tolist()),
    ("02.8", strongest),
    ("02.8", lambda *given: np.array(strongest(*given))),
    ("02.8", lambda *given: tuple(torch.tensor(strongest(*given)))),
    ("02.8", lambda *given: np.array([strongest(*given)])),
    ("02.9", to_cells),
    ("02.9", lambda dots, cells: linear_sum_assignment(torch.cdist(dots, cells) ** 2)[1]),
    ("02.9", lambda *given: torch.tensor(to_cells(*given)).double()[None]),
    ("02.9", lambda *given: [list(to_cells(*given))]),
    ("02.10", turned_view),
    ("02.10", lambda x, axes, a, b, angle: turned_view(x.double(), axes.double(), a, b, angle).numpy()),
    ("02.10", lambda x, axes, a, b, angle: turned_view(x[None], axes, a, b, angle)),
    ("02.10", lambda *given: turned_view(*given).tolist()),
    ("02.1", precision_of),
    ("02.2", similarities),
    ("02.3", perplexity),
    ("02.3", lambda p: 2 ** -sum(float(v) * float(v.log2()) for v in p if v)),
    ("02.4", split),
    ("02.4", lambda labels, objects: tuple(torch.tensor(part) for part in split(labels, objects))),
    ("02.5", 0.8),
]


# --- each known mistake ---------------------------------------------------------------------------------------------


def nearest(distance, forbidden, value=torch.inf):
    return distance.masked_fill(forbidden, value).argsort(1)


def agree(order, names):
    return (names[order] == names[:, None]).float().mean(1)


def same(objects):
    return objects[:, None] == objects


def itself(objects):
    return torch.eye(len(objects), dtype=torch.bool)


def in_place(distance, labels, objects, k):
    distance[same(objects)] = torch.inf
    return agree(distance.argsort(1)[:, :k], labels)


PRECISION = {
    "the item itself is counted": lambda d, y, o, k: agree(d.argsort(1)[:, :k], y),
    "leaving out the item is not enough": lambda d, y, o, k: agree(d.argsort(1)[:, 1 : k + 1], y),
    "farthest items": lambda d, y, o, k: agree(nearest(d, same(o), -torch.inf).flip(1)[:, :k], y),
    "use infinity": lambda d, y, o, k: agree(nearest(d, same(o), 0.0)[:, :k], y),
    "one neighbour too many": lambda d, y, o, k: agree(nearest(d, same(o))[:, : k + 1], y),
    "is gone already": lambda d, y, o, k: agree(nearest(d, same(o))[:, 1 : k + 1], y),
    "you compare objects": lambda d, y, o, k: agree(nearest(d, same(o))[:, :k], o),
    "divide by k": lambda d, y, o, k: k * precision_of(d, y, o, k),
    "one number for each item": lambda d, y, o, k: precision_of(d, y, o, k).mean(),
    "changes the distances": in_place,
}


def kernel(y, of=lambda d: 1 / (1 + d**2), diagonal=0.0):
    q = of((y[:, None] - y).norm(dim=2))
    return q if diagonal is None else q.fill_diagonal_(diagonal)


SIMILARITIES = {
    "the diagonal takes part": lambda y: kernel(y, diagonal=None) / kernel(y, diagonal=None).sum(),
    "before you divide": lambda y: (kernel(y, diagonal=None) / kernel(y, diagonal=None).sum()).fill_diagonal_(0),
    "divide by Z, so": lambda y: kernel(y),
    "and divide by Z": lambda y: kernel(y, diagonal=None),
    "row by row": lambda y: kernel(y) / kernel(y).sum(1, keepdim=True),
    "that is the Gaussian": lambda y: kernel(y, lambda d: -(d**2), -torch.inf).flatten().softmax(0).view(5, 5),
    "that is p": lambda y: kernel(y, lambda d: -(d**2), -torch.inf).softmax(1),
    "not squared": lambda y: kernel(y, lambda d: 1 / (1 + d)) / kernel(y, lambda d: 1 / (1 + d)).sum(),
    "less similar": lambda y: kernel(y, torch.square) / kernel(y, torch.square).sum(),
}  # fmt: skip


def entropy(p, logarithm=torch.log2):
    p = p[p > 0]
    return -(p * logarithm(p)).sum()


PERPLEXITY = {
    "gave NaN": lambda p: 2 ** -(p * p.log2()).sum(),
    "that is the entropy H": entropy,
    "entropy in nats": lambda p: entropy(p, torch.log),
    "belongs to e, log2 to 2": lambda p: 2 ** entropy(p, torch.log),
    "belongs to 2 ** H": lambda p: entropy(p).exp(),
    "the perplexity at least 1": lambda p: 2 ** -entropy(p),
    "H is −Σ p log2 p; and": lambda p: -entropy(p),
    "likely ones": lambda p: (p > 0).sum(),
    "likely neighbours": len,
}


def by_scene(labels, objects):
    return list(range(0, len(labels), 2)), list(range(1, len(labels), 2))


def by_name(labels, objects):
    teachers = {label: min(o for o, y in zip(objects, labels, strict=True) if y == label) for label in labels}
    teach = [i for i, name in enumerate(objects) if name == teachers[labels[i]]]
    return teach, [i for i in range(len(labels)) if i not in teach]


def one_teacher(labels, objects):
    return [i for i, o in enumerate(objects) if o == objects[0]], [i for i, o in enumerate(objects) if o != objects[0]]


SPLIT = {
    "two lists of indices": lambda labels, objects: [0, 1, 2],
    "outside the lists": lambda labels, objects: (split(labels, objects)[0], [len(labels)]),
    "swapped": lambda labels, objects: split(labels, objects)[::-1],
    "a leak": by_scene,
    "all scenes of the first object": lambda labels, objects: (
        split(labels, objects)[0][:4],
        split(labels, objects)[1],
    ),
    "each label needs": one_teacher,
    "in neither list": lambda labels, objects: (split(labels, objects)[0], split(labels, objects)[1][:-1]),
    "first by name": by_name,
}

DISTANCE = {
    "squared distance": 0.64,
    "cosine distance": 0.32,
    "the factor 2": 0.32**0.5,
    "both lengths": 1.32**0.5,
    "length of a + b": 3.36**0.5,
    "cosine itself": 0.68,
    "that is the sine": (1 - 0.68**2) ** 0.5,
}


def goal(reward, q, over, gamma, best=lambda q: q.amax(1), after=lambda over: ~over):
    return reward + gamma * best(q) * after(over)


CORE = {
    "how many are near": lambda d, r, n: (d <= r).sum(1),
    "counts itself": lambda d, r, n: (d <= r).sum(1) - 1 >= n,
    "just on the circle": lambda d, r, n: (d < r).sum(1) >= n,
    "the opposite": lambda d, r, n: (d <= r).sum(1) < n,
    "need not be one": lambda d, r, n: ((d <= r) & ((d <= r).sum(1) >= n)).any(1),
    "not the list": lambda d, r, n: ((d <= r).sum(1) >= n).nonzero()[:, 0],
    "their number": lambda d, r, n: ((d <= r).sum(1) >= n).sum(),
}

GOAL = {
    "no Q there": lambda r, q, over, g: r + g * q.amax(1),
    "discount is missing": lambda r, q, over, g: goal(r, q, over, 1),
    "missing, and the discount": lambda r, q, over, g: goal(0 * r, q, over, 1),
    "of this step is missing.": lambda r, q, over, g: goal(0 * r, q, over, g),
    "is not discounted": lambda r, q, over, g: g * goal(r, q, over, 1),
    "last reward of a game": lambda r, q, over, g: (r + g * q.amax(1)) * ~over,
    "turned round": lambda r, q, over, g: goal(r, q, over, g, after=lambda over: over),
    "mean over the actions": lambda r, q, over, g: goal(r, q, over, g, lambda q: q.mean(1)),
    "which action is best": lambda r, q, over, g: goal(r, q, over, g, lambda q: q.argmax(1)),
    "dim 1, not of all": lambda r, q, over, g: goal(r, q, over, g, torch.max),
    "one number for each state": lambda r, q, over, g: r[:, None] + g * q * ~over[:, None],
}

STRONGEST = {
    "show one object": lambda peaks, o, k: peaks.argsort(descending=True)[:k],
    "the strongest first": lambda *given: strongest(*given)[::-1],
    "the weakest": lambda peaks, o, k: strongest(-peaks, o, k),
    "only the first k": lambda peaks, o, k: strongest(peaks, o, 4),
    "not the one that comes first": lambda peaks, o, k: [o.index(n) for n in ("zebra", "hen", "drum")],
    "are the activations": lambda peaks, o, k: peaks[strongest(peaks, o, k)],
    "whole numbers": lambda peaks, o, k: ["zebra", "hen", "drum"],
}


def assign(dots, cells, of=torch.square):
    return linear_sum_assignment(of(torch.cdist(dots, cells)))


def one_by_one(dots, cells):
    chosen = []
    for row in torch.cdist(dots, cells).tolist():
        chosen.append(min((i for i in range(len(cells)) if i not in chosen), key=row.__getitem__))
    return chosen


CELLS = {
    "two dots share a cell": lambda dots, cells: torch.cdist(dots, cells).argmin(1),
    "dot by dot": one_by_one,
    "square them first": lambda dots, cells: assign(dots, cells, torch.abs)[1],
    "the largest sum": lambda dots, cells: assign(dots, cells, lambda d: -(d**2))[1],
    "which dot each cell gets": lambda dots, cells: assign(cells, dots)[1],
    "these are the rows": lambda dots, cells: assign(dots, cells)[0],
    "take [1]": assign,
    "these are the centres": lambda dots, cells: cells[list(to_cells(dots, cells))],
    "the least sum itself": lambda dots, cells: (dots - cells[list(to_cells(dots, cells))]).square().sum(),
    "each cell is taken once": lambda dots, cells: [5, 4, 3, 2, 1, 0],
    "must be there once": lambda dots, cells: [c + 1 for c in to_cells(dots, cells)],
}


def one_row(points, axes, a, b, angle, row):
    turned = axes.clone()
    turned[row] = turned_view(torch.eye(len(axes)), axes, a, b, angle)[row]
    return points @ turned


def from_the_new_row(points, axes, a, b, angle, axes_of=torch.clone):
    turned = axes_of(axes)
    turned[a] = np.cos(angle) * turned[a] - np.sin(angle) * turned[b]
    turned[b] = np.sin(angle) * turned[a] + np.cos(angle) * turned[b]
    return points @ turned


VIEW = {
    "from the new row a": from_the_new_row,
    "start with axes.clone()": lambda *given: from_the_new_row(*given, axes_of=lambda axes: axes),
    "the other way": lambda x, axes, a, b, angle: turned_view(x, axes, b, a, angle),
    "in radians already": lambda x, axes, a, b, angle: turned_view(x, axes, a, b, np.radians(angle)),
    "only row a": lambda x, axes, a, b, angle: one_row(x, axes, a, b, angle, a),
    "only row b": lambda x, axes, a, b, angle: one_row(x, axes, a, b, angle, b),
    "before the step": lambda x, axes, a, b, angle: x @ axes,
    "these are the axes": lambda x, axes, *turn: turned_view(torch.eye(len(axes)), axes, *turn),
    "the dots lie in columns": lambda *given: turned_view(*given).T,
}

MISTAKES = {
    "02.1": PRECISION,
    "02.2": SIMILARITIES,
    "02.3": PERPLEXITY,
    "02.4": SPLIT,
    "02.5": DISTANCE,
    "02.6": CORE,
    "02.7": GOAL,
    "02.8": STRONGEST,
    "02.9": CELLS,
    "02.10": VIEW,
}


UNKNOWN = [
    ("02.1", lambda d, y, o, k: torch.rand(len(y))),
    ("02.2", lambda y: torch.rand(5, 5)),
    ("02.2", lambda y: torch.zeros(3)),
    ("02.3", lambda p: 17.0),
    ("02.4", lambda labels, objects: ([], [])),
    ("02.4", lambda labels, objects: "teach"),
    ("02.5", float("nan")),
    ("02.6", lambda d, r, n: torch.ones(9)),
    ("02.7", lambda r, q, over, g: r + 17),
    ("02.8", lambda peaks, o, k: [0, 4, 7]),
    ("02.9", lambda dots, cells: torch.zeros(3)),
    ("02.9", lambda dots, cells: "all"),
    ("02.10", lambda x, axes, a, b, angle: x),
]
