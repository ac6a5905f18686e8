"""Scores of maps: closed forms, brute force, chance; curves of a linear network; baselines."""

import pytest
import torch
import torch.nn.functional as F
from nets import CLASSES, MEAN, polynomial_model, random_images, small_maps, small_model
from sklearn.metrics import roc_auc_score
from state import unchanged, unusual_model

import coursekit as ck
from coursekit.evaluation.localisation import localisation

SCORES = {
    "pointing game": ck.pointing_game,
    "energy in mask": ck.mask_energy,
    "best IoU": ck.best_iou,
    "ranking AUC": ck.ranking_auc,
}


def some_masks(count: int = 3, size: int = 12) -> torch.Tensor:
    """Rectangles of different shares of the image."""
    masks = torch.zeros(count, size, size, dtype=torch.bool)
    for i, mask in enumerate(masks):
        mask[1 + i % 3 : 6 + i % 5, 2 : 5 + i % 4] = True
    return masks


MASKS = some_masks()
SHARE = MASKS.float().mean((1, 2))


def ground_truth(sign: float = 1.0) -> torch.Tensor:
    return sign * (MASKS[:, None].float() - 0.5)


# Against the mask -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_a_perfect_map_scores_one(score):
    assert torch.equal(score(ground_truth(), MASKS), torch.ones(3))


def test_an_inverted_map_scores_nothing():
    for name in ("pointing game", "energy in mask", "ranking AUC"):
        assert torch.equal(SCORES[name](ground_truth(-1), MASKS), torch.zeros(3)), name
    assert torch.allclose(ck.best_iou(ground_truth(-1), MASKS), SHARE), "the whole image is the best that is left"


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("name", SCORES)
def test_a_map_that_says_nothing_scores_chance(name, value):
    expected = torch.full((3,), 0.5) if name == "ranking AUC" else SHARE
    assert torch.allclose(SCORES[name](torch.full((3, 1, 12, 12), value), MASKS), expected)


def test_scores_with_many_equal_pixels_by_brute_force():
    """Whole numbers from 0 to 4 on 144 pixels: each score from its definition, with loops."""
    maps = torch.randint(5, (3, 1, 12, 12), generator=torch.Generator().manual_seed(1)).float()
    for i, (heat, mask) in enumerate(zip(maps[:, 0], MASKS, strict=True)):
        inside, outside = heat[mask], heat[~mask]
        pairs = [(a > b) + 0.5 * (a == b) for a in inside.tolist() for b in outside.tolist()]
        cuts = [(heat >= t) for t in range(5)]
        expected = {
            "pointing game": float(mask[heat == heat.max()].float().mean()),
            "energy in mask": float(inside.sum() / heat.sum()),
            "best IoU": max(float((cut & mask).sum() / (cut | mask).sum()) for cut in cuts),
            "ranking AUC": sum(pairs) / len(pairs),
        }
        found = {name: float(score(maps, MASKS)[i]) for name, score in SCORES.items()}
        assert found == pytest.approx(expected, abs=1e-6)


def test_ranking_auc_is_that_of_scikit_learn():
    maps = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(2))
    expected = [roc_auc_score(mask.flatten(), heat.flatten()) for mask, heat in zip(MASKS, maps, strict=True)]
    assert ck.ranking_auc(maps, MASKS).tolist() == pytest.approx(expected, abs=1e-6)


def test_random_maps_score_chance_on_average():
    images = random_images(400)
    masks = MASKS[:1].expand(400, -1, -1)
    found, share = localisation(ck.random_map(None, images), masks), float(SHARE[0])
    for name, chance in {"pointing game": share, "energy in mask": share, "ranking AUC": 0.5}.items():
        error = found[name].std() / 20  # of the mean of 400
        assert abs(found[name].mean() - chance) < 3 * error, name
    assert (found["best IoU"] >= share - 1e-6).all()


