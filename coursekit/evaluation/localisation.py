"""How good is a map? Scores against the true mask of an object.

One rule turns every map into importances, so that all methods are ranked alike (`importance`). Pixels of equal
importance are always taken together or in a random order, never in reading order.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.arguments import check_masks
from coursekit.attribution.reading import importance


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
