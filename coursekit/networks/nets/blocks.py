"""What the small networks of labs 06 and 16 are built of: convolutions, global average pooling, one linear layer."""

from collections import OrderedDict

from torch import nn


def averaged(sizes: list[tuple[int, int, int, int]], classes: int) -> nn.Sequential:
    """Build the network with random weights; `sizes` are channels in and out, kernel and stride of each convolution.

    The first two are followed by max-pooling, each by batch normalisation and ReLU. Class activation maps are exact.

    >>> import torch
    >>> averaged([(3, 8, 5, 2), (8, 8, 3, 1), (8, 16, 3, 1)], classes=4)(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 4])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (inputs, outputs, kernel, stride) in enumerate(sizes, 1):
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        layers[f"norm{i}"], layers[f"relu{i}"] = nn.BatchNorm2d(outputs), nn.ReLU()
        if i < 3:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
    layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers[f"fc{len(sizes) + 1}"] = nn.Linear(sizes[-1][1], classes)
    return nn.Sequential(layers)
