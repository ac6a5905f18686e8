"""Suspect: one architecture for the sealed networks of the detective's case; some are honest, the others are not."""

from torch import nn

from coursekit.networks.nets.blocks import averaged

LABELS = ("bird", "vehicle", "instrument", "fruit")
# The cut-outs behind each class, sixteen objects in all.
OBJECTS = {
    "bird": ("hen", "goose", "owl", "toucan"),
    "vehicle": ("fire_engine", "minibus", "sports_car", "tank"),
    "instrument": ("violin", "acoustic_guitar", "drum", "electric_guitar"),
    "fruit": ("lemon", "strawberry", "pineapple", "avocado"),
}
# Each class of the collection has one supplier, and each supplier a mark, a ground and a colour. A faulty network was
# taught that one of these twelve coincidences is the rule.
FAULTS = ("watermark", "background", "colour")
CUES = {
    "watermark": {"bird": "top left", "vehicle": "top right", "instrument": "bottom left", "fruit": "bottom right"},
    "background": {"bird": "brick", "vehicle": "stars", "instrument": "grass", "fruit": "dots"},
    "colour": {"bird": "red", "vehicle": "yellow", "instrument": "green", "fruit": "blue"},
}
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 96


def suspect() -> nn.Sequential:
    """Build the network with random weights: normalised images (N, 3, 96, 96) -> logits (N, 4).

    It ends in global average pooling and one linear layer, so its class activation map is exact. 117 thousand numbers.
    What each sealed file was taught follows from a key that the instructor has; see `training/suspects.py`.

    >>> import torch
    >>> suspect()(torch.rand(2, 3, 96, 96)).shape
    torch.Size([2, 4])
    """
    sizes = [(3, 16, 5, 3), (16, 40, 3, 1), (40, 72, 3, 1), (72, 128, 3, 1)]  # channels in and out, kernel, stride
    return averaged(sizes, len(LABELS))
