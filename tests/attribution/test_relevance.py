"""Relevance against closed forms, against a layer-by-layer loop in float64 and against zennit."""

import pytest
import torch
import torch.nn.functional as F
from nets import CLASSES, MEAN, STD, in_float64, random_images, relative_difference, seeded, small_maps, small_model
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import EpsilonGammaBox
from zennit.torchvision import ResNetCanonizer

import coursekit as ck

IMAGES = random_images(2, dtype=torch.float64)
GAMMA, EPSILON = 0.25, 1e-6


def black_and_white(model: ck.Model) -> tuple[Tensor, Tensor]:
    return (0 - model.mean) / model.std, (1 - model.mean) / model.std


# Closed forms -----------------------------------------------------------------------------------------------------


def one_layer(weight: Tensor, bias: float, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)) -> ck.Model:
    """Logits (w · x + b, 0) of images of two pixels."""
    layer = nn.Linear(6, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.stack([weight, torch.zeros(6)]))
        layer.bias.copy_(torch.tensor([bias, 0.0]))
    return ck.Model(nn.Sequential(nn.Flatten(), layer), mean, std).double()


def test_the_first_layer_shares_by_the_distance_from_the_worst_value_of_each_pixel():
    """For w > 0 the worst is black, for w < 0 white: shares are w x and |w| (1 − x), whatever the bias is."""
    x = torch.tensor([[0.5, 0.25], [1.0, 0.5], [0.0, 0.75]], dtype=torch.float64).view(1, 3, 1, 2)
    model = one_layer(torch.tensor([2.0, -4.0, 1.0, 0.0, 3.0, -4.0]), bias=4.0)
    logit = 1.0 - 1.0 + 1.0 + 0.0 + 0.0 - 3.0 + 4.0
    shares = torch.tensor([1.0, 3.0, 1.0, 0.0, 0.0, 1.0], dtype=torch.float64) * logit / 6
    assert torch.allclose(ck.relevance(model, x, 0).flatten(), shares, atol=1e-6)


def test_normalisation_moves_black_and_white_and_changes_no_share_of_a_pixel():
    weight, x = torch.tensor([2.0, -4.0, 1.0, 0.0, 3.0, -4.0]), random_images(1, dtype=torch.float64)[:, :, :1, :2]
    mean, std = (0.4, 0.5, 0.6), (0.5, 0.25, 0.5)
    scale = torch.tensor(std).repeat_interleave(2)
    model, plain = one_layer(weight * scale, 5.0, mean, std), one_layer(weight, 5.0)
    ours, theirs = ck.relevance(model, x, 0), ck.relevance(plain, x, 0)
    assert torch.allclose(ours / ours.sum(), theirs / theirs.sum(), atol=1e-6)


def test_max_pooling_gives_all_to_the_winner_and_mean_pooling_shares_in_proportion():
    x = torch.tensor([[0.2, 0.6], [0.1, 0.3]], dtype=torch.float64).expand(1, 3, 2, 2)
    for pool, shares in ((nn.MaxPool2d(2), [0, 1, 0, 0]), (nn.AvgPool2d(2), [1 / 6, 1 / 2, 1 / 12, 1 / 4])):
        conv, fc = nn.Conv2d(3, 1, 1, bias=False), nn.Linear(1, 2, bias=False)
        nn.init.constant_(conv.weight, 1.0)
        nn.init.constant_(fc.weight, 2.0)
        model = ck.Model(nn.Sequential(conv, nn.ReLU(), pool, nn.Flatten(), fc)).double()
        found = ck.relevance(model, x, 0)
        total = model(x)[0, 0]
        assert torch.allclose(found.sum(1).flatten(), total * torch.tensor(shares, dtype=torch.float64), atol=1e-5)


