"""How good is a map? Scores against the true mask of an object, and deletion and insertion curves.

One rule turns every map into importances, so that all methods are ranked alike (`importance`). Pixels of equal
importance are always taken together or in a random order, never in reading order.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.errors import OptionError
from coursekit.images.loading import check_images
from coursekit.probe.capture import BATCH, Target, Unit, baseline, capture, check_count, evaluating, reader


def importance(maps: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Turn signed maps (N, C, h, w) into the importance of each pixel (N, H, W), never negative.

    Three channels are a map of colours (gradients and their kin): M = max_c |A_c|, because the sign of a gradient says
    whether brighter or darker helps, not whether the pixel matters (Simonyan et al. 2014, sec. 3.1). One channel is
    evidence for the target: M = max(A, 0), because evidence against it does not show where it is (Selvaraju et al.,
    *Grad-CAM*, ICCV 2017, sec. 3). Smaller maps are then enlarged to `size` (H, W) bilinearly.

    Raises `OptionError` for another shape, and for NaN or infinite values.

    >>> importance(torch.tensor([[[[2.0, -3.0]]]])).tolist()
    [[[2.0, 0.0]]]
    >>> importance(torch.tensor([[[[2.0]], [[-3.0]], [[1.0]]]])).tolist()
    [[[3.0]]]
    """
    if not isinstance(maps, Tensor) or maps.ndim != 4 or maps.shape[1] not in (1, 3) or 0 in maps.shape:
        seen = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
        raise OptionError(f"Maps must have the shape (N, 1, h, w) or (N, 3, h, w), but got {seen}.")
    if not maps.isfinite().all():
        raise OptionError("Maps must be finite, but some values are NaN or infinite.")
    maps = maps.detach()
    values = maps.clamp(min=0) if maps.shape[1] == 1 else maps.abs().amax(1, keepdim=True)
    if size is not None and values.shape[2:] != tuple(size):
        values = F.interpolate(values, size=tuple(size), mode="bilinear", align_corners=False)
    return values[:, 0]


# ------------------------------------------------------------------------------------- against the true mask


class Levels(NamedTuple):
    """How often each value occurs in a map: values ascending, pixels inside and outside the mask; each (L,)."""

    value: Tensor
    inside: Tensor
    outside: Tensor


def pointing_game(maps: Tensor, masks: Tensor) -> Tensor:
    """Ask whether the most important pixel lies on the object: 1 for a hit, 0 for a miss.

    Where several pixels share the maximum, the part of them that hits. There is no tolerance around the object. A map
    of one value scores the mask's share of the image, which is chance.

    Parameters
    ----------
    maps : (N, 1 | 3, h, w), signed as a method returns them; see `importance`. Enlarged to the masks' size.
    masks : (N, H, W) bool, each with pixels inside and outside.

    Returns
    -------
    Tensor (N,) on the CPU, in [0, 1].

    Raises
    ------
    OptionError
        Shapes that do not fit, a mask that covers nothing or everything, a map that is not finite.

    References
    ----------
    Zhang et al., *Top-down neural attention by excitation backprop*, ECCV 2016, sec. 4.1.

    Examples
    --------
    >>> mask = torch.tensor([[[True, False, False]]])
    >>> pointing_game(torch.tensor([[[[0.9, 0.1, 0.2]]]]), mask).item()
    1.0
    """
    return _each(maps, masks, _pointing)


def mask_energy(maps: Tensor, masks: Tensor) -> Tensor:
    """Measure the part of a map's sum that lies on the object: Σ_inside M / Σ M (the energy-based pointing game).

    Chance is the mask's share of the image, and so is the score of a map that is zero everywhere. Parameters, result
    (N,) in [0, 1] and errors as for `pointing_game` (Wang et al., *Score-CAM*, CVPR workshop 2020, sec. 4.3).

    >>> mask_energy(torch.tensor([[[[3.0, 1.0, -9.0]]]]), torch.tensor([[[True, False, False]]])).item()
    0.75
    """
    return _each(maps, masks, _energy)


