"""Write an nbgrader course: every lab as an assignment, which nbgrader hands out, collects and marks.

    python tools/assignment.py            all labs, in build/assignment/
    python tools/assignment.py 03 05      these labs

Each exercise becomes one answer cell, whose solution nbgrader takes out, and one test cell with a point for each star.
What a student sees there is the check with its hints, which never stops a run; a hidden line beside it makes the check
count when the copy is marked. nbgrader lives in an environment of its own and runs the labs with the course's:

    python3 -m venv .nbgrader
    . .nbgrader/bin/activate
    pip install nbgrader
    .venv/bin/python -m ipykernel install --prefix .nbgrader --name coursekit
    cd build/assignment
    nbgrader generate_assignment 03_occlusion     writes release/03_occlusion/: hand this out
    nbgrader autograde 03_occlusion               runs and marks submitted/NAME/03_occlusion/
    nbgrader export                               writes grades.csv
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from notebooks import CELL_TIMEOUT, ROOT, LabError, build, find_lessons, notebook_text, read_lesson, write
from student import GLOSSARY, beside_glossary

EXERCISE = re.compile(r"^### Exercise (?P<number>\d\d\.\d+).*\n\*(?P<stars>★+) ")
CONFIG = f'''"""Settings of nbgrader for the labs."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "seeing-inside"
c.ClearSolutions.code_stub = {{"python": "# Replace the dots above by your answer."}}
c.ExecutePreprocessor.kernel_name = "coursekit"
c.ExecutePreprocessor.timeout = {CELL_TIMEOUT}
'''


def assignment(lesson: NotebookNode) -> NotebookNode:
    """Return the lab as nbgrader's source: solutions and hidden checks marked, stars as points."""
    nb, kept, exercise = beside_glossary(build(lesson)), [], None
    for cell in nb.cells:
        exercise = EXERCISE.match(cell.source) or exercise
        if "solution" in cell.metadata.get("tags", []):  # joins its starter, the cell before it
            kept[-1].source += f"\n\n### BEGIN SOLUTION\n{cell.source}\n### END SOLUTION"
            _mark(kept[-1], "answer", exercise["number"], solution=True)
            continue
        kept.append(cell)
        if exercise and cell.source.startswith(f'ck.check("{exercise["number"]}"'):
            secret = f'assert ck.progress()["{exercise["number"]}"] == "✓"'
            cell.source += f"\n### BEGIN HIDDEN TESTS\n{secret}\n### END HIDDEN TESTS"
            _mark(cell, "test", exercise["number"], grade=True, locked=True, points=len(exercise["stars"]))
    nb.cells = kept
    return nb


def _mark(cell: NotebookNode, kind: str, number: str, **says: object) -> None:
    usual = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = usual | {"grade_id": f"{kind}-{number.replace('.', '-')}"} | says


def write_course(root: Path, folder: Path, numbers: list[str] | None = None) -> Iterator[str]:
    """Write the course's folder; yield a line for each lab."""
    write(folder / "nbgrader_config.py", CONFIG)
    for lesson in find_lessons(root, numbers):
        nb = assignment(read_lesson(lesson))
        points = [cell.metadata.nbgrader.points for cell in nb.cells if "points" in cell.metadata.get("nbgrader", {})]
        target = folder / "source" / lesson.stem / f"{lesson.stem}.ipynb"
        write(target, notebook_text(nb))
        write(target.with_name(GLOSSARY.name), GLOSSARY.read_text("utf8"))
        yield f"{lesson.stem}: {len(points)} exercises, {sum(points)} points"


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labs", nargs="*", help="two-digit numbers, by default all")
    folder = ROOT / "build" / "assignment"
    try:
        for line in write_course(ROOT, folder, parser.parse_args().labs):
            print(line)
    except LabError as error:
        sys.exit(str(error))
    print(f"The course is in {folder.relative_to(ROOT)}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
