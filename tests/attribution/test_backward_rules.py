"""Backward rules against Jacobians put together by hand in float64, against captum where it is right, and switches."""

import re

import pytest
import torch
import torch.nn.functional as F
from captum import attr
from nets import CLASSES, in_float64, random_images, relative_difference, seeded, small_maps, small_model
from torch import Tensor, nn
from torch.autograd.functional import jacobian

import coursekit as ck
from coursekit.networks.nets.coursenet import coursenet
from coursekit.probe.backward import pool_switches

IMAGES = random_images(2, dtype=torch.float64)
METHODS = {"guided": ck.guided_backprop, "deconvnet": ck.deconvnet, "gradient": ck.input_gradient}


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> bool:
    return ours.shape == theirs.shape and relative_difference(ours, theirs) < tolerance


# The slow way: one Jacobian after the other, the rule written out at each ReLU -------------------------------------


def hooks(model: nn.Module) -> int:
    return sum(len(value) for part in model.modules() for key, value in vars(part).items() if "hooks" in key)


def through_relu(rule: str, x: Tensor, signal: Tensor, high: float = torch.inf) -> Tensor:
    if rule == "deconvnet":
        return torch.where(signal > 0, signal, 0)
    signal = torch.where((x > 0) & (x < high), signal, 0)
    return torch.where(signal > 0, signal, 0) if rule == "guided" else signal


def through(layer, x: Tensor, signal: Tensor) -> Tensor:
    """The signal times the whole Jacobian of a layer at one image x."""
    matrix = jacobian(lambda v: layer(v[None])[0], x)
    return torch.tensordot(signal, matrix, dims=signal.ndim)


def unpool(x: Tensor, signal: Tensor, kernel: int, stride: int, padding: int, adding: bool) -> Tensor:
    """Hand each window's signal to the place of its first maximum, window by window, in plain Python."""
    result = torch.zeros_like(x)
    height, width = x.shape[1:]
    for k in range(len(x)):
        for i in range(signal.shape[1]):
            for j in range(signal.shape[2]):
                rows = [r for r in range(i * stride - padding, i * stride - padding + kernel) if 0 <= r < height]
                columns = [c for c in range(j * stride - padding, j * stride - padding + kernel) if 0 <= c < width]
                place = max(((r, c) for r in rows for c in columns), key=lambda place: x[k][place])
                result[k][place] = signal[k, i, j] + (result[k][place] if adding else 0)
    return result


def by_hand(model: ck.Model, image: Tensor, target, rule: str, adding: bool) -> Tensor:
    """Any rule on SmallNet for one image (3, H, W), from a class or from a unit (layer, channel, place)."""
    maps, net = {name: m[0].detach() for name, m in small_maps(model, image[None]).items()}, model.module
    x = ((image[None] - model.mean) / model.std)[0]
    steps = [  # in the order of the forward pass: name, input, how to get back
        ("conv1", x, lambda x, s: through(net.conv1, x, s)),
        ("bn1", maps["conv1"], lambda x, s: through(net.bn1, x, s)),
        ("relu#1", maps["bn1"], lambda x, s: through_relu(rule, x, s)),
        ("pool", maps["relu#1"], lambda x, s: unpool(x, s, 3, 2, 1, adding)),
        ("conv2", maps["pool"], lambda x, s: through(net.conv2, x, s)),
        ("relu#2", maps["conv2"], lambda x, s: through_relu(rule, x, s)),
        ("conv3", maps["relu#2"], lambda x, s: through(net.conv3, x, s)),
        ("relu6", maps["conv3"], lambda x, s: through_relu(rule, x, s, high=6)),
        ("fc", maps["relu6"], lambda x, s: through(lambda v: net.fc(v.mean((2, 3))), x, s)),
    ]
    layer, channel, place = target if isinstance(target, tuple) else ("fc", target, ())
    names = [name for name, _, _ in steps]
    signal = torch.zeros_like(maps[layer])
    signal[(channel, *place)] = 1
    for _, x, back in reversed(steps[: names.index(layer) + 1]):
        signal = back(x, signal)
    return signal / model.std[0]


def model_with_saturation() -> ck.Model:
    model = small_model().double()
    model.module.conv3.weight.data *= 6  # so that ReLU6 reaches 6
    return model


