"""Answers to the exercises of lab 04: right ones, and each likely mistake under words of its hint."""

import torch

import coursekit as ck


def gradient(model, image, target, probability=False):
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


def smooth(model, image, target, noise, sigma):
    spread = sigma * (image.max() - image.min())
    return sum(gradient(model, image + spread * one, target) for one in noise) / len(noise)


def integrated(model, image, target, baseline, steps):
    alphas = [(step + 0.5) / steps for step in range(steps)]
    return (image - baseline) * sum(gradient(model, baseline + a * (image - baseline), target) for a in alphas) / steps


RIGHT = [
    ("04.1", saliency),
    ("04.1", saliency_by_backward),
    ("04.1", ck.saliency),
    ("04.2", smooth),
    ("04.3", integrated),
    ("04.3", lambda m, x, t, b, n: ck.integrated_gradients(m, x, t, baseline=b, steps=n)),
    ("04.4", -0.25),
    ("04.5", 0.27),
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
}


def smooth_of(width, reduce=lambda gradients: gradients.mean(0, keepdim=True)):
    def answer(model, image, target, noise, sigma):
        spread = width(sigma, image)
        return reduce(torch.cat([gradient(model, image + spread * one, target) for one in noise]))

    return answer


def spread(sigma, image):
    return sigma * (image.max() - image.min())


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

MISTAKES = {
    "04.1": SALIENCY,
    "04.2": SMOOTH,
    "04.3": INTEGRATED,
    "04.4": GAP,
    "04.5": PROBABILITY,
}


UNKNOWN = [
    ("04.1", lambda m, x, t: torch.zeros(2)),
    ("04.1", lambda m, x, t: torch.rand(6, 6)),
    ("04.2", lambda m, x, t, noise, s: torch.rand(1, 3, 6, 6)),
    ("04.3", lambda m, x, t, b, n: torch.rand(1, 3, 6, 6)),
    ("04.4", 17),
    ("04.5", float("nan")),
]
