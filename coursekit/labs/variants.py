"""Checks of lab 06 again: the descendants of Grad-CAM, FullGrad and the blind trial; and what all its judges need."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.labs.blind import wilson
from coursekit.labs.checking import call, case, compare

CHANNELS, CLASSES, HEIGHT, WIDTH = 5, 4, 3, 4


def random_maps(*shape: int, seed: int) -> Tensor:
    """Draw normal numbers by a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def careful_call(function: object, *arguments: Any) -> Tensor | str:
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


def layer_cam_map(answer: object) -> str | None:
    """06.6: ReLU of the sum of maps × the positive part of their gradients; two sets of maps."""
    return _layer_cam_map(answer, 70 + 100 * case())


def _layer_cam_map(answer: object, seed: int) -> str | None:
    maps, gradient = (random_maps(CHANNELS, HEIGHT, WIDTH, seed=seed + i) for i in (0, 1))
    result = careful_call(answer, maps, gradient)
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
    return _guided_product(answer, *((6, 9), (12, 4))[case()])


def _guided_product(answer: object, height: int, width: int) -> str | None:
    guided, heat = random_maps(3, height, width, seed=72), random_maps(3, 2, seed=73).abs()
    result = careful_call(answer, guided, heat)
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
    """Images (n, 3, H, W) of one size -> logits (n, CLASSES): not linear, of both signs, 0.3 for black."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.filters = nn.Parameter(0.1 * random_maps(CLASSES, 3, height, width, seed=74), requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        return 0.3 + 3 * torch.einsum("nchw,kchw->nk", images, self.filters).tanh()


def score_weights(answer: object) -> str | None:
    """06.8: Score-CAM's weights, without a gradient; a wide and a tall picture."""
    return _score_weights(answer, *((6, 9, 1), (12, 4, 2))[case()])


def _score_weights(answer: object, height: int, width: int, target: int) -> str | None:
    network, image = _Colours(height, width), random_maps(1, 3, height, width, seed=75).sigmoid()
    image[..., 0, 0] = 0.0  # a black picture is 0 · x, but not 0 / x
    maps = random_maps(CHANNELS, 3, 2, seed=76) + 1
    result = careful_call(answer, network, image, maps, target)
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
    """06.9: what the input and what the biases give to a logit, on both sides of a ReLU; of both signs."""
    return _two_parts(answer, 80 + 7 * case())


def _two_parts(answer: object, seed: int) -> str | None:
    first, second = random_maps(CHANNELS, 3, seed=seed), random_maps(CLASSES, CHANNELS, seed=seed + 1)
    b1, b2, x = random_maps(CHANNELS, seed=seed + 2), random_maps(CLASSES, seed=seed + 3), random_maps(3, seed=seed + 4)
    target = 1
    result = careful_call(answer, first, b1, second, b2, x, target)
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
    return _interval(answer, 10, 10) or _interval(answer, 0, 5) if case() else _interval(answer, 7, 10)


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
    "06.6": layer_cam_map,
    "06.7": guided_product,
    "06.8": score_weights,
    "06.9": two_parts,
    "06.10": interval,
}