@pytest.mark.parametrize("target", [0, 3, ("conv3", 1, (2, 2)), ("conv2", 3, (5, 0)), ("pool", 2, (5, 5))], ids=str)
@pytest.mark.parametrize("rule", METHODS)
def test_rules_equal_the_product_of_jacobians_with_the_rule_at_each_relu(rule, target):
    model = model_with_saturation()
    maps = small_maps(model, IMAGES)
    assert (maps["conv3"] > 6).any() and (maps["conv3"] < 0).any() and ((maps["relu6"] > 0) & (maps["relu6"] < 6)).any()
    options = {"pooling": "switches"} if rule == "deconvnet" else {}
    ours = METHODS[rule](model, IMAGES, ck.unit(*target) if isinstance(target, tuple) else target, **options)
    for i, image in enumerate(IMAGES):
        expected = by_hand(model, image, target, rule, adding=rule != "deconvnet")
        assert expected.abs().max() > 0 and close(ours[i], expected)


def test_the_deconvnet_can_also_add_where_pooling_windows_overlap():
    model = model_with_saturation()
    ours = ck.deconvnet(model, IMAGES, 2, pooling="autograd")
    for i, image in enumerate(IMAGES):
        assert close(ours[i], by_hand(model, image, 2, "deconvnet", adding=True))
    assert not close(ours, ck.deconvnet(model, IMAGES, 2), 0.01)


def test_the_three_rules_differ():
    model = small_model()
    maps = [method(model, random_images(), 2) for method in METHODS.values()]
    assert all(relative_difference(a, b) > 0.05 for a in maps for b in maps if a is not b)


# One ReLU ---------------------------------------------------------------------------------------------------------

INPUT = torch.tensor([[1.0, -1, 5], [2, -5, -7], [-3, 2, 4]])  # the numbers of Springenberg et al., fig. 1 b
SIGNAL = torch.tensor([[-2.0, 3, -1], [6, -3, 1], [2, -1, 3]])
RETURNED = {
    "gradient": [[-2.0, 0, -1], [6, 0, 0], [0, -1, 3]],
    "deconvnet": [[0.0, 3, 0], [6, 0, 1], [2, 0, 3]],
    "guided": [[0.0, 0, 0], [6, 0, 0], [0, 0, 3]],
}

FORMS = {  # every way to write a ReLU
    "nn.ReLU": lambda x: nn.ReLU()(x),
    "nn.ReLU in place": lambda x: nn.ReLU(inplace=True)(x),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x, inplace=True),
    "F.relu in place by position": lambda x: F.relu(x, True),
    "F.relu of a named input": lambda x: F.relu(input=x),
    "F.relu_": F.relu_,
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "x.relu": lambda x: x.relu(),
    "x.relu_": lambda x: x.relu_(),
    "x.clamp": lambda x: x.clamp(min=0),
    "x.clamp by position": lambda x: x.clamp(0),
    "x.clamp_": lambda x: x.clamp_(min=0),
    "torch.clamp": lambda x: torch.clamp(x, min=0),
    "torch.clamp_min": lambda x: torch.clamp_min(x, 0),
    "x.clip": lambda x: x.clip(0),
    "F.threshold": lambda x: F.threshold(x, 0, 0),
    "F.hardtanh": lambda x: F.hardtanh(x, 0, 100),
}

FORMS_6 = {
    "nn.ReLU6": lambda x: nn.ReLU6()(x),
    "nn.ReLU6 in place": lambda x: nn.ReLU6(inplace=True)(x),
    "F.relu6": F.relu6,
    "F.relu6 in place": lambda x: F.relu6(x, inplace=True),
    "F.hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0),
    "F.hardtanh_": lambda x: F.hardtanh_(x, 0.0, 6.0),
    "nn.Hardtanh": lambda x: nn.Hardtanh(0, 6)(x),
    "x.clamp": lambda x: x.clamp(0, 6),
    "torch.clamp": lambda x: torch.clamp(x, min=0, max=6),
}


class Wrap(nn.Module):
    """A network that is one function."""

    def __init__(self, function, result_is_used: bool = True):
        super().__init__()
        self.function, self.result_is_used = function, result_is_used

    def forward(self, x: Tensor) -> Tensor:
        x = x * 1.0  # in-place functions may not write into a leaf
        y = self.function(x)
        return y if self.result_is_used else x


