"""Small random changes before each look: what survives them is no trick of single pixels.

A transform is a function `(images, generator) -> images`. The random numbers come from the generator of `render`, so a
seed fixes them all. Each image of the batch gets the same change: it costs one operation, not N.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_shape
from coursekit.errors import OptionError

Transform = Callable[[Tensor, torch.Generator], Tensor]


def pad(pixels: int, value: float | str = "reflect") -> Transform:
    """Put a border of `pixels` around, of one grey or mirrored: then the picture's own border can be looked at."""

    def transform(x: Tensor, generator: torch.Generator) -> Tensor:
        if value == "reflect":
            return F.pad(x, [pixels] * 4, mode="reflect")
        return F.pad(x, [pixels] * 4, value=float(value))

    return transform


def jitter(pixels: int) -> Transform:
    """Cut the picture at a random place, `pixels` smaller than it is.

    >>> jitter(4)(torch.rand(1, 3, 20, 20), torch.Generator()).shape
    torch.Size([1, 3, 16, 16])
    """

    def transform(x: Tensor, generator: torch.Generator) -> Tensor:
        if pixels >= min(x.shape[2:]):
            raise OptionError(f"A jitter of {pixels} pixels leaves nothing of {x.shape[2]} × {x.shape[3]} pixels.")
        top, left = (int(v) for v in torch.randint(pixels + 1, (2,), generator=generator))
        return x[:, :, top : x.shape[2] - pixels + top, left : x.shape[3] - pixels + left]

    return transform


def roll(pixels: int) -> Transform:
    """Roll the picture by up to `pixels`: nothing is lost, and what leaves on one side comes back on the other."""

    def transform(x: Tensor, generator: torch.Generator) -> Tensor:
        shifts = torch.randint(-pixels, pixels + 1, (2,), generator=generator).tolist()
        return x.roll(shifts, (2, 3))

    return transform


def warp(degrees: float = 10.0, scale: tuple[float, float] = (0.9, 1.1)) -> Transform:
    """Rotate by up to ±`degrees` and scale by a random factor, both in one interpolation; the border is mirrored."""
    if not 0 < scale[0] <= scale[1]:
        raise OptionError(f"scale must be (low, high) with 0 < low <= high, but is {scale}.")

    def transform(x: Tensor, generator: torch.Generator) -> Tensor:
        first, second = torch.rand(2, generator=generator).tolist()
        angle, factor = math.radians((2 * first - 1) * degrees), scale[0] + second * (scale[1] - scale[0])
        cos, sin = math.cos(angle) / factor, math.sin(angle) / factor
        matrix = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]]).to(x).expand(len(x), 2, 3)
        grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)

    return transform


def crops(low: float = 0.3, high: float = 0.9, noise: float = 0.05) -> Transform:
    """Look at one random square of `low` to `high` of the side, enlarged, with noise: MACO's augmentation."""

    def transform(x: Tensor, generator: torch.Generator) -> Tensor:
        size = x.shape[-1]
        side = round((low + (high - low) * torch.rand((), generator=generator).item()) * size)
        top, left = torch.randint(size - side + 1, (2,), generator=generator).tolist()
        piece = x[:, :, top : top + side, left : left + side]
        piece = F.interpolate(piece, size=(size, size), mode="bilinear", align_corners=False)
        return piece + noise * torch.randn(piece.shape, generator=generator).to(piece)

    return transform


def robust(size: int) -> list[Transform]:
    """Return the usual mixture for pictures of `size` pixels: border, jitter, rotation and scale, jitter.

    It is wide, an eighth of the side and 0.7 to 1.2 in scale: with half of that, fine patterns survive it.
    """
    check_count("size", size, 8)
    step = max(2, size // 8)
    return [pad(step), jitter(step), warp(15, (0.7, 1.2)), jitter(step // 2)]


def apply(transforms: Sequence[Transform], images: Tensor, generator: torch.Generator) -> Tensor:
    """Apply one after the other, then bring the result back to the images' own size."""
    x = check_shape("images", images, "N", "C", "H", "W")
    for transform in transforms:
        x = transform(x, generator)
        if not isinstance(x, Tensor) or x.ndim != 4:
            raise OptionError("Each transform must return images (N, C, H, W).")
    if x.shape != images.shape:
        x = F.interpolate(x, size=images.shape[2:], mode="bilinear", align_corners=False)
    return x
