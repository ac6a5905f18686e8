"""Files are written whole or not at all; a result that is not there is told in its own sentence."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from nets import random_images

import coursekit as ck
from coursekit.files import read_json, replacing, stored, write_json


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
