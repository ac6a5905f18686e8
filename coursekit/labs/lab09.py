"""Checks of lab 09, inversion."""

import math
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from coursekit.interrupts import importing
from coursekit.labs.checking import call, case, compare, varied
from coursekit.networks.model import Model
from coursekit.probe.capture import capture


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def code_error(answer: object) -> str | None:
    """09.1: ‖a - a₀‖² / ‖a₀‖², one number for each image."""
    a, goal = _random(3, 4, 2, 2 + case(), seed=1), 2 * _random(1, 4, 2, 2 + case(), seed=2) - 1.5 * case()
    result = call(answer, a.clone(), goal.clone())
    squares = (a - goal).pow(2).flatten(1).sum(1)
    length = goal.pow(2).sum()
    mistakes = [
        (squares, "the denominator is missing: divide by ‖a₀‖², or no two layers can be compared."),
        ((squares / length).sqrt(), "the squares are missing: this is ‖a - a₀‖ / ‖a₀‖."),
        (squares.sqrt() / length, "the numerator needs its square, too."),
        (squares / length.sqrt(), "the denominator needs its square, too."),
        (squares / a.pow(2).flatten(1).sum(1), "divide by the length of the goal a₀, not of the code that moves."),
        (squares.sum() / length, "you added up all images; each has an error of its own."),
        (squares.mean() / length, "you averaged over the images; each has an error of its own."),
        (squares / goal.numel(), "you divided by the number of values; divide by ‖a₀‖²."),
        ((a - goal).abs().flatten(1).sum(1) / goal.abs().sum(), "these are absolute values; take squares."),
    ]
    return compare(result, squares / length, mistakes)


def total_variation(answer: object) -> str | None:
    """09.2: Σ (Δ_v² + Δ_h²)^(β/2) / (H W)."""
    x, beta = _random(2, 3, 5, 6, seed=3), 1.6 + case()
    down, right = x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]
    result = call(answer, x.clone(), beta)

    def total(values: Tensor, power: float = beta / 2, size: int = 30) -> Tensor:
        return values.pow(power).flatten(1).sum(1) / size

    both = down**2 + right**2
    round_v, round_h = x.roll(-1, 2) - x, x.roll(-1, 3) - x
    mistakes = [
        (total(down**2), "only the differences down are there; the picture also varies to the right."),
        (total(right**2), "only the differences to the right are there; the picture also varies down."),
        (total(x.diff(dim=2) ** 2), "only the differences down are there; the picture also varies to the right."),
        (total(x.diff(dim=3) ** 2), "only the differences to the right are there; the picture also varies down."),
        (total(both, beta), "the exponent of the sum of squares is β / 2, not β."),
        (total(both, 1.0), "the exponent β / 2 is missing."),
        (total(both, 0.5), "this is β = 1 for every β; the exponent is β / 2."),
        (total(down**2) + total(right**2), "add the two squares first, then take the power: one edge, one length."),
        (total(x.diff(dim=2) ** 2) + total(x.diff(dim=3) ** 2), "add the two squares first, then take the power."),
        (total(both, size=1), "divide by H · W, or larger pictures pay more."),
        (total(both, size=90), "you averaged over the colours, too; divide by H · W only."),
        (total(both, size=20), "divide by H · W, the pixels of the picture, not by the differences."),
        (total(both).sum(), "you added up all images; each has a variation of its own."),
        (total(round_v**2 + round_h**2), "roll makes the first row the neighbour of the last; leave the border out."),
    ]
    return compare(result, total(both), mistakes)


