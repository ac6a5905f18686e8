"""Filters to look at and to measure: pictures of weights, their health, their frequency response, a fitted Gabor."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit.errors import ImageError, OptionError
from coursekit.images.loading import load_image
from coursekit.interrupts import importing


class Gabor(NamedTuple):
    """A Gabor function fitted to one filter, and how much of the filter it explains.

    `angle` is that of the bars in degrees, 0 lies and 90 stands; lengths are in pixels; `fit` is R², at most 1; `drawn`
    is the fitted function at the filter's pixels (k, k), without the mean of the filter.
    """

    angle: float
    wavelength: float
    phase: float
    sigma: float
    fit: float
    drawn: Tensor


def filter_pictures(weights: Tensor) -> Tensor:
    r"""Turn filters into images: (w - min w) / (max w - min w), for each filter on its own.

    The bias is left out, and so is the sign of zero: a weight of 0 can have any grey. Compare shapes, not brightness.

    Parameters
    ----------
    weights : (N, 3, k, k) of a first layer, or (N, k, k) of one input channel of a later one.

    Returns
    -------
    Tensor (N, 3, k, k) or (N, 1, k, k), in [0, 1]. A filter without any variation becomes grey.

    >>> filter_pictures(torch.tensor([[[-1.0, 0.0], [1.0, 3.0]]]))
    tensor([[[[0.0000, 0.2500],
              [0.5000, 1.0000]]]])
    """
    weights = _check(weights)
    low, high = weights.amin((1, 2, 3), True), weights.amax((1, 2, 3), True)
    span = high - low
    return torch.where(span > 0, (weights - low) / span.clamp(min=1e-30), 0.5)


def mosaic(tiles: Tensor, *, columns: int = 8, zoom: int = 1, gap: int = 1, background: float = 1.0) -> Tensor:
    """Lay tiles (N, C, h, w) in rows on one image (1, C, H, W); `zoom` repeats each pixel, so that edges stay sharp.

    >>> mosaic(torch.zeros(6, 3, 7, 7), columns=3, zoom=2, gap=2).shape
    torch.Size([1, 3, 30, 46])
    """
    if tiles.ndim != 4 or 0 in tiles.shape:
        raise ImageError(f"Tiles must have the shape (N, C, h, w), but have {tuple(tiles.shape)}.")
    if min(columns, zoom) < 1 or gap < 0:
        raise OptionError(f"columns and zoom are at least 1, gap at least 0, but got {columns}, {zoom}, {gap}.")
    tiles = tiles.detach().cpu().repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    n, channels, h, w = tiles.shape
    rows = math.ceil(n / columns)
    columns = min(columns, n)
    image = torch.full((1, channels, rows * (h + gap) - gap, columns * (w + gap) - gap), float(background))
    for i, tile in enumerate(tiles):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        image[0, :, top : top + h, left : left + w] = tile
    return image


def filter_health(weights: Tensor) -> dict[str, Tensor]:
    r"""Measure three signs of health of each filter (N, C, k, k).

    - `norm`: ‖w‖. A dead filter has a norm near 0.
    - `roughness`: mean of (w[p] - w[q])² over neighbours p, q, divided by the mean of (w - w̄)². About 2 for noise,
      near 0 for a smooth filter.
    - `similarity`: the largest |cosine| to another filter of the layer. A duplicate has nearly 1.

    Returns a dict of tensors (N,).

    >>> health = filter_health(torch.randn(8, 3, 7, 7, generator=torch.Generator().manual_seed(0)))
    >>> bool((health["roughness"] - 2).abs().max() < 0.5)
    True
    """
    w = _check(weights)
    if len(w) < 2 or w.shape[-1] < 2:
        raise OptionError("Health compares neighbours: give two filters or more, of 2 × 2 pixels or more.")
    differences = [(w[..., 1:, :] - w[..., :-1, :]), (w[..., :, 1:] - w[..., :, :-1])]
    change = torch.cat([d.flatten(1) for d in differences], 1).pow(2).mean(1)
    spread = (w - w.mean((2, 3), keepdim=True)).pow(2).mean((1, 2, 3))
    direction = torch.nn.functional.normalize(w.flatten(1), dim=1)
    cosine = (direction @ direction.T).abs().fill_diagonal_(0)
    return {
        "norm": w.flatten(1).norm(dim=1),
        "roughness": change / spread.clamp(min=1e-30),
        "similarity": cosine.amax(1),
    }


def frequency_response(weights: Tensor, *, size: int = 64) -> Tensor:
    """Return |FFT| of each filter (N, C, k, k), added up over its channels: (N, 1, size, size), frequency 0 central.

    The value at (row, column) says how strongly the filter answers a grating of that frequency: from the centre,
    column / size cycles per pixel to the right, row / size downwards.
    """
    w = _check(weights)
    if size < w.shape[-1]:
        raise OptionError(f"size must be at least the filter's {w.shape[-1]} pixels, but is {size}.")
    power = torch.fft.fft2(w, s=(size, size)).abs().pow(2).sum(1, keepdim=True)
    return torch.fft.fftshift(power.sqrt(), dim=(2, 3))


def main_pattern(weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split each filter (N, C, k, k) into one grey pattern times one colour: the best such product (by an SVD).

    Returns the patterns (N, 1, k, k), the colours (N, C) of length 1, and the part of ‖w‖² that the product keeps (N,).
    """
    w = _check(weights)
    u, s, v = torch.linalg.svd(w.flatten(2), full_matrices=False)
    sign = u[:, :, 0].sum(1).sign().where(u[:, :, 0].sum(1) != 0, torch.ones(()))
    patterns = (v[:, 0] * (sign * s[:, 0])[:, None]).view(len(w), 1, *w.shape[2:])
    return patterns, u[:, :, 0] * sign[:, None], s[:, 0].pow(2) / s.pow(2).sum(1).clamp(min=1e-30)


