"""Checks of lab 07, activation maximization."""

from collections.abc import Callable

import torch
from torch import Tensor

from coursekit.labs.checking import call, case, compare, varied


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def climb(answer: object) -> str | None:
    """07.1: the loop x ← clip(x + rate · g / mean|g|)."""
    weight, rate, steps = _random(1, 3, 5, 5, seed=1) - 0.4, 0.12 - 0.1 * case(), 5 - 2 * case()
    start = 0.2 + 0.6 * _random(1, 3, 5, 5, seed=2)

    def score(x: Tensor) -> Tensor:
        return (weight * x - 0.3 * (x - 0.6) ** 3).sum()  # no bounds of its own, and a gradient that moves

    def size(g: Tensor) -> Tensor:
        return g.abs().mean()

    def walk(way: int = 1, by: Callable = size, kept: bool = False, clip: str = "after", steps: int = steps) -> Tensor:
        x, total = start.clone(), torch.zeros_like(start)
        for _ in range(steps):
            x.requires_grad_()
            (g,) = torch.autograd.grad(score(x.clamp(0, 1) if clip == "inside" else x), x)
            total = total + g
            g = total if kept else g
            x = x.detach() + way * rate * g / by(g)
            x = x.clamp(0, 1) if clip == "after" else x
        return x.clamp(0, 1) if clip == "end" else x

    result = call(answer, score, start.clone(), steps, rate)
    mistakes = [
        (walk(way=-1), "this goes down: the sign of the step makes the score smaller."),
        (walk(kept=True), "the gradients of all steps add up; forget the old one before each step (x.grad = None)."),
        (walk(clip="inside"), "you clip inside the score, where a clipped pixel has no gradient; clip after the step."),
        (walk(clip="never"), "some values leave [0, 1]; clip after each step."),
        (walk(clip="end"), "you clip once at the end; the score was asked about values that no picture has."),
        (walk(by=lambda g: g.abs().max()), "you divided by the largest |g|; take the mean of |g|."),
        (walk(by=lambda g: g.mean()), "you divided by the mean of g, where signs cancel; take the mean of |g|."),
        (walk(by=lambda g: g.norm()), "you divided by the length of g; take the mean of |g|."),
        (walk(by=lambda g: 1), "divide the gradient by the mean of |g|."),
        (walk(steps=steps - 1), "one step too few."),
        (walk(steps=steps + 1), "one step too many."),
        (start, "the picture did not change; return the new x, not the start."),
    ]
    return compare(result, walk(), mistakes)


def class_model(answer: object) -> str | None:
    """07.2: S_c(x) - λ ‖x - ½‖²."""
    x, logits = _random(2, 3, 4, 4, seed=3), (_random(2, 6, seed=4) - 0.5 * case()) * 5
    target, weight = 4 - 3 * case(), 0.07
    squares = (x - 0.5).pow(2).flatten(1).sum(1)
    score = logits[:, target]

    def model(images: Tensor) -> Tensor:
        return logits + 0 * images.flatten(1).sum(1, keepdim=True)

    result = call(answer, model, x.clone(), target, weight)
    probability = logits.softmax(1)[:, target]
    mistakes = [
        (score + weight * squares, "the penalty has the wrong sign: it makes the score smaller."),
        (weight * squares - score, "this is what a minimiser wants; return the value that grows."),
        (score - weight * x.pow(2).flatten(1).sum(1), "your penalty wants black pictures; measure from grey, x - ½."),
        (score - weight * squares / x[0].numel(), "you took the mean over the pixels; the formula has the sum."),
        (score - weight * squares.sqrt(), "you took the length; the formula has its square."),
        (score - squares, "the weight λ is missing."),
        (score, "the penalty is missing."),
        (probability - weight * squares, "you took the probability; S_c is the logit."),
        (probability.log() - weight * squares, "you took the logarithm of the probability; S_c is the logit."),
        ((score - weight * squares).sum(), "give one value for each image, not their sum."),
        (score - weight * squares.sum(), "sum over the pixels of each image, not over the batch."),
    ]
    return compare(result, score - weight * squares, mistakes)


def clip_contribution(answer: object) -> str | None:
    """07.3: pixels with the smallest |Σ_c (x - ½) g| become grey."""
    x, g, part = _random(1, 3, 6, 6, seed=5), _random(1, 3, 6, 6, seed=6) - 0.5, 0.4
    contribution = ((x - 0.5) * g).sum(1).abs()

    def drop(importance: Tensor, to: float = 0.5, smallest: bool = True) -> Tensor:
        """Set the least important part of the pixels to one value; importance is (1, 6, 6) or (1, 3, 6, 6)."""
        importance = importance if smallest else -importance
        out = importance <= importance.flatten().quantile(part)
        return torch.where(out if out.ndim == 4 else out[:, None], torch.full_like(x, to), x)

    result = call(answer, x.clone(), g.clone(), part)
    mistakes = [
        (drop(contribution, to=0.0), "you made them black; grey, ½, is nothing here."),
        (drop(contribution, smallest=False), "you removed the pixels that contribute most; keep those."),
        (drop((x - 0.5).norm(dim=1)), "that is clip small norm: the gradient does not enter."),
        (drop(((x - 0.5) * g).abs()), "you clip single values; a pixel has three colours that go together."),
        (drop(((x - 0.5) * g).abs().sum(1)), "take the sum over the colours first, then its absolute value."),
        (drop(((x - 0.5) * g).sum(1)), "take the absolute value: a pixel that speaks against the score counts, too."),
        (drop((x * g).sum(1).abs()), "measure the pixel from grey: (x - ½) · g."),
        (drop(g.sum(1).abs()), "the gradient alone tells what a change would do; multiply by (x - ½)."),
        (drop(g.abs().sum(1)), "the gradient alone tells what a change would do; multiply by (x - ½)."),
    ]
    return compare(result, drop(contribution), mistakes)


