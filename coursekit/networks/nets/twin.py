"""Twins: two small networks of one architecture; one learned true labels, the other learned shuffled ones by heart."""

from collections import OrderedDict

from torch import nn

from coursekit.networks.nets.blocks import apart

# The cut-outs that the twins tell apart, in the order of their outputs.
LABELS = ("zebra", "tiger", "hen", "broccoli", "camera", "balloon", "teddy", "koala", "strawberry", "violin")
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 64


@apart
def twin() -> nn.Sequential:
    """Build a twin with random weights: normalised images (N, 3, 64, 64) -> logits (N, 10).

    For the data randomisation test of Adebayo et al., *Sanity checks for saliency maps*, NeurIPS 2018: `twin_true` was
    trained on true labels, `twin_permuted` on the same pictures with their labels shuffled, up to the same training
    accuracy. A map that looks alike on both explains the picture, not what the network learned.

    >>> import torch
    >>> twin()(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (inputs, outputs) in enumerate([(3, 32), (32, 64), (64, 96)], 1):
        layers[f"conv{i}"] = nn.Conv2d(inputs, outputs, 5 if i == 1 else 3, padding=2 if i == 1 else 1)
        layers[f"relu{i}"], layers[f"pool{i}"] = nn.ReLU(), nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc4"], layers["relu4"] = nn.Linear(96 * 8 * 8, 64), nn.ReLU()
    layers["fc5"] = nn.Linear(64, len(LABELS))
    return nn.Sequential(layers)
