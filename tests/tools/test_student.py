"""Student copies: no solution in them, they run to their end, and nobody's work is overwritten.

The copies run on the stand-in for a GPU, and the solutions follow them there: so each lab is run twice in all, with
nbval on the machine's own device, and here.
"""

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks import ROOT, code_cells, find_lessons, read_lesson, read_notebook
from student import student_copy, write_copies

LESSONS = find_lessons()
STAND_IN = "import stand_in; stand_in.install()"


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def lines(cells):
    """The longer lines of these cells without their comments: a solution may repeat a line that the lab explained."""
    code = {line.split("  # ")[0].strip() for cell in cells for line in cell.source.splitlines()}
    return {line for line in code if len(line) > 8}


def assert_no_solution(lab):
    """No line that stands in solutions alone is anywhere in the student's copy, outputs and metadata included."""
    secret = lines(filter(is_solution, lab.cells)) - lines(cell for cell in lab.cells if not is_solution(cell))
    assert secret, "the lab has solutions"
    copy = json.dumps(student_copy(lab), ensure_ascii=False)
    assert not [line for line in secret if json.dumps(line, ensure_ascii=False)[1:-1] in copy]


def run(copy, folder, monkeypatch):
    """Run a notebook as JupyterLab would, in an empty folder; return its code cells."""
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests/helpers")]))
    NotebookClient(copy, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return code_cells(copy)


def on_the_stand_in(lab):
    """The student's copy, then the solutions with their checks, in a kernel that has the stand-in for a GPU."""
    copy = student_copy(lab)
    later = [cell.source for cell in code_cells(lab) if is_solution(cell) or is_check(cell)]
    before, *after = (nbformat.v4.new_code_cell(source) for source in (STAND_IN, *later))
    copy.cells = [before, *copy.cells, *after]
    return copy, len(after)


def is_check(cell):
    return "ck.check(" in cell.source


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def test_a_copy_is_the_lab_without_solutions_outputs_and_pairing(lesson):
    lab = read_lesson(lesson)
    assert_no_solution(lab)
    copy = student_copy(lab)
    assert [cell.id for cell in copy.cells] == [cell.metadata["id"] for cell in lab.cells if not is_solution(cell)]
    assert not any(cell.outputs or cell.execution_count for cell in code_cells(copy))
    assert "jupytext" not in copy.metadata


def test_a_solution_left_in_the_copy_is_found(lesson):
    lab = read_lesson(lesson)
    lab.cells[1].source += " Hint: answer = sum([2, 3])  # the secret of the lab"
    with pytest.raises(AssertionError):
        assert_no_solution(lab)


def test_an_edited_copy_is_kept_and_an_untouched_one_is_renewed(lesson, tmp_path):
    root, folder = lesson.parent.parent, tmp_path / "student"
    assert write_copies(root, folder) == []
    target = folder / "99_scratch.ipynb"
    first = target.read_text("utf8")
    nb = read_notebook(target)
    code_cells(nb)[0].execution_count = 7  # run, but not edited
    nbformat.write(nb, target)
    lesson.write_text(lesson.read_text("utf8").replace("2. Two.", "2. Two!"), "utf8")
    assert write_copies(root, folder) == []
    assert target.read_text("utf8") not in (first, "") and "2. Two!" in target.read_text("utf8")

    edited = target.read_text("utf8").replace("answer = ...", "answer = 5")
    target.write_text(edited, "utf8")
    lesson.write_text(lesson.read_text("utf8").replace("2. Two!", "2. Two?"), "utf8")
    assert "your edited copy is kept" in write_copies(root, folder)[0]
    assert target.read_text("utf8") == edited


@pytest.mark.parametrize("content", ["", '{"cells": [', "[]", '{"cells": 3}', "\x00"])
def test_a_damaged_copy_is_kept_and_a_fresh_one_lies_beside_it(lesson, tmp_path, content):
    target = tmp_path / "99_scratch.ipynb"
    for name in ("99_scratch.damaged.ipynb", "99_scratch.damaged1.ipynb"):
        target.write_text(content, "utf8")
        (said,) = write_copies(lesson.parent.parent, tmp_path)
        assert "99_scratch.ipynb is damaged" in said and name in said
        assert (tmp_path / name).read_text("utf8") == content
        assert len(read_notebook(target).cells) > 3, "the student has a fresh copy"


def test_the_small_lab_runs_with_its_exercise_undone(lesson, tmp_path, monkeypatch):
    cells = run(student_copy(read_lesson(lesson)), tmp_path, monkeypatch)
    assert printed(cells[-1]) == "not done yet\n"


def test_a_lab_that_mixes_two_devices_fails_on_the_stand_in(lesson, tmp_path, monkeypatch):
    mixed = "ck.setup(); ck.load_model('coursenet').mean + torch.rand(1, 3, 9, 9)"
    copy, _ = on_the_stand_in(read_lesson(lesson))
    copy.cells.append(nbformat.v4.new_code_cell(f"import torch, coursekit as ck; {mixed}"))
    with pytest.raises(CellExecutionError, match="on the same device"):
        run(copy, tmp_path, monkeypatch)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_solution_is_left_in_a_student_copy(path):
    assert_no_solution(read_lesson(path))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_student_copy_runs_with_the_exercises_undone_and_its_solutions_work_after_it(path, tmp_path, monkeypatch):
    copy, count = on_the_stand_in(read_lesson(path))
    cells = run(copy, tmp_path, monkeypatch)
    undone = {cell.id: printed(cell) for cell in cells[:-count] if is_check(cell)}
    done = [printed(cell) for cell in cells[-count:] if is_check(cell)]
    assert undone and all("not done yet" in text for text in undone.values()), undone
    assert len(done) == len(undone) and all("✓" in text for text in done), done
    assert not [text for text in map(printed, cells) if "✗" in text]
    assert not list(tmp_path.iterdir()), "a lab leaves no files behind"
