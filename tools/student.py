"""Write the students' copies: every lab without its solutions and outputs.

    python tools/student.py              writes build/student/NN_name.ipynb

A student copy is the notebook without the cells tagged "solution". The starters stay (`answer = ...`), so it runs to
its end with the exercises undone. A copy that a student has edited is never overwritten, nor one that is damaged
or comes from elsewhere.
"""

import sys
from itertools import count
from pathlib import Path

from nbformat import NotebookNode

from notebooks import (
    ROOT,
    LabError,
    build,
    digest,
    find_lessons,
    notebook_text,
    read_lesson,
    read_notebook,
    recorded_digest,
    write,
)

GLOSSARY = ROOT / "docs" / "glossary.md"  # lies beside the copies, so that JupyterLab can open it there


def student_copy(lesson: NotebookNode) -> NotebookNode:
    """Return the lab as students get it."""
    kept = [cell for cell in lesson.cells if "solution" not in cell.metadata.get("tags", [])]
    return beside_glossary(build(NotebookNode(lesson, cells=kept)))


def beside_glossary(copy: NotebookNode) -> NotebookNode:
    """Lead the copy's links to the glossary to the file beside it, and return it."""
    for cell in copy.cells:
        cell.source = cell.source.replace("](../docs/glossary.md)", "](glossary.md)")
    copy.metadata.coursekit.lesson = digest(copy)
    return copy


def write_copies(root: Path, folder: Path) -> list[str]:
    """Write a copy of each lab into the folder; return a line for each that was kept: edited, damaged, or foreign."""
    kept = []
    write(folder / GLOSSARY.name, GLOSSARY.read_text("utf8"))
    for lesson in find_lessons(root):
        try:
            kept += _write_copy(student_copy(read_lesson(lesson)), folder / f"{lesson.stem}.ipynb")
        except (LabError, OSError) as error:  # the other labs are written all the same
            kept.append(f"{lesson.stem}: no copy was written: {error}")
    return kept


def _write_copy(copy: NotebookNode, target: Path) -> list[str]:
    old, moved = _old_copy(target)
    if moved:
        return [
            f"{target.name} is damaged and cannot be read: kept as {moved.name}, a fresh copy beside it",
            *_write_copy(copy, target),
        ]
    if old is not None and recorded_digest(old) is None:
        fresh = target.with_suffix(f".fresh{target.suffix}")
        said = f"{target.name} is not this course's copy: kept as it is, a fresh copy beside it, {fresh.name}"
        return [said, *_write_copy(copy, fresh)]
    if old is not None and digest(old) != recorded_digest(old):
        return [f"{target.name}: your edited copy is kept (rename or delete it to get a fresh one)"]
    if old is None or digest(old) != digest(copy):
        write(target, notebook_text(copy))
    return []


def _old_copy(target: Path) -> tuple[NotebookNode | None, Path | None]:
    """Read the copy that is there; one that is no notebook (cut off, empty) is renamed, and its new path returned."""
    try:
        return read_notebook(target), None
    except LabError:
        free = (target.with_suffix(f".damaged{number or ''}.ipynb") for number in count())
        return None, target.rename(next(path for path in free if not path.exists()))


def main() -> int:
    """Run the command line."""
    folder = ROOT / "build" / "student"
    try:
        print(*write_copies(ROOT, folder), f"The labs are in {folder.relative_to(ROOT)}/", sep="\n")
    except LabError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
