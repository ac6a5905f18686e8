"""Networks that people bring: what `ck.Model` takes, what it refuses, and in which words."""

import re
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from nets import random_images
from torch import nn

import coursekit as ck

IMAGES = random_images(2, 64)


def network(classes: int = 3) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        first, second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1, stride=2)
        layers = (first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes))
    return nn.Sequential(*layers).requires_grad_(False)


class Changed(nn.Module):
    """A network whose output is changed."""

    def __init__(self, change, classes: int = 3):
        super().__init__()
        self.body, self.change = network(classes), change

    def forward(self, images):
        return self.change(self.body(images))


class Pieces(nn.Module):
    """Convolution, then any function of its maps (N, 8, h, w), then a linear layer."""

    def __init__(self, change, stride: int = 1):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.conv = nn.Conv2d(3, 8, 3, padding=1, stride=stride)
            self.last, self.norm, self.fc = nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 3)
        self.change = change

    def forward(self, images):
        return self.fc(self.change(self, self.conv(images).relu()))


# ------------------------------------------------------------------------------------------ mean, std, labels


@pytest.mark.parametrize(
    "kind",
    [np.array, torch.tensor, lambda v: [np.float64(x) for x in v], lambda v: torch.tensor(v).double().view(1, 3, 1, 1)],
)
def test_mean_and_std_come_in_any_kind_of_numbers(kind):
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    model = ck.Model(network(), mean=kind(mean), std=kind(std))
    by_hand = (IMAGES - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    assert model.mean.dtype == model.std.dtype == torch.float32
    assert torch.equal(model(IMAGES), model.module(by_hand))


def test_whole_numbers_make_no_integer_buffers():
    assert torch.equal(ck.Model(network(), mean=(0, 0, 0), std=(1, 1, 1))(IMAGES), network()(IMAGES))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mean": (123.7, 116.8, 103.9)}, r"mean .* divided by 255"),
        ({"std": (58.4, 57.1, 57.4)}, r"std .* divided by 255"),
        ({"mean": [float("nan")] * 3}, "mean must be three numbers"),
        ({"std": [float("inf")] * 3}, "std must be three numbers"),
        ({"std": (0.2, 0, 0.2)}, "above 0"),
        ({"mean": 0.5}, "mean must be three numbers"),
        ({"mean": "grey"}, "mean must be three numbers"),
        ({"labels": {"cow": 2, "cat": 0, "dog": 1}}, r"list of names.*sorted\(d, key=d.get\)"),
        ({"labels": "cat"}, "labels must be a list of names"),
        ({"labels": [0, 1, 2]}, r"must be strings, but one is 0.*str\(x\)"),
        ({"labels": ["cat"]}, "two or more names"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(options, words):
    with pytest.raises(ck.OptionError, match=words):
        ck.Model(network(), **options)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (network().state_dict(), r"OrderedDict.*load_state_dict"),
        ("resnet18", r"ck\.load_model\('resnet18'\)"),
        (nn.Flatten, r"Flatten\(…\)"),
        (len, "builtin_function_or_method; give the network itself"),
    ],
)
def test_what_is_no_network_is_told_what_to_do(given, words):
    with pytest.raises(ck.OptionError, match=words):
        ck.Model(given)


@pytest.mark.parametrize("labels", [["a", "b"], list("abcde")])
def test_a_wrong_number_of_labels_is_known_with_the_first_output(labels):
    model = ck.Model(network(), labels=labels)
    with pytest.raises(ck.UnsupportedNetwork, match=rf"gives 3 logits, but has {len(labels)} labels"):
        ck.predict(model, IMAGES)


