"""Circuits: the weights between two layers, by place."""

import torch
from torch import Tensor, nn

from coursekit.errors import UnsupportedNetwork


def effective_weights(block: nn.Module) -> Tensor:
    """Multiply the three convolutions of an inverted residual block out: (outputs, inputs, k, k).

    W[o, i] = sum_m P[o, m] D[m] E[m, i], with the factors of the BatchNorms multiplied in: E widens (1×1), D looks at
    the place (depthwise, k×k), P narrows (1×1). The two ReLU6 in between are left out, so W says what a path would do
    if nothing were clipped: its sign and place are a guess, to be tested. A plain convolution gives its own weights.

    Raises `UnsupportedNetwork` for another kind of block.

    >>> effective_weights(nn.Conv2d(3, 8, 5)).shape
    torch.Size([8, 3, 5, 5])
    """
    if isinstance(block, nn.Conv2d) and block.groups == 1:
        return block.weight.detach()
    if not all(hasattr(block, name) for name in ("conv_pw", "conv_dw", "conv_pwl")):
        raise UnsupportedNetwork(
            f"effective_weights reads a convolution or an inverted residual block, not {type(block).__name__}."
        )
    wide, place, narrow = (
        convolution.weight.detach() * _factor(norm)[:, None, None, None]
        for convolution, norm in (
            (block.conv_pw, block.bn1),
            (block.conv_dw, block.bn2),
            (block.conv_pwl, block.bn3),
        )
    )
    return torch.einsum("om,mhw,mi->oihw", narrow[:, :, 0, 0], place[:, 0], wide[:, :, 0, 0])


def _factor(norm: nn.Module) -> Tensor:
    """What a BatchNorm multiplies each channel by, in eval mode."""
    return (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
