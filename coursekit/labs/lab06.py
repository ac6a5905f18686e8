"""Checks of lab 06, class activation maps."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.labs.blind import wilson
from coursekit.labs.checking import call, compare

CHANNELS, CLASSES, HEIGHT, WIDTH = 5, 4, 3, 4


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _call(function: object, *arguments: Any) -> Tensor | str:
    """Run the student's function; a hint where autograd complains, or where an argument was changed."""
    before = [argument.detach().clone() if isinstance(argument, Tensor) else argument for argument in arguments]
    try:
        result = torch.as_tensor(call(function, *arguments)).detach()
    except RuntimeError as error:
        if "does not require grad" in str(error):
            return "torch kept no track of the maps: call requires_grad_() on a copy of them before the forward pass."
        if "only for scalar outputs" in str(error):
            return "a gradient needs one number: take the logit of the target class."
        raise
    changed = [
        isinstance(old, Tensor) and not torch.equal(old, new.detach())
        for old, new in zip(before, arguments, strict=True)
    ]
    return "your function changes what it was given; compute a new tensor." if any(changed) else result


def _first(hints: Iterable[str | None]) -> str | None:
    """The hint of the first case that is not right; None if all are."""
    return next((hint for hint in hints if hint is not None), None)


def class_map(answer: object) -> str | None:
    """06.1: the sum of all maps, each times its weight of the class; two sets of maps."""
    return _first(_class_map(answer, seed) for seed in (60, 160))


def _class_map(answer: object, seed: int) -> str | None:
    maps, weight = _random(CHANNELS, HEIGHT, WIDTH, seed=seed).relu(), _random(CLASSES, CHANNELS, seed=seed + 1)
    target = int((weight @ maps.mean((1, 2))).argmin())  # not the most probable class
    result = _call(answer, maps, weight, target)
    if isinstance(result, str):
        return result

    def weighed(by: Tensor) -> Tensor:
        return (by.view(-1, 1, 1) * maps).sum(0)

    best = int((weight @ maps.mean((1, 2))).argmax())
    right, area = weighed(weight[target]), HEIGHT * WIDTH
    mistakes = [
        (right.relu(), "no ReLU here: CAM keeps its sign, so that its mean plus the bias is the logit."),
        (
            right / area,
            "you divided by the number of positions, which is not part of CAM: its mean is the logit.",
        ),
        (right / CHANNELS, "you averaged over the channels; CAM is their weighted sum."),
        (right.sum(), "you added up the positions too; keep one number for each place."),
        (right.mean(), "you averaged over the positions too; keep one number for each place."),
        (maps.sum(0), "the weights are missing: this is the sum of the maps, the same for every class."),
        (maps.mean(0), "the weights are missing: this is the mean of the maps, the same for every class."),
        (weighed(weight[target].abs()), "keep the sign of the weights: a channel can speak against a class."),
        (weighed(weight[target].softmax(0)), "take the weights as they are, without a softmax."),
        (weighed(weight[best]), "these are the weights of the most probable class; use the target that is given."),
        (weighed(weight.sum(0)), "you used the weights of all classes; take the row of the target."),
        (weight[target].view(-1, 1, 1) * maps, "add the weighted maps up over the channels."),
        ((right - right.min()) / (right.max() - right.min()), "no stretching to [0, 1]: the values are logits."),
    ]
    return compare(result.squeeze(), right, mistakes)


class _Tail(nn.Module):
    """What comes after the maps (1, C, h, w): not linear, so that gradients differ from place to place."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(_random(CHANNELS, HEIGHT, WIDTH, seed=62), requires_grad=False)
        self.mix = nn.Parameter(_random(CLASSES, CHANNELS, seed=63), requires_grad=False)

    def forward(self, maps: Tensor) -> Tensor:
        return (maps * self.place).tanh().sum((2, 3)) @ self.mix.T


def _gradient(tail: nn.Module, maps: Tensor, read: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.enable_grad():
        x = maps.detach().clone().requires_grad_()
        return torch.autograd.grad(read(tail(x)), x)[0][0]


def channel_importance(answer: object) -> str | None:
    """06.2: the mean of the logit's gradient over the positions; two sets of maps."""
    return _first(_channel_importance(answer, seed) for seed in (64, 164))


