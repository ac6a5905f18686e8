"""Sharper pictures by other rules for the way back: the deconvnet and guided backpropagation."""

from contextlib import nullcontext

import torch
from torch import Tensor

from coursekit.attribution.gradients import pixel_gradient
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.backward import check_rule, pool_switches, relu_rule
from coursekit.probe.targets import Target, quicker, scoring


def guided_backprop(model: Model, images: Tensor, target: Target = None) -> Tensor:
    """Run the network backwards and let only positive signals through active ReLUs.

    At each ReLU, with x its input and g the signal from above: R = g · [x > 0] · [g > 0], and for ReLU6 also · [x < 6].
    The first bracket is the gradient's, the second the deconvnet's. All other layers pass the gradient.

    Parameters
    ----------
    model : Model whose activations are ReLU or ReLU6, see `relu_rule`.
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit` for any neuron inside (`position="max"`: the strongest one
        of a feature map), function logits -> (N,), or None for each image's top class.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in the target's units per unit of intensity. It is no gradient of anything.

    Raises
    ------
    ImageError, TargetError, UnknownLayer
    UnsupportedActivation
        The network has an activation that the rule is not defined for.

    References
    ----------
    Springenberg, Dosovitskiy, Brox, Riedmiller, *Striving for simplicity: the all convolutional net*, ICLR workshop
    2015, sec. 3.4.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.guided_backprop(model, image, ck.unit("block11", 5, position="max")).shape
    torch.Size([1, 3, 224, 224])
    """
    check_rule(model, "guided")  # here layers still have the names that the message needs
    model = quicker(model, target)
    with relu_rule(model, "guided"), scoring(model, images, target) as score:
        return pixel_gradient(score, images, torch.arange(len(images)))


def deconvnet(model: Model, images: Tensor, target: Target = None, *, pooling: str = "switches") -> Tensor:
    """Run the network backwards as a deconvnet: rectify the signal, transpose the filters, undo pooling by switches.

    At each ReLU, with g the signal from above: R = g · [g > 0], whatever the ReLU's input was. For ReLU6 it is the
    same: its upper bound does not count, only the sign of g. Convolutions and linear layers are transposed, and
    BatchNorm is a scale, as for the gradient. The signal starts as 1 at the target (in the paper: as the activation,
    which only scales the picture of one neuron).

    Parameters
    ----------
    model, images, target : as for `guided_backprop`. The paper's target is `unit(layer, channel, position="max")`.
    pooling : "switches" or "autograd"
        How to go back through max-pooling. Each window hands its signal to the place of its maximum, the switch. Where
        windows overlap (3×3, stride 2 in AlexNet), several may share that place: by "switches" the last window
        overwrites the others, be its signal zero, as in the paper's unpooling; by "autograd"
        (captum's way) they add up. Without overlap both are the same; without max-pooling there is nothing to switch.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in the target's units per unit of intensity. Errors as for `guided_backprop`, and
    OptionError.

    References
    ----------
    Zeiler, Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, sec. 2.1.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.deconvnet(model, image, target=285).shape
    torch.Size([1, 3, 224, 224])
    """
    if pooling not in ("switches", "autograd"):
        raise OptionError(f"pooling is 'switches' or 'autograd', but got {pooling!r}.")
    switches = pool_switches() if pooling == "switches" else nullcontext()
    check_rule(model, "deconvnet")
    model = quicker(model, target)
    with relu_rule(model, "deconvnet"), switches, scoring(model, images, target) as score:
        return pixel_gradient(score, images, torch.arange(len(images)))