def test_all_four_at_once_are_the_four():
    maps = torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(3))
    for name, values in localisation(maps, MASKS).items():
        assert torch.equal(values, SCORES[name](maps, MASKS)), name


# The rule of importance -------------------------------------------------------------------------------------------


def test_three_channels_count_by_magnitude_and_one_channel_by_evidence_for_the_target():
    maps = torch.tensor([-5.0, 1.0, 3.0]).view(1, 3, 1, 1)
    assert ck.importance(maps).item() == 5
    assert ck.importance(maps[:, :1]).item() == 0 and ck.importance(maps[:, 2:]).item() == 3


def test_input_gradient_and_saliency_are_ranked_alike():
    model, images = small_model(), random_images(3)
    gradient, saliency = ck.input_gradient(model, images, 1), ck.saliency(model, images, 1)
    assert torch.equal(ck.importance(gradient), ck.importance(saliency))


def test_small_maps_are_enlarged_after_the_rule():
    maps = torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(4))
    expected = F.interpolate(maps.clamp(min=0), size=(12, 16), mode="bilinear")[:, 0]
    assert torch.equal(ck.importance(maps, (12, 16)), expected)


BAD = {
    "no rows": (torch.rand(3, 12), MASKS, r"\(3, 12\)"),
    "two channels": (torch.rand(3, 2, 12, 12), MASKS, r"\(3, 2, 12, 12\)"),
    "NaN": (torch.full((3, 1, 12, 12), torch.nan), MASKS, "NaN"),
    "too few masks": (torch.rand(3, 1, 12, 12), MASKS[:2], r"\(3, H, W\).*\(2, 12, 12\)"),
    "masks of numbers": (torch.rand(3, 1, 12, 12), MASKS.float(), "bool, but got .*float32"),
    "empty mask": (torch.rand(3, 1, 12, 12), MASKS & torch.tensor([1, 0, 1]).bool().view(3, 1, 1), "Mask 1 covers"),
    "full mask": (torch.rand(3, 1, 12, 12), MASKS | torch.tensor([0, 0, 1]).bool().view(3, 1, 1), "Mask 2 covers"),
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize(("maps", "masks", "words"), BAD.values(), ids=BAD)
def test_bad_maps_and_masks(score, maps, masks, words):
    with pytest.raises(ck.OptionError, match=words):
        score(maps, masks)


# Deletion and insertion -------------------------------------------------------------------------------------------

IMAGES = random_images(3, dtype=torch.float64)
CURVES = {"deletion": ck.deletion_curve, "insertion": ck.insertion_curve}


def logit(index: int):
    return lambda logits: logits[:, index]


def contributions(model, fill: float) -> torch.Tensor:
    """What each pixel of the linear network adds to logit 2, compared with the fill: (N, 1, H, W)."""
    return (model.module.weight[2].detach() * (IMAGES - fill)).sum(1, keepdim=True)


def test_the_curves_of_a_linear_network_are_exact():
    model, fill, steps = polynomial_model(), 0.25, 9
    maps = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    added = contributions(model, fill).flatten(1)
    ranked = added.gather(1, maps.flatten(1).argsort(1, descending=True))
    gone = torch.stack([ranked[:, : round(144 * s / steps)].sum(1) for s in range(steps + 1)], 1)
    full = model(IMAGES)[:, 2, None].detach()
    empty = model(torch.full_like(IMAGES, fill))[:, 2, None].detach()
    colour = (fill, fill, fill)
    assert torch.allclose(ck.deletion_curve(model, IMAGES, maps, logit(2), steps=steps, fill=colour), full - gone)
    assert torch.allclose(ck.insertion_curve(model, IMAGES, maps, logit(2), steps=steps, fill=colour), empty + gone)


def test_on_a_linear_network_no_map_beats_the_true_contributions():
    model = polynomial_model()
    best = contributions(model, 0.0)
    best -= best.amin() - 0.1  # all positive: the order alone matters
    noise = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(6))
    for curve, sign in ((ck.deletion_curve, -1), (ck.insertion_curve, 1)):
        area = {
            name: sign * torch.trapezoid(curve(model, IMAGES, maps, logit(2), fill="black"), dx=1 / 16)
            for name, maps in {"best": best, "noise": noise, "worst": best.max() - best}.items()
        }
        assert (area["best"] > area["noise"]).all() and (area["noise"] > area["worst"]).all()


