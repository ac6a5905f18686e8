"""Networks small enough to differentiate by hand, and to run a hundred times in a second. All weights are random."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import coursekit as ck

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
CLASSES = 5


def seeded(module: nn.Module, seed: int = 0) -> nn.Module:
    """Fill parameters and running statistics from a generator of its own; the global random state stays as it is."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator) * (0.3 if tensor.ndim > 1 else 0.1)
            tensor.copy_(1 + noise.abs() if name.endswith(("running_var", "bn1.weight")) else noise)
    return module


def random_images(count: int = 2, size: int = 12, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)).to(dtype)


class Fuse(nn.Module):
    """Lets `passes` forward passes through and then raises `error`; None lets all through."""

    def __init__(self):
        super().__init__()
        self.passes, self.error = None, RuntimeError("the fuse blew")

    def forward(self, x: Tensor) -> Tensor:
        if self.passes is not None:
            if self.passes == 0:
                raise self.error
            self.passes -= 1
        return x


class SmallNet(nn.Module):
    """BatchNorm, a ReLU used twice, ReLU6, overlapping pooling, dropout, global pooling and one linear layer."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.fuse = Fuse()
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1)
        self.relu6 = nn.ReLU6(inplace)
        self.dropout = nn.Dropout(0.5)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fuse(self.pool(self.relu(self.bn1(self.conv1(x)))))
        x = self.relu6(self.conv3(self.relu(self.conv2(x))))
        return self.fc(self.avgpool(self.dropout(x)).flatten(1))


def small_model(inplace: bool = False, seed: int = 0) -> ck.Model:
    model = ck.Model(seeded(SmallNet(inplace), seed), MEAN, STD)
    with torch.no_grad():  # no class is the favourite of all images
        model.module.fc.bias -= model(random_images(16, seed=99)).mean(0)
    return model


def small_maps(model: ck.Model, images: Tensor) -> dict[str, Tensor]:
    """Run an out-of-place SmallNet by hand, without any hook, and return every layer's output (`relu` runs twice)."""
    net, maps = model.module, {}
    x = (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    for name in ("conv1", "bn1", "relu#1", "pool", "conv2", "relu#2", "conv3", "relu6", "dropout", "avgpool"):
        x = maps[name] = F.relu(x) if name.startswith("relu#") else getattr(net, name)(x)
    maps["fc"] = net.fc(x.flatten(1))
    return maps


class Polynomial(nn.Module):
    """logit_c = Σ_p w_cp · x_p^degree over all pixels and channels p: every attribution has a closed form."""

    def __init__(self, size: int = 12, degree: int = 1, seed: int = 0):
        super().__init__()
        self.degree, generator = degree, torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(CLASSES, 3, size, size, generator=generator))
        self.logits = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(torch.einsum("nkhw,ckhw->nc", x**self.degree, self.weight))


def polynomial_model(size: int = 12, degree: int = 1, mean: tuple = (0, 0, 0), std: tuple = (1, 1, 1)) -> ck.Model:
    """A polynomial network in float64, and so exact to some 1e-12."""
    mean, std = tuple(map(float, mean)), tuple(map(float, std))
    return ck.Model(Polynomial(size, degree), mean, std).double()


# Networks of real size, to compare with captum: the first is trained, the other two have random weights.
REAL_SIZE = ["efficientnet_lite0", "resnet18", "vgg16"]


def real_size_model(name: str) -> ck.Model:
    return ck.load_model(name) if name == "efficientnet_lite0" else ck.random_model(name, seed=0)


@contextmanager
def in_float64(model: ck.Model) -> Iterator[ck.Model]:
    """In float32 one rounding at the kink of a ReLU can switch a path on or off, and move a gradient by 1e-3."""
    yield model.double()
    model.float()


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, as a part of the largest absolute value."""
    return float((ours - theirs).abs().max().detach() / theirs.abs().max().detach())
