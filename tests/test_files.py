"""Files are written whole or not at all; a result that is not there is told in its own sentence."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from nets import random_images

import coursekit as ck
from coursekit.files import DATA, manifest, own_json, read_json, replacing, stored, write_json


@pytest.mark.parametrize("error", [RuntimeError("the fuse blew"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("old", [None, "as it was"])
def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path, error, old):
    path = tmp_path / "table.json"
    if old:
        path.write_text(old)
    with pytest.raises(type(error)), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert [file.read_text() for file in tmp_path.iterdir()] == [old] * (old is not None)


def test_the_new_file_appears_at_the_end_and_has_the_usual_mode(tmp_path):
    path, plain = tmp_path / "a.png", tmp_path / "plain"
    plain.touch()
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".png"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new" and path.stat().st_mode == plain.stat().st_mode


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / "numbers.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: write_json(path, {"values": [n] * 10_000}), range(40)))
    assert len(set(read_json(dict, path, "table")["values"])) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_figure_that_cannot_be_written_keeps_the_old_one(tmp_path):
    picture, path = ck.show_images(random_images(1)), tmp_path / "figure.png"
    picture.save(path)
    before = path.read_bytes()

    def full(file, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    picture.figure.savefig = full
    with pytest.raises(OSError, match="No space"):
        picture.save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["figure.svg", "figure.pdf", "figure"])
def test_a_figure_takes_the_name_that_was_given(tmp_path, name):
    ck.show_images(random_images(1)).save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_stored_is_found_and_what_is_not_is_told(tmp_path):
    (tmp_path / "there.json").touch()
    assert stored(tmp_path / "there.json", "never said") == tmp_path / "there.json"
    sentence = "There is no stored table; make it: python training/table.py"
    with pytest.raises(ck.DataUnavailable, match=f"^{re.escape(sentence)}$"):
        stored(tmp_path / "nowhere.json", sentence)
    with pytest.raises(ck.DataUnavailable, match=re.escape(sentence)):
        stored(tmp_path, sentence)


ENTRY = {"file": "weights/a", "sha256": "0", "bytes": 1, "licence": "CC0-1.0", "origin": "here"}


@pytest.mark.parametrize(
    "change",
    [
        *({"file": name} for name in (3, "../a", "/etc/passwd")),
        *({"bytes": number} for number in ("1", None, True)),
        {"class": 1.5},
        {"sha256": []},
        {"lable": "cat"},
        {"styles": [1]},
    ],
)
def test_a_manifest_with_a_wrong_entry_is_damaged(tmp_path, change):
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [ENTRY, ENTRY | change]}))
    with pytest.raises(ck.DataUnavailable, match=r"manifest.json is damaged.*git checkout -- data"):
        manifest(tmp_path)


def test_what_an_entry_of_the_manifest_lacks_is_told_when_it_is_asked_for(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [ENTRY]}))
    (entry,) = manifest(tmp_path)
    assert entry["bytes"] == 1 and entry.get("class") is None
    with pytest.raises(ck.DataUnavailable, match=r"manifest.json is damaged"):
        entry["steps"]


def test_a_table_of_the_course_that_was_changed_is_not_used(monkeypatch, tmp_path):
    """A number changed by hand, or half a merge: nothing would be raised, and the table would be wrong."""
    path = tmp_path / "table.json"
    path.write_text('{"points": 7}')
    entry = ENTRY | {"file": "table.json", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [entry]}))
    monkeypatch.setattr("coursekit.files.DATA", tmp_path)
    assert own_json(path, "missing", {"points": int}) == {"points": 7}
    path.write_text('{"points": 8}')
    with pytest.raises(ck.DataUnavailable, match=r"table.json is damaged.*Run: git checkout"):
        own_json(path, "missing", {"points": int})


@pytest.mark.parametrize("content", ["", "[]", '{"points": true}', '{"points": NaN}', '{"x": 1}', "[" * 100_000])
def test_a_table_of_another_shape_is_damaged(tmp_path, content):
    (tmp_path / "table.json").write_text(content)
    with pytest.raises(ck.DataUnavailable, match=r"table.json is damaged"):
        own_json(tmp_path / "table.json", "missing", {"points": float})


BOARD = {
    "model": "net",
    "objects": ["hen", "cat"],
    "rows": {"cam": {"energy": [0.5, 0.1]}, "edges": {"energy": [1, 0]}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"rows": []},
        {"objects": [1, 2]},
        {"objects": ["hen"]},
        {"rows": {"cam": {"energy": [0.5, float("nan")]}}},
        {"rows": {"cam": {"energy": [0.5, 10**400]}}},
        {"rows": {"cam": {"energy": []}}},
        {"rows": {"cam": {"energy": [0.5]}, "edges": {"energy": [0.5, 1]}}},
        {"rows": {"cam": {"energy": [0.5]}, "edges": {"area": [0.5]}}},
        {"subject": {"network": "x"}},
        {"colour": "red"},
    ],
)
def test_a_scoreboard_with_wrong_values_is_refused_when_it_is_loaded(tmp_path, change):
    path = tmp_path / "board.json"
    path.write_text(json.dumps(BOARD))
    assert "hen" not in repr(ck.Scoreboard.load(path)) and "cam" in repr(ck.Scoreboard.load(path))
    path.write_text(json.dumps(BOARD | change))
    with pytest.raises(ck.OptionError, match=r"board.json' is not a scoreboard that can be read"):
        ck.Scoreboard.load(path)


@pytest.mark.parametrize(
    "rows", [{"cam": {"0": {}}}, {"cam": {"0": {"SSIM": [[0.5, 0.5]]}}}, {"cam": {"0": {"x": [[0.5]]}}}, {"cam": [1]}]
)
def test_a_randomisation_test_with_wrong_values_is_refused(tmp_path, rows):
    path = tmp_path / "test.json"
    record = {"model": "net", "mode": "cascading", "layers": ["fc"], "seeds": [0], "objects": ["hen"], "rows": rows}
    path.write_text(json.dumps(record))
    with pytest.raises(ck.OptionError, match=r"test.json' is not a randomisation test that can be read"):
        ck.RandomisationTest.load(path)


def test_a_randomisation_test_without_seeds_is_refused(tmp_path):
    path = tmp_path / "test.json"
    record = {
        "model": "net",
        "mode": "cascading",
        "layers": ["fc"],
        "seeds": [],
        "objects": ["hen"],
        "rows": {"cam": {}},
    }
    path.write_text(json.dumps(record))
    with pytest.raises(ck.OptionError, match="not a randomisation test"):
        ck.RandomisationTest.load(path)


def test_the_courses_own_tables_fit():
    for name in ("coursenet", "efficientnet_lite0"):
        assert ck.stored_scoreboard(name).rows and ck.stored_sanity(name).rows
    assert (DATA / "detective/sealed.json").is_file() and ck.case(0) is not None
