"""Answers to the exercises of lab 05: right ones, and each likely mistake under words of its hint."""

import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck

# --- right answers --------------------------------------------------------------------------------------------------


def back(z, g, rule):
    masks = {"gradient": z > 0, "deconvnet": g > 0, "guided": (z > 0) & (g > 0)}
    return g * masks[rule]


def back_by_relu_rule(z, g, rule):
    z = z.requires_grad_()
    with ck.relu_rule(net := nn.ReLU(), rule):
        out = net(z)
    return torch.autograd.grad(out, z, g)[0]


def before_relu(model, convolution, image):
    kept = []
    handle = convolution.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    model(image)
    handle.remove()
    return kept[0]


def before_relu_by_capture(model, convolution, image):
    name = next(name for name, part in model.module.named_children() if part is convolution)
    with ck.capture(model, [name]) as maps:
        model(image)
    return maps[name]


def unpool(signal, places, height, width):
    image = torch.zeros(height * width)
    for place, value in zip(places.flatten().tolist(), signal.flatten(), strict=True):
        image[place] = value
    return image.view(height, width)


def second_wins(signal, places, height, width):
    """What `F.max_unpool2d` may give where two threads write."""
    half = signal.numel() // 2
    order = [*range(half, signal.numel()), *range(half)]
    return unpool(signal.flatten()[order], places.flatten()[order], height, width)


def going_back(step, relus=slice(None), score=lambda logits, target: logits[0, target]):
    """Guided backprop with another `step` at the chosen ReLUs."""

    def answer(model, image, target):
        x = image.clone().requires_grad_()
        h = (x - model.mean) / model.std
        chosen = [part for part in model.module if isinstance(part, nn.ReLU)][relus]
        for part in model.module:
            h = part(h)
            if part in chosen:
                h.register_hook(step)
        return torch.autograd.grad(score(h, target), x)[0]

    return answer


guided = going_back(F.relu)


def guided_below_the_relu(model, image, target):
    """Rectify below the ReLU and not above it: the two masks commute."""
    x = image.clone().requires_grad_()
    h = (x - model.mean) / model.std
    for part in model.module:
        if isinstance(part, nn.ReLU):
            h.register_hook(F.relu)
        h = part(h)
    return torch.autograd.grad(h[0, target], x)[0]


def agreement(trained, changed, image, *, method=ck.guided_backprop, measure=None):
    target = trained(image).argmax(1)
    a, b = method(trained, image, target).flatten(), method(changed, image, target).flatten()
    return measure(a, b) if measure else F.cosine_similarity(a, b, dim=0)


def agreement_by_predict(trained, changed, image):
    """As lab 00 teaches it: the class by its label."""
    target = trained.labels.index(ck.predict(trained, image)[0][0][0])
    a, b = (ck.guided_backprop(network, image, target).flatten() for network in (trained, changed))
    return F.cosine_similarity(a, b, dim=0)


def best(answers, objects, k):
    found = {}
    for i in answers.argsort(descending=True).tolist():
        found.setdefault(objects[i], i)
    return list(found.values())[:k]


def shared(a, w, z, R):
    return a * (w.T @ (R / z))


def shares(a, w, b, R, epsilon, steady=lambda z, epsilon: z + epsilon * z.sign()):
    return shared(a, w, steady(w @ a + b, epsilon), R)


def shares_by_gradient(a, w, b, R, epsilon):
    a = a.requires_grad_()
    z = F.linear(a, w, b)
    (slope,) = torch.autograd.grad(z, a, (R / (z + epsilon * z.sign())).detach())
    return a * slope


def gamma_shares(a, w, b, R, gamma):
    stronger = w + gamma * w.clamp(min=0)
    return shared(a, stronger, stronger @ a + b + gamma * b.clamp(min=0), R)


def gamma_shares_by_loops(a, w, b, R, gamma):
    received = torch.zeros_like(a)
    for j in range(len(R)):
        parts = [a[i] * (w[j, i] + gamma * max(w[j, i], 0)) for i in range(len(a))]
        total = sum(parts) + b[j] + gamma * max(b[j], 0)
        for i in range(len(a)):
            received[i] += parts[i] / total * R[j]
    return received