def search(answer: object) -> str | None:
    """09.3: L-BFGS, clamped after each step and never inside the closure."""
    matrix, goal = _random(6, 12, seed=4) - 0.5, (3 - 5 * case()) * _random(6, seed=5) - 1 + 2.5 * case()
    start, steps = _random(1, 3, 2, 2, seed=6), 3

    def loss(x: Tensor) -> Tensor:
        return 0.2 * (x.flatten() @ matrix.T - goal).pow(2).sum() + 0.1 * (x - 0.5).square().add(1).log().sum()

    def found(inside: bool = False, after: bool = True, last: bool = False, zero: bool = True, n: int = steps):
        x = start.clone().requires_grad_()
        with importing():
            optimizer = torch.optim.LBFGS([x], max_iter=5)

        def closure() -> Tensor:
            if zero:
                optimizer.zero_grad()
            if inside:
                x.data.clamp_(0, 1)
            value = loss(x)
            value.backward()
            return value

        for _ in range(n):
            optimizer.step(closure)
            if after:
                x.data.clamp_(0, 1)
        return x.detach().clamp(0, 1) if last else x.detach()

    given = start.clone()
    result = call(answer, loss, given, steps)
    if not torch.equal(given.detach(), start):
        return "you changed the start that you were given; work on start.clone()."
    inside = "you clamped inside the closure: L-BFGS then learns from steps that it never took. Clamp after each step."
    mistakes = [
        (found(inside=True, after=False), inside),
        (found(inside=True, after=False, last=True), inside),
        (found(inside=True), inside),
        (found(after=False), "values leave [0, 1]; clamp after each step."),
        (found(after=False, last=True), "you clamped only once, at the end; clamp after each step."),
        (found(zero=False), "set the gradient to zero at the begin of the closure, or old gradients add up."),
        (found(n=1), "you made one step; `steps` are asked for."),
        (start, "the picture has not moved; give the closure to optimizer.step."),
    ]
    return compare(result, found(), mistakes)


def between(answer: object) -> str | None:
    """09.4: mix the codes after the ReLU, then decode."""
    weight = torch.randn(4, 12, generator=torch.Generator().manual_seed(7))
    fc6, fc8 = nn.Linear(12, 4), nn.Linear(4, 2)  # after tanh: the code of a mixture is no mixture of codes
    with torch.no_grad():
        fc6.weight.copy_(weight)
        fc6.bias.fill_(-0.2)
    layers = OrderedDict(flatten=nn.Flatten(), tanh=nn.Tanh(), fc6=fc6, relu6=nn.ReLU(), fc8=fc8)
    model = Model(nn.Sequential(layers).requires_grad_(False))
    first, second, t = _random(1, 3, 2, 2, seed=8), _random(1, 3, 2, 2, seed=9), 0.3 + case() / 2

    def decode(c: Tensor) -> Tensor:
        return (c @ weight).tanh().view(-1, 3, 2, 2)

    def code(x: Tensor, layer: str = "relu6") -> Tensor:
        with capture(model, [layer]) as acts, torch.no_grad():
            model(x)
        return acts[layer]

    def mix(f: Callable[[Tensor], Tensor], share: float = t) -> Tensor:
        return (1 - share) * f(first) + share * f(second)

    raw = mix(lambda x: code(x, "fc6"))
    result = call(answer, model, decode, first.clone(), second.clone(), t)
    before = "these are codes before the ReLU (fc6); the decoder knows codes of relu6, which are never negative."
    mistakes = [
        (decode(raw), before),
        (decode(raw.clamp(min=0)), "you mixed before the ReLU; take the codes of relu6, then mix."),
        (decode(code(mix(lambda x: x))), "you mixed the pixels; mix the codes."),
        (mix(lambda x: x), "this is a mixture of pixels, without any code."),
        (mix(lambda x: decode(code(x))), "you mixed the decoded pictures; mix the codes, then decode once."),
        (decode(mix(code, 1 - t)), "t and 1 - t are swapped: t = 0 is the first picture."),
        (mix(code), "this is the mixed code; decode it."),
        (decode(code(first) + t * code(second)), "the first code needs its share 1 - t."),
    ]
    return compare(result, decode(mix(code)), mistakes)


