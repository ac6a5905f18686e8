"""Networks by name: the right weights behind friendly names, and receptive fields that are true.

Where a test says `random_model`, the weights are random and it only looks at structure.
"""

import copy
import functools
import random
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import coursekit as ck
from coursekit.networks import device as devices
from coursekit.networks.layers import paths_inside_out
from coursekit.networks.receptive import trace

NAMES = {
    "alexnet": "conv1 relu1 pool1 conv2 relu2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 fc6 relu6 fc7 relu7 fc8",
    "vgg16": "conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 relu2_1 conv2_2 relu2_2 pool2 conv3_1 relu3_1 conv3_2 "
    "relu3_2 conv3_3 relu3_3 pool3 conv4_1 relu4_1 conv4_2 relu4_2 conv4_3 relu4_3 pool4 conv5_1 relu5_1 conv5_2 "
    "relu5_2 conv5_3 relu5_3 pool5 fc6 relu6 fc7 relu7 fc8",
    "googlenet": "conv1 relu1 pool1 conv2 relu2 conv3 relu3 pool2 mixed3a mixed3b pool3 mixed4a mixed4b mixed4c "
    "mixed4d mixed4e pool4 mixed5a mixed5b avgpool fc",
    "inception_v3": "conv1 relu1 conv2 relu2 conv3 relu3 pool1 conv4 relu4 conv5 relu5 pool2 mixed5b mixed5c mixed5d "
    "mixed6a mixed6b mixed6c mixed6d mixed6e mixed7a mixed7b mixed7c avgpool fc",
    "resnet18": "conv1 relu1 pool1 block1 block2 block3 block4 block5 block6 block7 block8 avgpool fc",
    "resnet101": "conv1 relu1 pool1 " + " ".join(f"block{i}" for i in range(1, 34)) + " avgpool fc",
    "densenet121": "conv1 relu1 pool1 dense1 transition1 dense2 transition2 dense3 transition3 dense4 norm5 fc",
    "squeezenet1_1": "conv1 relu1 pool1 fire2 fire3 pool3 fire4 fire5 pool5 fire6 fire7 fire8 fire9 conv10 "
    "relu10 avgpool",
    "efficientnet_lite0": "conv1 relu1 " + " ".join(f"block{i}" for i in range(1, 17)) + " conv2 relu2 avgpool fc",
    "efficientnet_lite2": "conv1 relu1 " + " ".join(f"block{i}" for i in range(1, 22)) + " conv2 relu2 avgpool fc",
}

random_model = functools.lru_cache(maxsize=3)(ck.random_model)
lite0 = functools.cache(ck.load_model)


# --------------------------------------------------------------------------------------- trained networks


@pytest.mark.parametrize(
    ("name", "size", "photograph", "label"),
    [
        ("efficientnet_lite0", 224, "chelsea", "Egyptian cat"),
        ("efficientnet_lite0", 224, "coffee", "espresso"),
        ("efficientnet_lite1", 240, "coffee", "espresso"),
        ("efficientnet_lite2", 260, "coffee", "espresso"),
    ],
)
def test_the_offline_networks_know_their_photographs(name, size, photograph, label):
    model = ck.load_model(name)
    assert model.input_size == size
    (best,) = ck.predict(model, ck.load_image(photograph, size=size), top=1)
    assert best[0][0] == label and best[0][1] > 0.3


def test_weights_sit_where_the_original_has_them():
    """All 296 tensors in the same order: one swap of two equal shapes would go unnoticed by load_state_dict."""
    import timm

    from coursekit.networks.weights import PACKAGED, expected_path

    state = torch.load(expected_path(PACKAGED["efficientnet_lite0"]), weights_only=True)
    module = timm.create_model("tf_efficientnet_lite0")
    module.load_state_dict(dict(zip(module.state_dict(), state.values(), strict=True)))
    image = ck.load_image("chelsea", size=224)
    model = lite0("efficientnet_lite0")
    with torch.no_grad():
        assert torch.equal(model(image).cpu(), module.eval()((image - 0.5) / 0.5))
    assert all(parameter.is_contiguous() for parameter in model.parameters())
    kinds = {key.rsplit(".")[-1] for key in state}
    for kind in kinds:  # weights land on weights, running variances on running variances
        assert [k.endswith(kind) for k in state] == [k.endswith(kind) for k in module.state_dict()]


