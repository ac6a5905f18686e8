"""Whatever runs a network over images asks it in eval mode, and gives it back as it was: also one in train mode."""

from collections.abc import Callable

import pytest
import torch
from nets import random_images, small_model
from torch import nn

import coursekit as ck
from coursekit.probe.capture import answers

SIZE = 24
IMAGES = random_images(10, size=SIZE)
CONCEPTS = ck.Concepts(IMAGES, random_images(10, size=SIZE, seed=1)[:, :2] > 0.5, ["red", "round"], ["kind", "kind"])
SCENES = ck.PartScenes(IMAGES, torch.tensor([[2, 2, 16, 16]] * 10), torch.zeros(10, dtype=torch.bool), ["hen"] * 10)

ASKS: dict[str, Callable[[ck.Model], object]] = {
    "answers": lambda model: answers(model, IMAGES),
    "predict": lambda model: ck.predict(model, IMAGES, top=2),
    "activations": lambda model: ck.activations(model, IMAGES, ["conv2", "fc"], reduce="max"),
    "activation_gradients": lambda model: ck.activation_gradients(model, IMAGES, None, ["conv2"]),
    "top_patches": lambda model: vars(ck.top_patches(model, IMAGES, "conv2", 3, k=4)),
    "dissect": lambda model: vars(ck.dissect(model, CONCEPTS, "conv2")),
    "part_places": lambda model: ck.part_places(model, SCENES, "conv2"),
    "orientation_tuning": lambda model: ck.orientation_tuning(model, "conv2", angles=3).responses,
    "curve_tuning": lambda model: ck.curve_tuning(model, "conv2", angles=3, radii=(6,)).responses,
    "deletion_curve": lambda model: ck.deletion_curve(model, IMAGES, IMAGES, steps=3),
    "insertion_curve": lambda model: ck.insertion_curve(model, IMAGES, IMAGES, steps=3),
    "randomisation_test": lambda model: (
        ck.randomisation_test(
            model, {"gradient": ck.input_gradient}, IMAGES, seeds=[0], layers=["fc"], progress=False
        ).rows
    ),
    "explore_prediction": lambda model: ck.explore_prediction(model).picture.data,
    "explore_activations": lambda model: ck.explore_activations(model).picture.data,
    "explore_cam": lambda model: ck.explore_cam(model, IMAGES[:1]).picture.data,
    "explore_saliency": lambda model: ck.explore_saliency(model, IMAGES[:1]).picture.data,
    "explore_randomisation": lambda model: ck.explore_randomisation(model, IMAGES[:1]).picture.data,
}


def model_of_the_test() -> ck.Model:
    model = small_model()
    model.input_size = SIZE
    return model


def flat(result: object) -> list:
    """Tensors as lists, containers as lists of their parts: what can be compared by ==."""
    if isinstance(result, torch.Tensor):
        return result.tolist()
    if isinstance(result, dict):
        return [[key, flat(value)] for key, value in result.items()]
    return [flat(part) for part in result] if isinstance(result, list | tuple) else [result]


@pytest.mark.parametrize("name", ASKS)
def test_a_network_in_train_mode_answers_as_in_eval_mode_and_stays_as_it_was(name):
    expected, model = flat(ASKS[name](model_of_the_test())), model_of_the_test().train()
    model.module.bn1.eval()  # a mixture of modes must come back, too
    before = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(5)
    random = torch.get_rng_state()
    assert flat(ASKS[name](model)) == expected
    assert torch.equal(torch.get_rng_state(), random), "dropout has drawn"
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training and model.module.dropout.training and not model.module.bn1.training


def test_batches_do_not_matter_to_the_strongest_place_of_a_channel():
    whole = ck.top_patches(model_of_the_test(), IMAGES, "conv2", 3, k=10)
    for i, image in enumerate(whole.images.tolist()):
        alone = ck.top_patches(model_of_the_test(), IMAGES[[image]], "conv2", 3, k=1)
        assert alone.boxes[0] == whole.boxes[i] and torch.equal(alone.positions[0], whole.positions[i])
        torch.testing.assert_close(alone.values[0], whole.values[i])


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: ck.dissect(model, CONCEPTS, "fc"),
        lambda model: ck.part_places(model, SCENES, "fc"),
        lambda model: ck.orientation_tuning(model, "fc", angles=3),
    ],
)
def test_a_layer_without_maps_is_told_in_one_sentence(ask):
    with pytest.raises(ck.OptionError, match=r"'fc' has no maps, but the shape \(\d+, 5\); choose an earlier one"):
        ask(model_of_the_test())


