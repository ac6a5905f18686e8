"""A network that takes images in [0, 1], knows its layers by friendly names, and knows its labels."""

import difflib
import re
import warnings
from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.arguments import shown
from coursekit.errors import ImageError, OptionError, UnknownLayer, UnsupportedNetwork
from coursekit.networks.layers import Layers, friendly_names

# How torch says that an image is too small for a window, or has another size than a linear layer expects.
_SIZE = re.compile(
    r"[Oo]utput size is too small|Kernel size can't be greater|mat1 and mat2 shapes|Padding size should be"
)

Numbers = Sequence[float] | np.ndarray | Tensor


class Model(nn.Module):
    """Wrap a classifier so that it takes images in [0, 1] and normalises them itself.

    The network is put in eval mode. Images may live on any device and be float32 or float64: they are turned into what
    the network computes with. The logits live with the images, those of half precision as float32.

    Parameters
    ----------
    module : nn.Module
        Maps normalised images (N, 3, H, W) to logits (N, K). One logit z, (N, 1), is a network with two classes, no and
        yes: their logits are -z/2 and z/2, so that softmax gives them 1 - sigmoid(z) and sigmoid(z).
    mean, std : three numbers each
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

    Raises
    ------
    OptionError
        The network is none, or mean, std or labels are not what they should be.
    UnsupportedNetwork
        In the first forward pass: the network returns no tensor with a row for each image, or the labels do not fit.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        module: nn.Module,
        mean: Numbers = (0.0, 0.0, 0.0),
        std: Numbers = (1.0, 1.0, 1.0),
        labels: Sequence[str] | None = None,
    ):
        _check_network(module)
        super().__init__()
        self.module = module
        self.labels = _checked_labels(labels)
        self.name = type(module).__name__
        self.source = "a network of your own"
        self.input_size = 224
        self._warned = False
        first = next(module.parameters(), torch.empty(0))
        for key, values in (("mean", mean), ("std", std)):
            self.register_buffer(key, _three(key, values).to(first.device), persistent=False)
        self.eval()
        self._paths = friendly_names("", module)

    @property
    def device(self) -> torch.device:
        """Where the network computes; images may live anywhere."""
        return self.mean.device

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes with."""
        kinds = (weights.dtype for weights in self.module.parameters() if weights.is_floating_point())
        return next(kinds, self.mean.dtype)

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
        path = self._paths.get(name, name or "?")  # "" is the network itself, where it has no parts
        try:
            part = attrgetter(path)(self.module) if path else self.module
        except AttributeError:
            part = None
        if not isinstance(part, nn.Module):
            paths = [*self._paths, *(path for path, _ in self.module.named_modules(remove_duplicate=False) if path)]
            close = difflib.get_close_matches(str(name), paths, n=3)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise UnknownLayer(f"{self.name} has no layer {name!r}.{hint} It has: {', '.join(self._paths)}.")
        if isinstance(part, torch.jit.ScriptModule):
            raise UnknownLayer(
                f"TorchScript hides the layers of {self.name}; give ck.Model the network from before that."
            )
        return part

    def __repr__(self) -> str:
        classes = f"{len(self.labels)} classes, " if self.labels else ""
        size = self.input_size
        return (
            f"Model({self.name}: {classes}{len(self.layers)} layers, {size} × {size} px, {self.device}; {self.source})"
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) in [0, 1] to logits (N, K), on the images' device."""
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            seen = f"{tuple(images.shape)}, {images.dtype}"
            raise ImageError(f"The model takes images in [0, 1] of shape (N, 3, H, W), but got {seen}.")
        normal = (images.to(self.device) - self.mean) / self.std
        try:
            output = self._rows(self.module(normal.to(self.dtype)), len(images))
        except RuntimeError as error:
            if not _SIZE.search(str(error)):
                raise
            size = " × ".join(map(str, images.shape[2:]))
            raise ImageError(
                f"{self.name} cannot read images of {size} pixels ({error}); it was made for {self.input_size}."
            ) from None
        output = full_precision(output).to(images.device)
        if output.ndim != 2:
            return output  # of a network without a classifier: its layers can be looked into all the same
        if output.shape[1] == 1:
            output = two_logits(output)
        if self.labels is not None and len(self.labels) != output.shape[1]:
            raise UnsupportedNetwork(
                f"{self.name} gives {output.shape[1]} logits, but has {len(self.labels)} labels; give one for each."
            )
        self._warn_of_probabilities(output.detach())
        return output

    def _rows(self, output: object, count: int) -> Tensor:
        """Return the output of the network if it is a tensor with a row for each image; say what it is otherwise."""
        if isinstance(output, Tensor) and output.ndim and len(output) == count:
            return output
        raise UnsupportedNetwork(
            f"{self.name} returns {_described(output)} for {count} images, but a model returns logits (N, K): wrap it "
            f"in an nn.Module whose forward ends with `return {_wrapping(output)}`."
        )

    def check_logits(self, logits: Tensor) -> None:
        """Raise UnsupportedNetwork unless these are logits (N, K), each a finite number."""
        if logits.ndim != 2:
            raise UnsupportedNetwork(
                f"{self.name} returns {_described(logits)}, but classes need logits (N, K): wrap it in an nn.Module "
                f"whose forward ends with `return {_wrapping(logits)}`, or give a function of the output as the target."
            )
        if not logits.isfinite().all():
            raise UnsupportedNetwork(
                f"{self.name} returns logits that are NaN or infinite, which tell no class: its weights are too large, "
                f"or not finite."
            )

    def _warn_of_probabilities(self, logits: Tensor) -> None:
        """Warn, once, where each row is positive and adds up to 1."""
        if self._warned or logits.is_meta or not (logits.min() >= 0 and (logits.sum(1) - 1).abs().max() < 1e-4):
            return  # also where some are NaN
        self._warned = True
        warnings.warn(
            f"{self.name} seems to return probabilities, not logits: its outputs are positive and add up to 1. "
            f"Softmax is applied to them once more: take it out of the network, or return the logarithm.",
            stacklevel=2,
        )