def _channel_importance(answer: object, seed: int) -> str | None:
    tail, maps = _Tail(), _random(1, CHANNELS, HEIGHT, WIDTH, seed=seed).relu()
    target = int(tail(maps)[0].argsort()[1])  # neither the most nor the least probable class
    result = _call(answer, tail, maps, target)
    if isinstance(result, str):
        return result
    gradient = _gradient(tail, maps, lambda logits: logits[0, target])
    mean = gradient.mean((1, 2))
    of_probability = _gradient(tail, maps, lambda logits: logits.softmax(1)[0, target]).mean((1, 2))
    of_best = _gradient(tail, maps, lambda logits: logits.max()).mean((1, 2))
    of_all = _gradient(tail, maps, lambda logits: logits.sum()).mean((1, 2))
    mistakes = [
        (of_probability, "this is the gradient of the probability; leave the softmax out and take the logit."),
        (gradient.mean(0), "you averaged over the channels; average over the positions: one number for each channel."),
        (gradient.sum((1, 2)), "you added the positions up; α is their mean, so divide by Z = h · w."),
        (gradient.amax((1, 2)), "you took the largest gradient; α is the mean over the positions."),
        (gradient.abs().mean((1, 2)), "keep the sign: a channel with α < 0 speaks against the class."),
        (mean.abs(), "keep the sign: a channel with α < 0 speaks against the class."),
        (mean.relu(), "no ReLU on the importances: negative ones count, only the map gets the ReLU."),
        ((gradient * maps[0]).mean((1, 2)), "that is gradient × activation; α is the mean gradient alone."),
        (maps[0].mean((1, 2)), "that is the mean activation, the same for every class; take the gradient."),
        (of_best, "this is the most probable class; use the target that is given."),
        (of_all, "you differentiate the sum of all logits; take the one of the target class."),
        (gradient, "this is the gradient at each place; average it over the positions."),
        (mean / mean.norm(), "do not normalise: the importances have a scale that means something."),
    ]
    return compare(result.squeeze(), mean, mistakes)


def grad_cam_map(answer: object) -> str | None:
    """06.3: ReLU of the weighted sum of the maps; two sets of maps."""
    return _first(_grad_cam_map(answer, seed) for seed in (65, 165))


def _grad_cam_map(answer: object, seed: int) -> str | None:
    maps, alpha = _random(CHANNELS, HEIGHT, WIDTH, seed=seed), _random(CHANNELS, seed=seed + 1)
    result = _call(answer, maps, alpha)
    if isinstance(result, str):
        return result
    weighed = alpha.view(-1, 1, 1) * maps
    total = weighed.sum(0)
    mistakes = [
        (total, "the ReLU is missing: keep only what speaks for the class."),
        (weighed.relu().sum(0), "the ReLU comes last: first add the channels up, for and against, then cut."),
        (
            (alpha.relu().view(-1, 1, 1) * maps).sum(0).relu(),
            "do not cut the importances: those against it count.",
        ),
        ((alpha.relu().view(-1, 1, 1) * maps).sum(0), "the ReLU belongs on the map, not on the importances."),
        ((alpha.view(-1, 1, 1) * maps.relu()).sum(0), "the ReLU belongs on the weighted sum, not on the maps."),
        (total.abs(), "that is the magnitude; ReLU sets what is negative to zero."),
        ((-total).relu(), "the sign is wrong: this is what speaks against the class."),
        (weighed.mean(0).relu(), "you averaged over the channels; add them up."),
        (total.relu() / total.max(), "do not stretch the map: its values have a meaning."),
        (weighed.relu(), "add the weighted maps up over the channels, then cut."),
        (maps.sum(0).relu(), "the importances have no effect on your answer."),
    ]
    return compare(result.squeeze(), total.relu(), mistakes)


def overlap(answer: object) -> str | None:
    """06.4: one IoU over all images: sum of the intersections ÷ sum of the unions; region or mask is the larger."""
    return _first(_overlap(answer, *parts) for parts in ((0.3, 0.6), (0.7, 0.4)))


def _overlap(answer: object, region: float, mask: float) -> str | None:
    generator = torch.Generator().manual_seed(67)
    regions, masks = (torch.rand(3, 6, 6, generator=generator) < part for part in (region, mask))
    regions[2], masks[1, :4] = False, False
    result = _call(answer, regions, masks)
    if isinstance(result, str):
        return result
    both, either = (regions & masks).float().sum((1, 2)), (regions | masks).float().sum((1, 2))
    sizes = regions.float().sum(), masks.float().sum()
    mistakes = [
        (
            (both / either).mean(),
            "you averaged the images' ratios; add up first, then divide.",
        ),
        (both.sum() / sum(sizes), "the union counts the common part once: |A| + |B| − |A ∩ B|."),
        (both.sum() / sizes[1], "you divide by the mask; divide by the union of region and mask."),
        (both.sum() / sizes[0], "you divide by the region; divide by the union of region and mask."),
        (2 * both.sum() / sum(sizes), "that is Dice's coefficient; the union counts the common part once."),
        (
            (regions == masks).float().mean(),
            "where both are absent does not count; divide intersection by union.",
        ),
        (both.sum(), "divide by the union."),
        (both / either, "one number for all images is asked for: add up first, then divide."),
        (either.sum() / both.sum(), "upside down: the intersection is divided by the union."),
    ]
    return compare(result.squeeze(), both.sum() / either.sum(), mistakes)


