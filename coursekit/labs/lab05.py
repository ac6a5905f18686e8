"""Checks of lab 05, guided backprop."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.labs.checking import call, case, compare
from coursekit.labs.sharing import best, drawn, gamma_shares, linear_shares, unpool
from coursekit.networks.model import Model

SIDE = 6
Step = Callable[[Tensor], Tensor]


def _small(seed: int) -> Model:
    """A network with two in-place ReLUs and three classes."""
    parts = nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 6, 3), nn.ReLU(inplace=True), nn.Flatten()
    module = nn.Sequential(*parts, nn.Linear(6 * (SIDE - 4) ** 2, 3))
    for i, parameter in enumerate(module.parameters()):
        parameter.data = 0.5 * drawn(*parameter.shape, seed=100 * seed + i)
    labels = ["cat", "dog", "owl"]  # for those who ask `ck.predict` which class is the most probable
    return Model(module.requires_grad_(False), mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.5), labels=labels)


def _image(seed: int) -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def _picture(
    model: Model,
    image: Tensor,
    target: int | None,
    step: Step | None = None,
    masked: bool = True,
    relus: slice = slice(None),
    probability: bool = False,
) -> Tensor:
    """Go back to the image (1, 3, H, W): `step` changes the signal above the chosen ReLUs; not `masked`: z is ignored.

    `target` None adds up all logits.
    """
    with torch.enable_grad():
        x = image.detach().clone().requires_grad_()
        h = (x - model.mean) / model.std
        parts = list(model.module.children())
        chosen = [part for part in parts if isinstance(part, nn.ReLU)][relus]
        for part in parts:
            if not isinstance(part, nn.ReLU):
                h = part(h)
                continue
            h = F.relu(h) if masked else h + (F.relu(h) - h).detach()  # the second has the slope 1 everywhere
            if step is not None and part in chosen:
                h.register_hook(step)
        scores = h.softmax(1) if probability else h
        return torch.autograd.grad(scores.sum() if target is None else scores[0, target], x)[0]


def _positive(signal: Tensor) -> Tensor:
    return signal.clamp(min=0)


def _negative(signal: Tensor) -> Tensor:
    return signal.clamp(max=0)


def _traces(model: Model, function: object, *arguments: object) -> tuple[object, str | None]:
    """Run the student's function; say what it left behind in the model, and remove hooks."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    relus = [part for part in model.modules() if isinstance(part, nn.ReLU)]
    result = call(function, *arguments)
    changed = [relu for relu in relus if not relu.inplace]
    for relu in changed:
        relu.inplace = True
    left = [hooks for part in model.modules() for hooks in (part._forward_hooks, part._backward_hooks) if hooks]
    for hooks in left:
        hooks.clear()
    if left:
        return result, "your hook is still in the network; keep its handle and call handle.remove() at the end."
    if any(not torch.equal(value, before[name]) for name, value in model.state_dict().items()):
        return result, "your function changes the weights of the network."
    if changed:
        return result, "your function has switched `inplace` off in the network's ReLUs; leave them as they were."
    return result, None


def back_through_relu(answer: object) -> str | None:
    """05.1: what comes out below one ReLU, by the three rules."""
    shape = ((5, 6), (2, 9))[case()]
    return _back(answer, drawn(*shape, seed=1), drawn(*shape, seed=2))


