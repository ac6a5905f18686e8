"""The fast copy of a network: it computes the same, notices every change, and nobody sees it."""

import copy
import gc
import weakref

import pytest
import torch
from nets import random_images, relative_difference, small_model
from state import state_of
from torch import nn

import coursekit as ck
from coursekit.networks.fast import Probe, fast_copy

# One of each family that `ck.load_model` and `ck.random_model` know; the number is the side of the images in pixels.
FAMILIES = {
    "efficientnet_lite0": 64, "efficientnet_lite1": 64, "efficientnet_lite2": 64, "coursenet": 128, "twin_true": 64,
    "patternnet": 64, "trust_clean": 96, "parted": 96, "unparted": 96, "captioned_0": 64,
    "alexnet": 64, "vgg11": 32, "vgg11_bn": 32, "resnet18": 64, "resnet50": 64, "wide_resnet50_2": 64,
    "resnext50_32x4d": 64, "densenet121": 64, "googlenet": 64, "inception_v3": 80, "squeezenet1_0": 64,
    "mobilenet_v2": 64, "mobilenet_v3_small": 64, "shufflenet_v2_x0_5": 64, "mnasnet0_5": 64, "regnet_y_400mf": 64,
    "efficientnet_b0": 64, "efficientnet_v2_s": 64, "convnext_tiny": 64, "swin_t": 64, "vit_b_32": 224,
    "resnetv2_50": 64, "hardcorenas_a": 64,
}  # fmt: skip
# Where no convolution has a BatchNorm of its own behind it, there is nothing to fold.
UNFOLDED = ["coursenet", "twin_true", "patternnet", "alexnet", "vgg11", "squeezenet1_0"]
UNFOLDED += ["convnext_tiny", "swin_t", "vit_b_32"]


def spread(model: ck.Model) -> ck.Model:
    """Give each BatchNorm statistics of its own, so that folding matters; in float64."""
    generator = torch.Generator().manual_seed(1)
    for part in model.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
                if tensor.is_floating_point():
                    noise = torch.rand(tensor.shape, generator=generator)
                    tensor.data.copy_(0.7 + 0.6 * noise if name in ("weight", "running_var") else noise / 5 - 0.1)
    for parameter in model.parameters():
        if not parameter.any():  # torchvision's heads begin with zeros
            parameter.data.copy_(torch.rand(parameter.shape, generator=generator) - 0.5)
    return model.double()


def norms(model: ck.Model) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in model.modules())


def gradient(model: ck.Model, images: torch.Tensor) -> torch.Tensor:
    x = images.clone().requires_grad_()
    return torch.autograd.grad(model(x)[:, 0].sum(), x)[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_copy_computes_the_same(name):
    """In float64, where rounding moves no path through a ReLU; logits of float32 as well."""
    model = spread(ck.random_model(name, seed=0))
    images = random_images(2, FAMILIES[name], dtype=torch.float64)
    quick = fast_copy(model)
    assert quick is not model
    assert (norms(quick) < norms(model)) == (name not in UNFOLDED), "folded"
    with torch.no_grad():
        assert relative_difference(quick(images), model(images)) < 1e-10
    assert relative_difference(gradient(quick, images), gradient(model, images)) < 1e-9
    model.float()
    with torch.no_grad():
        assert fast_copy(model) is not quick
        assert relative_difference(fast_copy(model)(images.float()), model(images.float())) < 1e-5


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "googlenet", "vgg11_bn"])
def test_every_layer_is_found_at_its_depth(name):
    """All at once and one by one; what lies behind the last of them is not computed."""
    model = spread(ck.random_model(name, seed=0))
    images = random_images(1, 64, dtype=torch.float64)
    layers = [layer for layer in model.layers if len(model.layers._facts()[layer]) == 1]
    with ck.capture(model, layers) as expected, torch.no_grad():
        model(images)
    together = fast_copy(model, layers)
    for some in [layers, *([layer] for layer in layers[::3])]:
        quick = together if some is layers else fast_copy(model, some, logits=False)
        assert quick is not model
        with ck.capture(quick, some) as found, torch.no_grad():
            quick(images)
        for layer in some:
            assert relative_difference(found[layer], expected[layer]) < 1e-10, layer
    first = fast_copy(model, layers[:1], logits=False)
    assert len(list(first.parameters())) <= 2 < len(list(together.parameters()))