def one_place(answer: object) -> str | None:
    """06.5: Grad-CAM where CAM is 12.25, on a map of 7 × 7 before the mean: 12.25 / 49."""
    mistakes = [
        (12.25, "Z · L = ReLU(M), and Z is not 1."),
        (12.25 * 49, "the other way round: L = ReLU(M) / Z."),
        (12.25 / 7, "Z is the number of all positions, not of one row."),
        (12.25 / 1280, "Z is the number of positions, not of channels."),
        (-0.25, "CAM is positive here, so ReLU keeps it as it is."),
        (0.0, "CAM is positive here, so ReLU keeps it."),
    ]
    return compare(answer, 0.25, mistakes)


def layer_cam_map(answer: object) -> str | None:
    """06.6: ReLU of the sum of maps × the positive part of their gradients; two sets of maps."""
    return _first(_layer_cam_map(answer, seed) for seed in (70, 170))


def _layer_cam_map(answer: object, seed: int) -> str | None:
    maps, gradient = (_random(CHANNELS, HEIGHT, WIDTH, seed=seed + i) for i in (0, 1))
    result = _call(answer, maps, gradient)
    if isinstance(result, str):
        return result
    weighed = gradient.relu() * maps
    mean = gradient.mean((1, 2), keepdim=True)
    mistakes = [
        ((gradient * maps).sum(0).relu(), "this is HiResCAM; LayerCAM first sets negative gradients to zero."),
        ((mean * maps).sum(0).relu(), "this is Grad-CAM; give each position its own gradient."),
        ((mean.relu() * maps).sum(0).relu(), "do not average the gradient; each position has its own."),
        (weighed.sum(0), "the outer ReLU is missing; these maps have negative values too."),
        ((gradient * maps).relu().sum(0), "the inner ReLU belongs on the gradient, not on the product."),
        ((gradient.abs() * maps).sum(0).relu(), "keep positive gradients and drop the others; no magnitude."),
        (weighed.mean(0).relu(), "you averaged over the channels; add them up."),
        (weighed.relu(), "add the channels up, then cut."),
    ]
    return compare(result.squeeze(), weighed.sum(0).relu(), mistakes)


def guided_product(answer: object) -> str | None:
    """06.7: guided backprop × Grad-CAM, enlarged; a wide and a tall picture."""
    return _first(_guided_product(answer, *size) for size in ((6, 9), (12, 4)))


def _guided_product(answer: object, height: int, width: int) -> str | None:
    guided, heat = _random(3, height, width, seed=72), _random(3, 2, seed=73).abs()
    result = _call(answer, guided, heat)
    if isinstance(result, str):
        return result
    enlarged = F.interpolate(heat[None, None], (height, width), mode="bilinear")[0]
    mistakes = [
        (guided * F.interpolate(heat[None, None], (height, width))[0], 'enlarge smoothly: mode="bilinear".'),
        (
            guided * F.interpolate(heat[None, None], (height, width), mode="bilinear", align_corners=True)[0],
            "leave align_corners as it is: the corner of the map is the corner of the picture, not its middle.",
        ),
        (guided.abs() * enlarged, "keep the sign of guided backprop."),
        ((guided * enlarged).relu(), "keep the sign of guided backprop; only the Grad-CAM map has a ReLU."),
        (guided + enlarged, "multiply the two; where Grad-CAM is 0 nothing is left."),
        (enlarged.expand(3, -1, -1), "guided backprop has no effect on your answer."),
        (guided, "the Grad-CAM map has no effect on your answer."),
        ((guided * enlarged).sum(0), "keep the three colours."),
        (guided * enlarged / enlarged.max(), "do not stretch the map."),
    ]
    return compare(result.squeeze(), guided * enlarged, mistakes)


class _Colours(nn.Module):
    """Images (n, 3, H, W) of one size -> logits (n, CLASSES): not linear, and 0.3 for a black picture."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.filters = nn.Parameter(_random(CLASSES, 3, height, width, seed=74), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        return 0.3 + torch.einsum("nchw,kchw->nk", images, self.filters).tanh()


def score_weights(answer: object) -> str | None:
    """06.8: Score-CAM's weights, without a gradient; a wide and a tall picture."""
    return _first(_score_weights(answer, *size) for size in ((6, 9), (12, 4)))


