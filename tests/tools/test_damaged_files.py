"""Damaged lessons, notebooks and copies: the file is named, nothing is lost, and the others go on."""

import json
import os

import pytest

import notebooks
from mark import find_copies, write_table
from notebooks import LabError, build, built_notebook, notebook_of, notebook_text, read_lesson, read_notebook, write
from slides import make_slides, tag_faults
from student import write_copies
from website import lab_page

DAMAGED = [
    "",
    "<<<<<<< HEAD",
    "[]",
    '{"cells": 3}',
    '{"cells": [], "metadata": {}, "nbformat": 9, "nbformat_minor": 0}',
]


@pytest.fixture
def book(lesson):
    """The path of the small lab's notebook, without outputs."""
    write(notebook_of(lesson), notebook_text(build(read_lesson(lesson))))
    return notebook_of(lesson)


@pytest.mark.parametrize("content", [b"\xff\xfe# %%", b"# %% id=5\n1", b'# %% tags="x"\n1', b'# %% id="a b<c>"\n1'])
def test_a_damaged_lesson_is_named_and_brought_back(lesson, content):
    lesson.write_bytes(content)
    with pytest.raises(LabError, match=r"99_scratch.py is no lesson that can be read .*git checkout -- lessons/99_"):
        read_lesson(lesson)


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_notebook_is_named_and_brought_back(book, lesson, content):
    book.write_text(content, "utf8")
    for use in (lambda: built_notebook(lesson), lambda: notebooks.problems(lesson), lambda: lab_page(lesson)):
        with pytest.raises(LabError, match=r"99_scratch.ipynb is no notebook that can be read .*git checkout"):
            use()


@pytest.mark.parametrize(
    "change", [{"tags": [3]}, {"slideshow": "slide"}, {"slideshow": {"slide_type": 3}}, {"id": 7}, {"id": "<b>"}]
)
def test_metadata_of_a_wrong_kind_are_told(book, change):
    nb = json.loads(book.read_text("utf8"))
    nb["cells"][0]["metadata"].update(change)
    book.write_text(json.dumps(nb), "utf8")
    with pytest.raises(LabError, match=r"99_scratch.ipynb is no notebook that can be read"):
        read_notebook(book)


def test_the_other_labs_are_checked_after_a_damaged_one(book, lesson, monkeypatch, capsys):
    (lesson.parent / "98_broken.py").write_bytes(b"\xff\xfe")
    monkeypatch.setattr(notebooks, "ROOT", lesson.parent.parent)
    monkeypatch.setattr(notebooks, "find_lessons", lambda *_: sorted(lesson.parent.glob("*.py")))
    monkeypatch.setattr("sys.argv", ["notebooks.py", "--check"])
    assert notebooks.main() == 1
    said = capsys.readouterr().out
    assert "98_broken: 98_broken.py is no lesson" in said and "99_scratch: " in said


def test_a_foreign_copy_is_kept_and_a_fresh_one_lies_beside_it(lesson, tmp_path):
    target = tmp_path / "99_scratch.ipynb"
    nb = build(read_lesson(lesson))
    del nb.metadata["coursekit"]
    nb.cells[0].source = "My own notes."
    write(target, notebook_text(nb))
    before = target.read_bytes()
    for _ in range(2):  # the fresh copy of the first time is renewed, the notes stay
        (said,) = write_copies(lesson.parent.parent, tmp_path)
        assert "99_scratch.ipynb is not this course's copy: kept as it is" in said and "99_scratch.fresh.ipynb" in said
        assert target.read_bytes() == before
        assert "answer = ..." in (tmp_path / "99_scratch.fresh.ipynb").read_text("utf8")
    fresh = tmp_path / "99_scratch.fresh.ipynb"
    fresh.write_text(fresh.read_text("utf8").replace("answer = ...", "answer = 5"), "utf8")
    assert any(
        "99_scratch.fresh.ipynb: your edited copy is kept" in line for line in write_copies(lesson.parents[1], tmp_path)
    )
    assert "answer = 5" in fresh.read_text("utf8")


