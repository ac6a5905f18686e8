"""Circuits: the weights between two layers, by place, and controls that match a cut in number and strength."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.arguments import check_count, check_numbers
from coursekit.errors import OptionError, UnsupportedNetwork


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


def matched_controls(
    strengths: Tensor, chosen: Sequence[int], *, draws: int = 20, tolerance: float = 0.1, seed: int = 0
) -> Tensor:
    """Draw sets of other inputs that match the chosen ones: as many, of the same sign, and together as strong.

    If cutting such a set does the same, then it is the number and the strength of the inputs that matter, and not what
    they see. Each set starts at random; then members change places with others, also at random, but never so that
    |Σ strengths − that of the chosen| grows, until it is within the tolerance.

    Parameters
    ----------
    strengths : (K,), such as the summed weights from each input to a channel, or the mean answers of channels.
    chosen : the numbers of those that were cut, all of one sign; no control contains any of them.
    draws : R. tolerance : how far the sums may be apart, as a part of that of the chosen.

    Returns
    -------
    Tensor (R, len(chosen)), each row sorted; rows may share members, and must where few others are left.

    Raises
    ------
    OptionError
        Also where no set of the others is as strong, or as weak, as the chosen.

    Examples
    --------
    >>> strengths = torch.tensor([-3.0, -2.0, -1.0, 4.0, -2.1, -2.9, -0.5])
    >>> matched_controls(strengths, [0, 1], draws=2, tolerance=0.05)
    tensor([[4, 5],
            [4, 5]])
    """
    check_count("draws", draws)
    check_numbers("input", chosen, len(strengths), "strengths")
    strengths = strengths.detach().cpu().double()
    goal = float(strengths[list(chosen)].sum())
    alike = strengths * goal > 0
    if not len(chosen) or not alike[list(chosen)].all():
        raise OptionError("Choose at least one input, all of one sign: strengths that cancel cannot be matched.")
    others = alike.index_fill(0, torch.tensor(chosen), False).nonzero()[:, 0]
    generator, controls = torch.Generator().manual_seed(seed), []
    for _ in range(draws):
        order = others[torch.randperm(len(others), generator=generator)]
        inside, outside = order.tensor_split([len(chosen)])
        while abs(apart := float(strengths[inside].sum()) - goal) > tolerance * abs(goal):
            change = strengths[outside] - strengths[inside][:, None]  # by each swap
            better = ((apart + change).abs() < abs(apart) - 1e-9).nonzero()
            if not len(better):
                raise OptionError(
                    f"The {len(chosen)} chosen sum up to {goal:.2f}; as many of the {len(others)} others of their sign "
                    f"came no nearer than {goal + apart:.2f}. Choose fewer, or allow more than {tolerance=}."
                )
            i, j = better[torch.randint(len(better), (1,), generator=generator)[0]]
            inside[i], outside[j] = outside[j].clone(), inside[i].clone()
        controls.append(inside.sort().values)
    return torch.stack(controls)
