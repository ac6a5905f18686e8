"""An image transformation network: one forward pass that gives a picture another style (Johnson et al. 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.networks.nets.blocks import apart, at_home

WIDTHS = (16, 32, 64)  # channels at full, half and quarter size
BLOCKS = 5


class ConditionalNorm(nn.Module):
    r"""Remove each channel's mean and contrast, then give it those of a style: γ_s (x - μ) / σ + β_s.

    "instance": μ and σ of this picture alone (Ulyanov et al. 2016); "batch": of the whole batch in training, of all
    the training in use (Ioffe & Szegedy 2015). γ_s and β_s are a row of a table for each style (Dumoulin et al. 2017).
    """

    def __init__(self, channels: int, styles: int, norm: str):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(styles, channels)), nn.Parameter(torch.zeros(styles, channels))
        self.statistics = nn.BatchNorm2d(channels, affine=False) if norm == "batch" else F.instance_norm

    @at_home
    def forward(self, x: Tensor, mixture: Tensor) -> Tensor:
        """Take x (N, C, H, W) and the share of each style, mixture (N, styles)."""
        gamma, beta = (mixture @ self.gamma)[..., None, None], (mixture @ self.beta)[..., None, None]
        return gamma * self.statistics(x) + beta


class Step(nn.Module):
    """Convolution with mirrored border, norm; before it the map is doubled if `grow`, after it ReLU if `relu`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        styles: int,
        norm: str,
        *,
        stride: int = 1,
        grow: bool = False,
        relu: bool = True,
    ):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, padding_mode="reflect")
        self.norm = ConditionalNorm(outputs, styles, norm)
        self.grow, self.relu = grow, relu

    @at_home
    def forward(self, x: Tensor, mixture: Tensor) -> Tensor:
        if self.grow:  # then a convolution: a transposed one leaves a chessboard (Odena et al. 2016)
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        x = self.norm(self.conv(x), mixture)
        return F.relu(x) if self.relu else x


class StyleNetwork(nn.Module):
    """Build the network with random weights: (N, 3, H, W) and a mixture (N, styles) -> (N, 3, H, W) in (0, 1).

    Two steps down to a quarter of the size, five residual blocks there, two steps up; H and W are multiples of 4.
    Johnson, Alahi & Fei-Fei, *Perceptual losses for real-time style transfer and super-resolution*, ECCV 2016.

    >>> StyleNetwork(styles=2)(torch.rand(1, 3, 32, 48), torch.tensor([[0.5, 0.5]])).shape
    torch.Size([1, 3, 32, 48])
    """

    styles: list[str]  # what it paints; the loader says
    curve: list[list[float]]  # [step, loss] of its training

    @apart
    def __init__(self, styles: int = 1, norm: str = "instance"):
        super().__init__()
        full, half, quarter = WIDTHS
        self.down = nn.ModuleList(
            [
                Step(3, full, 9, styles, norm),
                Step(full, half, 3, styles, norm, stride=2),
                Step(half, quarter, 3, styles, norm, stride=2),
            ]
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(Step(quarter, quarter, 3, styles, norm, relu=relu) for relu in (True, False))
            for _ in range(BLOCKS)
        )
        self.up = nn.ModuleList(
            [Step(quarter, half, 3, styles, norm, grow=True), Step(half, full, 3, styles, norm, grow=True)]
        )
        self.paint = nn.Conv2d(full, 3, 9, padding=4, padding_mode="reflect")

    @at_home
    def forward(self, x: Tensor, mixture: Tensor) -> Tensor:
        """Transform pictures in [0, 1]; each row of `mixture` should sum to 1."""
        for step in self.down:
            x = step(x, mixture)
        for block in self.blocks:
            first, second = block.children()
            x = x + second(first(x, mixture), mixture)
        for step in self.up:
            x = step(x, mixture)
        return torch.sigmoid(self.paint(x))
