"""nbgrader takes the labs: it hands out no solution, gives right answers all points and empty copies none."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from assignment import assignment, write_course
from notebooks import ROOT, find_lessons, read_lesson
from tests.tools.test_student import is_solution, lines

PINNED = Path(__file__).with_name("nbgrader.txt")
GENERATE = """
import sys
from nbgrader.apps import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader
api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
for name in sys.argv[1:]:
    done = api.generate_assignment(name)
    print(done["success"] or done["log"])
"""


def run(*words, cwd=None, **env):
    """Run a program; return what it printed, or fail with what it said."""
    kept = {key: value for key, value in os.environ.items() if key not in ("COURSEKIT_STRICT", "PYTHONPATH")}
    kept["PATH"] = os.pathsep.join([str(Path(words[0]).parent), kept["PATH"]])  # nbgrader calls alembic by its name
    done = subprocess.run([*map(str, words)], cwd=cwd, env=kept | env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """An environment with nbgrader, and the course's Python as a kernel in it."""
    folder = tmp_path_factory.mktemp("nbgrader")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "-r", PINNED)
    run(sys.executable, "-m", "ipykernel", "install", "--prefix", folder, "--name", "coursekit")
    return folder / "bin"


@pytest.fixture(scope="module")
def course(nbgrader, tmp_path_factory):
    """All labs, as nbgrader releases them."""
    folder = tmp_path_factory.mktemp("course")
    told = list(write_course(ROOT, folder))
    names = [lesson.stem for lesson in find_lessons()]
    assert [line.split(":")[0] for line in told] == names
    assert run(nbgrader / "python", "-c", GENERATE, *names, cwd=folder).split() == ["True"] * len(names)
    return folder


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_nbgrader_hands_out_no_solution_and_every_check(course, lesson):
    source = read_lesson(lesson)
    released = nbformat.read(course / "release" / lesson.stem / f"{lesson.stem}.ipynb", as_version=4)
    secret = lines(filter(is_solution, source.cells)) - lines(cell for cell in source.cells if not is_solution(cell))
    assert secret and not secret & lines(released.cells)
    assert "ck.progress()[" not in "".join(cell.source for cell in released.cells)
    marked = [cell.metadata.nbgrader for cell in released.cells if "nbgrader" in cell.metadata]
    tests = [cell for cell in marked if cell.grade]
    stars = [cell.source.split("\n")[1].count("★") for cell in source.cells if cell.source.startswith("### Exercise ")]
    assert [cell.points for cell in tests] == stars and all(cell.locked for cell in tests)
    assert [cell.grade_id for cell in marked if cell.solution] == [
        cell.grade_id.replace("test", "answer") for cell in tests
    ]
    rest = [cell.source for cell in source.cells if not is_solution(cell)]
    rest = [text.replace("](../docs/glossary.md)", "](glossary.md)") for text in rest]  # it lies beside the copy
    assert len(released.cells) == len(rest)
    for cell, text in zip(released.cells, rest, strict=True):
        assert cell.source == text or (cell.metadata.nbgrader.solution and cell.source.startswith(text))


def test_autograde_gives_the_solutions_all_points_and_an_empty_copy_none(course, nbgrader):
    lab = "00_start_here"
    for name, origin in (("right", "source"), ("empty", "release")):
        (course / "submitted" / name / lab).mkdir(parents=True)
        shutil.copy(course / origin / lab / f"{lab}.ipynb", course / "submitted" / name / lab)
    env = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run(nbgrader / "nbgrader", "autograde", lab, cwd=course, **env)
    run(nbgrader / "nbgrader", "export", cwd=course)
    with (course / "grades.csv").open(encoding="utf8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == lab]
    points = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}
    most = sum(
        cell.metadata.nbgrader.points
        for cell in assignment(read_lesson(find_lessons(numbers=["00"])[0])).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    )
    assert points == {"right": (most, most), "empty": (0, most)}
