"""Planted concepts are found, a sensitivity index is the analytic one, and what is removed is what the formula says."""

from itertools import pairwise

import pytest
import torch
from nets import random_images, relative_difference, small_model
from state import unchanged, unusual_model
from torch import nn

import coursekit as ck
from coursekit.probe.capture import evaluating
from coursekit.probe.cutting import replaced
from coursekit.representations import dictionary


class Painted(nn.Module):
    """The layer gives three channels for each of two colours; class 0 likes red three times as much as blue."""

    def __init__(self):
        super().__init__()
        self.colours, self.pool, self.fc = nn.Conv2d(3, 6, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Linear(6, 5)
        with torch.no_grad():
            self.colours.weight[:, :, 0, 0] = PLANTED.T @ torch.eye(3)[[0, 2]]
            self.fc.weight.zero_()
            self.fc.bias.zero_()
            self.fc.weight[0] = torch.tensor([3.0, 1.0]) @ torch.linalg.pinv(PLANTED).T

    def forward(self, x):
        return self.fc(self.pool(self.colours(x)).flatten(1))


PLANTED = nn.functional.normalize(torch.tensor([[3.0, 2, 1, 0, 0, 0], [0, 0, 0, 1, 2, 2]]), dim=1)


def painted(n=6, size=12):
    """Images whose upper half is red and whose lower half is blue, each at a strength of its own."""
    strength = 0.2 + 0.8 * torch.rand(n, 2, generator=torch.Generator().manual_seed(0))
    images = torch.zeros(n, 3, size, size)
    images[:, 0, : size // 2] = strength[:, :1, None]
    images[:, 2, size // 2 :] = strength[:, 1:, None]
    return ck.Model(Painted(), mean=[0.0] * 3, std=[1.0] * 3), images, strength


def test_planted_concepts_are_found_where_they_are_and_weighed_by_what_the_class_makes_of_them():
    model, images, strength = painted()
    found = ck.discover_concepts(model, images, 0, "colours", count=2, crop=4)
    assert torch.allclose(found.directions, PLANTED, atol=0.01), "the more important first"
    assert found.explained > 0.999 and len(found.codes) == len(found.crops) == 6 * 4 * 4
    where = found.maps(ck.activations(model, images, ["colours"], reduce="maps")["colours"])
    red, blue = where.unbind(1)
    assert relative_difference(red[:, :6], strength[:, :1, None].expand(-1, 6, 12)) < 0.02 and red[:, 6:].max() < 0.01
    assert relative_difference(blue[:, 6:], strength[:, 1:, None].expand(-1, 6, 12)) < 0.02
    # The logit is additive: red m_0 3 r/2 + blue m_1 b/2, so the index of m_0 is 9 r² / (9 r² + b²).
    share = float((9 * strength[:, 0] ** 2 / (9 * strength[:, 0] ** 2 + strength[:, 1] ** 2)).mean())
    assert found.importance.tolist() == pytest.approx([share, 1 - share], abs=0.06)


def test_the_top_crops_of_a_concept_show_it_and_come_from_different_images():
    model, images, strength = painted()
    found = ck.discover_concepts(model, images, 0, "colours", count=2, crop=4)
    red = found.top(0, 4)
    assert found.images[red].tolist() == strength[:, 0].argsort(descending=True)[:4].tolist()
    for crop in red:
        top, left, height, width = found.boxes[crop]
        cut = images[found.images[crop], :, top : top + height, left : left + width]
        assert torch.equal(found.crops[crop], cut) and (cut[0] > 0).all() and (cut[2] == 0).all()


def test_crops_reach_every_border_and_overlap_by_a_fifth():
    for length, side in ((224, 74), (128, 42), (30, 30), (31, 10)):
        _, owners, boxes = dictionary._crops(torch.rand(2, 3, length, length), side)
        tops = sorted({top for top, *_ in boxes})
        assert tops[0] == 0 and tops[-1] == length - side
        assert all(b - a <= 0.8 * side + 1 for a, b in pairwise(tops))
        assert len(boxes) == 2 * len(tops) ** 2 == 2 * int((owners == 0).sum())


def test_codes_are_the_least_squares_that_scipy_finds():
    from scipy.optimize import nnls

    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(20, 12, generator=generator).clamp(min=0).double()
    directions = nn.functional.normalize(torch.rand(5, 12, generator=generator).double(), dim=1)
    expected = torch.stack([torch.from_numpy(nnls(directions.T.numpy(), row.numpy())[0]) for row in rows])
    assert relative_difference(dictionary._codes(rows, directions), expected) < 1e-4


def test_the_indices_of_an_additive_function_and_of_a_product_are_the_analytic_ones():
    weights = torch.tensor([3.0, -2, 1, 0])
    found = ck.sobol_indices(lambda x: x @ weights + 7, 4, samples=2048)
    assert torch.allclose(found, weights**2 / (weights**2).sum(), atol=0.02)
    # f = x y: Var f = 1/9 − 1/16 = 7/144, of which E[y²] Var x = 1/36 goes with x: 4/7 each, together more than 1.
    product = ck.sobol_indices(lambda x: x[:, 0] * x[:, 1], 2, samples=2048)
    assert product.tolist() == pytest.approx([4 / 7, 4 / 7], abs=0.02)
    assert ck.sobol_indices(lambda x: torch.ones(len(x)), 3).tolist() == [0, 0, 0]


def test_removing_all_concepts_leaves_the_rest_and_the_control_removes_as_much():
    model, images, strength = painted()
    found = ck.discover_concepts(model, images, 0, "colours", count=2, crop=4)
    gone = ck.delete_concepts(model, images, 0, found, draws=5)
    red, blue = float(1.5 * strength[:, 0].mean()), float(0.5 * strength[:, 1].mean())
    assert gone.curve.tolist() == pytest.approx([red + blue, blue, 0], abs=0.02)
    assert gone.controls.shape == (5, 3) and gone.n == 6
    # Each crop is red, blue, or both by halves, so a control removes r or r·0 or r·(mixture) of the logit at first.
    assert (gone.controls[:, 0] - gone.curve[0]).abs().max() < 1e-5
    assert (gone.controls[:, 1] > gone.curve[1] - 0.02).all()
    assert gone.p == (1 + int((gone.controls.mean(1) <= gone.curve.mean()).sum())) / 6


def test_the_control_removes_a_vector_of_the_same_length_at_every_place(monkeypatch):
    model, images, _ = painted(n=2)
    found, seen = ck.discover_concepts(model, images, 0, "colours", count=2, crop=4), []
    monkeypatch.setattr(dictionary, "replaced", lambda *given: seen.append(given[2]) or replaced(*given))
    ck.delete_concepts(model, images, 0, found, draws=4)
    whole = ck.activations(model, images, ["colours"], reduce="maps")["colours"]
    for i, changed in enumerate(seen):  # by image, and then 0, 1 and 2 removed
        lengths = (whole[i // 3] - changed).norm(dim=1)
        assert torch.allclose(lengths, lengths[:1].expand(5, -1, -1), atol=1e-5)
        assert (lengths.sum() > 0) == (i % 3 > 0)


@pytest.mark.parametrize("layer", ["relu3", "relu5"])
def test_on_a_real_network_the_removal_reaches_the_logits(layer):
    """By a hook of its own on the plain network: the fast copy, on which the course runs, must see the change too."""
    model, images = ck.load_model("coursenet"), ck.scenes(2, objects=["zebra"], size=128).images
    found = ck.discover_concepts(model, images, 340, layer, count=2)
    assert found.importance.sum() > 0.5
    maps = ck.activations(model, images, [layer], reduce="maps")[layer]
    less = maps - torch.einsum("nkhw,kc->nchw", found.maps(maps), found.directions)
    handle = model.layer(layer).register_forward_hook(lambda module, inputs, output: less)
    with torch.no_grad():
        expected = model(images)[:, 340].mean()
    handle.remove()
    curve = ck.delete_concepts(model, images, 340, found, draws=2).curve
    with torch.no_grad():
        assert curve[0] == pytest.approx(float(model(images)[:, 340].mean()), abs=1e-3)
    assert curve[2] == pytest.approx(float(expected), abs=1e-3) and abs(curve[2] - curve[0]) > 0.01


def test_a_direction_that_does_not_matter_loses_against_the_control():
    model, images, _ = painted()
    found = ck.discover_concepts(model, images, 1, "colours", count=2, crop=4)
    assert found.importance.tolist() == [0, 0], "class 1 reads nothing"
    assert ck.delete_concepts(model, images, 1, found, draws=19).p == 1


def evaluated(model, images):
    with evaluating(model):
        return model(images)


def test_above_a_layer_the_network_sees_what_is_put_there_and_below_one_image():
    model, images = unusual_model(), random_images(5)
    with unchanged(model, images):
        maps = ck.activations(model, images, ["conv2"], reduce="maps")["conv2"]
        expected = ck.activations(model, images, ["fc"])["fc"]
        with replaced(model, "conv2", maps), ck.capture(model, ["conv1", "fc"]) as seen, torch.no_grad():
            evaluated(model, images[:1].expand(5, -1, -1, -1))
    assert len(seen["conv1"]) == 1 and torch.allclose(seen["fc"], expected, atol=1e-5)


BAD = {
    "count": (lambda m, x: ck.discover_concepts(m, x, 0, "conv2", count=9), "count must be .* from 1 to 8"),
    "crop": (lambda m, x: ck.discover_concepts(m, x, 0, "conv2", crop=33), "crop must be .* from 1 to 32"),
    "no maps": (lambda m, x: ck.discover_concepts(m, x, 0, "fc", count=2), "has no maps"),
    "samples": (lambda m, x: ck.sobol_indices(lambda u: u[:, 0], 1, samples=1), "samples must be .* at least 2"),
    "found": (lambda m, x: ck.delete_concepts(m, x, 0, torch.eye(3)), "must be a ck.FoundConcepts, but is Tensor"),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(ck.OptionError, match=words):
        call(small_model(), random_images(2, 32))


# Sparse features --------------------------------------------------------------------------------------------------


def mixtures(features=16, width=12, n=40):
    """Maps of few of `features` planted directions at each place, more of them than there are channels."""
    generator = torch.Generator().manual_seed(100)
    planted = nn.functional.normalize(torch.randn(features, width, generator=generator), dim=1)
    amount = 1 + torch.rand(n, 8, 8, features, generator=generator)
    shown = torch.rand(n, 8, 8, features, generator=generator).argsort(-1) < 2
    return planted, (amount * shown @ planted).movedim(3, 1)


def test_planted_directions_are_learnt_and_a_dictionary_that_was_not_trained_lacks_them():
    planted, maps = mixtures()
    trained, control = (ck.sparse_dictionary(maps, 32, active=3, steps=n, progress=False) for n in (1500, 0))
    nearest, at_random = ((planted @ d.directions.T).amax(1) for d in (trained, control))
    assert (nearest > 0.9).sum() >= 13 and (at_random > 0.9).sum() == 0, "of sixteen"
    assert trained.explained > 0.9 > 0.6 > control.explained
    assert torch.allclose(trained.directions.norm(dim=1), torch.ones(32), atol=1e-5)


def test_features_are_few_at_a_place_and_decode_to_the_formula():
    _, maps = mixtures(n=4)
    made = ck.sparse_dictionary(maps, 24, active=3, steps=20, progress=False)
    codes = made.encode(maps)
    assert codes.shape == (4, 24, 8, 8) and codes.min() >= 0 and int((codes > 0).sum(1).max()) == 3
    x = (maps[1, :, 2, 5] - maps.mean((0, 2, 3))) / maps.movedim(1, 3).flatten(0, 2).std()
    z = (x @ made.encoder + made.bias).relu()
    z[z < z.sort().values[-3]] = 0
    assert torch.allclose(codes[1, :, 2, 5], z, atol=1e-4)
    assert torch.allclose(made.decode(codes)[1, :, 2, 5], made.mean + made.scale * (z @ made.directions), atol=1e-4)
    left = (maps - made.decode(codes)).square().sum() / (maps - made.mean.view(-1, 1, 1)).square().sum()
    assert made.explained == pytest.approx(1 - float(left), abs=1e-4)
    assert repr(made).startswith("24 features, 3 at a place")


def test_a_dictionary_follows_from_the_seed_and_needs_something_to_learn():
    _, maps = mixtures(n=2)
    same, again, other = (ck.sparse_dictionary(maps, 9, steps=3, active=2, seed=s, progress=False) for s in (0, 0, 1))
    assert torch.equal(same.encoder, again.encoder) and not torch.equal(same.encoder, other.encoder)
    for change, words in (
        ({"active": 10}, "active must be .* from 1 to 9"),
        ({"active": 2, "steps": -1}, "steps must be .* at least 0"),
    ):
        with pytest.raises(ck.OptionError, match=words):
            ck.sparse_dictionary(maps, 9, **change)
    with pytest.raises(ck.OptionError, match="all the same"):
        ck.sparse_dictionary(torch.ones(1, 4, 2, 2), 9, active=2)
    with pytest.raises(ck.OptionError, match="has no maps"):
        ck.sparse_dictionary(torch.ones(3, 4), 9, active=2)