def waves(answer: object) -> str | None:
    """07.4: u = irfft2(z / f^decay)."""
    size, decay = 8 - 2 * case(), 1.5 - case() / 4
    z = torch.complex(
        _random(2, 3, size, size // 2 + 1, seed=7) - 0.5, _random(2, 3, size, size // 2 + 1, seed=8) - 0.5
    )
    column, row = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    f = torch.hypot(column, row).clamp(min=1 / size)

    def back(spectrum: Tensor, norm: str = "ortho") -> Tensor:
        return torch.fft.irfft2(spectrum, s=(size, size), norm=norm)

    result = call(answer, z.clone(), size, decay)
    added = (column + row).abs().clamp(min=1 / size)
    mistakes = [
        (back(z), "all frequencies have the same weight; divide by f^decay."),
        (back(z * f**decay), "you multiplied, so that fast waves are loud; divide."),
        (back(z / f), "the exponent is missing: f^decay."),
        (back(z / added**decay), "f is the length of the pair of frequencies, √(f_y² + f_x²), not their sum."),
        (back(z / f**decay, norm="backward"), "give irfft2 norm='ortho'."),
        (back(z / (f * size) ** decay), "f is in cycles a pixel: fftfreq(size) as it is."),
    ]
    if isinstance(result, Tensor) and not result.isfinite().all():
        return "the mean has f = 0, so you divided by zero; let f be at least 1 / size."
    return compare(result, back(z / f**decay), mistakes)


def three_objectives(answer: object) -> str | None:
    """07.5: the middle of a channel's map, its mean, and the layer's mean of a²/2."""
    k, height, width = 2 - case(), 5 - case(), 6 - 3 * case()
    a = 3 * torch.randn(3 - case(), 4, height, width, generator=varied(9))
    result = call(answer, a.clone(), k)
    neuron, channel, layer = a[:, k, height // 2, width // 2], a[:, k].mean((1, 2)), a.square().mean((1, 2, 3)) / 2
    mistakes = [
        ((neuron, channel, 2 * layer), "the layer's objective has a factor ½."),
        ((neuron, channel, a.square().sum((1, 2, 3)) / 2), "the layer's objective is a mean, not a sum."),
        ((neuron, channel, a[:, k].square().mean((1, 2)) / 2), "the layer's objective takes all channels."),
        ((neuron, channel, a.mean((1, 2, 3)) / 2), "the layer's objective takes the squares of a."),
        ((neuron, a[:, k].sum((1, 2)), layer), "the channel's objective is the mean of its map, not the sum."),
        ((neuron, a[:, k].amax((1, 2)), layer), "the channel's objective is the mean of its map, not the maximum."),
        ((a[:, k, 0, 0], channel, layer), "that neuron stands in the corner; take row H // 2, column W // 2."),
        ((a[:, k].amax((1, 2)), channel, layer), "that is the strongest neuron; take the one in the middle."),
    ]
    right = torch.stack([neuron, channel, layer])
    wrong = [(torch.stack(parts), hint) for parts, hint in mistakes]
    one = right.mean(1, keepdim=True)
    return compare(
        result, right, [*wrong, (right.T, "give (3, N): a row for each objective."), (one, "keep the batch.")]
    )


def diversity(answer: object) -> str | None:
    """07.6: minus the mean cosine of each Gram matrix to those of the other pictures."""
    n = 4 - case()
    a = torch.randn(n, 3 + case(), 4, 5, generator=varied(10))
    result = call(answer, a.clone())
    maps = a.flatten(2)
    grams = (maps @ maps.transpose(1, 2)).flatten(1)

    def others(vectors: Tensor) -> Tensor:
        unit = vectors / vectors.norm(dim=1, keepdim=True)
        return ((unit @ unit.T).sum(1) - 1) / (n - 1)

    right, cosine = -others(grams), others(grams)
    products = -((grams @ grams.T).sum(1) - grams.square().sum(1)) / (n - 1)
    mistakes = [
        (cosine, "the sign: what is alike should lose."),
        ((right * (n - 1) - 1) / n, "you counted each picture's cosine with itself, which is 1."),
        ((right * (n - 1) - 1) / (n - 1), "you counted each picture's cosine with itself, which is 1."),
        (right * (n - 1) / n, "divide by the number of the others, N - 1."),
        (right * (n - 1), "take the mean over the others, not the sum."),
        (products, "take the cosine: divide each Gram matrix by its length first."),
        (-others(a.flatten(1)), "compare Gram matrices; the maps themselves also tell where things are."),
        (right.mean(), "give one value for each picture."),
    ]
    return compare(result, right, mistakes)


def facet_start(answer: object) -> str | None:
    """07.7: the mean of the k images nearest to a centre."""
    n, k = 9 - case(), 3 + case()
    images, points = _random(n, 3, 3, 4, seed=11), torch.randn(n, 2, generator=varied(12))
    centre = torch.tensor([0.5, -0.8]) * (1 - 2 * case())
    result = call(answer, images.clone(), points.clone(), centre.clone(), k)
    away = points - centre

    def nearest(distance: Tensor, k: int = k) -> Tensor:
        return images[distance.argsort()[:k]].mean(0)

    order = away.norm(dim=1)
    mistakes = [
        (nearest(-order), "these are the farthest; sort the distances from small to large."),
        (nearest(points.norm(dim=1)), "measure the distance from the centre, not from 0."),
        (nearest(order, 1), "that is the nearest image alone; average k of them."),
        (nearest(order, n), "you averaged all images; take the k nearest."),
        (images[order.argsort()[:k]], "average the images that you found."),
        (images[:k].mean(0), "these are the first k images, not the nearest."),
        (nearest(order, k) * k, "take the mean, not the sum."),
    ]
    return compare(result, nearest(order), mistakes)


def from_phases(answer: object) -> str | None:
    """07.8: irfft2(r e^{iφ}), each plane of mean 0 and standard deviation 1."""
    n, size = 2 + case(), 8 - 2 * case()
    magnitude = 0.2 + _random(3, size, size // 2 + 1, seed=13)
    phase = 6 * _random(n, 3, size, size // 2 + 1, seed=14) - 3 * case()
    result = call(answer, magnitude.clone(), phase.clone(), size)

    def back(spectrum: Tensor) -> Tensor:
        return torch.fft.irfft2(spectrum, s=(size, size))

    def even(x: Tensor, dims: tuple[int, ...] = (2, 3)) -> Tensor:
        return (x - x.mean(dims, True)) / x.std(dims, keepdim=True)

    raw = back(torch.polar(magnitude.expand_as(phase), phase))
    mistakes = [
        (raw, "each plane still has its own mean and its own strength; bring them to 0 and 1."),
        (raw - raw.mean((2, 3), True), "divide by the standard deviation as well."),
        (raw / raw.std((2, 3), keepdim=True), "subtract the mean as well."),
        (even(raw, (0, 1, 2, 3)), "each plane on its own: you took one mean for the batch."),
        (even(raw, (1, 2, 3)), "each plane on its own: you took one mean for the three planes."),
        (even(back(torch.polar(torch.ones_like(phase), phase))), "the magnitudes of photographs do not enter."),
        (even(back(torch.polar(magnitude.expand_as(phase), -phase))), "the angle has the wrong sign."),
        (even(back((magnitude * phase.cos()).to(torch.complex64))), "the imaginary part r sin φ is missing."),
        (even(back(torch.complex(magnitude * phase.sin(), magnitude * phase.cos()))), "cos is real, sin imaginary."),
    ]
    return compare(result, even(raw), mistakes)


def into_range(answer: object) -> str | None:
    """07.9: max(0, min(z, μ + 3σ)), column by column."""
    codes = _random(6 + case(), 5, seed=15) * torch.tensor([0.1, 0.5, 1.0, 2.0, 4.0])
    z = torch.randn(4 - case(), 5, generator=varied(16)) * 4
    result = call(answer, z.clone(), codes.clone())
    mean, sd = codes.mean(0), codes.std(0)

    def within(low: Tensor | float, high: Tensor | float) -> Tensor:
        return torch.maximum(torch.minimum(z, torch.as_tensor(high)), torch.as_tensor(low))

    mistakes = [
        (z, "nothing was bounded."),
        (z.clamp(min=0), "the upper bound μ + 3σ is missing."),
        (torch.minimum(z, mean + 3 * sd), "the lower bound 0 is missing."),
        (within(mean - 3 * sd, mean + 3 * sd), "the lower bound is 0: after a ReLU nothing is negative."),
        (within(0.0, mean + sd), "three standard deviations, not one."),
        (within(0.0, 3 * sd), "the mean is missing in the upper bound."),
        (within(0.0, codes.mean() + 3 * codes.std()), "each column has a mean and a σ of its own."),
        (within(0.0, codes.amax(0)), "that is the largest value seen; the bound is μ + 3σ."),
    ]
    return compare(result, within(0.0, mean + 3 * sd), mistakes)


JUDGES = {
    "07.1": climb,
    "07.2": class_model,
    "07.3": clip_contribution,
    "07.4": waves,
    "07.5": three_objectives,
    "07.6": diversity,
    "07.7": facet_start,
    "07.8": from_phases,
    "07.9": into_range,
}
