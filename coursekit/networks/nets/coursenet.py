"""CourseNet: a network like AlexNet, small enough for a laptop, and made to be looked at."""

from collections import OrderedDict

from torch import nn

# name: (channels in, channels out, kernel, stride); a pooling layer follows conv1, conv2, conv4 and conv5.
_CONVOLUTIONS = {
    "1": (3, 64, 7, 2),
    "2": (64, 128, 3, 1),
    "3": (128, 192, 3, 1),
    "4": (192, 192, 3, 1),
    "5": (192, 256, 3, 1),
}
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 128


def coursenet(classes: int = 1000, *, kernel: int = 7) -> nn.Sequential:
    """Build CourseNet with random weights: normalised images (N, 3, 128, 128) -> logits (N, classes).

    Five convolutions and three fully connected layers, as in AlexNet (Krizhevsky et al. 2012). Nothing else: no
    normalisation, no shortcuts, and pooling windows that do not overlap, so that each maximum has one place.
    The first layer's filters are large, `kernel` pixels wide, so that one can see what they look for. fc6 and fc7 are
    codes of 512 numbers.

    >>> import torch
    >>> coursenet()(torch.rand(2, 3, 128, 128)).shape
    torch.Size([2, 1000])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, (inputs, outputs, size, stride) in _CONVOLUTIONS.items():
        size = kernel if name == "1" else size
        layers[f"conv{name}"] = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2)
        layers[f"relu{name}"] = nn.ReLU()
        if name != "3":
            layers[f"pool{name}"] = nn.MaxPool2d(2)
    layers["avgpool"] = nn.AdaptiveAvgPool2d(4)  # changes nothing at 128 px; lets images of other sizes pass
    layers["flatten"] = nn.Flatten()
    layers["fc6"], layers["relu6"] = nn.Linear(256 * 4 * 4, 512), nn.ReLU()
    layers["fc7"], layers["relu7"] = nn.Linear(512, 512), nn.ReLU()
    layers["fc8"] = nn.Linear(512, classes)
    return nn.Sequential(layers)