# ------------------------------------------------------------------------------------------------- precision


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double"])
@pytest.mark.parametrize("whole", [False, True])
def test_networks_of_every_precision_answer(kind, whole):
    """Turned before it is wrapped, or after."""
    wrapped = getattr(ck.Model(network(), mean=(0.5, 0.4, 0.3)), kind)()
    model = wrapped if whole else ck.Model(getattr(network(), kind)(), mean=(0.5, 0.4, 0.3))
    plain = ck.Model(network(), mean=(0.5, 0.4, 0.3))
    coarse = {"half": 2e-3, "bfloat16": 2e-2, "double": 1e-6}[kind]
    assert model(IMAGES).dtype == (torch.float64 if kind == "double" else torch.float32)
    assert (model(IMAGES) - plain(IMAGES)).abs().max() < coarse
    assert (ck.embed(model, IMAGES, "2") - ck.embed(plain, IMAGES, "2")).abs().max() < coarse
    ours, theirs = ck.input_gradient(model, IMAGES, 1), ck.input_gradient(plain, IMAGES, 1)
    assert ours.dtype == torch.float32 and F.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.98
    assert ck.grad_cam(model, IMAGES, 1).isfinite().all()


@pytest.mark.parametrize("method", [ck.cam, ck.fullgrad, ck.relevance])
def test_methods_that_check_their_sums_refuse_half_precision(method):
    with pytest.raises(ck.UnsupportedNetwork, match=r"bfloat16, too coarse.*model\.float\(\)"):
        method(ck.Model(network()).bfloat16(), IMAGES, 1)


def test_images_of_whole_numbers_are_refused():
    with pytest.raises(ck.ImageError, match=r"torch\.uint8"):
        ck.Model(network())((IMAGES * 255).byte())


# ---------------------------------------------------------------------------------------------------- output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y: (y, y), r"a tuple of 2 \(Tensor, Tensor\).*`return self\.network\(images\)\[0\]`"),
        (lambda y: {"out": y}, r"a dict with 'out'.*`return self\.network\(images\)\['out'\]`"),
        (lambda y: y[:, 0], r"a tensor \(2,\).*\[:, None\]`"),
        (lambda y: y[..., None, None].expand(-1, -1, 4, 4), r"a tensor \(2, 3, 4, 4\).*\.mean\(\(2, 3\)\)`"),
        (lambda y: [{"scores": row} for row in y], r"a list of 2 \(dict, dict\).*torch\.stack"),
        (lambda y: y[:1], r"a tensor \(1, 3\) for 2 images"),
        (lambda y: None, "a NoneType for 2 images"),
    ],
)
@pytest.mark.parametrize("ask", [ck.predict, ck.input_gradient, lambda m, x: ck.input_gradient(m, x, 0), ck.occlusion])
def test_an_output_that_is_no_logits_is_named_with_its_cure(change, words, ask):
    with pytest.raises(ck.UnsupportedNetwork, match=words):
        ask(ck.Model(Changed(change)), IMAGES)


def test_maps_of_classes_serve_a_target_of_ones_own():
    """A network for segmentation: the mean of a class's map is a score."""
    model = ck.Model(Changed(lambda y: y[..., None, None].expand(-1, -1, 4, 4)))
    found = ck.input_gradient(model, IMAGES, lambda y: y[:, 1].mean((1, 2)))
    assert torch.allclose(found, ck.input_gradient(ck.Model(network()), IMAGES, 1), atol=1e-7)


