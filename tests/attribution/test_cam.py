"""Class activation maps against closed forms, against differentiation by hand in float64 and against captum."""

import pytest
import torch
import torch.nn.functional as F
from captum import attr
from nets import CLASSES, in_float64, random_images, relative_difference, seeded, small_maps, small_model
from torch import Tensor, nn
from torch.autograd.functional import jacobian

import coursekit as ck
from coursekit.networks.nets.coursenet import coursenet

IMAGES = random_images(3, dtype=torch.float64)
GAP_NETWORKS = ["resnet18", "densenet121"]


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> bool:
    return ours.shape == theirs.shape and relative_difference(ours, theirs) < tolerance


def net(*layers: nn.Module) -> ck.Model:
    return ck.Model(seeded(nn.Sequential(*layers)))


def bare_coursenet(seed: int = 1) -> ck.Model:
    return ck.Model(seeded(coursenet(), seed))


class Flip(nn.Module):
    """conv → GAP by x.mean → linear; nothing of it is a module but the two layers with weights."""

    def __init__(self, gap):
        super().__init__()
        self.conv, self.fc, self.gap = nn.Conv2d(3, 4, 3), nn.Linear(4, CLASSES), gap

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.gap(F.relu(self.conv(x), inplace=True)))


GAPS = {
    "mean": lambda x: x.mean((2, 3)),
    "mean of negative axes": lambda x: torch.mean(x, dim=[-1, -2]),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    "whole window": lambda x: F.avg_pool2d(x, x.shape[-1]).view(len(x), -1),
}


# CAM --------------------------------------------------------------------------------------------------------------


def test_cam_by_hand():
    model = small_model().double()
    maps, fc = small_maps(model, IMAGES), model.module.fc
    ours = ck.cam(model, IMAGES, [4, 0, 2])
    for i, c in enumerate([4, 0, 2]):
        expected = sum(fc.weight[c, k] * maps["relu6"][i, k] for k in range(8))
        assert close(ours[i, 0], expected)
    logits = maps["fc"][range(3), [4, 0, 2]]
    assert torch.allclose(ours.mean((1, 2, 3)) + fc.bias[[4, 0, 2]], logits, atol=1e-14), "mean + bias = logit"
    assert (ours < 0).any() and (ours > 0).any(), "signed"


@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS)
def test_every_way_to_write_global_average_pooling(gap):
    model = ck.Model(seeded(Flip(gap)))
    found = ck.cam(model, random_images(), 1)
    assert found.shape == (2, 1, 10, 10)
    score = model(random_images())[:, 1] - model.module.fc.bias[1]
    assert torch.allclose(found.mean((1, 2, 3)), score, atol=1e-6)


def test_the_map_after_a_last_max_pooling_is_the_one_that_is_averaged():
    model = net(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES)
    )
    found = ck.cam(model, random_images(), 1)
    assert found.shape == (2, 1, 5, 5)
    assert torch.allclose(found.mean((1, 2, 3)) + model.head.bias[1], model(random_images())[:, 1], atol=1e-6)
    assert ck.grad_cam(model, random_images(), 1).shape == (2, 1, 10, 10), "Grad-CAM takes the convolution's map"


def test_cam_of_a_difference_of_classes_is_the_difference_of_their_cams():
    model = small_model().double()
    ours = ck.cam(model, IMAGES, lambda logits: logits[:, 0] - logits[:, 1])
    assert close(ours, ck.cam(model, IMAGES, 0) - ck.cam(model, IMAGES, 1))


@pytest.mark.parametrize("name", GAP_NETWORKS)
def test_cam_and_grad_cam_agree_on_real_architectures(name):
    """Random weights: the closed forms hold for any."""
    images = ck.load_image("chelsea", size=96).double()
    with in_float64(ck.random_model(name)) as model:
        map_ = ck.cam(model, images, 285)
        assert close(map_.mean((1, 2, 3)), model(images)[:, 285] - model.head.bias[285], 1e-9)
        positions = map_[0].numel()
        assert close(positions * ck.grad_cam(model, images, 285, relu=False), map_, 1e-9)
        assert close(positions * ck.grad_cam(model, images, 285), map_.clamp(min=0), 1e-9)


