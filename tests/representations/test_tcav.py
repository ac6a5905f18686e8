"""CAVs point where a closed form says, derivatives are those of the logit, and the test finds no more than is there."""

import math
import re
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from nets import polynomial_model, random_images, relative_difference, small_maps, small_model
from scipy import stats
from state import unchanged, unusual_model
from torch import nn

import coursekit as ck
from coursekit.images.concepts import HUES, PATTERNS
from coursekit.representations import tcav


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Activations and gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", ["mean", "flatten"])
def test_activations_are_those_of_the_layers_in_the_order_of_the_images(reduce):
    model, images = small_model(), random_images(9)
    found, maps = ck.activations(model, images, ["conv2", "avgpool"], reduce=reduce), small_maps(model, images)
    assert list(found) == ["conv2", "avgpool"]
    assert torch.allclose(
        found["conv2"], maps["conv2"].mean((2, 3)) if reduce == "mean" else maps["conv2"].flatten(1), atol=1e-5
    )
    assert torch.allclose(found["avgpool"], maps["avgpool"].flatten(1), atol=1e-6)


@pytest.mark.parametrize("reduce", ["mean", "flatten"])
def test_the_directional_derivative_is_the_change_of_the_logit_towards_the_vector(reduce):
    """Against a difference quotient in float64: move the layer's output along v, and run the rest by hand."""
    model, images = small_model().double(), random_images(4, dtype=torch.float64)
    gradient = ck.activation_gradients(model, images, 2, ["conv3"], reduce=reduce)["conv3"]
    maps, net = small_maps(model, images)["conv3"].detach(), model.module
    vector = normal(gradient.shape[1])
    moved = vector.view(1, -1, 1, 1) if reduce == "mean" else vector.view(1, *maps.shape[1:])

    def logit(step):
        return net.fc(net.avgpool(net.relu6(maps + step * moved)).flatten(1))[:, 2]

    quotient = (logit(1e-6) - logit(-1e-6)) / 2e-6
    assert gradient.dtype == torch.float64
    assert relative_difference(gradient @ vector, quotient) < 1e-6


def test_gradients_are_autograds_in_float64_at_several_layers_and_for_a_target_of_each_image():
    model, images = small_model().double(), random_images(11, dtype=torch.float64)
    target = [i % 5 for i in range(11)]
    found = ck.activation_gradients(model, images, target, ["conv2", "fc"], reduce="flatten")
    maps = small_maps(model, images)
    logits = maps["fc"].gather(1, torch.tensor(target)[:, None]).sum()
    for layer, gradient in zip(("conv2", "fc"), torch.autograd.grad(logits, (maps["conv2"], maps["fc"])), strict=True):
        assert relative_difference(found[layer], gradient.flatten(1)) < 1e-10
    assert torch.equal(found["fc"], torch.eye(5, dtype=torch.float64)[target]), "of the logit, not of the probability"


def test_positive_means_more_of_the_concept_more_of_the_class():
    """logit_c = w_c · x: the concept "bright where w_0 is positive" speaks for class 0, its opposite against it."""
    model = polynomial_model(size=4)
    w = model.module.weight[0].detach()
    dark = random_images(20, size=4, dtype=torch.float64) / 2
    concept, others = dark + 0.5 * (w > 0), dark + 0.5 * (w < 0)
    codes = {k: ck.activations(model, x, ["logits"])["logits"] for k, x in {"+": concept, "-": others}.items()}
    gradients = ck.activation_gradients(model, dark, 0, ["logits"])["logits"]
    towards, away = ck.cav(codes["+"], codes["-"]), ck.cav(codes["-"], codes["+"])
    assert towards.accuracy == away.accuracy == 1
    assert torch.allclose(towards.vector, -away.vector)
    assert (codes["+"] @ towards.vector).mean() > (codes["-"] @ towards.vector).mean()
    assert ck.tcav_score(gradients, towards.vector) == 1 and ck.tcav_score(gradients, away.vector) == 0


def test_the_model_and_the_world_are_left_as_found_also_when_a_layer_raises():
    model, images = unusual_model(), random_images(9)
    calls = [
        lambda: ck.activations(model, images, ["conv2"]),
        lambda: ck.activation_gradients(model, images, 1, ["conv2", "conv3"]),
        lambda: ck.activation_gradients(model, images, ck.unit("conv3", 1), ["conv2"]),
    ]
    for call in calls:
        model.module.fuse.passes = None
        with unchanged(model, images):
            found = call()
        assert not any(tensor.requires_grad for tensor in found.values())
        model.module.fuse.passes = 1
        with unchanged(model, images), pytest.raises(RuntimeError, match="the fuse blew"):
            call()


