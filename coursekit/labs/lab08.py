"""Checks of lab 08, fooling images."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.labs.checking import call, case, compare, varied


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def _network() -> nn.Module:
    """A tiny network with four classes and fixed weights."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(36, 4))
    for i, p in enumerate(network.parameters()):
        p.data = 2 * _random(*p.shape, seed=i) - 1
    return network


def one_step(answer: object) -> str | None:
    """08.1: one step of the sign method towards a class."""
    network, target, epsilon = _network(), 2 - 2 * case(), 0.2
    image = _random(1, 3, 8, 8, seed=9) * (1 - 0.5 * case()) + 0.25 * case()  # the second stays inside [0, 1]
    x = image.clone().requires_grad_()
    (g,) = torch.autograd.grad(F.cross_entropy(network(x), torch.tensor([target])), x)
    (logit,) = torch.autograd.grad(network(x)[0, target], x)
    result = call(answer, network, image.clone(), target, epsilon)
    right = (image - epsilon * g.sign()).clamp(0, 1)
    mistakes = [
        (
            (image + epsilon * g.sign()).clamp(0, 1),
            "this leads away from the class: subtract the sign, so that the loss falls.",
        ),
        (image - epsilon * g.sign(), "the values leave [0, 1]; clip them at the end."),
        (image + epsilon * g.sign(), "the values leave [0, 1], and the loss grows: subtract the sign."),
        ((image - epsilon * g).clamp(0, 1), "that is a step of the gradient itself; take its sign."),
        (
            (image + epsilon * logit.sign()).clamp(0, 1),
            "you climbed the logit; the cross-entropy also lowers the other classes.",
        ),
        ((image - epsilon * g / g.norm()).clamp(0, 1), "you divided by the length; take the sign of each value."),
    ]
    return compare(result, right, mistakes)


def into_the_box(answer: object) -> str | None:
    """08.2: clip to the box around the start and to [0, 1]."""
    start, epsilon = _random(1, 3, 4, 4, seed=1) * (1 - 0.5 * case()) + 0.25 * case(), 0.1
    x = start + 0.6 * (_random(1, 3, 4, 4, seed=2) - 0.5)
    r = x - start
    boxed = start + r.clamp(-epsilon, epsilon)
    result = call(answer, x.clone(), start.clone(), epsilon)
    mistakes = [
        (boxed, "some values leave [0, 1]; clip to that as well."),
        (x.clamp(0, 1), "that is a picture, but too far from the start; clip the change as well."),
        (
            (start + r * epsilon / r.abs().max()).clamp(0, 1),
            "you scaled the whole change down; the nearest picture clips each value on its own.",
        ),
        (
            (start + epsilon * r.sign()).clamp(0, 1),
            "you moved every value to the border of the box; those inside may stay.",
        ),
        (r.clamp(-epsilon, epsilon), "that is the change; add the start."),
    ]
    return compare(result, boxed.clamp(0, 1), mistakes)


def largest_growth(answer: object) -> str | None:
    """08.3: ε times the sum of |w|."""
    w, epsilon = 2 * _random(3, 5, 5 + case(), seed=3) - 1, 0.3
    result = call(answer, w.clone(), epsilon)
    mistakes = [
        (epsilon * w.norm(), "that is ε‖w‖₂, right for a ball; in a box every value may use its whole ε."),
        (epsilon * w.sum(), "with negative weights move down: take |w|."),
        (epsilon * w.abs().mean(), "that is the mean; all values move at once, so add them up."),
        (epsilon * w.abs().max(), "that is one value alone; all of them may move."),
        (w.abs().sum(), "ε is missing."),
        (2 * epsilon * w.abs().sum(), "that is the whole range; from the start the score grows by half of it."),
    ]
    return compare(torch.as_tensor(result), epsilon * w.abs().sum(), mistakes)