RIGHT = [
    ("05.2", lambda *arguments: before_relu(*arguments)[0]),
    ("05.1", back),
    ("05.1", back_by_relu_rule),
    ("05.2", before_relu),
    ("05.2", before_relu_by_capture),
    ("05.3", unpool),
    ("05.4", guided),
    ("05.4", guided_below_the_relu),
    ("05.4", ck.guided_backprop),
    ("05.5", agreement),
    ("05.5", lambda *arguments: agreement(*arguments).item()),
    ("05.5", agreement_by_predict),
    ("05.6", best),
    ("05.6", lambda *arguments: torch.tensor(best(*arguments))),
    ("05.7", shares),
    ("05.7", shares_by_gradient),
    ("05.8", gamma_shares),
    ("05.8", gamma_shares_by_loops),
]


# --- each known mistake ---------------------------------------------------------------------------------------------


def only(rule, wrong):
    """Right for two of the rules, and `wrong(z, g)` for the third."""
    return lambda z, g, asked: wrong(z, g) if asked == rule else back(z, g, asked)


BACK = {
    "gradient: nothing is stopped": lambda z, g, rule: g,
    "guided: you forgot the forward mask": only("guided", lambda z, g: g * (g > 0)),
    "guided: you forgot the second mask": only("guided", lambda z, g: g * (z > 0)),
    "gradient: this is the deconvnet": only("gradient", lambda z, g: g * (g > 0)),
    "gradient: this is guided": only("gradient", lambda z, g: g * (g > 0) * (z > 0)),
    "deconvnet: this is the gradient": only("deconvnet", lambda z, g: g * (z > 0)),
    "deconvnet: this is guided": only("deconvnet", lambda z, g: g * (g > 0) * (z > 0)),
    "deconvnet: the wrong sign": only("deconvnet", lambda z, g: g * (g < 0)),
    "guided: the wrong sign": only("guided", lambda z, g: g * (g < 0) * (z > 0)),
    "gradient: at z = 0 the ReLU is off": only("gradient", lambda z, g: g * (z >= 0)),
    "guided: at z = 0 the ReLU is off": only("guided", lambda z, g: g * (z >= 0) * (g > 0)),
    "gradient: the forward mask is upside down": only("gradient", lambda z, g: g * (z < 0)),
    "gradient: that is the forward pass": lambda z, g, rule: z.clamp(min=0),
    "deconvnet: do not take |g|": only("deconvnet", lambda z, g: g.abs()),
    "guided: do not multiply by z": only("guided", lambda z, g: (z * g).clamp(min=0)),
    "gradient: do not multiply by z": only("gradient", lambda z, g: g * z.clamp(min=0)),
    "guided: that is the mask": only("guided", lambda z, g: (z > 0) & (g > 0)),
}


def hooked_before_in_place_relu(model, convolution, image):
    kept = []
    handle = convolution.register_forward_hook(lambda module, inputs, output: kept.append(output))
    model(image)
    handle.remove()
    return kept[0]


def detached_but_not_cloned(model, convolution, image):
    return hooked_before_in_place_relu(model, convolution, image).detach()


def leaves_its_hook(model, convolution, image):
    kept = []
    convolution.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    model(image)
    return kept[0]


def zeroes_the_weights(model, convolution, image):
    right = before_relu(model, convolution, image)
    convolution.weight.data.zero_()
    return right


def switches_in_place_off(model, convolution, image):
    for part in model.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return hooked_before_in_place_relu(model, convolution, image)


def keeps_the_input(model, convolution, image):
    kept = []
    handle = convolution.register_forward_hook(lambda module, inputs, output: kept.append(inputs[0].clone()))
    model(image)
    handle.remove()
    return kept[0]


BEFORE = {
    "the in-place ReLU has overwritten": hooked_before_in_place_relu,
    "Keep output.clone()": detached_but_not_cloned,
    "your hook is still in the network": leaves_its_hook,
    "changes the weights": zeroes_the_weights,
    "switched `inplace` off": switches_in_place_off,
    "that is the convolution's input": keeps_the_input,
    "that is the mask": lambda *arguments: before_relu(*arguments) > 0,
    "what your hook kept": lambda *arguments: hooked_before_in_place_relu(*arguments)[0],
    "not the list": lambda *arguments: [before_relu(*arguments)],
}


def add_duplicates(signal, places, height, width):
    return torch.zeros(height * width).index_add(0, places.flatten(), signal.flatten()).view(height, width)


