"""Images made by a network: one loop for feature visualisation, inversion and dreams."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.arguments import check_count
from coursekit.errors import OptionError
from coursekit.interrupts import importing
from coursekit.networks.fast import fast_copy
from coursekit.networks.model import Model
from coursekit.probe.capture import capture, differentiating, evaluating
from coursekit.synthesis import transforms as looks
from coursekit.synthesis.objectives import Objective, Wish, as_objective
from coursekit.synthesis.parameterizations import Painting, Parameterization, fourier
from coursekit.synthesis.regularizers import Regularizer

interrupts: list[str] = []  # one after another, the cells in which they came
RATES = {"adam": 0.1, "ascent": 0.02, "lbfgs": 1.0}


@dataclass
class Rendering:
    """What `render` made.

    Attributes
    ----------
    images : (N, 3, H, W) in [0, 1]
    values : (steps, N), the objective at each step, as seen through the transforms
    snapshots : step -> images (N, 3, H, W)
    attention : (N, 1, H, W), the mean |gradient| of each pixel over all steps: where the network looked while painting
    """

    images: Tensor
    values: Tensor
    snapshots: dict[int, Tensor] = field(default_factory=dict)
    attention: Tensor | None = None

    def __repr__(self) -> str:
        height, width = self.images.shape[2:]
        found = f"{self.values[0].mean():.3g} → {self.values[-1].mean():.3g}" if len(self.values) else "no step"
        return f"Rendering({len(self.images)} of {height} × {width} px, {len(self.values)} steps, objective {found})"


def render(
    model: Model,
    objective: Wish,
    *,
    n: int = 1,
    size: int | None = None,
    parameterization: Parameterization | None = None,
    transforms: Sequence[looks.Transform] | None = None,
    regularizers: Sequence[Regularizer] = (),
    steps: int = 128,
    optimizer: str = "adam",
    rate: float | None = None,
    snapshots: Sequence[int] = (),
    seed: int = 0,
    progress: bool = True,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Rendering:
    r"""Optimise images so that an objective becomes large: x* = argmax_x E_τ[objective(τ(x))] - Σ penalties(x).

    Parameters
    ----------
    model : Model
    objective : one of `ck.objectives`, a class index, a list of them, or a `ck.unit`. Lists make one image each.
    n : images in the batch, if the objective does not say.
    size : height and width in pixels, by default the model's own.
    parameterization : one of `ck.parameterizations`, by default `fourier(decay=1.5)`: somewhat smoother than
        photographs, for the steps are few. `benchmarks/features.py` measures how many classes another network names.
    transforms : of `ck.transforms`; None for the usual mixture, [] for none.
    regularizers : of `ck.regularizers`; those that change pixels or their gradient need `pixels(…)`.
    optimizer : "adam", "ascent" (x + rate · g / mean|g|, with pixels only) or "lbfgs" (without transforms).
    rate : step size, by default that of the optimizer.
    snapshots : steps (from 1 on) whose images are kept.
    watch : called as watch(step, images) after each step, for a live picture.

    Returns
    -------
    Rendering. An interrupt gives what there is so far, with a warning; in a notebook the next `render` of the same cell
    then raises KeyboardInterrupt, so that a loop ends.

    Raises
    ------
    OptionError, TargetError, UnknownLayer
        Before the first step, in one sentence.

    Examples
    --------
    >>> import coursekit as ck
    >>> model = ck.load_model("efficientnet_lite0")
    >>> render(model, ck.objectives.channel("block3", 5), size=64, steps=2, progress=False).images.shape
    torch.Size([1, 3, 64, 64])
    """
    if interrupts and interrupts[-1] == _cell() != "":
        raise KeyboardInterrupt  # who interrupts a loop of renderings does not want the next one
    objective = as_objective(objective)
    n, size = objective.count or n, size or model.input_size
    check_count("steps", steps)
    generator = torch.Generator().manual_seed(seed)
    painting = (parameterization or fourier(decay=1.5))(n, size, generator, model.device)
    transforms = looks.robust(size) if transforms is None else list(transforms)
    _check(painting, transforms, regularizers, optimizer, snapshots, steps)
    move = _optimizer(optimizer, painting, RATES[optimizer] if rate is None else rate)
    shots, values = {}, []
    attention = torch.zeros_like(painting.images().detach()[:, :1])
    with evaluating(network := fast_copy(model, objective.layers, logits=objective.logits)):
        try:
            for step in tqdm(range(1, steps + 1), disable=not progress, leave=False, desc="render"):
                value, loss, gradient = _look(network, objective, painting, transforms, regularizers, generator)
                move(loss)
                _repair(painting, regularizers, gradient, step - 1)
                values.append(value)
                attention += gradient.abs().mean(1, keepdim=True) / steps
                if step in snapshots:
                    shots[step] = _shown(painting)
                if watch:
                    watch(step, _shown(painting))
        except KeyboardInterrupt:
            say_interrupted(len(values), steps)
    return Rendering(_shown(painting), torch.stack(values) if values else torch.empty(0, n), shots, attention.cpu())


def _cell() -> str:
    """Return what names the running cell of a notebook; empty elsewhere."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    parent = getattr(shell, "get_parent", None)  # a terminal has none
    return parent()["header"]["msg_id"] if parent else ""