def test_cam_and_grad_cam_agree_on_the_trained_network():
    model, images = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    map_ = ck.cam(model, images, 285)
    assert map_.shape == (1, 1, 7, 7) and map_.max() > 10
    assert close(49 * ck.grad_cam(model, images, 285), map_.clamp(min=0), 1e-5)
    assert close(49 * ck.grad_cam(model, images, 285, layer="relu2"), map_.clamp(min=0), 1e-5)
    assert not close(49 * ck.grad_cam(model, images, 285, layer="conv2"), map_.clamp(min=0), 0.1)


REFUSED = {
    "two linear layers": lambda: net(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 4),
        nn.ReLU(),
        nn.Linear(4, 5),
    ),
    "no global pooling": lambda: net(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5)),
    "pooling to 2 x 2": lambda: net(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5)),
    "global max pooling": lambda: net(nn.Conv2d(3, 4, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 5)),
    "something after the pooling": lambda: net(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Hardtanh(-0.1, 0.1), nn.Linear(4, 5)
    ),
    "something after the linear layer": lambda: net(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5), nn.Softmax(1)
    ),
    "no linear layer": lambda: net(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "coursenet": bare_coursenet,
    "squeezenet": lambda: ck.random_model("squeezenet1_1"),
    "alexnet": lambda: ck.random_model("alexnet"),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_cam_refuses_other_networks_in_a_clear_sentence(make):
    model = make()
    size = 12 if model.name == "Sequential" and "conv1" not in dict(model.module.named_children()) else 128
    with pytest.raises(ck.UnsupportedNetwork, match="does not end in global average pooling and one linear layer"):
        ck.cam(model, random_images(1, size), 1)


def test_small_logits_are_no_rounding():
    model = REFUSED["something after the pooling"]()
    with torch.no_grad():
        model.module[-1].weight.mul_(1e-6)
        model.module[-1].bias.mul_(1e-6)
    with pytest.raises(ck.UnsupportedNetwork, match="does not end in global average pooling"):
        ck.cam(model, random_images(1, 12), 1)


def test_cam_refuses_units():
    with pytest.raises(ck.TargetError, match=r"CAM explains classes .* ck\.grad_cam"):
        ck.cam(small_model(), random_images(), ck.unit("conv2", 1))


# Grad-CAM ---------------------------------------------------------------------------------------------------------


def tail_of(model: ck.Model, layer: str):
    """What follows a layer of SmallNet, as a function of its map (N, C, h, w)."""
    net = model.module
    steps = {
        "conv1": net.bn1,
        "bn1": F.relu,
        "relu#1": net.pool,
        "pool": net.conv2,
        "conv2": F.relu,
        "relu#2": net.conv3,
        "conv3": F.relu6,
        "relu6": lambda x: net.fc(x.mean((2, 3))),
    }
    names = list(steps)

    def tail(x: Tensor) -> Tensor:
        for name in names[names.index(layer) :]:
            x = steps[name](x)
        return x

    return tail


@pytest.mark.parametrize("layer", [None, "conv1", "pool", "conv2", "conv3", "relu6"])
@pytest.mark.parametrize("inplace", [False, True])
def test_grad_cam_by_hand(layer, inplace):
    """The in-place ReLU after conv2 overwrites its map; the captured one must not be."""
    model = small_model(inplace).double()
    by_hand = small_model().double()
    maps, target = small_maps(by_hand, IMAGES), [4, 0, 2]
    ours = ck.grad_cam(model, IMAGES, target, layer=layer, relu=False)
    for i, c in enumerate(target):
        activation = maps[layer or "relu6"][i].detach()
        gradient = jacobian(lambda x, c=c: tail_of(by_hand, layer or "relu6")(x[None])[0, c], activation)
        weights = [gradient[k].sum() / gradient[k].numel() for k in range(len(gradient))]
        expected = sum(w * a for w, a in zip(weights, activation, strict=True))
        assert expected.abs().max() > 0 and close(ours[i, 0], expected)
    rectified = ck.grad_cam(model, IMAGES, target, layer=layer)
    assert torch.equal(rectified, ours.clamp(min=0)) and (ours < 0).any()


def test_counterfactual_maps_turn_the_gradient_round():
    model = small_model()
    images = random_images()
    against = ck.grad_cam(model, images, lambda logits: -logits[:, 2], layer="conv2")
    assert torch.equal(against, (-ck.grad_cam(model, images, 2, layer="conv2", relu=False)).clamp(min=0))


def test_the_default_layer_is_the_last_map_before_a_pooling():
    image = random_images(1, 128)
    model = bare_coursenet()
    for target in (7, ck.unit("fc6", 3)):
        default = ck.grad_cam(model, image, target)
        assert default.shape == (1, 1, 8, 8) and default.max() > 0
        assert torch.equal(default, ck.grad_cam(model, image, target, layer="relu5"))
    unit = ck.unit("conv4", 3)  # of a layer that lies before pool5: the map before the pooling that it depends on
    assert torch.equal(ck.grad_cam(model, image, unit), ck.grad_cam(model, image, unit, layer="relu2"))
    for name, layer in {"alexnet": "relu5", "vgg16": "relu5_3", "resnet18": "block8"}.items():
        model = ck.random_model(name)
        assert torch.equal(ck.grad_cam(model, image, 7), ck.grad_cam(model, image, 7, layer=layer)), name


@pytest.mark.parametrize("name", ["conv1", "conv2"])
def test_units(name):
    model = small_model().double()
    target = ck.unit("conv3", 1, (2, 2))
    ours = ck.grad_cam(model, IMAGES, target, layer=name, relu=False)
    maps = small_maps(model, IMAGES)
    (gradient,) = torch.autograd.grad(maps["conv3"][:, 1, 2, 2].sum(), maps[name])
    assert close(ours, (gradient.mean((2, 3), keepdim=True) * maps[name]).sum(1, keepdim=True))


def test_upsampling_is_bilinear():
    model, images = small_model(), random_images()
    for method, options in ((ck.cam, {}), (ck.grad_cam, {"layer": "conv2"})):
        small, large = method(model, images, 2, **options), method(model, images, 2, upsample=True, **options)
        assert small.shape == (2, 1, 6, 6) and large.shape == (2, 1, 12, 12)
        assert torch.equal(large, F.interpolate(small, (12, 12), mode="bilinear", align_corners=False))


def test_layers_without_maps_and_targets_before_the_layer():
    model, images = small_model(), random_images()
    with pytest.raises(ck.OptionError, match=r"'fc' has no maps, but the shape \(2, 5\)"):
        ck.grad_cam(model, images, layer="fc")
    with pytest.raises(ck.TargetError, match="does not depend on layer 'conv3'"):
        ck.grad_cam(model, images, ck.unit("conv2", 1), layer="conv3")
    with pytest.raises(ck.TargetError, match="name a layer before the target"):
        ck.grad_cam(model, images, ck.unit("conv1", 1))
    with pytest.raises(ck.UnknownLayer, match="'relu' runs more than once"):
        ck.grad_cam(model, images, layer="relu")
    with pytest.raises(ck.UnknownLayer, match="no layer 'conv9'"):
        ck.grad_cam(model, images, layer="conv9")


# HiResCAM and LayerCAM --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [None, "conv1", "pool", "conv3"])
def test_hires_cam_and_layer_cam_by_hand(layer):
    """A loop over channels and positions: HiResCAM keeps the sign of the gradient, LayerCAM its positive part."""
    model, target = small_model().double(), [4, 0, 2]
    maps = small_maps(model, IMAGES)
    hires = ck.hires_cam(model, IMAGES, target, layer=layer, relu=False)
    layered = ck.layer_cam(model, IMAGES, target, layer=layer, relu=False)
    for i, c in enumerate(target):
        activation = maps[layer or "relu6"][i].detach()
        gradient = jacobian(lambda x, c=c: tail_of(model, layer or "relu6")(x[None])[0, c], activation)
        signed, positive = torch.zeros_like(activation[0]), torch.zeros_like(activation[0])
        for k in range(len(activation)):
            for row in range(activation.shape[1]):
                for column in range(activation.shape[2]):
                    a, g = activation[k, row, column], gradient[k, row, column]
                    signed[row, column] += g * a
                    positive[row, column] += g * a if g > 0 else 0
        assert close(hires[i, 0], signed) and close(layered[i, 0], positive)
    assert (hires < 0).any() and not close(hires, layered, 0.1)
    assert torch.equal(ck.hires_cam(model, IMAGES, target, layer=layer), hires.clamp(min=0))
    assert torch.equal(ck.layer_cam(model, IMAGES, target, layer=layer), layered.clamp(min=0))


def test_hires_cam_is_grad_cam_after_the_last_convolution_of_a_gap_network_and_differs_earlier():
    model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    options = {"target": 285, "relu": False}
    last = ck.grad_cam(model, image, layer="relu2", **options)
    assert close(ck.hires_cam(model, image, layer="relu2", **options), last, 1e-5)
    assert close(ck.hires_cam(model, image, **options), last, 1e-5), "the default layer is the same"
    assert not close(ck.layer_cam(model, image, layer="relu2", **options), last, 0.1), "negative weights are left out"
    for layer in ("block5", "block11"):
        coarse = ck.grad_cam(model, image, layer=layer, **options)
        for method in (ck.hires_cam, ck.layer_cam):
            assert not close(method(model, image, layer=layer, **options), coarse, 0.3), layer


def test_hires_cam_adds_up_to_the_logit_where_one_linear_layer_reads_the_flattened_maps_and_grad_cam_does_not():
    model = net(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, CLASSES)).double()
    share = model(IMAGES)[:, 3] - model.head.bias[3]
    assert torch.allclose(ck.hires_cam(model, IMAGES, 3, relu=False).sum((1, 2, 3)), share, atol=1e-12)
    assert not torch.allclose(ck.grad_cam(model, IMAGES, 3, relu=False).sum((1, 2, 3)), share, rtol=0.2)


