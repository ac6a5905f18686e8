"""Checks of lab 02, embeddings."""

import math
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from coursekit.labs.checking import call, case, compare, varied


def _precision_case() -> tuple[Tensor, Tensor, Tensor, int]:
    """Six objects of two scenes each, in three labels; the other scene of an object is often near, but not always."""
    generator = varied(2)
    centres = 3 * torch.randn(6, 4, generator=generator)
    points = centres.repeat_interleave(2, 0) + 1.5 * torch.randn(12, 4, generator=generator)
    points[:, :2] += 2 * torch.randn(3, 2, generator=generator).repeat_interleave(4, 0)
    order = torch.randperm(12, generator=generator)
    labels, objects = torch.arange(3).repeat_interleave(4)[order], torch.arange(6).repeat_interleave(2)[order]
    return torch.cdist(points, points)[order][:, order], labels, objects, 3 - case()


def precision_of(answer: object) -> str | None:
    """02.1: the part of the k nearest items of other objects that have the item's label."""
    distance, labels, objects, k = _precision_case()
    before = distance.clone()
    result = call(answer, distance, labels.clone(), objects.clone(), k)
    if not torch.equal(distance, before):
        return "your function changes the distances it was given; start with distance.clone()."
    same = objects[:, None] == objects
    own = torch.eye(len(labels), dtype=torch.bool)

    def part(order: Tensor, names: Tensor = labels) -> Tensor:
        return (names[order] == names[:, None]).float().mean(1)

    def order(forbidden: Tensor, value: float = torch.inf) -> Tensor:
        return distance.masked_fill(forbidden, value).argsort(1)

    right = order(same)
    mistakes = [
        (part(order(own, 0.0)[:, :k]), "the item itself is counted; nothing is nearer to it than itself."),
        (
            part(order(own)[:, :k]),
            "scenes of the same object are counted; leaving out the item is not enough: make them all infinitely far.",
        ),
        (part(order(same, -torch.inf).flip(1)[:, :k]), "these are the farthest items; sort upwards."),
        (part(order(same, 0.0)[:, :k]), "a distance of 0 makes them the nearest of all; use infinity."),
        (part(right[:, : k + 1]), "that is one neighbour too many: the first k are [:, :k]."),
        (part(right[:, 1 : k + 1]), "you leave out the first one, but the item itself is gone already."),
        (part(right[:, :k], objects), "you compare objects; the question is whether the labels agree."),
        (part(right[:, :k]) * k, "that is their number; divide by k."),
        (part(right[:, :k]).mean(), "one number for each item is asked for; average over the k neighbours only."),
    ]
    return compare(result, part(right[:, :k]), mistakes)


def similarities(answer: object) -> str | None:
    """02.2: q_ij of t-SNE."""
    y = 2 * torch.randn(5, 2 + case(), generator=varied(3))
    square, off = (y[:, None] - y).square().sum(2), 1 - torch.eye(5)
    result = call(answer, y.clone())
    heavy, light, root = 1 / (1 + square), torch.exp(-square), 1 / (1 + square.sqrt())
    mistakes = [
        (heavy / heavy.sum(), "the diagonal takes part: set it to 0 before you add up."),
        (heavy / heavy.sum() * off, "set the diagonal to 0 before you divide, so that the rest adds up to 1."),
        (heavy * off, "divide by Z, so that all of them add up to 1."),
        (heavy, "set the diagonal to 0, and divide by Z."),
        (heavy * off / (heavy * off).sum(1, keepdim=True), "you divide row by row; q has one Z for the whole matrix."),
        (light * off / (light * off).sum(), "that is the Gaussian of p; on the map t-SNE takes 1 / (1 + d²)."),
        (light * off / (light * off).sum(1, keepdim=True), "that is p, the Gaussian; q takes 1 / (1 + d²), and one Z."),
        (root * off / (root * off).sum(), "the distance is not squared."),
        (square / square.sum(), "far dots are less similar, not more: take 1 / (1 + d²)."),
    ]
    return compare(result, heavy * off / (heavy * off).sum(), mistakes)


