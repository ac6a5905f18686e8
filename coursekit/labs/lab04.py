"""Checks of lab 04, saliency."""

from collections.abc import Callable

import cv2
import torch
from torch import Tensor, nn

from coursekit.labs.checking import call, case, compare
from coursekit.networks.model import Model

SIDE = 6


def _curved() -> Model:
    """A small network with three classes and a smooth curve: its gradient is another one at each point."""
    generator = torch.Generator().manual_seed(4)
    first, last = nn.Linear(3 * SIDE * SIDE, 8), nn.Linear(8, 3)
    for layer, scale in ((first, 0.3), (last, 1.0)):
        layer.weight.data = torch.randn(layer.weight.shape, generator=generator) * scale
        layer.bias.data = torch.randn(layer.bias.shape, generator=generator) * scale
    model = Model(nn.Sequential(nn.Flatten(), first, nn.Tanh(), last), mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.5))
    return model.requires_grad_(False)


def _image(seed: int = 40) -> Tensor:
    """An image whose range is 0.5 and not 1, so that noise that ignores the range is noticed."""
    pixels = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    return 0.2 + 0.5 * (pixels - pixels.min()) / (pixels.max() - pixels.min())


def _gradient(model: Model, image: Tensor, target: int, probability: bool = False) -> Tensor:
    with torch.enable_grad():
        x = image.detach().clone().requires_grad_()
        scores = model(x).softmax(1) if probability else model(x)
        return torch.autograd.grad(scores[0, target], x)[0]


def _call(function: object, *arguments: object) -> Tensor | str:
    """Run the student's function; a hint where autograd complains."""
    try:
        return torch.as_tensor(call(function, *arguments)).detach()
    except RuntimeError as error:
        said = str(error)
        if "does not require grad" in said:
            return "torch kept no track of the image: call requires_grad_() on a copy of it before the forward pass."
        if "only for scalar outputs" in said:
            return "a gradient needs one number: take the logit of the target class, model(x)[0, target]."
        if "non-leaf" in said or "leaf Variable" in said:
            return "call requires_grad_() on the copy itself, as the last thing you do before the forward pass."
        raise


def saliency_map(answer: object) -> str | None:
    """04.1: the largest gradient magnitude over the colours, of the logit; two images."""
    return _saliency_map(answer, 40 + case())


def _saliency_map(answer: object, seed: int) -> str | None:
    model, image = _curved(), _image(seed)
    before = image.clone()
    target = int(model(image).argmin())  # not the most probable class, which would hide a forgotten target
    result = _call(answer, model, image, target)
    if not torch.equal(image.detach(), before) or image.requires_grad:
        return "your function changes the image it was given; start with image.clone()."
    if isinstance(result, str):
        return result
    g, p = _gradient(model, image, target)[0], _gradient(model, image, target, probability=True)[0]
    every = torch.stack([_gradient(model, image, c)[0] for c in range(3)]).sum(0)
    best = _gradient(model, image, int(model(image).argmax()))[0]
    right = g.abs().amax(0)
    mistakes = [
        (p.abs().amax(0), "this is the gradient of the probability; leave the softmax out and take the logit."),
        (g.amax(0), "the absolute value is missing: a strong negative slope matters as much as a positive one."),
        (g.amax(0).abs(), "take the absolute value first, then the maximum over the colours."),
        (g.abs().mean(0), "you take the mean over the three colours; the map is their maximum."),
        (g.mean(0), "this is the signed mean over the colours; take the absolute value, then the maximum."),
        (g.abs().sum(0), "you add the three colours up; the map is their maximum."),
        (g.sum(0).abs(), "you add the three colours up; take the absolute value of each, then the maximum."),
        (every.abs().amax(0), "you differentiate the sum of all logits; take the one of the target class."),
        (best.abs().amax(0), "this is the map of the most probable class; use the target that is given."),
        (g.abs(), "one number for each pixel is asked for: take the maximum over the three colours."),
        ((image[0] * g).abs().amax(0), "you multiplied by the image; saliency is the gradient alone."),
        (right / right.max(), "you divided by the largest value; leave the map in logits per unit of intensity."),
    ]
    return compare(result, right, mistakes)