def first_wins(signal, places, height, width):
    return unpool(signal.flip(0, 1), places.flip(0, 1), height, width)


def at_offset(offset):
    def answer(signal, places, height, width):
        image = torch.zeros(height, width)
        image[offset : height - 1 : 2, offset : width - 1 : 2] = signal
        return image

    return answer


UNPOOL = {
    "add up here, as in autograd": add_duplicates,
    "the first window wins": first_wins,
    "leaves that to chance": second_wins,
    "where the maxima were": lambda s, p, h, w: unpool(torch.ones_like(s), p, h, w),
    "rows and columns are swapped: place": lambda *arguments: unpool(*arguments).T,
    "rows and columns are swapped, and windows": lambda *arguments: add_duplicates(*arguments).T,
    "corners of the windows": at_offset(0),
    "middles of the windows": at_offset(1),
    "height and width are swapped": lambda s, p, h, w: unpool(s, p, h, w).reshape(w, h),
    "reshape the answer": lambda *arguments: unpool(*arguments).flatten(),
    "do not rectify here": lambda *arguments: unpool(*arguments).clamp(min=0),
}


def deconvnet(model, image, target):
    return ck.deconvnet(model, image, target)


def best_class(model, image, target):
    return guided(model, image, model(image).argmax().item())


def forgets_requires_grad(model, image, target):
    return torch.autograd.grad(model(image)[0, target], image)[0]


def on_the_given_image(model, image, target):
    right = guided(model, image, target)
    image.requires_grad_()
    return right


def full_backward_hook_on_in_place_relu(model, image, target):
    handles = [
        part.register_full_backward_hook(lambda module, below, above: (below[0].clamp(min=0),))
        for part in model.modules()
        if isinstance(part, nn.ReLU)
    ]
    try:
        x = image.clone().requires_grad_()
        return torch.autograd.grad(model(x)[0, target], x)[0]
    finally:
        for handle in handles:
            handle.remove()


def leaves_hooks(model, image, target):
    model.module[1].register_forward_hook(lambda module, inputs, output: output.register_hook(F.relu) and None)
    return guided(model, image, target)


GUIDED = {
    "this is the plain gradient": going_back(lambda g: g),
    "you rectify only at the end": lambda *arguments: going_back(lambda g: g)(*arguments).clamp(min=0),
    "one rectification too many": lambda *arguments: guided(*arguments).clamp(min=0),
    "keep the sign of the picture": lambda *arguments: guided(*arguments).abs(),
    "you forgot the forward mask": deconvnet,
    "the wrong sign": going_back(lambda g: g.clamp(max=0)),
    "do not take |g|": going_back(torch.abs),
    "only the first ReLU": going_back(F.relu, slice(0, 1)),
    "only the last ReLU": going_back(F.relu, slice(1, 2)),
    "use the target that is given": best_class,
    "sum of all logits": going_back(F.relu, score=lambda logits, target: logits.sum()),
    "leave the softmax out": going_back(F.relu, score=lambda logits, target: logits.softmax(1)[0, target]),
    "you multiplied by the image": lambda m, x, t: x * guided(m, x, t),
    "keep the three colours": lambda m, x, t: guided(m, x, t).abs().amax(1, keepdim=True),
    "requires_grad_": forgets_requires_grad,
    "changes the image": on_the_given_image,
    "cannot sit on an in-place ReLU": full_backward_hook_on_in_place_relu,
    "your hook is still in the network": leaves_hooks,
}


def own_targets(trained, changed, image):
    a, b = (ck.guided_backprop(model, image).flatten() for model in (trained, changed))
    return F.cosine_similarity(a, b, dim=0)


AGREEMENT = {
    "the target changed between the two passes": own_targets,
    "take that of `trained`": lambda trained, changed, image: agreement(changed, trained, image),
    "this is the cosine of the gradients": lambda *arguments: agreement(*arguments, method=ck.input_gradient),
    "keep the signs": lambda *arguments: agreement(*arguments, method=lambda *asked: ck.guided_backprop(*asked).abs()),
    "keep the sign of the cosine": lambda *arguments: agreement(*arguments).abs(),
    "that is the dot product": lambda *arguments: agreement(*arguments, measure=torch.dot),
    "that is a distance": lambda *arguments: agreement(*arguments, measure=lambda a, b: (a - b).norm()),
    "that is 1 − cosine": lambda *arguments: 1 - agreement(*arguments),
    "compare a network with itself": lambda trained, changed, image: agreement(trained, trained, image),
    "flatten both pictures": lambda *arguments: agreement(*arguments, measure=lambda a, b: a * b),
}

