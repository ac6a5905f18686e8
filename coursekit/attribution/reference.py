"""Maps that ask no network, called like an attribution method: what every such method must beat."""

import math
import zlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.arguments import check_images
from coursekit.errors import OptionError
from coursekit.probe.targets import Target


def random_map(model: nn.Module | None, images: Tensor, target: Target = None, *, seed: int = 0) -> Tensor:
    """Draw every pixel's importance at random, uniform in [0, 1): what chance scores.

    Returns (N, 1, H, W). The noise follows from the image and the seed: each image has its own, in any batch.

    >>> random_map(None, torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 1, 8, 8])
    """
    check_images(images)
    noise = []
    for image in images.detach().cpu():
        generator = torch.Generator().manual_seed(zlib.crc32(image.contiguous().numpy().tobytes(), seed))
        noise.append(torch.rand(1, *image.shape[1:], generator=generator))
    return torch.stack(noise).to(images)


def edge_map(model: nn.Module | None, images: Tensor, target: Target = None) -> Tensor:
    """Detect edges: the magnitude of Sobel's gradient of the grey image, √(g_x² + g_y²).

    Returns (N, 1, H, W), never negative. A map that does no better than this one may have learned nothing from the
    network (Adebayo et al., *Sanity checks for saliency maps*, NeurIPS 2018, sec. 5).

    >>> step = torch.cat([torch.zeros(1, 3, 4, 2), torch.ones(1, 3, 4, 2)], dim=3)
    >>> edge_map(None, step)[0, 0, 0].tolist()
    [0.0, 0.5, 0.5, 0.0]
    """
    check_images(images)
    grey = F.pad(images.detach().mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]).to(images) / 8
    return F.conv2d(grey, torch.stack([kernel, kernel.T])[:, None]).norm(dim=1, keepdim=True)


def centre_map(model: nn.Module | None, images: Tensor, target: Target = None, *, sigma: float = 0.25) -> Tensor:
    """Bet on the middle: a Gaussian blob at the centre, `sigma` in parts of the height and of the width.

    Returns (N, 1, H, W) in (0, 1]. People place what they photograph in the middle and look there, so this is hard to
    beat on many data sets (Tatler, *The central fixation bias in scene viewing*, Journal of Vision 2007).

    >>> centre_map(None, torch.zeros(1, 3, 9, 9)).argmax().item()  # the middle of 81 pixels
    40
    """
    check_images(images)
    if not (isinstance(sigma, int | float) and 0 < sigma < math.inf):
        raise OptionError(f"sigma must be a number above 0, but is {sigma!r}.")
    rows, columns = (
        torch.exp(-(((2 * torch.arange(n) + 1 - n) / (2 * n * sigma)) ** 2) / 2).to(images) for n in images.shape[2:]
    )
    return (rows[:, None] * columns).expand(len(images), 1, -1, -1).clone()


BASELINES = {"chance": random_map, "edges": edge_map, "centre": centre_map}
