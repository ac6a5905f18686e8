"""Checks of lab 14, sanity checks."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.interrupts import importing
from coursekit.labs.checking import Unfinished, call, case, compare, varied


def _noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=varied(seed))


def _ranks(values: Tensor) -> Tensor:
    return values.flatten().argsort().argsort().double()


def _pearson(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten().double(), b.flatten().double()]))[0, 1])


def rank_correlation(answer: object) -> str | None:
    """14.1: Spearman's ρ of two maps, signed or of magnitudes."""
    a = _noise(1, 3, 6, 7, seed=1)
    b = -a.exp() + 1.5 * _noise(1, 3, 6, 7, seed=2)  # a curve, so ranks and values correlate differently
    signed, absolute = call(answer, a.clone(), b.clone(), False), call(answer, a.clone(), b.clone(), True)
    right = _pearson(_ranks(a), _ranks(b))
    magnitudes = _pearson(_ranks(a.abs()), _ranks(b.abs()))
    once = _pearson(a.flatten().argsort(), b.flatten().argsort())
    added = _pearson(_ranks(a.sum(1)), _ranks(b.sum(1)))
    mistakes = [
        (_pearson(a, b), "that correlates the values; replace each value by its rank first."),
        (
            once,
            "argsort alone gives the order, not the ranks: the rank of a value is its place, argsort of the argsort.",
        ),
        (magnitudes, "you took magnitudes although absolute is False."),
        (added, "you added up the channels; every value of every channel has its own rank."),
    ]
    if hint := compare(signed, right, mistakes):
        return hint
    late = _pearson(_ranks(a).abs(), _ranks(b).abs())
    mistakes = [
        (right, "absolute makes no difference in your function; rank |a| and |b| then."),
        (late, "take the magnitude before the ranks; ranks have no sign."),
        (abs(right), "the magnitude of ρ is not the ρ of magnitudes; rank |a| and |b|."),
    ]
    return compare(absolute, magnitudes, mistakes)


def cascade(answer: object) -> str | None:
    """14.2: the weights after the last k layers were drawn anew."""
    trained, fresh = [_noise(2, 3, seed=i) for i in range(5)], [_noise(2, 3, seed=10 + i) for i in range(5)]
    kept, k = [tensor.clone() for tensor in trained], 2 + case()
    result = call(answer, trained, fresh, k)
    if not all(torch.equal(a, b) for a, b in zip(trained, kept, strict=True)):
        return "you wrote into the trained weights; give back a new list and leave them as they were."
    try:
        if any(not isinstance(tensor, Tensor) for tensor in result):
            raise Unfinished
        found = torch.stack(list(result))
    except TypeError:
        return "a list of five tensors is asked for."
    except RuntimeError:
        return "the layers must keep their shapes; a list of five tensors is asked for."
    below, alone = [*fresh[:k], *trained[k:]], [*trained[: 5 - k], fresh[5 - k], *trained[6 - k :]]
    mistakes = [
        (torch.stack(below), "you began at the input; a cascade begins at the logits, the last in the list."),
        (torch.stack(alone), "that draws one layer anew; a cascade keeps those above it random too."),
        (torch.stack(trained), "nothing is drawn anew."),
        (torch.stack(fresh), "all layers are drawn anew; only the last k are asked for."),
        (torch.stack([*trained[: 4 - k], *fresh[4 - k :]]), "one layer too many is drawn anew."),
        (torch.stack([*trained[: 6 - k], *fresh[6 - k :]]), "one layer too few is drawn anew."),
        (
            torch.stack([*trained[: 5 - k], *fresh[:k]]),
            "a layer must get its own new weights, not those of another one.",
        ),
    ]
    return compare(found, torch.stack([*trained[: 5 - k], *fresh[5 - k :]]), mistakes)


def similarities(answer: object) -> str | None:
    """14.3: one similarity for each stage, always for the trained network's class, against the trained map."""
    weights = [
        torch.tensor(rows) for rows in ([[1.0, 4, 2], [5, 1, 3]], [[7.0, 2, 1], [1, 3, 0]], [[9.0, 1, 5], [2, 0, 6]])
    ]
    weights = [rows * torch.tensor([1.0, 2.0, 1.0]) for rows in weights] if case() else weights
    image = torch.tensor([1.0, 0.5, 2.0])
    trained, *stages = [lambda x, w=w: w @ x for w in weights]
    if int(trained(image).argmax()) != 1 or any(int(stage(image).argmax()) != 0 for stage in stages):
        raise AssertionError("the check needs stages that see another class than the trained network")

    def explain(model: Callable, x: Tensor, target: int) -> Tensor:
        if target is None:
            target = int(model(x).argmax())
        return weights[[trained, *stages].index(model)][int(target)] * x

    def similarity(a: Tensor, b: Tensor) -> float:
        return float(1 / (1 + (a - b).abs().sum())) if not case() else float(33 - 3 * (a - b).abs().sum())

    maps = [[explain(model, image, target) for target in (0, 1)] for model in (trained, *stages)]
    right = [similarity(maps[0][1], m[1]) for m in maps[1:]]
    result = call(answer, trained, iter(stages), explain, similarity, image)
    try:
        found = torch.tensor([float(value) for value in result])
    except (TypeError, ValueError):
        return "a list with one number for each stage is asked for."
    no_mean = "one number for each stage is asked for, no mean"
    own, low = ([similarity(maps[0][i], m[0]) for m in maps[1:]] for i in (1, 0))
    chain = [similarity(before[1], after[1]) for before, after in itertools.pairwise(maps)]
    mistakes = [
        (own, "each stage was asked for the class that it sees itself; fix the class while the network is trained."),
        ([1.0, *right], "the trained network compared with itself gives 1; that is no stage, leave it out."),
        (chain, "you compare with the stage before; compare each stage with the trained network."),
        (low, "that is the wrong class; take the largest logit of the trained network."),
        ([sum(right) / len(right)], f"{no_mean}."),
        ([(1 + sum(right)) / 3], f"{no_mean}, and no 1 of the trained network."),
    ]
    return compare(found, torch.tensor(right), [(torch.tensor(values), hint) for values, hint in mistakes])