SWAPPED = {  # a call with its arguments in a wrong order -> exception, words of its message
    "layer for images": (
        lambda m: ck.top_patches(m, "conv2", 3, IMAGES),
        ck.ImageError,
        "images must .* but is str .conv2",
    ),
    "layer for concepts": (
        lambda m: ck.dissect(m, "conv2", CONCEPTS),
        ck.OptionError,
        "a ck.Concepts, but is str",
    ),
    "images for concepts": (
        lambda m: ck.dissect(m, IMAGES, "conv2"),
        ck.OptionError,
        "a ck.Concepts, but is Tensor",
    ),
    "layer for scenes": (
        lambda m: ck.part_places(m, "conv2", SCENES),
        ck.OptionError,
        "a ck.PartScenes, but is str",
    ),
    "layers for images": (
        lambda m: ck.activations(m, ["conv2"], IMAGES),
        ck.ImageError,
        "images must .* but is list",
    ),
    "images for layer": (
        lambda m: ck.embed(m, IMAGES, IMAGES),
        ck.UnknownLayer,
        r"layer must .* is Tensor \(10, 3",
    ),
    "images for channel": (lambda m: ck.unit("conv2", IMAGES), ck.TargetError, r"channel must .* is Tensor \(10, 3"),
    "images for target": (lambda m: ck.saliency(m, IMAGES, IMAGES), ck.TargetError, r"A target is .* Tensor \(10, 3"),
    "images for top": (lambda m: ck.predict(m, IMAGES, IMAGES), ck.OptionError, r"top must be .* is Tensor \(10, 3"),
    "class for maps": (
        lambda m: ck.deletion_curve(m, IMAGES, 3),
        ck.OptionError,
        "maps must .* but is 3",
    ),
    "one layer": (
        lambda m: ck.activation_gradients(m, IMAGES, ["conv2"], 3),
        ck.TargetError,
        "target must be .* but is list",
    ),
    "images for model": (lambda m: ck.saliency(IMAGES, m), ck.OptionError, "model must be a ck.Model, but is Tensor"),
    "raw network": (lambda m: ck.predict(m.module, IMAGES), ck.OptionError, "ck.Model, but is a SmallNet; wrap it"),
}


@pytest.mark.parametrize("case", SWAPPED)
def test_arguments_in_a_wrong_order_raise_one_short_sentence(case):
    call, error, words = SWAPPED[case]
    with pytest.raises(error, match=words) as raised:
        call(model_of_the_test())
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200


# ------------------------------------------------------------------------------------------------ too little memory


class Small(nn.Module):
    """A network on a machine that holds only so many images at once."""

    def __init__(self, network: nn.Module, most: int):
        super().__init__()
        self.network, self.most, self.sizes = network, most, []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return self.network(x)


FULL = {
    "predict": lambda m, x: torch.tensor([p for found in ck.predict(m, x) for _, p in found]),
    "saliency": lambda m, x: ck.saliency(m, x, 1),
    "integrated gradients": lambda m, x: ck.integrated_gradients(m, x[:1], 1, steps=20),
    "grad_cam": lambda m, x: ck.grad_cam(m, x, 1),
    "guided_grad_cam": lambda m, x: ck.guided_grad_cam(m, x, 1),
    "cam": lambda m, x: ck.cam(m, x, 1),
    "fullgrad": lambda m, x: ck.fullgrad(m, x, 1),
    "activation_gradients": lambda m, x: ck.activation_gradients(m, x, 1, ["network.0"])["network.0"],
    "deletion_curve": lambda m, x: ck.deletion_curve(m, x, x.mean(1, keepdim=True), 1, steps=3),
    "relevance": lambda m, x: ck.relevance(m, x, 1),
    "occlusion": lambda m, x: ck.occlusion(m, x, 1, window=8, stride=4),
    "occlusion_grid": lambda m, x: ck.occlusion_grid(m, x, 1, window=8, stride=8).score,
    "rise": lambda m, x: ck.rise(m, x, 1, n=20, cells=3),
}


@pytest.mark.parametrize("method", FULL.values(), ids=FULL)
def test_a_batch_that_does_not_fit_into_the_memory_is_taken_in_parts(method):
    """Eight images, then four, two: one warning, and the same numbers as where all fit."""
    torch.manual_seed(0)
    parts = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    network = nn.Sequential(*parts, nn.Linear(8, 5))
    images = torch.rand(11, 3, 16, 16)
    expected = method(ck.Model(Small(network, 100)), images)
    small = Small(network, 3)
    with pytest.warns(UserWarning, match="memory is too small for 8 images at once") as said:
        found = method(ck.Model(small), images)
    assert torch.allclose(found, expected, atol=1e-6) and expected.any()
    assert len({str(one.message) for one in said}) == 1 and max(small.sizes) == 8 and small.sizes[-1] <= 2


def test_an_image_that_does_not_fit_by_itself_says_what_the_machine_said():
    with pytest.warns(UserWarning, match="memory"), pytest.raises(RuntimeError, match="out of memory"):
        ck.predict(ck.Model(Small(nn.Flatten(), 0)), torch.rand(3, 3, 8, 8))


class _Backwards(torch.autograd.Function):
    """The identity; on the way back there is room for three images."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, signal):
        if len(signal) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return signal


class _SmallOnTheWayBack(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(_Backwards.apply(x))


def test_guided_grad_cam_goes_on_by_the_right_rule_when_the_memory_fails_on_the_way_back():
    """To the layer by the gradient, to the image by the guided rule: also in a batch that is tried again."""
    torch.manual_seed(0)
    parts = nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    parts = *parts, nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 5)
    images = torch.rand(7, 3, 16, 16)
    expected = ck.guided_grad_cam(ck.Model(nn.Sequential(*parts)), images, 1, layer="0")
    with pytest.warns(UserWarning, match="memory is too small"):
        found = ck.guided_grad_cam(ck.Model(_SmallOnTheWayBack(*parts)), images, 1, layer="0")
    assert expected.any() and (found - expected).abs().max() < 1e-4 * expected.abs().max()