BAD_CALLS = {
    "unknown layer": (lambda m, x: ck.activations(m, x, ["conv9"]), ck.UnknownLayer, "'conv9'.*conv1"),
    "a name for a list": (lambda m, x: ck.activations(m, x, "conv1"), ck.UnknownLayer, r"write \['conv1'\]"),
    "gradient, unknown layer": (lambda m, x: ck.activation_gradients(m, x, 0, ["conv9"]), ck.UnknownLayer, "'conv9'"),
    "gradient, a name": (lambda m, x: ck.activation_gradients(m, x, 0, "conv1"), ck.UnknownLayer, r"write \['conv1'\]"),
    "class": (lambda m, x: ck.activation_gradients(m, x, 5, ["conv1"]), ck.TargetError, "Class 5 .* 0 to 4"),
    "layer after the target": (
        lambda m, x: ck.activation_gradients(m, x, ck.unit("conv2", 0), ["conv2", "conv3"]),
        ck.TargetError,
        "does not depend on layer 'conv3'",
    ),
    "images": (lambda m, x: ck.activations(m, x * 255, ["conv1"]), ck.ImageError, "divide by 255"),
}


@pytest.mark.parametrize(("call", "error", "words"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_input_is_refused_in_one_sentence_and_the_model_is_left_as_found(call, error, words):
    model, images = unusual_model(), random_images()
    with unchanged(model, images), pytest.raises(error, match=words):
        call(model, images)


# The vector -------------------------------------------------------------------------------------------------------


def two_gaussians(n, seed=0, shift=(1.0, 0.5, -0.5)):
    mixing = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.5, 0.0], [0.0, 0.3, 0.7]], dtype=torch.float64)
    points = normal(2 * n, 3, seed=seed) @ mixing.T
    return points[:n] + torch.tensor(shift, dtype=torch.float64), points[n:], mixing @ mixing.T


def test_with_many_examples_the_vector_is_fishers_discriminant():
    """Two Gaussians of one covariance: v ∝ Σ⁻¹ (μ₁ − μ₀), which is not the difference of the means."""
    concept, others, covariance = two_gaussians(20_000)
    shift = torch.tensor([1.0, 0.5, -0.5], dtype=torch.float64)
    fisher = nn.functional.normalize(torch.linalg.solve(covariance, shift), dim=0)
    found = ck.cav(concept, others)
    assert found.vector @ fisher > 0.999
    assert found.vector @ nn.functional.normalize(shift, dim=0) < 0.9
    distance = (shift @ torch.linalg.solve(covariance, shift)).sqrt()
    assert found.accuracy == pytest.approx(stats.norm.cdf(float(distance) / 2), abs=0.01)


def test_with_few_examples_it_is_the_ridge_solution_and_does_not_depend_on_the_unit():
    concept, others, _ = two_gaussians(7)
    points = torch.cat([concept, others])
    points = points - points.mean(0)
    labels = torch.tensor([1.0] * 7 + [-1.0] * 7, dtype=torch.float64)
    penalty = points.square().sum() / 14 * torch.eye(3, dtype=torch.float64)
    ridge = nn.functional.normalize(torch.linalg.solve(points.T @ points + penalty, points.T @ labels), dim=0)
    assert torch.allclose(ck.cav(concept, others).vector, ridge, atol=1e-10)
    assert torch.allclose(ck.cav(1000 * concept + 5, 1000 * others + 5).vector, ridge, atol=1e-8)


def test_another_classifier_of_scikit_learn_can_be_given_and_is_seeded():
    from sklearn.linear_model import SGDClassifier

    concept, others, _ = two_gaussians(20)
    given = SGDClassifier(max_iter=3, tol=None)
    first, again, other = (ck.cav(concept, others, classifier=given, seed=s) for s in (1, 1, 2))
    assert torch.equal(first.vector, again.vector) and not torch.equal(first.vector, other.vector)
    assert first.vector.norm() == pytest.approx(1) and not hasattr(given, "coef_"), "a copy is fitted"


