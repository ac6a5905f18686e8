"""Decoders: from a code of CourseNet back to a picture (Dosovitskiy & Brox 2016)."""

from collections import OrderedDict
from itertools import pairwise

from torch import nn

# Which codes of CourseNet can be decoded, and their shapes.
CODES = {"conv5": (256, 4, 4), "fc6": (512,)}
SIZE = 128
_WIDTHS = (128, 128, 96, 64, 32)  # channels on maps of 4, 8, 16, 32 and 64 pixels


def decoder(code: str = "fc6") -> nn.Sequential:
    """Build a decoder with random weights: codes (N, 512) or (N, 256, 4, 4) -> images (N, 3, 128, 128) in (0, 1).

    Each block doubles the map and convolves it, CourseNet run backwards in spirit. "conv5" is the map after pool5, fc6
    the code after its ReLU.

    >>> import torch
    >>> decoder("fc6")(torch.rand(2, 512)).shape
    torch.Size([2, 3, 128, 128])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if len(CODES[code]) == 1:
        layers["fc"] = nn.Linear(CODES[code][0], _WIDTHS[0] * 4 * 4)
        layers["relu_fc"] = nn.LeakyReLU(0.2)
        layers["unflatten"] = nn.Unflatten(1, (_WIDTHS[0], 4, 4))
    else:
        layers["conv0"] = nn.Conv2d(CODES[code][0], _WIDTHS[0], 3, padding=1)
        layers["relu0"] = nn.LeakyReLU(0.2)
    for i, (inputs, outputs) in enumerate(pairwise(_WIDTHS), start=1):
        layers[f"up{i}"] = nn.Upsample(scale_factor=2)
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, 3, padding=1)
        layers[f"relu{i}"] = nn.LeakyReLU(0.2)
    layers["paint"] = nn.Conv2d(_WIDTHS[-1], 3 * 2 * 2, 3, padding=1)
    layers["shuffle"] = nn.PixelShuffle(2)  # four times as many pixels out of four times as many channels
    layers["sigmoid"] = nn.Sigmoid()
    return nn.Sequential(layers)