def test_loading_leaves_the_random_state_and_needs_no_gradient():
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    model = ck.load_model("efficientnet_lite0")
    ck.random_model("resnet18")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all() and random.getstate() == before[2]
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model.training and not model.module.training


def test_labels_are_unique_and_in_order():
    labels = lite0("efficientnet_lite0").labels
    assert len(labels) == 1000 == len({label.lower() for label in labels})
    assert (labels[0], labels[281], labels[999]) == ("tench", "tabby", "toilet tissue")
    assert (labels[134], labels[517]) == ("crane (bird)", "crane (machine)")


def test_random_weights_say_so_and_repeat():
    one, same, other = (ck.random_model("squeezenet1_1", seed=seed) for seed in (3, 3, 4))
    assert one.source == "random weights (seed 3), not trained"
    assert "trained weights" not in one.source
    assert torch.equal(one.layer("conv1").weight, same.layer("conv1").weight)
    assert not torch.equal(one.layer("conv1").weight, other.layer("conv1").weight)
    assert lite0("efficientnet_lite0").source.startswith("trained weights efficientnet-lite0-57934424.pth")


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_inputs_of_the_inception_family(name):
    """Our (x - 0.5) / 0.5 is torchvision's ImageNet normalisation followed by its transform_input. Random weights."""
    from torchvision import models as zoo

    model = copy.deepcopy(random_model(name)).cpu().double()
    original = zoo.get_model(name, weights=None, aux_logits=False, init_weights=False, transform_input=True)
    original.double().eval().load_state_dict(model.module.state_dict())
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        ours, theirs, unscaled = model(images), original((images - mean) / std), original(images)
    assert (ours - theirs).abs().max() < 1e-6 * (ours - unscaled).abs().max()


def test_normalisation_and_size_of_the_others():
    model = random_model("resnet18")
    assert model.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert model.std.flatten().tolist() == pytest.approx([0.229, 0.224, 0.225])
    assert model.input_size == 224 and random_model("inception_v3").input_size == 299
    assert lite0("efficientnet_lite0").mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_unknown_model_names_the_close_ones():
    with pytest.raises(ck.UnknownModel, match=r"'efficientnet_lite'\. Did you mean .*'efficientnet_lite0'"):
        ck.load_model("efficientnet_lite")
    with pytest.raises(ck.OptionError, match="name must be a string, but is NoneType"):
        ck.load_model(None)


# --------------------------------------------------------------------------------------------- layer names


@pytest.mark.parametrize("name", NAMES)
def test_friendly_names_and_their_order(name):
    """The names are the ones of the papers; each layer runs once, and they finish in the order of the list."""
    model = random_model(name)
    assert list(model.layers) == NAMES[name].split()
    finished = []
    handles = [model.layer(key).register_forward_hook(lambda *_, key=key: finished.append(key)) for key in model.layers]
    with torch.no_grad():
        model(torch.rand(1, 3, 96, 96) if name != "alexnet" else torch.rand(1, 3, 224, 224))
    for handle in handles:
        handle.remove()
    assert finished == list(model.layers)
    for key in model.layers:
        kind = {"conv": nn.Conv2d, "fc": nn.Linear, "norm": nn.BatchNorm2d}.get(re.match("[a-z]+", key)[0])
        assert kind is None or isinstance(model.layer(key), kind), key
    assert model.head is model.layer(next(key for key in reversed(NAMES[name].split()) if re.match("fc|conv", key)))


