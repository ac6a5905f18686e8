"""HOG and dense SIFT as layers: what was used before features were learned, written so that gradients pass through.

Both count in which directions the grey values rise: a histogram of orientations in each small cell. They differ in
the size of the cells and in what a histogram is divided by.
"""

import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.errors import ImageError, OptionError
from coursekit.networks.model import Model

FLAT = 1e-8  # squared gradient below which a pixel has no direction
WEAK = 1e-2  # added to a squared length before dividing: a nearly flat block is not blown up


def orientation_histograms(images: Tensor, cell: int, bins: int, signed: bool) -> Tensor:
    r"""Count the directions of the gradient in cells: (N, 3, H, W) -> (N, bins, H / cell, W / cell).

    h_k(cell) = Σ_pixels |∇g| · w(pixel, cell) · v_k(angle): each pixel votes with the length of its gradient, shared
    linearly (w, v) between the nearest cells and the two nearest directions.

    Parameters
    ----------
    images : RGB in [0, 1]; H and W are multiples of `cell`.
    cell : side of a cell in pixels, an even number.
    bins : number of directions.
    signed : over 360°, from dark to bright; else over 180°, where an edge and its negative are the same.

    Examples
    --------
    >>> ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)  # brighter to the right: direction 0
    >>> orientation_histograms(ramp, 8, 4, True)[0, :, 1, 1].argmax()
    tensor(0)
    """
    if images.shape[2] % cell or images.shape[3] % cell:
        raise ImageError(f"Height and width must be multiples of {cell} pixels, but are {tuple(images.shape[2:])}.")
    grey = images.mean(1, keepdim=True)
    padded = F.pad(grey, [1] * 4, mode="replicate")
    dx, dy = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2], padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    squares = dx**2 + dy**2
    flat = squares < FLAT  # neither a vote nor a derivative: both would divide by zero
    angle = torch.atan2(torch.where(flat, 0.0, dy), torch.where(flat, 1.0, dx))
    length = torch.where(flat, 0.0, torch.where(flat, 1.0, squares).sqrt())
    turn = 2 * math.pi if signed else math.pi
    centres = torch.arange(bins).to(angle).view(1, -1, 1, 1) * turn / bins
    away = (angle - centres + turn / 2).remainder(turn) - turn / 2
    votes = length * (1 - away.abs() * bins / turn).clamp(min=0)
    line = 1 - (torch.arange(2 * cell).to(votes) - cell + 0.5).abs() / cell  # a triangle over two cells
    kernel = (line[:, None] * line).expand(bins, 1, -1, -1)
    return F.conv2d(F.pad(votes, [cell // 2] * 4), kernel, stride=cell, groups=bins)


class HOG(nn.Module):
    """Histograms of oriented gradients: (N, 3, H, W) in [0, 1] -> (N, 36, H / 8, W / 8).

    Nine directions in cells of 8 pixels. Each cell appears four times, divided by the length of each of the four
    blocks of 2 × 2 cells that hold it, and cut at 0.2 (Dalal & Triggs, *Histograms of oriented gradients for human
    detection*, CVPR 2005).

    >>> HOG()(torch.rand(1, 3, 64, 64)).shape
    torch.Size([1, 36, 8, 8])
    """

    def forward(self, images: Tensor) -> Tensor:
        h = orientation_histograms(images, cell=8, bins=9, signed=False)
        energy = F.avg_pool2d(F.pad(h.pow(2).sum(1, keepdim=True), [1] * 4), 2, stride=1, divisor_override=1)
        length = (energy + WEAK).sqrt()
        rows, columns = h.shape[2:]
        corners = [(i, j) for i in (0, 1) for j in (0, 1)]
        return torch.cat([h / length[:, :, i : i + rows, j : j + columns] for i, j in corners], 1).clamp(max=0.2)


class DenseSIFT(nn.Module):
    """SIFT descriptors on a grid of 8 pixels: (N, 3, H, W) in [0, 1] -> (N, 128, H / 8, W / 8).

    At each point 4 × 4 cells of 4 pixels with eight directions each, weighted by a Gaussian, scaled to length 1, cut
    at 0.2, scaled again (Lowe, *Distinctive image features from scale-invariant keypoints*, IJCV 2004).

    >>> DenseSIFT()(torch.rand(1, 3, 64, 64)).norm(dim=1).mean().round(decimals=3)
    tensor(1.)
    """

    def forward(self, images: Tensor) -> Tensor:
        h = orientation_histograms(images, cell=4, bins=8, signed=True)
        n, bins, rows, columns = h.shape
        patches = F.unfold(h, kernel_size=4, stride=2, padding=1).view(n, bins, 4, 4, rows // 2, columns // 2)
        away = torch.arange(4).to(h) - 1.5  # in cells, from the middle of the 4 × 4
        weight = torch.exp(-(away[:, None] ** 2 + away**2) / (2 * 2.0**2))
        d = (patches * weight[:, :, None, None]).flatten(1, 3)
        return F.normalize((d / (d.pow(2).sum(1, keepdim=True) + WEAK).sqrt()).clamp(max=0.2), dim=1, eps=0.1)


KINDS = {"hog": HOG, "sift": DenseSIFT}


def descriptor(kind: str) -> Model:
    """Wrap HOG or dense SIFT as a model with the one layer "hog" or "sift", so that every tool of the course takes it.

    Raises `OptionError` for another kind.

    >>> descriptor("hog").layers["hog"]
    HOG()
    """
    if kind not in KINDS:
        raise OptionError(f"kind is one of {', '.join(KINDS)}, but is {kind!r}.")
    model = Model(nn.Sequential(OrderedDict([(kind, KINDS[kind]()), ("flatten", nn.Flatten())])))
    model.name, model.source, model.input_size = kind, "a formula: nothing was learned", 128
    return model
