"""Pack what students get: one zip with package, data and their copies of the labs, and no solution.

    python tools/handout.py              writes build/handout.zip

Left out are the lessons and notebooks with the solutions, the tests with the right answers, the training scripts (one
prints who is guilty in the capstone), and the instructor's page and key. README.md in the zip says how to start.
"""

import sys
import zipfile
from pathlib import Path

from notebooks import ROOT, LabError, find_lessons, notebook_text, read_lesson
from student import GLOSSARY, student_copy

TOP = "seeing-inside"
FOLDERS = {"coursekit": "*", "data": "*", "gallery": "[a-z]*"}
FILES = "pyproject.toml setup.py MANIFEST.in constraints.txt CHANGELOG.md CITATION.cff LICENSE LICENSE-text".split()  # noqa: SIM905
README = """# Seeing inside convolutional networks

The labs are in `labs/`. You need Python 3.11 or newer.

Linux and macOS, in this folder (the first start downloads some 2 GB and takes minutes, the next one seconds):

    make lab

Windows, in this folder:

    py -m venv .venv
    .venv\\Scripts\\pip install -e . -c constraints.txt
    .venv\\Scripts\\jupyter lab labs

Begin with `labs/00_start_here.ipynb`. Save the notebooks under their own names, and hand in these files.
If something does not work, run `coursekit doctor` in the environment that you made; it says what to do.
"""
MAKEFILE = """PYTHON ?= python3
export MALLOC_MMAP_MAX_ := 0
export MALLOC_TRIM_THRESHOLD_ := 2147483647
export GOMP_SPINCOUNT ?= 10000

lab: .venv/stamp
\t.venv/bin/coursekit doctor
\tcd labs && ../.venv/bin/python -m jupyterlab $$(test "$$(id -u)" -ne 0 || echo --allow-root)

.venv/stamp: pyproject.toml constraints.txt
\ttest -x .venv/bin/python || $(PYTHON) -m venv .venv
\t.venv/bin/python -m pip install -q -e . -c constraints.txt
\ttouch $@

.PHONY: lab
"""


def contents(root: Path) -> dict[str, bytes]:
    """Return what the zip holds: the name of each file and its bytes."""
    found = {"README.md": README.encode(), "Makefile": MAKEFILE.encode()}
    found[f"labs/{GLOSSARY.name}"] = GLOSSARY.read_bytes()
    for lesson in find_lessons(root):
        found[f"labs/{lesson.stem}.ipynb"] = notebook_text(student_copy(read_lesson(lesson))).encode()
    for folder, pattern in FOLDERS.items():
        for path in sorted((root / folder).rglob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found | {name: (root / name).read_bytes() for name in FILES}


def write_handout(root: Path, target: Path) -> Path:
    """Write the zip, everything in one folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents(root).items():
            archive.writestr(f"{TOP}/{name}", data)
    return target


if __name__ == "__main__":
    try:
        made = write_handout(ROOT, ROOT / "build" / "handout.zip")
    except LabError as error:
        sys.exit(str(error))
    print(f"{made.relative_to(ROOT)}  {made.stat().st_size / 1e6:.0f} MB")
