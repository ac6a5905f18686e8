"""What students get holds package, data and copies, and no solution; what they hand in is marked."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import nbformat
import pytest

import handout
from handout import write_handout
from mark import find_copies, write_table
from notebooks import ROOT, code_cells, find_lessons, read_lesson, read_notebook
from student import student_copy
from tests.tools.test_student import is_solution, lines


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handed out")
    with zipfile.ZipFile(write_handout(ROOT, folder / "handout.zip")) as archive:
        archive.extractall(folder)
    return folder / handout.TOP


def test_it_holds_the_copies_and_no_solution(unzipped):
    names = {path.relative_to(unzipped).parts[0] for path in unzipped.rglob("*") if path.is_file()}
    assert names == {"coursekit", "data", "gallery", "labs", "README.md", "Makefile", *handout.FILES}
    for lesson in find_lessons():
        lab = read_lesson(lesson)
        copy = (unzipped / "labs" / f"{lesson.stem}.ipynb").read_text("utf8")
        secret = lines(filter(is_solution, lab.cells)) - lines(cell for cell in lab.cells if not is_solution(cell))
        assert secret and not [line for line in secret if json.dumps(line, ensure_ascii=False)[1:-1] in copy]
    everything = [path for path in unzipped.rglob("*") if path.is_file()]
    key = (ROOT / "tools" / "detective_key.txt").read_text("utf8").strip()
    assert key and not [path for path in everything if key.encode() in path.read_bytes()]
    scripts = [path.name for path in everything if path.suffix == ".py"]
    assert scripts and not [name for name in scripts if name.startswith(("suspects", "test_", "answers_"))]


def test_it_works_where_it_was_unzipped(unzipped, tmp_path):
    script = (
        "import coursekit as ck; print(ck.__file__); ck.load_model('coursenet'); ck.case(16); ck.check('03.1', 625)"
    )
    bare = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COURSEKIT_STRICT")}
    env = bare | {"PYTHONPATH": str(unzipped), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [str(unzipped / "coursekit" / "__init__.py"), "✓ 03.1 right."]
    plan = subprocess.run(["make", "-n", "lab"], cwd=unzipped, capture_output=True, text=True)
    assert "pip install" in plan.stdout and "jupyterlab" in plan.stdout, plan.stderr


SHORT = """
import coursekit as ck
ck.check("03.1", {answer})
"""


def collected(folder, name, *sources):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in sources]), path)


def test_collected_copies_are_marked(tmp_path):
    """Also beside a cell that fails, one that never ends, a mark that is printed, and a file that is no notebook."""
    collected(tmp_path, "ada/03_occlusion.ipynb", "1 / 0", SHORT.format(answer=625), "while True: pass")
    collected(tmp_path, "bo_03_occlusion.ipynb", SHORT.format(answer=24), 'print("✓ 03.2 right.")\nck.check("03.3")')
    (tmp_path / "cy").mkdir()
    (tmp_path / "cy" / "03_occlusion.ipynb").write_text("{")
    assert [(copy.student, copy.lab) for copy in find_copies(tmp_path)] == [("ada", "03"), ("bo", "03"), ("cy", "03")]
    table = io.StringIO()
    assert write_table(tmp_path, table, seconds=20) == 1
    ada, bo, cy = csv.DictReader(io.StringIO(table.getvalue()))
    assert list(ada) == ["student", "lab", "03.1", "03.2", "03.3", "03.4", "03.5", "right", "note"]
    assert (ada["student"], ada["03.1"], ada["03.2"], ada["right"]) == ("ada", "✓", "○", "1")
    assert (bo["03.1"], bo["03.2"], bo["03.3"], bo["right"]) == ("✗", "○", "○", "0"), "what is printed counts nothing"
    assert cy["note"].startswith("not run") and cy["03.1"] == ""


def test_the_solutions_of_a_lab_get_full_marks_and_an_empty_copy_none(tmp_path):
    lab = read_lesson(next(lesson for lesson in find_lessons() if lesson.stem == "13_tcav"))
    ends, head = ("-starter", "-solution", "-check"), "import torch\nimport coursekit as ck"
    answers = [cell.source for cell in code_cells(lab) if cell.metadata["id"].endswith(ends)]
    starters = [cell.source for cell in code_cells(student_copy(lab)) if cell.id.endswith(ends)]
    assert len(starters) < len(answers)
    collected(tmp_path, "all_13_tcav.ipynb", head, *answers)
    collected(tmp_path, "none_13_tcav.ipynb", head, *starters)
    table = io.StringIO()
    write_table(tmp_path, table)
    full, none = csv.DictReader(io.StringIO(table.getvalue()))
    exercises = [name for name in full if name.startswith("13.")]
    assert len(exercises) == sum(cell.metadata["id"].endswith("-check") for cell in code_cells(lab))
    assert {full[name] for name in exercises} == {"✓"} and full["right"] == str(len(exercises))
    assert "✓" not in none.values() and none["right"] == "0"
    assert read_notebook(tmp_path / "all_13_tcav.ipynb").cells[0].execution_count is None, "the copy stays as it was"
