"""Networks: one call opens a trained one, and every one takes images in [0, 1]."""

import ctypes
import difflib
import os
import random
import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.errors import ImageError, OptionError, UnknownLayer, WeightsUnavailable
from coursekit.networks.layers import Layers, friendly_names
from coursekit.networks.loading import Blueprint, blueprint, build_random, build_trained, imagenet_labels
from coursekit.networks.weights import state_of

_default_device: torch.device | None = None  # set by setup()


class Model(nn.Module):
    """Wrap a classifier so that it takes images in [0, 1] and normalises them itself.

    The network is put in eval mode. Images may live on any device: they are moved to the network's own.

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
        """Map images (N, 3, H, W) in [0, 1] to logits (N, K)."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ImageError(f"The model takes images of shape (N, 3, H, W), but got {tuple(images.shape)}.")
        return self.module((images.to(self.mean) - self.mean) / self.std)


# ---------------------------------------------------------------------------------------------------- set up


def setup(seed: int = 0, device: str = "auto") -> None:
    """Seed Python, NumPy and torch, choose where `load_model` puts networks, and make repeated passes faster.

    Parameters
    ----------
    seed : int, 0 to 2**32 - 1
    device : "auto", "cpu", "cuda" or "mps"
        "auto" takes the environment variable COURSEKIT_DEVICE if it is set, else CUDA, else MPS, else the CPU.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.setup(seed=1, device="cpu")
    """
    global _default_device
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise OptionError(f"seed is a whole number from 0 to 2**32 - 1, but got {seed!r}.")
    chosen = choose_device(device)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if chosen.type == "cuda":  # full float32, so that a GPU gives the CPU's numbers
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    _keep_freed_memory()
    _default_device = chosen


def _keep_freed_memory() -> None:
    """Let the next tensor reuse the memory of the last one: on Linux many forward passes then take half the time.

    By default the C library gives each large block back to the system and asks for it again, page by page.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library than glibc: nothing to set
    mmap_max, trim_threshold = -4, -1  # the numbers of M_MMAP_MAX and M_TRIM_THRESHOLD in malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def default_device() -> torch.device:
    """Return the device that `setup` chose; before it was called, the fastest one."""
    return _default_device or choose_device()


def choose_device(device: str = "auto") -> torch.device:
    """Return the device of that name; "auto" asks COURSEKIT_DEVICE, then takes the fastest that is here."""
    asked = os.environ.get("COURSEKIT_DEVICE", "auto") if device == "auto" else device
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return torch.device(next(kind for kind, is_here in here.items() if is_here))
    if asked not in here:
        where = "device" if device != "auto" else "COURSEKIT_DEVICE"
        raise OptionError(f"{where} is 'auto', 'cpu', 'cuda' or 'mps', but got {asked!r}.")
    if not here[asked]:
        raise OptionError(f"This machine has no {asked!r} device that torch can use; take 'auto' or 'cpu'.")
    return torch.device(asked)


# ---------------------------------------------------------------------------------- networks by name


def load_model(name: str = "efficientnet_lite0") -> Model:
    """Open a trained network by name, on the device that `setup` chose.

    The three `efficientnet_lite*` come with the course. `alexnet`, `vgg16`, `vgg19`, `googlenet`, `inception_v3`,
    `resnet18`, `resnet101`, `densenet121`, `squeezenet1_1` and torchvision's other classifiers are downloaded once
    and checked; so are timm's. Parameters do not require gradients: the course studies networks, it seldom
    trains them.

    Raises
    ------
    UnknownModel
        No network has that name.
    WeightsUnavailable
        The trained weights are not here and cannot be fetched. Random weights are never used instead.

    Examples
    --------
    >>> import coursekit as ck
    >>> model = ck.load_model("efficientnet_lite0")
    >>> model.labels[281], model.input_size
    ('tabby', 224)
    """
    plan = blueprint(name)
    if plan.checkpoint is None:
        raise WeightsUnavailable(
            f"There are no trained weights of {name} that this course can read; "
            f"ck.random_model({name!r}) gives the network without training."
        )
    return _finish(name, plan, build_trained(plan), plan.checkpoint.origin)


def is_available(name: str) -> bool:
    """Say whether the trained weights of a network are on this machine; nothing is downloaded.

    >>> import coursekit as ck
    >>> ck.is_available("efficientnet_lite0")
    True
    """
    checkpoint = blueprint(name).checkpoint
    return checkpoint is not None and state_of(checkpoint) == "ok"


def random_model(name: str, seed: int = 0) -> Model:
    """Return a network of that architecture with random weights, the same for the same seed.

    For tests and for sanity checks: it is not trained, and its `source` says so.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.random_model("resnet18", seed=3).source
    'random weights (seed 3), not trained'
    """
    plan = blueprint(name)
    return _finish(name, plan, build_random(plan, seed), f"random weights (seed {seed}), not trained")


def _finish(name: str, plan: Blueprint, module: nn.Module, source: str) -> Model:
    labels = imagenet_labels() if plan.labels is None else list(plan.labels) or None
    model = Model(module.requires_grad_(False), plan.mean, plan.std, labels)
    model.name, model.source, model.input_size = name, source, plan.input_size
    model._paths = friendly_names(name, module) or model._paths
    return model.to(default_device())


def predict(model: Model, images: Tensor, top: int = 5) -> list[list[tuple[str, float]]]:
    """Return the most probable classes of each image as (label, probability), best first.

    Parameters
    ----------
    images : Tensor (N, 3, H, W), float32 in [0, 1]
    top : int, 1 to the number of classes

    Examples
    --------
    >>> import coursekit as ck
    >>> best = ck.predict(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224), top=2)
    >>> best[0][0][0]
    'Egyptian cat'
    """
    from coursekit.images.loading import check_images

    check_images(images)
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise OptionError(f"top is a whole number of at least 1, but got {top!r}.")
    with torch.no_grad():
        probabilities = torch.cat([model(batch).softmax(1) for batch in images.split(8)]).cpu()
    if top > probabilities.shape[1]:
        raise OptionError(f"top is at most the number of classes, {probabilities.shape[1]}, but got {top}.")
    labels = model.labels or [f"class {index}" for index in range(probabilities.shape[1])]
    best = probabilities.topk(top, dim=1)
    return [
        [(labels[index], value) for value, index in zip(values, indices, strict=True)]
        for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