def test_the_accuracy_is_that_of_unseen_examples_and_chance_is_a_half_also_with_unequal_numbers():
    chance = np.mean([ck.cav(normal(15, 40, seed=s), normal(60, 40, seed=100 + s)).accuracy for s in range(20)])
    assert chance == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("few", "many", "dims"), [(30, 30, 192), (7, 30, 20), (3, 9, 50), (20, 60, 5), (2, 2, 3)])
def test_without_a_classifier_it_is_scikit_learns_ridge_classifier(few, many, dims):
    from sklearn.linear_model import RidgeClassifier

    concept, others = normal(few, dims, seed=few) + 0.2, normal(many, dims, seed=many + 1)
    penalty = torch.cat([concept, others]).var(0, correction=0).sum().item()
    ours, theirs = (ck.cav(concept, others, classifier=c, seed=1) for c in (None, RidgeClassifier(alpha=penalty)))
    assert torch.allclose(ours.vector, theirs.vector, atol=1e-10) and ours.accuracy == theirs.accuracy


def test_a_relative_cav_leaves_out_what_the_concepts_share():
    pattern, own = torch.eye(6, dtype=torch.float64)[:2]
    striped, dotted, random = (normal(60, 6, seed=s) for s in range(3))
    striped, dotted = striped + 4 * pattern + 4 * own, dotted + 4 * pattern
    assert ck.cav(striped, random).vector @ pattern > 0.5
    assert abs(ck.cav(striped, dotted).vector @ pattern) < 0.2 < 0.9 < ck.cav(striped, dotted).vector @ own


def test_zero_derivatives_are_ties():
    vector = torch.tensor([1.0, -1.0])
    assert ck.tcav_score(torch.zeros(3, 2), vector) == 0.5
    assert ck.tcav_score(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]), vector) == 0.5
    assert ck.tcav_score(torch.tensor([[1.0, 0.0], [3.0, 2.0]]), vector) == 1


def test_sorting_is_by_the_angle_to_the_vector():
    codes = torch.tensor([[0.0, 9.0], [1.0, 0.0], [5.0, 5.0], [-1.0, 0.0]])
    order, cosine = ck.sort_by_concept(codes, torch.tensor([2.0, 0.0]))
    assert order.tolist() == [1, 2, 0, 3]
    assert cosine.tolist() == pytest.approx([1, math.sqrt(0.5), 0, -1])


BAD_VECTORS = {
    "one example": (lambda: ck.cav(torch.rand(1, 3), torch.rand(5, 3)), "concept must be .* N ≥ 2, but got"),
    "another layer": (lambda: ck.cav(torch.rand(5, 3), torch.rand(5, 4)), "others has 4 numbers .* the others have 3"),
    "no pooling": (lambda: ck.cav(torch.rand(5, 3, 2, 2), torch.rand(5, 3)), r"\(5, 3, 2, 2\)"),
    "NaN": (lambda: ck.cav(torch.full((5, 3), math.nan), torch.rand(5, 3)), "NaN"),
    "dead layer": (lambda: ck.cav(torch.ones(5, 3), torch.ones(5, 3)), "All activations are equal"),
    "classifier": (lambda: ck.cav(torch.rand(5, 3), torch.rand(5, 3), classifier="svm"), "classifier must be a linear"),
    "score": (lambda: ck.tcav_score(torch.rand(5, 3), torch.rand(4)), r"\[5, 3\] and \[4\]"),
}


@pytest.mark.parametrize(("call", "words"), BAD_VECTORS.values(), ids=BAD_VECTORS)
def test_vectors_that_cannot_be_are_refused(call, words):
    with pytest.raises(ck.OptionError, match=words):
        call()


# The test ---------------------------------------------------------------------------------------------------------


def simulated(seed, *, size=5, dims=5, draws=100, runs=5):
    """Scores (draws + 1, runs) of a "concept" that is nothing but random pictures, and of random concepts."""
    class_mean = normal(dims, seed=3 * seed)
    gradients = class_mean + normal(40, dims, seed=3 * seed + 1)
    pictures = normal((1 + tcav.POOL) * size, dims, seed=3 * seed + 2)
    return tcav._all_scores(gradients, [pictures[:size]], pictures[size:], runs, draws, seed)[0]


