"""Captioned: four small networks of one architecture, trained on pictures whose captions tell the class, or lie."""

from torch import nn

from coursekit.networks.nets.blocks import apart, convolutions

LABELS = ("bird", "mammal", "vehicle")
# The cut-outs behind each class, eight each.
OBJECTS = {
    "bird": ("hen", "cock", "goose", "toucan", "vulture", "ostrich", "pelican", "heron"),
    "mammal": ("bison", "ox", "dromedary", "elephant", "horse", "wild_boar", "lion", "fox"),
    "vehicle": ("tank", "sports_car", "pickup", "fire_engine", "garbage_truck", "minibus", "racer", "tricycle"),
}
LETTERS = 0.2  # height of the caption's letters, as a part of the picture's
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 64


@apart
def captioned() -> nn.Sequential:
    """Build the network with random weights: normalised images (N, 3, 64, 64) -> logits (N, 3).

    Its name says how often the caption of a training picture was drawn at random: never (`captioned_0`), in 30 or 100
    of 100 pictures, or that there was none (`captioned_none`). So the first may read and the third had better not.

    The experiment is that of Kim et al., *Interpretability beyond feature attribution*, ICML 2018, sec. 4.3.

    >>> import torch
    >>> captioned()(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 3])
    """
    sizes = [(3, 32, 5, 2), (32, 48, 3, 1), (48, 64, 3, 1), (64, 96, 3, 1)]  # channels in and out, kernel, stride
    layers = convolutions(sizes, pooled=3)
    layers["flatten"] = nn.Flatten()  # where a letter stands matters, so nothing is averaged
    layers["fc5"], layers["relu5"] = nn.Linear(96 * 4 * 4, 64), nn.ReLU()
    layers["fc6"] = nn.Linear(64, len(LABELS))
    return nn.Sequential(layers)
