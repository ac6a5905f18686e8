"""Networks: one call opens a trained one, and every one takes images in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.errors import ImageError


class Model(nn.Module):
    """Wrap a classifier so that it takes images in [0, 1] and normalises them itself."""

    def __init__(
        self,
        module: nn.Module,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        labels: Sequence[str] | None = None,
    ):
        super().__init__()
        self.module = module
        self.labels = list(labels) if labels is not None else None
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where the network computes; images may live anywhere."""
        return self.mean.device

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) in [0, 1] to logits (N, K)."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ImageError(f"The model takes images of shape (N, 3, H, W), but got {tuple(images.shape)}.")
        return self.module((images.to(self.device) - self.mean) / self.std)
