"""The script that puts all methods through the randomisation test ahead, and what `stored_sanity` reads."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from nets import MEAN, STD, seeded
from torch import nn

import coursekit as ck
from coursekit.evaluation import report_card as card

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch, tmp_path):
    """training/sanity_sweep.py, with a network of 1000 classes that runs in no time, in a folder of its own."""
    monkeypatch.syspath_prepend(str(ROOT / "training"))
    spec = importlib.util.spec_from_file_location("training_sanity_sweep", ROOT / "training/sanity_sweep.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    layers = [nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 1000)]
    model = ck.Model(seeded(nn.Sequential(*layers)), MEAN, STD)
    model.name, model.input_size = "tiny", 32
    monkeypatch.setattr(ck, "load_model", lambda name: model, raising=False)
    monkeypatch.setattr(loaded, "ROOT", tmp_path)
    monkeypatch.setitem(loaded.LAYERS, "tiny", ("4", "0"))
    yield loaded
    sys.modules.pop("assets", None)


def test_the_script_measures_distinct_objects_and_goes_on_where_it_stopped(script, tmp_path, monkeypatch):
    some = {name: script.sweep_methods()[name] for name in ("cam", "occlusion", "edges")}
    monkeypatch.setattr(script, "sweep_methods", lambda: some)  # three are enough to see it
    first = script.measure("tiny", 2, (0, 1), keep=True)
    assert first.methods == ["cam", "edges", "occlusion"], "the slow ones last"
    assert first.seeds == [0, 1] and first.layers == ["4", "0"]
    assert len(set(first.objects)) == 2
    kept = tmp_path / "build/sanity/tiny.json"
    record = json.loads(kept.read_text("utf8"))
    record["rows"]["cam"]["1"]["SSIM"][0][0] = 0.123456
    del record["rows"]["occlusion"]["0"]
    kept.write_text(json.dumps(record), "utf8")
    again = script.measure("tiny", 2, (0, 1), keep=True)
    assert again.rows["cam"]["1"]["SSIM"][0][0] == 0.123456, "what the file has is not computed again"
    assert again.rows["occlusion"] == first.rows["occlusion"], "what it lacks is"
    assert again.seconds > first.seconds > 0


def test_a_finished_test_is_stored_with_its_manifest_entry_and_read_back(script, tmp_path, monkeypatch):
    import assets

    (tmp_path / "data").mkdir()
    (tmp_path / "data/manifest.json").write_text('{"files": [{"file": "weights/other"}]}', "utf8")
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    test = ck.RandomisationTest("tiny", "cascading", ["fc"], [0], ["zebra"], {"cam": {"0": {"SSIM": [[0.5]]}}})
    test.seconds = 12.5
    script.store(test)
    script.store(test)
    entries = json.loads((tmp_path / "data/manifest.json").read_text("utf8"))["files"]
    assert [entry["file"] for entry in entries] == ["weights/other", "sanity/tiny.json"]
    assert entries[1]["made_by"] == "python training/sanity_sweep.py tiny"

    monkeypatch.setattr(card, "DATA", tmp_path / "data")
    read = ck.stored_sanity("tiny")
    assert read == test and read.seconds == 12.5


def test_the_slow_methods_take_fewer_passes_and_are_otherwise_the_courses_own(script):
    methods = script.sweep_methods()
    assert set(methods) == {*ck.all_methods(), "edges", "centre", "chance"} - {"rise"}
    changed = {name for name, method in methods.items() if method is not ck.all_methods().get(name)}
    assert set(script.SLOW) <= changed and methods["edges"].__name__ == "edge_map"


def test_the_stored_sweeps_are_what_their_command_in_the_manifest_makes(script):
    for network in script.NETWORKS:
        test = ck.stored_sanity(network)
        assert test.layers == list(script.LAYERS[network]) and test.seeds == list(script.SEEDS[network])
        assert len(test.objects) == len(set(test.objects)) == script.SCENES
