"""PatternNet: a small network that has seen patterns and plain shapes and no object at all."""

from collections import OrderedDict

from torch import nn

from coursekit.networks.nets.blocks import apart

# The kinds of `coursekit.images.stimuli`: seven textures, six shapes.
LABELS: tuple[str, ...] = ("noise", "sky", "stripes", "checkerboard", "dots", "zigzag", "mesh")
LABELS += ("circle", "square", "triangle", "star", "ring", "cross")
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 64


@apart
def patternnet() -> nn.Sequential:
    """Build PatternNet with random weights: normalised images (N, 3, H, W), H and W from 32 on -> logits (N, 13).

    To dream with: a network shows what it has learned, and this one has learned stripes, dots and rings.

    >>> import torch
    >>> patternnet()(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 13])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (inputs, outputs) in enumerate([(3, 32), (32, 64), (64, 96), (96, 128)], 1):
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, 5 if i == 1 else 3, padding=2 if i == 1 else 1)
        layers[f"relu{i}"] = nn.ReLU()
        if i < 4:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
    layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers["fc"] = nn.Linear(128, len(LABELS))
    return nn.Sequential(layers)