def back(net: nn.Module, rule: str, x: Tensor, signal: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    with ck.relu_rule(net, rule):
        y = net(x)
    return y.detach(), torch.autograd.grad(y, x, signal)[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rule", RETURNED)
def test_every_way_to_write_a_relu(rule, form):
    forward, backward = back(Wrap(FORMS[form]), rule, INPUT, SIGNAL)
    assert torch.equal(forward, INPUT.clamp(min=0))
    assert backward.tolist() == RETURNED[rule]
    if "place" in form or form.endswith("_"):
        assert torch.equal(back(Wrap(FORMS[form], result_is_used=False), rule, INPUT, SIGNAL)[1], backward)


@pytest.mark.parametrize("form", FORMS_6)
@pytest.mark.parametrize("rule", RETURNED)
def test_every_way_to_write_a_relu6_whose_upper_bound_counts_except_for_the_deconvnet(rule, form):
    x, signal = torch.tensor([-1.0, 3, 3, 7, 7, -1]), torch.tensor([1.0, 1, -1, 1, -1, -1])
    forward, backward = back(Wrap(FORMS_6[form]), rule, x, signal)
    assert forward.tolist() == [0, 3, 3, 6, 6, 0]
    expected = {"gradient": [0, 1, -1, 0, 0, 0], "deconvnet": [1, 1, 0, 1, 0, 0], "guided": [0, 1, 0, 0, 0, 0]}
    assert backward.tolist() == expected[rule]


def test_the_rule_ends_with_the_block_and_does_not_reach_other_networks():
    net, other = Wrap(F.relu), Wrap(F.relu)
    x = INPUT.clone().requires_grad_()
    with ck.relu_rule(net, "guided"):
        outside = other(x), F.relu(x)
        inside = net(x)
    after = net(x)
    assert torch.autograd.grad(inside, x, SIGNAL)[0].tolist() == RETURNED["guided"]
    for y in (*outside, after):
        assert torch.autograd.grad(y, x, SIGNAL)[0].tolist() == RETURNED["gradient"]


def test_rules_change_no_forward_pass():
    for inplace in (False, True):
        model, images = small_model(inplace), random_images()
        expected = model(images)
        for rule in RETURNED:
            with ck.relu_rule(model, rule), pool_switches():
                assert torch.equal(model(images.clone().requires_grad_()), expected)
                with torch.no_grad():
                    assert torch.equal(model(images), expected)


def test_the_model_is_as_before_after_an_exception():
    model, images = small_model(), random_images().requires_grad_()
    expected, before = ck.input_gradient(model, images, 1), hooks(model)
    for error in (RuntimeError("the fuse blew"), KeyboardInterrupt()):
        model.module.fuse.passes, model.module.fuse.error = 0, error
        with pytest.raises(type(error)), ck.relu_rule(model, "guided"):
            model(images)
        model.module.fuse.passes = None
        assert hooks(model) == before and torch.equal(ck.input_gradient(model, images, 1), expected)
    with pytest.raises(ck.TargetError):
        ck.guided_backprop(model, images, CLASSES)
    assert hooks(model) == before and torch.equal(ck.input_gradient(model, images, 1), expected)


def test_an_unknown_rule():
    with pytest.raises(ck.OptionError, match="'gradient', 'deconvnet' or 'guided', but got 'lrp'"):
        ck.relu_rule(small_model(), "lrp").__enter__()


# Activations without a rule -----------------------------------------------------------------------------------------

OTHERS = [nn.SiLU, nn.GELU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.Hardswish, nn.Mish, nn.Sigmoid, nn.Tanh]
FUNCTIONS = {
    "silu": F.silu,
    "gelu": F.gelu,
    "leaky_relu": F.leaky_relu,
    "leaky_relu in place": lambda x: F.leaky_relu_(x, 0.1),
    "elu": F.elu,
    "hardswish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "tanh": lambda x: x.tanh(),
    "softplus": F.softplus,
    "maximum": lambda x: torch.maximum(x, torch.zeros(1)),
    "max": lambda x: torch.max(x, torch.zeros(1)),
    "hardtanh": F.hardtanh,
    "clamp": lambda x: x.clamp(-1, 1),
    "threshold": lambda x: F.threshold(x, 0.5, 0),
}


def network_with(activation) -> ck.Model:
    act = activation if isinstance(activation, nn.Module) else Wrap(activation)
    block = nn.Sequential()
    block.add_module("conv", nn.Conv2d(3, 4, 3))
    block.add_module("act", act)
    return ck.Model(seeded(nn.Sequential(block, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))))


@pytest.mark.parametrize("method", [ck.guided_backprop, ck.deconvnet, ck.guided_grad_cam])
@pytest.mark.parametrize("kind", OTHERS)
def test_modules_without_a_rule_are_refused_before_any_work(method, kind):
    model = network_with(kind())
    model.module.register_forward_pre_hook(lambda *_: pytest.fail("the network ran"))
    before = hooks(model)
    with pytest.raises(ck.UnsupportedActivation, match=f"Layer '0.act' uses {kind.__name__}, .* ReLU and ReLU6 only"):
        method(model, random_images(), 1)
    assert hooks(model) == before


@pytest.mark.parametrize("method", [ck.guided_backprop, ck.deconvnet])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_without_a_rule_are_refused(method, name):
    model = network_with(FUNCTIONS[name])
    before = hooks(model)
    with pytest.raises(ck.UnsupportedActivation, match=f"Layer '0.act' uses {name.split()[0]}\\b"):
        method(model, random_images(), 1)
    assert hooks(model) == before
    assert ck.input_gradient(model, random_images(), 1).isfinite().all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_network_whose_activations_cannot_be_seen_is_refused():
    net = torch.jit.trace(seeded(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())), random_images())
    with pytest.raises(ck.UnsupportedActivation, match="TorchScript"):
        ck.relu_rule(nn.Sequential(net), "guided").__enter__()


