"""Checks of lab 10, DeepDream."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.labs.checking import call, case, compare, varied


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def dream_step(answer: object) -> str | None:
    """10.1: x + rate · g / mean|g|, in [0, 1]."""
    x, g, rate = _random(1, 3, 6, 6, seed=1), _random(1, 3, 6, 6, seed=2) - 0.3, 0.15
    if case():  # stays inside [0, 1]
        x, rate = 0.25 + x / 2, 0.05
    mean = g.abs().mean()
    result = call(answer, x.clone(), g.clone(), rate)
    mistakes = [
        ((x - rate * g / mean).clamp(0, 1), "this goes down; a dream climbs: add the step."),
        (x + rate * g / mean, "the values leave [0, 1]; clip them at the end."),
        ((x + rate * g / g.abs().max()).clamp(0, 1), "you divided by the largest |g|; take the mean."),
        (
            (x + rate * g / g.mean()).clamp(0, 1),
            "you divided by the mean of g, where signs cancel; take the mean of |g|.",
        ),
        ((x + rate * g / g.norm()).clamp(0, 1), "you divided by the length of g; take the mean of |g|."),
        ((x + rate * g).clamp(0, 1), "divide by the mean of |g|, so that one rate serves all layers."),
        ((x + rate * g.sign()).clamp(0, 1), "you took the sign; the step keeps the proportions of g."),
    ]
    return compare(result, (x + rate * g / mean).clamp(0, 1), mistakes)


def rolled_step(answer: object) -> str | None:
    """10.2: roll, step, roll back."""
    x, dy, dx = _random(1, 3, 7, 9, seed=3) - case(), 2 - 3 * case(), 3
    weight = _random(1, 3, 7, 9, seed=4)

    def step(y: Tensor) -> Tensor:
        return y + weight  # what it adds depends on the place

    def rolled(there: tuple[int, int], back: tuple[int, int] | None) -> Tensor:
        y = step(x.roll(there, (2, 3)))
        return y if back is None else y.roll(back, (2, 3))

    result = call(answer, x.clone(), step, dy, dx)
    mistakes = [
        (rolled((dy, dx), None), "the way back is missing: roll the result by -dy and -dx."),
        (rolled((dy, dx), (dy, dx)), "you rolled twice in the same direction; the way back has the opposite signs."),
        (rolled((dx, dy), (-dx, -dy)), "rows and columns are swapped: dy rolls dimension 2, dx dimension 3."),
        (rolled((-dy, -dx), (dy, dx)), "you rolled back first; roll by (dy, dx) before the step."),
        (step(x), "you did not roll at all before the step."),
    ]
    return compare(result, rolled((dy, dx), (-dy, -dx)), mistakes)


def octave_sizes(answer: object) -> str | None:
    """10.3: the sizes of the octaves, smallest first."""
    height, width, n, scale = (451, 230, 3, 1.5) if case() else (302, 451, 4, 1.4)
    sizes = [(round(height / scale**k), round(width / scale**k)) for k in range(n)]
    result = call(answer, height, width, n, scale)
    try:
        seen = torch.tensor([[float(side) for side in size] for size in result])
    except (TypeError, ValueError):
        return "a list of pairs (height, width) is asked for."
    steps = [(height, width)]
    for _ in range(n - 1):
        steps.append((int(steps[-1][0] / scale), int(steps[-1][1] / scale)))
    mistakes = [
        (sizes, "the order is the other way round: the smallest comes first."),
        (steps[::-1], "the errors of rounding add up: compute each size from the picture's own."),
        ([(int(height / scale**k), int(width / scale**k)) for k in range(n)][::-1], "you cut; round to the nearest."),
        ([(w, h) for h, w in sizes][::-1], "height comes first, then width."),
        (sizes[1:][::-1], "the picture's own size is the last of them."),
        ([(round(height / scale**k), round(width / scale**k)) for k in range(n + 1)][::-1], "one octave too many."),
        (
            [(round(height / scale**k), round(width / scale**k)) for k in range(1, n + 1)][::-1],
            "the powers run from 0 to n - 1.",
        ),
    ]
    wrong = [(torch.tensor(value, dtype=torch.float32), hint) for value, hint in mistakes]
    return compare(seen, torch.tensor(sizes[::-1], dtype=torch.float32), wrong)


def dream_in_octaves(answer: object) -> str | None:
    """10.4: the detail is enlarged from octave to octave."""
    image, sizes = _random(1, 3, 12, 12, seed=5), [(8, 6), (12, 12)] if case() else [(6, 6), (9, 9), (12, 12)]

    def step(y: Tensor) -> Tensor:
        return (y + 0.3 * y.roll(1, 3)) / 1.2 - 0.4 * case()

    def walk(carry: Callable[[Tensor, Tensor], Tensor], add: bool = True, last: bool = True) -> Tensor:
        kept = torch.zeros_like(image)
        for size in sizes:
            photo = F.interpolate(image, size=size, mode="bilinear", antialias=True)
            larger = F.interpolate(kept, size=size, mode="bilinear", antialias=True)
            made = step(photo + larger if add else (larger if kept.any() else photo))
            kept = carry(made, photo)
        return made if last else kept

    right = walk(lambda made, photo: made - photo)
    result = call(answer, image.clone(), step, list(sizes))
    mistakes = [
        (
            walk(lambda made, photo: made, add=False),
            "you enlarged the whole dream; enlarge its detail and add it to the photograph.",
        ),
        (walk(lambda made, photo: made), "what you carry over is the dream, not what differs from the photograph."),
        (
            walk(lambda made, photo: torch.zeros_like(made)),
            "no detail is carried over: this equals one dream at the last size only.",
        ),
        (walk(lambda made, photo: made - photo, last=False), "that is the last detail; return the last dream."),
        (walk(lambda made, photo: photo - made), "the detail has the wrong sign: the dream minus the photograph."),
    ]
    return compare(result, right, mistakes)


def smoothed(answer: object) -> str | None:
    """10.5: the gradient at several scales, each divided by its standard deviation, added."""
    g, sigmas = _random(1, 3, 8, 9, seed=6) - 0.4 * case(), (0.5, 1.0, 2.0) if case() else (1.0, 3.0)

    def blur(x: Tensor, sigma: float) -> Tensor:
        return x + sigma * x.roll(1, 3) + sigma**2 * x.roll(2, 2)

    scales = [blur(g, sigma) for sigma in sigmas]
    right = sum((b / b.std() for b in scales), torch.zeros_like(g))
    twice = g
    for sigma in sigmas:
        twice = blur(twice, sigma)
    result = call(answer, g.clone(), blur, sigmas)
    mistakes = [
        (sum(scales, 0 * g), "the widest blur wins or loses; divide each scale by its own standard deviation."),
        (sum(scales, 0 * g) / g.std(), "divide each scale by its *own* standard deviation, not by that of g."),
        (sum(scales, 0 * g) / sum(scales, 0 * g).std(), "divide each scale before you add, not the sum."),
        (right / len(sigmas), "that is the mean of the scales; add them."),
        (twice / twice.std(), "you blurred what was blurred already; blur g itself for each sigma."),
        (sum((b / b.abs().max() for b in scales), 0 * g), "you divided by the largest value; take b.std()."),
        (sum((b / b.abs().mean() for b in scales), 0 * g), "you divided by the mean of |b|; take b.std()."),
        (sum((b / b.var() for b in scales), 0 * g), "that is the variance; divide by its root, b.std()."),
        (scales[-1] / scales[-1].std(), "that is the last scale alone; add all of them."),
    ]
    return compare(result, right, mistakes)


def guide_score(answer: object) -> str | None:
    """10.6: mean over the dream's places of the best dot product with the guide's codes."""
    here, there = (7, 4) if case() else (4, 6)
    a, q = _random(5, here, seed=7) + 0.3, _random(5, there, seed=8) - 2 * case()  # the second score is negative
    products = a.T @ q  # (places of the dream, places of the guide)
    near = torch.cdist(a.T, q.T).argmin(1)
    result = call(answer, a.clone(), q.clone())
    mistakes = [
        (
            products.amax(0).mean(),
            "you asked each place of the guide; ask each place of the *dream* for its best code.",
        ),
        (products.mean(), "that is the mean of all products; at each place take the largest."),
        (products.amax(), "that is the one best pair; take the best code at each place, then the mean."),
        (products.amax(1).sum(), "that is the sum over places; take the mean."),
        ((F.normalize(a, dim=0).T @ F.normalize(q, dim=0)).amax(1).mean(), "that is the cosine; take the dot product."),
        (products.gather(1, near[:, None]).mean(), "you took the nearest code; take the one with the largest product."),
        (products.amin(1).mean(), "you took the smallest product; take the largest."),
    ]
    return compare(result, products.amax(1).mean(), mistakes)


def closer(answer: object) -> str | None:
    """10.7: cut out the middle and enlarge it to the picture's size."""
    height, width, factor = (30, 18, 1.25) if case() else (20, 32, 1.6)
    image = 3 * _random(1, 3, height, width, seed=9) - 2 * case()
    h, w = round(height / factor), round(width / factor)
    top, left = (height - h) // 2, (width - w) // 2

    def enlarged(piece: Tensor, mode: str = "bilinear") -> Tensor:
        return F.interpolate(piece, size=(height, width), mode=mode)

    middle = image[:, :, top : top + h, left : left + w]
    result = call(answer, image.clone(), factor)
    mistakes = [
        (enlarged(image[:, :, :h, :w]), "that is the upper left corner; cut out the middle."),
        (enlarged(image[:, :, -h:, -w:]), "that is the lower right corner; cut out the middle."),
        (middle, "enlarge what you cut out to the size of the picture."),
        (enlarged(middle, "nearest"), 'you enlarged by squares; take mode="bilinear".'),
        (image, "nothing has come closer."),
    ]
    return compare(result, enlarged(middle), mistakes)


JUDGES = {
    "10.1": dream_step,
    "10.2": rolled_step,
    "10.3": octave_sizes,
    "10.4": dream_in_octaves,
    "10.5": smoothed,
    "10.6": guide_score,
    "10.7": closer,
}