def _back(answer: object, z: Tensor, g: Tensor) -> str | None:
    z[0, :3] = 0.0  # exactly 0: the ReLU is off there
    active, positive = (z > 0).float(), (g > 0).float()
    right = {"gradient": g * active, "deconvnet": g * positive, "guided": g * active * positive}
    shared = [
        (g, "nothing is stopped; each rule puts some signals to 0."),
        (z.clamp(min=0), "that is the forward pass; the answer is made of g, and z only says where the ReLU was on."),
        (g * (z >= 0), "at z = 0 the ReLU is off; take z > 0, not z ≥ 0."),
        (g * (z >= 0) * positive, "at z = 0 the ReLU is off; take z > 0, not z ≥ 0."),
        (g * (z < 0), "the forward mask is upside down: signals pass where z > 0."),
        (g * (z <= 0), "the forward mask is upside down: signals pass where z > 0."),
        (g.clamp(max=0), "the wrong sign: the negative signals are the ones to stop."),
        (g.clamp(max=0) * active, "the wrong sign: the negative signals are the ones to stop."),
        (g.abs() * active, "do not take |g|: what is negative is stopped, not turned round."),
        (g.abs(), "do not take |g|: what is negative is stopped, not turned round."),
        ((z * g).clamp(min=0), "do not multiply by z; it only opens or closes the way, [z > 0] is 1 or 0."),
        (g * z.clamp(min=0), "do not multiply by z; it only opens or closes the way, [z > 0] is 1 or 0."),
        (active * positive, "that is the mask; multiply it by g."),
    ]
    own = {
        "gradient": [
            (right["deconvnet"], "this is the deconvnet; the gradient asks for the sign of z, not of g."),
            (right["guided"], "this is guided; the gradient lets negative signals through, too."),
        ],
        "deconvnet": [
            (right["gradient"], "this is the gradient; the deconvnet asks for the sign of g, not of z."),
            (right["guided"], "this is guided; the deconvnet forgets what went forward, so z must not count."),
        ],
        "guided": [
            (right["deconvnet"], "you forgot the forward mask: where the ReLU was off, z ≤ 0, nothing passes."),
            (right["gradient"], "you forgot the second mask: negative signals, g < 0, are stopped."),
        ],
    }
    for rule, value in right.items():
        hint = compare(call(answer, z.clone(), g.clone(), rule), value, own[rule] + shared)
        if hint:
            return f"{rule}: {hint}"
    return None


def before_relu(answer: object) -> str | None:
    """05.2: what a convolution gives before the in-place ReLU that follows it."""
    model, image = _small(seed=3), _image(31)
    first, _, second, *_ = model.module.children()
    with torch.no_grad():
        below = (image - model.mean) / model.std
        between = F.relu(first(below))
    return _before(answer, model, first, image, below) if case() else _before(answer, model, second, image, between)


def _before(answer: object, model: Model, convolution: nn.Module, image: Tensor, below: Tensor) -> str | None:
    with torch.no_grad():
        right = convolution(below)
    result, trace = _traces(model, answer, model, convolution, image.clone())
    if trace:
        return trace
    if isinstance(result, list | tuple | dict):
        return f"give the tensor itself, not the {type(result).__name__} that holds it."
    mistakes = [
        (
            F.relu(right),
            "the in-place ReLU has overwritten what your hook kept: no negative value is left. Keep output.clone().",
        ),
        ((right > 0).float(), "that is the mask; the values before the ReLU are asked for."),
        (below, "that is the convolution's input; a forward hook gets (module, inputs, output)."),
    ]
    return compare(result, right, mistakes)


def guided(answer: object) -> str | None:
    """05.4: guided backprop of one class on a network with in-place ReLUs."""
    return _guided(answer, _small(seed=6 + 2 * case()), _image(60 + case()))


