"""What keeps a picture natural: penalties that are subtracted, gradients that are smoothed, steps that repair.

A `Regularizer` has one of three parts. `penalty(images) -> (N,)` is subtracted from the objective. `gradient(g) -> g`
changes the gradient of the pixels before it is used. `repair(images, gradient, step) -> images` changes the pixels
after each step. The last two need the pixels themselves as parameters.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.interrupts import importing


class Regularizer(NamedTuple):
    """One of: a penalty on the images, a change of the gradient, a repair after each step."""

    penalty: Callable[[Tensor], Tensor] | None = None
    gradient: Callable[[Tensor], Tensor] | None = None
    repair: Callable[[Tensor, Tensor, int], Tensor] | None = None


def l2(weight: float) -> Regularizer:
    """Subtract weight · ‖x - ½‖² (Simonyan et al. 2014, sec. 2: λ‖I‖², with grey as zero).

    >>> l2(0.5).penalty(torch.ones(1, 1, 2, 2))
    tensor([0.5000])
    """
    return Regularizer(penalty=lambda x: weight * (x - 0.5).flatten(1).pow(2).sum(1))


def alpha_norm(weight: float, alpha: float = 6.0) -> Regularizer:
    """Subtract weight · Σ |2x - 1|^α / (H W) (Mahendran & Vedaldi 2015, sec. 2): values stay near grey.

    With a large α it is nearly nothing inside the range and grows fast towards black, white and full colours.

    >>> alpha_norm(2.0).penalty(torch.tensor([[[[1.0, 0.5, 0.75]]]])).mul(3)
    tensor([2.0312])
    """
    if not alpha > 0:
        raise OptionError(f"alpha must be above 0, but is {alpha!r}.")
    return Regularizer(penalty=lambda x: weight * (2 * x - 1).abs().pow(alpha).flatten(1).sum(1) / x[0, 0].numel())


def total_variation(weight: float, beta: float = 2.0) -> Regularizer:
    """Subtract weight · Σ (Δ_v² + Δ_h²)^{β/2} / (H W) (Mahendran & Vedaldi 2015, eq. 5): neighbours should agree.

    β = 1 prefers few sharp edges and leaves spikes; β = 2 prefers many soft ones.
    """
    if not beta > 0:
        raise OptionError(f"beta must be above 0, but is {beta!r}.")

    def penalty(x: Tensor) -> Tensor:
        down, right = x[..., 1:, :-1] - x[..., :-1, :-1], x[..., :-1, 1:] - x[..., :-1, :-1]
        squares = down**2 + right**2
        return weight * (squares + 1e-8).pow(beta / 2).flatten(1).sum(1) / x[0, 0].numel()

    return Regularizer(penalty=penalty)


def centre_bias(weight: float) -> Regularizer:
    """Subtract weight · mean of r² (x - ½)², r the distance from the centre: what matters should be in the middle."""

    def penalty(x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        y, z = torch.linspace(-1, 1, height).to(x), torch.linspace(-1, 1, width).to(x)
        return weight * ((y[:, None] ** 2 + z**2) * (x - 0.5) ** 2).flatten(1).mean(1)

    return Regularizer(penalty=penalty)


def decay(factor: float) -> Regularizer:
    """Shrink towards grey by `factor` in each step: L2 decay (Yosinski et al. 2015, sec. 3)."""
    _check("factor", factor)
    return Regularizer(repair=lambda x, g, step: 0.5 + (1 - factor) * (x - 0.5))


def blur(sigma: float, every: int = 4) -> Regularizer:
    """Blur the picture every few steps: high frequencies win otherwise (Yosinski et al. 2015, sec. 3)."""
    return Regularizer(repair=lambda x, g, step: gaussian(x, sigma) if step % every == every - 1 else x)


def clip_norm(part: float) -> Regularizer:
    """Make the `part` of pixels grey that differs least from grey (Yosinski et al. 2015: clip small norm)."""
    _check("part", part)
    return Regularizer(repair=lambda x, g, step: _drop(x, (x - 0.5).norm(dim=1), part))


def clip_contribution(part: float) -> Regularizer:
    """Make the `part` of pixels grey whose ablation would cost least, |Σ_c (x - ½) ∂s/∂x|.

    Yosinski et al. 2015, sec. 3: clip small contribution. This is the first-order guess of each ablation, as in the
    paper: one gradient instead of H·W forward passes.
    """
    _check("part", part)
    return Regularizer(repair=lambda x, g, step: _drop(x, ((x - 0.5) * g).sum(1).abs(), part))


def bilateral(every: int = 4, d: int = 5, colour: float = 0.1, space: float = 3.0) -> Regularizer:
    """Smooth flat parts and keep edges, with OpenCV's bilateral filter (Tyka 2016)."""
    with importing():
        import cv2

    def repair(x: Tensor, g: Tensor, step: int) -> Tensor:
        if step % every != every - 1:
            return x
        pictures = x.permute(0, 2, 3, 1).cpu().contiguous().numpy()
        smooth = [torch.from_numpy(cv2.bilateralFilter(picture, d, colour, space)) for picture in pictures]
        return torch.stack(smooth).permute(0, 3, 1, 2).to(x)

    return Regularizer(repair=repair)


def blur_gradient(sigma: float) -> Regularizer:
    """Blur the gradient instead of the picture (Øygard, *Visualizing GoogLeNet classes*, 2015)."""
    return Regularizer(gradient=lambda g: gaussian(g, sigma))


def even_frequencies(levels: int = 4) -> Regularizer:
    """Give each octave of the gradient the same strength, by a Laplacian pyramid (Mordvintsev 2016)."""

    def gradient(g: Tensor) -> Tensor:
        bands, rest = [], g
        for _ in range(levels - 1):
            low = gaussian(rest, 1.0)
            bands.append(rest - low)
            rest = low
        even = [band / band.flatten(1).std(1).clamp(min=1e-12)[:, None, None, None] for band in [*bands, rest]]
        return sum(even[1:], even[0])

    return Regularizer(gradient=gradient)


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """Blur (N, C, H, W) with a Gaussian of `sigma` pixels; the border is mirrored.

    >>> bool(gaussian(torch.ones(1, 1, 9, 9), 1.5).allclose(torch.ones(1, 1, 9, 9)))
    True
    """
    if not sigma > 0:
        return x
    x = check_shape("x", x, "N", "C", "H", "W")
    radius = min(int(3 * sigma + 0.5), min(x.shape[2:]) - 1)
    line = torch.exp(-(torch.arange(-radius, radius + 1).to(x) ** 2) / (2 * sigma**2))
    line = (line / line.sum()).expand(x.shape[1], 1, 1, -1)
    x = F.pad(x, [radius] * 4, mode="reflect")
    return F.conv2d(F.conv2d(x, line, groups=x.shape[1]), line.transpose(2, 3), groups=x.shape[1])


def _drop(x: Tensor, importance: Tensor, part: float) -> Tensor:
    """Make the least important `part` of each picture grey; importance is (N, H, W)."""
    limit = importance.flatten(1).quantile(part, dim=1)[:, None, None]
    return torch.where((importance <= limit)[:, None], torch.full_like(x, 0.5), x) if part > 0 else x


def _check(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise OptionError(f"{name} must lie in [0, 1], but is {value!r}.")
