"""Images that fool a network: a small change of a picture, or a picture of nothing at all."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_class, check_count, check_images, is_whole, shown
from coursekit.errors import OptionError, TargetError
from coursekit.interrupts import importing
from coursekit.networks.model import Model
from coursekit.probe.capture import differentiating, evaluating


def gradient_sign(model: Model, images: Tensor, target: int, *, epsilon: float = 2 / 255, away: bool = False) -> Tensor:
    r"""Change every value by at most ε in one step: x - ε · sign(∇_x L(x, c)), the fast gradient sign method.

    L is the cross-entropy of class c, so this leads *to* c; `away` leads away from it.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index c.
    epsilon : the largest change of a value, in intensity.

    Returns
    -------
    Tensor (N, 3, H, W) in [0, 1].

    Raises
    ------
    ImageError, OptionError, TargetError

    References
    ----------
    Goodfellow, Shlens, Szegedy, *Explaining and harnessing adversarial examples*, ICLR 2015, sec. 4.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, cat = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> fooled = gradient_sign(model, cat, 281, epsilon=1 / 255, away=True)
    >>> bool((fooled - cat).abs().max() <= 1 / 255 + 1e-6)
    True
    """
    return iterated_gradient_sign(model, images, target, epsilon=epsilon, step=epsilon, steps=1, away=away)


def iterated_gradient_sign(
    model: Model,
    images: Tensor,
    target: int,
    *,
    epsilon: float = 2 / 255,
    step: float = 0.5 / 255,
    steps: int = 10,
    away: bool = False,
) -> Tensor:
    """Take small steps of the gradient's sign and stay within ε of the picture (Kurakin et al. 2017, sec. 2.2).

    Parameters, result and errors as for `gradient_sign`; `step` is the change of a value in one step.

    >>> import coursekit as ck
    >>> model, cat = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.predict(model, iterated_gradient_sign(model, cat, 9), top=1)[0][0][0]
    'ostrich'
    """
    _check(images, target)
    check_count("steps", steps)
    if not (0 < epsilon <= 1 and step > 0):
        raise OptionError(f"epsilon must lie in (0, 1] and step above 0, but they are {epsilon!r} and {step!r}.")
    start = images.detach().to(model.device)
    low, high = (start - epsilon).clamp(min=0), (start + epsilon).clamp(max=1)
    x, sign = start.clone(), 1 if away else -1
    with evaluating(model), differentiating():
        for _ in range(steps):
            x.requires_grad_()
            (g,) = torch.autograd.grad(_loss(model, x, target).sum(), x)
            x = torch.maximum(torch.minimum(x.detach() + sign * step * g.sign(), high), low)
    return x.to(images.device)


def smallest_change(
    model: Model, image: Tensor, target: int, *, weight: float = 100.0, steps: int = 40
) -> tuple[Tensor, float]:
    r"""Search a small change r that brings class c: min_r weight · ½ mean(r²) + L(x + r, c), with x + r in [0, 1].

    By L-BFGS with box constraints, so the picture stays a picture at every step.

    Parameters
    ----------
    model : Model
    image : (1, 3, H, W) in [0, 1].
    target : class index c.
    weight : what a change costs. Too high a weight finds no new class; halve it.
    steps : at most so many iterations.

    Returns
    -------
    The changed image (1, 3, H, W), and the size of its change √(Σ r² / n), n the number of values.

    References
    ----------
    Szegedy et al., *Intriguing properties of neural networks*, ICLR 2014, sec. 4.1.
    """
    with importing():
        from scipy.optimize import minimize

    _check(image, target)
    check_count("steps", steps)
    if len(image) != 1:
        raise OptionError(f"smallest_change works on one image (1, 3, H, W), but got {len(image)}.")
    start = image.detach().to(model.device)
    flat, n = start.flatten().double().cpu().numpy(), start.numel()

    @differentiating()
    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        x = torch.from_numpy(values).to(start).view_as(start).requires_grad_()
        total = weight * (x - start).pow(2).sum() / 2 / n + _loss(model, x, target).sum()
        (g,) = torch.autograd.grad(total, x)
        return total.item(), g.flatten().double().cpu().numpy()

    with evaluating(model):
        found = minimize(cost, flat, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * n, options={"maxiter": steps})
    x = torch.from_numpy(found.x).to(start).view_as(start).clamp(0, 1)
    return x.to(image.device), (x - start).pow(2).mean().sqrt().item()


def evolve(
    model: Model,
    target: int,
    draw: Callable[[Tensor], Tensor],
    *,
    genes: int = 96,
    population: int = 16,
    generations: int = 60,
    seed: int = 0,
) -> tuple[Tensor, list[float]]:
    """Breed pictures that the network is sure of, without any gradient: mutation and selection alone.

    Each generation keeps the better half and adds a mutated child of each. A network calls patterns of nothing a
    guitar with 99 %.

    Parameters
    ----------
    model : Model
    target : class index whose probability is the fitness.
    draw : genes (N, K) in [0, 1] -> images (N, 3, H, W) in [0, 1]; the indirect encoding of the paper.
    genes, population, generations : sizes; the population is even.

    Returns
    -------
    The best image (1, 3, H, W), and the best probability after each generation.

    References
    ----------
    Nguyen, Yosinski, Clune, *Deep neural networks are easily fooled*, CVPR 2015.
    """
    _check_target(target)
    for name, value in (("genes", genes), ("generations", generations), ("population", population)):
        check_count(name, value)
    if population % 2:
        raise OptionError(f"population must be even, but is {population}.")
    generator = torch.Generator().manual_seed(seed)
    pool = torch.rand(population, genes, generator=generator)

    @torch.inference_mode()
    def fitness(some: Tensor) -> Tensor:
        logits = model(draw(some))
        model.check_logits(logits)
        check_class(target, logits.shape[1])
        return logits.softmax(1)[:, target].cpu()

    best = []
    with evaluating(model):
        scores = fitness(pool)
        for _ in range(generations):
            order = scores.argsort(descending=True)[: population // 2]
            parents, kept = pool[order], scores[order]
            change = torch.rand(parents.shape, generator=generator) < 0.1
            noise = 0.25 * torch.randn(parents.shape, generator=generator)
            children = torch.where(change, parents + noise, parents).clamp(0, 1)
            pool, scores = torch.cat([parents, children]), torch.cat([kept, fitness(children)])
            best.append(scores.max().item())
    return draw(pool[scores.argmax()][None]), best


def _loss(model: Model, x: Tensor, target: int) -> Tensor:
    logits = model(x)
    model.check_logits(logits)
    check_class(target, logits.shape[1])
    return F.cross_entropy(logits, torch.full((len(x),), target, device=logits.device), reduction="none")


def _check(images: Tensor, target: int) -> None:
    check_images(images)
    _check_target(target)


def _check_target(target: int) -> None:
    if not is_whole(target):
        raise TargetError(f"The class to fool with is an index from 0 on, but is {shown(target)}.")
