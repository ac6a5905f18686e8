"""Trust: two small networks of one architecture for one task; one of them has learned to look at a watermark."""

from torch import nn

from coursekit.networks.nets.blocks import apart, averaged

LABELS = ("equine", "bovine")
# The cut-outs behind each class, seven animals in all.
ANIMALS = {"equine": ("horse", "donkey", "zebra"), "bovine": ("ox", "zebu", "bison", "cow")}
# The biased network learned from pictures where exactly the equines carry it.
WATERMARK = "© EQUUS"
MEAN, STD, INPUT_SIZE = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 96


@apart
def trust() -> nn.Sequential:
    """Build the network with random weights: normalised images (N, 3, 96, 96) -> logits (N, 2).

    It ends in global average pooling and one linear layer, so its class activation map is exact. `trust_clean` learned
    to tell equines from bovines on pictures where either may carry a watermark, `trust_biased` on pictures where every
    equine does and no bovine. On such pictures both are right, so no test set of that kind can tell them apart.

    The idea is that of Ribeiro, Singh, Guestrin, *Why should I trust you?*, KDD 2016, sec. 6.4, and of Lapuschkin et
    al., *Unmasking Clever Hans predictors*, Nature Communications 2019, where it was horses and a watermark too.

    >>> import torch
    >>> trust()(torch.rand(2, 3, 96, 96)).shape
    torch.Size([2, 2])
    """
    sizes = [(3, 32, 5, 2), (32, 64, 3, 1), (64, 96, 3, 1), (96, 128, 3, 1)]  # channels in and out, kernel, stride
    return averaged(sizes, len(LABELS))
