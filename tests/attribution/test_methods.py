"""The eleven methods, the script that scores them ahead, and what the lab reads."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from nets import MEAN, STD, random_images, seeded, small_model
from torch import nn

import coursekit as ck
from coursekit import files as manifest
from coursekit.evaluation import scoreboard as module

ROOT = Path(__file__).resolve().parents[2]
# "The eleven, in every comparison" of the course's design.
NAMES = [
    "input_gradient",
    "input_x_gradient",
    "smoothgrad",
    "integrated_gradients",
    "guided_backprop",
    "deconvnet",
    "occlusion",
    "cam",
    "grad_cam",
    "guided_grad_cam",
    "fullgrad",
]


def test_the_eleven_are_those_of_the_design_and_all_give_maps():
    methods, model, images = ck.eleven(), small_model(), random_images(2, size=14)
    assert list(methods) == NAMES
    for name, method in methods.items():
        maps = method(model, images, torch.tensor([1, 3]))
        assert maps.ndim == 4 and len(maps) == 2 and maps.shape[1] in (1, 3), name
        assert maps.isfinite().all() and maps.abs().sum() > 0, name


def test_each_method_is_the_course_s_own_with_the_settings_that_the_docstring_says():
    methods, model, images = ck.eleven(), small_model(), random_images(1, size=28)
    for name in set(NAMES) - {"occlusion", "fullgrad"}:
        assert torch.equal(methods[name](model, images, 2), getattr(ck, name)(model, images, 2)), name
    assert torch.equal(methods["occlusion"](model, images, 2), ck.occlusion(model, images, 2, window=4, stride=2))
    assert torch.equal(methods["fullgrad"](model, images, 2), ck.fullgrad(model, images, 2, magnitude=True))


def test_all_methods_are_the_eleven_and_four_later_ones():
    methods, model, images = ck.all_methods(), small_model(), random_images(2, size=14)
    assert list(methods) == [*NAMES, "rise", "hires_cam", "layer_cam", "relevance"]
    target = torch.tensor([1, 3])
    for name in ("hires_cam", "layer_cam"):
        assert torch.equal(methods[name](model, images, target), getattr(ck, name)(model, images, target)), name
    relevance = ck.relevance(model, images, target)
    assert torch.equal(methods["relevance"](model, images, target), relevance), "its colours are kept"
    shown = methods["rise"](model, images, target)
    assert torch.allclose(shown.mean((1, 2, 3)), torch.zeros(2), atol=1e-6)
    assert torch.allclose(shown.diff(dim=3), ck.rise(model, images, target).diff(dim=3), atol=1e-6)


def test_a_scoreboard_takes_all_methods():
    images = random_images(2, size=14)
    masks = torch.zeros(2, 14, 14, dtype=torch.bool)
    masks[:, 3:8, 3:8] = True
    scenes = ck.Scenes(images, masks, torch.tensor([1, 3]), ["zebra", "hen"])
    board = ck.scoreboard(small_model(), ck.all_methods(), scenes, steps=2)
    assert list(board.rows) == [*ck.all_methods(), "chance", "edges", "centre"] and not board.not_applicable


def test_a_board_that_was_never_measured_is_told_in_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ck.DataUnavailable, match=r"no stored scoreboard of 'nonet'.*training/scoreboard.py nonet"):
        ck.stored_scoreboard("nonet")
    monkeypatch.setattr(module, "DATA", tmp_path)
    with pytest.raises(ck.DataUnavailable, match="no stored scoreboard"):
        ck.stored_scoreboard("coursenet")


@pytest.fixture
def script(monkeypatch):
    """training/scoreboard.py, with a network of 1000 classes that runs in no time."""
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    spec = importlib.util.spec_from_file_location("training_scoreboard", ROOT / "training/scoreboard.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    layers = [nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1000))
    model = ck.Model(seeded(net), MEAN, STD)
    model.name, model.input_size = "tiny", 64
    monkeypatch.setattr(ck, "load_model", lambda name: model, raising=False)
    yield loaded
    sys.modules.pop("assets", None)


def test_the_script_scores_all_methods_and_gets_the_same_numbers_twice(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "ROOT", tmp_path)
    first = script.measure("tiny", 4, 2, keep=True)
    measured = [name for name in ck.all_methods() if name != "rise"]
    assert list(first.rows) == [*measured, "chance", "edges", "centre"] and not first.not_applicable
    assert len(set(first.objects)) == 4, "each scene shows another object"
    kept = tmp_path / "build/scoreboard/tiny.json"
    assert kept.is_file()
    again = script.measure("tiny", 4, 2, keep=False)
    assert again.rows == first.rows

    board = json.loads(kept.read_text("utf8"))
    board["rows"]["cam"]["best IoU"][0] = 0.123456
    del board["rows"]["occlusion"]
    kept.write_text(json.dumps(board), "utf8")
    resumed = script.measure("tiny", 4, 2, keep=True)
    assert resumed.rows["cam"]["best IoU"][0] == 0.123456, "what the file has is not computed again"
    assert resumed.rows["occlusion"] == first.rows["occlusion"], "what it lacks is"


def test_a_finished_board_is_stored_with_its_manifest_entry_and_read_back(script, tmp_path, monkeypatch):
    import assets

    (tmp_path / "data").mkdir()
    (tmp_path / "data/manifest.json").write_text('{"files": [{"file": "weights/other"}]}', "utf8")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    board = ck.Scoreboard("tiny", ["zebra", "hen"], {"cam": {"best IoU": [0.5, 0.7]}})
    script.store(board)
    script.store(board)
    entries = json.loads((tmp_path / "data/manifest.json").read_text("utf8"))["files"]
    assert [entry["file"] for entry in entries] == ["weights/other", "scoreboard/tiny.json"]
    assert entries[1]["made_by"] == "python training/scoreboard.py tiny"

    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    assert ck.stored_scoreboard("tiny") == board


def test_the_scenes_of_the_board_show_at_least_forty_objects(script):
    assert script.SCENES == 200 and script.CURVE_SCENES == 40 and script.STEPS == 16
    assert len(ck.cutouts("core")) >= 40
    scenes = ck.scenes(40, objects=list(ck.cutouts("core")), seed=script.SEED, size=64)
    assert len(set(scenes.objects)) == 40


def test_each_stored_board_holds_what_the_course_promises():
    for network in manifest.files("scoreboard"):
        board = ck.stored_scoreboard(network)
        assert board.model == network and len(board.objects) == 200 and len(set(board.objects)) >= 40
        promised = {*ck.all_methods(), "chance", "edges", "centre"} - {"rise"}
        assert set(board.rows) | set(board.not_applicable) == promised
        localised = dict.fromkeys(("pointing game", "energy in mask", "best IoU", "ranking AUC"), 200)
        for row in board.rows.values():
            assert {measure: len(values) for measure, values in row.items()} == localised | {
                "deletion": 40,
                "insertion": 40,
            }
        assert board.interval("chance", "ranking AUC")[0] == pytest.approx(0.5, abs=0.01)
