"""Neural doodles: a painting, a map of its regions, and a new map become a new painting."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_one, check_options
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import run
from coursekit.synthesis.objectives import Objective
from coursekit.synthesis.render import Rendering
from coursekit.synthesis.style_search import chosen_layers, paint


def neural_doodle(
    model: Model,
    style: Tensor,
    style_map: Tensor,
    new_map: Tensor,
    *,
    layers: Sequence[str] | None = None,
    tv: float = 1.0,
    parameterization: str = "fourier",
    optimizer: str = "lbfgs",
    steps: int = 100,
    seed: int = 0,
    snapshots: Sequence[int] = (),
    progress: bool = False,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Rendering:
    r"""Turn a map of regions into a picture, each region with the texture that it has in another picture.

    The Gram matrices are taken region by region: G_r = Σ_p m_r(p) a_p a_pᵀ / Σ_p m_r(p), m_r the region's mask at the
    size of the layer's map. The loss is the mean over layers and regions of ‖G_r - G_r⁰‖² / ‖G_r⁰‖².

    Parameters
    ----------
    model : Model
    style : (1, 3, H, W) in [0, 1].
    style_map : (H, W) whole numbers: which region each pixel of `style` belongs to.
    new_map : (h, w) whole numbers of the same regions; the result has its size.
    layers, tv, parameterization, optimizer, steps, seed, snapshots, progress, watch : as in `style_transfer`.

    Returns
    -------
    Rendering, `images` (1, 3, h, w).

    Raises
    ------
    ImageError, OptionError, UnknownLayer

    References
    ----------
    Champandard, *Semantic style transfer and turning two-bit doodles into fine artworks*, 2016, with patches; Ulyanov,
    *Fast neural doodle*, 2016, and Gatys et al., CVPR 2017, sec. 4, with Gram matrices for each region, as here.

    Examples
    --------
    >>> import coursekit as ck
    >>> halves = torch.zeros(64, 64, dtype=torch.long)
    >>> halves[32:] = 1
    >>> painting = ck.style_image("strokes", 64)
    >>> neural_doodle(ck.load_model("coursenet"), painting, halves, halves.T, steps=2).images.shape
    torch.Size([1, 3, 64, 64])
    """
    style = check_one("style", style)
    layers, _ = chosen_layers(model, layers)
    search: dict[str, Any] = {"tv": tv, "parameterization": parameterization, "optimizer": optimizer, "steps": steps}
    check_options(smooth=None, **search)
    regions = _regions(style, style_map, new_map)
    begin = _mean_colours(style, style_map, new_map, regions, seed)
    ours, theirs = (torch.stack([m == r for r in regions]).float() for m in (new_map, style_map))
    goal = _regional(model, layers, style, theirs, ours)
    return paint(model, goal, begin, seed=seed, snapshots=snapshots, progress=progress, watch=watch, **search)


def region_grams(a: Tensor, masks: Tensor) -> Tensor:
    """Compute a Gram matrix for each region: (N, C, H, W) and masks (R, h, w) in [0, 1] -> (N, R, C, C)."""
    soft = F.adaptive_avg_pool2d(masks.to(a)[None], (a.shape[2], a.shape[3]))[0].flatten(
        1
    )  # (R, places), shares of a region
    flat = a.flatten(2)
    return torch.einsum("ncp,rp,ndp->nrcd", flat, soft / soft.sum(1, keepdim=True).clamp(min=1e-6), flat)


def _regional(model: Model, layers: Sequence[str], style: Tensor, theirs: Tensor, ours: Tensor) -> Objective:
    """Minus the mean over layers and regions of how far the Gram matrices are from those of the style."""

    def grams(logits: Tensor, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        return {layer: region_grams(maps[layer], theirs) for layer in layers}

    (goals,) = run(model, style, layers, grams, logits=False)
    for layer, goal in goals.items():
        if not (goal.flatten(2).pow(2).sum(2) > 0).all():
            raise OptionError(
                f"At {layer!r} a region of the style gives nothing but zeros, so nothing can come near it."
            )

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        terms = []
        for name, goal in goals.items():
            apart = (region_grams(acts[name], ours) - goal).flatten(2).pow(2).sum(2)  # (N, R)
            terms.append((apart / goal.flatten(2).pow(2).sum(2)).mean(1))
        return -sum(terms[1:], terms[0]) / len(terms)

    return Objective(read, frozenset(layers), logits=False)


def _regions(style: Tensor, style_map: Tensor, new_map: Tensor) -> list[int]:
    """Return the regions of the new map, in order; each must be in the style's map, too."""
    for name, labels in (("style_map", style_map), ("new_map", new_map)):
        if not isinstance(labels, Tensor) or labels.ndim != 2 or labels.is_floating_point():
            raise OptionError(f"{name} must be a tensor (H, W) of whole numbers, one for each region.")
    if style_map.shape != style.shape[2:]:
        raise OptionError(f"style_map has {tuple(style_map.shape)} pixels, but the style {tuple(style.shape[2:])}.")
    if min(new_map.shape) < 32:
        raise OptionError(f"new_map must have 32 × 32 pixels or more, but has {tuple(new_map.shape)}.")
    known, wanted = set(style_map.unique().tolist()), new_map.unique().tolist()
    if missing := [r for r in wanted if r not in known]:
        raise OptionError(f"Region {missing[0]} of new_map is not in style_map, which has {sorted(known)}.")
    return wanted


def _mean_colours(style: Tensor, style_map: Tensor, new_map: Tensor, regions: list[int], seed: int) -> Tensor:
    """Begin with the mean colour of each region, and a little noise."""
    noise = torch.randn(1, 3, *new_map.shape, generator=torch.Generator().manual_seed(seed))
    begin = 0.02 * noise.to(style)
    for region in regions:
        begin[0][:, new_map == region] += style[0][:, style_map == region].mean(1, keepdim=True)
    return begin.clamp(0, 1)
