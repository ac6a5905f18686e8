"""Run whole labs where they are seldom run: each cell twice, in a folder that cannot be written to, two at once.

    python tests/helpers/stress.py twice 02 07        every cell twice in a row, with the solutions
    python tests/helpers/stress.py elsewhere 07 13    students' copies, in a read-only folder with spaces and accents,
                                                      a read-only home, on a machine whose language is C
    python tests/helpers/stress.py together 07 13     students' copies, all at once

All with PYTHONPATH=.:tools:tests/helpers, as root or not. Nothing shows widgets here, as in a viewer without their
manager: each must bring a still picture. The exit status is 1 where a cell failed, or said something else the second
time. A lab takes its own time, or twice that.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from notebooks import ROOT, WIDGET, build, code_cells, find_lessons, read_lesson
from student import student_copy

WRITES = "from pathlib import Path\ntry:\n    Path('here').touch()\nexcept OSError:\n    print('cannot write here')"
# In bytes. A kernel's `ru_maxrss` would begin with the memory of the process that has started it.
PEAK = """
import psutil
try:
    print(1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]))
except OSError:  # no Linux: what it holds at the end
    print(psutil.Process().memory_info().rss)
"""
LANGUAGE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


@dataclass
class Run:
    """What came of one lab: seconds, the peak of its kernel's memory in bytes, and a line for each cell that failed."""

    lab: str
    seconds: float
    peak: int
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.lab}: {self.seconds:.0f} s, {self.peak / 1e9:.2f} GB at most, {len(self.failed)} failed"]
        return "\n    ".join(lines + self.failed)


def text(cell: NotebookNode) -> str:
    """What a cell printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def failures(cells: list[NotebookNode]) -> list[str]:
    """A line for each cell with an error, and for each widget that leaves nothing where widgets are not shown."""
    found = []
    for cell in cells:
        for output in cell.outputs:
            data = output.get("data", {})
            if output.output_type == "error":
                found.append(f"{cell.metadata.get('id', cell.id)}: {output.ename}: {output.evalue[:200]}")
            if WIDGET in data and not any(kind.startswith("image/") for kind in data):
                found.append(f"{cell.metadata.get('id', cell.id)}: a widget without a still picture")
    return found


def execute(nb: NotebookNode, folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Run all cells of a notebook in a fresh kernel, also after an error; return the seconds and the peak of memory."""
    nb.cells.append(nbformat.v4.new_code_cell(PEAK))
    with kernel() as name:
        client = NotebookClient(
            nb, timeout=1800, kernel_name=name, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        )
        start = time.perf_counter()
        client.execute(env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    return time.perf_counter() - start, int(text(nb.cells.pop()))


@contextmanager
def kernel() -> Iterator[str]:
    """A kernel that may not write where the permissions say so: a root user may, so it gives up that power."""
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernels" / "bound").mkdir(parents=True)
        spec = {"argv": command, "display_name": "bound", "language": "python"}
        (Path(folder) / "kernels" / "bound" / "kernel.json").write_text(json.dumps(spec), "utf8")
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = folder
        try:
            yield "bound"
        finally:
            os.environ.pop("JUPYTER_PATH")
            os.environ.update({"JUPYTER_PATH": before} if before is not None else {})


def twice(lesson: Path) -> Run:
    """Run every code cell twice in a row; a text that differs the second time is a failure, if nbval compares it."""
    nb = build(read_lesson(lesson))
    nb.cells = [copy for cell in code_cells(nb) for copy in (cell, deepcopy(cell))]
    for i, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{i}"
    with tempfile.TemporaryDirectory() as folder:
        seconds, peak = execute(nb, Path(folder), {"COURSEKIT_STRICT": "1"})
    cells = code_cells(nb)
    pairs = zip(cells[::2], cells[1::2], strict=True)
    other = [
        f"{one.metadata.id}: at first {text(one)[:200]!r}, then {text(two)[:200]!r}"
        for one, two in pairs
        if text(one) != text(two) and "nbval-ignore-output" not in one.metadata.get("tags", [])
    ]
    return Run(lesson.stem, seconds, peak, failures(cells) + other)


def elsewhere(lesson: Path) -> Run:
    """Run the student's copy in a folder and with a home that cannot be written to, where the language is C."""
    nb = student_copy(read_lesson(lesson))
    nb.cells.insert(0, nbformat.v4.new_code_cell(WRITES, id="writes"))
    root = Path(tempfile.mkdtemp()) / "Cours d'été № 1 – à faire"
    home = root / "home"
    home.mkdir(parents=True)
    root.chmod(0o555)
    home.chmod(0o555)
    try:
        seconds, peak = execute(nb, root, LANGUAGE | {"HOME": str(home)})
    finally:
        root.chmod(0o755)
        home.chmod(0o755)
        left = [str(path) for path in root.rglob("*") if path != home]
        shutil.rmtree(root.parent)
    first, *cells = code_cells(nb)
    assert text(first) == "cannot write here\n" and not left, "the folder could be written to: the run shows nothing"
    return Run(lesson.stem, seconds, peak, failures(cells))


def plain(lesson: Path) -> Run:
    """Run the student's copy."""
    nb = student_copy(read_lesson(lesson))
    with tempfile.TemporaryDirectory() as folder:
        seconds, peak = execute(nb, Path(folder), {})
    return Run(lesson.stem, seconds, peak, failures(code_cells(nb)))


def together(lessons: list[Path]) -> list[Run]:
    """Run the students' copies all at once; the sum of their peaks is the most that they can have taken together."""
    with ProcessPoolExecutor(len(lessons)) as pool:
        return list(pool.map(plain, lessons))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("how", choices=["twice", "elsewhere", "together"])
    parser.add_argument("labs", nargs="+", help="two-digit numbers")
    options = parser.parse_args()
    lessons = find_lessons(ROOT, options.labs)
    one = {"twice": twice, "elsewhere": elsewhere}.get(options.how)
    runs = map(one, lessons) if one else together(lessons)
    failed, peaks = 0, 0
    for run in runs:
        failed, peaks = failed + len(run.failed), peaks + run.peak
        print(run, flush=True)
    print(f"{options.how}: {failed} failed; all peaks together {peaks / 1e9:.2f} GB")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
