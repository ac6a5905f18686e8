"""A generator: from the parameters of a shape to its picture and its mask (Dosovitskiy et al. 2017, in small)."""

from collections import OrderedDict

from torch import nn

from coursekit.images.stimuli import SHAPES
from coursekit.networks.nets.blocks import Painter, apart

# What a picture is made from: one number for each kind, RGB of the shape, radius, sine and cosine of n times the angle,
# position x and y, RGB of the background.
PARAMETERS: tuple[str, ...] = (*SHAPES, "red", "green", "blue", "radius", "sin", "cos", "x", "y")
PARAMETERS += ("background red", "background green", "background blue")
SIZE = 64


@apart
def generator() -> Painter:
    """Build the generator with random weights: parameters (N, 17) -> (N, 4, 64, 64) in (0, 1), RGB and the mask.

    Two layers mix the parameters into one code ("relu_fc2", 512 numbers), then four blocks double the map.

    >>> import torch
    >>> generator()(torch.rand(2, 17)).shape
    torch.Size([2, 4, 64, 64])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        fc1=nn.Linear(len(PARAMETERS), 256), relu_fc1=nn.LeakyReLU(0.2), fc2=nn.Linear(256, 512)
    )
    layers["relu_fc2"] = nn.LeakyReLU(0.2)
    layers["fc3"], layers["relu_fc3"] = nn.Linear(512, 64 * 4 * 4), nn.LeakyReLU(0.2)
    layers["unflatten"] = nn.Unflatten(1, (64, 4, 4))
    for i, (inputs, outputs) in enumerate([(64, 64), (64, 64), (64, 48)], start=1):
        layers[f"up{i}"] = nn.Upsample(scale_factor=2)
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, 3, padding=1)
        layers[f"relu{i}"] = nn.LeakyReLU(0.2)
    layers["paint"] = nn.Conv2d(48, 4 * 2 * 2, 3, padding=1)
    layers["shuffle"] = nn.PixelShuffle(2)
    layers["sigmoid"] = nn.Sigmoid()
    return Painter(layers)
