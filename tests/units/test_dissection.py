"""Dissection finds the channel that was built to see a concept, and the concepts lie where they are said to be."""

import dataclasses

import pytest
import torch
from nets import random_images, relative_difference, small_model
from torch import nn

import coursekit as ck
from coursekit.units import dissection
from coursekit.units.dissection import COLOURS, GRID, OBJECTS, TEXTURES, colour_masks


class Reader(nn.Module):
    """Its maps are given: channel k of image i is the image's own colour channel k."""

    def __init__(self):
        super().__init__()
        self.see = nn.Identity()
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.see(x).mean((2, 3)))


@pytest.fixture(scope="module")
def concepts():
    return ck.concept_scenes(40, seed=3, size=64)


def by_hand(images, masks, kinds=None, names=None):
    """Concepts of your own, all of one kind unless said otherwise."""
    names = names or [f"concept {c}" for c in range(masks.shape[1])]
    return ck.Concepts(images, masks, names, kinds or ["kind"] * len(names))


def left_and_right(n=8, size=8):
    """Images whose red is high on the left and whose green is high on the right, and the masks of the two halves."""
    images = 0.1 * random_images(n, size=size)
    images[:, 0, :, : size // 2] += 0.8
    images[:, 1, :, size // 2 :] += 0.8
    masks = torch.zeros(n, 2, size, size, dtype=torch.bool)
    masks[:, 0, :, : size // 2] = masks[:, 1, :, size // 2 :] = True
    return by_hand(images, masks, names=["left", "right"])


def test_a_channel_that_sees_a_concept_exactly_gets_its_name_with_overlap_one():
    found = ck.dissect(ck.Model(Reader()), left_and_right(), "see", share=0.49)
    assert found.iou.shape == (3, 2)
    assert found.iou[0, 0] > 0.97 and found.iou[0, 1] < 0.03
    assert found.iou[1, 1] > 0.97 and found.iou[1, 0] < 0.03
    assert found.name(0, 0.5) == "left" and found.name(1, 0.5) == "right" and found.name(2, 0.5) is None
    assert found.detectors("right", 1) == [1]
    assert list(found.names(0.5).values()) in (["left", "right"], ["right", "left"])


def test_features_that_the_maps_pass_through_are_named_as_channels_are():
    model, concepts = ck.Model(Reader()), left_and_right()
    plain = ck.dissect(model, concepts, "see", share=0.49)
    turned = ck.dissect(model, concepts, "see", share=0.49, through=lambda maps: torch.cat([maps[:, [1, 0]], -maps], 1))
    assert turned.iou.shape == (5, 2) and torch.equal(turned.iou[:2], plain.iou[[1, 0]])
    assert turned.name(0, 0.5) == "right" and turned.iou[2, 1] > 0.9, "where red is low is right"


def test_the_overlap_is_the_formula():
    """IoU by a plain loop over images, channels and concepts."""
    images = random_images(5, size=16, seed=1)
    masks = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(2)) < 0.3
    masks[:2, 0] = masks[:2, 1] = masks[3:, 2] = False
    given = by_hand(images, masks, kinds=["a", "a", "b"])
    found = ck.dissect(ck.Model(Reader()), given, "see", share=0.1)
    shown = torch.stack([masks[:, :2].flatten(1).any(1)] * 2 + [masks[:, 2].flatten(1).any(1)], 1)
    assert torch.equal(given.labelled(), shown)
    for k in range(3):
        ordered = images[:, k].flatten().sort(descending=True).values
        region = images[:, k] > ordered[round(0.1 * len(ordered))]
        assert abs(region.float().mean().item() - 0.1) < 1e-3
        for c in range(3):
            rows = shown[:, c]
            both, either = (region & masks[:, c])[rows].sum(), (region | masks[:, c])[rows].sum()
            assert found.iou[k, c] == pytest.approx((both / either).item(), abs=1e-6)


def test_an_image_without_any_concept_of_the_kind_says_nothing_about_it():
    halves = left_and_right()
    unlabelled = torch.cat([halves.masks, torch.zeros_like(halves.masks)])
    more = by_hand(torch.cat([halves.images, halves.images]), unlabelled)
    few = ck.dissect(ck.Model(Reader()), halves, "see", share=0.25)
    many = ck.dissect(ck.Model(Reader()), more, "see", share=0.25)
    assert relative_difference(few.iou, many.iou) < 1e-6


def test_chance_is_what_masks_of_other_images_give():
    """A channel that only knows where things are in every picture is no better than chance."""
    found = ck.dissect(ck.Model(Reader()), left_and_right(), "see", share=0.49)
    assert found.chance > 0.9, "left is left in each image, so other images' masks fit as well"
    generator = torch.Generator().manual_seed(5)
    places = torch.randint(0, 12, (40, 2), generator=generator)
    images, masks = 0.1 * random_images(40, size=16), torch.zeros(40, 1, 16, 16, dtype=torch.bool)
    for i, (row, column) in enumerate(places.tolist()):
        masks[i, 0, row : row + 4, column : column + 4] = True
    images[:, 0] += 0.8 * masks[:, 0]
    moving = ck.dissect(ck.Model(Reader()), by_hand(images, masks), "see", share=0.05)
    assert moving.iou[0, 0] > 0.7 and moving.chance < 0.35
    assert moving.name(0) == "concept 0"


def test_maps_of_any_size_are_brought_to_the_grid_and_batches_do_not_matter():
    model, images = small_model(), random_images(11, size=16)
    masks = torch.rand(11, 2, 10, 10, generator=torch.Generator().manual_seed(0)) < 0.4
    whole = ck.dissect(model, by_hand(images, masks), "conv2", share=0.05)
    order = torch.arange(10, -1, -1)
    turned = ck.dissect(model, by_hand(images[order], masks[order]), "conv2", share=0.05)
    assert whole.iou.shape == (8, 2)
    assert relative_difference(whole.iou, turned.iou) < 1e-6
    assert len(whole.thresholds) == 8


def test_scenes_show_each_group_and_pattern_and_know_where(concepts):
    assert len(concepts) == 40 and concepts.images.shape == (40, 3, 64, 64)
    assert concepts.masks.shape == (40, len(COLOURS) + len(TEXTURES) + len(OBJECTS), GRID, GRID)
    shown = concepts.masks.flatten(2).any(2)
    kinds = torch.tensor([["colour", "texture", "object"].index(kind) for kind in concepts.kinds])
    objects, textures = shown[:, kinds == 2], shown[:, kinds == 1]
    assert (objects.sum(1) == (torch.arange(40) % 2 == 0)).all(), "every second picture shows one group"
    assert objects.any(0).all(), "each group is there"
    assert (textures.sum(1) == (torch.arange(40) % 4 == 3)).all()
    assert len(concepts.objects) == 20 and set(concepts.objects) <= set(ck.cutouts())
    for i, name in enumerate(concepts.objects):
        group = concepts.names[int((objects[2 * i].nonzero()[0] + (kinds != 2).sum()).item())]
        assert name in OBJECTS[group].split()


def test_the_mask_of_a_group_is_the_mask_of_its_object(monkeypatch):
    made = []

    def recording(*arguments, **options):
        made.append(ck.load_scene(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(dissection, "load_scene", recording)
    concepts = ck.concept_scenes(12, seed=4, size=56)
    groups = concepts.masks[:, len(COLOURS) + len(TEXTURES) :].any(1)
    for i, scene in enumerate(made):
        assert torch.equal(concepts.images[2 * i], scene.image[0])
        (mask,) = scene.masks.values()
        coarse = mask.view(GRID, 2, GRID, 2).float().mean((1, 3))
        assert torch.equal(groups[2 * i], coarse > 0.5)


def test_every_cutout_of_a_group_exists_and_belongs_to_one_group_only():
    members = [name for text in OBJECTS.values() for name in text.split()]
    assert set(members) <= set(ck.cutouts())
    assert len(members) == len(set(members))
    assert min(len(text.split()) for text in OBJECTS.values()) >= 6, "a name must stand for more than a few objects"


def test_the_mask_of_a_pattern_covers_the_pattern(concepts):
    """Inside the patch the picture goes up and down, between two colours; the mask covers that place."""
    striped = [i for i in range(40) if concepts.masks[i, concepts.names.index("striped")].any()]
    assert striped
    for i in striped:
        mask = concepts.masks[i, concepts.names.index("striped")][None, None].float()
        mask = nn.functional.interpolate(mask, 64)[0, 0] > 0
        assert concepts.images[i].mean(0)[mask].std() > 0.1
        assert 0.05 < mask.float().mean() < 0.8


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0.9, 0.1, 0.1), "red"),
        ((0.9, 0.1, 0.15), "red"),
        ((0.9, 0.5, 0.1), "orange"),
        ((0.9, 0.9, 0.1), "yellow"),
        ((0.1, 0.7, 0.2), "green"),
        ((0.1, 0.2, 0.8), "blue"),
        ((0.6, 0.1, 0.7), "purple"),
        ((0.03, 0.03, 0.03), "black"),
        ((0.95, 0.95, 0.95), "white"),
        ((0.5, 0.5, 0.5), None),
        ((0.55, 0.5, 0.5), None),
    ],
)
def test_a_pixel_has_the_colour_that_we_see(colour, name):
    masks = colour_masks(torch.tensor(colour).view(1, 3, 1, 1))[0].flatten()
    assert [COLOURS[i] for i in masks.nonzero()[:, 0].tolist()] == ([name] if name else [])