@pytest.mark.parametrize("method", [ck.hires_cam, ck.layer_cam])
def test_the_variants_take_units_and_refuse_what_grad_cam_refuses(method):
    model, images = small_model(), random_images()
    assert method(model, images, ck.unit("conv3", 1, (2, 2)), layer="conv1").shape == (2, 1, 12, 12)
    small = method(model, images, 2, layer="conv2")
    large = method(model, images, 2, layer="conv2", upsample=True)
    assert torch.equal(large, F.interpolate(small, (12, 12), mode="bilinear", align_corners=False))
    with pytest.raises(ck.OptionError, match=r"'fc' has no maps, but the shape \(2, 5\)"):
        method(model, images, layer="fc")
    with pytest.raises(ck.TargetError, match="does not depend on layer 'conv3'"):
        method(model, images, ck.unit("conv2", 1), layer="conv3")


# Against captum ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["efficientnet_lite0", "coursenet", "resnet18"])
def network(request):
    """EfficientNet-Lite0 is trained; the others have random weights, and ReLUs that captum can hook."""
    lite = request.param == "efficientnet_lite0"
    model = ck.load_model(request.param) if lite else ck.random_model(request.param)
    for part in model.modules():
        if isinstance(part, nn.ReLU | nn.ReLU6):
            part.inplace = False
    layers = {
        "efficientnet_lite0": ["relu2", "block11"],
        "coursenet": ["relu5", "conv3"],
        "resnet18": ["block8", "conv1"],
    }
    return model, layers[request.param]


