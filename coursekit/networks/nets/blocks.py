"""What several small networks are built of: convolutions, global average pooling, one linear layer."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor, nn

P = ParamSpec("P")
Built = TypeVar("Built")
Sizes = list[tuple[int, int, int, int]]  # channels in and out, kernel and stride of each convolution


def at_home(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a network's `forward` take tensors from any device: its answer lives where the first of them does."""

    @functools.wraps(forward)
    def anywhere(network: nn.Module, *given: Tensor) -> Tensor:
        home = next(network.parameters()).device
        return forward(network, *(tensor.to(home) for tensor in given)).to(given[0].device)

    return anywhere


def apart(build: Callable[P, Built]) -> Callable[P, Built]:
    """Let a network draw its random weights one number later than the course did when it trained that network.

    Training moves weights less than one thinks: those from before it are relatives of the trained ones, correlated by
    0.8 and more. Without this, `ck.setup(seed=0)` and a bare network would give them, and `ck.random_model` too.
    """

    @functools.wraps(build)
    def later(*args: P.args, **kwargs: P.kwargs) -> Built:
        torch.rand(1)
        return build(*args, **kwargs)

    return later


class Painter(nn.Sequential):
    """Layers in a row, whose input may live on any device."""

    forward = at_home(nn.Sequential.forward)


def convolutions(sizes: Sizes, pooled: int) -> OrderedDict[str, nn.Module]:
    """Name the layers: each convolution with batch normalisation and ReLU, the first `pooled` with max-pooling too.

    >>> list(convolutions([(3, 8, 5, 2), (8, 8, 3, 1)], pooled=1))
    ['conv1', 'norm1', 'relu1', 'pool1', 'conv2', 'norm2', 'relu2']
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (inputs, outputs, kernel, stride) in enumerate(sizes, 1):
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        layers[f"norm{i}"], layers[f"relu{i}"] = nn.BatchNorm2d(outputs), nn.ReLU()
        if i <= pooled:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
    return layers


def averaged(sizes: Sizes, classes: int, **last: nn.Module) -> nn.Sequential:
    """Build convolutions, two of them pooled, the average of each map, and one linear layer, with random weights.

    `last` are layers behind the last convolution, by name. Class activation maps are exact.

    >>> import torch
    >>> averaged([(3, 8, 5, 2), (8, 8, 3, 1), (8, 16, 3, 1)], classes=4)(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 4])
    """
    layers = convolutions(sizes, pooled=2)
    layers.update(last)
    layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers[f"fc{len(sizes) + 1}"] = nn.Linear(sizes[-1][1], classes)
    return nn.Sequential(layers)
