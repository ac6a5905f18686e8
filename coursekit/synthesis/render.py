"""Images made by a network: one loop for feature visualisation, inversion and dreams."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.arguments import check_count
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import capture, evaluating
from coursekit.synthesis import transforms as looks
from coursekit.synthesis.objectives import Objective, as_objective
from coursekit.synthesis.parameterizations import Painting, Parameterization, fourier
from coursekit.synthesis.regularizers import Regularizer

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


def render(
    model: Model,
    objective: Objective | object,
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
    Rendering. An interrupt gives what there is so far, with a warning.

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
    objective = as_objective(objective)
    n, size = objective.count or n, size or model.input_size
    check_count("steps", steps)
    check_count("n", n)
    generator = torch.Generator().manual_seed(seed)
    painting = (parameterization or fourier(decay=1.5))(n, size, generator, model.device)
    transforms = looks.robust(size) if transforms is None else list(transforms)
    _check(painting, transforms, regularizers, optimizer, snapshots, steps)
    step_once = _optimizer(optimizer, painting, RATES[optimizer] if rate is None else rate)
    out = Rendering(painting.images().detach(), torch.empty(0, n))
    values: list[Tensor] = []
    attention = torch.zeros(n, 1, *out.images.shape[2:], device=model.device)

    def loss() -> Tensor:
        """Compute minus the objective and its gradient; keep the value and the gradient of the pixels."""
        for parameter in painting.parameters:
            parameter.grad = None
        images = painting.images()
        images.retain_grad()
        seen = looks.apply(transforms, images, generator).contiguous(memory_format=torch.channels_last)  # faster
        with capture(model, sorted(objective.layers)) as acts:
            value = objective.read(acts, model(seen))
        total = value.sum() - sum(r.penalty(images).sum() for r in regularizers if r.penalty)
        (-total).backward()
        for r in regularizers:
            if r.gradient:
                painting.parameters[0].grad = r.gradient(painting.parameters[0].grad)
        loss.value, loss.gradient = value.detach().cpu(), -images.grad
        return -total.detach()

    with evaluating(model), _frozen(model):
        bar = tqdm(range(1, steps + 1), disable=not progress, leave=False, desc="render")
        try:
            for step in bar:
                step_once(loss)
                with torch.no_grad():
                    _repair(painting, regularizers, loss.gradient, step - 1)
                    attention += loss.gradient.abs().mean(1, keepdim=True) / steps
                values.append(loss.value)
                if step in snapshots or watch:
                    current = painting.images().detach().clamp(0, 1)
                    if step in snapshots:
                        out.snapshots[step] = current.cpu()
                    if watch:
                        watch(step, current)
        except KeyboardInterrupt:
            warnings.warn(f"Interrupted after {len(values)} of {steps} steps; this is what there is.", stacklevel=2)
    out.images = painting.images().detach().clamp(0, 1).cpu()
    out.values = torch.stack(values) if values else torch.empty(0, n)
    out.attention = attention.cpu()
    return out


def _optimizer(name: str, painting: Painting, rate: float) -> Callable[[Callable[[], Tensor]], None]:
    """Return a function that makes one step, given the closure that computes the loss and its gradient."""
    if name == "adam":
        adam = torch.optim.Adam(painting.parameters, lr=rate)
        return lambda loss: adam.step(loss)
    if name == "lbfgs":
        lbfgs = torch.optim.LBFGS(painting.parameters, lr=rate, max_iter=1, history_size=10)
        return lambda loss: lbfgs.step(loss)

    def ascend(loss: Callable[[], Tensor]) -> None:
        loss()
        (x,) = painting.parameters
        with torch.no_grad():
            size = x.grad.abs().flatten(1).mean(1).clamp(min=1e-12)[:, None, None, None]
            x -= rate * x.grad / size  # the gradient is that of the loss, hence the minus

    return ascend


def _repair(painting: Painting, regularizers: Sequence[Regularizer], gradient: Tensor, step: int) -> None:
    """Repair pixels after a step and keep them in [0, 1]; never inside the closure, where L-BFGS would be misled."""
    if not painting.is_pixels:
        return
    (x,) = painting.parameters
    for r in regularizers:
        if r.repair:
            x.copy_(r.repair(x, gradient, step))
    x.clamp_(0, 1)


@contextmanager
def _frozen(model: Model) -> Iterator[None]:
    """Compute no gradient of the weights while an image is optimised; afterwards they are as before."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    try:
        for p in parameters:
            p.requires_grad_(False)
        yield
    finally:
        for p in parameters:
            p.requires_grad_(True)


def _check(
    painting: Painting,
    transforms: Sequence,
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