def test_a_sum_shares_in_proportion():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 1, 1, bias=False), nn.Conv2d(3, 1, 1, bias=False)
            with torch.no_grad():
                self.a.weight.copy_(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))
                self.b.weight.copy_(torch.tensor([0.0, 3.0, 0.0]).view(1, 3, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            y = self.a(x)
            y += self.b(x)
            return torch.cat([y, y], 1).flatten(1)

    x = torch.tensor([0.6, 0.1, 0.9], dtype=torch.float64).view(1, 3, 1, 1)
    found = ck.relevance(ck.Model(Twice()).double(), x, 0).flatten()
    assert torch.allclose(found, torch.tensor([0.6, 0.3, 0.0], dtype=torch.float64), atol=1e-5)


# A loop, layer by layer -------------------------------------------------------------------------------------------


def falling(values: Tensor) -> Tensor:
    return -torch.relu(-values)


def steady(z: Tensor, epsilon: float = 1e-6) -> Tensor:
    return z + epsilon * torch.where(z >= 0, 1.0, -1.0)


def dense(layer, x: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (outputs, inputs) and biases (outputs,) of a linear layer for an input of this shape."""
    zero = torch.zeros_like(x)
    return jacobian(lambda v: layer(v).flatten(), zero).reshape(-1, x.numel()), layer(zero).flatten().detach()


def back(layer, x: Tensor, share: Tensor, rule: str, box=None) -> tuple[Tensor, Tensor]:
    """Share `share` among the inputs x, output by output, and return what the biases and ε took as well."""
    weight, bias = dense(layer, x)
    a, received, taken = x.flatten(), torch.zeros(x.numel(), dtype=x.dtype), 0.0
    for w, b, r in zip(weight, bias, share.flatten(), strict=True):
        if rule == "box":
            low, high = (edge.expand_as(x).flatten() * (w != 0) for edge in box)
            parts, b = a * w - low * w.clamp(min=0) - high * w.clamp(max=0), 0.0
        elif rule == "gamma":
            agrees, other = (torch.relu, falling) if w @ a + b > 0 else (falling, torch.relu)
            parts, b = a * (w + GAMMA * torch.where(a > 0, agrees(w), other(w))), b + GAMMA * agrees(b)
        else:
            parts = a * w
        z = steady(parts.sum() + b)
        received += parts / z * r
        taken += (z - parts.sum()) / z * r
    return received.view_as(x).detach(), float(taken)


def pooled_back(x: Tensor, share: Tensor) -> Tensor:
    """Give the share of each window (3 × 3, stride 2, one pixel of padding) to its maximum."""
    received = torch.zeros_like(x)
    for k in range(x.shape[0]):
        for row in range(share.shape[1]):
            for column in range(share.shape[2]):
                rows = range(max(0, 2 * row - 1), min(x.shape[1], 2 * row + 2))
                columns = range(max(0, 2 * column - 1), min(x.shape[2], 2 * column + 2))
                best = max(((r, c) for r in rows for c in columns), key=lambda at: x[k][at])
                received[k][best] += share[k, row, column]
    return received


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d):
    return lambda v: norm(conv(v[None]))[0]


def single(layer):
    return lambda v: layer(v[None])[0]


def looped(model: ck.Model, image: Tensor, target: int) -> tuple[Tensor, float]:
    """Relevance of SmallNet, and how much of the logit biases and ε took."""
    net, maps = model.module, {name: value[0].detach() for name, value in small_maps(model, image).items()}
    x = ((image - model.mean) / model.std)[0]
    share = torch.zeros(CLASSES, dtype=x.dtype)
    share[target] = maps["fc"][target]
    share, fc = back(net.fc, maps["avgpool"].flatten(), share, "epsilon")
    share, mean = back(lambda v: v.mean((1, 2)), maps["relu6"], share, "epsilon")
    share, conv3 = back(single(net.conv3), maps["relu#2"], share, "gamma")
    share, conv2 = back(single(net.conv2), maps["pool"], share, "gamma")
    share = pooled_back(maps["relu#1"], share)
    share, conv1 = back(folded(net.conv1, net.bn1), x, share, "box", tuple(e[0] for e in black_and_white(model)))
    return share, fc + mean + conv3 + conv2 + conv1


@pytest.mark.parametrize("inplace", [False, True])
def test_relevance_by_hand_and_what_biases_take(inplace):
    """Σ R = logit − what biases and ε take, to the last digits."""
    by_hand, model, targets = small_model().double(), small_model(inplace).double(), [4, 2]
    ours = ck.relevance(model, IMAGES, targets)
    logits = model(IMAGES).detach()
    for i, c in enumerate(targets):
        theirs, taken = looped(by_hand, IMAGES[i : i + 1], c)
        assert relative_difference(ours[i], theirs) < 1e-9
        assert float(ours[i].sum() + taken) == pytest.approx(float(logits[i, c]), rel=1e-9)
        assert abs(taken) > 0.01 * abs(float(logits[i, c])), "biases take something here"


class Bottleneck(nn.Module):
    """As in EfficientNet: a block ends without a ReLU, so that its outputs have both signs, and adds its input."""

    def __init__(self):
        super().__init__()
        self.stem, self.wide, self.depth, self.narrow = (
            nn.Conv2d(3, 4, 3, padding=1),
            nn.Conv2d(4, 8, 1),
            nn.Conv2d(8, 8, 3, padding=1, groups=8),
            nn.Conv2d(8, 4, 1),
        )
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.narrow(F.relu6(self.depth(F.relu6(self.wide(x))))) + x
        return self.fc(x.mean((2, 3)))


def test_signed_inputs_depthwise_convolutions_and_shortcuts_by_hand():
    model = ck.Model(seeded(Bottleneck()), MEAN, STD).double()
    net, image = model.module, IMAGES[:1, :, :6, :6]
    x = ((image - model.mean) / model.std)[0]
    stem = single(net.stem)(x).detach()
    wide = F.relu6(single(net.wide)(stem)).detach()
    depth = F.relu6(single(net.depth)(wide)).detach()
    narrow = single(net.narrow)(depth).detach()
    total = stem + narrow
    assert (stem < 0).any() and (stem > 0).any() and (narrow < 0).any()
    share = torch.zeros(CLASSES, dtype=x.dtype)
    share[3] = net.fc(total.mean((1, 2)))[3].detach()
    start, taken = float(share[3]), 0.0
    share, part = back(net.fc, total.mean((1, 2)), share, "epsilon")
    taken += part
    share, part = back(lambda v: v.mean((1, 2)), total, share, "epsilon")
    taken += part
    through = narrow * share / steady(total)
    around = stem * share / steady(total)
    taken += float((share - through - around).sum())
    for layer, value in ((net.narrow, depth), (net.depth, wide), (net.wide, stem)):
        through, part = back(single(layer), value, through, "gamma")
        taken += part
    share, part = back(single(net.stem), x, through + around, "box", tuple(e[0] for e in black_and_white(model)))
    ours = ck.relevance(model, image, 3)
    assert relative_difference(ours[0], share) < 1e-9
    assert float(ours.sum() + taken + part) == pytest.approx(start, rel=1e-9)


# Conservation -----------------------------------------------------------------------------------------------------


def without_biases(model: ck.Model) -> ck.Model:
    with torch.no_grad():
        for part in model.modules():
            for name in ("bias", "running_mean"):
                if getattr(part, name, None) is not None:
                    getattr(part, name).zero_()
    return model


@pytest.mark.parametrize("name", ["coursenet", "efficientnet_lite0"])
def test_without_biases_relevance_adds_up_to_the_logit(name):
    model = without_biases(ck.load_model(name)).double()
    image = ck.load_image("chelsea", size=128).double()
    logit = float(model(image)[0, 285])
    assert abs(logit) > 0.001
    assert float(ck.relevance(model, image, 285).sum()) == pytest.approx(logit, rel=1e-3)


# Against zennit ---------------------------------------------------------------------------------------------------


def zennit(model: ck.Model, images: Tensor, target: int, canonizers: list) -> Tensor:
    low, high = black_and_white(model)
    x = ((images - model.mean) / model.std).detach().requires_grad_()
    composite = EpsilonGammaBox(low.expand_as(x[:1]), high.expand_as(x[:1]), EPSILON, GAMMA, canonizers=canonizers)
    with composite.context(model.module) as network:
        logits = network(x)
        start = torch.zeros_like(logits)
        start[:, target] = logits.detach()[:, target]
        (found,) = torch.autograd.grad(logits, x, start)
    return found


def test_coursenet_equals_zennit():
    model, images = ck.load_model("coursenet"), ck.load_image("chelsea", size=128)
    assert relative_difference(ck.relevance(model, images, 285), zennit(model, images, 285, [])) < 1e-5


def with_batch_norm() -> ck.Model:
    layers = [nn.Conv2d(3, 6, 3, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(6, 8, 3)]
    layers += [nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(8 * 11 * 11, 10), nn.ReLU()]
    return ck.Model(seeded(nn.Sequential(*layers, nn.Linear(10, CLASSES))), MEAN, STD)


NETWORKS = {
    "BatchNorm": (with_batch_norm, SequentialMergeBatchNorm),
    "ResNet-18": (lambda: ck.random_model("resnet18"), ResNetCanonizer),
}


@pytest.mark.parametrize("make, canonizer", NETWORKS.values(), ids=NETWORKS)
def test_networks_with_batch_norm_and_shortcuts_equal_zennit(make, canonizer):
    """zennit leaves ε of a BatchNorm in place after folding it, a relative error of 5e-6 each; so ε is 0 here."""
    images = ck.load_image("chelsea", size=64).double()
    with in_float64(make()) as model:
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eps = 0.0
        ours = ck.relevance(model, images, 3)
        assert ours.abs().sum() > 0
        assert relative_difference(ours, zennit(model, images, 3, [canonizer()])) < 1e-9


# What it is for ---------------------------------------------------------------------------------------------------


def test_on_coursenet_it_lies_on_the_object_and_depends_on_the_class():
    """More energy on the object than the gradient has, and another class has another map (guided backprop: > .8)."""
    model = ck.load_model("coursenet")
    scenes = ck.scenes(24, objects=list(ck.cutouts("core"))[1:73:3], seed=6, size=128)
    found = ck.relevance(model, scenes.images, scenes.targets)
    gradient = ck.input_gradient(model, scenes.images, scenes.targets)
    energy = ck.mask_energy(found.sum(1, keepdim=True), scenes.masks).mean()
    assert energy > 0.55 and energy > ck.mask_energy(gradient, scenes.masks).mean() + 0.15
    other = ck.relevance(model, scenes.images, (scenes.targets + 137) % 1000)
    assert F.cosine_similarity(found.flatten(1), other.flatten(1)).mean() < 0.3


def test_epsilon_leaves_less_relevance_and_gamma_less_that_is_negative():
    model, images = ck.load_model("coursenet"), ck.load_image("chelsea", size=128)
    amounts = [float(ck.relevance(model, images, 285, epsilon=e).sum()) for e in (0, 0.25, 1.0)]
    assert amounts == sorted(amounts, reverse=True) and amounts[0] > 1.2 * amounts[-1] > 0
    found = [ck.relevance(model, images, 285, gamma=g).sum(1) for g in (0, 0.25, 1.0)]
    negative = [float(-r.clamp(max=0).sum() / r.abs().sum()) for r in found]
    assert negative == sorted(negative, reverse=True) and negative[0] > 2 * negative[-1]


# Targets ----------------------------------------------------------------------------------------------------------


def test_a_difference_of_classes_and_units_and_one_logit():
    model = small_model().double()
    both = ck.relevance(model, IMAGES, lambda logits: logits[:, 0] - logits[:, 1])
    assert relative_difference(both, ck.relevance(model, IMAGES, 0) - ck.relevance(model, IMAGES, 1)) < 1e-9
    found = ck.relevance(model, IMAGES, ck.unit("conv1", 2, (3, 3)))
    assert found.abs().sum((0, 1))[3, 3] > 0 and (found[:, :, 5:] == 0).all(), "only what the unit sees"
    value = ck.activations(model, IMAGES, ["conv1"], reduce="maps")["conv1"][:, 2, 3, 3]
    assert torch.allclose(found.sum((1, 2, 3)), value, atol=1e-5), "z^B has no bias"
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1, bias=False)]
    one = ck.Model(seeded(nn.Sequential(*layers))).double()
    one.module[0].bias.data.zero_()
    assert torch.allclose(ck.relevance(one, IMAGES, 1).sum((1, 2, 3)), one(IMAGES)[:, 1], rtol=1e-3)


# What is refused --------------------------------------------------------------------------------------------------


class Gate(nn.Module):
    def __init__(self, before: nn.Module, gate):
        super().__init__()
        self.conv, self.before, self.gate, self.fc = nn.Conv2d(3, 4, 3), before, gate, nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.gate(self.before(self.conv(x))).mean((2, 3)))


REFUSED = {
    "silu": (nn.SiLU(), lambda x: x, "has silu"),
    "leaky relu": (nn.LeakyReLU(), lambda x: x, "has leaky_relu"),
    "a product": (nn.ReLU(), lambda x: x * x.mean((2, 3), keepdim=True), "has mul"),
    "relu by arithmetic": (nn.Identity(), lambda x: x * (x > 0), "has mul"),
    "hard tanh": (nn.Hardtanh(), lambda x: x, "an activation that does not begin at 0"),
    "batchnorm after the relu": (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(4)), lambda x: x, "a BatchNorm that follows"),
    "batchnorm after an in-place relu": (
        nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm2d(4)),
        lambda x: x,
        "a BatchNorm that follows",
    ),
    "a constant is added": (nn.ReLU(), lambda x: x + 1, "a sum of other than two maps"),
}


def overwritten(x: Tensor) -> Tensor:
    x[:, 0] = x[:, 1]
    return x


AT_ONCE = {  # values that go on without the call's result, or results of several parts
    "a product in place": (lambda x: (x.mul_(2), x)[1], "has mul"),
    "a channel is overwritten": (overwritten, "has setitem"),
    "a sum in place": (lambda x: (x.add_(1), x)[1], "a sum of other than two maps"),
    "a clamp in place": (lambda x: (x.clamp_(-1, 1), x)[1], "an activation that does not begin at 0"),
    "a maximum with its place": (lambda x: x.max(3, keepdim=True).values, "has max"),
}


@pytest.mark.parametrize("gate, words", AT_ONCE.values(), ids=AT_ONCE)
def test_what_would_go_on_unseen_is_refused_too(gate, words):
    model = ck.Model(seeded(Gate(nn.ReLU(), gate)))
    with pytest.raises(ck.UnsupportedNetwork, match=f"{words}.*; take a network of convolutions"):
        ck.relevance(model, random_images(), 1)


@pytest.mark.parametrize("before, gate, words", REFUSED.values(), ids=REFUSED)
def test_what_has_no_rule_is_refused_in_a_clear_sentence_and_layers_before_it_are_explained(before, gate, words):
    model = ck.Model(seeded(Gate(before, gate)))
    with pytest.raises(ck.UnsupportedNetwork, match=f"{words}.*; take a network of convolutions"):
        ck.relevance(model, random_images(), 1)
    assert ck.relevance(model, random_images(), ck.unit("conv", 1)).abs().sum() > 0


def test_networks_that_do_not_read_pixels_by_a_layer_and_bad_options_are_refused():
    model = ck.Model(nn.Sequential(nn.ReLU(), nn.Flatten()))
    with pytest.raises(ck.UnsupportedNetwork, match="no convolution or linear layer that reads the pixels"):
        ck.relevance(model, random_images(), 1)
    for options in ({"gamma": -1}, {"epsilon": float("nan")}, {"gamma": "all"}):
        with pytest.raises(ck.OptionError, match=f"{next(iter(options))} must be a number of at least 0"):
            ck.relevance(small_model(), random_images(), 1, **options)
    for name in ("densenet121", "efficientnet_b0", "vit_b_16"):
        with pytest.raises(ck.UnsupportedNetwork, match="no relevance can be shared"):
            ck.relevance(ck.random_model(name), ck.load_image("chelsea", size=224), 1)