def test_a_class_is_followed_by_its_probability_and_the_fill_is_as_promised():
    model, images = small_model(), random_images(3)
    maps, target = ck.centre_map(model, images), [4, 0, 2]
    mean = torch.tensor(MEAN).view(1, 3, 1, 1).expand_as(images)
    whole, nothing = (model(x).softmax(1)[torch.arange(3), target].detach() for x in (images, mean))
    curve = ck.deletion_curve(model, images, maps, target, steps=1)
    assert torch.allclose(curve, torch.stack([whole, nothing], 1), atol=1e-6)
    curve = ck.insertion_curve(model, images, maps, target, steps=1, fill="mean")
    assert torch.allclose(curve, torch.stack([nothing, whole], 1), atol=1e-6)
    assert not torch.allclose(ck.insertion_curve(model, images, maps, target)[:, 0], nothing, atol=1e-4), "blurred"


def test_a_unit_is_followed_by_its_activation():
    model, images = small_model(), random_images(2)
    curve = ck.deletion_curve(model, images, ck.edge_map(model, images), ck.unit("conv2", 3), steps=2)
    assert torch.allclose(curve[:, 0], small_maps(model, images)["conv2"][:, 3].mean((1, 2)).detach(), atol=1e-6)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_the_default_target_is_the_top_class_of_the_whole_image_throughout(curve):
    model, images = small_model(), random_images(9)
    maps, top = ck.edge_map(model, images), model(images).argmax(1)
    assert len(top.unique()) > 1
    assert torch.equal(curve(model, images, maps, steps=4), curve(model, images, maps, top, steps=4))


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_a_batch_of_curves_equals_a_loop(curve):
    model, images = small_model(), random_images(5)
    maps = ck.input_gradient(model, images, 1)
    loop = [curve(model, images[i : i + 1], maps[i : i + 1], 1, steps=3) for i in range(5)]
    assert torch.allclose(curve(model, images, maps, 1, steps=3), torch.cat(loop), atol=1e-6)


def test_equal_pixels_go_in_no_reading_order():
    """A network that adds up the upper half loses about half of it when half of a constant map is gone."""
    model, images = polynomial_model(), torch.ones(1, 3, 12, 12, dtype=torch.float64)
    model.module.weight.data[:] = torch.cat([torch.ones(6, 12), torch.zeros(6, 12)]) / 216
    curve = ck.deletion_curve(model, images, torch.zeros(1, 1, 12, 12), logit(0), steps=2, fill="black")
    assert curve[0, 0] == pytest.approx(1) and 0.3 < curve[0, 1] < 0.7 and curve[0, 2] == pytest.approx(0)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_curves_leave_the_model_as_found_and_refuse_bad_input(curve):
    model, images = unusual_model(), random_images()
    maps = ck.edge_map(model, images)
    with unchanged(model, images):
        curve(model, images, maps, steps=2)
    with unchanged(model, images), pytest.raises(ck.OptionError, match="2 images, but 1 maps"):
        curve(model, images, maps[:1])
    with pytest.raises(ck.OptionError, match="steps must be a whole number of at least 1, but is 0"):
        curve(model, images, maps, steps=0)
    with pytest.raises(ck.TargetError, match="Class 5 "):
        curve(model, images, maps, CLASSES)
    with pytest.raises(ck.OptionError, match="'red' is no fill"):
        curve(model, images, maps, fill="red")


# Baselines --------------------------------------------------------------------------------------------------------


