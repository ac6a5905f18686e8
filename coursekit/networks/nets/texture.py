"""A texture network: from noise to a texture in one forward pass (Ulyanov et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.networks.nets.blocks import apart, at_home

SCALES, CHANNELS = 5, 8  # maps of 1/16 to the full size; new channels at each


class Block(nn.Sequential):
    """Three convolutions, each with batch normalisation and a leaky ReLU; the border is wrapped around."""

    def __init__(self, inputs: int, outputs: int):
        layers: list[nn.Module] = []
        for channels, kernel in ((inputs, 3), (outputs, 3), (outputs, 1)):
            layers += [
                nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, padding_mode="circular"),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.1),
            ]
        super().__init__(*layers)


class TextureNetwork(nn.Module):
    """Build the network with random weights: noise of five sizes, (N, 3, s, s) each -> (N, 3, S, S) in (0, 1).

    The coarsest noise comes first. Each doubling takes what there is and new noise of that size: the coarse noise
    decides where things are, the fine noise their details.
    Ulyanov et al., *Texture networks: feed-forward synthesis of textures and stylized images*, ICML 2016.

    >>> TextureNetwork().eval()(noise(2, 64, seed=0)).shape
    torch.Size([2, 3, 64, 64])
    """

    @apart
    def __init__(self) -> None:
        super().__init__()
        self.read = nn.ModuleList(Block(3, CHANNELS) for _ in range(SCALES))
        self.join = nn.ModuleList(Block(CHANNELS * (k + 1), CHANNELS * (k + 1)) for k in range(1, SCALES))
        self.paint = nn.Conv2d(CHANNELS * SCALES, 3, 1)

    def forward(self, noises: list[Tensor]) -> Tensor:
        """Paint a batch of textures; their borders fit each other, so they can be laid as tiles."""
        return self._paint(*noises)

    @at_home
    def _paint(self, *noises: Tensor) -> Tensor:
        x = self.read[0](noises[0])
        for read, join, z in zip(self.read[1:], self.join, noises[1:], strict=True):
            x = join(torch.cat([F.interpolate(x, scale_factor=2.0), read(z)], 1))
        return torch.sigmoid(self.paint(x))


def noise(n: int, size: int, seed: int) -> list[Tensor]:
    """Draw what TextureNetwork starts from: uniform noise of size / 16, … size / 2, size; size is a multiple of 16.

    >>> [z.shape[-1] for z in noise(1, 64, seed=0)]
    [4, 8, 16, 32, 64]
    """
    generator = torch.Generator().manual_seed(seed)
    sides = [size // 2**k for k in reversed(range(SCALES))]
    return [torch.rand(n, 3, side, side, generator=generator) for side in sides]