@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "resnet18", "efficientnet_lite0", "squeezenet1_1"])
def test_relu_layers_are_rectified(name):
    from coursekit import capture

    model = random_model(name)
    names = [key for key in model.layers if key.startswith(("relu", "conv"))]
    with torch.no_grad(), capture(model, names) as maps:
        model(torch.rand(1, 3, 128, 128))
    for key in names:
        assert (maps[key].min() < 0) == key.startswith("conv"), key


def test_unknown_layer_names_the_close_ones():
    model = random_model("alexnet")
    with pytest.raises(
        ck.UnknownLayer, match=r"alexnet has no layer 'conv6'. Did you mean 'conv5'.*It has: conv1, relu1"
    ):
        model.layer("conv6")
    assert "conv6" not in model.layers and "conv5" in model.layers and len(model.layers) == 18
    assert model.layer("features.0") is model.layers["conv1"]


def test_paths_inside_out_ends_with_the_whole():
    module = nn.Sequential(nn.Sequential(nn.ReLU(), nn.ReLU()), nn.ReLU())
    assert list(paths_inside_out(module)) == ["0.0", "0.1", "0", "1"]


# ---------------------------------------------------------------------------------------- receptive fields


@pytest.mark.parametrize(
    ("name", "published"),
    [  # Araujo, Norris & Sim, Distill 2019, and the networks' papers
        ("alexnet", {"conv1": 11, "conv2": 51, "conv3": 99, "conv4": 131, "conv5": 163, "pool5": 195}),
        ("vgg16", {"conv1_2": 5, "pool3": 44, "conv5_3": 196, "pool5": 212}),
        ("resnet18", {"conv1": 7, "pool1": 11, "block8": 435}),
        ("resnet101", {"block33": 971}),  # 1027 where the 1 x 1 convolutions have the strides; torchvision's 3 x 3 do
        ("inception_v3", {"mixed7c": 1311}),
    ],
)
def test_published_receptive_fields(name, published):
    layers = random_model(name).layers
    assert {key: layers.receptive_field(key) for key in published} == {k: (v, v) for k, v in published.items()}
    assert layers.receptive_field(list(layers)[-1]) is None


def all_positive(model):
    """Return a float64 copy in which every pixel that can have an influence has a positive one. Not a trained net."""
    model = copy.deepcopy(model).cpu().double()
    for part in model.modules():
        for key, child in part.named_children():
            if isinstance(child, nn.MaxPool2d):
                size = child.kernel_size, child.stride, child.padding
                setattr(part, key, nn.AvgPool2d(*size, ceil_mode=child.ceil_mode))
            elif isinstance(child, nn.ReLU | nn.ReLU6):
                setattr(part, key, nn.Identity())
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.weight.data.fill_(1 / part.weight[0].numel())
        elif isinstance(part, nn.BatchNorm2d):
            part.running_mean.zero_(), part.running_var.fill_(1), part.weight.data.fill_(1), part.bias.data.zero_()
    return model


@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "densenet121", "squeezenet1_1", "efficientnet_lite0"])
def test_receptive_fields_against_gradients(name):
    """What one central neuron depends on, measured: the box of input gradients. Random weights made positive."""
    from coursekit import capture

    model = random_model(name)
    smaller = {key: model.layers.receptive_field(key) for key in model.layers}
    smaller = {key: field for key, field in smaller.items() if field and field[0] < 180 and not key.startswith("relu")}
    positive = all_positive(model)
    images = torch.ones(1, 3, 230, 230, dtype=torch.float64, requires_grad=True)
    with capture(positive, list(smaller)) as maps:
        positive(images)
    assert len(smaller) >= 4
    for key, field in smaller.items():
        middle = maps[key].shape[2] // 2
        (gradient,) = torch.autograd.grad(maps[key][0, :, middle, middle].sum(), images, retain_graph=True)
        rows, columns = (gradient[0].abs().sum(0).sum(axis).nonzero() for axis in (1, 0))
        assert ((rows.max() - rows.min() + 1).item(), (columns.max() - columns.min() + 1).item()) == field, key