def test_grad_cam_equals_captum(network):
    (model, layers), images = network, ck.load_image("chelsea", size=96).double()
    target = 285 if model.name == "efficientnet_lite0" else 3  # classes whose maps are not negative everywhere
    with in_float64(model):
        for layer in layers:
            for relu in (True, False):
                theirs = attr.LayerGradCam(model, model.layer(layer)).attribute(images, target, relu_attributions=relu)
                assert close(ck.grad_cam(model, images, target, layer=layer, relu=relu), theirs.detach(), 1e-10)


def test_hires_cam_is_the_sum_over_channels_of_captum_s_layer_gradient_x_activation(network):
    (model, layers), images = network, ck.load_image("chelsea", size=96).double()
    with in_float64(model):
        for layer in layers:
            theirs = attr.LayerGradientXActivation(model, model.layer(layer)).attribute(images, 3)
            ours = ck.hires_cam(model, images, 3, layer=layer, relu=False)
            assert close(ours, theirs.detach().sum(1, keepdim=True), 1e-10)


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_guided_grad_cam_equals_captum_on_a_plain_relu_network():
    images = ck.load_image("chelsea", size=96).double()
    with in_float64(ck.random_model("coursenet")) as model:
        guided = attr.GuidedGradCam(model, model.layer("relu5"))
        theirs = guided.attribute(images.clone().requires_grad_(), 3, interpolate_mode="bilinear")
        assert close(ck.guided_grad_cam(model, images, 3), theirs.detach(), 1e-10)


def test_guided_grad_cam_is_the_product():
    model, images = small_model(), random_images()
    for target, layer in ((2, None), (0, "conv2"), (ck.unit("conv3", 1), "conv1")):
        where = ck.grad_cam(model, images, target, layer=layer, upsample=True)
        ours = ck.guided_grad_cam(model, images, target, layer=layer)
        assert torch.equal(ours, ck.guided_backprop(model, images, target) * where)
        assert ours.abs().max() > 0 and (ours[(where == 0).expand_as(ours)] == 0).all()