def perplexity(answer: object) -> str | None:
    """02.3: 2 to the entropy in bits, with zeros among the probabilities."""
    p = torch.tensor([0.0, 0.25, 0.0, 0.25, 0.5] if case() else [0.5, 0.25, 0.0, 0.125, 0.125, 0.0])
    bits, nats = 1.75 - 0.25 * case(), (1.75 - 0.25 * case()) * math.log(2)
    mistakes = [
        (bits, "that is the entropy H; the perplexity is 2 to the power of H."),
        (nats, "that is the entropy in nats; take log2, and then 2 to the power of H."),
        (2**nats, "two logarithms are mixed: the natural one belongs to e, log2 to 2."),
        (float(torch.tensor(bits).exp()), "two logarithms are mixed: log2 belongs to 2 ** H, the natural one to e."),
        (2**-bits, "the sign: H is positive, −Σ p log2 p, and the perplexity at least 1."),
        (-bits, "the sign: H is −Σ p log2 p; and the perplexity is 2 to the power of it."),
        (float((p > 0).sum()), "that is the number of probabilities above 0; likely ones count more."),
        (float(len(p)), "that is the number of all points; likely neighbours count more."),
    ]
    hint = compare(call(answer, p.clone()), 2**bits, mistakes)
    return "0 · log 0 gave NaN: leave out the probabilities that are 0." if hint and "NaN" in hint else hint


def split(answer: object) -> str | None:
    """02.4: (teach, test) without an object on both sides."""
    labels = ["pig", "bin", "pig", "pig", "bin", "drum", "pig", "drum", "bin", "drum", "pig"]
    objects = ["p2", "b1", "p1", "p2", "b2", "d1", "p3", "d2", "b1", "d1", "p1"]
    right = ([0, 1, 3, 5, 8, 9], [2, 4, 6, 7, 10])
    if case():  # the same, and one more of an object that teaches
        labels, objects, right = [*labels, "bin", "cow"], [*objects, "b1", "c1"], ([*right[0], 11, 12], right[1])
    result = call(answer, list(labels), list(objects))
    try:
        teach, test = ([int(i) for i in part] for part in result)
    except (TypeError, ValueError):
        return "return two lists of indices: (teach, test)."
    if any(not 0 <= i < len(labels) for i in teach + test):
        return "an index lies outside the lists; indices go from 0 to N − 1."
    shared = {objects[i] for i in teach} & {objects[i] for i in test}
    if (sorted(teach), sorted(test)) == right:
        return None
    if (sorted(test), sorted(teach)) == right:
        return "the two lists are swapped: the first object of each label teaches."
    if shared:
        return f"a leak: scenes of {sorted(shared)[0]} are on both sides, so the test is no test; split by object."
    if set(teach) < set(right[0]) and {labels[i] for i in teach} == set(labels):
        return "take all scenes of the first object, not only some of them."
    if {labels[i] for i in teach} != set(labels):
        return "each label needs an object that teaches: the first one of each label, not the first of all."
    if len(set(teach + test)) < len(labels):
        return "some scenes are in neither list; every index belongs to one of the two."
    if any(objects[i] in {"p1", "p3", "b2", "d2"} for i in teach):
        return "the object that comes first in the list teaches, not the first by name; one object per label."
    return "the lists differ from the right ones; follow one label by hand."


def distance_of_codes(answer: object) -> str | None:
    """02.5: the L2 distance of unit vectors with cosine 0.68: the root of 2 − 2 · 0.68 = 0.64."""
    mistakes = [
        (0.64, "that is the squared distance; take the root."),
        (0.32, "that is the cosine distance 1 − cos; |a − b|² = |a|² + |b|² − 2 a·b."),
        (0.32**0.5, "the factor 2: |a − b|² = 1 + 1 − 2 · 0.68."),
        (1.32**0.5, "both lengths count, and the product twice: |a − b|² = |a|² + |b|² − 2 a·b."),
        ((2 + 1.36) ** 0.5, "the sign: that is the length of a + b."),
        (0.68, "that is the cosine itself; |a − b|² = |a|² + |b|² − 2 a·b."),
        ((1 - 0.68**2) ** 0.5, "that is the sine; a − b joins the ends of the two arrows."),
    ]
    return compare(answer, 0.8, mistakes)


