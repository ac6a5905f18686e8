"""Lab 01, weights: filters beside their fitted Gabor functions, and the checks."""

import math
from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.figures.figure import COLOURS, MAGNITUDE, WIDTH, Picture, draw_image, styled
from coursekit.figures.images import signal_pictures
from coursekit.labs.checking import call, compare
from coursekit.units.filters import Gabor, frequency_response


@styled
def show_gabors(filters: Tensor, colours: Tensor, gabors: Sequence[Gabor], *, alt: str | None = None) -> Picture:
    """Draw each filter above the Gabor function that was fitted to it, in its colour, and above its spectrum.

    The spectrum is |FFT| (`frequency_response`), each on its own scale, frequency 0 in the middle; two crosses mark the
    frequency of the fit, ±(sin θ, cos θ) / λ. The ends are ½ cycle per pixel, the highest that pixels can show.

    Parameters
    ----------
    filters : (n, 3, k, k)
    colours : (n, 3), as `main_pattern` gives them.
    gabors : n of `fit_gabor`.

    >>> import coursekit as ck
    >>> filters = ck.load_model("coursenet").layer("conv1").weight[:2]
    >>> patterns, colours, _ = ck.main_pattern(filters)
    >>> show_gabors(filters, colours, [ck.fit_gabor(pattern[0]) for pattern in patterns])
    <Picture 900 × 520>
    """
    filters, spectra = filters.detach().cpu(), frequency_response(filters)
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    axes = figure.subplots(3, len(gabors), squeeze=False)
    for i, gabor in enumerate(gabors):
        fitted = colours[i].cpu()[:, None, None] * gabor.drawn
        titles = (f"{gabor.angle:.0f}°, {gabor.wavelength:.1f} px", f"Gabor, R² {gabor.fit:.2f}")
        pictures = signal_pictures(torch.stack([filters[i], fitted]), clip=100)
        for ax, picture, title in zip(axes[:2, i], pictures, titles, strict=True):
            draw_image(ax, picture, squares=True)
            ax.set_title(title)
        ax = axes[2, i]
        ax.imshow(spectra[i, 0], cmap=MAGNITUDE, extent=(-0.5, 0.5, 0.5, -0.5))
        angle = math.radians(gabor.angle)
        x, y = math.sin(angle) / gabor.wavelength, math.cos(angle) / gabor.wavelength
        ax.plot([x, -x], [y, -y], "x", color=COLOURS[4], markersize=8, markeredgewidth=2)
        ax.set(xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5] if i == 0 else [])
    figure.supxlabel("spectrum: cycles per pixel", fontsize=11)
    return Picture(figure, alt)


def _random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def parameters(answer: object) -> str | None:
    """01.1: the number of parameters of 64 filters of 7 × 7 on three colours, with bias."""
    mistakes = [
        (64 * 49 * 3, "each filter also has a bias."),
        (64 * 49, "each filter has 7 × 7 weights for each of the three colours, and a bias."),
        (64 * 50, "each filter has 7 × 7 weights for each of the three colours, not for one."),
        (64 * 49 * 3 + 1, "every filter has a bias of its own, so there are 64 of them."),
        (64 * (49 + 1) * 3, "a filter has one bias, not one for each colour."),
        (49 * 3 + 1, "that is one filter; there are 64."),
    ]
    return compare(answer, 64.0 * (49 * 3 + 1), mistakes)


def similarity(answer: object) -> str | None:
    """01.2: the largest |cosine| of each filter to another one."""
    w = _random(6, 2, 3, 3, seed=1)
    w[4] = -2 * w[1] + 0.1 * w[0]  # a double with the opposite sign and another length
    unit = w.flatten(1) / w.flatten(1).norm(dim=1, keepdim=True)
    cosine, products = unit @ unit.T, w.flatten(1) @ w.flatten(1).T
    others = 1 - torch.eye(6)
    result = call(answer, w.clone())
    mistakes = [
        (torch.ones(6), "every filter is most alike to itself; leave the diagonal out."),
        (
            (cosine - 2 * torch.eye(6)).amax(1),
            "the sign is kept; a filter and its negative are duplicates too: take |cos|.",
        ),
        ((products.abs() * others).amax(1), "these are dot products; divide by both lengths to get the cosine."),
        ((cosine.abs() * others).sum(1) / 5, "that is the mean over the others; the largest is asked for."),
        ((cosine.abs() * others).amax(), "that is one number for the layer; one for each filter is asked for."),
    ]
    return compare(result, (cosine.abs() * others).amax(1), mistakes)


def share_of_zeros(answer: object) -> str | None:
    """01.3: the share of zeros after a ReLU, by image."""
    maps = (_random(3, 4, 5, 6, seed=2) - torch.tensor([0.0, 0.5, 1.0])[:, None, None, None]).clamp(min=0)
    zero = (maps == 0).float()
    result = call(answer, maps.clone())
    mistakes = [
        (1 - zero.mean((1, 2, 3)), "that is the share of activations above zero; the zeros are asked for."),
        (zero.mean(), "you averaged over the images too; keep the first dimension."),
        (zero.sum((1, 2, 3)), "that is their number; divide by the number of activations of one image."),
        (maps.mean((1, 2, 3)), "that is the mean activation; count the zeros: (maps == 0)."),
        (zero.mean((2, 3)), "one number for each image is asked for; average over the channels as well."),
    ]
    return compare(result, zero.mean((1, 2, 3)), mistakes)


def activation(answer: object) -> str | None:
    """01.4: one activation of a convolution with stride and ReLU."""
    x, w, b, s, k = _random(2, 9, 9, seed=3), _random(2, 3, 3, seed=4), torch.tensor(0.7), 2, 3
    spots = [(i, j) for i in range(4) for j in range(3)]

    def by_hand(
        step: int = s, bias: float = 0.7, relu: bool = True, flip: bool = False, swap: bool = False
    ) -> torch.Tensor:
        values = []
        for i, j in spots:
            i, j = (j, i) if swap else (i, j)
            patch = x[:, i * step : i * step + k, j * step : j * step + k]
            kernel = w.flip(1, 2) if flip else w
            values.append((kernel * patch).sum() + bias)
        sums = torch.stack(values)
        return sums.clamp(min=0) if relu else sums

    result = [torch.as_tensor(call(answer, x, w, b, s, i, j)).float() for i, j in spots]
    if any(value.numel() != 1 for value in result):
        return "one number is asked for: sum over the colours, too."
    mistakes = [
        (by_hand(relu=False), "the ReLU is missing: nothing below 0 comes out."),
        (by_hand(bias=0), "the bias is missing."),
        (by_hand(step=1), "the stride is missing: the patch starts at row i · s and column j · s."),
        (
            by_hand(flip=True),
            "you flipped the filter; deep learning calls this dot product a convolution, without a flip.",
        ),
        (by_hand(swap=True), "rows and columns are swapped: i counts rows."),
    ]
    return compare(torch.stack([value.reshape(()) for value in result]), by_hand(), mistakes)


JUDGES = {"01.1": parameters, "01.2": similarity, "01.3": share_of_zeros, "01.4": activation}
