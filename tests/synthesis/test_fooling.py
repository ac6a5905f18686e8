"""Fooling images: closed forms on linear networks, bounds that hold, and elitism."""

import pytest
import torch
import torch.nn.functional as F
from nets import CLASSES, SmallNet, random_images, seeded
from torch import nn

import coursekit as ck
from coursekit.errors import OptionError, TargetError

SIZE = 8


@pytest.fixture
def model():
    model = ck.Model(seeded(SmallNet()))
    model.input_size = SIZE
    return model


@pytest.fixture
def linear():
    return ck.Model(seeded(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 2)), seed=1))


@pytest.mark.parametrize(("target", "away"), [(0, False), (0, True), (1, False)])
def test_one_step_on_two_linear_classes_is_the_sign_of_their_difference(linear, target, away):
    weight = linear.module[1].weight.detach()
    toward = (weight[target] - weight[1 - target]).view(1, 3, SIZE, SIZE).sign() * (-1 if away else 1)
    images = 0.2 + 0.6 * random_images(2, SIZE)
    made = ck.gradient_sign(linear, images, target, epsilon=0.1, away=away)
    torch.testing.assert_close(made, images + 0.1 * toward, atol=1e-6, rtol=0)


def test_many_small_steps_stay_within_epsilon_and_within_a_picture(model):
    images = random_images(3, SIZE)
    made = ck.iterated_gradient_sign(model, images, 2, epsilon=0.05, step=0.02, steps=9)
    assert (made - images).abs().max() <= 0.05 + 1e-6 and made.min() >= 0 and made.max() <= 1
    before, after = (model(x).log_softmax(1)[:, 2] for x in (images, made))
    assert (after > before).all()
    less = ck.iterated_gradient_sign(model, images, 2, epsilon=0.05, step=0.02, steps=9, away=True)
    assert (model(less).log_softmax(1)[:, 2] < before).all()


def test_the_smallest_change_of_a_linear_network_follows_its_weights(linear):
    image = torch.full((1, 3, SIZE, SIZE), 0.5)
    weight = linear.module[1].weight.detach()
    made, size = ck.smallest_change(linear, image, 1, weight=2000.0, steps=200)
    change = (made - image).flatten()
    assert F.cosine_similarity(change, weight[1] - weight[0], dim=0) > 0.999
    # At the optimum weight · r / n = (1 - p) (w₁ - w₀).
    expected = (1 - linear(made).softmax(1)[0, 1]) * (weight[1] - weight[0]) * change.numel() / 2000.0
    torch.testing.assert_close(change, expected.detach(), atol=1e-4, rtol=1e-2)
    assert size == pytest.approx(change.pow(2).mean().sqrt().item())


def test_a_dear_change_is_smaller(model):
    image = random_images(1, SIZE)
    sizes = [ck.smallest_change(model, image, 3, weight=w)[1] for w in (1.0, 100.0, 10_000.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_evolution_never_loses_its_best_and_repeats(model):
    def draw(genes):
        return genes.view(-1, 3, 1, 1).expand(-1, -1, SIZE, SIZE)

    runs = [ck.evolve(model, 1, draw, genes=3, population=6, generations=12, seed=seed) for seed in (5, 5, 6)]
    (image, best), again, other = runs
    assert best == sorted(best) and best[-1] > best[0] and best == again[1] != other[1]
    assert model(image).softmax(1)[0, 1].item() == pytest.approx(best[-1], abs=1e-5)


@pytest.mark.parametrize("call", ["gradient_sign", "iterated_gradient_sign", "smallest_change"])
def test_the_model_stays_as_it_was(model, call):
    model.train()
    image, state = random_images(1, SIZE), torch.get_rng_state()
    getattr(ck, call)(model, image, 1)
    assert model.training and torch.equal(torch.get_rng_state(), state) and not image.requires_grad
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("call", ["gradient_sign", "iterated_gradient_sign", "smallest_change"])
@pytest.mark.parametrize("target", [CLASSES, -1, "cat", True, None])
def test_a_wrong_class_gets_one_sentence(model, call, target):
    with pytest.raises(TargetError):
        getattr(ck, call)(model, random_images(1, SIZE), target)


def test_wrong_options_get_one_sentence(model):
    images = random_images(2, SIZE)
    for call in (
        lambda: ck.gradient_sign(model, images, 0, epsilon=0),
        lambda: ck.iterated_gradient_sign(model, images, 0, step=-1),
        lambda: ck.iterated_gradient_sign(model, images, 0, steps=0),
        lambda: ck.smallest_change(model, images, 0),
        lambda: ck.evolve(model, 0, lambda genes: images, population=3),
    ):
        with pytest.raises(OptionError):
            call()