def test_backprop_is_plain_autograd_for_every_activation():
    model, images = network_with(F.silu), random_images().requires_grad_()
    with ck.relu_rule(model, "gradient"):
        score = model(images)[:, 1].sum()
    assert torch.equal(torch.autograd.grad(score, images)[0], ck.input_gradient(model, images, 1))


def test_real_networks_that_have_no_rule():
    with pytest.raises(ck.UnsupportedActivation, match=r"Layer 'features\.0\.2' uses Hardswish"):
        ck.guided_backprop(ck.random_model("mobilenet_v3_small"), random_images(1, 32), 0)


# Switches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 2, 0), (3, 2, 1), (3, 1, 1), (2, 2, 0), (2, 3, 0)], ids=str)
def test_the_last_window_keeps_a_switch_that_several_share(shape):
    x = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0), requires_grad=True)
    with pool_switches():
        y = F.max_pool2d(x, *shape)
    expected, places = F.max_pool2d(x, *shape, return_indices=True)
    signal = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    (ours,) = torch.autograd.grad(y, x, signal)
    (added,) = torch.autograd.grad(expected, x, signal)
    assert torch.equal(y, expected)
    back = torch.zeros_like(x).flatten(2)
    for place, value in zip(places.flatten(2).unbind(2), signal.flatten(2).unbind(2), strict=True):
        back.scatter_(2, place[..., None], value[..., None])  # not max_unpool2d: between threads no window comes last
    assert torch.equal(ours, back.view_as(x))
    kernel, stride, _ = shape
    assert torch.equal(ours, added) == (kernel <= stride), "they differ where windows overlap, and only there"


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, dilation=2), nn.AdaptiveMaxPool2d(4)]
)
def test_switches_of_other_max_poolings(pool):
    x = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    with pool_switches():
        y = pool(x)
    assert torch.equal(y, pool(x))
    (ours,) = torch.autograd.grad(y, x, torch.ones_like(y))
    (added,) = torch.autograd.grad(pool(x), x, torch.ones_like(y))
    assert torch.equal(ours, added.clamp(max=1))


