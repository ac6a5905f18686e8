"""What people reported of other tools, tried on ours: each gives a right value or one specific sentence.

Most such problems have their test where the function has its own; these are the ones that have no other place.
"""

import re

import pytest
import torch
from nets import random_images
from torch import nn

import coursekit as ck
from coursekit.files import DATA


def network(classes=3):
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    )


@pytest.fixture
def images():
    return random_images(2, 64)


def test_predict_in_train_mode_is_that_of_eval_mode_and_changes_nothing(images):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8 * 62 * 62, 3))
    model = ck.Model(net)
    expected = ck.predict(model, images)
    model.train()
    assert ck.predict(model, images) == expected and model.training
    assert net[1].running_mean.unique().tolist() == [0]


def test_explorers_of_a_network_with_three_classes_and_names_of_its_own(images):
    model = ck.Model(network(), labels=["a", "b", "c"])
    model.input_size = 64
    assert [len(best) for best in ck.predict(model, images)] == [3, 3]
    for explore in (ck.explore_occlusion, ck.explore_saliency, ck.explore_cam):
        assert explore(model, images[:1])
    assert ck.explore_prediction(model) and ck.explore_dream(model, "1", size=64)
    assert ck.explore_activations(model, layer="1")


def test_gradients_that_are_switched_off(images):
    model = ck.Model(network())
    gradient = ck.input_gradient(model, images, 1)
    with torch.no_grad():
        assert torch.equal(ck.input_gradient(model, images, 1), gradient)
        assert ck.gradient_sign(model, images[:1], 1).isfinite().all()
    with torch.inference_mode(), pytest.raises(ck.OptionError, match=r"torch\.inference_mode"):
        ck.input_gradient(model, images, 1)


def test_style_layers_runs_one_forward_pass():
    model, passes = ck.random_model("mobilenet_v3_small"), []
    model.module.register_forward_hook(lambda *_: passes.append(1))
    ck.style_layers(model)
    assert len(passes) == 1 and len(model.layers) > 100


@pytest.mark.parametrize(
    ("method", "count", "sentence"),
    [("umap", 2, "umap lays out 4 codes or more"), ("laplacian", 3, "laplacian lays out 4 codes or more")],
)
def test_too_few_codes_to_lay_out(method, count, sentence):
    with pytest.raises(ck.OptionError, match=sentence):
        ck.project(torch.randn(count, 8), method)


def test_a_misspelt_option_names_what_was_given_and_no_more():
    with pytest.raises(ck.OptionError, match="n_neighbours") as error:
        ck.project(torch.randn(60, 8), "umap", n_neighbours=5)
    assert len(str(error.value)) < 300 and not re.search("precomputed", str(error.value))


def test_a_picture_too_small_for_the_network():
    with pytest.raises(ck.ImageError, match="alexnet cannot read images of 46 × 46 pixels"):
        model = ck.random_model("alexnet")
        ck.dream(model, torch.rand(1, 3, 64, 64), list(model.layers)[-1], octaves=2, steps=1)


def test_a_stored_table_of_another_kind_is_refused():
    sweep = DATA / "sanity/coursenet.json"
    with pytest.raises(ck.OptionError, match="scoreboard"):
        ck.Scoreboard.load(sweep)