def tiny() -> ck.Model:
    """Three convolutions, two of which have a BatchNorm, of torch's own modules."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        parts = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, bias=False)]
        parts += [nn.BatchNorm2d(8), nn.ReLU6(inplace=True), nn.Conv2d(8, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return spread(ck.Model(nn.Sequential(*parts, nn.Linear(8, 3)), mean=(0.4, 0.5, 0.6)))


IMAGES = random_images(2, 16, dtype=torch.float64)


def replace(model: ck.Model) -> None:
    model.module[2] = nn.Tanh()


def load(model: ck.Model) -> None:
    model.load_state_dict({key: value * 1.5 for key, value in model.state_dict().items()})


def set_by_numpy(model: ck.Model) -> None:
    model.module[3].weight.detach().numpy()[1, 2, 0, 0] += 0.3


def step(model: ck.Model) -> None:
    torch.optim.SGD(model.parameters(), lr=0.1).step()


CHANGES = {
    "in place": lambda m: m.module[0].weight.data[0].mul_(1.1),
    "one number": lambda m: m.module[0].weight.data[2, 1, 1, 1].add_(0.01),
    "without grad": torch.no_grad()(lambda m: m.module[3].weight.mul_(0.9)),
    "two filters change places": lambda m: m.module[3].weight.data.copy_(m.module[3].weight.data.roll(1, 1)),
    "by NumPy": set_by_numpy,
    "load_state_dict": load,
    "other data": lambda m: setattr(m.module[0].weight, "data", m.module[0].weight.data.flip(0)),
    "another parameter": lambda m: setattr(m.module[6], "weight", nn.Parameter(m.module[6].weight.data.flip(0))),
    "the last layer, which is shared": lambda m: m.module[9].bias.data.add_(0.5),
    "the last layer's data": lambda m: setattr(m.module[9].weight, "data", m.module[9].weight.data.flip(0)),
    "statistics": lambda m: m.module[1].running_mean.add_(0.2),
    "a setting": lambda m: setattr(m.module[4], "eps", 0.5),
    "a stride": lambda m: setattr(m.module[3], "stride", (2, 2)),
    "another module": replace,
    "one module less": lambda m: m.module.__delitem__(2),
    "another mean": lambda m: setattr(m, "mean", m.mean + 0.1),
    "the mean in place": lambda m: m.mean.add_(0.1),
    "float32": lambda m: m.float(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@torch.no_grad()
def test_every_change_of_the_model_is_noticed(change):
    model = tiny()
    before = fast_copy(model)(IMAGES)
    change(model)
    assert fast_copy(model) is not model
    assert relative_difference(fast_copy(model)(IMAGES), model(IMAGES)) < (
        1e-6 if model.dtype == torch.float32 else 1e-12
    )
    assert model.dtype == torch.float32 or relative_difference(before, model(IMAGES)) > 1e-6, "the change matters"


@torch.no_grad()
def test_a_change_for_the_length_of_a_block_is_noticed_both_times():
    model = tiny()
    whole = fast_copy(model)(IMAGES)
    with ck.cut_weights(model, "3", 1, [0, 4]):
        cut = fast_copy(model)(IMAGES)
        assert relative_difference(cut, model(IMAGES)) < 1e-12 and relative_difference(cut, whole) > 1e-4
    assert torch.equal(fast_copy(model)(IMAGES), whole)
    with ck.ablate(model, "2", [1]):
        assert fast_copy(model) is model
    assert fast_copy(model) is not model


def test_the_copy_is_made_once():
    model = tiny()
    quick = fast_copy(model, ["2"])
    assert fast_copy(model, ["2"]) is quick and fast_copy(quick, ["2"]) is quick
    assert fast_copy(model) is not quick
    assert fast_copy(copy.deepcopy(model), ["2"]) is not quick
    last, twin = model.module[9].weight, list(quick.parameters())[-2]
    assert twin.data_ptr() == last.data_ptr(), "weights that are not folded are not copied"
    model.train()
    assert fast_copy(model, ["2"]) is quick, "methods put every model in eval mode"


def test_nobody_sees_the_copy():
    model = tiny().train()
    model.module[0].weight.grad = torch.ones_like(model.module[0].weight)
    before, kept = state_of(model), torch.get_rng_state()
    quick = fast_copy(model, ["2", "5"])
    with ck.capture(quick, ["2", "5"]), ck.relu_rule(quick, "guided"):
        gradient(quick, IMAGES)
    assert state_of(model) == before and torch.equal(torch.get_rng_state(), kept)
    assert not any(parameter.requires_grad for parameter in quick.parameters())
    assert not any(part.training for part in quick.modules())


def test_a_model_that_nobody_holds_is_forgotten():
    model = tiny()
    fast_copy(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


class Counting(nn.Sequential):
    def forward(self, x):
        self.passes = getattr(self, "passes", 0) + 1
        return super().forward(x)


def counting() -> ck.Model:
    return ck.Model(Counting(*tiny().module).float())


def hooked(kind: str, part: int | None = 3) -> ck.Model:
    model = tiny()
    at = model if part is None else model.module[part]
    getattr(at, f"register_{kind}")(lambda *args: None)
    return model


def weight_normed() -> ck.Model:
    model = tiny()
    nn.utils.parametrizations.weight_norm(model.module[3])
    return model


def patched() -> ck.Model:
    model = tiny()
    model.module[2].forward = torch.tanh
    return model


class Odd(ck.Model):
    pass


PLAIN = {
    "a network of one's own": counting,
    "SmallNet": small_model,
    "a forward hook": lambda: hooked("forward_hook"),
    "a hook before": lambda: hooked("forward_pre_hook", 9),
    "a backward hook": lambda: hooked("full_backward_hook"),
    "a hook on the model": lambda: hooked("forward_hook", None),
    "weights that are made anew": weight_normed,
    "another forward": patched,
    "half": lambda: tiny().half(),
    "bfloat16": lambda: tiny().bfloat16(),
    "TorchScript": lambda: ck.Model(torch.jit.trace(tiny().module.float(), torch.rand(1, 3, 16, 16))),
    "a subclass": lambda: Odd(tiny().module),
}


@pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_might_do_more_than_compute_stays_as_it_is(make):
    model = make()
    assert fast_copy(model) is model
    assert not hasattr(model.module, "passes"), "it has not been run"


def test_a_hook_that_comes_later_is_noticed_and_so_is_its_end():
    model = tiny()
    quick = fast_copy(model)
    handle = model.module[5].register_forward_hook(lambda module, inputs, output: output * 2)
    assert fast_copy(model) is model
    handle.remove()
    assert fast_copy(model) is quick


@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward_pre", "full_backward"])
def test_a_hook_on_all_modules_is_noticed_and_so_is_its_end(kind):
    model = tiny()
    quick = fast_copy(model)
    handle = getattr(nn.modules.module, f"register_module_{kind}_hook")(lambda *_: None)
    try:
        assert fast_copy(model) is model
    finally:
        handle.remove()
    assert fast_copy(model) is quick


def test_a_copy_that_was_made_in_inference_mode_can_be_differentiated():
    model = tiny()
    with torch.inference_mode():
        ck.predict(model, IMAGES)
    assert ck.input_gradient(model, IMAGES, 1).any() and ck.saliency(model, IMAGES, ck.unit("5", 1)).any()


def test_layers_that_have_no_single_output_are_left_to_the_model():
    model = ck.random_model("resnet18")
    assert fast_copy(model, ["module.layer1.0.relu".removeprefix("module.")]) is model  # it runs twice
    with pytest.raises(ck.UnknownLayer, match="'conv9'"):
        fast_copy(model, ["conv9"])
    assert isinstance(fast_copy(model, ["block1"]).layer("block1"), Probe)


def test_one_warning_of_probabilities_is_enough():
    model = ck.Model(nn.Sequential(*tiny().module, nn.Softmax(1)).double())
    with pytest.warns(UserWarning, match="probabilities, not logits"):
        fast_copy(model)(IMAGES)
    fast_copy(model)
    assert model._warned


# ------------------------------------------------------------------------- what the methods say by way of the copy

METHODS = {
    "input_gradient": lambda m, x: ck.input_gradient(m, x, 1),
    "smoothgrad": lambda m, x: ck.smoothgrad(m, x, samples=3),
    "integrated_gradients": lambda m, x: ck.integrated_gradients(m, x, ck.unit("block4", 3), steps=3),
    "guided_backprop": lambda m, x: ck.guided_backprop(m, x, 1),
    "deconvnet": lambda m, x: ck.deconvnet(m, x, ck.unit("block4", 3, position="max")),
    "grad_cam": lambda m, x: ck.grad_cam(m, x, 1),
    "grad_cam of a layer": lambda m, x: ck.grad_cam(m, x, layer="block4", upsample=True),
    "guided_grad_cam": lambda m, x: ck.guided_grad_cam(m, x, 1, layer="block6"),
    "layer_cam": lambda m, x: ck.layer_cam(m, x, 1, layer="block5"),
    "cam": lambda m, x: ck.cam(m, x, 1),
    "fullgrad": lambda m, x: ck.fullgrad(m, x, 1),
    "fullgrad, magnitude": lambda m, x: ck.fullgrad(m, x, 1, magnitude=True),
    "deletion_curve": lambda m, x: ck.deletion_curve(m, x, x.mean(1, keepdim=True), 1, steps=3),
    "occlusion": lambda m, x: ck.occlusion(m, x, 1, window=32, stride=32),
    "activations": lambda m, x: ck.activations(m, x, ["block6", "block2"], reduce="flatten")["block2"],
    "activation_gradients": lambda m, x: ck.activation_gradients(m, x, 1, ["block3"], reduce="flatten")["block3"],
    "predict": lambda m, x: torch.tensor([p for found in ck.predict(m, x) for _, p in found]),
    "render": lambda m, x: ck.render(m, ck.unit("block4", 1), size=64, steps=2, progress=False).images,
    "render, with a class": lambda m, x: (
        ck.render(
            m, ck.objectives.channel("block4", 1) - ck.objectives.logit(2), size=64, steps=2, progress=False
        ).values
    ),
    "invert": lambda m, x: ck.invert(m, x[:1].float(), "block3", steps=2).images,
    "style_transfer": lambda m, x: (
        ck.style_transfer(
            m, x[:1].float(), x[1:].float(), layers=["block1", "block3"], content_layer="block2", steps=2
        ).images
    ),
    "dream": lambda m, x: ck.dream(m, x[:1].float(), "block5", octaves=1, steps=2),
    "dream in tiles": lambda m, x: ck.dream(m, x[:1].float(), "block5", octaves=1, steps=2, tile=48),
    "synthesise_texture": lambda m, x: (
        ck.synthesise_texture(m, x[:1].float(), layers=["block2"], size=48, steps=2).images
    ),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_methods_say_the_same_with_the_copy_and_without(name, method):
    """Also on a model in train mode, which stays as it was."""
    model = spread(ck.random_model(name, seed=0)).train()
    images = random_images(2, 64, dtype=torch.float64)
    before = state_of(model)
    ours = method(model, images)
    assert state_of(model) == before
    handle = model.register_forward_hook(lambda module, inputs, output: None)  # so that no copy is made
    plain = method(model, images)
    handle.remove()
    assert ours.shape == plain.shape and ours.dtype == plain.dtype and ours.is_contiguous() >= plain.is_contiguous()
    assert relative_difference(ours, plain) < (1e-8 if ours.dtype == torch.float64 else 1e-5) and plain.any()