def core_points(answer: object) -> str | None:
    """02.6: the points of DBSCAN that have at least `least` points within `radius`, themselves among them."""
    points = torch.tensor([0.0, 1.0, 2.0, 3.0, 6.0, 7.0, 7.5, 8.25, 12.0])
    points = torch.cat([points.flip(0) * 2, torch.tensor([7.0])]) if case() else points
    distance, radius, least = (points[:, None] - points).abs(), 1.0 + case(), 3 - case()
    result = call(answer, distance.clone(), radius, least)
    near = distance <= radius
    within = near.sum(1)
    right = within >= least
    mistakes = [
        (within, "that is how many are near; ask whether they are at least `least`."),
        (within > least, "a point counts itself, whose distance is 0, and at least means ≥."),
        ((distance < radius).sum(1) >= least, "within the radius means ≤: a point just on the circle counts."),
        (~right, "that is the opposite: a core point has many near points."),
        ((near & right).any(1), "who is near a core point belongs to its cluster, but need not be one."),
        (right.nonzero()[:, 0], "return for each point whether it is one, (N,), not the list of those that are."),
        (right.sum(), "that is their number; return for each point whether it is one, (N,)."),
    ]
    return compare(result, right, mistakes)


def q_goal(answer: object) -> str | None:
    """02.7: r + γ max Q(s′), nothing after the end of a game."""
    reward, over = torch.tensor([0.25, 1.0, -1.0, 0.0]), torch.tensor([False, True, True, False])
    q = torch.tensor([[0.5, 0.25, -1.0], [2.0, 0.5, 0.0], [0.25, 1.0, 0.75], [-0.5, -0.25, -2.0]])
    reward, over, q = (-2 * reward[:3], over[1:], 3 * q[:3].flip(0, 1)) if case() else (reward, over, q)
    result = call(answer, reward.clone(), q.clone(), over.clone(), 0.8)
    best, going = q.amax(1), (~over).float()
    right = reward + 0.8 * best * going
    mistakes = [
        (reward + 0.8 * best, "nothing comes after the end of a game: no Q there."),
        (reward + best * going, "the discount is missing: what comes a step later counts γ times."),
        (best * going, "the reward of this step is missing, and the discount."),
        (0.8 * best * going, "the reward of this step is missing."),
        (0.8 * (reward + best * going), "the reward of this step is not discounted; only what comes after it is."),
        ((reward + 0.8 * best) * going, "the last reward of a game counts; only what would come after it is nothing."),
        (reward + 0.8 * best * over, "that is turned round: Q counts where the game is *not* over."),
        (reward + 0.8 * q.mean(1) * going, "that is the mean over the actions; the agent will take the best one."),
        (reward + 0.8 * q.argmax(1) * going, "argmax is which action is best; its value is asked for."),
        (reward + 0.8 * q.amax() * going, "take the maximum over the actions of each state, dim 1, not of all."),
        (reward[:, None] + 0.8 * q * going[:, None], "take the best of the three actions: one number for each state."),
    ]
    return compare(result, right, mistakes)


def strongest(answer: object) -> str | None:
    """02.8: the k pictures that excite a channel most, one of each object, the strongest first."""
    peaks = torch.tensor([0.5, 3.0, 2.0, 2.5, 0.0, 1.5, 2.75, 1.0])
    objects, k = ["hen", "zebra", "zebra", "hen", "drum", "drum", "zebra", "cello"], 3
    peaks, objects, k = (peaks.flip(0) - 2, objects[::-1], 2) if case() else (peaks, objects, k)
    result = call(answer, peaks.clone(), list(objects), k)
    mistakes = [
        ([1, 6, 3], "two of these show one object; of each object take the strongest picture only."),
        ([5, 3, 1], "the order: the strongest first."),
        ([4, 0, 7], "these are the weakest; sort downwards."),
        ([1, 3, 5, 7], "that is one of each object; only the first k are asked for."),
        ([1, 0, 4], "of each object take the strongest picture, not the one that comes first."),
        ([0, 1, 4], "of each object take the strongest picture, not the one that comes first."),
        ([3.0, 2.5, 1.5], "these are the activations; return the numbers of the pictures."),
    ]
    if not isinstance(result, Tensor | np.ndarray):
        try:
            result = [float(i) for i in result]
        except (TypeError, ValueError):
            return "return k whole numbers: which pictures."
    right = torch.tensor([6, 4] if case() else [1, 3, 5])
    return compare(result, right, [(torch.tensor(v), hint) for v, hint in mistakes])