def _guided(answer: object, model: Model, image: Tensor) -> str | None:
    best = model(image).argmax().item()
    target = model(image).argmin().item()
    before = image.clone()
    try:
        result, trace = _traces(model, answer, model, image, target)
    except RuntimeError as error:
        if "inplace" in str(error) or "in-place" in str(error):
            return (
                "a full backward hook cannot sit on an in-place ReLU; hook the tensor that the ReLU gives instead, "
                "h.register_hook(…)."
            )
        if "does not require grad" in str(error):
            return "torch kept no track of the image: call requires_grad_() on a copy of it before the forward pass."
        raise
    if trace:
        return trace
    if not torch.equal(image.detach(), before) or image.requires_grad:
        return "your function changes the image it was given; start with image.clone()."
    right = _picture(model, image, target, _positive)
    plain = _picture(model, image, target)
    mistakes = [
        (plain, "this is the plain gradient; at each ReLU the negative signals must be stopped."),
        (plain.clamp(min=0), "you rectify only at the end; do it at each ReLU on the way."),
        (right.clamp(min=0), "one rectification too many: the last step is a convolution, so leave its signs alone."),
        (right.abs(), "keep the sign of the picture."),
        (_picture(model, image, target, _positive, masked=False), "you forgot the forward mask: this is a deconvnet."),
        (_picture(model, image, target, _negative), "the wrong sign: stop the negative signals, not the positive."),
        (_picture(model, image, target, torch.abs), "do not take |g|: what is negative is stopped, not turned round."),
        (_picture(model, image, target, _positive, relus=slice(0, 1)), "only the first ReLU follows the rule."),
        (_picture(model, image, target, _positive, relus=slice(1, 2)), "only the last ReLU follows the rule."),
        (_picture(model, image, best, _positive), "this is the most probable class; use the target that is given."),
        (_picture(model, image, None, _positive), "you go back from the sum of all logits; take the target's."),
        (
            _picture(model, image, target, _positive, probability=True),
            "you go back from the probability; leave the softmax out and take the logit.",
        ),
        (image * right, "you multiplied by the image; the signal alone is asked for."),
        (right.abs().amax(1, keepdim=True), "keep the three colours, (1, 3, H, W)."),
    ]
    return compare(_squeeze(result), _squeeze(right), [(_squeeze(value), hint) for value, hint in mistakes])


def agreement(answer: object) -> str | None:
    """05.5: the cosine of two networks' pictures, for the class that the first one saw."""
    trained, changed = ((7, 9), (20, 71))[case()]
    return _agreement(answer, _small(trained), _small(changed), _image(70 + case()))


def _agreement(answer: object, trained: Model, changed: Model, image: Tensor) -> str | None:
    seen, other = (model(image).argmax().item() for model in (trained, changed))
    pictures = {(m, c): _picture(m, image, c, _positive).flatten() for m in (trained, changed) for c in (seen, other)}
    a, b, own = pictures[trained, seen], pictures[changed, seen], pictures[changed, other]
    plain = [_picture(model, image, seen).flatten() for model in (trained, changed)]

    def cosine(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b) / (a.norm() * b.norm())

    result = torch.as_tensor(call(answer, trained, changed, image.clone())).detach()
    mistakes = [
        (
            cosine(a, own),
            "the target changed between the two passes: each network was asked about its own best class. Fix the "
            "class that `trained` saw, and ask both about it.",
        ),
        (cosine(pictures[trained, other], own), "you fixed the class that `changed` saw; take that of `trained`."),
        (cosine(*plain), "this is the cosine of the gradients; take guided backprop."),
        (cosine(plain[0], _picture(changed, image, other).flatten()), "take guided backprop, and fix the class."),
        (cosine(a.abs(), b.abs()), "keep the signs; the cosine of two magnitudes is never below 0."),
        (cosine(a, b).abs(), "keep the sign of the cosine: −1 says that one map is the other, turned round."),
        (a @ b, "that is the dot product; divide by both lengths."),
        ((a - b).norm(), "that is a distance; the cosine is asked for."),
        (1 - cosine(a, b), "that is 1 − cosine."),
        (torch.ones(()), "you compare a network with itself."),
    ]
    if result.ndim and result.numel() > 1:
        return "one number is asked for: flatten both pictures before you take the cosine."
    return compare(result.reshape(()), cosine(a, b), mistakes)


def _squeeze(value: object) -> Tensor:
    value = torch.as_tensor(value).detach()
    return value[0] if value.ndim == 4 else value


JUDGES = {
    "05.1": back_through_relu,
    "05.2": before_relu,
    "05.3": unpool,
    "05.4": guided,
    "05.5": agreement,
    "05.6": best,
    "05.7": linear_shares,
    "05.8": gamma_shares,
}
