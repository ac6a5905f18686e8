"""Run collected copies of the labs and say which exercises are right.

    python tools/mark.py FOLDER              prints a table in CSV, one line for each copy
    python tools/mark.py FOLDER -o marks.csv writes it

A copy lies in a folder with the student's name, FOLDER/NAME/03_occlusion.ipynb, or has the name in its own:
FOLDER/NAME_03_occlusion.ipynb. Each is run from its first cell to its last, with this folder's coursekit and in an
empty directory; a cell that fails or takes too long does not end the run. ✓ is right, ✗ wrong, ○ not done, and a dash
says that the copy could not be asked. The notebooks run on this machine as they are: use one where students' programs
may run.
"""

import argparse
import csv
import json
import os
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, TextIO

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from notebooks import CELL_TIMEOUT, ROOT, LabError, read_notebook

LAB = re.compile(r"(?:(?P<student>.+?)[ _-]+)?(?P<lab>\d\d)_\w+")
SAY = "MARKS "
ASK = f"import json, coursekit\nprint({SAY!r} + json.dumps(coursekit.progress()))"


class Copy(NamedTuple):
    """One collected file."""

    student: str
    lab: str
    path: Path


def find_copies(folder: Path) -> list[Copy]:
    """Return the copies in the folder, by student and lab."""
    found = []
    for path in folder.rglob("*.ipynb"):
        match = LAB.match(path.stem)
        if match and ".ipynb_checkpoints" not in path.parts:
            above = path.parent.name if path.parent != folder else ""
            found.append(Copy(match["student"] or above or path.stem, match["lab"], path))
    return sorted(found)


def marks(copy: Copy, seconds: int = CELL_TIMEOUT) -> dict[str, str]:
    """Run a copy; return the mark of each exercise of its lab."""
    numbers = list(import_module(f"coursekit.labs.lab{copy.lab}").JUDGES)
    nb = read_notebook(copy.path)
    nb.cells.append(nbformat.v4.new_code_cell(ASK))
    seen = _run(nb, seconds)
    return {number: seen.get(number, "–") for number in numbers}


def _run(nb: NotebookNode, seconds: int) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("COURSEKIT_STRICT", None)
    with tempfile.TemporaryDirectory() as empty:
        options = {"timeout": seconds, "interrupt_on_timeout": True, "allow_errors": True, "kernel_name": "python3"}
        NotebookClient(nb, resources={"metadata": {"path": empty}}, **options).execute(env=environment)
    said = "".join(output.get("text", "") for output in nb.cells[-1].outputs)
    return next((json.loads(line[len(SAY) :]) for line in said.splitlines() if line.startswith(SAY)), {})


def write_table(folder: Path, to: TextIO, seconds: int = CELL_TIMEOUT) -> int:
    """Mark all copies of the folder into a CSV file; return how many could not be run."""
    rows, failed = [], 0
    for copy in find_copies(folder):
        try:
            row = marks(copy, seconds)
        except Exception as error:  # one student's file must not keep the others from their marks
            failed += 1
            reason = "no notebook that can be read" if isinstance(error, LabError) else type(error).__name__
            row = {"note": f"not run: {reason}"}
        print(copy.student, copy.lab, *row.values(), file=sys.stderr)
        rows.append({"student": copy.student, "lab": copy.lab, **row})
    columns = sorted({name for row in rows for name in row} - {"student", "lab", "note"}, key=_place)
    table = csv.DictWriter(to, ["student", "lab", *columns, "right", "note"], lineterminator="\n")
    table.writeheader()
    table.writerows(row | {"right": list(row.values()).count("✓")} for row in rows)
    return failed


def _place(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]


def main() -> int:
    """Run the command line; the exit status is 1 when a copy could not be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="the CSV file, by default the terminal")
    options = parser.parse_args()
    if options.output is None:
        sys.stdout.reconfigure(encoding="utf8", errors="backslashreplace")
        return int(write_table(options.folder, sys.stdout) > 0)
    # a file name may hold bytes that are no letters
    with options.output.open("w", encoding="utf8", errors="backslashreplace", newline="") as file:
        return int(write_table(options.folder, file) > 0)


if __name__ == "__main__":
    sys.exit(main())