def test_the_printed_table():
    text = repr(random_model("alexnet").layers).splitlines()
    assert text[0].split("   ")[0] == "layer"
    assert re.fullmatch(r"conv5 +256 × 13 × 13 +163 × 163", text[11])
    assert re.fullmatch(r"fc8 +1000 +whole image", text[-1])
    assert re.search(r"block9 .* 211 × 211\nblock10 .* whole image\n", repr(random_model("efficientnet_lite0").layers))


def test_uneven_padding_moves_the_hull():
    """Two branches of one width that look to the left and to the right together see more than either."""

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.both = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3), nn.Identity()

        def forward(self, x):
            left, right = nn.functional.pad(x, (2, 0, 2, 0)), nn.functional.pad(x, (0, 2, 0, 2))
            return self.both(self.left(left) + self.right(right))

    model = ck.Model(Branches())
    assert model.layers.receptive_field("left") == model.layers.receptive_field("right") == (3, 3)
    assert model.layers.receptive_field("both") == (5, 5)


class Sees(nn.Module):
    """A convolution, something that mixes positions or may do so, and `after`, whose receptive field is asked for."""

    def __init__(self, mix):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.mix, self.after = nn.Conv2d(3, 8, 3, stride=2, padding=1), mix, nn.Identity()

    def forward(self, x):
        return self.after(self.mix(self.conv(x))).flatten(1)


class Mix(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def attention(x):
    tokens = x.flatten(2).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(tokens, tokens, tokens)
    return mixed.transpose(1, 2).reshape(x.shape)


def shuffled(x):
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


NOT_FOLLOWED = {
    "attention": attention,
    "enlarged": lambda x: F.interpolate(x, scale_factor=2.0),
    "cropped": lambda x: x[:, :, 2:-2, 2:-2],
    "mirrored": lambda x: x.flip(3),
    "in another order": lambda x: x[..., torch.randperm(x.shape[3])],
    "rolled": lambda x: x.roll(3, dims=2),
    "permuted": lambda x: x.permute(0, 1, 3, 2),
    "normalised": lambda x: F.normalize(x, dim=1),
    "by NumPy": lambda x: torch.from_numpy(x.numpy()[:, :, ::-1].copy()),
    "averaged after a crop": lambda x: x[:, :, 1:].mean((2, 3)),
}
EVERYTHING = {
    "squeeze and excitation": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "gate of an adaptive pooling": lambda x: x * F.adaptive_avg_pool2d(x, 1),
    "pooled": lambda x: x.logsumexp(dim=(-2, -1)),
    "group norm": lambda x: F.group_norm(x, 2),
    "averaged": lambda x: F.adaptive_avg_pool2d(x, 1),
}
FOLLOWED = {
    "channels shuffled": shuffled,
    "channels chosen": lambda x: x[:, 2:6],
    "two branches": lambda x: torch.cat([x, 2 * x.relu()], 1),
    "scaled by channel": lambda x: x * torch.ones(1, 8, 1, 1),
}


def seen_after(mix):
    model = ck.Model(Sees(Mix(mix)))
    model.input_size = 32
    return model


@pytest.mark.parametrize("kind", NOT_FOLLOWED)
def test_a_field_is_not_known_after_what_is_not_followed(kind):
    model = seen_after(NOT_FOLLOWED[kind])
    assert re.search(r"^after .*not known$", repr(model.layers), re.M) and "whole image" not in repr(model.layers)
    assert model.layers.receptive_field("conv") == (3, 3)
    with pytest.raises(ck.UnsupportedNetwork, match="What a neuron of 'after' sees is not known"):
        model.layers.receptive_field("after")


@pytest.mark.parametrize("kind", EVERYTHING)
def test_a_neuron_behind_a_global_operation_sees_the_whole_image(kind):
    model = seen_after(EVERYTHING[kind])
    assert re.search(r"^after .*whole image$", repr(model.layers), re.M)
    assert model.layers.receptive_field("after") is None
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(image)[0, 0], image)
    assert (gradient.abs().sum(1) > 0).all(), "and it does"