@pytest.mark.parametrize(("name", "same"), [("alexnet", False), ("vgg16", True), ("coursenet", True)])
def test_switches_and_autograd_differ_on_alexnets_overlapping_pools_only(name, same):
    """Random weights: the networks are not trained, but their pools are the real ones."""
    model, images = ck.random_model(name), random_images(1, 64)
    switches = ck.deconvnet(model, images, 0)
    difference = relative_difference(switches, ck.deconvnet(model, images, 0, pooling="autograd"))
    assert (difference < 1e-5) if same else (difference > 0.05)


def test_the_last_window_wins_even_with_nothing_to_say():
    x = torch.tensor([[[[0.0, 0, 1, 0, 0]] * 3]], requires_grad=True)  # two windows share the maximum in the middle
    for signal, expected in (([5.0, 7.0], 7), ([5.0, 0.0], 0)):
        with pool_switches():
            y = F.max_pool2d(x, 3, 2)
        assert torch.autograd.grad(y, x, torch.tensor([[[signal]]]))[0].sum() == expected


def test_bad_pooling():
    with pytest.raises(ck.OptionError, match="'switches' or 'autograd', but got 'mean'"):
        ck.deconvnet(small_model(), random_images(), pooling="mean")


# Targets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [ck.guided_backprop, ck.deconvnet])
def test_the_strongest_activation_of_a_feature_map(method):
    model, images = small_model(), random_images()
    maps = small_maps(model, images)["conv2"][:, 3]
    ours = method(model, images, ck.unit("conv2", 3, position="max"))
    for i in range(2):
        place = divmod(int(maps[i].argmax()), maps.shape[-1])
        assert close(ours[i : i + 1], method(model, images[i : i + 1], ck.unit("conv2", 3, place)), 1e-6)


def test_of_equal_activations_the_first_is_the_strongest():
    x = torch.tensor([[[[1.0, 3.0], [3.0, 0.0]]]], requires_grad=True)
    assert torch.autograd.grad(ck.unit("conv", 0, "max")(x).sum(), x)[0].flatten().tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("method", [ck.guided_backprop, ck.deconvnet])
def test_targets(method):
    model, images = small_model(), random_images()
    assert torch.equal(method(model, images, [3, 0])[0], method(model, images, 3)[0])
    assert torch.equal(method(model, images, lambda logits: logits[:, 3]), method(model, images, 3))
    outside = torch.ones(12, 12, dtype=torch.bool)
    outside[3:6, 8:11] = False
    neuron = method(model, images, ck.unit("conv1", 0, (4, 9)))
    assert (neuron[..., outside] == 0).all() and (neuron[..., ~outside] != 0).all(), "its receptive field, and no more"


# Against captum: right on nets of nn.ReLU modules, each used once and out of place ------------------------------------


@pytest.fixture(scope="module", params=["coursenet", "vgg16", "alexnet"])
def network(request):
    """Random weights; made out of place and without names, which captum needs and we do not."""
    model = ck.random_model(request.param)
    for part in model.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return model


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_rules_equal_captum_on_plain_relu_networks(network):
    images, target = ck.load_image("chelsea", size=64).double(), 285
    with in_float64(network) as model:
        theirs = attr.GuidedBackprop(model).attribute(images.clone().requires_grad_(), target)
        assert close(ck.guided_backprop(model, images, target), theirs, 1e-10)
        theirs = attr.Deconvolution(model).attribute(images.clone().requires_grad_(), target)
        assert close(ck.deconvnet(model, images, target, pooling="autograd"), theirs, 1e-10)


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_captums_guided_backprop_is_the_plain_gradient_on_relu6_and_ours_is_not():
    model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=64)
    gradient = ck.input_gradient(model, image, 285)
    theirs = attr.GuidedBackprop(model).attribute(image.clone().requires_grad_(), 285)
    assert relative_difference(theirs, gradient) < 1e-5
    assert relative_difference(ck.guided_backprop(model, image, 285), gradient) > 0.5


def test_the_course_network_runs_bare():
    model = ck.Model(seeded(coursenet(), seed=1), labels=None)
    for method in (ck.guided_backprop, ck.deconvnet):
        for target in (7, ck.unit("fc6", 5), ck.unit("conv5", 9, "max")):
            found = method(model, random_images(1, 128), target)
            assert found.shape == (1, 3, 128, 128) and found.isfinite().all() and found.abs().max() > 0, re.escape(
                str(target)
            )