def best_iou(maps: Tensor, masks: Tensor) -> Tensor:
    """Cut the map at its best threshold t and measure the overlap: max_t |{M ≥ t} ∩ mask| / |{M ≥ t} ∪ mask|.

    The threshold is chosen with the mask at hand, so this is an upper bound of what a fixed one reaches; taking the
    whole image gives the mask's share, the least that is possible. Parameters, result (N,) and errors as for
    `pointing_game` (Choe et al., *Evaluating weakly supervised object localization methods right*, CVPR 2020).

    >>> best_iou(torch.tensor([[[[3.0, 2.0, 1.0]]]]), torch.tensor([[[True, False, False]]])).item()
    1.0
    """
    return _each(maps, masks, _iou)


def ranking_auc(maps: Tensor, masks: Tensor) -> Tensor:
    """Measure how well the map ranks pixels: P(M inside > M outside) + ½ P(equal), the area under the ROC curve.

    1 is perfect, ½ is chance, 0 is upside down. Parameters, result (N,) and errors as for `pointing_game`
    (Mann & Whitney 1947; Fawcett, *An introduction to ROC analysis*, 2006).

    >>> ranking_auc(torch.tensor([[[[3.0, 2.0, 1.0]]]]), torch.tensor([[[True, False, True]]])).item()
    0.5
    """
    return _each(maps, masks, _auc)