def test_probabilities_are_noticed_once():
    model = ck.Model(Changed(lambda y: y.softmax(1)))
    with pytest.warns(UserWarning, match="probabilities, not logits"):
        ck.predict(model, IMAGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ck.predict(model, IMAGES)
        ck.predict(ck.Model(network()), IMAGES)
        ck.Model(Changed(lambda y: y * float("nan")))(IMAGES)  # which `ck.predict` refuses


# ------------------------------------------------------------------------------------------------- one logit


def binary() -> tuple[ck.Model, ck.Model]:
    """A network with one logit z, and one that says by hand what it means: -z/2 for no and z/2 for yes."""
    halves = nn.Linear(1, 2, bias=False)
    halves.weight.data = torch.tensor([[-0.5], [0.5]])
    names = ["no", "yes"]
    return ck.Model(network(1), labels=names), ck.Model(nn.Sequential(*network(1), halves), labels=names)


def test_one_logit_is_a_network_with_two_classes():
    ours, _ = binary()
    z = network(1)(IMAGES)
    assert torch.allclose(ours(IMAGES).softmax(1), torch.cat([1 - z.sigmoid(), z.sigmoid()], 1))
    for found, yes in zip(ck.predict(ours, IMAGES), z.sigmoid(), strict=True):
        assert {label for label, _ in found} == {"no", "yes"}
        assert dict(found)["yes"] == pytest.approx(yes.item())


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: ck.input_gradient(m, IMAGES, 1),
        lambda m: ck.input_gradient(m, IMAGES),
        lambda m: ck.grad_cam(m, IMAGES, 0),
        lambda m: ck.fullgrad(m, IMAGES, 1),
        lambda m: ck.deletion_curve(m, IMAGES, IMAGES[:, :1], steps=3),
        lambda m: ck.occlusion_grid(m, IMAGES, window=32, stride=32).probability,
    ],
)
def test_methods_read_one_logit_as_two(ask):
    ours, by_hand = binary()
    assert ask(ours).abs().max() > 0 and torch.allclose(ask(ours), ask(by_hand), atol=1e-6)


def test_the_map_of_no_is_the_negative_of_the_map_of_yes():
    ours, _ = binary()
    no, yes = ck.cam(ours, IMAGES, 0), ck.cam(ours, IMAGES, 1)
    assert torch.allclose(no, -yes) and yes.abs().max() > 0
    bias = ours.head.bias.item() / 2
    assert torch.allclose(yes.mean((1, 2, 3)) + bias, ours(IMAGES)[:, 1], atol=1e-6)


# ----------------------------------------------------------------------------------------------- odd layers


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 4, stride=4), nn.Linear(8, 3)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        return self.fc(self.attention(tokens, tokens, tokens)[0].mean(1))


ASK_A_LAYER = {
    "embed": lambda m, layer: ck.embed(m, IMAGES, layer),
    "unit": lambda m, layer: ck.input_gradient(m, IMAGES, ck.unit(layer, 1)),
    "grad_cam": lambda m, layer: ck.grad_cam(m, IMAGES, 1, layer=layer),
    "invert": lambda m, layer: ck.invert(m, IMAGES[:1], layer, steps=1),
    "render": lambda m, layer: ck.render(m, ck.objectives.layer(layer), size=32, steps=1),
}


def silenced(model: ck.Model, layer: str) -> None:
    with ck.ablate(model, layer, [0]):
        model(IMAGES)


@pytest.mark.parametrize("ask", [*ASK_A_LAYER.values(), silenced], ids=[*ASK_A_LAYER, "ablate"])
def test_a_layer_that_does_not_run_or_gives_a_tuple_is_one_clear_error(ask):
    model = ck.Model(Attention())
    with pytest.raises(ck.UnknownLayer, match=r"'attention\.out_proj' did not run"):
        ask(model, "attention.out_proj")
    with pytest.raises(ck.UnknownLayer, match="'attention' gives a tuple and no tensor"):
        ask(model, "attention")
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