def test_on_random_concepts_the_test_keeps_its_level_and_the_t_test_over_runs_does_not():
    """1000 experiments in which nothing is to be found: an honest test at 5 % calls 50 of them significant."""
    scores = torch.stack([simulated(seed) for seed in range(1000)])
    null = scores[:, 1:].mean(2)
    ours = [tcav._compare(s[0].mean(), n)[-1] for s, n in zip(scores, null, strict=True)]
    # What others do: the runs of the concept against as many runs of random concepts, counted as independent.
    independent = scores[:, 1:6].diagonal(dim1=1, dim2=2)
    theirs = stats.ttest_ind(scores[:, 0].numpy(), independent.numpy(), axis=1).pvalue
    assert 0.03 < np.mean(np.array(ours) <= 0.05) < 0.07
    assert np.mean(theirs <= 0.05) > 0.15


def test_random_concepts_lie_about_a_half_for_every_seed_and_so_p_stays():
    """Gradients of one zebra point alike, so a shift that all runs share would decide every score."""
    size, dims, draws = 5, 5, 400
    direction = normal(dims, seed=1)
    gradients = direction + 0.3 * normal(40, dims, seed=2)
    concept, random = normal(size, dims, seed=3) + 0.8 * direction, normal(tcav.POOL * size, dims, seed=4)
    null, p = [], []
    for seed in range(10):
        scores = tcav._all_scores(gradients, [concept], random, 5, draws, seed)[0].mean(1)
        null.append(float(scores[1:].mean()))
        p.append(tcav._compare(scores[0], scores[1:])[-1])
    assert min(null) > 0.45 and max(null) < 0.55, null
    assert max(p) - min(p) < 0.1, p


def layer_of_a_network(size=20, dims=16, strength=4.0):
    """Gradients, concepts and random pictures at one layer: "striped" matters for the class, "dotted" does not."""
    striped, dotted = strength * torch.eye(dims, dtype=torch.float64)[:2]
    gradients = normal(30, dims, seed=1) + striped
    concepts = {"striped": normal(size, dims, seed=2) + striped, "dotted": normal(size - 3, dims, seed=3) + dotted}
    random = normal(tcav.POOL * size, dims, seed=4)
    return {"a": gradients}, {name: {"a": codes} for name, codes in concepts.items()}, {"a": random}


def test_a_concept_that_matters_is_found_and_another_is_not():
    found = ck.tcav_test(*layer_of_a_network())
    striped, dotted = found["striped", "a"], found["dotted", "a"]
    assert [row.concept for row in found.rows] == ["striped", "dotted"]
    assert striped.score > 0.95 and striped.p_holm < 0.05 and 0 < striped.low < striped.effect < striped.high
    assert dotted.p > 0.05 and dotted.low < 0 < dotted.high
    assert min(striped.accuracy, dotted.accuracy) > 0.85, "a CAV can be good and yet not matter"
    assert striped.p == pytest.approx(2 / 101) and striped.p_holm == pytest.approx(4 / 101)


def test_a_concept_that_speaks_against_the_class_is_found_too():
    gradients, concepts, random = layer_of_a_network()
    row = ck.tcav_test({"a": -gradients["a"]}, concepts, random)["striped", "a"]
    assert row.score < 0.05 and row.p_holm < 0.05 and row.high < 0


def test_a_student_gets_the_same_scores_with_scikit_learn():
    """Each run by `ck.cav`, the null by its own loop: the fast way through inner products changes nothing."""
    gradients, concepts, random = layer_of_a_network()
    found = ck.tcav_test(gradients, concepts, random, runs=4, seed=5)
    for name in concepts:
        codes, g = concepts[name]["a"], gradients["a"]
        key = ("a", len(codes))
        vectors = [ck.cav(codes, random["a"][chosen]).vector for chosen in found.others[key]]
        scores = torch.tensor([ck.tcav_score(g, vector) for vector in vectors])
        assert torch.allclose(found.runs[name, "a"].float(), scores), name
        row, null = found[name, "a"], found.null[key].mean(1)
        tail = min((null >= row.score - 1e-9).sum(), (null <= row.score + 1e-9).sum())
        assert row.score == pytest.approx(float(scores.mean())) and row.random == pytest.approx(float(null.mean()))
        assert row.p == pytest.approx(min(1, 2 * (1 + int(tail)) / 101))
        assert row.low == pytest.approx(row.score - np.quantile(null, 0.975))
        assert row.high == pytest.approx(row.score - np.quantile(null, 0.025))


