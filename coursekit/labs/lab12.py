"""Checks of lab 12, fast style transfer."""

import math

import torch
from torch import Tensor, nn

from coursekit.labs.checking import call, case, compare, varied
from coursekit.networks.nets.style import StyleNetwork

EPSILON = 1e-5


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=varied(seed))


def conditional_norm(answer: object) -> str | None:
    """12.1: γ_s (x - μ) / √(σ² + ε) + β_s, μ and σ of each picture and channel."""
    x = _random(3, 4, 5, 6, seed=1) * torch.tensor([0.1, 1.0, 3.0])[:, None, None, None]
    gammas, betas = _random(2, 4, seed=2) + 0.5, _random(2, 4, seed=3) - case()
    which = torch.tensor([0, 1, 1] if case() else [1, 0, 1])
    result = call(answer, x.clone(), gammas.clone(), betas.clone(), which.clone())

    def made(
        dims: tuple[int, ...] = (2, 3), correction: int = 0, scale: Tensor = gammas, shift: Tensor = betas
    ) -> Tensor:
        var = x.var(dims, keepdim=True, correction=correction)
        normal = (x - x.mean(dims, keepdim=True)) / (var + EPSILON).sqrt()
        return scale[which][..., None, None] * normal + shift[which][..., None, None]

    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, correction=0)
    scale, shift = gammas[which][..., None, None], betas[which][..., None, None]
    first = gammas[0][:, None, None] * (x - mean) / (var + EPSILON).sqrt() + betas[0][:, None, None]
    mistakes = [
        (made((0, 2, 3)), "that is batch normalisation: each picture has a mean and a σ of its own."),
        (made((1, 2, 3)), "each channel has a mean and a σ of its own; average over height and width only."),
        (made(correction=1), "you divided by HW - 1; σ² is the mean square, correction=0."),
        (scale * (x - mean) / (var + EPSILON) + shift, "you divided by σ²; take the root."),
        (scale * (x / (var + EPSILON).sqrt()) + shift, "subtract the mean first."),
        (made(scale=betas, shift=gammas), "γ and β are swapped: γ scales, β shifts."),
        (made(scale=torch.ones_like(gammas), shift=torch.zeros_like(betas)), "scale by γ and shift by β at the end."),
        (first, "all pictures got the first style; `which` says the row of each."),
        ((x - mean) / (var + EPSILON).sqrt() * scale, "the shift β is missing."),
    ]
    return compare(result, made(), mistakes)


def shares_of(answer: object) -> str | None:
    """12.2: shares in the order of the styles, with sum 1."""
    styles, sliders = ["ink", "mosaic", "strokes", "swirls"], {"swirls": 0.6, "ink": 0.2, "strokes": 1.2}
    values = torch.tensor([[0.2, 0.0, 1.2, 0.6]])
    if case():
        styles, sliders, values = ["wood", "ink", "oil"], {"ink": 3.0, "wood": 0.5}, torch.tensor([[0.5, 3.0, 0.0]])
    result = call(answer, dict(sliders), list(styles))
    given = torch.tensor([list(sliders.values())])
    mistakes = [
        (values, "the sum is not 1: divide by it."),
        (values.softmax(1), "softmax gives a style at 0 a share, too: divide by the sum."),
        (values / values.max(), "you divided by the largest; divide by the sum."),
        (values / values.norm(), "you divided by the length; divide by the sum."),
        (values / (values > 0).sum(), "you divided by the number of styles; divide by the sum of the sliders."),
        (values / values.numel(), "you divided by the number of styles; divide by the sum of the sliders."),
        (given / given.sum(), "a style without a slider has the share 0, and all stand in the order of `styles`."),
        (torch.cat([given / given.sum(), torch.zeros(1, 1)], 1), "the shares stand in the order of `styles`."),
    ]
    return compare(result, values / values.sum(), mistakes)


def psnr(answer: object) -> str | None:
    """12.3: 10 log10 (1 / mean squared error), for each picture."""
    truth = _random(3, 3, 4, 5, seed=4)
    made = truth + torch.tensor([0.02, 0.1, 0.3])[:, None, None, None] * (_random(3, 3, 4, 5, seed=5) - 0.5)
    result = call(answer, made.clone(), truth.clone())
    error = (made - truth).pow(2).flatten(1).mean(1)
    absolute = (made - truth).abs().flatten(1).mean(1)
    mistakes = [
        (-10 * error.mean().log10(), "one number for each picture: do not average over the batch."),
        (-10 * error.log10().mean(), "one number for each picture: do not average over the batch."),
        (10 * error.log10(), "the sign: a small error gives a large PSNR, 10 log10(1 / error)."),
        (-10 * error.log(), "take the logarithm to base 10."),
        (-20 * error.log10(), "10 log10 of the mean square; 20 log10 belongs to its root."),
        (-10 * error.sqrt().log10(), "no root: the mean of the squares stands below."),
        (-10 * absolute.log10(), "square the differences before the mean."),
        (-10 * (made - truth).pow(2).flatten(1).sum(1).log10(), "the mean of the squares, not their sum."),
        (-10 * error.log10() + 20 * math.log10(255), "values lie in [0, 1] here: the largest is 1, not 255."),
        (error, "that is the mean squared error; now its PSNR, 10 log10(1 / error)."),
    ]
    return compare(result, -10 * error.log10(), mistakes)