def smooth_gradient(answer: object) -> str | None:
    """04.2: the mean gradient over noisy copies; two classes, widths and numbers of copies."""
    cases = ((4, 0.4, 1), (3, 0.2, 0))
    return _smooth_gradient(answer, *cases[case()])


def _smooth_gradient(answer: object, n: int, sigma: float, target: int) -> str | None:
    model, image = _curved(), _image()
    noise = torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(42))
    before = image.clone()
    result = _call(answer, model, image, target, noise, sigma)
    if not torch.equal(image.detach(), before):
        return "your function changes the image it was given; add the noise to a new tensor."
    if isinstance(result, str):
        return result

    def gradients(width: float, start: Tensor = image, clamp: bool = False) -> Tensor:
        copies = [start + width * one for one in noise]
        return torch.cat([_gradient(model, x.clamp(0, 1) if clamp else x, target) for x in copies])

    spread = sigma * (image.max() - image.min()).item()
    right, plain = gradients(spread), _gradient(model, image, target)
    nothing = torch.zeros_like(image)
    mean_noise = noise.mean(0, keepdim=True)
    mistakes = [
        (gradients(sigma).mean(0), "the noise is too strong: sigma is a part of the image's range, max − min."),
        (gradients(1.0).mean(0), "the noise is not scaled: multiply it by sigma and by the image's range."),
        (gradients(sigma * image.max().item()).mean(0), "the range is max − min, not the maximum alone."),
        (
            gradients(sigma * image.std().item()).mean(0),
            "sigma is a part of the range, max − min, not of the deviation.",
        ),
        (plain + spread * mean_noise, "you add the noise to the gradient; add it to the image, then differentiate."),
        (plain + sigma * mean_noise, "you add the noise to the gradient; add it to the image, then differentiate."),
        (_gradient(model, image + spread * mean_noise, target), "average the gradients, not the noise or the images."),
        (right.abs().mean(0), "average the gradients with their sign; magnitudes of noise do not cancel."),
        (right.mean(0).abs(), "keep the sign of the mean gradient; a map takes the magnitude later."),
        (
            gradients(spread, clamp=True).mean(0),
            "you clamp the noisy copies to [0, 1]; the formula leaves them as they are.",
        ),
        (gradients(spread, nothing).mean(0), "your noisy copies are noise alone; add the image to them."),
        ((right**2).mean(0), "average the gradients themselves, not their squares."),
        (right[0], "only the first noisy copy is used; average over all rows of the noise."),
        (right[-1], "only the last noisy copy is used; add the gradients up in the loop."),
        (right.sum(0), "the gradients are added up but not averaged; divide by the number of copies."),
        (plain[0], "the noise has no effect on your answer; add it to the image before the forward pass."),
    ]
    return compare(result, right.mean(0), mistakes)


def integrated(answer: object) -> str | None:
    """04.3: integrated gradients by the midpoint rule, from two baselines that are not black; one brighter than it."""
    cases = ((5, 1, 0.3 * _image(seed=43)), (4, 2, 0.4 + 0.6 * _image(seed=44)))
    return _integrated(answer, *cases[case()])