def test_the_same_seed_gives_the_same_pictures_and_objects_can_be_chosen():
    a, b = (ck.concept_scenes(8, objects=["zebra", "hen", "lark"], seed=1, size=64) for _ in range(2))
    assert torch.equal(a.images, b.images) and torch.equal(a.masks, b.masks)
    assert set(a.objects) == {"zebra", "hen", "lark"}
    assert not torch.equal(a.images, ck.concept_scenes(8, objects=["zebra", "hen"], seed=2, size=64).images)


def test_bad_input_is_told_in_one_sentence(concepts):
    model = ck.Model(Reader())
    with pytest.raises(ck.ImageError, match="dragon"):
        ck.concept_scenes(8, objects=["zebra", "dragon"])
    with pytest.raises(ck.OptionError, match="None of the objects"):
        ck.concept_scenes(8, objects=["teddy"])
    with pytest.raises(ck.OptionError, match="at least 4"):
        ck.concept_scenes(2)
    with pytest.raises(ck.OptionError, match="share"):
        ck.dissect(model, left_and_right(), "see", share=2)
    with pytest.raises(ck.OptionError, match="bool"):
        halves = left_and_right()
        ck.dissect(model, dataclasses.replace(halves, masks=halves.masks.float()), "see")
    with pytest.raises(ck.OptionError, match="one kind for each"):
        ck.dissect(model, dataclasses.replace(left_and_right(), kinds=["a"]), "see")
    with pytest.raises(ck.OptionError, match="no maps"):
        ck.dissect(small_model(), left_and_right(), "fc")
    with pytest.raises(ck.UnknownLayer):
        ck.dissect(model, left_and_right(), "nowhere")
    with pytest.raises(ck.OptionError, match="left, right"):
        ck.dissect(model, left_and_right(), "see", share=0.4).detectors("up")


def test_dissection_leaves_the_model_as_it_was():
    model = small_model().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    masks = torch.zeros(4, 1, 8, 8, dtype=torch.bool)
    masks[:, :, :4] = True
    ck.dissect(model, by_hand(random_images(4, size=16), masks), "conv2")
    assert model.training and all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
