"""Answers to the exercises of lab 13: right ones, and each likely mistake under words of its hint."""

import torch
from scipy import stats


def towards(w, concept, others, *, way=1, length=torch.linalg.norm):
    side = 1 if (concept @ w).mean() > (others @ w).mean() else -1
    return way * side * w / length(w)


def means(w, concept, others):
    return concept.mean(0) - others.mean(0)


def derivative(head, a, c, v, *, read=lambda logits, c: logits[:, c], end=lambda g, v: g @ v):
    a = a.clone().requires_grad_()
    (g,) = torch.autograd.grad(read(head(a), c).sum(), a)
    return end(g, v)


def score(d, *, tie=0.5, way=1):
    return ((way * d > 0).double() + tie * (d == 0)).mean()


def p_value(runs, null, *, itself=1, total=1, sides=2, tie=1e-9, tail=min):
    t, others = runs.mean(), null.mean(1)
    counts = (others >= t - tie).sum(), (others <= t + tie).sum()
    return min(1.0, sides * (itself + int(tail(counts))) / (len(others) + total))


def pooled(runs, null):
    return p_value(runs, null.reshape(-1, 1))


def total_index(a, b, mixed, *, factor=2, values=lambda a, b: torch.cat([a, b]), mean=torch.mean):
    return mean((a - mixed).square(), dim=1) / (factor * values(a, b).var(correction=0))


def by_class(said, labels):
    return torch.stack([(said[labels == k] == k).double().mean() for k in labels.unique()])


def lost(read, bare, labels, *, end=torch.mean):
    return end(by_class(read, labels) - by_class(bare, labels))


def all_pictures(read, bare, labels):
    return (read == labels).double().mean() - (bare == labels).double().mean()


def completeness(full, kept):
    return 1 - (kept - full).square().sum(1) / (full - full.mean()).square().sum()


def fewest(full, kept, enough, *, measure=completeness):
    return int((measure(full, kept) >= enough).nonzero()[0])


def correlation(full, kept):
    return torch.stack([torch.corrcoef(torch.stack([row, full]))[0, 1] for row in kept])


RIGHT = [
    ("13.1", towards),
    ("13.2", derivative),
    ("13.3", score),
    ("13.4", p_value),
    ("13.5", total_index),
    ("13.6", lost),
    ("13.7", fewest),
]

MISTAKES = {
    "13.1": {
        "points away": lambda *a: towards(*a, way=-1),
        "compared with the others": lambda w, concept, others: w * (concept @ w).mean().sign() / w.norm(),
        "neither oriented": lambda w, concept, others: w,
        "divide by its length": lambda *a: towards(*a, length=lambda w: 1),
        "difference of the means": means,
        "keep the direction of w": lambda *a: means(*a) / means(*a).norm(),
        "sum of |w|": lambda *a: towards(*a, length=lambda w: w.abs().sum()),
        "largest |w|": lambda *a: towards(*a, length=lambda w: w.abs().max()),
    },
    "13.2": {
        "other way round": lambda *a: -derivative(*a),
        "of the probability": lambda *a: derivative(*a, read=lambda logits, c: logits.softmax(1)[:, c]),
        "log-probability": lambda *a: derivative(*a, read=lambda logits, c: logits.log_softmax(1)[:, c]),
        "sum of all logits": lambda *a: derivative(*a, read=lambda logits, c: logits),
        "mean over the pictures": lambda *a: derivative(*a, read=lambda logits, c: logits[:, c].mean()),
        "how much concept there is": lambda head, a, c, v: a @ v,
        "whole gradient": lambda *a: derivative(*a, end=lambda g, v: g),
        "over the channels": lambda *a: derivative(*a, end=lambda g, v: g * v),
        "sign alone": lambda *a: derivative(*a).sign(),
    },
    "13.3": {
        "ties counted as positive": lambda d: score(d, tie=1),
        "as in the paper": lambda d: score(d, tie=0),
        "ties left out": lambda d: score(d[d != 0]),
        "negative ones": lambda d: score(d, way=-1),
        "mean derivative": lambda d: d.mean(),
        "in [-1, 1]": lambda d: d.sign().mean(),
        "number of pictures": lambda d: score(d) * len(d),
    },
    "13.4": {
        "one side only": lambda *a: p_value(*a, sides=1),
        "or p could be 0": lambda *a: p_value(*a, itself=0, total=0),
        "add 1 to the number, too": lambda *a: p_value(*a, itself=0),
        "leave out a tie": lambda *a: p_value(*a, tie=-1e-9),
        "R + 1": lambda *a: p_value(*a, total=0),
        "each run for itself": pooled,
        "not independent": lambda runs, null: stats.ttest_ind(runs.numpy(), null.flatten().numpy()).pvalue,
        "larger tail": lambda *a: p_value(*a, tail=max),
    },
    "13.5": {
        "factor 2 is missing": lambda *a: total_index(*a, factor=1),
        "not by one less": lambda a, b, m: total_index(a, b, m) * (2 * len(a) - 1) / (2 * len(a)),
        "not by its root": lambda a, b, m: total_index(a, b, m) * torch.cat([a, b]).std(correction=0),
        "f(A) and f(B) together": lambda *a: total_index(*a, values=lambda a, b: a),
        "together": lambda *a: total_index(*a, values=lambda a, b: b),
        "share of it": lambda a, b, m: (a - m).square().mean(1) / 2,
        "not the sum": lambda *a: total_index(*a, mean=torch.sum),
        "else + and - cancel": lambda a, b, m: (a - m).mean(1) ** 2 / (2 * torch.cat([a, b]).var(correction=0)),
        "square the differences": lambda a, b, m: (a - m).abs().mean(1) / (2 * torch.cat([a, b]).var(correction=0)),
        "compare f(A_k) with f(A)": lambda a, b, m: (
            (b - m).square().mean(1) / (2 * torch.cat([a, b]).var(correction=0))
        ),
        "its own index": lambda *a: total_index(*a).mean(),
    },
    "13.6": {
        "other way round": lambda *a: -lost(*a),
        "do not cut at 0": lambda *a: lost(*a, end=lambda gap: gap.clamp(min=0).mean()),
        "keep the sign": lambda *a: lost(*a, end=lambda gap: gap.abs().mean()),
        "over all pictures": all_pictures,
        "one number for each class": lambda *a: lost(*a, end=lambda gap: gap),
        "sum over the classes": lambda *a: lost(*a, end=torch.sum),
        "accuracy with the word": lambda read, bare, labels: by_class(read, labels).mean(),
        "accuracy without the word": lambda read, bare, labels: by_class(bare, labels).mean(),
        "as a share": lambda read, bare, labels: lost(read, bare, labels) / by_class(read, labels).mean(),
        "some of them were wrong before": lambda read, bare, labels: (read != bare).double().mean(),
    },
    "13.7": {
        "with the mean of": lambda *a: fewest(*a, measure=lambda f, k: 1 - (k - f).square().sum(1) / f.square().sum()),
        "does not see a shift": lambda *a: fewest(*a, measure=lambda f, k: correlation(f, k) ** 2),
        "row 0 keeps no concept": lambda *a: fewest(*a) + 1,
        "not complete enough yet": lambda *a: fewest(*a) - 1,
        "how many of them": lambda f, k, enough: int((completeness(f, k) >= enough).sum()),
        "the most complete": lambda f, k, enough: int(completeness(f, k).argmax()),
    },
}

UNKNOWN = [("13.3", lambda d: 0.123), ("13.4", lambda runs, null: 0.5)]