def _integrated(answer: object, steps: int, target: int, baseline: Tensor) -> str | None:
    model, image = _curved(), _image()
    before = image.clone(), baseline.clone()
    result = _call(answer, model, image, target, baseline, steps)
    if not (torch.equal(image.detach(), before[0]) and torch.equal(baseline.detach(), before[1])):
        return "your function changes the image or the baseline it was given; compute the points as new tensors."
    if isinstance(result, str):
        return result

    def slopes(shift: float, start: Tensor = baseline) -> Tensor:
        """The mean gradient on the way, at `shift` of each step."""
        alphas = [(step + shift) / steps for step in range(steps)]
        return torch.stack([_gradient(model, start + a * (image - start), target) for a in alphas]).mean(0)

    black = torch.zeros_like(image)
    way, middle = image - baseline, slopes(0.5)
    inclusive = sum(_gradient(model, baseline + a * way, target) for a in torch.linspace(0, 1, steps).tolist()) / steps
    short = sum(_gradient(model, (step + 0.5) / steps * way, target) for step in range(steps)) / steps
    mistakes = [
        (middle, "the factor (x − x') is missing; without it the map is a mean slope and cannot add up to the score."),
        (image * middle, "the factor is (x − x'), the image minus the baseline, not the image alone."),
        (image * slopes(0.5, black), "you walk from black; use the baseline that is given."),
        (way * slopes(0.5, black), "your points are alpha * image; they are baseline + alpha * (image − baseline)."),
        (-way * middle, "the sign is wrong: the factor is the image minus the baseline."),
        (way * middle * steps, "the slopes are added up but not averaged; divide by the number of steps."),
        (way * slopes(0.0), "these are the left ends of the steps; the midpoint rule takes (step + 0.5) / steps."),
        (way * slopes(1.0), "these are the right ends of the steps; the midpoint rule takes (step + 0.5) / steps."),
        (way * inclusive, "linspace from 0 to 1 includes both ends; the midpoints are (step + 0.5) / steps."),
        (way * short, "your points leave the baseline out: they are baseline + alpha * (image − baseline)."),
        (
            way * _gradient(model, image, target),
            "only the gradient at the image is used; average it over the whole way.",
        ),
        ((way * middle).abs(), "keep the sign: without it the map cannot add up to the difference of the scores."),
    ]
    return compare(result, way * middle, mistakes)


def gap(answer: object) -> str | None:
    """04.4: f(x) = 1 − max(0, 1 − x) at 3, from 0, by four midpoints: 3 · 1/4 − 1."""
    mistakes = [
        (0.75, "that is A itself; the gap is what is missing, A − (f(3) − f(0))."),
        (0.25, "the sign: the map adds up to too little here, so the gap is negative."),
        (-0.75, "the factor (x − x') = 3 is missing in A."),
        (2.0, "the four slopes must be averaged, not added up."),
        (0.5, "those are the left ends of the steps; take the middles: 0.375, 1.125, 1.875, 2.625."),
        (-1.0, "that is the gap of the gradient at x = 3 alone; average the slope over the four midpoints."),
        (1.0, "that is f(3) − f(0), what the map should add up to; the gap is what is missing."),
        (0.0, "it would be 0 for very many steps; with four, only the first midpoint lies where f rises."),
    ]
    return compare(answer, -0.25, mistakes)


def slope_of_probability(answer: object) -> str | None:
    """04.5: p₁ (∂S₁ − Σ p_k ∂S_k) with p = 0.9, 0.1 and slopes 2, −1."""
    mistakes = [
        (0.9 * 2, "that is p₁ times the slope of its own logit; subtract the mean slope Σ p_k ∂S_k first."),
        (0.9 * 0.1 * 2, "class 2 pulls too: its own slope is not 0, it is −1."),
        (0.9 * 0.1 * 1, "mind the sign: class 2 has the slope −1, so the two logits move apart by 3."),
        (2 - (0.9 * 2 - 0.1), "almost: multiply by p₁ too."),
        (0.9 * (2 - (2 - 1)), "weight the slopes by their probabilities: Σ p_k ∂S_k = 0.9 · 2 + 0.1 · (−1)."),
        (2.0, "that is the slope of the logit; the probability is nearly saturated and moves much less."),
        (-0.27, "that is class 2; what it loses, class 1 wins."),
    ]
    return compare(answer, 0.27, mistakes)


def _two_layers() -> Model:
    """A small network of two convolutions, `early` and `late`, whose maps are as large as the image."""
    generator = torch.Generator().manual_seed(6)
    body = nn.Sequential()
    body.add_module("early", nn.Conv2d(3, 3, 3, padding=1))
    body.add_module("bend", nn.Tanh())
    body.add_module("late", nn.Conv2d(3, 3, 3, padding=1))
    body.add_module("flat", nn.Flatten())
    body.add_module("head", nn.Linear(3 * SIDE * SIDE, 3))
    for p in body.parameters():
        p.data = torch.randn(p.shape, generator=generator)
    return Model(body, mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.5)).requires_grad_(False)


def neuron_map(answer: object) -> str | None:
    """04.6: the saliency of one neuron; an early and a late layer, other channels and places."""
    cases = (("late", 1, 4, 1), ("early", 2, 2, 3))
    return _neuron_map(answer, *cases[case()])


