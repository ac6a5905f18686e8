"""Answers to the exercises of lab 12: right ones, and each likely mistake under words of its hint."""

import math

import torch


def norm(x, gammas, betas, which, *, dims=(2, 3), correction=0, power=0.5, centre=True, shift=True):
    normal = x - x.mean(dims, keepdim=True) if centre else x
    normal = normal / (x.var(dims, keepdim=True, correction=correction) + 1e-5) ** power
    made = gammas[which][..., None, None] * normal
    return made + betas[which][..., None, None] if shift else made


def shares(sliders, styles, *, by=lambda v: v.sum()):
    values = torch.tensor([[sliders.get(name, 0.0) for name in styles]])
    return values / by(values)


def psnr(made, truth, *, factor=-10, log=torch.log10, error=lambda d: d.pow(2).mean((1, 2, 3))):
    return factor * log(error(made - truth))


def one_pass(network, x, *, evaluate=True, restore=True, gradient=False):
    before = network.training
    if evaluate:
        network.eval()
    with torch.set_grad_enabled(gradient):
        made = network(x)
    if restore:
        network.train(before)
    return made


def freeze(network, *, ends=("gamma", "beta"), count=lambda p: p.numel()):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.endswith(ends))
    return sum(count(p) for p in network.parameters() if p.requires_grad)


def frozen(network):
    freeze(network)
    return sum(p.numel() for p in network.parameters() if not p.requires_grad)


def everything(network):
    freeze(network)
    return sum(p.numel() for p in network.parameters())


def one_layer_evaluated(network, x):
    network[1].eval()
    with torch.no_grad():
        return network(x)


def pays(training, search, one_pass):
    return math.floor(training / (search - one_pass)) + 1


def pays_by_loop(training, search, one_pass):
    n = 1
    while training + n * one_pass >= n * search:
        n += 1
    return n


RIGHT = [
    ("12.2", lambda *arguments: shares(*arguments)[0]),
    ("12.1", norm),
    ("12.2", shares),
    ("12.3", psnr),
    ("12.3", lambda a, b: 10 * torch.log10(1 / (a - b).square().flatten(1).mean(1))),
    ("12.4", one_pass),
    ("12.5", freeze),
    ("12.6", pays),
    ("12.6", pays_by_loop),
]

MISTAKES = {
    "12.1": {
        "batch normalisation": lambda *a: norm(*a, dims=(0, 2, 3)),
        "height and width only": lambda *a: norm(*a, dims=(1, 2, 3)),
        "HW - 1": lambda *a: norm(*a, correction=1),
        "take the root": lambda *a: norm(*a, power=1),
        "subtract the mean": lambda *a: norm(*a, centre=False),
        "swapped": lambda x, g, b, which: norm(x, b, g, which),
        "at the end": lambda x, g, b, which: norm(x, torch.ones_like(g), torch.zeros_like(b), which),
        "first style": lambda x, g, b, which: norm(x, g, b, 0 * which),
        "β is missing": lambda *a: norm(*a, shift=False),
    },
    "12.2": {
        "not 1": lambda *a: shares(*a, by=lambda v: 1),
        "softmax": lambda *a: shares(*a, by=lambda v: 1).softmax(1),
        "largest": lambda *a: shares(*a, by=lambda v: v.max()),
        "length": lambda *a: shares(*a, by=lambda v: v.norm()),
        "number of styles": lambda *a: shares(*a, by=lambda v: (v > 0).sum()),
        "without a slider": lambda sliders, styles: torch.tensor([list(sliders.values())]) / sum(sliders.values()),
        "order of `styles`": lambda sliders, styles: torch.tensor([[*sliders.values(), 0.0]]) / sum(sliders.values()),
    },
    "12.3": {
        "over the batch": lambda *a: psnr(*a, error=lambda d: d.pow(2).mean()),
        "the sign": lambda *a: psnr(*a, factor=10),
        "base 10": lambda *a: psnr(*a, log=torch.log),
        "20 log10": lambda *a: psnr(*a, factor=-20),
        "no root": lambda *a: psnr(*a, factor=-5),
        "square the differences": lambda *a: psnr(*a, error=lambda d: d.abs().mean((1, 2, 3))),
        "not their sum": lambda *a: psnr(*a, error=lambda d: d.pow(2).sum((1, 2, 3))),
        "not 255": lambda *a: psnr(*a, error=lambda d: d.pow(2).mean((1, 2, 3)) / 255**2),
        "now its PSNR": lambda *a: psnr(*a, factor=1, log=lambda e: e),
    },
    "12.4": {
        "took this batch into its statistics": lambda *a: one_pass(*a, evaluate=False),
        "in evaluation mode": lambda *a: one_pass(*a, restore=False),
        "mode of one layer": one_layer_evaluated,
        "torch.no_grad": lambda *a: one_pass(*a, gradient=True),
        "in training mode": lambda network, x: (one_pass(network, x), network.train())[0],
    },
    "12.5": {
        "nothing is frozen": lambda network: sum(p.numel() for p in network.parameters()),
        "is frozen, too": lambda network: freeze(network, ends="gamma"),
        "every other style": lambda network: freeze(network, ends=("gamma", "beta", "bias")),
        "counted tensors": lambda network: freeze(network, count=lambda p: 1),
        "one style": lambda network: freeze(network) // 3,
        "frozen numbers": frozen,
        "all numbers": everything,
    },
    "12.6": {
        "saves search - one_pass": lambda t, s, p: math.floor(t / s) + 1,
        "whole number": lambda t, s, p: t / (s - p),
        "round up": lambda t, s, p: math.floor(t / (s - p)),
        "not faster yet": lambda t, s, p: math.ceil(t / (s - p)),
        "not once": lambda t, s, p: math.ceil((t + p) / s),
        "one number of pictures": lambda t, s, p: [t, s],
    },
}

UNKNOWN = [("12.1", lambda x, g, b, which: 2 * x), ("12.3", lambda a, b: torch.zeros(3)), ("12.6", lambda t, s, p: 7)]