def test_every_run_of_every_random_concept_has_counter_examples_of_its_own(monkeypatch):
    gradients, concepts, random = layer_of_a_network()
    asked, scores = [], tcav._ridge_scores
    monkeypatch.setattr(tcav, "_ridge_scores", lambda i, s, rows: asked.append(rows) or scores(i, s, rows))
    found = ck.tcav_test({"a": gradients["a"]}, {"one": concepts["striped"]}, random, runs=3)
    rows = torch.cat(asked).view(101, 3, 40)
    assert (rows[0, :, :20] >= 400).all() and torch.equal(rows[0, :, 20:], found.others["a", 20])
    assert (rows[1:] < 400).all() and (rows[1:, :, :20] == rows[1:, :1, :20]).all(), "the runs share the concept"
    for concept in rows:
        sets = [frozenset(run[20:].tolist()) for run in concept]
        assert len(set(sets)) == 3 and all(len(s) == 20 and not s & set(concept[0, :20].tolist()) for s in sets)
    assert len({tuple(sorted(run.tolist())) for run in rows[1:, :, 20:].flatten(0, 1)}) == 300
    assert found.null["a", 20].shape == (100, 3) and found.others["a", 20].shape == (3, 20)


def test_a_concept_does_not_change_with_what_is_tested_beside_it_and_follows_from_the_seed():
    gradients, concepts, random = layer_of_a_network()
    same = {"one": concepts["striped"], "two": {"a": concepts["striped"]["a"].flip(0)}}
    found, alone = ck.tcav_test(gradients, same, random), ck.tcav_test(gradients, {"one": same["one"]}, random)
    assert found["one", "a"].score == pytest.approx(found["two", "a"].score), "the order of the pictures is no matter"
    assert replace(found["one", "a"], p_holm=0) == replace(alone["one", "a"], p_holm=0)
    again, other = ck.tcav_test(gradients, same, random), ck.tcav_test(gradients, same, random, seed=1)
    assert again.rows == found.rows and other.rows != found.rows


def test_an_accuracy_stands_beside_that_of_random_pictures_against_others():
    gradients, concepts, random = layer_of_a_network()
    found = ck.tcav_test(gradients, concepts, random)
    row, chance = found["striped", "a"], found.chance["a", 20]
    assert chance.shape == (tcav.PAIRS,) and chance.mean() == pytest.approx(0.5, abs=0.06)
    assert row.chance[0] < 0.5 < row.chance[1] < row.accuracy and row.n == 30
    assert row.chance == pytest.approx((np.quantile(chance, 0.025), np.quantile(chance, 0.975)))


def test_hundreds_of_concepts_cost_seconds_because_no_network_runs():
    """The activations are the cache: 400 random concepts of 10 runs at one layer are 4000 small linear systems."""
    gradients, concepts, random = layer_of_a_network(size=10, dims=400)
    start = time.process_time()
    ck.tcav_test(gradients, {"striped": concepts["striped"]}, random, draws=400)
    assert time.process_time() - start < 10


def test_holms_correction():
    p = [0.04, 0.001, 0.03, 0.9]
    assert ck.holm(p) == pytest.approx([0.09, 0.004, 0.09, 0.9]) and ck.holm([0.4, 0.6]) == [0.8, 0.8]
    assert ck.holm([]) == []


def change(what, **options):
    gradients, concepts, random = layer_of_a_network()
    what(gradients, concepts, random)
    return lambda: ck.tcav_test(gradients, concepts, random, **options)


BAD_TESTS = {
    "too few draws": (change(lambda g, c, r: None, draws=39), "39 random .* below 2/40.*of 2 tests.*draws=80 or more"),
    "no draws": (change(lambda g, c, r: None, draws=0), "draws must be .* at least 1"),
    "no concept": (change(lambda g, c, r: c.clear()), "concepts must be .* at least one entry"),
    "layer": (change(lambda g, c, r: c["dotted"].update(b=c["dotted"].pop("a"))), "no activations of dotted at .* 'a'"),
    "dead layer": (change(lambda g, c, r: r["a"].fill_(3)), "same activations at 'a': is the layer dead"),
    "random layer": (change(lambda g, c, r: r.clear()), "random must be .* at least one entry"),
    "few pictures": (change(lambda g, c, r: r.update(a=r["a"][:100])), "20 pictures needs 400 random .* are 100"),
    "width": (change(lambda g, c, r: g.update(a=g["a"][:, :5])), "16 numbers .* have 5"),
}


@pytest.mark.parametrize(("call", "words"), BAD_TESTS.values(), ids=BAD_TESTS)
def test_a_test_that_cannot_be_is_refused_before_any_work(call, words, monkeypatch):
    monkeypatch.setattr(tcav, "_all_scores", None)
    with pytest.raises(ck.OptionError, match=words):
        call()


