"""Answers to the exercises of lab 04: right ones, and each likely mistake under words of its hint."""

import cv2
import torch

import coursekit as ck


def gradient(model, image, target, *, probability=False):
    x = image.clone().requires_grad_()
    scores = model(x).softmax(1) if probability else model(x)
    return torch.autograd.grad(scores[0, target], x)[0]


# --- right answers --------------------------------------------------------------------------------------------------


def saliency(model, image, target):
    return gradient(model, image, target).abs().amax(1)[0]


def saliency_by_backward(model, image, target):
    x = image.clone().requires_grad_()
    model(x)[0, target].backward()
    return x.grad.abs().max(dim=1, keepdim=True).values


def spread(sigma, image):
    return sigma * (image.max() - image.min())


def smooth(model, image, target, noise, sigma):
    return sum(gradient(model, image + spread(sigma, image) * one, target) for one in noise) / len(noise)


def integrated(model, image, target, baseline, steps):
    alphas = [(step + 0.5) / steps for step in range(steps)]
    return (image - baseline) * sum(gradient(model, baseline + a * (image - baseline), target) for a in alphas) / steps


def neuron(model, image, layer, channel, row, column, *, read=None, reduce=lambda g: g.abs().amax(1)[0]):
    x = image.clone().requires_grad_()
    with ck.capture(model, [layer]) as maps:
        model(x)
    value = maps[layer][0, channel, row, column] if read is None else read(maps[layer][0], channel, row, column)
    return reduce(torch.autograd.grad(value, x)[0])


def seeds(heat, top=0.95, low=0.3, middle=lambda h: h.median(), doubt=(cv2.GC_PR_BGD, cv2.GC_PR_FGD)):
    found = torch.where(heat > middle(heat), doubt[1], doubt[0])
    found[heat < heat.quantile(low)] = cv2.GC_BGD
    found[heat > heat.quantile(top)] = cv2.GC_FGD
    return found


def seeds_by_ranks(heat):
    ranks = heat.flatten().argsort().argsort().view(heat.shape) / (heat.numel() - 1)
    found = torch.full(heat.shape, cv2.GC_PR_BGD, dtype=torch.uint8)
    found[ranks > 0.5] = cv2.GC_PR_FGD
    found[ranks < 0.3] = cv2.GC_BGD
    found[ranks > 0.95] = cv2.GC_FGD
    return found[None, None]


RIGHT = [
    ("04.1", saliency),
    ("04.1", saliency_by_backward),
    ("04.1", ck.saliency),
    ("04.2", smooth),
    ("04.3", integrated),
    ("04.3", lambda m, x, t, b, n: ck.integrated_gradients(m, x, t, baseline=b, steps=n)),
    ("04.4", -0.25),
    ("04.5", 0.27),
    ("04.6", neuron),
    ("04.6", lambda m, x, layer, c, i, j: ck.saliency(m, x, ck.unit(layer, c, position=(i, j)))),
    ("04.7", seeds),
    ("04.7", seeds_by_ranks),
]


# --- each known mistake ---------------------------------------------------------------------------------------------


def forgets_requires_grad(model, image, target):
    return torch.autograd.grad(model(image)[0, target], image)[0].abs().amax(1)[0]


def all_logits(model, image, target):
    x = image.clone().requires_grad_()
    return torch.autograd.grad(model(x), x)[0].abs().amax(1)[0]


def grad_of_no_leaf(model, image, target):
    x = image.clone().requires_grad_() * 1
    model(x)[0, target].backward()
    return x.grad.abs().amax(1)[0]


def on_the_given_image(model, image, target):
    image.requires_grad_()
    return torch.autograd.grad(model(image)[0, target], image)[0].abs().amax(1)[0]


def sum_over_classes(model, image, target):
    x = image.clone().requires_grad_()
    return torch.autograd.grad(model(x).sum(), x)[0].abs().amax(1)[0]


def best_class(model, image, target):
    return saliency(model, image, model(image).argmax().item())


