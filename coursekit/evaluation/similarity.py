"""How much alike are two maps? Rank correlation, structural similarity, and correlation of their edges."""

from collections.abc import Callable

import torch
from torch import Tensor

from coursekit.attribution.reading import magnitude_picture
from coursekit.errors import OptionError
from coursekit.interrupts import importing


def rank_correlation(maps: Tensor, others: Tensor, *, absolute: bool = False) -> Tensor:
    """Correlate the ranks of two maps' values, Spearman's ρ: 1 for the same order, 0 for none in common, −1 reversed.

    ρ = Σ (r − r̄)(s − s̄) / √(Σ (r − r̄)² · Σ (s − s̄)²), where r and s are the ranks in the one and the other map.

    Equal values share their average rank. A map of one value has no order: its ρ is 0.

    Parameters
    ----------
    maps, others : (N, C, h, w), signed as a method returns them. All channels count, none are added up.
    absolute : rank |A| instead: does the map stress the same pixels, whatever the sign? Both versions are of use: a map
        whose signs are scrambled at the same pixels keeps its absolute ρ and loses its signed one.

    Returns
    -------
    Tensor (N,) on the CPU, in [−1, 1].

    Raises
    ------
    OptionError
        Shapes that differ, or values that are not finite.

    References
    ----------
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, *Sanity checks for saliency maps*, NeurIPS 2018, sec. 3.

    Examples
    --------
    >>> maps = torch.tensor([[[[1.0, -2.0, 3.0]]]])
    >>> rank_correlation(maps, -maps).item(), rank_correlation(maps, -maps, absolute=True).item()
    (-1.0, 1.0)
    """
    pairs = _pairs(maps, others)
    if absolute:
        pairs = [(a.abs(), b.abs()) for a, b in pairs]
    return torch.tensor([_correlation(_ranks(a.flatten()), _ranks(b.flatten())) for a, b in pairs])


def structural_similarity(maps: Tensor, others: Tensor) -> Tensor:
    """Compare the pictures of two maps as the eye does, window by window: the mean SSIM over windows of 7 by 7 pixels.

    SSIM = (2 μ_a μ_b + c₁)(2 σ_ab + c₂) / ((μ_a² + μ_b² + c₁)(σ_a² + σ_b² + c₂)),  c₁ = (0.01 L)²,  c₂ = (0.03 L)².

    L is the range of the data. A map has no range of its own, so each becomes a picture in [0, 1] first: its magnitude
    Σ_c |A_c|, divided by its 99th percentile and cut at 1. Then L = 1, and the scale of a map plays no part. Two maps
    that are dark nearly everywhere are similar by this measure, wherever their few bright pixels lie.

    Parameters, result (N,) and errors as for `rank_correlation`; maps have at least 7 by 7 pixels (Wang, Bovik, Sheikh,
    Simoncelli, *Image quality assessment*, IEEE Transactions on Image Processing 2004).

    >>> maps = torch.rand(1, 1, 8, 8)
    >>> structural_similarity(maps, 20 * maps).item()
    1.0
    """
    with importing():
        from skimage.metrics import structural_similarity as ssim

    pairs = _pairs(maps, others)
    if min(maps.shape[2:]) < 7:
        raise OptionError(f"SSIM needs maps of at least 7 by 7 pixels, but got {tuple(maps.shape)}; enlarge them.")
    return torch.tensor([float(ssim(magnitude_picture(a), magnitude_picture(b), data_range=1.0)) for a, b in pairs])


def hog_correlation(maps: Tensor, others: Tensor) -> Tensor:
    """Correlate (Pearson) the histograms of oriented gradients of two maps' pictures: are their edges alike?

    Eight orientations in about 14 by 14 cells, each of at least 4 pixels; at 224 pixels that is 16 pixels a cell. The
    pictures are those of `structural_similarity`. Where a histogram is the same in all its parts, as for a map of
    one value, the result is 0.

    Parameters, result (N,) and errors as for `rank_correlation`; maps have at least 4 by 4 pixels (Dalal & Triggs,
    *Histograms of oriented gradients for human detection*, CVPR 2005).

    >>> maps = torch.rand(1, 1, 8, 8)
    >>> round(hog_correlation(maps, 20 * maps).item(), 6)
    1.0
    """
    with importing():
        from skimage.feature import hog

    pairs = _pairs(maps, others)
    side = min(maps.shape[2:])
    if side < 4:
        raise OptionError(f"HOG needs maps of at least 4 by 4 pixels, but got {tuple(maps.shape)}; enlarge them.")
    cell = max(4, side // 14)

    def edges(values: Tensor) -> Tensor:
        found = hog(magnitude_picture(values), orientations=8, pixels_per_cell=(cell, cell), cells_per_block=(1, 1))
        return torch.from_numpy(found)

    return torch.tensor([_correlation(edges(a), edges(b)) for a, b in pairs])


SIMILARITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Spearman": rank_correlation,
    "Spearman of magnitudes": lambda maps, others: rank_correlation(maps, others, absolute=True),
    "SSIM": structural_similarity,
    "HOG": hog_correlation,
}


def map_similarity(maps: Tensor, others: Tensor) -> dict[str, Tensor]:
    """Compute all four similarities of two batches of maps: name -> (N,).

    >>> maps = torch.rand(2, 3, 8, 8)
    >>> list(map_similarity(maps, maps))
    ['Spearman', 'Spearman of magnitudes', 'SSIM', 'HOG']
    """
    return {name: measure(maps, others) for name, measure in SIMILARITIES.items()}


def _pairs(maps: Tensor, others: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Check two batches of maps and return them pair by pair, each (C, h, w)."""
    shapes = [tuple(m.shape) if isinstance(m, Tensor) else type(m).__name__ for m in (maps, others)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 4 or 0 in shapes[0]:
        raise OptionError(f"Two batches of maps have the same shape (N, C, h, w), but got {shapes[0]} and {shapes[1]}.")
    if not (maps.isfinite().all() and others.isfinite().all()):
        raise OptionError("Maps must be finite, but some values are NaN or infinite.")
    pairs = zip(maps.detach().cpu(), others.detach().cpu(), strict=True)
    return [(a.float(), b.float()) if a.dtype == torch.bool or b.dtype == torch.bool else (a, b) for a, b in pairs]


def _ranks(values: Tensor) -> Tensor:
    """Rank the values (D,) from 1 on; equal ones get their average rank."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    return (count.cumsum(0) - (count - 1) / 2)[place]


def _correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation; 0 where a or b has one value only."""
    a, b = a.double() - a.double().mean(), b.double() - b.double().mean()
    scale = (a.norm() * b.norm()).item()
    return min(1.0, max(-1.0, float(a @ b) / scale)) if scale > 1e-12 else 0.0
