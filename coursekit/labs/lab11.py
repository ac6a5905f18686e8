"""Checks of lab 11, style transfer."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.interrupts import importing
from coursekit.labs.checking import call, case, compare, varied
from coursekit.networks.model import Model
from coursekit.probe.capture import capture
from coursekit.synthesis.objectives import gram


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def gram_matrix(answer: object) -> str | None:
    """11.1: G = A Aᵀ / (H W)."""
    a = (1 + 3 * case()) * (_random(2, 3, 4, 5, seed=1) - 0.3 - 0.2 * case())
    result = call(answer, a.clone())
    flat, right = a.flatten(2), gram(a)
    mean = flat.mean(2)
    square = a[..., :4]
    mistakes = [
        (a @ a.transpose(2, 3), "these are (N, C, H, H): reshape each map to one row first."),
        (a @ a.transpose(2, 3) / 20, "these are (N, C, H, H): reshape each map to one row first."),
        (a.transpose(2, 3) @ a, "these are (N, C, W, W): reshape each map to one row first."),
        (a.transpose(2, 3) @ a / 20, "these are (N, C, W, W): reshape each map to one row first."),
        (flat.transpose(1, 2) @ flat, "this is HW × HW, place with place; multiply channel with channel: A Aᵀ."),
        (flat.transpose(1, 2) @ flat / 20, "this is HW × HW, place with place; multiply channel with channel: A Aᵀ."),
        (right * 20, "divide by H W, or larger pictures have larger Gram matrices."),
        (right / 3, "divide by H W, and not by C as well."),
        (right * 20 / 3, "you divided by C; divide by the number of places, H W."),
        (right * 20 / 19, "you divided by H W - 1; divide by H W."),
        (right - mean[:, :, None] * mean[:, None], "this is the covariance: do not subtract the means."),
        (right.sum(0), "you added up the batch; each image has a matrix of its own."),
        (right.mean(0), "you averaged over the batch; each image has a matrix of its own."),
        (right[0], "only the first image is there; keep the batch."),
    ]
    if isinstance(result, Tensor) and result.shape == right.shape:
        mixed = a.reshape(2, 20, 3).transpose(1, 2)  # the channels get mixed up with the places
        mistakes.append((mixed @ mixed.transpose(1, 2) / 20, "reshape to (N, C, HW), in this order."))
    if hint := compare(result, right, mistakes):
        return hint
    return compare(call(answer, square.clone()), gram(square))  # H = W, where a wrong transpose keeps the shape


def _eye() -> Model:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU())
    generator = varied(2)
    for parameter in net.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5
    return Model(net.requires_grad_(False))


def style_distance(answer: object) -> str | None:
    """11.2: mean over layers of ‖G - G₀‖² / ‖G₀‖²."""
    model, layers = _eye(), ["1", "3"]
    image, style = _random(1, 3, 8, 8, seed=3), _random(1, 3, 6, 10, seed=4) ** 2
    result = call(answer, model, image.clone(), style.clone(), list(layers))

    def grams(x: Tensor) -> list[Tensor]:
        with capture(model, layers) as acts, torch.no_grad():
            model(x)
        return [gram(acts[name]) for name in layers]

    pairs = list(zip(grams(image), grams(style), strict=True))

    def mean(ratio: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        return torch.stack([ratio(g, goal) for g, goal in pairs]).mean()

    each = [(g - goal).pow(2).sum() / goal.pow(2).sum() for g, goal in pairs]
    mistakes = [
        (sum(each), "you added up the layers; take their mean."),
        (each[-1], "only the last layer is there; take the mean over all of them."),
        (each[0], "only the first layer is there; take the mean over all of them."),
        (mean(lambda g, goal: (g - goal).pow(2).sum() / g.pow(2).sum()), "divide by the Gram matrix of the style."),
        (mean(lambda g, goal: (g - goal).pow(2).sum()), "the denominator is missing: divide by ‖G(a)‖²."),
        (mean(lambda g, goal: (g - goal).pow(2).mean()), "divide by ‖G(a)‖², not by the number of entries."),
        (mean(lambda g, goal: (g - goal).norm() / goal.norm()), "the squares are missing."),
        (mean(lambda g, goal: (g - goal).abs().sum() / goal.abs().sum()), "these are absolute values; take squares."),
        (-sum(each) / 2, "the sign: a distance is positive."),
    ]
    return compare(result, sum(each) / 2, mistakes)


def variation(answer: object) -> str | None:
    """11.3: total variation as the loop has it."""
    x = 3 * _random(2, 3, 5, 6, seed=5) - case()
    down, right = x.diff(dim=2), x.diff(dim=3)
    result = call(answer, x.clone())

    def total(*parts: Tensor) -> Tensor:
        return torch.stack([part.pow(2).flatten(1).sum(1) for part in parts]).sum(0)

    inner = down[..., :-1], right[:, :, :-1]
    wrapped = (x.roll(-1, 2) - x, x.roll(-1, 3) - x)
    mistakes = [
        (total(down, right), "the loop leaves out the last row and the last column; cut them off."),
        (total(*wrapped), "roll compares the last row with the first; the loop does not."),
        (total(down), "only the differences down are there."),
        (total(inner[0]), "only the differences down are there."),
        (total(right), "only the differences to the right are there."),
        (total(inner[1]), "only the differences to the right are there."),
        (sum(part.abs().flatten(1).sum(1) for part in inner), "these are absolute values; the loop takes squares."),
        (total(inner[0] + inner[1]), "square each difference first, then add them."),
        (total(*inner).sum(), "you added up the batch; each image has a number of its own."),
        (total(*inner) / 30, "you divided by H W; the loop only adds up."),
        (total(*inner) / 60, "you took a mean; the loop only adds up."),
        ((inner[0] ** 2 + inner[1] ** 2).flatten(2).sum(2), "sum over the channels, too."),
    ]
    return compare(result, total(*inner), mistakes)


def _paint(loss: Callable, start: Tensor, steps: int, clamp: str = "after", max_iter: int = 5) -> Tensor:
    x = start.detach().clone().requires_grad_()
    with importing():
        optimizer = torch.optim.LBFGS([x], max_iter=max_iter)

    def closure() -> Tensor:
        if clamp == "inside":
            x.data.clamp_(0, 1)
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        return value

    for _ in range(steps):
        optimizer.step(closure)
        if clamp == "after":
            x.data.clamp_(0, 1)
    return x.detach().clamp(0, 1) if clamp == "end" else x.detach()


def paint(answer: object) -> str | None:
    """11.4: L-BFGS with the clamp after each step, and one value of the loss for each step."""
    start, goal = _random(1, 3, 4, 4, seed=6), 2 * _random(1, 3, 4, 4, seed=7) - 0.5
    scale, steps = 1 + 9 * _random(1, 3, 4, 4, seed=8), 3 - case()
    asked: list[float] = []

    def loss(x: Tensor) -> Tensor:
        value = (scale * (x - goal) ** 2).sum() / 8 + (x.sin() ** 4).sum()
        asked.append(value.item())
        return value

    given = start.clone()
    result = call(answer, loss, given, steps)
    seen = list(asked)
    if not isinstance(result, tuple | list) or len(result) != 2:
        return "return two things: the picture, and the list of losses."
    picture, losses = result
    inside = _paint(loss, start, steps, "inside")
    mistakes = [
        (inside, "the clamp stands in the closure; it belongs after the step."),
        (inside.clamp(0, 1), "the clamp stands in the closure; it belongs after the step."),
        (_paint(loss, start, steps, "end"), "you clamp once at the end; do it after each step."),
        (_paint(loss, start, steps, "never"), "nothing brings the values back into [0, 1]."),
        (_paint(loss, start, steps, max_iter=1), "the option max_iter=5 is missing."),
        (_paint(loss, start, steps, max_iter=20), "the option max_iter=5 is missing."),
        (_paint(loss, start, steps + 1), "that is one step too many."),
        (_paint(loss, start, steps - 1), "that is one step too few."),
        (start, "nothing has moved: does the closure call backward, and does step get the closure?"),
    ]
    if hint := compare(picture, _paint(loss, start, steps), mistakes):
        return hint
    if not torch.equal(given, start):
        return "the given start has changed; work on a copy."
    values = [float(value) for value in losses]
    if len(values) == len(seen) > steps:
        return "these are the losses of all evaluations; keep one for each step: step(closure) returns it."
    firsts = [_paint(loss, start, k) for k in range(steps)]
    return compare(
        torch.tensor(values),
        torch.tensor([loss(x).item() for x in firsts]),
        [(torch.tensor([loss(_paint(loss, start, k + 1)).item() for k in range(steps)]), _BEFORE)],
    )


_BEFORE = "these are the losses after each step; step(closure) returns the one before it, at no cost."


def keep_colours(answer: object) -> str | None:
    """11.5: the luminance of one picture, the chrominance of the other."""
    painted, photo = _random(2, 3, 4, 5, seed=9), 0.25 + 0.5 * _random(2, 3, 4, 5, seed=10)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

    def mixed(light: Tensor, colour: Tensor, share: Tensor = weights) -> Tensor:
        return (light * share).sum(1, keepdim=True) + colour - (colour * share).sum(1, keepdim=True)

    result = call(answer, painted.clone(), photo.clone())
    even = torch.full_like(weights, 1 / 3)
    backwards = weights.flip(1)
    mistakes = [
        (mixed(photo, painted).clamp(0, 1), "the two are swapped: luminance of `painted`, chrominance of `photo`."),
        (mixed(photo, painted), "the two are swapped: luminance of `painted`, chrominance of `photo`."),
        (mixed(painted, photo), "the values leave [0, 1]; clip them at the end."),
        (mixed(painted, photo, even).clamp(0, 1), "you took the plain mean of the channels; weigh them as in Y."),
        (mixed(painted, photo, backwards).clamp(0, 1), "the weights are in the wrong order: red, green, blue."),
        (
            ((painted * weights).sum(1, keepdim=True) + photo).clamp(0, 1),
            "take the luminance of `photo` away before you add the new one.",
        ),
        ((painted * weights).sum(1, keepdim=True).expand_as(photo), "this is grey; add the chrominance of `photo`."),
        ((painted * weights).sum(1, keepdim=True), "this is grey; add the chrominance of `photo`."),
    ]
    return compare(result, mixed(painted, photo).clamp(0, 1), mistakes)


def region_grams(answer: object) -> str | None:
    """11.6: G_r = Σ m_r a aᵀ / Σ m_r."""
    a = (1 + 3 * case()) * (_random(3, 4, 5, seed=11) - 0.3 - 0.2 * case())
    masks = F.one_hot((_random(4, 5, seed=12) * 1.4).long(), 2).permute(2, 0, 1).float()
    result = call(answer, a.clone(), masks.clone())
    sums = torch.einsum("rhw,chw,dhw->rcd", masks, a, a)
    area = masks.sum((1, 2))[:, None, None]
    mistakes: Sequence[tuple[Tensor, str]] = [
        (sums / 20, "you divided by H W; divide by the size of each region."),
        (sums, "divide by the size of the region."),
        (sums / 3 / area, "divide by the size of the region only, not by C."),
        (sums.sum(0) / 20, "that is one Gram matrix for all; keep the regions apart."),
        (gram(a[None])[0], "that is one Gram matrix for all; keep the regions apart."),
        (sums / area.flip(0), "each region is divided by the size of another one."),
        (sums / masks.sum(), "you divided by the size of all regions; each has its own."),
    ]
    return compare(result, sums / area, mistakes)


def count_numbers(answer: object) -> str | None:
    """11.7: Σ k (k + 1) / 2, k = min(C, components)."""
    channels, components = (([4, 7, 3, 12], 5), ([2, 9, 4], 6))[case()]
    result = call(answer, list(channels), components)
    kept = [min(c, components) for c in channels]

    def each(count: Callable[[int], float], of: Sequence[int] = kept) -> Tensor:
        return torch.tensor(float(sum(count(c) for c in of)))

    right = each(lambda k: k * (k + 1) / 2)
    mistakes = [
        (each(lambda k: k * (k + 1) / 2, channels), "these are all channels; keep the components."),
        (
            each(lambda k: k * (k + 1) / 2, [components] * len(channels)),
            "a layer of C channels has C components at most.",
        ),
        (each(lambda k: k * k), "a Gram matrix is symmetric: count each pair once."),
        (each(lambda k: k * (k - 1) / 2), "the diagonal counts, too."),
        (each(lambda k: k), "that is one number for each component; count the pairs."),
        (right / len(channels), "you took a mean over the layers; add them up."),
        (each(lambda k: k * (k + 1) / 2, kept[-1:]), "only the last layer is there."),
        (each(lambda k: k * (k + 1) / 2, kept[:1]), "only the first layer is there."),
        (each(lambda k: k * (k + 1) / 2, [sum(kept)]), "layers have no pairs in common: count each layer, then add."),
    ]
    return compare(result, right, mistakes)


def shape_bias(answer: object) -> str | None:
    """11.8: shape / (shape + texture), of the forced choice among all classes."""
    # what is named: 0 the shape, 1 the texture, 2 another class
    named = ([0, 1, 1, 2, 0, 1, 2, 1], [1, 0, 0, 0, 2, 2, 0, 0, 2])[case()]
    n, generator = len(named), varied(13)
    order = torch.stack([torch.randperm(6, generator=generator) for _ in named])
    shape, texture, other = order[:, 0], order[:, 1], order[:, 2]
    logits = 0.5 * torch.rand(n, 6, generator=generator) - 2 - 4 * case()
    at, which = torch.arange(n), torch.tensor(named)
    logits[at, torch.where(at % 2 == 0, shape, texture)] += 1  # a choice between the two counts otherwise
    logits[at, torch.stack([shape, texture, other])[which, at]] += 3
    result = call(answer, logits.clone(), shape.clone(), texture.clone())
    by_shape, by_texture = (which == 0).sum().float(), (which == 1).sum().float()
    right = by_shape / (by_shape + by_texture)
    mistakes = [
        (by_shape / n, "pictures that are named as neither do not count: divide by shape + texture."),
        (1 - right, "this is the share of the texture."),
        (by_shape, "this is a count; divide it by shape + texture."),
        (by_shape / by_texture, "divide by shape + texture, not by texture alone."),
        (by_shape + by_texture, "these are all decisions; which part of them is for the shape?"),
        ((by_shape + by_texture) / n, "these are all decisions; which part of them is for the shape?"),
        (
            (logits[at, shape] > logits[at, texture]).float().mean(),
            "you compared the two classes only; the network must choose among all.",
        ),
        (right * 100, "return a share from 0 to 1, not per cent."),
    ]
    return compare(result, right, mistakes)


JUDGES = {
    "11.1": gram_matrix,
    "11.2": style_distance,
    "11.3": variation,
    "11.4": paint,
    "11.5": keep_colours,
    "11.6": region_grams,
    "11.7": count_numbers,
    "11.8": shape_bias,
}
