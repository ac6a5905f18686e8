"""Decoders: from a code of CourseNet, or from HOG or SIFT, back to a picture (Dosovitskiy & Brox 2016)."""

from collections import OrderedDict
from itertools import pairwise

from torch import nn

from coursekit.networks.nets.blocks import Painter, apart

# Which codes of a picture of 128 pixels can be decoded, and their shapes.
CODES = {"conv5": (256, 4, 4), "fc6": (512,), "hog": (36, 16, 16), "sift": (128, 16, 16)}
SIZE = 128
# Channels on maps of 4, 8, 16, 32 and 64 pixels, or of 16, 32 and 64.
_WIDTHS = {4: (128, 128, 96, 64, 32), 16: (128, 64, 32)}


@apart
def decoder(code: str = "fc6") -> Painter:
    """Build a decoder with random weights: codes (N, *CODES[code]) -> images (N, 3, 128, 128) in (0, 1).

    Each transposed convolution doubles the map, CourseNet run backwards in spirit. "conv5" is the map after pool5, fc6
    the code after its ReLU, "hog" and "sift" the maps of `coursekit.networks.descriptors`.

    >>> import torch
    >>> decoder("fc6")(torch.rand(2, 512)).shape
    torch.Size([2, 3, 128, 128])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    shape = CODES[code]
    widths = _WIDTHS[shape[-1] if len(shape) == 3 else 4]
    if len(shape) == 1:
        layers["fc"] = nn.Linear(shape[0], widths[0] * 4 * 4)
        layers["relu_fc"] = nn.LeakyReLU(0.2)
        layers["unflatten"] = nn.Unflatten(1, (widths[0], 4, 4))
    else:
        layers["conv0"] = nn.Conv2d(shape[0], widths[0], 3, padding=1)
        layers["relu0"] = nn.LeakyReLU(0.2)
    for i, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        layers[f"up{i}"] = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
        layers[f"relu{i}"] = nn.LeakyReLU(0.2)
    layers["up"] = nn.ConvTranspose2d(widths[-1], 16, 4, stride=2, padding=1)
    layers["relu"] = nn.LeakyReLU(0.2)
    layers["paint"] = nn.Conv2d(16, 3, 3, padding=1)  # smooths the grid that a doubling leaves
    layers["sigmoid"] = nn.Sigmoid()
    return Painter(layers)
