"""Circuits: the weights between two layers by place, and what happens when some of them are cut."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from coursekit.errors import OptionError, UnsupportedNetwork
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, capture, evaluating


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


@contextmanager
def cut(model: Model, layer: str, channel: int, inputs: Sequence[int]) -> Iterator[None]:
    """Set the weights from some inputs to one channel to 0 inside the `with` block; afterwards they are as before.

    Only these connections are cut: the input channels still serve all other channels.

    Parameters
    ----------
    model : Model
    layer : name of a convolution (not a grouped one) or of a linear layer.
    channel : whose inputs are cut. inputs : their numbers.

    Raises
    ------
    UnknownLayer, OptionError

    Examples
    --------
    >>> import coursekit as ck
    >>> model = ck.load_model("coursenet")
    >>> with ck.cut(model, "conv2", 5, [0, 1]):
    ...     model.layer("conv2").weight[5, :2].abs().sum().item()
    0.0
    """
    module = model.layer(layer)
    if not isinstance(module, nn.Conv2d | nn.Linear) or getattr(module, "groups", 1) != 1:
        raise OptionError(f"{layer!r} is no plain convolution and no linear layer, so it has no inputs to cut.")
    outputs, count = module.weight.shape[:2]
    _check_numbers("channel", [channel], outputs, layer)
    _check_numbers("input", inputs, count, layer)
    row = module.weight.detach()[channel]
    kept = row.clone()
    try:
        row[list(inputs)] = 0  # a view: this changes the layer
        yield
    finally:
        row.copy_(kept)


@contextmanager
def ablate(model: Model, layer: str, channels: Sequence[int] | None = None) -> Iterator[None]:
    """Silence channels of a layer inside the `with` block: everything that follows sees 0 in their place.

    `channels` None removes what the layer does altogether: its input is passed on, which needs the same shape.

    Raises
    ------
    UnknownLayer, OptionError

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("coursenet"), ck.load_image("chelsea", size=128)
    >>> with ck.ablate(model, "relu5", [3]), ck.capture(model, ["pool5"]) as maps:
    ...     _ = model(image)
    >>> maps["pool5"][0, 3].sum().item()
    0.0
    """
    module = model.layer(layer)

    def silence(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        _check_numbers("channel", channels, output.shape[1], layer)
        output = output.clone()
        output[:, list(channels)] = 0
        return output

    def pass_on(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        if inputs[0].shape != output.shape:
            shapes = " and ".join(str(tuple(t.shape[1:])) for t in (inputs[0], output))
            raise OptionError(f"{layer!r} cannot be left out: its input and its output have the shapes {shapes}.")
        return kept[0]

    kept: list[Tensor] = []
    handles = []
    if channels is None:  # the input as it was: layers inside may overwrite it
        handles.append(
            module.register_forward_pre_hook(lambda module, inputs: kept.__setitem__(slice(None), [inputs[0].clone()]))
        )
    handles.append(module.register_forward_hook(pass_on if channels is None else silence))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def peaks(model: Model, layer: str, images: Tensor) -> Tensor:
    """Return the peak of each channel of a layer in each image, (N, K); for a layer without maps its values.

    >>> import coursekit as ck
    >>> ck.peaks(ck.load_model("coursenet"), "relu5", ck.load_image("chelsea", size=128)).shape
    torch.Size([1, 256])
    """
    found = []
    with evaluating(model), capture(model, [layer]) as maps, torch.no_grad():
        for batch in images.split(BATCH):
            model(batch)
            value = maps[layer]
            found.append((value.flatten(2).amax(2) if value.ndim == 4 else value).cpu())
    return torch.cat(found)


def _factor(norm: nn.Module) -> Tensor:
    """What a BatchNorm multiplies each channel by, in eval mode."""
    return (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()


def _check_numbers(what: str, numbers: Sequence[int], count: int, layer: str) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
            raise OptionError(f"{layer!r} has the {what}s 0 to {count - 1}, but {number!r} was asked for.")