def mean_over_views(answer: object) -> str | None:
    """08.4: mean probability over three views."""
    network, images, shift = _network().eval(), _random(2, 3, 8, 8, seed=5), 3 - case()
    views = [images, images.flip(3), images.roll(shift, 3)]

    def seen(view: Tensor) -> Tensor:
        return network(view).softmax(1)

    with torch.no_grad():
        logits = [network(view) for view in views]
        p = [x.softmax(1) for x in logits]
        result = call(answer, network, images.clone(), shift)
        mistakes = [
            (sum(logits) / 3, "these are logits; take the softmax of each view first."),
            ((sum(logits) / 3).softmax(1), "you averaged logits and then took the softmax; the other way round."),
            (sum(p), "divide by the number of views."),
            ((p[1] + p[2]) / 2, "the images themselves are a view, too."),
            ((p[0] + p[1]) / 2, "the rolled view is missing."),
            (
                (p[0] + seen(images.flip(2)) + p[2]) / 3,
                "you flipped rows; mirroring flips the columns, dimension 3.",
            ),
            ((p[0] + p[1] + seen(images.roll(shift, 2))) / 3, "you rolled rows; to the right is along dimension 3."),
            (
                (p[0] + p[1] + seen(images.roll(-shift, 3))) / 3,
                "you rolled to the left; a positive shift goes to the right.",
            ),
        ]
    return compare(result, sum(p) / 3, mistakes)


def next_generation(answer: object) -> str | None:
    """08.5: the better half, and a mutated child of each of them."""
    n, k = 6 + 2 * case(), 5 - case()
    pool, scores = _random(n, k, seed=6), _random(n, seed=7)
    change, noise = _random(n // 2, k, seed=8) < 0.5, 2 * _random(n // 2, k, seed=10) - 1
    order = scores.argsort(descending=True)
    parents = pool[order[: n // 2]]
    moved = torch.where(change, parents + noise, parents)
    result = call(answer, pool.clone(), scores.clone(), change.clone(), noise.clone())
    worse = pool[order.flip(0)[: n // 2]]
    other = torch.where(change, parents, parents + noise).clamp(0, 1)
    mistakes = [
        (torch.cat([parents, moved]), "some genes leave [0, 1]; cut them off."),
        (
            torch.cat([worse, torch.where(change, worse + noise, worse).clamp(0, 1)]),
            "you kept the worse half; sort from the largest score down.",
        ),
        (torch.cat([parents, other]), "the noise belongs where `change` is True, and the parent's gene elsewhere."),
        (
            torch.cat([parents, torch.where(change, noise, parents).clamp(0, 1)]),
            "a changed gene is the parent's plus the noise, not the noise alone.",
        ),
        (torch.cat([parents, (parents + noise).clamp(0, 1)]), "only the genes where `change` is True may change."),
        (torch.cat([parents, parents]), "the children are mere copies; add the noise where `change` is True."),
        (torch.cat([moved.clamp(0, 1), parents]), "put the parents first and their children below."),
        (moved.clamp(0, 1), "these are the children alone; keep their parents, too."),
        (
            torch.cat([pool[: n // 2], torch.where(change, pool[: n // 2] + noise, pool[: n // 2]).clamp(0, 1)]),
            "you kept the first half; sort by the scores before.",
        ),
    ]
    return compare(result, torch.cat([parents, moved.clamp(0, 1)]), mistakes)


def to_the_border(answer: object) -> str | None:
    """08.6: -lead · g / ‖g‖², the shortest change that brings a plane to 0."""
    lead = torch.tensor(3.7 - 7.9 * case())  # the second has the border on its other side
    g = (2 * _random(1, 3, 4, 5 + case(), seed=11) - 1) / 10
    squares = g.pow(2).sum()
    result = call(answer, lead.item(), g.clone())
    mistakes = [
        (lead * g / squares, "this doubles the lead; go against the gradient."),
        (-lead * g / squares.sqrt(), "divide by the square of the length: try it, lead + g · r must be 0."),
        (-lead * g, "that is as long as the gradient says; divide by the sum of its squares."),
        (
            -lead * g.sign() / g.abs().sum(),
            "that has the smallest largest value; the shortest change goes along the gradient itself.",
        ),
        (-g / squares, "the change must grow with the lead."),
        (
            -lead / squares.sqrt() * torch.ones_like(g),
            "that is its length; give it the direction of g.",
        ),
    ]
    return compare(result, -lead * g / squares, mistakes)


JUDGES = {
    "08.1": one_step,
    "08.2": into_the_box,
    "08.3": largest_growth,
    "08.4": mean_over_views,
    "08.5": next_generation,
    "08.6": to_the_border,
}