def localisation(maps: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Compute all four scores against the mask in one go: name -> (N,)."""
    rows = [{name: measure(levels) for name, measure in LOCALISATION.items()} for levels in _levels(maps, masks)]
    return {name: torch.tensor([row[name] for row in rows]) for name in LOCALISATION}


def _pointing(levels: Levels) -> float:
    return float(levels.inside[-1] / (levels.inside[-1] + levels.outside[-1]))


def _energy(levels: Levels) -> float:
    total = levels.value @ (levels.inside + levels.outside)
    share = levels.inside.sum() / (levels.inside.sum() + levels.outside.sum())
    return float(levels.value @ levels.inside / total if total > 0 else share)


def _iou(levels: Levels) -> float:
    inside, outside = levels.inside.flip(0).cumsum(0), levels.outside.flip(0).cumsum(0)  # above each threshold
    return float((inside / (levels.inside.sum() + outside)).max())


def _auc(levels: Levels) -> float:
    below = levels.outside.cumsum(0) - levels.outside
    return float(levels.inside @ (below + levels.outside / 2) / levels.inside.sum() / levels.outside.sum())


LOCALISATION = {"pointing game": _pointing, "energy in mask": _energy, "best IoU": _iou, "ranking AUC": _auc}


def _each(maps: Tensor, masks: Tensor, measure: Callable[[Levels], float]) -> Tensor:
    return torch.tensor([measure(levels) for levels in _levels(maps, masks)])


def _levels(maps: Tensor, masks: Tensor) -> list[Levels]:
    check_masks(masks, len(maps))
    heats = importance(maps, masks.shape[1:]).flatten(1).cpu().double()
    found = []
    for heat, mask in zip(heats, masks.flatten(1).cpu().double(), strict=True):
        value, level = heat.unique(return_inverse=True)
        inside = torch.bincount(level, weights=mask)
        found.append(Levels(value, inside, torch.bincount(level) - inside))
    return found


def check_masks(masks: Tensor, count: int) -> None:
    """Raise OptionError unless there are `count` masks (N, H, W) bool, none of them empty or full."""
    if not isinstance(masks, Tensor) or masks.ndim != 3 or masks.dtype != torch.bool or len(masks) != count:
        seen = f"{tuple(masks.shape)} {masks.dtype}" if isinstance(masks, Tensor) else type(masks).__name__
        raise OptionError(f"Give one mask for each map, ({count}, H, W) bool, but got {seen}.")
    share = masks.flatten(1).float().mean(1)
    if ((share == 0) | (share == 1)).any():
        which = int(((share == 0) | (share == 1)).nonzero()[0])
        raise OptionError(f"Mask {which} covers nothing or the whole image, so no map can be right or wrong about it.")


# ------------------------------------------------------------------------------------ deletion and insertion


def deletion_curve(
    model: nn.Module,
    images: Tensor,
    maps: Tensor,
    target: Target = None,
    *,
    steps: int = 16,
    fill: str | Sequence[float] | Tensor = "mean",
) -> Tensor:
    """Remove the most important pixels first and watch the target fade: a good map makes the curve fall early.

    Value s of the curve is the target's value once the part s/`steps` of all pixels is filled. Its area is
    `torch.trapezoid(curve, dx=1 / steps)`; lower is better.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    maps : (N, 1 | 3, h, w), signed; see `importance`. Equal pixels go in a random order, always the same one.
    target : class (its probability is followed), `unit` (its activation), function logits -> (N,), or None for each
        image's top class.
    steps : number of steps from the image to the fill; the curve has one point more.
    fill : "mean" (training mean, zero after normalisation), "black", "white", "blur", an RGB colour or tensor.

    Returns
    -------
    Tensor (N, steps + 1) on the CPU.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer

    References
    ----------
    Petsiuk, Das, Saenko, *RISE: randomized input sampling for explanation of black-box models*, BMVC 2018, sec. 4.2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> deletion_curve(model, image, ck.centre_map(model, image), steps=2).shape
    torch.Size([1, 3])
    """
    return _curve(model, images, maps, target, steps, fill, insert=False)


def insertion_curve(
    model: nn.Module,
    images: Tensor,
    maps: Tensor,
    target: Target = None,
    *,
    steps: int = 16,
    fill: str | Sequence[float] | Tensor = "blur",
) -> Tensor:
    """Start from a blurred image and bring the most important pixels back first: a good map makes the curve rise early.

    Value s of the curve is the target's value once the part s/`steps` of all pixels is back; a higher area is better.
    Everything else as for `deletion_curve` (Petsiuk et al. 2018, who also blur here, to add no false edges).

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> curve = insertion_curve(model, image, ck.centre_map(model, image), 285, steps=2)
    >>> bool(curve[0, 0] < curve[0, 2])
    True
    """
    return _curve(model, images, maps, target, steps, fill, insert=True)


def _curve(
    model: nn.Module, images: Tensor, maps: Tensor, target: Target, steps: int, fill: object, insert: bool
) -> Tensor:
    check_images(images)
    check_count("steps", steps)
    order = _order(images, maps)
    layers = [target.layer] if isinstance(target, Unit) else []
    with evaluating(model), capture(model, layers) as captured, torch.no_grad():
        read = reader(model, images, target)
        filled = baseline(model, images, fill)
        start, end = (filled, images) if insert else (images, filled)
        counts = (torch.arange(steps + 1) * order[0].numel() / steps).round().to(order)  # pixels changed by each step
        points = []
        for job in torch.arange(len(images) * (steps + 1)).split(BATCH):
            owner, step = job // (steps + 1), job % (steps + 1)
            changed = order[owner] < counts[step].view(-1, 1, 1)
            logits = model(torch.where(changed[:, None], end[owner], start[owner]))
            points.append(read(logits if callable(target) else logits.softmax(1), captured, owner).cpu())
    return torch.cat(points).view(len(images), steps + 1)


def _order(images: Tensor, maps: Tensor) -> Tensor:
    """Return the place of each pixel in the order of importance, 0 first: (N, H, W), on the images' device."""
    if len(maps) != len(images):
        raise OptionError(f"There are {len(images)} images, but {len(maps)} maps.")
    heat = importance(maps, images.shape[2:]).flatten(1).cpu()
    shuffled = torch.randperm(heat.shape[1], generator=torch.Generator().manual_seed(0))
    by_rank = shuffled[heat[:, shuffled].argsort(dim=1, descending=True, stable=True)]
    return by_rank.argsort(dim=1).view(len(images), *images.shape[2:]).to(images.device)
