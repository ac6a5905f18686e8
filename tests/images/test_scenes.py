"""Scenes: the mask is where the object is, the same arguments give the same picture, and bad names are refused."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.images.scenes import KINDS, PHOTOGRAPHIC

GREY = torch.full((1, 3, 96, 96), 0.5)


def test_cutouts_are_photographs_with_alpha_and_an_honest_class():
    labels = ck.load_model("efficientnet_lite0").labels
    for name, entry in files("cutouts").items():
        with Image.open(DATA / entry["file"]) as picture:
            assert picture.mode == "RGBA" and max(picture.size) >= 78 and max(picture.size) <= 320, name
            assert picture.getchannel("A").getextrema()[1] == 255, name
        if "class" in entry:
            assert labels[entry["class"]] == entry["label"]
    assert 100 <= len(ck.cutouts()) <= 150
    assert len(ck.cutouts("labelled")) >= 100
    assert len(ck.cutouts("core")) >= 40
    assert set(ck.cutouts("core")) <= set(ck.cutouts("labelled")) <= set(ck.cutouts())


def test_the_mask_is_where_the_picture_differs_from_its_background():
    scene = ck.load_scene("zebra", background=GREY, seed=4, size=96)
    (mask,) = scene.masks.values()
    changed = ((scene.image - GREY).abs().amax(1) > 0.02)[0]
    assert not (changed & ~dilated(mask)).any()  # nothing changes outside the object …
    assert (changed & mask).float().sum() > 0.8 * mask.sum()  # … and inside, few pixels are as grey as the ground
    assert 0.03 < mask.float().mean() < 0.6


def dilated(mask):
    return torch.nn.functional.max_pool2d(mask[None, None].float(), 5, 1, 2)[0, 0] > 0


def test_where_objects_overlap_each_pixel_belongs_to_one():
    for seed in range(20):
        masks = ck.load_scene(["elephant", "balloon"], seed=seed, size=96, scale=1).masks
        assert not (masks["elephant"] & masks["balloon"]).any()
        assert all(mask.any() for mask in masks.values())


def test_the_same_arguments_give_the_same_scene_and_another_seed_another_one():
    first, again, other = (ck.load_scene(["hen", "cock"], seed=seed, size=64) for seed in (1, 1, 2))
    assert torch.equal(first.image, again.image) and not torch.equal(first.image, other.image)
    assert all(torch.equal(first.masks[name], again.masks[name]) for name in first.masks)


def test_the_random_state_stays_as_it_was():
    before = torch.get_rng_state()
    ck.scenes(3, seed=1, size=64)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("background", [*KINDS, *PHOTOGRAPHIC, "noise", "sky", "mesh", "grey", "chelsea", GREY])
def test_every_background_gives_a_picture(background):
    scene = ck.load_scene("lemon", background=background, size=96)
    assert scene.image.shape == (1, 3, 96, 96) and scene.image.dtype == torch.float32
    assert scene.image.min() >= 0 and scene.image.max() <= 1
    assert scene.targets == {"lemon": 951}


def test_an_object_without_a_class_has_a_mask_and_no_target():
    scene = ck.load_scene("giraffe", size=64)
    assert scene.targets == {} and list(scene.masks) == ["giraffe"]


def test_scenes_show_every_object_equally_often_and_say_which():
    made = ck.scenes(7, classes=["zebra", 292], seed=3, size=64)
    assert made.images.shape == (7, 3, 64, 64) and made.masks.shape == (7, 64, 64) and made.masks.dtype == torch.bool
    counts = [made.objects.count(name) for name in ("zebra", "tiger", "tiger_walking")]
    assert sorted(counts) == [2, 2, 3]
    assert made.targets.tolist() == [ck.cutouts()[name] for name in made.objects]
    assert repr(made) == "7 scenes of 3 distinct objects"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ck.load_scene("zebbra"), ck.ImageError, "Did you mean 'zebra'"),
        (lambda: ck.load_scene([]), ck.OptionError, "one to four"),
        (lambda: ck.load_scene(["hen", "hen"]), ck.OptionError, "one to four different"),
        (lambda: ck.load_scene("hen", background="nowhere"), ck.ImageError, "nowhere"),
        (lambda: ck.load_scene("hen", background=3), ck.OptionError, "is 3"),
        (lambda: ck.load_scene("hen", background=GREY * 3), ck.ImageError, r"\[0, 1\]"),
        (lambda: ck.load_scene("hen", size=5), ck.OptionError, "32 to 2048"),
        (lambda: ck.load_scene("hen", scale=2.0), ck.OptionError, "scale"),
        (lambda: ck.scenes(0), ck.OptionError, "at least 1"),
        (lambda: ck.scenes(2, classes=["unicorn"]), ck.OptionError, "unicorn"),
        (lambda: ck.scenes(2, objects=["giraffe"]), ck.ImageError, "giraffe"),
        (lambda: ck.scenes(2, classes=[]), ck.OptionError, "no object"),
        (lambda: ck.cutouts("many"), ck.OptionError, "core"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("content", [None, "", "<<<<<<< HEAD", "{}", '{"files": 3}', '{"files": [1]}', "[]"])
def test_a_list_of_files_that_is_missing_or_damaged_is_told(monkeypatch, tmp_path, content):
    monkeypatch.setattr("coursekit.files.DATA", tmp_path)
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, "utf8")
    files.cache_clear()
    words = "missing" if content is None else "damaged"
    try:
        with pytest.raises(ck.DataUnavailable, match=f"manifest.json is {words}.*git checkout -- data"):
            ck.cutouts()
    finally:
        files.cache_clear()


def test_credits_name_the_cutouts():
    credits = Path(DATA / "CREDITS.md").read_text("utf8")
    assert "Tux Paint" in credits and "GNU General Public License" in credits
    entries = json.loads((DATA / "manifest.json").read_text("utf8"))["files"]
    assert all(e["licence"] == "GPL-2.0-or-later" for e in entries if e["file"].startswith("cutouts/"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: ck.scenes(2, ["zebra"]),
        lambda: ck.scenes(2, [340, 8], "grass", 3),
        lambda: ck.load_scene("zebra", "grass"),
        lambda: ck.load_scene("zebra", 1),
        lambda: ck.style_image("ink", 64, 1),
        lambda: ck.stimuli.texture("dots", 64, 1),
        lambda: ck.stimuli.shape("star", (1, 0, 0), 0.3, 0, (0.5, 0.5)),
        lambda: ck.shape_parameters("star", (1, 0, 0), 0.3, 0, (0.5, 0.5)),
    ],
)
def test_options_go_by_name(call):
    with pytest.raises(TypeError, match="positional argument"):
        call()
