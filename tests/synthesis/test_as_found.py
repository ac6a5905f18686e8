"""A network in train mode is asked as in eval mode, and stays as it was: statistics, modes, random state."""

import copy

import pytest
import torch
from nets import SmallNet, random_images, seeded

import coursekit as ck

SIZE = 32
ONE, OTHER, SIX = random_images(1, SIZE, seed=1), random_images(1, SIZE, seed=2), random_images(6, SIZE)
HALVES = torch.arange(2).repeat_interleave(SIZE // 2)[:, None].expand(SIZE, SIZE)
STYLE = {"layers": ["conv1", "conv2"], "steps": 2}
o = ck.objectives


def painted(objective):
    """Make a picture for an objective that has looked at an image of its own."""
    return lambda model: ck.render(model, objective(model), size=SIZE, steps=2, progress=False).images


CALLS = {
    "match": painted(lambda model: o.match(model, ONE, "conv2")),
    "texture": painted(lambda model: o.texture(model, ONE, "conv2")),
    "caricature": painted(lambda model: o.caricature(model, ONE, "conv2")),
    "guide": painted(lambda model: o.guide(model, ONE, "conv2")),
    "render": painted(lambda model: 3),
    "invert": lambda model: ck.invert(model, ONE, "conv2", steps=2).images,
    "inversion_error": lambda model: ck.inversion_error(model, SIX, "conv2", ONE, others=SIX[:3]),
    "dream": lambda model: ck.dream(model, ONE, "conv2", octaves=1, steps=2),
    "dream in tiles": lambda model: ck.dream(model, ONE, "conv2", octaves=1, steps=2, tile=20),
    "facets": lambda model: ck.facets(model, SIX, 0, count=2, top=6, nearest=2, layer="conv2").starts,
    "style_transfer": lambda model: ck.style_transfer(model, ONE, OTHER, content_layer="conv2", **STYLE).images,
    "synthesise_texture": lambda model: ck.synthesise_texture(model, ONE, size=SIZE, **STYLE).images,
    "gram_distance": lambda model: ck.gram_distance(model, SIX, ONE, ["conv1", "conv2"]),
    "neural_doodle": lambda model: ck.neural_doodle(model, ONE, HALVES, HALVES.T, **STYLE).images,
    "gradient_sign": lambda model: ck.gradient_sign(model, SIX, 2),
    "smallest_change": lambda model: ck.smallest_change(model, ONE, 2, steps=2)[0],
    "evolve": lambda model: ck.evolve(model, 2, lambda g: g.view(-1, 3, 8, 8), genes=192, generations=2)[0],
}


@pytest.mark.parametrize("name", CALLS)
def test_a_network_in_train_mode_answers_as_in_eval_mode_and_stays_as_it_was(name):
    model = ck.Model(seeded(SmallNet()))
    expected = CALLS[name](model)
    model.train()
    model.module.conv3.eval()  # modes are kept one by one
    modes = [module.training for module in model.modules()]
    weights, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    found = CALLS[name](model)
    assert torch.equal(found, expected)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


@pytest.mark.parametrize("name", CALLS)
def test_gradients_may_be_switched_off_around_a_call(name):
    model = ck.Model(seeded(SmallNet()))
    with torch.no_grad():
        found = CALLS[name](model)
    assert torch.equal(found, CALLS[name](model))


def test_an_objective_is_about_one_image():
    model, two = ck.Model(seeded(SmallNet())), random_images(2, SIZE)
    for objective in (o.match, o.texture, o.caricature, o.guide):
        with pytest.raises(ck.ImageError, match="one image"):
            objective(model, two, "conv2")
