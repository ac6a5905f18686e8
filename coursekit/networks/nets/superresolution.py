"""Super-resolution: a picture four times as high and wide, with details that the network has learned to expect."""

import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.networks.nets.blocks import apart, at_home

CHANNELS, BLOCKS = 48, 5


class SuperResolution(nn.Module):
    """Build the network with random weights: (N, 3, h, w) in [0, 1] -> (N, 3, 4h, 4w).

    Residual blocks on the small picture, two doublings; the result is added to the bicubic enlargement, so that only
    what that lacks must be learned. Values can leave [0, 1] a little.
    Johnson, Alahi & Fei-Fei 2016, sec. 4.2, without batch normalisation (Lim et al., *Enhanced deep residual networks*,
    CVPRW 2017).

    >>> import torch
    >>> SuperResolution()(torch.rand(1, 3, 16, 20)).shape
    torch.Size([1, 3, 64, 80])
    """

    @apart
    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Conv2d(3, CHANNELS, 3, padding=1, padding_mode="reflect")
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
            )
            for _ in range(BLOCKS)
        )
        self.up1, self.up2 = nn.Conv2d(CHANNELS, 32, 3, padding=1), nn.Conv2d(32, 24, 3, padding=1)
        self.paint = nn.Conv2d(24, 3, 3, padding=1)
        for parameter in self.paint.parameters():
            nn.init.zeros_(parameter)  # the start is the bicubic enlargement

    @at_home
    def forward(self, small: Tensor) -> Tensor:
        """Enlarge pictures four times."""
        x = self.read(small)
        for block in self.blocks:
            x = x + block(x)
        for up in (self.up1, self.up2):  # doubling, then a convolution: no chessboard
            x = F.relu(up(F.interpolate(x, scale_factor=2.0)))
        return F.interpolate(small, scale_factor=4.0, mode="bicubic") + self.paint(x)