SALIENCY = {
    "requires_grad_": forgets_requires_grad,
    "needs one number": all_logits,
    "changes the image": on_the_given_image,
    "leave the softmax out": lambda m, x, t: gradient(m, x, t, probability=True).abs().amax(1)[0],
    "absolute value is missing": lambda m, x, t: gradient(m, x, t).amax(1)[0],
    "absolute value first": lambda m, x, t: gradient(m, x, t).amax(1)[0].abs(),
    "mean over the three colours": lambda m, x, t: gradient(m, x, t).abs().mean(1)[0],
    "signed mean": lambda m, x, t: gradient(m, x, t).mean(1)[0],
    "add the three colours up; the map": lambda m, x, t: gradient(m, x, t).abs().sum(1)[0],
    "add the three colours up; take": lambda m, x, t: gradient(m, x, t).sum(1)[0].abs(),
    "sum of all logits": sum_over_classes,
    "most probable class": best_class,
    "one number for each pixel": lambda m, x, t: gradient(m, x, t).abs(),
    "multiplied by the image": lambda m, x, t: (x * gradient(m, x, t)).abs().amax(1)[0],
    "divided by the largest value": lambda m, x, t: saliency(m, x, t) / saliency(m, x, t).max(),
}


def smooth_of(width, reduce=lambda gradients: gradients.mean(0, keepdim=True)):
    def answer(model, image, target, noise, sigma):
        return reduce(torch.cat([gradient(model, image + width(sigma, image) * one, target) for one in noise]))

    return answer


def noise_into_image(model, image, target, noise, sigma):
    right = smooth(model, image, target, noise, sigma)
    image += noise[:1]
    return right


SMOOTH = {
    "the noise is too strong": smooth_of(lambda sigma, x: sigma),
    "the noise is not scaled": smooth_of(lambda sigma, x: 1.0),
    "not the maximum alone": smooth_of(lambda sigma, x: sigma * x.max()),
    "not of the deviation": smooth_of(lambda sigma, x: sigma * x.std()),
    "add the noise to the gradient": lambda m, x, t, noise, s: gradient(m, x, t) + spread(s, x) * noise.mean(0),
    "average the gradients, not the noise": lambda m, x, t, noise, s: gradient(
        m, x + spread(s, x) * noise.mean(0, keepdim=True), t
    ),
    "with their sign": smooth_of(spread, lambda g: g.abs().mean(0, keepdim=True)),
    "keep the sign of the mean": lambda *arguments: smooth(*arguments).abs(),
    "you clamp the noisy copies": lambda m, x, t, noise, s: (
        sum(gradient(m, (x + spread(s, x) * one).clamp(0, 1), t) for one in noise) / len(noise)
    ),
    "noise alone": lambda m, x, t, noise, s: (
        sum(gradient(m, spread(s, x) * one[None], t) for one in noise) / len(noise)
    ),
    "not their squares": smooth_of(spread, lambda g: (g**2).mean(0, keepdim=True)),
    "only the first noisy copy": smooth_of(spread, lambda g: g[:1]),
    "only the last noisy copy": smooth_of(spread, lambda g: g[-1:]),
    "divide by the number of copies": smooth_of(spread, lambda g: g.sum(0, keepdim=True)),
    "the noise has no effect": lambda m, x, t, noise, s: gradient(m, x, t),
    "changes the image": noise_into_image,
    "requires_grad_": lambda m, x, t, noise, s: torch.autograd.grad(m(x + noise)[:, t].sum(), x)[0],
}


def walk(shift=0.5, factor=lambda x, b: x - b, start=lambda b: b, times=lambda n: 1.0):
    def answer(model, image, target, baseline, steps):
        x0 = start(baseline)
        points = [x0 + (step + shift) / steps * (image - x0) for step in range(steps)]
        return factor(image, baseline) * sum(gradient(model, p, target) for p in points) / steps * times(steps)

    return answer


def both_ends(model, image, target, baseline, steps):
    alphas = torch.linspace(0, 1, steps)
    return (image - baseline) * sum(gradient(model, baseline + a * (image - baseline), target) for a in alphas) / steps


def path_without_baseline(model, image, target, baseline, steps):
    way = image - baseline
    return way * sum(gradient(model, (step + 0.5) / steps * way, target) for step in range(steps)) / steps


def baseline_in_place(model, image, target, baseline, steps):
    right = integrated(model, image, target, baseline, steps)
    baseline.zero_()
    return right


INTEGRATED = {
    "the factor (x − x') is missing": walk(factor=lambda x, b: 1.0),
    "not the image alone": walk(factor=lambda x, b: x),
    "you walk from black": walk(factor=lambda x, b: x, start=torch.zeros_like),
    "your points are alpha * image": walk(start=torch.zeros_like),
    "the sign is wrong": walk(factor=lambda x, b: b - x),
    "divide by the number of steps": walk(times=lambda n: n),
    "left ends": walk(shift=0.0),
    "right ends": walk(shift=1.0),
    "includes both ends": both_ends,
    "leave the baseline out": path_without_baseline,
    "only the gradient at the image": lambda m, x, t, b, n: (x - b) * gradient(m, x, t),
    "keep the sign": lambda *arguments: integrated(*arguments).abs(),
    "changes the image or the baseline": baseline_in_place,
}

