r"""How a picture is written down while it is optimised.

A parameterisation is a function `(n, size, generator, device) -> Painting`. A Painting has the numbers that the
optimiser changes and a function that turns them into images in [0, 1]. The same objective on another parameterisation
gives another picture: the gradient is measured in other units.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_shape
from coursekit.errors import ImageError, OptionError
from coursekit.images.loading import load_image, photographs


class Painting(NamedTuple):
    """Parameters under optimisation, the images that they stand for, and whether they are the pixels themselves."""

    parameters: list[Tensor]
    images: Callable[[], Tensor]
    is_pixels: bool = False


Parameterization = Callable[[int, int, torch.Generator, torch.device], Painting]


def pixels(start: str | Tensor = "noise", sd: float = 0.02) -> Parameterization:
    """Optimise the pixels themselves, from grey with noise ("noise"), plain grey ("grey") or given images.

    >>> pixels("grey")(2, 8, torch.Generator(), torch.device("cpu")).images().unique()
    tensor([0.5000], grad_fn=...)
    """
    if isinstance(start, Tensor):
        check_images(start)
    elif start not in ("noise", "grey"):
        raise OptionError(f"start is 'noise', 'grey' or images, but is {start!r}.")

    def build(n: int, size: int, generator: torch.Generator, device: torch.device) -> Painting:
        if isinstance(start, Tensor):
            if len(start) not in (1, n):
                raise ImageError(f"{n} pictures cannot start from {len(start)} images; give 1 or {n}.")
            x = start.detach().clone().to(device).expand(n, -1, -1, -1)
        else:
            x = torch.full((n, 3, size, size), 0.5)
            if start == "noise":
                x = x + sd * torch.randn(x.shape, generator=generator)
        x = x.to(device).contiguous().clone().requires_grad_()
        return Painting([x], lambda: x * 1.0, is_pixels=True)

    return build


def logits(start: Tensor) -> Parameterization:
    """Optimise the logits of the pixels of given images, x = sigmoid(z): nothing to clamp, which would mislead L-BFGS.

    >>> logits(torch.full((1, 3, 8, 8), 0.25))(1, 8, torch.Generator(), torch.device("cpu")).images().mean()
    tensor(0.2500, grad_fn=...)
    """
    check_images(start)

    def build(n: int, size: int, generator: torch.Generator, device: torch.device) -> Painting:
        z = torch.logit(start.detach(), eps=1 / 64).to(device).contiguous().clone().requires_grad_()
        return Painting([z], lambda: torch.sigmoid(z))

    return build


@lru_cache(maxsize=8)
def natural_statistics(size: int = 128) -> tuple[Tensor, Tensor, Tensor]:
    r"""Measure what our photographs have in common.

    Returns the mean colour (3,), a square root L of the covariance of colours (3, 3), L Lᵀ = Σ, and the mean magnitude
    of the spectrum of decorrelated colours (3, size, size // 2 + 1).
    """
    check_count("size", size, 8)
    images = torch.cat([load_image(name, size) for name in photographs()])
    mean = images.mean((0, 2, 3))
    flat = (images - mean.view(1, 3, 1, 1)).transpose(0, 1).flatten(1)
    values, vectors = torch.linalg.eigh(flat @ flat.T / flat.shape[1])
    root = vectors * values.clamp(min=1e-8).sqrt()
    plain = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(root), images - mean.view(1, 3, 1, 1))
    window = torch.hann_window(size, periodic=False)  # a picture's border is no edge of the picture
    spectrum = torch.fft.rfft2(plain * window[:, None] * window).abs().mean(0)
    return mean, root, spectrum


def colours(planes: Tensor) -> Tensor:
    """Turn decorrelated planes (N, 3, H, W) into images in (0, 1) with the colour statistics of photographs.

    x = sigmoid(4 L u): planes of variance 1 become colours that vary as in photographs, around grey.
    """
    planes = check_shape("planes", planes, "N", 3, "H", "W")
    _, root, _ = natural_statistics()
    return torch.sigmoid(4 * torch.einsum("cd,ndhw->nchw", root.to(planes), planes))


def fourier(
    sd: float = 0.01, decay: float = 1.0, decorrelate: bool = True, start: Tensor | None = None
) -> Parameterization:
    r"""Optimise frequencies: u = irfft2(z / f^decay), so that a step moves slow and fast waves as nature mixes them.

    Olah, Mordvintsev & Schubert, *Feature visualization*, Distill 2017: the same minima under another metric.

    Parameters
    ----------
    sd : standard deviation of the start.
    decay : 1 for the 1/f amplitudes of photographs, 0 for white noise.
    decorrelate : mix colours as photographs do; without, each of red, green and blue is on its own.
    start : images (1 or n, 3, H, W) to begin with, instead of noise around grey; the longer side is `size`.
    """
    if start is not None:
        check_images(start)

    def build(n: int, size: int, generator: torch.Generator, device: torch.device) -> Painting:
        height, width = (size, size) if start is None else start.shape[2:]
        frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
        # The slowest wave has the factor size / 4: then Adam's usual step of 0.05 is neither timid nor loud.
        scale = size / 4 / frequency.clamp(min=1 / size).mul(size) ** decay
        scale = scale.to(device)
        if start is None:
            z = sd * torch.randn(n, 3, size, size // 2 + 1, 2, generator=generator)
        elif len(start) in (1, n) and max(height, width) == size:
            planes = torch.logit(start.detach().cpu(), eps=1 / 512)
            if decorrelate:
                root = natural_statistics()[1]
                planes = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(root), planes) / 4
            z = torch.view_as_real(torch.fft.rfft2(planes, norm="ortho") / scale.cpu()).expand(n, -1, -1, -1, -1)
        else:
            raise ImageError(f"{n} pictures of {size} px cannot start from images {tuple(start.shape)}.")
        z = z.to(device).clone(memory_format=torch.contiguous_format).requires_grad_()

        def images() -> Tensor:
            planes = torch.fft.irfft2(torch.view_as_complex(z) * scale, s=(height, width), norm="ortho")
            return colours(planes) if decorrelate else torch.sigmoid(planes)

        return Painting([z], images)

    return build


def maco() -> Parameterization:
    r"""Keep the magnitudes of photographs and optimise the phase alone: u = irfft2(r e^{iφ}).

    The picture cannot cheat with a loud frequency, whatever the network asks for (Fel et al., *Unlocking feature
    visualization for deeper networks with magnitude constrained optimization*, NeurIPS 2023).
    """

    def build(n: int, size: int, generator: torch.Generator, device: torch.device) -> Painting:
        magnitude = natural_statistics(size)[2].to(device)
        phase = (2 * math.pi * torch.rand(n, 3, size, size // 2 + 1, generator=generator)).to(device).requires_grad_()

        def images() -> Tensor:
            planes = torch.fft.irfft2(torch.polar(magnitude.expand_as(phase), phase), s=(size, size))
            planes = (planes - planes.mean((2, 3), True)) / planes.std((2, 3), keepdim=True)
            return colours(planes)

        return Painting([phase], images)

    return build


def code(
    decode: Callable[[Tensor], Tensor], start: Tensor, low: Tensor | float, high: Tensor | float
) -> Parameterization:
    """Optimise the code of a generator, kept in a range that codes of real images have: DGN-AM.

    Nguyen et al., *Synthesizing the preferred inputs for neurons in neural networks via deep generator networks*, 2016.

    Parameters
    ----------
    decode : codes (N, K) -> images (N, 3, H, W) in [0, 1].
    start : (1, K) or (n, K).
    low, high : bounds of each value.
    """

    def build(n: int, size: int, generator: torch.Generator, device: torch.device) -> Painting:
        z = start.detach().to(device).expand(n, -1).clone().requires_grad_()

        def images() -> Tensor:
            bounded = torch.maximum(torch.minimum(z, torch.as_tensor(high).to(z)), torch.as_tensor(low).to(z))
            x = decode(z + (bounded - z).detach())  # outside the range the gradient still leads back
            return x if x.shape[-1] == size else F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)

        return Painting([z], images)

    return build