def fit_gabor(pattern: Tensor) -> Gabor:
    r"""Fit a Gabor function to a grey pattern (k, k) by least squares.

    g(x, y) = a · exp(-((x - x₀)² + (y - y₀)²) / 2σ²) · cos(2π u / λ + φ) + b, with u the distance across the bars.

    >>> from coursekit import stimuli
    >>> fitted = fit_gabor(stimuli.gabor(11, wavelength=5, angle=30, sigma=3)[0, 0])
    >>> round(fitted.angle), round(fitted.wavelength), fitted.fit > 0.99
    (30, 5, True)
    """
    with importing():
        from scipy.optimize import least_squares

    z = np.asarray(pattern.detach().cpu(), float).squeeze()
    if z.ndim != 2 or min(z.shape) < 4:
        raise OptionError(f"A pattern must have the shape (k, k), k at least 4, but has {tuple(pattern.shape)}.")
    z = z - z.mean()
    y, x = (np.indices(z.shape) - (np.array(z.shape)[:, None, None] - 1) / 2).astype(float)
    scale, k = np.abs(z).max() or 1.0, z.shape[0]

    def model(p: np.ndarray) -> np.ndarray:
        a, b, x0, y0, sigma, wavelength, angle, phase = p
        u = (x - x0) * np.sin(angle) + (y - y0) * np.cos(angle)
        window = np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma**2))
        return b + a * window * np.cos(2 * np.pi * u / wavelength + phase)

    angle, wavelength = _strongest_wave(z)
    low = [0, -2 * scale, -k / 2, -k / 2, 0.8, 2, -7, -10]
    high = [5 * scale, 2 * scale, k / 2, k / 2, 2 * k, 4 * k, 7, 10]
    starts = [[scale, 0, 0, 0, k / 3, wavelength, angle, phase] for phase in np.pi * np.arange(4) / 2]
    fits = [least_squares(lambda p: (model(p) - z).ravel(), p, bounds=(low, high), max_nfev=40) for p in starts]
    best = min(fits, key=lambda result: result.cost)
    _, _, _, _, sigma, wavelength, angle, phase = best.x
    fit = 1 - 2 * best.cost / max((z**2).sum(), 1e-30)
    degrees, drawn = [math.degrees(angle) % 180, math.degrees(phase) % 360], torch.from_numpy(model(best.x)).float()
    return Gabor(degrees[0], float(wavelength), degrees[1], float(sigma), float(fit), drawn)


def _strongest_wave(z: np.ndarray) -> tuple[float, float]:
    """Angle of the bars in radians and wavelength in pixels, where the spectrum of a pattern is strongest."""
    size = 8 * max(z.shape)
    power = np.abs(np.fft.fft2(z - z.mean(), (size, size)))
    row, column = np.unravel_index(power.argmax(), power.shape)
    fy, fx = np.fft.fftfreq(size)[[row, column]]
    return float(np.arctan2(fx, fy)), float(np.clip(1 / max(np.hypot(fx, fy), 1e-6), 2, 4 * max(z.shape)))


def natural_patches(n: int = 10_000, *, size: int = 7, names: tuple[str, ...] = (), seed: int = 0) -> Tensor:
    """Cut random patches (n, 3, size, size) out of packaged photographs, by default colour ones."""
    names = names or ("chelsea", "astronaut", "coffee", "rocket", "china", "flower", "grace_hopper", "motorcycle")
    if n < len(names) or not 2 <= size <= 64:
        raise OptionError(f"n must be at least {len(names)} and size 2 to 64, but got {n} and {size}.")
    random = np.random.default_rng(seed)
    pieces = []
    for i, name in enumerate(names):
        image = load_image(name)[0]
        count = n // len(names) + (i < n % len(names))
        tops = random.integers(image.shape[1] - size + 1, size=count)
        lefts = random.integers(image.shape[2] - size + 1, size=count)
        pieces += [image[:, t : t + size, s : s + size] for t, s in zip(tops, lefts, strict=True)]
    return torch.stack(pieces)[torch.from_numpy(random.permutation(n))]


def _check(weights: Tensor) -> Tensor:
    w = weights.detach().cpu().float() if isinstance(weights, Tensor) else None
    if w is not None and w.ndim == 3:
        w = w[:, None]
    if w is None or w.ndim != 4 or 0 in w.shape:
        shape = tuple(w.shape) if w is not None else type(weights).__name__
        raise ImageError(f"Filters must be a tensor (N, C, k, k), but got {shape}; take layer.weight of a convolution.")
    return w
