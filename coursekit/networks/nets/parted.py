"""Parted: a small network whose last filters each keep to one part of one animal, and its plain twin."""

import torch
from torch import Tensor, nn

from coursekit.arguments import check_shape
from coursekit.networks.nets.blocks import apart, averaged

# The cut-outs that it tells apart, in the order of its outputs: animals with a head, feet and a back that differ.
LABELS = ("zebra", "tiger", "hen", "flamingo", "camel", "koala", "peacock", "king penguin", "husky", "bison")


OBJECTS = (
    "zebra",
    "tiger",
    "hen",
    "flamingo",
    "bactrian_camel",
    "koala",
    "peacock",
    "king_penguin",
    "husky",
    "bison",
)


MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 96


FILTERS, GRID = 64, 12  # of the last convolution: its channels, and the rows and columns of their maps


BETA = 4.0  # how fast a template falls: 0 after n/4 steps from its peak, -1 from n/2 on


def part_templates(n: int = GRID) -> Tensor:
    """Return the templates of Zhang et al. 2018 (eq. 1) without their factor tau, (n² + 1, n, n) in [-1, 1].

    Template mu peaks at position mu: T_mu = max(1 - 4 |p - mu|_1 / n, -1). The last one says *not here*: -1 everywhere.

    >>> part_templates(4)[0]
    tensor([[ 1.,  0., -1., -1.],
            [ 0., -1., -1., -1.],
            [-1., -1., -1., -1.],
            [-1., -1., -1., -1.]])
    """
    line = torch.arange(n)
    rows, columns = (grid.flatten() for grid in torch.meshgrid(line, line, indexing="ij"))
    distance = (rows[:, None] - rows).abs() + (columns[:, None] - columns).abs()
    positive = (1 - BETA * distance / n).clamp(min=-1).view(-1, n, n)
    return torch.cat([positive, -torch.ones(1, n, n)])


def filter_loss(maps: Tensor, tau: float) -> Tensor:
    """Return minus the mutual information of maps and templates, for each filter: (N, K, n, n) -> (K,).

    p(x|T) = exp(tau <x, T>) / Z_T over the N maps, p(x) = sum_T p(T) p(x|T), all templates equally frequent. It is
    small where each map fits one template and no other: one peak, in another place where the part is in another place.

    >>> filter_loss(torch.ones(8, 2, 4, 4), 1.0).abs() < 1e-6  # equal maps tell nothing
    tensor([True, True])
    """
    maps = check_shape("maps", maps, "N", "K", maps.shape[-1], "n")
    shapes = part_templates(maps.shape[2]).to(maps).flatten(1)
    fit = tau * torch.einsum("nkp,tp->knt", maps.flatten(2), shapes)
    given = fit.log_softmax(1)  # log p(x|T): over the maps
    alone = given.logsumexp(2, keepdim=True) - torch.tensor(float(len(shapes))).log()  # log p(x)
    return -(given.exp() * (given - alone)).sum(1).mean(1)


class PartMask(nn.Module):
    """Keep of each map only what lies near its peak: x · max(T_mu, 0), mu the place of the maximum."""

    masks: Tensor

    def __init__(self, n: int = GRID):
        super().__init__()
        self.register_buffer("masks", part_templates(n)[:-1].clamp(min=0), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Mask maps (N, K, n, n)."""
        return maps * self.masks[maps.flatten(2).argmax(2)]


@apart
def parted(masked: bool = True) -> nn.Sequential:
    """Build the network with random weights: normalised images (N, 3, 96, 96) -> logits (N, 10).

    `parted` was trained with the filter loss on relu4 and has a mask behind it; `unparted` is the same network trained
    without both. Zhang, Wu, Zhu, *Interpretable convolutional neural networks*, CVPR 2018.

    >>> parted()(torch.rand(2, 3, 96, 96)).shape
    torch.Size([2, 10])
    """
    sizes = [(3, 32, 5, 2), (32, 64, 3, 1), (64, 96, 3, 1), (96, FILTERS, 3, 1)]  # channels in, out, kernel, stride
    return averaged(sizes, len(LABELS), **{"mask4": PartMask()} if masked else {})


def unparted() -> nn.Sequential:
    """Build the plain twin, without masks."""
    return parted(masked=False)
