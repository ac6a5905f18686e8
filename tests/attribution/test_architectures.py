"""The attribution labs' *swap the network* on ten architectures of torchvision with random weights, not downloaded.

Each line gives what its lab derives, or says in one sentence why its rule cannot apply; the network stays as it was.
"""

import pytest
import torch
import torch.nn.functional as F
from nets import in_float64, relative_difference

import coursekit as ck

RULES = {"guided_backprop", "deconvnet", "relevance"}
REFUSED = {  # what cannot apply, by the activations and the head of each architecture
    "alexnet": {"cam"},
    "squeezenet1_1": {"cam"},
    "resnet18": set(),
    "densenet121": {"relevance"},
    "mobilenet_v2": set(),
    "mnasnet0_5": set(),
    "shufflenet_v2_x0_5": set(),
    "mobilenet_v3_small": RULES | {"cam", "fullgrad"},
    "regnet_y_400mf": RULES | {"fullgrad"},
    "efficientnet_b0": RULES | {"fullgrad"},
}
SIZE = 96


@pytest.fixture(scope="module", params=REFUSED)
def swapped(request):
    """A network, a photograph, its class there, and its score before any method has run."""
    model = ck.random_model(request.param)
    assert "random weights" in model.source and "not trained" in model.source
    image = F.interpolate(ck.load_image("coffee", size=224), SIZE, mode="bilinear", antialias=True)
    logits = model(image)[0]
    target = int(logits.argmax())
    return request.param, model, image, target, logits[target].clone()


def test_lab_03_a_window_of_the_map_is_the_drop_by_hand(swapped):
    _, model, image, target, score = swapped
    drops = ck.occlusion(model, image, target, window=SIZE // 3, stride=SIZE // 3, fill="black")
    covered = image.clone()
    covered[:, :, SIZE // 3 : 2 * SIZE // 3, : SIZE // 3] = 0
    drop = score - model(covered)[0, target]
    inside = drops[0, 0, SIZE // 2, SIZE // 6]
    assert torch.isclose(inside, drop, rtol=1e-2, atol=1e-4 * float(score.abs()) + 1e-12)


def test_lab_04_the_gradient_is_autograds_and_its_integral_is_the_difference(swapped):
    _, model, image, target, score = swapped
    with in_float64(model):  # as float32, PyTorch 2.6 rounds a ReLU of densenet121 to the other side of its kink
        moved = image.double().requires_grad_()
        model(moved)[0, target].backward()
        assert relative_difference(ck.input_gradient(model, image.double(), target), moved.grad) < 1e-9
    gradient = ck.input_gradient(model, image, target)
    assert torch.equal(ck.saliency(model, image, target), gradient.abs().amax(1, keepdim=True))
    path = ck.integrated_gradients(model, image, target, steps=32).sum()
    black = model(torch.zeros_like(image))[0, target]
    assert abs(path - (score - black)) < 0.1 * (score - black).abs()


@pytest.mark.parametrize("name", ["guided_backprop", "deconvnet", "relevance", "cam", "fullgrad", "grad_cam"])
def test_labs_05_and_06_a_rule_applies_or_says_why_not(swapped, name):
    network, model, image, target, score = swapped
    method = getattr(ck, name)
    if name in REFUSED[network]:
        with pytest.raises((ck.UnsupportedNetwork, ck.UnsupportedActivation), match=r"\w+ \w+ \w+"):
            method(model, image, target)
    else:
        found = method(model, image, target)
        assert found.isfinite().all() and found.abs().sum() > 0
        if name in ("guided_backprop", "deconvnet"):
            gradient = ck.input_gradient(model, image, target)
            assert F.cosine_similarity(found.flatten(), gradient.flatten(), 0) < 0.99, "the rule does something"
        if name == "cam":
            bias = model.head.bias[target]
            assert torch.isclose(found.mean() + bias, score, rtol=1e-2, atol=1e-6), "CAM's mean is the logit"
    assert torch.equal(model(image)[0, target], score), "the network is left as it was"