def say_interrupted(done: int, steps: int) -> None:
    """Warn that a picture is not finished, and remember in which cell."""
    interrupts.append(_cell())
    warnings.warn(f"Interrupted after {done} of {steps} steps; this is what there is.", stacklevel=3)


@differentiating()
def _look(
    model: Model,
    objective: Objective,
    painting: Painting,
    transforms: Sequence[looks.Transform],
    regularizers: Sequence[Regularizer],
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Look once and leave the loss's gradient at the painting's parameters.

    Returns the objective of each image (N,), the loss, and the gradient of the objective at the pixels (N, 3, H, W).
    """
    images = painting.images()
    seen = looks.apply(transforms, images, generator).contiguous(memory_format=torch.channels_last)  # faster
    with capture(model, sorted(objective.layers)) as acts:
        value = objective.read(acts, model(seen))
    loss = sum((r.penalty(images).sum() for r in regularizers if r.penalty), -value.sum())
    at_pixels, *gradients = torch.autograd.grad(loss, [images, *painting.parameters])
    for parameter, g in zip(painting.parameters, gradients, strict=True):
        for r in regularizers:
            g = r.gradient(g) if r.gradient else g
        parameter.grad = g
    return value.detach().cpu(), loss.detach(), -at_pixels


def _shown(painting: Painting) -> Tensor:
    """Return the images as they are now, in [0, 1], on the CPU."""
    return painting.images().detach().clamp(0, 1).cpu()


def _optimizer(name: str, painting: Painting, rate: float) -> Callable[[Tensor], None]:
    """Return a function that makes one step, given the loss whose gradient stands at the parameters."""
    if name == "adam":
        with importing():  # the first optimizer of a process imports a good part of torch
            adam = torch.optim.Adam(painting.parameters, lr=rate)
        return lambda loss: adam.step()
    if name == "lbfgs":
        with importing():
            lbfgs = torch.optim.LBFGS(painting.parameters, lr=rate, max_iter=1, history_size=10)
        return lambda loss: lbfgs.step(lambda: loss)  # with max_iter=1 it asks for the loss once a step

    def ascend(loss: Tensor) -> None:
        (x,) = painting.parameters
        assert x.grad is not None  # `_look` has put it there
        with torch.no_grad():
            size = x.grad.abs().flatten(1).mean(1).clamp(min=1e-12)[:, None, None, None]
            x -= rate * x.grad / size  # the gradient is that of the loss, hence the minus

    return ascend


@torch.no_grad()
def _repair(painting: Painting, regularizers: Sequence[Regularizer], gradient: Tensor, step: int) -> None:
    """Repair pixels and keep them in [0, 1]: after each step, for before it L-BFGS would be misled."""
    if not painting.is_pixels:
        return
    (x,) = painting.parameters
    for r in regularizers:
        if r.repair:
            x.copy_(r.repair(x, gradient, step))
    x.clamp_(0, 1)


def _check(
    painting: Painting,
    transforms: Sequence[looks.Transform],
    regularizers: Sequence[Regularizer],
    optimizer: str,
    snapshots: Sequence[int],
    steps: int,
) -> None:
    if optimizer not in RATES:
        raise OptionError(f"optimizer is one of {', '.join(RATES)}, but is {optimizer!r}.")
    if not painting.is_pixels and (optimizer == "ascent" or any(r.gradient or r.repair for r in regularizers)):
        raise OptionError(
            "'ascent', and regularizers that change pixels or their gradient, work on pixels: "
            "give parameterization=ck.parameterizations.pixels(…)."
        )
    if optimizer == "lbfgs" and transforms:
        raise OptionError("L-BFGS needs the same function at each step: give transforms=[].")
    if wrong := [s for s in snapshots if not 1 <= s <= steps]:
        raise OptionError(f"snapshots are steps from 1 to {steps}, but {wrong[0]} was asked for.")