@pytest.mark.parametrize("kind", FOLLOWED)
def test_channels_may_be_mixed_without_any_position(kind):
    assert seen_after(FOLLOWED[kind]).layers.receptive_field("after") == (3, 3)


def test_networks_of_other_people():
    """One said "whole image" from its second layer on, the other from its second stage: measured 4 × 4 and 15 × 15."""
    assert re.search(r"^features\.0\.1 .*not known$", repr(random_model("convnext_tiny").layers), re.M)
    assert random_model("shufflenet_v2_x0_5").layers.receptive_field("stage2.1.branch2.0") == (15, 15)


class Odd(nn.Module):
    """A network of a student: a reused ReLU, a layer that never runs, rectangular filters, uneven padding."""

    def __init__(self):
        super().__init__()
        self.wide, self.tall = nn.Conv2d(3, 4, (1, 7), padding="same"), nn.Conv2d(4, 4, (4, 1), stride=(2, 1))
        self.relu, self.unused, self.norm = nn.ReLU(), nn.Conv2d(3, 3, 1), nn.GroupNorm(2, 4)
        self.fail = False

    def forward(self, x):
        torch.rand(1)
        if self.fail:
            raise RuntimeError("broken on purpose")
        x = self.relu(self.tall(self.relu(self.wide(x))))
        return self.norm(x).flatten(1)


def test_networks_of_the_students_own():
    model = ck.Model(Odd())
    model.input_size = 32
    layers = model.layers
    assert layers.receptive_field("wide") == (1, 7) and layers.receptive_field("tall") == (4, 7)
    assert layers.shape("tall") == (4, 15, 32)
    assert layers.receptive_field("norm") is None  # group normalisation looks at all positions
    text = repr(layers)
    assert re.search(r"^relu +runs 2 times$", text, re.M) and re.search(r"^unused +does not run$", text, re.M)
    with pytest.raises(ck.UnknownLayer, match="'relu' runs 2 times"):
        layers.shape("relu")
    assert list(ck.Model(nn.Linear(3, 2)).layers) == ["linear"]


@pytest.mark.parametrize("fails", [False, True])
def test_looking_at_layers_leaves_the_model_as_found(fails):
    model = ck.Model(Odd())
    model.input_size, model.module.fail = 32, fails
    model.module.relu.train()
    before = [part.training for part in model.modules()], torch.get_rng_state()
    if fails:
        assert "broken on purpose" in repr(model.layers) and "wide" in repr(model.layers)
    else:
        trace(model, dict(model.layers))
    assert [part.training for part in model.modules()] == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert not any(part._forward_hooks for part in model.modules())
    assert not any(hasattr(tensor, "_field") for tensor in [*model.parameters(), *model.buffers()])


# ----------------------------------------------------------------------------------------------- the wrapper


def test_wrapping_a_network():
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module.train()
    model = ck.Model(module, mean=(0.1, 0.2, 0.3), std=(0.5, 1, 0.2), labels=("a", "b"))
    image = torch.rand(1, 3, 4, 4)
    by_hand = torch.stack([(image[:, 0] - 0.1) / 0.5, image[:, 1] - 0.2, (image[:, 2] - 0.3) / 0.2], dim=1)
    assert torch.allclose(model(image), module(by_hand))
    assert not module.training and all(parameter.requires_grad for parameter in model.parameters())
    assert model.labels == ["a", "b"] and model.head is module[0] and list(model.layers) == ["0", "1", "2"]
    assert list(model.state_dict()) == ["module.0.weight", "module.0.bias"]
    with pytest.raises(ck.OptionError, match="std must be three numbers above 0"):
        ck.Model(module, std=(1, 0, 1))
    with pytest.raises(ck.UnknownLayer, match="no head"):
        _ = ck.Model(nn.Flatten()).head