GAP = {
    "that is A itself": 0.75,
    "the gap is negative": 0.25,
    "(x − x') = 3 is missing": -0.75,
    "must be averaged": 2.0,
    "left ends": 0.5,
    "gradient at x = 3 alone": -1.0,
    "that is f(3) − f(0)": 1,
    "very many steps": 0,
}

PROBABILITY = {
    "times the slope of its own logit": 1.8,
    "its own slope is not 0": 0.18,
    "mind the sign": 0.09,
    "multiply by p₁ too": 0.3,
    "weight the slopes": 0.9,
    "slope of the logit": 2,
    "that is class 2": -0.27,
}

NEURON = {
    "row and column are swapped": lambda m, x, layer, c, i, j: neuron(m, x, layer, c, j, i),
    "sum over the whole map": lambda *a: neuron(*a, read=lambda maps, c, i, j: maps[c].sum()),
    "mean of the whole map": lambda *a: neuron(*a, read=lambda maps, c, i, j: maps[c].mean()),
    "the strongest neuron": lambda *a: neuron(*a, read=lambda maps, c, i, j: maps[c].max()),
    "all channels": lambda *a: neuron(*a, read=lambda maps, c, i, j: maps[:, i, j].sum()),
    "the map of a logit": lambda m, x, layer, c, i, j: saliency(m, x, c),
    "absolute value is missing": lambda *a: neuron(*a, reduce=lambda g: g.amax(1)[0]),
    "one number for each pixel": lambda *a: neuron(*a, reduce=lambda g: g.abs()[0]),
    "mean over the three colours": lambda *a: neuron(*a, reduce=lambda g: g.abs().mean(1)[0]),
}


def by_parts(heat):
    largest = heat.max()
    found = torch.where(heat > 0.5 * largest, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    found[heat < 0.3 * largest] = cv2.GC_BGD
    found[heat > 0.95 * largest] = cv2.GC_FGD
    return found


def upside_down(heat):
    found = torch.where(heat > heat.median(), cv2.GC_PR_BGD, cv2.GC_PR_FGD)
    found[heat < heat.quantile(0.3)] = cv2.GC_FGD
    found[heat > heat.quantile(0.95)] = cv2.GC_BGD
    return found


SEEDS = {
    "parts of the largest value": by_parts,
    "you always say object": lambda h: seeds(h, doubt=(cv2.GC_PR_FGD, cv2.GC_PR_FGD)),
    "you always say background": lambda h: seeds(h, doubt=(cv2.GC_PR_BGD, cv2.GC_PR_BGD)),
    "divide it at the median": lambda h: seeds(h, middle=lambda h: h.mean()),
    "object and background are swapped": upside_down,
    "the object gets the top 5 %": lambda h: seeds(h, top=0.7),
    "the background gets the lowest 30 %": lambda h: seeds(h, low=0.05),
    "two kinds of doubt are swapped": lambda h: seeds(h, doubt=(cv2.GC_PR_FGD, cv2.GC_PR_BGD)),
    "the sure ones are missing": lambda h: torch.where(h > h.median(), cv2.GC_PR_FGD, cv2.GC_PR_BGD),
}

MISTAKES = {
    "04.1": SALIENCY,
    "04.2": SMOOTH,
    "04.3": INTEGRATED,
    "04.4": GAP,
    "04.5": PROBABILITY,
    "04.6": NEURON,
    "04.7": SEEDS,
}


UNKNOWN = [
    ("04.1", lambda m, x, t: torch.zeros(2)),
    ("04.1", lambda m, x, t: torch.rand(6, 6)),
    ("04.2", lambda m, x, t, noise, s: torch.rand(1, 3, 6, 6)),
    ("04.3", lambda m, x, t, b, n: torch.rand(1, 3, 6, 6)),
    ("04.4", 17),
    ("04.5", float("nan")),
    ("04.6", lambda m, x, layer, c, i, j: torch.rand(6, 6)),
    ("04.7", lambda h: torch.zeros_like(h)),
    ("04.7", lambda h: torch.zeros(3, 3)),
]
