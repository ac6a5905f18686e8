"""Checks of lab 06, class activation maps."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from coursekit.labs.checking import case, compare
from coursekit.labs.variants import CHANNELS, CLASSES, HEIGHT, WIDTH, careful_call, random_maps
from coursekit.labs.variants import JUDGES as LATER


def class_map(answer: object) -> str | None:
    """06.1: the sum of all maps, each times its weight of the class; small weights and large ones."""
    return _class_map(answer, *((60, 1, 0), (160, 3, 2))[case()])


def _class_map(answer: object, seed: int, size: int, rank: int) -> str | None:
    maps = random_maps(CHANNELS, HEIGHT, WIDTH, seed=seed).relu()
    weight = size * random_maps(CLASSES, CHANNELS, seed=seed + 1)
    target = int((weight @ maps.mean((1, 2))).argsort()[rank])  # not the most probable class
    result = careful_call(answer, maps, weight, target)
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

    def __init__(self, size: int):
        super().__init__()
        self.place = nn.Parameter(random_maps(CHANNELS, HEIGHT, WIDTH, seed=62), requires_grad=False)
        self.mix = nn.Parameter(size * random_maps(CLASSES, CHANNELS, seed=63), requires_grad=False)

    def forward(self, maps: Tensor) -> Tensor:
        return (maps * self.place).tanh().sum((2, 3)) @ self.mix.T


def _gradient(tail: nn.Module, maps: Tensor, read: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.enable_grad():
        x = maps.detach().clone().requires_grad_()
        return torch.autograd.grad(read(tail(x)), x)[0][0]


def channel_importance(answer: object) -> str | None:
    """06.2: the mean of the logit's gradient over the positions; small logits and large ones."""
    return _channel_importance(answer, *((64, 1), (164, 20))[case()])


def _channel_importance(answer: object, seed: int, size: int) -> str | None:
    tail, maps = _Tail(size), random_maps(1, CHANNELS, HEIGHT, WIDTH, seed=seed).relu()
    target = int(tail(maps)[0].argsort()[1])  # neither the most nor the least probable class
    result = careful_call(answer, tail, maps, target)
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
    return _grad_cam_map(answer, 65 + 100 * case())


def _grad_cam_map(answer: object, seed: int) -> str | None:
    maps, alpha = random_maps(CHANNELS, HEIGHT, WIDTH, seed=seed), random_maps(CHANNELS, seed=seed + 1)
    result = careful_call(answer, maps, alpha)
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
    return _overlap(answer, *((0.3, 0.6), (0.7, 0.4))[case()])


def _overlap(answer: object, region: float, mask: float) -> str | None:
    generator = torch.Generator().manual_seed(67)
    regions, masks = (torch.rand(3, 6, 6, generator=generator) < part for part in (region, mask))
    regions[2], masks[1, :4] = False, False
    result = careful_call(answer, regions, masks)
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


JUDGES = {
    "06.1": class_map,
    "06.2": channel_importance,
    "06.3": grad_cam_map,
    "06.4": overlap,
    "06.5": one_place,
    **LATER,
}
