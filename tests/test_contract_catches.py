"""The contract is worth what it sees: functions that break it, each caught by the clause that it breaks."""

import contextlib
import random

import numpy as np
import pytest
import torch
from calls import CALLS, contract_images, takes_a_model
from nets import SmallNet
from state import unchanged, unusual_model
from torch import Tensor, nn

import coursekit as ck
from coursekit.probe.capture import evaluating
from tests.test_contract import (
    CLAUSES,
    Blown,
    agrees_with_itself,
    answers_in_train_mode_as_in_eval_mode,
    answers_on_any_device,
    answers_where_the_images_are,
    is_the_same_for_inplace_activations,
    leaves_all_as_found,
    refuses_what_is_wrong,
    survives_a_raising_layer,
    takes_a_batch_as_a_loop,
    works_or_explains_itself_in_inference_mode,
    works_without_grad,
)


def forgets_a_hook(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    maps = []
    handle = model.layer(layer).register_forward_hook(lambda module, inputs, output: maps.append(output.clone()))
    ck.predict(model, images)
    handle.remove()  # not after an error
    return torch.cat(maps).detach()


def leaves_eval_mode(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return model.eval()(images).detach()


def forgets_eval_mode(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return model(images).detach()


def leaves_requires_grad_changed(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    model.requires_grad_(False)
    return ck.embed(model, images, layer)


def leaves_a_gradient(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    model(images).sum().backward()
    return images.mean()


def draws_from_the_global_generator(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return images + torch.rand(1)


def returns_a_part_of_the_graph(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return ck.embed(model, images, layer) * model.module.conv1.weight.mean()


def refuses_late(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return ck.embed(model, images / 255, "conv2") + ck.embed(model, images, layer)


def takes_anything(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return images


def looks_at_nothing(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return torch.zeros(2)


def swallows_an_error(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    with contextlib.suppress(Blown, KeyboardInterrupt):
        return ck.embed(model, images, layer)


def keeps_what_is_overwritten(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    maps = []
    handle = model.layer(layer).register_forward_hook(lambda module, inputs, output: maps.append(output))
    ck.predict(model, images)
    handle.remove()
    return torch.cat(maps).detach()


def trusts_that_gradients_are_on(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    x = images.clone().requires_grad_()
    with evaluating(model):
        return torch.autograd.grad(model(x).sum(), x)[0]


def mixes_the_images(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return images / images.max()


def answers_elsewhere(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    return images.to("meta")


def weighs_on_the_cpu(model: ck.Model, images: Tensor, layer: str) -> Tensor:
    with ck.capture(model, ["fc"]) as maps, evaluating(model), torch.no_grad():
        model(images)
    return maps["fc"] * torch.arange(maps["fc"].shape[1])


BREACHES = [
    (leaves_all_as_found, forgets_eval_mode, "changed: .*bn1.running_mean"),
    (leaves_all_as_found, leaves_eval_mode, "changed: .*bn1: training"),
    (leaves_all_as_found, leaves_requires_grad_changed, "changed: .*conv1.weight"),
    (leaves_all_as_found, leaves_a_gradient, "changed: .*conv1.weight"),
    (leaves_all_as_found, draws_from_the_global_generator, "changed: .*torch"),
    (leaves_all_as_found, returns_a_part_of_the_graph, "no part of a graph"),
    (answers_in_train_mode_as_in_eval_mode, forgets_eval_mode, "changed: .*bn1.running_mean"),
    (answers_in_train_mode_as_in_eval_mode, leaves_eval_mode, "changed: .*bn1: training"),
    (refuses_what_is_wrong, refuses_late, "refuses late"),
    (refuses_what_is_wrong, takes_anything, "differs"),
    (refuses_what_is_wrong, looks_at_nothing, "looks at neither"),
    (survives_a_raising_layer, forgets_a_hook, "changed: .*hooks"),
    (survives_a_raising_layer, swallows_an_error, "swallowed"),
    (agrees_with_itself, draws_from_the_global_generator, "differs"),
    (is_the_same_for_inplace_activations, keeps_what_is_overwritten, "differs"),
    (works_without_grad, trusts_that_gradients_are_on, "does not require grad"),
    (works_or_explains_itself_in_inference_mode, trusts_that_gradients_are_on, "does not require grad"),
    (takes_a_batch_as_a_loop, mixes_the_images, "differs"),
    (answers_where_the_images_are, answers_elsewhere, "elsewhere"),
    (answers_on_any_device, weighs_on_the_cpu, "on the same device"),
]


@pytest.mark.parametrize(("clause", "broken", "words"), BREACHES, ids=lambda part: getattr(part, "__name__", ""))
def test_a_clause_catches_a_function_that_breaks_it(clause, broken, words):
    with pytest.raises((AssertionError, RuntimeError), match=words):
        clause(broken)


def test_every_clause_is_shown_to_catch_something():
    assert {clause for clause, _, _ in BREACHES} == {
        *CLAUSES,
        refuses_what_is_wrong,
        takes_a_batch_as_a_loop,
        answers_where_the_images_are,
        answers_on_any_device,
    }


def test_a_function_without_a_call_is_found(monkeypatch):
    def forgotten(model: ck.Model) -> None: ...

    monkeypatch.setattr(ck, "new_method", forgotten, raising=False)
    monkeypatch.setattr(ck, "__all__", [*ck.__all__, "new_method"])
    assert takes_a_model() - set(CALLS) == {"new_method"}


# What the snapshot sees --------------------------------------------------------------------------------------------


def replaces_forward(net: SmallNet, images: Tensor) -> None:
    net.conv1.forward = lambda x: x


def replaces_a_module(net: SmallNet, images: Tensor) -> None:
    net.relu = nn.ReLU()


CHANGES = {
    "forward hook": lambda net, images: net.conv1.register_forward_hook(print),
    "forward pre-hook": lambda net, images: net.conv1.register_forward_pre_hook(print),
    "backward hook": lambda net, images: net.conv1.register_full_backward_hook(print),
    "global hook": lambda net, images: nn.modules.module.register_module_forward_hook(lambda *_: None),
    "mode": lambda net, images: net.dropout.eval(),
    "requires_grad": lambda net, images: net.fc.bias.requires_grad_(True),
    "weight": lambda net, images: net.fc.weight.data.add_(1e-6),
    "statistic": lambda net, images: net.bn1.running_mean.add_(1e-6),
    "gradient": lambda net, images: net.conv1.weight.grad.zero_(),
    "no gradient": lambda net, images: net.zero_grad(),
    "in-place flag": lambda net, images: setattr(net.relu, "inplace", False),
    "forward": replaces_forward,
    "module": replaces_a_module,
    "images": lambda net, images: images.mul_(0.5),
    "gradient of the images": lambda net, images: setattr(images, "grad", torch.zeros_like(images)),
    "torch's generator": lambda net, images: torch.rand(1),
    "NumPy's generator": lambda net, images: np.random.rand(),
    "Python's generator": lambda net, images: random.random(),
    "gradients off": lambda net, images: torch.set_grad_enabled(False),
    "default dtype": lambda net, images: torch.set_default_dtype(torch.float64),
}


@pytest.fixture
def world():
    """Undo what a change has done to the world outside the model."""
    hooks = set(nn.modules.module._global_forward_hooks)
    yield
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    for key in set(nn.modules.module._global_forward_hooks) - hooks:
        del nn.modules.module._global_forward_hooks[key]


@pytest.mark.parametrize("name", CHANGES)
def test_the_snapshot_sees_what_it_should(name, world):
    model, images = unusual_model(), contract_images()
    with pytest.raises(AssertionError, match="changed"), unchanged(model, images):
        CHANGES[name](model.module, images)


def test_the_snapshot_is_still_where_nothing_happens():
    model, images = unusual_model(), contract_images()
    with unchanged(model, images):
        pass