def one_pass_of(answer: object) -> str | None:
    """12.4: the output in evaluation mode, without a gradient; the mode is restored."""
    torch_state = torch.get_rng_state()
    torch.manual_seed(case())
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))
    torch.set_rng_state(torch_state)
    mean = network.get_buffer("1.running_mean").copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
    network.get_buffer("1.running_var").copy_(torch.tensor([0.5, 1.0, 2.0, 0.2]))
    x = (1 + 5 * case()) * _random(2, 3, 6, 6, seed=6)
    with torch.no_grad():
        right = network.eval()(x)
    kept, results = mean.clone(), {}
    for training in (True, False):
        network.train(training)
        results[training] = call(answer, network, x.clone())
        changed = not torch.equal(mean, kept)
        if training and changed:
            return "in training mode the network took this batch into its statistics: call network.eval() first."
        if network.training != training:
            now = "training" if network.training else "evaluation"
            return f"you left the network in {now} mode; put it back into the one in which you found it."
        if any(part.training != training for part in network.modules()):
            return "you changed the mode of one layer; network.train(…) sets all of them."
    for result in results.values():
        if hint := compare(result, right, [(network[:2](x).detach(), "that is not the last layer's output.")]):
            return hint
    if any(isinstance(result, Tensor) and result.requires_grad for result in results.values()):
        return "the result still hangs on its gradient: use torch.no_grad()."
    return None


def freeze_all_but_styles(answer: object) -> str | None:
    """12.5: only γ and β need a gradient; how many numbers that is."""
    network = StyleNetwork(styles=3 - case())
    tables = {name: p for name, p in network.named_parameters() if name.endswith(("gamma", "beta"))}
    right = sum(p.numel() for p in tables.values())
    result = call(answer, network)
    free = {name for name, p in network.named_parameters() if p.requires_grad}
    if free == set(dict(network.named_parameters())):
        return "nothing is frozen: set requires_grad_(False) for what must stay."
    if missing := set(tables) - free:
        return f"{sorted(missing)[0]} is frozen, too, but γ and β are what a style is."
    if extra := free - set(tables):
        return f"{sorted(extra)[0]} can still change, and with it every other style."
    mistakes = [
        (len(tables), "you counted tensors; numel() counts their numbers."),
        (right // (3 - case()), "that is one style; all tables together are asked for."),
        (sum(p.numel() for p in network.parameters()) - right, "these are the frozen numbers; count the others."),
        (sum(p.numel() for p in network.parameters()), "these are all numbers; count those that still change."),
    ]
    return compare(result, right, mistakes)


def pays_from(answer: object) -> str | None:
    """12.6: the smallest n with training + n · one_pass < n · search."""
    cases = [(1800.0, 8.0, 0.25), (90.0, 10.0, 1.0), (39.0, 40.0, 2.0)]
    results = [call(answer, *case) for case in cases]
    right = [_first_that_pays(*case) for case in cases]
    mistakes = [
        ([math.floor(t / s) + 1 for t, s, _ in cases], "a pass takes time, too: each picture saves search - one_pass."),
        ([math.ceil(t / s) for t, s, _ in cases], "a pass takes time, too: each picture saves search - one_pass."),
        ([t / (s - p) for t, s, p in cases], "a whole number of pictures is asked for."),
        ([math.floor(t / (s - p)) for t, s, p in cases], "so many are not enough yet: round up."),
        ([round(t / (s - p)) for t, s, p in cases], "round up: with fewer the network is still behind."),
        (
            [math.ceil(t / (s - p)) for t, s, p in cases],
            "where both take the same time, the network is not faster yet.",
        ),
        ([math.ceil((t + p) / s) for t, s, p in cases], "a pass is paid for each picture, not once."),
        ([math.floor((t + p) / s) + 1 for t, s, p in cases], "a pass is paid for each picture, not once."),
    ]
    try:
        seen = torch.tensor([float(result) for result in results])
    except (TypeError, ValueError):
        return "one number of pictures is asked for."
    wrong = [(torch.tensor(value, dtype=torch.float32), hint) for value, hint in mistakes]
    return compare(seen, torch.tensor(right, dtype=torch.float32), wrong)


def _first_that_pays(training: float, search: float, one_pass: float) -> int:
    return next(n for n in range(1, 10_000) if training + n * one_pass < n * search)


JUDGES = {
    "12.1": conditional_norm,
    "12.2": shares_of,
    "12.3": psnr,
    "12.4": one_pass_of,
    "12.5": freeze_all_but_styles,
    "12.6": pays_from,
}