def _score_weights(answer: object, height: int, width: int) -> str | None:
    network, image = _Colours(height, width), _random(1, 3, height, width, seed=75).sigmoid()
    maps, target = _random(CHANNELS, 3, 2, seed=76) + 1, 2
    result = _call(answer, network, image, maps, target)
    if isinstance(result, str):
        return result
    large = F.interpolate(maps[:, None], (height, width), mode="bilinear")
    low, high = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
    masks = (large - low) / (high - low)

    def score(images: Tensor) -> Tensor:
        return network(images)[:, target]

    black = score(torch.zeros_like(image))
    right = score(image * masks) - black
    probability = network(image * masks).softmax(1)[:, target]
    every = (large - large.min()) / (large.max() - large.min())
    mistakes = [
        (score(image * masks), "subtract the score of a black picture."),
        (score(image * large) - black, "stretch each map to [0, 1] before it becomes a mask."),
        (score(image * large), "stretch each map to [0, 1], and subtract the score of a black picture."),
        (score(image * every) - black, "each map has its own smallest and largest value."),
        (score(image * (1 - masks)) - black, "the mask keeps what the channel likes; yours takes it away."),
        (score(image) - score(image * masks), "ask how much of the score the mask keeps, not how much it takes."),
        (score(image * masks) - score(image), "compare with a black picture, not with the whole one."),
        (probability, "take the logit, not the probability."),
        (right.softmax(0), "no softmax over the channels here."),
        (score(image * masks.flip(3)) - black, "the mask is mirrored."),
        (network(image * masks) - network(torch.zeros_like(image)), "take the logit of the target class alone."),
    ]
    return compare(result.squeeze(), right, mistakes)


def two_parts(answer: object) -> str | None:
    """06.9: what the input and what the biases give to a logit, on both sides of a ReLU."""
    return _first(_two_parts(answer, seed) for seed in (80, 180))


def _two_parts(answer: object, seed: int) -> str | None:
    first, second = _random(CHANNELS, 3, seed=seed), _random(CLASSES, CHANNELS, seed=seed + 1)
    b1, b2, x = _random(CHANNELS, seed=seed + 2), _random(CLASSES, seed=seed + 3), _random(3, seed=seed + 4)
    target = 1
    result = _call(answer, first, b1, second, b2, x, target)
    if isinstance(result, str):
        return result
    on = (first @ x + b1 > 0).float()
    pixels, hidden, last = second[target] @ (on * (first @ x)), second[target] @ (on * b1), b2[target]
    always = second[target] @ (first @ x), second[target] @ b1 + last
    alone = second[target] @ (first @ x).relu()
    mistakes = [
        (torch.stack([pixels, hidden]), "the bias of the last layer is missing."),
        (torch.stack([pixels, last]), "the biases of the first layer are missing: those whose ReLU is on."),
        (torch.stack([pixels, second[target] @ b1 + last]), "a bias counts only where its ReLU is on."),
        (torch.stack(always), "only units count whose ReLU is on."),
        (torch.stack([alone, second[target] @ b1.relu() + last]), "the ReLU asks for W₁x + b₁, both together."),
        (torch.stack([hidden + last, pixels]), "the input comes first, then the biases."),
        (pixels + hidden + last, "this is the logit; give its two parts."),
        (torch.stack([pixels, hidden + last]) / (pixels + hidden + last), "give the parts in logits, not as shares."),
    ]
    return compare(result.squeeze(), torch.stack([pixels, hidden + last]), mistakes)


def interval(answer: object) -> str | None:
    """06.10: Wilson's interval, also where all or none of the trials were hits."""
    return _first(_interval(answer, *case) for case in ((7, 10), (10, 10), (0, 5)))


def _interval(answer: object, hits: int, n: int) -> str | None:
    result = call(answer, hits, n)
    ends = torch.as_tensor(result, dtype=torch.float64)
    p, z = hits / n, 1.96
    half = z * (p * (1 - p) / n) ** 0.5
    low, high = wilson(hits, n)
    once = wilson(hits, n, 1.0)
    no_root = (p * (1 - p) / n + z * z / (4 * n * n)) * z / (1 + z * z / n)
    middle = (low + high) / 2
    mistakes = [
        ((p - half, p + half), "this is p ± z √(p(1−p)/n), whose width is 0 for n hits of n; take Wilson's formula."),
        (once, "z = 1.96 for 95 %."),
        ((high, low), "the lower end comes first."),
        ((low * n, high * n), "give shares from 0 to 1, not counts."),
        ((low * (1 + z * z / n), high * (1 + z * z / n)), "divide by 1 + z²/n."),
        ((middle - no_root, middle + no_root), "the square root is missing."),
    ]
    return compare(
        ends, torch.tensor((low, high)).double(), [(torch.tensor(pair).double(), hint) for pair, hint in mistakes]
    )


JUDGES = {
    "06.1": class_map,
    "06.2": channel_importance,
    "06.3": grad_cam_map,
    "06.4": overlap,
    "06.5": one_place,
    "06.6": layer_cam_map,
    "06.7": guided_product,
    "06.8": score_weights,
    "06.9": two_parts,
    "06.10": interval,
}