def mean_distance(answer: object) -> str | None:
    """09.5: the mean distance between two different codes."""
    codes = 3 * _random(5, 7 + case(), seed=10) - case()
    apart = torch.cdist(codes, codes)
    result = call(answer, codes.clone())
    mistakes = [
        (apart.mean(), "a code is no pair with itself: those zeros do not count."),
        (apart.sum(), "the mean is asked for, not the sum."),
        (torch.pdist(codes).sum(), "the mean is asked for, not the sum."),
        (apart.pow(2).sum() / 20, "these are squared distances; take the root of each."),
        ((apart.pow(2).sum() / 20).sqrt(), "take the root of each distance first, then the mean."),
        (apart.triu().sum() / 20, "half of the pairs, but divided by all; each pair once makes 10 of 5 codes."),
        ((codes - codes.mean(0)).norm(dim=1).mean(), "these are distances from the mean code; take pairs of codes."),
        ((codes[1:] - codes[:-1]).norm(dim=1).mean(), "these are neighbours in the list only; take all pairs."),
    ]
    return compare(result, torch.pdist(codes).mean(), mistakes)


def directions(answer: object) -> str | None:
    """09.6: Σ length of the slopes whose angle lies in each part of the turn."""
    for seed, shape, bins, signed in ((11, (6, 5), 5, False), (12, (4, 9), 7, True)):
        dx, dy = _random(*shape, seed=seed) - 0.5, 2 * _random(*shape, seed=seed + 10) - 1.1
        length = torch.hypot(dx, dy)

        def count(votes: Tensor, y: Tensor, x: Tensor, turn: float, bins: int = bins) -> Tensor:
            part = (torch.atan2(y, x) % turn / turn * bins).long()
            return torch.stack([votes[part == k].sum() for k in range(bins)])

        turn, half = (2 * math.pi, math.pi) if signed else (math.pi, 2 * math.pi)
        right = count(length, dy, dx, turn)
        mistakes = [
            (count(torch.ones_like(dx), dy, dx, turn), "you counted the pixels; add the lengths of their slopes."),
            (count(length**2, dy, dx, turn), "these are squared lengths; take the root."),
            (count(dx.abs() + dy.abs(), dy, dx, turn), "the length is the root of dx² + dy²."),
            (count(length, dx, dy, turn), "dx and dy are swapped: atan2 takes dy first."),
            (count(length, dy, dx, half), "signed means a turn of 360°, unsigned one of 180°."),
            (count(length, -dy, dx, turn), "the angle runs the other way; keep the sign of dy."),
            (right / right.sum(), "the sums are asked for, not their shares."),
            (right / length.numel(), "the sums are asked for, not the means."),
        ]
        hint = compare(call(answer, dx.clone(), dy.clone(), bins, signed), right, mistakes)
        if hint:
            return hint
    return None


def between_angles(answer: object) -> str | None:
    """09.7: a share t of the shorter way between two angles, each written as sine and cosine."""
    for start, way, t in ((2.8, 1.1, 0.3), (-2.9, -2.3, 0.8), (0.4, -1.2, 0.6)):

        def at(angle: float) -> Tensor:
            return torch.tensor([math.sin(angle), math.cos(angle)])

        first, second, right = at(start), at(start + way), at(start + t * way)
        mixed = (1 - t) * first + t * second
        long = way - math.copysign(2 * math.pi, way)
        mistakes = [
            (mixed, "a straight line leaves the circle: the mean of opposite points is no angle at all."),
            (mixed / mixed.norm(), "on the circle again, but not at the share t of the way: mix the angles."),
            (
                at(start + t * long),
                "that is the longer way round; bring the difference of the angles to [-180°, 180°).",
            ),
            (at(start + (1 - t) * way), "t and 1 - t are swapped: t = 0 is the first angle."),
            (right.flip(0), "sine and cosine are swapped."),
            (torch.tensor(math.atan2(*right.tolist())), "that is the angle; give its sine and cosine."),
        ]
        hint = compare(call(answer, first, second, t), right, mistakes)
        if hint:
            return hint
    return None


JUDGES = {
    "09.1": code_error,
    "09.2": total_variation,
    "09.3": search,
    "09.4": between,
    "09.5": mean_distance,
    "09.6": directions,
    "09.7": between_angles,
}
