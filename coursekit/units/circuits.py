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
    parts = {"conv_pw": "bn1", "conv_dw": "bn2", "conv_pwl": "bn3"}
    if not all(hasattr(block, name) for name in parts):
        raise UnsupportedNetwork(
            f"effective_weights reads a convolution or an inverted residual block, not {type(block).__name__}."
        )
    wide, place, narrow = (_scaled(getattr(block, conv), getattr(block, norm)) for conv, norm in parts.items())
    return torch.einsum("om,mhw,mi->oihw", narrow[:, :, 0, 0], place[:, 0], wide[:, :, 0, 0])


def _scaled(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> Tensor:
    """Return the weights times what the BatchNorm that follows multiplies each channel by, in eval mode."""
    state = norm.state_dict()
    factor = state["weight"] / (state["running_var"] + norm.eps).sqrt()
    return convolution.weight.detach() * factor[:, None, None, None]