def test_a_folder_or_an_unreadable_file_in_the_place_of_a_copy_is_kept(lesson, tmp_path, monkeypatch):
    target = tmp_path / "99_scratch.ipynb"
    target.mkdir()
    (target / "inside.txt").write_text("mine")
    (said,) = write_copies(lesson.parent.parent, tmp_path)
    assert "kept as 99_scratch.damaged.ipynb" in said and len(read_notebook(target).cells) > 3
    assert (tmp_path / "99_scratch.damaged.ipynb" / "inside.txt").read_text() == "mine"

    read = notebooks.nbformat.read
    mine = target.read_bytes()

    def refused(path, **options):  # another user's file; root, who may run the tests, can read all
        if path == target and path.read_bytes() == mine:
            raise PermissionError(13, "Permission denied")
        return read(path, **options)

    monkeypatch.setattr(notebooks.nbformat, "read", refused)
    target.write_bytes(mine := mine + b" ")
    (said,) = write_copies(lesson.parent.parent, tmp_path)
    assert "kept as 99_scratch.damaged1.ipynb" in said
    assert (tmp_path / "99_scratch.damaged1.ipynb").read_bytes() == mine


def test_a_damaged_lesson_does_not_keep_the_other_copies_from_students(lesson, tmp_path):
    (lesson.parent / "98_broken.py").write_bytes(b"\xff\xfe")
    (said,) = write_copies(lesson.parent.parent, tmp_path)
    assert said.startswith("98_broken: no copy was written: 98_broken.py is no lesson")
    assert (tmp_path / "99_scratch.ipynb").exists()


def test_marking_goes_on_after_damaged_copies_and_strange_names(tmp_path):
    names = ["ann_03_occlusion", os.fsdecode(b"b\xffob_03_occlusion"), "=cmd()_03_occlusion"]
    for name, content in zip(names, ("", "[]", '{"cells": 3}'), strict=True):
        (tmp_path / f"{name}.ipynb").write_text(content, "utf8")
    assert len(find_copies(tmp_path)) == 3
    with (tmp_path / "marks.csv").open("w", encoding="utf8", errors="backslashreplace") as file:
        assert write_table(tmp_path, file) == 3
    table = (tmp_path / "marks.csv").read_text("utf8")
    assert table.count("no notebook that can be read") == 3 and "ann,03" in table and r"b\udcffob" in table


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("<!-- and after", "'<!-- and after"),
        ("</section><section>", "</section> closes nothing"),
        ("<script>alert(1)</script>", "<script> is not allowed"),
        ("<div>never closed", "<div> is not closed"),
    ],
)
def test_html_that_would_swallow_the_rest_of_a_deck_or_a_page_is_told(book, lesson, text, wrong):
    nb = read_notebook(book)
    at = next(i for i, cell in enumerate(nb.cells) if cell.metadata["id"] == "recap")
    nb.cells[at].source += f"\n\n{text}\n"
    with pytest.raises(LabError, match=f"the slide that starts at 'recap' is broken: .*{wrong}"):
        make_slides(nb)
    write(book, notebook_text(nb))
    with pytest.raises(LabError, match=f"cell 'recap' is broken: .*{wrong}"):
        lab_page(lesson)


def test_html_that_is_meant_is_left_alone():
    assert tag_faults("<details><summary>a</summary><p>b<br>c</details><svg><path d='M0'/></svg><!-- said -->") == []


@pytest.mark.parametrize("data", ["iVBORw0KGgo=", 'iVBORw0KGgo=" onload="alert(1)', "größe"])
def test_a_damaged_picture_is_told_and_no_attribute_gets_into_a_deck(book, data):
    nb = read_notebook(book)
    cell = next(cell for cell in nb.cells if cell.metadata["id"] == "figure")
    alt = {"image/png": {"alt": "grey"}}
    cell.outputs = [notebooks.nbformat.v4.new_output("display_data", {"image/png": data}, metadata=alt)]
    with pytest.raises(LabError, match="the picture of cell 'figure' is damaged"):
        make_slides(nb)