def to_cells(answer: object) -> str | None:
    """02.9: the cell of each dot, each cell once, with the least sum of squared distances."""
    dots = torch.rand(6, 2, generator=varied(196))
    cells = torch.cartesian_prod(torch.tensor([0.25, 0.75]), torch.tensor([1 / 6, 0.5, 5 / 6]))
    cost = torch.cdist(dots, cells).square()
    right = _least(cost)
    result = call(answer, dots.clone(), cells.clone())
    if isinstance(result, tuple) and len(result) == 2:
        return "these are rows and columns; the columns are the cells: take [1]."
    mistakes = [
        (cost.argmin(1), "two dots share a cell: the nearest cell may be taken already."),
        (
            _one_by_one(cost),
            "dot by dot each took the nearest free cell, the last ones went far; weigh all at once.",
        ),
        (_least(cost.sqrt()), "that is the least sum of the distances; square them first."),
        (_least(-cost), "that is the largest sum; the least is asked for."),
        (right.argsort(), "that is which dot each cell gets; for each dot its cell is asked for."),
        (torch.arange(6), "these are the rows, the dots themselves; `linear_sum_assignment` gives (rows, columns)."),
        (cells[right], "these are the centres; the numbers of the cells are asked for, (N,)."),
        (cost[torch.arange(6), right].sum(), "that is the least sum itself; which cell does each dot get?"),
    ]
    hint = compare(result, right, mistakes)
    if hint and "values differ" in hint:
        chosen = torch.as_tensor(result).flatten().tolist()
        if sorted(chosen) != list(range(6)):
            return "each number from 0 to N − 1 must be there once."
        total, least = (float(cost[torch.arange(6), torch.tensor(to).long()].sum()) for to in (chosen, right.tolist()))
        return f"each cell is taken once, but the sum is {total:.2f}, and {least:.2f} is possible."
    return hint


def _least(cost: Tensor) -> Tensor:
    """Try all orders."""
    orders = torch.tensor(list(permutations(range(len(cost)))))
    return orders[cost[torch.arange(len(cost)), orders].sum(1).argmin()]


def _one_by_one(cost: Tensor) -> Tensor:
    """Give each row in turn the nearest column that is still free."""
    chosen: list[int] = []
    for row in cost:
        chosen.append(int(row.index_fill(0, torch.tensor(chosen, dtype=torch.long), torch.inf).argmin()))
    return torch.tensor(chosen)


def turned_view(answer: object) -> str | None:
    """02.10: one step of the grand tour: two coordinates of the axes turn, then the points are projected."""
    generator = varied(5)
    points = torch.randn(7, 4, generator=generator)
    axes = torch.linalg.qr(torch.randn(4, 2, generator=generator)).Q
    a, b, angle = (2, 0, 0.6) if case() else (1, 3, 0.6)
    given = axes.clone()
    result = call(answer, points.clone(), given, a, b, angle)
    if not torch.equal(given, axes):
        return "your function changes the axes that it was given; start with axes.clone()."

    def view(angle: float, *, first: bool = True, second: bool = True, late: bool = False) -> Tensor:
        cos, sin, new = math.cos(angle), math.sin(angle), axes.clone()
        if first:
            new[a] = cos * axes[a] - sin * axes[b]
        if second:
            new[b] = sin * (new if late else axes)[a] + cos * axes[b]
        return points @ new

    mistakes = [
        (view(0.6, late=True), "row b was made from the new row a, so lengths change; keep the old rows first."),
        (view(-0.6), "you turn the other way: the minus stands in row a."),
        (view(math.radians(0.6)), "the angle is in radians already."),
        (view(0.6, second=False), "only row a has turned; row b must turn with it, or the axes are no right angle."),
        (view(0.6, first=False), "only row b has turned; row a must turn with it, or the axes are no right angle."),
        (points @ axes, "that is the view before the step; turn the axes first."),
        (torch.linalg.lstsq(points, view(0.6)).solution, "these are the axes; return points @ axes."),
        (view(0.6).T, "the dots lie in columns; (N, 2) is asked for."),
    ]
    return compare(result, view(0.6), mistakes)


JUDGES = {
    "02.1": precision_of,
    "02.2": similarities,
    "02.3": perplexity,
    "02.4": split,
    "02.5": distance_of_codes,
    "02.6": core_points,
    "02.7": q_goal,
    "02.8": strongest,
    "02.9": to_cells,
    "02.10": turned_view,
}