@pytest.mark.parametrize("turn", [torch.jit.script, lambda net: torch.jit.trace(net, IMAGES)])
def test_layers_that_torchscript_hides_are_not_watched_in_silence(turn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = ck.Model(turn(network().eval()))
    assert torch.allclose(model(IMAGES), network()(IMAGES))
    with pytest.raises(ck.UnknownLayer, match="TorchScript hides the layers"):
        ck.embed(model, IMAGES, "2")
    with pytest.raises(ck.UnknownLayer, match="TorchScript"):
        silenced(model, "2")


def test_a_compiled_network_shows_its_layers_or_says_that_it_does_not():
    compiled = torch.compile(network().eval(), backend="eager")
    model = ck.Model(compiled)
    model(IMAGES)  # compiled now, without a hook
    with pytest.raises(ck.UnknownLayer, match=r"did not run.*torch\.compile"), ck.capture(model, ["_orig_mod.2"]):
        model(IMAGES)


def test_weights_that_are_made_anew_cannot_be_cut():
    net = network()
    nn.utils.parametrizations.weight_norm(net[2])
    model = ck.Model(net)
    with pytest.raises(ck.OptionError, match="made anew"), ck.cut_weights(model, "2", 0, [0, 1]):
        raise AssertionError("the block must not start")
    nn.utils.parametrize.remove_parametrizations(net[2], "weight")
    before = model(IMAGES)
    with ck.cut_weights(model, "2", 0, list(range(8))):
        assert (model(IMAGES) - before).abs().max() > 1e-4


# ------------------------------------------------------------------------------------- channels on another axis


def channels_last(net: Pieces, a):
    return net.norm(net.last(a.permute(0, 2, 3, 1))).mean((1, 2))


@pytest.mark.parametrize("layer", ["last", "norm"])
def test_maps_with_channels_last_are_read_by_their_own_axis(layer):
    net = Pieces(channels_last, stride=4).eval()
    model = ck.Model(net)
    maps = net.last(net.conv(IMAGES).relu().permute(0, 2, 3, 1))
    maps = (net.norm(maps) if layer == "norm" else maps).permute(0, 3, 1, 2).detach()
    assert torch.allclose(ck.activations(model, IMAGES, [layer], reduce="maps")[layer], maps, atol=1e-5)
    assert torch.allclose(ck.embed(model, IMAGES, layer), maps.mean((2, 3)), atol=1e-6)
    assert model.layers.shape(layer) == (8, 56, 56)
    plain = model(IMAGES)
    with ck.ablate(model, layer, [2]), ck.capture(model, [layer]) as seen:
        model(IMAGES)
        assert not seen[layer][:, 2].any() and torch.equal(seen[layer][:, 3], maps[:, 3])
    assert torch.equal(model(IMAGES), plain)
    assert ck.grad_cam(model, IMAGES, 1, layer=layer).shape == (2, 1, 16, 16)
    gradient = ck.activation_gradients(model, IMAGES, 1, ["norm"])["norm"]
    assert torch.allclose(gradient, net.fc.weight[1].expand(2, -1), atol=1e-6)


def test_blocks_of_a_swin_transformer():
    """Random weights. 56 × 56 × 96 is a map of 96 channels, and the last pooling reads 768 of 7 × 7."""
    model, image = ck.random_model("swin_t"), ck.load_image("chelsea", size=224)
    assert model.layers.shape("features.0.0") == (96, 56, 56)
    with ck.capture(model, ["features.1", "features.7"]) as maps:
        model(image)
    assert maps["features.1"].shape == (1, 96, 56, 56) and maps["features.7"].shape == (1, 768, 7, 7)
    assert ck.grad_cam(model, image, 5).shape == (1, 1, 7, 7)
    with pytest.raises(ck.UnsupportedNetwork, match="windows"):
        ck.fullgrad(model, image, 5)


def test_tokens_are_refused_where_channels_are_meant():
    model = ck.Model(Pieces(lambda net, a: net.norm(a.flatten(2).transpose(1, 2)).mean(1), stride=16))
    assert ck.activations(model, IMAGES, ["norm"], reduce="maps")["norm"].shape == (2, 16, 8)
    by_tokens = ck.embed(model, IMAGES, "norm", reduce=lambda a: a.mean(1))
    assert by_tokens.shape == (2, 8)
    for reduce in ("mean", "max"):
        with pytest.raises(ck.UnknownLayer, match=r"\(2, 16, 8\).*which axis holds the channels"):
            ck.embed(model, IMAGES, "norm", reduce=reduce)
    for objective in (ck.objectives.channel("norm", 1), ck.unit("norm", 1)):
        with pytest.raises(ck.TargetError, match="no channel 1"):
            ck.render(model, objective, size=64, steps=1)
    with pytest.raises(ck.OptionError, match="no channels to silence"):
        silenced(model, "norm")


def test_grad_cam_takes_no_map_that_is_none():
    turned = ck.Model(Pieces(lambda net, a: a.permute(0, 2, 3, 1).mean((1, 2))))
    with pytest.raises(ck.TargetError, match="name a layer"):
        ck.grad_cam(turned, IMAGES, 1)
    assert ck.grad_cam(turned, IMAGES, 1, layer="conv").shape == (2, 1, 64, 64)
    shrunk = ck.Model(Pieces(lambda net, a: F.interpolate(a, (1, 1), mode="area").flatten(1)))
    with pytest.raises(ck.TargetError, match="more than one position"):
        ck.grad_cam(shrunk, IMAGES, 1)


@pytest.mark.parametrize("pool", [lambda a: a.flatten(2).mean(2), lambda a: a.sum((2, 3)) / a[0, 0].numel()])
def test_cam_takes_global_average_pooling_in_any_words(pool):
    usual = ck.cam(ck.Model(Pieces(lambda net, a: a.mean((2, 3)))), IMAGES, 1)
    assert torch.allclose(ck.cam(ck.Model(Pieces(lambda net, a: pool(a))), IMAGES, 1), usual, atol=1e-6)


@pytest.mark.parametrize("rows", [64, 6, 8])
def test_fullgrad_follows_a_linear_layer_over_the_channels(rows):
    model = ck.Model(Pieces(lambda net, a: net.last(a.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).relu().mean((2, 3))))
    images = IMAGES[:, :, :rows]
    parts = ck.fullgrad(model, images, 1)
    assert parts.shape == (2, 1, rows, 64)
    assert torch.allclose(parts.sum((1, 2, 3)), model(images)[:, 1], atol=1e-5)


# ------------------------------------------------------------------------------ gradients, sizes, few classes


class Cut(Changed):
    @torch.no_grad()
    def forward(self, images):
        return super().forward(images)


GRADIENTS = {
    "input_gradient": ck.input_gradient,
    "grad_cam": ck.grad_cam,
    "fullgrad": ck.fullgrad,
    "activation_gradients": lambda m, x, t: ck.activation_gradients(m, x, t, ["body.2" if "Cut" in m.name else "2"]),
}


@pytest.mark.parametrize("ask", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize("what", ["network", "numpy", "target"])
def test_a_score_that_does_not_depend_on_the_image_is_named(ask, what):
    model = ck.Model(network())
    targets = {"network": 1, "target": lambda y: y.argmax(1), "numpy": lambda y: torch.tensor(y.numpy()[:, 0])}
    if what == "network":
        model = ck.Model(Cut(lambda y: y))
    with pytest.raises(ck.TargetError, match="does not depend on the image"):
        ask(model, IMAGES, targets[what])


def test_an_image_too_small_for_the_network_is_an_error_of_the_image():
    model = ck.random_model("alexnet")
    with pytest.raises(ck.ImageError, match=r"alexnet cannot read images of 46 × 46 pixels.*made for 224"):
        ck.predict(model, torch.rand(1, 3, 46, 46))
    flat = ck.Model(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)))
    with pytest.raises(ck.ImageError, match="64 × 64 pixels"):
        flat(IMAGES)


def test_fewer_than_five_classes_are_all_predicted():
    model = ck.Model(network(), labels=["a", "b", "c"])
    assert [len(found) for found in ck.predict(model, IMAGES)] == [3, 3]
    with pytest.raises(ck.OptionError, match=re.escape("at most the number of classes, 3, but got 5")):
        ck.predict(model, IMAGES, top=5)
    model.input_size = 64
    for explorer in (ck.explore_prediction, ck.explore_occlusion, ck.explore_saliency, ck.explore_cam):
        explorer(model, *([] if explorer is ck.explore_prediction else [IMAGES[:1]]))