def test_images_move_to_the_network():
    """The meta device stands for a GPU from which nothing comes back: the network is asked there, and only there."""
    model, seen = ck.random_model("squeezenet1_1").to("meta"), []
    assert model.device.type == "meta"
    model.module.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].device.type))
    with pytest.raises(NotImplementedError, match="meta"):
        model(torch.rand(1, 3, 64, 64))
    assert seen == ["meta"] and model(torch.rand(1, 3, 64, 64, device="meta")).shape == (1, 1000)


def test_forward_refuses_other_shapes():
    with pytest.raises(ck.ImageError, match=r"\(N, 3, H, W\), but got \(3, 8, 8\)"):
        random_model("resnet18")(torch.rand(3, 8, 8))


# ---------------------------------------------------------------------------------------- setup and predict


def test_setup_seeds_all_three(capsys):
    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    ck.setup(seed=5)
    first = draw()
    ck.setup(seed=5)
    assert draw() == first
    ck.setup(seed=6)
    assert not any(a == b for a, b in zip(draw(), first, strict=True))
    ck.setup()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("options", [{"device": "gpu"}, {"device": None}, {"seed": -1}, {"seed": 1.5}, {"seed": 2**32}])
def test_setup_refuses_before_it_seeds(options):
    before = torch.get_rng_state()
    with pytest.raises(ck.OptionError, match=re.escape(repr(next(iter(options.values()))))):
        ck.setup(**options)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_device_is_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.delenv("COURSEKIT_DEVICE", raising=False)
    assert devices.choose_device().type == "cuda"
    assert devices.choose_device("mps").type == "mps"
    monkeypatch.setenv("COURSEKIT_DEVICE", "cpu")
    assert devices.choose_device().type == "cpu"
    assert devices.choose_device("cuda").type == "cuda"  # what the code says wins
    monkeypatch.setenv("COURSEKIT_DEVICE", "tpu")
    with pytest.raises(ck.OptionError, match=r"COURSEKIT_DEVICE.*'tpu'"):
        devices.choose_device()
    monkeypatch.delenv("COURSEKIT_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.choose_device().type == "mps"
    with pytest.raises(ck.OptionError, match="no 'cuda' device"):
        ck.setup(device="cuda")


def test_setup_decides_where_models_go(monkeypatch):
    monkeypatch.setattr(devices, "_default_device", torch.device("meta"))
    assert ck.random_model("squeezenet1_1").device.type == "meta"


def test_predict_sorts_and_matches_softmax():
    model = lite0("efficientnet_lite0")
    images = torch.cat([ck.load_image(name, size=224) for name in ("chelsea", "coffee", "rocket")])
    lists = ck.predict(model, images, top=4)
    with torch.no_grad():
        probabilities = model(images).softmax(1).cpu()
    for found, expected in zip(lists, probabilities, strict=True):
        assert len(found) == 4 and [p for _, p in found] == sorted((p for _, p in found), reverse=True)
        for label, value in found:
            assert value == pytest.approx(expected[model.labels.index(label)].item(), abs=1e-5)
    assert ck.predict(model, images[1:2], top=1)[0][0][0] == lists[1][0][0]


def test_predict_without_labels_and_with_many_images():
    model = ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)))
    images = torch.rand(19, 3, 2, 2)
    lists = ck.predict(model, images, top=3)
    assert len(lists) == 19 and {label for label, _ in lists[0]} == {"class 0", "class 1", "class 2"}
    assert all(sum(p for _, p in found) == pytest.approx(1) for found in lists)


@pytest.mark.parametrize("top", [0, -1, 1001, 2.0, True])
def test_predict_refuses_top(top):
    with pytest.raises(ck.OptionError, match=f"top .*{top}"):
        ck.predict(lite0("efficientnet_lite0"), torch.rand(1, 3, 224, 224), top=top)


@pytest.mark.parametrize(
    "images", [torch.rand(3, 8, 8), torch.rand(1, 3, 8, 8) * 255, torch.full((1, 3, 8, 8), torch.nan)]
)
def test_predict_refuses_other_images(images):
    with pytest.raises(ck.ImageError):
        ck.predict(lite0("efficientnet_lite0"), images)