BEST = {
    "an object comes twice": lambda answers, objects, k: answers.topk(k).indices,
    "fewer than k are left": lambda answers, objects, k: [
        i for i in answers.topk(k).indices.tolist() if i in best(answers, objects, len(objects))
    ],
    "stop after k": lambda answers, objects, k: best(answers, objects, len(objects)),
    "that is the weakest first": lambda answers, objects, k: best(answers, objects, len(objects))[::-1][:k],
    "strongest first": lambda *arguments: sorted(best(*arguments)),
    "not the first": lambda answers, objects, k: sorted(
        {name: objects.index(name) for name in objects}.values(), key=lambda i: -answers[i]
    )[:k],
    "those are the answers": lambda answers, objects, k: answers[best(answers, objects, k)],
    "those are the objects": lambda answers, objects, k: [objects[i] for i in best(answers, objects, k)],
}

SHARES = {
    "ε is missing": lambda *arguments: shares(*arguments, steady=lambda z, epsilon: z),
    "add ε with the sign": lambda *arguments: shares(*arguments, steady=lambda z, epsilon: z + epsilon),
    "the bias belongs to z": lambda a, w, b, R, epsilon: shares(a, w, 0, R, epsilon),
    "without the bias, and without ε": lambda a, w, b, R, epsilon: shares(a, w, 0, R, 0),
    "multiply by the input": lambda a, w, b, R, epsilon: shares(a, w, b, R, epsilon) / a,
    "divide by z, so that": lambda a, w, b, R, epsilon: a * (w.T @ R),
    "keep the signs": lambda a, w, b, R, epsilon: a.abs() * (w.abs().T @ (R / ((z := w @ a + b) + epsilon * z.sign()))),
    "add up what each input gets": lambda a, w, b, R, epsilon: (
        a * (w * (R / ((z := w @ a + b) + epsilon * z.sign()))[:, None])
    ),
}


def with_gamma(change, bias=None):
    """The γ-rule with other weights, and perhaps with another bias."""
    return lambda a, w, b, R, gamma: shares(a, change(w, gamma), (bias or change)(b, gamma), R, 0)


def rule(w, gamma):
    return w + gamma * w.clamp(min=0)


GAMMA = {
    "γ does nothing here": with_gamma(lambda w, gamma: w),
    "a factor of all weights cancels": with_gamma(lambda w, gamma: (1 + gamma) * w),
    "the bias follows the same rule": with_gamma(rule, lambda b, gamma: b),
    "divide by z' of the same": lambda a, w, b, R, gamma: a * (rule(w, gamma).T @ (R / (w @ a + b))),
    "the bias is missing": with_gamma(rule, lambda b, gamma: 0 * b),
    "the wrong sign": with_gamma(lambda w, gamma: w + gamma * w.clamp(max=0)),
    "negative weights still count": with_gamma(lambda w, gamma: w.clamp(min=0)),
    "not |w|": with_gamma(lambda w, gamma: w + gamma * w.abs()),
    "multiply by the input": lambda a, *rest: gamma_shares(a, *rest) / a,
}

MISTAKES = {
    "05.1": BACK,
    "05.2": BEFORE,
    "05.3": UNPOOL,
    "05.4": GUIDED,
    "05.5": AGREEMENT,
    "05.6": BEST,
    "05.7": SHARES,
    "05.8": GAMMA,
}


UNKNOWN = [
    ("05.1", lambda z, g, rule: torch.rand(5, 6)),
    ("05.2", lambda model, convolution, image: convolution(torch.rand(1, 6, 4, 4))),
    ("05.3", lambda signal, places, height, width: torch.rand(height, width)),
    ("05.4", lambda model, image, target: torch.rand(1, 3, 6, 6)),
    ("05.5", lambda trained, changed, image: 0.123),
    ("05.5", lambda trained, changed, image: float("nan")),
    ("05.6", lambda answers, objects, k: [len(objects)] * k),
    ("05.7", lambda a, w, b, R, epsilon: torch.rand(len(a))),
    ("05.8", lambda a, w, b, R, gamma: torch.rand(len(a))),
]