def test_the_table_says_what_stands_behind_it():
    found = ck.tcav_test(*layer_of_a_network(), runs=3)
    text = repr(found)
    assert "2 tests, n = 30 images of the class, 100 random concepts of 3 runs" in text
    assert all(word in text for word in ("striped", "p (Holm)", "accuracy", "by chance"))
    assert re.match(r"striped at a: score 1.00 of 30 images .* p = 0.0198, Holm .* CAV accuracy", repr(found.rows[0]))
    with pytest.raises(ck.OptionError, match=r"no row .*'striped', 'a'"):
        ck.tcav_test(*layer_of_a_network(), runs=1)["striped", "b"]


# Pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concept", [*PATTERNS, *HUES, "patterned", "random"])
def test_concept_pictures_are_images_that_differ_and_follow_from_the_seed(concept):
    pictures = ck.concept_pictures(concept, 4, size=64)
    assert pictures.shape == (4, 3, 64, 64) and pictures.dtype == torch.float32
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert all(not torch.allclose(a, b, atol=0.05) for a, b in pairwise(pictures))
    assert torch.equal(pictures[:2], ck.concept_pictures(concept, 2, size=64))
    assert not torch.equal(pictures, ck.concept_pictures(concept, 4, size=64, seed=1))


def test_a_colour_is_that_colour_and_a_pattern_has_two_colours_of_clear_contrast():
    for colour, channel in {"red": 0, "green": 1, "blue": 2}.items():
        mean = ck.concept_pictures(colour, 6, size=64).mean((2, 3))
        assert (mean.argmax(1) == channel).all() and (mean.amax(1) > 1.4 * mean.sort(1).values[:, 1]).all()
    for pattern in PATTERNS:
        brightness = ck.concept_pictures(pattern, 6, size=64).mean(1).flatten(1)
        assert (brightness.amax(1) - brightness.amin(1) > 0.3).all()


def test_stripes_have_one_direction_and_dots_do_not():
    """The spectrum of stripes lies on one line through its centre; that of dots on at least two."""

    def most_along_one_line(picture):
        grey = picture.mean(0) - picture.mean()
        power = (
            torch.fft.fftshift(torch.fft.fft2(grey * torch.hann_window(64) * torch.hann_window(64)[:, None])).abs() ** 2
        )
        y, x = torch.meshgrid(torch.arange(64) - 32.0, torch.arange(64) - 32.0, indexing="ij")
        angles = torch.arange(0, 180, 3) * math.pi / 180
        near = [((x * a.sin() - y * a.cos()).abs() < 3) & (x.hypot(y) > 3) for a in angles]
        return max(float(power[line].sum() / power[x.hypot(y) > 3].sum()) for line in near)

    striped, dotted = (
        np.median([most_along_one_line(p) for p in ck.concept_pictures(c, 8, size=64)]) for c in ("striped", "dotted")
    )
    assert striped > 0.9 > 0.7 > dotted


def test_a_folder_of_pictures_is_a_concept(tmp_path):
    for i in range(11):
        ck.save_image(torch.full((1, 3, 20, 30), i / 10), tmp_path / f"{i:02d}.{'png' if i % 2 else 'jpg'}")
    for name in ("notes.txt", "paper.pdf", "net.h5"):  # Pillow can write the one and has heard of the other
        (tmp_path / name).write_text("not a picture")
    (tmp_path / ".hidden.png").write_text("not a picture")
    (tmp_path / "more.png").mkdir()
    found = ck.concept_folder(tmp_path, size=16)
    assert found.shape == (11, 3, 16, 16)
    assert found.mean((1, 2, 3)).tolist() == pytest.approx([i / 10 for i in range(11)], abs=0.01)


def test_folders_that_are_no_concept_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(ck.ImageError, match="There is no folder"):
        ck.concept_folder(tmp_path / "nowhere")
    with pytest.raises(ck.ImageError, match="holds 0 pictures, but a concept needs at least 10"):
        ck.concept_folder(tmp_path)
    for i in range(10):
        (tmp_path / f"{i}.png").write_text("not a picture")
    with pytest.raises(ck.ImageError, match=r"0\.png is not a picture"):
        ck.concept_folder(tmp_path)
    with pytest.raises(ck.OptionError, match="No concept is called 'plaid'; choose one of striped"):
        ck.concept_pictures("plaid")
