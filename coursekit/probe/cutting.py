"""Change a network for the length of a `with` block: cut weights, silence channels, or put in other activations."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from coursekit.arguments import check_numbers
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.networks.receptive import channel_axis
from coursekit.probe.capture import check_output, check_ran


@contextmanager
def cut_weights(model: Model, layer: str, channel: int, inputs: Sequence[int]) -> Iterator[None]:
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
    >>> with ck.cut_weights(model, "conv2", 5, [0, 1]):
    ...     model.layer("conv2").weight[5, :2].abs().sum().item()
    0.0
    """
    module = model.layer(layer)
    if not isinstance(module, nn.Conv2d | nn.Linear) or getattr(module, "groups", 1) != 1:
        raise OptionError(f"{layer!r} is no plain convolution and no linear layer, so it has no inputs to cut.")
    if "weight" not in module._parameters | module._buffers:
        raise OptionError(
            f"The weights of {layer!r} are made anew in each forward pass (weight_norm, pruning and the like), so a "
            f"cut has no effect; make them plain: torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')."
        )
    outputs, count = module.weight.shape[:2]
    check_numbers("channel", [channel], outputs, layer)
    check_numbers("input", inputs, count, layer)
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
    kept: list[Tensor] = []

    def silence(output: Tensor, axis: int) -> Tensor:
        output = output.clone()
        maps = output.movedim(axis, 1)  # a view
        if maps.ndim not in (2, 4):
            raise OptionError(f"{layer!r} has no channels to silence, but the shape {tuple(maps.shape)}.")
        check_numbers("channel", channels or [], maps.shape[1], layer)
        maps[:, list(channels or [])] = 0
        return output

    def keep(module: nn.Module, inputs: tuple) -> None:
        kept[:] = [inputs[0].clone()]  # the input as it was: layers inside may overwrite it

    def leave_out(output: Tensor, axis: int) -> Tensor:
        if kept[0].shape != output.shape:
            shapes = " and ".join(str(tuple(t.shape[1:])) for t in (kept[0], output))
            raise OptionError(f"{layer!r} cannot be left out: its input and its output have the shapes {shapes}.")
        return kept[0]

    handle = module.register_forward_pre_hook(keep) if channels is None else None
    try:
        with _changed(model, layer, leave_out if channels is None else silence):
            yield
    finally:
        if handle:
            handle.remove()


@contextmanager
def replaced(model: Model, layer: str, maps: Tensor) -> Iterator[None]:
    """Let everything above a layer see `maps` (N, C, h, w), whatever the layer computes, inside the `with` block.

    All N are variants of one image: below the layer only the first image of a batch of N runs, and what passes the
    layer by, such as a skip connection, is that image's own. So a hundred variants cost little more than one image.
    """
    with _changed(model, layer, lambda output, axis: maps.to(output).movedim(1, axis), first=True):
        yield


@contextmanager
def _changed(
    model: Model, layer: str, change: Callable[[Tensor, int], Tensor], *, first: bool = False
) -> Iterator[None]:
    """Put change(output, axis of the channels) in the place of a layer's output; run the `first` image alone below."""
    size: list[int] = []
    ran: list[str] = []

    def begin(module: nn.Module, inputs: tuple) -> tuple | None:
        ran.clear()
        size[:] = inputs[0].shape[2:]
        return (inputs[0][:1],) if first else None

    def put(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        check_output(output, layer)
        ran.append(layer)
        return change(output, channel_axis(module, output, size or (1, 1)))

    handles = [model.module.register_forward_pre_hook(begin), model.layer(layer).register_forward_hook(put)]
    handles.append(model.register_forward_hook(lambda module, inputs, output: check_ran([layer], ran)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