def _neuron_map(answer: object, layer: str, channel: int, row: int, column: int) -> str | None:
    model, image = _two_layers(), _image(45)
    result = _call(answer, model, image, layer, channel, row, column)
    if isinstance(result, str):
        return result
    names = ("early", "bend", "late", "flat", "head")

    def gradient(read: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.enable_grad():
            x = image.clone().requires_grad_()
            values = (x - torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)) / 0.5
            for name in names[: names.index(layer) + 1]:
                values = model.module.get_submodule(name)(values)
            return torch.autograd.grad(read(values[0]), x)[0][0]

    right = gradient(lambda a: a[channel, row, column])
    mistakes = [
        (gradient(lambda a: a[channel, column, row]).abs().amax(0), "row and column are swapped."),
        (gradient(lambda a: a[channel].sum()).abs().amax(0), "this is the sum over the whole map; take one neuron."),
        (gradient(lambda a: a[channel].mean()).abs().amax(0), "this is the mean of the whole map; take one neuron."),
        (gradient(lambda a: a[channel].max()).abs().amax(0), "this is the strongest neuron; take the one asked for."),
        (gradient(lambda a: a[:, row, column].sum()).abs().amax(0), "you add up all channels; take the one asked for."),
        (
            _gradient(model, image, channel)[0].abs().amax(0),
            "this is the map of a logit; take the neuron of the layer.",
        ),
        (right.amax(0), "the absolute value is missing: a strong negative slope matters as much as a positive one."),
        (right.abs(), "one number for each pixel is asked for: take the maximum over the three colours."),
        (right.abs().mean(0), "you take the mean over the three colours; the map is their maximum."),
    ]
    return compare(result, right.abs().amax(0), mistakes)


def seeds(answer: object) -> str | None:
    """04.7: the seeds of GrabCut by quantiles; a map that is positive, and one with a few large and negative values."""
    cases = ((10, 10, 1.0, 0.0), (8, 12, 3.0, 0.2))
    return _seeds(answer, *cases[case()])


def _seeds(answer: object, height: int, width: int, power: float, shift: float) -> str | None:
    heat = torch.rand(height, width, generator=torch.Generator().manual_seed(46)) ** power - shift
    result = _call(answer, heat.clone())
    if isinstance(result, str):
        return result

    def painted(object_: Tensor, background: Tensor, likely: Tensor) -> Tensor:
        found = torch.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
        found[background] = cv2.GC_BGD
        found[object_] = cv2.GC_FGD
        return found

    top, low, middle = heat > heat.quantile(0.95), heat < heat.quantile(0.3), heat > heat.quantile(0.5)
    right, largest, everywhere = painted(top, low, middle), heat.max(), torch.ones_like(top)
    parts = painted(heat > 0.95 * largest, heat < 0.3 * largest, heat > 0.5 * largest)
    mistakes = [
        (parts, "these are parts of the largest value; 5 % and 30 % are parts of the *pixels*: use quantile."),
        (painted(top, low, everywhere), "in doubt you always say object; below the median say probably background."),
        (painted(top, low, ~everywhere), "in doubt you always say background; above the median say probably object."),
        (painted(top, low, heat > heat.mean()), "you divide the rest at the mean; divide it at the median."),
        (painted(low, top, ~middle), "object and background are swapped: the object is where the map is large."),
        (painted(heat > heat.quantile(0.7), low, middle), "the object gets the top 5 %, the quantile 0.95."),
        (painted(top, heat < heat.quantile(0.05), middle), "the background gets the lowest 30 %, the quantile 0.3."),
        (painted(top, low, ~middle), "the two kinds of doubt are swapped: above the median is probably object."),
        (painted(~everywhere, ~everywhere, middle), "the sure ones are missing: the top 5 % and the lowest 30 %."),
    ]
    return compare(result, right, mistakes)


JUDGES = {
    "04.1": saliency_map,
    "04.2": smooth_gradient,
    "04.3": integrated,
    "04.4": gap,
    "04.5": slope_of_probability,
    "04.6": neuron_map,
    "04.7": seeds,
}
