"""Numbers at the edge: images and networks for which every function is right, or says in a sentence why it cannot be.

The calls are those of the contract (`calls.py`). Explorers show what these functions return.
"""

import math

import pytest
import torch
from calls import CALLS, contract_images, contract_model
from misuse import not_finite
from nets import MEAN, STD
from torch import Tensor, nn

import coursekit as ck
from coursekit.figures.figure import Picture

NAMES = sorted(name for name in CALLS if not name.startswith("explore"))
# They look at the network alone, or at pictures of their own.
BLIND = {"curve_tuning", "evolve", "orientation_tuning", "randomisable", "render", "style_layers"}
# They show what the layers compute, also where that is infinite.
SHOWS = {"ablate", "activations", "capture", "cut_weights"}


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    monkeypatch.setattr(Picture, "data", b"")


def scaled(factor: float) -> ck.Model:
    """A network whose logits are `factor` times as large."""
    model = contract_model()
    with torch.no_grad():
        model.layer("fc").weight.mul_(factor)
        model.layer("fc").bias.mul_(factor)
    return model


def silent() -> ck.Model:
    """A network whose weights are all zero, and so are its gradients."""
    model = contract_model()
    nn.utils.vector_to_parameters(torch.zeros(sum(p.numel() for p in model.parameters())), model.parameters())
    return model


def one_logit() -> ck.Model:
    """A network with a single logit: two classes, no and yes (what that means: networks/test_foreign.py)."""
    module = contract_model().module
    module.fc.weight.data, module.fc.bias.data = module.fc.weight.data[:1], module.fc.bias.data[:1]
    model = ck.Model(module, MEAN, STD)
    model.input_size = 32
    return model


def spoilt(value: float) -> Tensor:
    images = contract_images()
    images[0, 0, 3, 3] = value
    return images


EDGES = {  # name -> (network, images)
    "black": lambda: (contract_model(), torch.zeros(2, 3, 32, 32)),
    "white": lambda: (contract_model(), torch.ones(2, 3, 32, 32)),
    "one image": lambda: (contract_model(), contract_images()[:1]),
    "one pixel": lambda: (contract_model(), contract_images()[:, :, :1, :1]),
    "one row": lambda: (contract_model(), contract_images()[:, :, :1]),
    "one logit": lambda: (one_logit(), contract_images()),
    "no gradient": lambda: (silent(), contract_images()),
    "logits of 10,000": lambda: (scaled(1e5), contract_images()),
    "logits of 1e30": lambda: (scaled(1e31), contract_images()),
    "infinite logits": lambda: (scaled(1e38), contract_images()),
}


def values(name: str, model: ck.Model, images: Tensor) -> object:
    found = CALLS[name](model, images, "conv2")
    return list(found) if hasattr(found, "__iter__") and not isinstance(found, Tensor | dict) else found


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", NAMES)
def test_at_the_edge_every_function_is_finite_or_says_why_not(name, edge):
    model, images = EDGES[edge]()
    try:
        found = values(name, model, images)
    except ck.CoursekitError as error:
        assert str(error).endswith((".", "?")) and len(str(error)) < 400, str(error)
    else:
        assert (name in SHOWS and edge == "infinite logits") or not not_finite(found)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", sorted(set(NAMES) - BLIND))
def test_images_that_are_not_finite_are_refused(name, value):
    with pytest.raises(ck.ImageError, match="finite"):
        values(name, contract_model(), spoilt(value))


@pytest.mark.parametrize("name", sorted(set(NAMES) - BLIND - {"flips"}))  # flips takes the images of a case
def test_no_images_are_refused(name):
    with pytest.raises(ck.CoursekitError):
        values(name, contract_model(), contract_images()[:0])


@pytest.mark.parametrize("name", ["predict", "input_gradient", "grad_cam", "deletion_curve", "evolve", "gradient_sign"])
def test_infinite_logits_are_named(name):
    with pytest.raises(ck.UnsupportedNetwork, match="logits that are NaN or infinite"):
        values(name, scaled(1e38), contract_images())


def test_gradients_whose_product_is_infinite_are_named():
    with pytest.raises(ck.UnsupportedNetwork, match="products are infinite"):
        values("guided_grad_cam", scaled(1e31), contract_images())


def test_a_doodle_whose_style_gives_zeros_is_refused():
    with pytest.raises(ck.OptionError, match="'conv2' a region of the style gives nothing but zeros"):
        values("neural_doodle", silent(), contract_images())


LARGE = {  # as few passes as they can do with; the others take one, and are called as in the contract
    "smoothgrad": lambda m, x, layer: ck.smoothgrad(m, x, 1, samples=2),
    "integrated_gradients": lambda m, x, layer: ck.integrated_gradients(m, x, 1, steps=2),
    "occlusion": lambda m, x, layer: ck.occlusion(m, x, 1, window=1000, stride=1000),
    "rise": lambda m, x, layer: ck.rise(m, x, 1, n=3, cells=4),
}


@pytest.mark.parametrize("name", ck.all_methods())
def test_a_picture_of_2000_by_2000_pixels_has_a_finite_map(name):
    images = contract_images()[:1].repeat(1, 1, 63, 63)[..., :2000, :2000]
    found = LARGE.get(name, CALLS[name])(contract_model(), images, "conv2")
    size = 1000 if name in ("cam", "grad_cam", "hires_cam", "layer_cam") else 2000  # the layer's, or the picture's
    assert found.shape[::2] == (1, size) and found.shape[3] == size
    assert found.isfinite().all() and found.abs().max() > 0