def test_baselines_look_like_attributions_and_ask_no_network():
    images = random_images(2)
    for method in (ck.random_map, ck.edge_map, ck.centre_map):
        maps = method(None, images, [0, 1])
        assert maps.shape == (2, 1, 12, 12) and maps.dtype == torch.float32 and maps.min() >= 0
        with pytest.raises(ck.ImageError):
            method(None, images * 255)


def test_random_maps_follow_from_image_and_seed():
    images = random_images(3)
    maps = ck.random_map(None, images)
    assert torch.equal(ck.random_map(None, images[1:2]), maps[1:2]), "the same in any batch"
    assert not torch.equal(maps[0], maps[1]), "each image has its own noise"
    assert not torch.equal(ck.random_map(None, images, seed=1), maps)


def test_edges_are_found_in_every_direction_and_the_frame_is_none():
    flat, half = torch.full((1, 3, 8, 8), 0.7), torch.arange(8) < 4
    assert ck.edge_map(None, flat).abs().max() < 1e-6
    right = ck.edge_map(None, half.float().expand(1, 3, 8, 8))
    down = ck.edge_map(None, half.float()[:, None].expand(1, 3, 8, 8))
    assert torch.equal(right, down.transpose(2, 3))
    assert (right[..., 3:5] == 0.5).all() and right.sum() == 8 * 2 * 0.5


def test_the_centre_is_in_the_middle_and_falls_to_all_sides():
    blob = ck.centre_map(None, torch.zeros(1, 3, 10, 20), sigma=0.25)[0, 0]
    assert torch.equal(blob, blob.flip(0)) and torch.equal(blob, blob.flip(1)), "equal pixels tie"
    assert blob[4, 9] == blob.max() and blob[0, 0] == blob.min()
    quarter = torch.tensor((0.5 - 0.025) / 0.25)  # the outermost column lies at 0.475 of the width, 1.9 sigma
    assert blob[4, 0] / blob[4, 9] == pytest.approx(float(torch.exp((0.1**2 - quarter**2) / 2)), rel=1e-5)
    with pytest.raises(ck.OptionError, match="sigma"):
        ck.centre_map(None, torch.zeros(1, 3, 10, 20), sigma=0)


def test_importances_are_maps_for_every_score():
    maps = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    importances = ck.importance(maps)
    assert torch.equal(ck.importance(importances), importances)
    with pytest.raises(ck.OptionError, match=r"a height and a width in pixels, but is \(8, 8, 8\)"):
        ck.importance(maps, (8, 8, 8))
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[:, 2:5, 3:6] = True
    assert torch.equal(ck.ranking_auc(importances, masks), ck.ranking_auc(maps, masks))


def test_the_map_of_a_pixel_rule_is_read_by_size_and_its_sum_over_colours_is_not():
    relevance = torch.tensor([[[[3.0, -3.0]], [[0.0, 0.0]], [[0.5, 0.5]]]])  # for and against, equally much
    assert ck.importance(relevance).tolist() == [[[3.0, 3.0]]], "a share counts by its size, as a gradient does"
    assert ck.importance(relevance.sum(1, keepdim=True)).tolist() == [[[3.5, 0.0]]], "evidence counts if it is for"


def test_the_compared_relevance_keeps_its_colours_and_is_read_as_the_other_pixel_rules():
    model, image = small_model(), random_images(1, size=28)
    found = ck.all_methods()["relevance"](model, image, 1)
    assert found.shape == image.shape and found.min() < 0
    torch.testing.assert_close(ck.importance(found), found.abs().amax(1))


@pytest.mark.parametrize("shape", [(2, 1), (1, 1, 2, 2, 1), (1, 2, 4, 4), (0, 1, 4, 4), (1, 4, 0)], ids=str)
def test_what_is_no_map_has_no_importance(shape):
    with pytest.raises(ck.OptionError, match="shape"):
        ck.importance(torch.ones(shape))