def without_original(answer: object) -> str | None:
    """14.4: a mean over nine values, one of which is the original's 1; what is it without?"""
    mistakes = [
        (0.4, "that is the mean with the original."),
        (0.4 - 1 / 9, "you took the original away from the sum, but still divide by nine."),
        ((0.4 * 8 - 1) / 8, "the sum of the nine values is 9 · 0.4."),
        (0.4 * 9 - 1, "that is the sum; divide by the number of stages."),
        (0.4 * 9 / 8, "the original's 1 is still in the sum."),
    ]
    return compare(answer, (0.4 * 9 - 1) / 8, mistakes)


def similar_pictures(answer: object) -> str | None:
    """14.5: SSIM of two maps, each in its own range, with the range said."""
    with importing():
        from skimage.metrics import structural_similarity as ssim

    a, b = 0.01 * _noise(16, 16, seed=3).abs(), 0.3 * _noise(16, 16, seed=4).abs()
    b += 15 * (a.max() - a if case() else a)
    x, y = (a / a.max()).numpy(), (b / b.max()).numpy()
    result = call(answer, a.clone(), b.clone())
    raw = [m.numpy() for m in (a, b)]
    both = [m / float(max(a.max(), b.max())) for m in raw]
    mistakes = [
        (ssim(*raw, data_range=1.0), "divide each map by its own maximum first; 0.01 is not a picture in [0, 1]."),
        (ssim(*both, data_range=1.0), "you divided both by the larger maximum; each map has its own scale."),
        (ssim(x, y, data_range=2.0), "the pictures are in [0, 1], so the range is 1; 2 is the range of [−1, 1]."),
        (ssim(x, y, data_range=255.0), "255 is the range of whole grey levels; these pictures are in [0, 1]."),
        (ssim(*raw, data_range=2.0), "a range of 2 makes these small maps look alike; bring each to [0, 1] and say 1."),
    ]
    return compare(result, ssim(x, y, data_range=1.0), mistakes)


def spread_gates(answer: object) -> str | None:
    """14.6: the gradient of a sum of rectified filter answers is the filter, spread over the open gates."""
    channels, side = (3, 3) if not case() else (2, 4)
    kernel, u = _noise(1, channels, side, side, seed=5), 3 * _noise(1, 1, 5, 7, seed=6)
    u[..., 1, 2] = u[..., 3, 4] = 0  # a closed gate: the derivative of max(0, u) at 0 is 0 here, as in PyTorch
    found = call(answer, kernel.clone(), u.clone())
    spread = functional.conv_transpose2d
    right, gates = spread((u > 0).float(), kernel), (u > 0).float()
    mistakes = [
        (spread(u, kernel), "u is what the filter answered; the derivative of max(0, u) is 1 where u > 0, else 0."),
        (spread(u.clamp(min=0), kernel), "max(0, u) is the value; its derivative is 1 where u > 0, else 0."),
        (spread(torch.ones_like(u), kernel), "all gates are open in yours; where u is negative nothing passes."),
        (spread((u < 0).float(), kernel), "your gates are open where u is negative."),
        (spread((u >= 0).float(), kernel), "at u = 0 the gate is closed."),
        (spread(u.sign(), kernel), "where u is negative the derivative is 0, not −1."),
        (spread(gates, kernel.flip(2, 3)), "you turned the filter round; conv_transpose2d does so by itself."),
        (right.sum(1, keepdim=True), "you added up the colours; the gradient has a value for each of them."),
    ]
    return compare(found, right, mistakes)


def gain_over_edges(answer: object) -> str | None:
    """14.7: mean over objects of the mean difference over each object's scenes."""
    objects = ["zebra", "hen", "zebra", "zebra", "cello", "zebra", "hen"]
    ours, edges = _noise(7, seed=7), _noise(7, seed=8)
    ours = ours + (torch.arange(7.0) if case() else -torch.arange(7.0))
    found = call(answer, ours.clone(), edges.clone(), list(objects))

    def over_objects(values: Tensor) -> Tensor:
        names = list(dict.fromkeys(objects))
        own = [torch.tensor([other == name for other in objects]) for name in names]
        return torch.stack([values[one].mean() for one in own])

    right = over_objects(ours - edges).mean()
    sums = torch.stack([(ours - edges)[torch.tensor([o == name for o in objects])].sum() for name in set(objects)])
    mistakes = [
        ((ours - edges).mean(), "that is the mean over scenes; take each object's mean first."),
        (-right, "that is how much better the edges are; take ours minus edges."),
        (over_objects(ours).mean(), "that is our method's own mean; take the edges away, scene by scene."),
        (sums.mean(), "you add up an object's scenes; four scenes then count four times."),
        (over_objects(ours - edges).sum(), "the mean over objects is asked for, not the sum."),
    ]
    return compare(found, right, mistakes)


JUDGES = {
    "14.1": rank_correlation,
    "14.2": cascade,
    "14.3": similarities,
    "14.4": without_original,
    "14.5": similar_pictures,
    "14.6": spread_gates,
    "14.7": gain_over_edges,
}
