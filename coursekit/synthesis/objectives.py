"""What a picture is optimised for: objectives that add, subtract and scale like numbers.

An objective reads activations and gives one number for each image; `render` makes it large. Where an argument takes
one index or a list, a list gives each image of the batch its own.

    channel("block9", 12) - 0.1 * logit(281)           one picture for one channel, against a class
    channel("block9", [12, 40, 7])                     three pictures at once, one for each channel
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_images, check_shape
from coursekit.errors import ImageError, OptionError, TargetError
from coursekit.networks.model import Model
from coursekit.probe.capture import run
from coursekit.probe.targets import Unit

Read = Callable[[dict[str, Tensor], Tensor], Tensor]


Index = int | Sequence[int]


@dataclass(frozen=True)
class Objective:
    """A number for each image: `read(activations by layer, logits) -> (N,)`.

    Attributes
    ----------
    read : what computes it
    layers : the inner layers that it reads
    count : how many images it wants, 0 for any number
    logits : whether it may read the logits; without them the network need not run to its end
    """

    read: Read
    layers: frozenset[str] = frozenset()
    count: int = 0
    logits: bool = True

    def __add__(self, other: "Objective") -> "Objective":
        if not isinstance(other, Objective):
            return NotImplemented
        if self.count and other.count and self.count != other.count:
            raise OptionError(f"One objective is for {self.count} images, the other for {other.count}.")
        return Objective(
            lambda acts, logits: self.read(acts, logits) + other.read(acts, logits),
            self.layers | other.layers,
            max(self.count, other.count),
            self.logits or other.logits,
        )

    def __mul__(self, factor: float) -> "Objective":
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            return NotImplemented
        return replace(self, read=lambda acts, logits: factor * self.read(acts, logits))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other if isinstance(other, Objective) else NotImplemented


Wish = Objective | Unit | Index  # what can become an objective


def logit(index: Index) -> Objective:
    """The score of a class before softmax, S_c (Simonyan et al. 2014, sec. 2).

    >>> logit([0, 2]).read({}, torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]))
    tensor([1., 3.])
    """
    return Objective(lambda acts, logits: _pick(logits, index), count=_count(index))


def probability(index: Index) -> Objective:
    """The logarithm of a class's probability: it also grows when the other classes shrink.

    >>> probability(0).read({}, torch.zeros(1, 4)).exp()
    tensor([0.2500])
    """
    return Objective(lambda acts, logits: _pick(F.log_softmax(logits, 1), index), count=_count(index))


def channel(layer: str, index: Index) -> Objective:
    """The mean of a channel over its map.

    >>> channel("conv1", 1).read({"conv1": torch.arange(8.0).view(1, 2, 2, 2)}, None)
    tensor([5.5000])
    """

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        a = acts[layer]
        return _pick(a.flatten(2).mean(2) if a.ndim == 4 else a, index, layer)

    return Objective(read, frozenset([layer]), _count(index), logits=False)


def neuron(layer: str, index: Index, position: tuple[int, int] | None = None) -> Objective:
    """One neuron of a channel, by default the one in the middle of the map (row h // 2, column w // 2).

    >>> neuron("conv1", 0).read({"conv1": torch.arange(9.0).view(1, 1, 3, 3)}, None)
    tensor([4.])
    """

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        a = acts[layer]
        if a.ndim == 4:
            row, column = position or (a.shape[2] // 2, a.shape[3] // 2)
            if not (0 <= row < a.shape[2] and 0 <= column < a.shape[3]):
                raise TargetError(f"Position {position} lies outside the {a.shape[2]} × {a.shape[3]} map of {layer!r}.")
            a = a[:, :, row, column]
        return _pick(a, index, layer)

    return Objective(read, frozenset([layer]), _count(index), logits=False)


def layer(name: str) -> Objective:
    """Everything that a layer sees, more of it: the mean of ½a². Its gradient at the layer is a / size: DeepDream.

    Mordvintsev et al., *Inceptionism*, 2015.

    >>> layer("conv1").read({"conv1": torch.full((1, 3, 2, 2), 2.0)}, None)
    tensor([2.])
    """
    return Objective(lambda acts, logits: acts[name].flatten(1).pow(2).mean(1) / 2, frozenset([name]), logits=False)


def direction(layer: str, vector: Tensor, power: float = 0.0) -> Objective:
    """The layer's answer along a vector (C,), for example a concept: mean of a·v over the map.

    `power` > 0 multiplies by the cosine to that power, so that the picture holds the direction and little else (Carter
    et al., *Activation atlas*, Distill 2019).

    >>> direction("fc", torch.tensor([0.0, 2.0])).read({"fc": torch.tensor([[5.0, 3.0]])}, None)
    tensor([6.])
    """
    if not isinstance(vector, Tensor) or vector.ndim != 1 or not vector.any():
        raise OptionError("vector must be a tensor (C,) that is not zero.")

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        a, v = acts[layer], vector.to(acts[layer])
        if a.shape[1] != len(v):
            raise OptionError(f"{layer!r} has {a.shape[1]} channels, but the vector has {len(v)} values.")
        dot = torch.tensordot(a, v, dims=([1], [0]))
        if power:
            dot = dot * (dot / (a.norm(dim=1) * v.norm()).clamp(min=1e-6)).clamp(min=0.1) ** power
        return dot.flatten(1).mean(1) if dot.ndim > 1 else dot

    return Objective(read, frozenset([layer]), logits=False)


def match(model: Model, image: Tensor, layer: str, smooth: float | None = None) -> Objective:
    """Come near the code of an image: -‖a - a₀‖² / ‖a₀‖² (Mahendran & Vedaldi 2015, eq. 3).

    smooth : temperature of `softened`, or None. Raises `ImageError` for what is not an image.
    """
    goal = _goal(softened(code_of(model, image, layer), smooth), layer)

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        away = softened(acts[layer], smooth) - goal.to(acts[layer])
        return -away.flatten(1).pow(2).sum(1) / goal.pow(2).sum().to(away)

    return Objective(read, frozenset([layer]), logits=False)


def caricature(model: Model, image: Tensor, layer: str, power: float = 1.0) -> Objective:
    """What the layer sees in an image, exaggerated: Σ a·a₀ · cos(a, a₀)^power (Olah, *Caricatures*, 2018)."""
    seen = _goal(code_of(model, image, layer), layer)

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        goal = seen.to(acts[layer])
        dot = (acts[layer] * goal).flatten(1).sum(1)
        cosine = dot / (acts[layer].flatten(1).norm(dim=1) * goal.norm()).clamp(min=1e-6)
        return dot / goal.pow(2).sum() * cosine.clamp(min=0.1) ** power

    return Objective(read, frozenset([layer]), logits=False)


def gram(a: Tensor) -> Tensor:
    """Which channels are active together, wherever that is: G = A Aᵀ / (H W), (N, C, H, W) -> (N, C, C).

    >>> gram(torch.tensor([[[[1.0, 2.0]], [[0.0, 1.0]]]]))
    tensor([[[2.5000, 1.0000],
             [1.0000, 0.5000]]])
    """
    flat = check_shape("a", a, "N", "C", "H", "W").flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def softened(a: Tensor, temperature: float | None) -> Tensor:
    """Let no single activation rule: N · softmax(a / T) - 1 over all N values of an image's maps.

    Wang, Li & Vasconcelos, *Rethinking and improving the robustness of image style transfer*, CVPR 2021: layers with
    residual connections have a few huge values, which decide the whole Gram matrix. Our losses are relative, so the
    mean is subtracted, or it would outweigh all the rest. None changes nothing.

    >>> softened(torch.tensor([[[[0.0, 0.0]], [[0.0, 30.0]]]]), 10.0).round(decimals=1).flatten()
    tensor([-0.8000, -0.8000, -0.8000,  2.5000])
    """
    if temperature is None:
        return a
    a = check_shape("a", a, "N", "C", "H", "W")
    if not temperature > 0:
        raise OptionError(f"temperature must be above 0, or None, but is {temperature!r}.")
    return ((a.flatten(1) / temperature).softmax(1) * a[0].numel() - 1).view_as(a)


def texture(model: Model, image: Tensor, layer: str, smooth: float | None = None) -> Objective:
    """Come near the texture of an image: -‖G - G₀‖² / ‖G₀‖² (Gatys et al. 2015).

    smooth : temperature of `softened`, or None.
    """
    goal = _goal(gram(softened(code_of(model, image, layer), smooth)), layer)

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        away = gram(softened(acts[layer], smooth)) - goal.to(acts[layer])
        return -away.flatten(1).pow(2).sum(1) / goal.pow(2).sum().to(away)

    return Objective(read, frozenset([layer]), logits=False)


def diversity(layer: str) -> Objective:
    """Make the pictures of one batch differ: minus the mean cosine of each Gram matrix to the others.

    Olah, Mordvintsev & Schubert, *Feature visualization*, Distill 2017, section on diversity.
    """

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        if len(acts[layer]) < 2:
            raise OptionError("Diversity compares pictures: render two or more, with n=….")
        flat = F.normalize(gram(acts[layer]).flatten(1), dim=1)
        cosine = flat @ flat.T
        return -(cosine.sum(1) - 1) / (len(flat) - 1)

    return Objective(read, frozenset([layer]), logits=False)


def as_objective(target: Wish) -> Objective:
    """Turn a class index, a list of them or a `ck.unit` into an objective; an objective stays what it is."""
    if isinstance(target, Objective):
        return target
    if isinstance(target, Unit):
        return Objective(lambda acts, logits: target(acts[target.layer]), frozenset([target.layer]), logits=False)
    if isinstance(target, int) and not isinstance(target, bool):
        return logit(target)
    if isinstance(target, Sequence) and target and all(isinstance(t, int) for t in target):
        return logit(target)
    raise TargetError(f"An objective is a class index, a ck.unit or one of ck.objectives, not {target!r}.")


def _goal(code: Tensor, layer: str) -> Tensor:
    """Return the code that a distance is relative to; OptionError where it is zero."""
    if not code.pow(2).sum() > 0:
        raise OptionError(f"At {layer!r} the image gives nothing but zeros, so nothing can come near it; take another.")
    return code


def _count(index: Index) -> int:
    return 0 if isinstance(index, int) else len(index)


def _pick(values: Tensor, index: Index, layer: str = "The network") -> Tensor:
    """Take one column of (N, C), or one for each row."""
    if values.ndim != 2:
        raise TargetError(f"{layer} gives {tuple(values.shape)}, so it has no channel {index}; choose another layer.")
    columns = torch.as_tensor(index, device=values.device).expand(len(values))
    if columns.min() < 0 or columns.max() >= values.shape[1]:
        raise TargetError(f"{layer} has {values.shape[1]} channels, 0 to {values.shape[1] - 1}, but {index} was asked.")
    return values.gather(1, columns[:, None])[:, 0]


def code_of(model: Model, image: Tensor, layer: str) -> Tensor:
    """Return what the layer computes for one image, (1, C, h, w) or (1, C), on the model's device."""
    check_images(image)
    if len(image) != 1:
        raise ImageError(f"The goal is one image (1, 3, H, W), but got {len(image)}; take one of them with image[:1].")
    return run(model, image, [layer], lambda logits, maps: maps[layer], logits=False)[0]


def guide(model: Model, image: Tensor, layer: str) -> Objective:
    """Let the dream take its forms from another picture: at each place the guide's code that answers most, a · g.

    >>> import coursekit as ck
    >>> model = ck.load_model("efficientnet_lite0")
    >>> guide(model, ck.load_image("flower", size=64), "block8").layers
    frozenset({'block8'})
    """
    codes = code_of(model, image, layer).flatten(2)[0]  # (C, places of the guide)

    def read(acts: dict[str, Tensor], logits: Tensor) -> Tensor:
        places = acts[layer].flatten(2)  # (N, C, places)
        forms = codes.to(places)
        with torch.no_grad():
            nearest = torch.einsum("cg,ncp->ngp", forms, places).argmax(1)  # (N, places)
        return (places * forms[:, nearest].transpose(0, 1)).sum(1).mean(1)

    return Objective(read, frozenset([layer]), logits=False)
