"""A network that takes images in [0, 1], knows its layers by friendly names, and knows its labels."""

import difflib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.arguments import shown
from coursekit.errors import ImageError, OptionError, UnknownLayer
from coursekit.networks.layers import Layers, friendly_names


class Model(nn.Module):
    """Wrap a classifier so that it takes images in [0, 1] and normalises them itself.

    The network is put in eval mode. Images may live on any device: they are moved to the network's own, and the logits
    live with the images.

    Parameters
    ----------
    module : nn.Module
        Maps normalised images (N, 3, H, W) to logits (N, K).
    mean, std : three floats each
        The normalisation that the network was trained with, for images in [0, 1].
    labels : K strings, optional
        The names of the classes.

    Attributes
    ----------
    layers : mapping of friendly layer name to module; print it to see shapes and receptive fields
    input_size : height and width in pixels of the images that the network was trained on
    name, source : what it is called, and which weights it has, from where

    Examples
    --------
    >>> import torch, coursekit as ck
    >>> model = ck.Model(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 2)), labels=["cat", "dog"])
    >>> model(torch.rand(4, 3, 8, 8)).shape
    torch.Size([4, 2])
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        module: nn.Module,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        labels: Sequence[str] | None = None,
    ):
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise OptionError(f"mean and std are three numbers each, std above 0, but got {mean} and {std}.")
        super().__init__()
        self.module = module
        self.labels = list(labels) if labels is not None else None
        self.name = type(module).__name__
        self.source = "a network of your own"
        self.input_size = 224
        first = next(module.parameters(), torch.empty(0))
        for key, values in (("mean", mean), ("std", std)):
            self.register_buffer(key, torch.tensor(values).view(1, 3, 1, 1).to(first.device), persistent=False)
        self.eval()
        self._paths = friendly_names("", module)

    @property
    def device(self) -> torch.device:
        """Where the network computes; images may live anywhere."""
        return self.mean.device

    @property
    def layers(self) -> Layers:
        """Friendly name -> module, in the order in which data flows."""
        return Layers(self, self._paths)

    @property
    def head(self) -> nn.Module:
        """The classifier: the last linear layer or convolution."""
        parts = [part for part in self.module.modules() if isinstance(part, nn.Linear | nn.Conv2d)]
        if not parts:
            raise UnknownLayer(f"{self.name} has no linear layer and no convolution, hence no head.")
        return parts[-1]

    def layer(self, name: str) -> nn.Module:
        """Return the layer of that friendly name, or of that path inside the module (`features.0`)."""
        if not isinstance(name, str):
            raise UnknownLayer(f"A layer is given by its name, such as 'conv1', but got {shown(name)}.")
        paths = {path: path for path, _ in self.module.named_modules() if path} | self._paths
        if name not in paths:
            close = difflib.get_close_matches(str(name), paths, n=3)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise UnknownLayer(f"{self.name} has no layer {name!r}.{hint} It has: {', '.join(self._paths)}.")
        return self.module.get_submodule(paths[name])

    def __repr__(self) -> str:
        classes = f"{len(self.labels)} classes, " if self.labels else ""
        size = self.input_size
        return (
            f"Model({self.name}: {classes}{len(self.layers)} layers, {size} × {size} px, {self.device}; {self.source})"
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) in [0, 1] to logits (N, K), on the images' device."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ImageError(f"The model takes images of shape (N, 3, H, W), but got {tuple(images.shape)}.")
        return self.module((images.to(self.mean) - self.mean) / self.std).to(images.device)
