"""A course in a folder with spaces and accents, on a machine whose language is C: everything is read and written."""

import os
import subprocess
import sys

import nbformat
from scratch import LESSON, make_course

from notebooks import ROOT, notebook_of

PROGRAM = """
import locale, sys
from pathlib import Path

import notebooks, slides, student, website

assert locale.getpreferredencoding(False).lower() in ("ansi_x3.4-1968", "us-ascii", "ascii"), "the test is of no use"
lesson = Path(sys.argv[1])
course = lesson.parents[1]
notebooks.update(lesson)
assert not notebooks.problems(lesson), notebooks.problems(lesson)
print(*student.write_copies(course, course / "build/student"))
deck = slides.make_deck(notebooks.built_notebook(lesson))
assert "Größe – α² ≥ ½" in deck and "Größe – α² ≥ ½" in website.lab_page(lesson)
"""


def test_spaces_and_accents_in_the_path_and_a_machine_that_speaks_c(tmp_path):
    lesson = make_course(tmp_path / "Cours d'été № 1 – à faire", LESSON.replace("A figure", "Größe – α² ≥ ½"))
    locale = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tools")])
    (tmp_path / "program.py").write_text(PROGRAM, "utf8")
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py", lesson],
        env={**os.environ, **locale, "PYTHONPATH": paths},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode("utf8", "replace")
    for path in (notebook_of(lesson), lesson.parents[1] / "build/student/99_scratch.ipynb"):
        assert any("Größe – α² ≥ ½" in cell.source for cell in nbformat.read(path, as_version=4).cells)