def two_logits(z: Tensor, dim: int = 1) -> Tensor:
    """Turn the one logit of a network with two classes into two, whose softmax is (1 - sigmoid(z), sigmoid(z)).

    >>> two_logits(torch.tensor([[3.0]])).tolist()
    [[-1.5, 1.5]]
    """
    return torch.cat([-z / 2, z / 2], dim)


def full_precision(values: Tensor) -> Tensor:
    """Turn half precision into float32; anything else stays."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def check_precise(model: Model, method: str) -> None:
    """Raise UnsupportedNetwork for a network in half precision, which a method that checks its sums cannot explain."""
    if model.dtype in (torch.float16, torch.bfloat16):
        raise UnsupportedNetwork(
            f"{model.name} computes in {model.dtype}, too coarse for the sums that {method} checks; call model.float()."
        )


def _check_network(module: object) -> None:
    if isinstance(module, nn.Module):
        return
    advice = "give the network itself"
    if isinstance(module, Mapping):
        advice = "build the network and fill it with network.load_state_dict(…) first"
    elif isinstance(module, str):
        advice = f"ck.load_model({module!r}) opens a network by its name"
    elif isinstance(module, type):
        advice = f"make one first: {module.__name__}(…)"
    seen = shown(module) if isinstance(module, str | type) else f"a value of type {type(module).__name__}"
    raise OptionError(f"ck.Model wraps a torch.nn.Module, but got {seen}; {advice}.")


def _three(name: str, values: Numbers) -> Tensor:
    """Return mean or std as floats (1, 3, 1, 1)."""
    try:
        numbers = torch.as_tensor(values).detach().cpu().float().flatten()
    except (TypeError, ValueError, RuntimeError):
        numbers = torch.empty(0)
    if len(numbers) != 3 or not (numbers >= 0).all() or not (numbers <= 1).all() or (name == "std" and 0 in numbers):
        hint = "; statistics of images in [0, 255] must be divided by 255" if (numbers > 1).any() else ""
        least = "from 0" if name == "mean" else "above 0 and up"
        raise OptionError(f"{name} must be three numbers {least} to 1, but is {shown(values)}{hint}.")
    return numbers.view(1, 3, 1, 1)


def _checked_labels(labels: Sequence[str] | None) -> list[str] | None:
    if labels is None:
        return None
    if isinstance(labels, str | Mapping) or not isinstance(labels, Sequence | np.ndarray):
        hint = "; of a class_to_idx take sorted(d, key=d.get)" if isinstance(labels, Mapping) else ""
        raise OptionError(f"labels must be a list of names, one for each logit, but is {shown(labels)}{hint}.")
    for label in labels:
        if not isinstance(label, str):
            raise OptionError(f"labels must be strings, but one is {shown(label)}; write [str(x) for x in labels].")
    if len(labels) < 2:
        raise OptionError(f"labels must be two or more names (of one logit: no and yes), but are {list(labels)}.")
    return [str(label) for label in labels]


def _described(output: object) -> str:
    """Say what a network has returned."""
    if isinstance(output, Tensor):
        return f"a tensor {tuple(output.shape)}"
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with {', '.join(map(repr, output)) or 'nothing'}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of {len(output)} ({', '.join(type(part).__name__ for part in output[:4])})"
    return f"a {type(output).__name__}"


def _wrapping(output: object) -> str:
    """Write code that leaves logits (N, K) of what a network returns."""
    if isinstance(output, tuple | list) and output and isinstance(output[0], Mapping):  # a detector
        return "torch.stack([scores_by_class(found) for found in self.network(images)])"
    ends = {1: "[:, None]", 3: ".mean(1)", 4: ".mean((2, 3))"}
    end = "[0]" if isinstance(output, tuple | list) else ".logits"
    if isinstance(output, Tensor):
        end = ends.get(output.ndim, ".flatten(1)")
    elif isinstance(output, Mapping):
        end = f"[{next(iter(output), 'logits')!r}]"
    return f"self.network(images){end}"
