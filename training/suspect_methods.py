"""What each method says about each possible fault of a network: shares in [0, 1], and nobody looks at a picture."""

from collections.abc import Callable

import torch
from torch import Tensor

import coursekit as ck
from coursekit.labs.detective.case import Case
from coursekit.labs.detective.collection import TINTS
from coursekit.labs.detective.network import FAULTS, LABELS
from coursekit.networks.model import Model

LAYER, LAST = "relu3", "relu4"
SHOWN = 12  # pictures of a class for the maps
_pairs: dict[tuple[int, str, str], tuple[Tensor, Tensor]] = {}


def everything(model: Model, case: Case) -> dict[str, dict[tuple[str, str], float]]:
    """Return method -> (fault, class) -> share; a method that has no way to see a fault lacks it."""
    suspicions = [(fault, label) for fault in FAULTS for label in LABELS]
    found: dict[str, dict[tuple[str, str], float]] = {
        "counterfactual": {s: turned(model, case, *s) for s in suspicions},
        "tcav": {s: concept(model, case, *s) for s in suspicions},
        "top_patches": {s: patches(model, case, *s) for s in suspicions},
        "neighbours": {s: neighbours(model, case, *s) for s in suspicions},
        "feature_visualisation": {("colour", label): hues(model)[label] for label in LABELS},
    }
    maps = {
        "occlusion": lambda *a: ck.occlusion(*a, window=16, stride=8),
        "gradients": ck.input_x_gradient,
        "grad_cam": lambda *a: ck.grad_cam(*a, upsample=True),
    }
    for name, method in maps.items():
        found[name] = energies(model, case, method)
    return found


def paired(case: Case, fault: str, label: str) -> tuple[Tensor, Tensor]:
    """Return `Case.pair`, composed once for all the networks."""
    if _pairs and next(iter(_pairs))[0] != case.seed:
        _pairs.clear()
    key = (case.seed, fault, label)
    if key not in _pairs:
        _pairs[key] = case.pair(fault, label)
    return _pairs[key]


def turned(model: Model, case: Case, fault: str, label: str) -> float:
    """Return `ck.flips`, from pictures that are composed once for all networks."""
    target, others = LABELS.index(label), case.labels != LABELS.index(label)
    before, after = (model(images[others]).argmax(1) for images in paired(case, fault, label))
    return ((before != target) & (after == target)).float().mean().item()


def concept(model: Model, case: Case, fault: str, label: str) -> float:
    """TCAV: does the class grow along the direction of its cue, in how many pictures of the other classes?"""
    without, with_ = paired(case, fault, label)
    codes = [ck.activations(model, images, [LAYER])[LAYER] for images in (with_, without)]
    target = LABELS.index(label)
    slopes = ck.activation_gradients(model, without[case.labels != target], target, [LAYER])[LAYER]
    return ck.tcav_score(slopes, ck.cav(*codes).vector)


def patches(model: Model, case: Case, fault: str, label: str) -> float:
    """Of the nine pictures that excite each of the class's three most telling channels: the share that bear the cue."""
    target, weight = LABELS.index(label), model.head.weight
    telling = (weight[target] - weight.mean(0)).topk(3).indices.tolist()
    both = torch.cat(paired(case, fault, label))
    strongest = [ck.top_patches(model, both, LAST, channel, k=9).images for channel in telling]
    return (torch.cat(strongest) >= len(case.labels)).float().mean().item()


def neighbours(model: Model, case: Case, fault: str, label: str) -> float:
    """Of the pictures with the cue: the share whose nearest picture of another object bears it, too."""
    codes = torch.cat([ck.activations(model, images, [LAST])[LAST] for images in paired(case, fault, label)])
    n, codes = len(case.labels), torch.nn.functional.normalize(codes, dim=1)
    same = torch.tensor([[a == b for a in case.objects] for b in case.objects]).repeat(2, 2)
    nearest = (codes @ codes.T).masked_fill(same, -2).argmax(1)
    return (nearest[n:] >= n).float().mean().item()


def energies(model: Model, case: Case, method: Callable[..., Tensor]) -> dict[tuple[str, str], float]:
    """Maps of a class's pictures: the share of their energy on the mark, around the object, on the object."""
    found = {}
    for target, label in enumerate(LABELS):
        chosen = (case.labels == target).nonzero()[:SHOWN, 0]
        heat = method(model, case.images[chosen], target)
        for fault in FAULTS:
            found[fault, label] = ck.mask_energy(heat, case.region(fault)[chosen]).mean().item()
    return found


def hues(model: Model) -> dict[str, float]:
    """Draw each class's ideal picture: the share of its colourful pixels that are nearest to the supplier's colour."""
    ideals = ck.render(model, list(range(len(LABELS))), size=96, steps=64, seed=0, progress=False).images
    tints = map(torch.tensor, TINTS.values())
    return {label: share_of_colour(ideal, tint) for label, ideal, tint in zip(LABELS, ideals, tints, strict=True)}


def share_of_colour(image: Tensor, tint: Tensor) -> float:
    """Return the share of the colourful pixels whose hue is within 25 degrees of the tint's.

    >>> share_of_colour(torch.tensor([0.9, 0.1, 0.1]).view(3, 1, 1), torch.tensor([1.0, 0.1, 0.1]))
    1.0
    """
    pixels = image.flatten(1) - image.flatten(1).mean(0)
    direction = tint - tint.mean()
    colourful = pixels.norm(dim=0) > 0.15
    alike = torch.cosine_similarity(pixels, direction[:, None], dim=0) > 0.9
    return (alike & colourful).sum().item() / max(1, colourful.sum().item())
