"""Build notebooks/NN_name.ipynb from lessons/NN_name.py, and run the ones whose code changed.

    python tools/notebooks.py            bring every notebook up to date; run those whose code changed
    python tools/notebooks.py 03 04      run these labs, changed or not
    python tools/notebooks.py --check    change nothing; say what is not up to date, with a diff

Lesson and notebook are one jupytext pair (jupytext.toml), so an edit in an editor or in JupyterLab reaches both.
Each notebook records a digest of the lesson that it was built from. The digest tells which of the two was edited since,
which file dates cannot tell after a `git clone`. The figures' alt texts come from data/alt/NN.md; an
edit of these runs nothing.
"""

import argparse
import base64
import difflib
import hashlib
import io
import json
import os
import re
import sys
from copy import deepcopy
from pathlib import Path

import jupytext
import nbformat
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

from coursekit.errors import DataUnavailable
from coursekit.figures.alt import read_alts
from coursekit.files import replacing

ROOT = Path(__file__).resolve().parent.parent
# The metadata that authors write, sorted, as jupytext saves it. The last is jupytext's note of the blank lines that
# follow a cell: where it is missing, JupyterLab refuses to open a notebook that is a second newer than its lesson.
AUTHORS_KEYS = ("id", "jupyter", "slideshow", "tags", "lines_to_next_cell")
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = ("image/png", "image/jpeg", "image/gif")
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
SIZE_LIMIT = 2_000_000  # bytes: what GitHub still shows and a slow line still loads
# In a notebook above the limit photographs are made lighter, step by step: the bytes that one may keep, the quality.
LIGHTER = ((120_000, 65), (60_000, 65), (45_000, 50), (30_000, 40))
CELL_TIMEOUT = 600  # seconds


class LabError(Exception):
    """A lab cannot be built; the message says why and what to do."""


def find_lessons(root: Path = ROOT, numbers: list[str] | None = None) -> list[Path]:
    """Return the lessons in order, all of them or those of the given two-digit numbers."""
    lessons = sorted((root / "lessons").glob("[0-9][0-9]_*.py"))
    unknown = set(numbers or []) - {lesson.name[:2] for lesson in lessons}
    if unknown:
        raise LabError(f"No lesson has the number {', '.join(sorted(unknown))}; a number is two digits, such as 03.")
    return [lesson for lesson in lessons if not numbers or lesson.name[:2] in numbers]


def notebook_of(lesson: Path) -> Path:
    """Return the path of the notebook that is paired with the lesson."""
    return lesson.parent.parent / "notebooks" / f"{lesson.stem}.ipynb"


def read_lesson(lesson: Path) -> NotebookNode:
    """Read a lesson as a notebook without outputs."""
    try:
        # Without a format jupytext guesses, and takes a line that starts with "!" or "%" for another dialect.
        text, config = lesson.read_text("utf8"), load_jupytext_config(str(lesson))
        return sound(jupytext.reads(text, fmt="py:percent", config=config))
    except Exception as error:  # jupytext raises whatever a broken lesson leads to
        raise LabError(unreadable(lesson, "lesson", error)) from None


def read_notebook(path: Path) -> NotebookNode | None:
    """Read a notebook, or return None where there is none."""
    if not path.exists():
        return None
    try:
        nb = nbformat.read(path, as_version=4)
        nbformat.validate(nb)
        return sound(nb)
    except Exception as error:  # nbformat raises whatever half a file leads to
        raise LabError(unreadable(path, "notebook", error)) from None


def unreadable(path: Path, kind: str, error: Exception) -> str:
    """Say which file is damaged, how it shows, and how it comes back."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    cure = f"git checkout -- {path.parent.name}/{path.name}"
    return f"{path.name} is no {kind} that can be read ({reason}). Mend it, or bring the old one back: {cure}"


def sound(nb: NotebookNode) -> NotebookNode:
    """Return a notebook whose metadata are of the kinds that these tools read, or raise ValueError."""
    kinds = {"id": str, "jupyter": dict, "slideshow": dict, "tags": list}
    for cell in nb.cells:
        wrong = [key for key, kind in kinds.items() if not isinstance(cell.metadata.get(key, kind()), kind)]
        if wrong or not all(isinstance(tag, str) for tag in cell.metadata.get("tags", [])):
            raise ValueError(f"the metadata of a cell are wrong: {', '.join(wrong) or 'tags'}")
        if not isinstance(cell.metadata.get("slideshow", {}).get("slide_type", ""), str):
            raise ValueError("the metadata of a cell are wrong: slide_type")
        if not re.fullmatch(r"[\w-]{0,64}", cell.metadata.get("id", "")):
            raise ValueError(f"a cell has the id {cell.metadata['id'][:80]!r}: use letters, digits, - and _")
    if not isinstance(nb.metadata.get("coursekit", {}), dict):
        raise ValueError("the notebook's own metadata are wrong: coursekit")
    return nb


def built_notebook(lesson: Path) -> NotebookNode:
    """Return the notebook of a lesson, or raise where it was not built yet."""
    nb = read_notebook(notebook_of(lesson))
    if nb is None:
        raise LabError(f"{notebook_of(lesson).name} does not exist yet; run `make notebooks` first.")
    return nb


def lesson_text(nb: NotebookNode, lesson: Path) -> str:
    """Return the lesson that jupytext writes for the notebook."""
    cells = []
    for cell in nb.cells:
        metadata = {key: cell.metadata[key] for key in AUTHORS_KEYS if key in cell.metadata}
        cells.append(NotebookNode(cell, metadata=metadata))
    plain = nbformat.v4.new_notebook(cells=cells)
    text = jupytext.writes(plain, fmt="py:percent", config=load_jupytext_config(str(lesson)))
    return text.rstrip("\n") + "\n"


def authors_part(nb: NotebookNode) -> list[dict]:
    """Return what authors write in each cell: no outputs, no traces of an editor."""
    return [
        {
            "type": cell.cell_type,
            "source": cell.source,
            "metadata": {key: cell.metadata[key] for key in AUTHORS_KEYS if cell.metadata.get(key)},
        }
        for cell in nb.cells
    ]


def digest(nb: NotebookNode) -> str:
    """Return 16 hexadecimal digits that stand for the authors' part of the notebook."""
    return hashlib.sha256(json.dumps(authors_part(nb), sort_keys=True).encode()).hexdigest()[:16]


def recorded_digest(nb: NotebookNode) -> str | None:
    """Return the digest of the lesson from which the notebook was last built."""
    return nb.metadata.get("coursekit", {}).get("lesson")


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """Return the cells that run."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def same_code(one: NotebookNode, other: NotebookNode) -> bool:
    """Tell whether both notebooks run the same code."""
    return [cell.source for cell in code_cells(one)] == [cell.source for cell in code_cells(other)]


def give_ids(nb: NotebookNode) -> None:
    """Give each cell without an id of its own one, made of its first words; no other id changes."""
    taken = {cell.metadata.get("id") for cell in nb.cells}
    seen = set()
    for cell in nb.cells:
        name = cell.metadata.get("id")
        if not name or name in seen:  # a cell copied in JupyterLab brings its original's id along
            words = re.findall("[a-z0-9]+", cell.source.lower())
            slug = name = "-".join(words[:4])[:40] or "cell"
            count = 2
            while name in taken:
                name, count = f"{slug}-{count}", count + 1
        taken.add(name)
        seen.add(name)
        cell.metadata["id"] = name


def build(source: NotebookNode, executed: NotebookNode | None = None) -> NotebookNode:
    """Make the notebook of a lesson, with the clean outputs of an executed one that runs the same code."""
    cells = []
    for part in authors_part(source):
        cell = nbformat.v4.new_code_cell if part["type"] == "code" else nbformat.v4.new_markdown_cell
        cells.append(cell(part["source"], id=part["metadata"]["id"], metadata=part["metadata"]))
    metadata = {**KERNEL, "language_info": {"name": "python"}, "coursekit": {"lesson": digest(source)}}
    nb = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    if executed is not None:
        for cell, run in zip(code_cells(nb), code_cells(executed), strict=True):
            cell.execution_count, cell.outputs = run.execution_count, clean_outputs(run.outputs)
    return nb


def clean_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Drop what differs from run to run (progress bars, live widgets) and keep what a reader sees."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            continue
        if "data" in output:
            # A widget without a kernel shows nothing; the static picture beside it in the same output then shows.
            data = {kind: value for kind, value in output.data.items() if kind != WIDGET}
            if not data:
                continue
            output = NotebookNode(output, data=NotebookNode(data))
        kept.append(output)
    return kept


def give_alts(nb: NotebookNode, lesson: Path) -> list[str]:
    """Give each figure of an executed notebook its text of data/alt/; return what of the two does not fit."""
    path = lesson.parent.parent / "data" / "alt" / f"{lesson.name[:2]}.md"
    try:
        texts = read_alts(path)
    except DataUnavailable as error:
        return [str(error)]
    wrong = []
    for cell in code_cells(nb):
        metadata = [
            output.metadata.setdefault(kind, NotebookNode())
            for output in cell.outputs
            for kind in PICTURES
            if kind in output.get("data", {})
        ]
        name = cell.metadata.get("id", "")  # a cell that was added in JupyterLab has none yet
        own = texts.pop(name, [])
        if len(metadata) != len(own):
            wrong.append(
                f"the cell {name!r} shows {len(metadata)} figures, but data/alt/{path.name} has {len(own)} "
                f"paragraphs under '## {name}': write one for each figure."
            )
        for figure, text in zip(metadata, own, strict=False):
            figure["alt"] = text
    return wrong + [f"data/alt/{path.name} has the heading '## {name}', but no cell has that id." for name in texts]


def execute(nb: NotebookNode, folder: Path) -> NotebookNode:
    """Run the notebook in a fresh kernel, where a failed check is an error."""
    client = NotebookClient(
        nb,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env={**os.environ, "COURSEKIT_STRICT": "1"})
    except CellExecutionError as error:
        raise LabError(f"a cell raised an error, so nothing was written.\n{error}") from None
    return nb


def make_lighter(nb: NotebookNode) -> None:
    """Draw photographs of a notebook above the limit with the pixels that they are shown with: the largest first."""
    outputs = [output for cell in code_cells(nb) for output in cell.outputs]
    for enough, quality in LIGHTER:
        for output in sorted(
            outputs, key=lambda output: len(output.get("data", {}).get("image/jpeg", "")), reverse=True
        ):
            if len(nbformat.writes(nb).encode()) < SIZE_LIMIT:
                return
            drawn = base64.b64decode(output.get("data", {}).get("image/jpeg", ""))
            if len(drawn) > enough:
                picture, smaller = Image.open(io.BytesIO(drawn)), io.BytesIO()
                picture.thumbnail((output.metadata.get("image/jpeg", {}).get("width", 900), 10_000))
                picture.save(smaller, "jpeg", quality=quality)
                output.data["image/jpeg"] = base64.b64encode(smaller.getvalue()).decode()


def notebook_text(nb: NotebookNode) -> str:
    """Return the file content of a notebook, or raise where it is too large to be handed out."""
    text = nbformat.writes(nb) + "\n"
    if len(text.encode()) > SIZE_LIMIT:
        largest = max(code_cells(nb), key=lambda cell: len(json.dumps(cell.outputs)))
        raise LabError(
            f"the notebook would take {len(text.encode()) / 1e6:.1f} MB, the limit is {SIZE_LIMIT / 1e6:.1f} MB: lower "
            f"the dpi of its figures or drop some; the cell {largest.metadata.id!r} has the largest output."
        )
    return text


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, "utf8")


def update(lesson: Path, force: bool = False) -> str:
    """Bring a lesson and its notebook up to date with each other; return what was done."""
    source, target = read_lesson(lesson), notebook_of(lesson)
    old = read_notebook(target)
    untouched = old is not None and digest(old) == recorded_digest(old)
    if old is not None and not untouched and digest(old) != digest(source):
        if recorded_digest(old) != digest(source):
            raise LabError(
                f"both this lesson and {target.name} were edited, and differently: keep the lesson by deleting the "
                f"notebook, or keep the notebook by restoring the lesson that it was built from."
            )
        source = old  # edited where jupytext was not at hand
    give_ids(source)
    if untouched and same_code(source, old) and not force:
        nb, done = build(source, old), "up to date"
    else:
        print(f"{lesson.stem}: running", flush=True)
        nb, done = build(source, execute(build(source), target.parent)), "executed"
    wrong = give_alts(nb, lesson)
    make_lighter(nb)
    text = notebook_text(nb)
    if not target.exists() or target.read_text("utf8") != text:
        write(target, text)
        done = "executed" if done == "executed" else "text updated, same code"
    if lesson.read_text("utf8") != lesson_text(source, lesson):
        write(lesson, lesson_text(source, lesson))
    if wrong:  # told when all is written: with the text repaired nothing has to run again
        raise LabError("\n".join(wrong))
    return done


def problems(lesson: Path) -> list[str]:
    """Say what is wrong with a lesson and its notebook as they stand; an empty list means nothing."""
    source, target = read_lesson(lesson), notebook_of(lesson)
    nb = read_notebook(target)
    if nb is None:
        return [f"{target.name} does not exist yet"]
    found = []
    ours, theirs = lesson.read_text("utf8"), lesson_text(nb, lesson)
    give_ids(source)
    if ours != lesson_text(source, lesson):
        found.append("cell ids are missing or double, or cell headers are not as jupytext writes them")
    if authors_part(source) != authors_part(nb):
        names = f"lessons/{lesson.name}", f"notebooks/{target.name}"
        # without blank lines: those between cells mean nothing
        lines = ([line for line in text.splitlines() if line] for text in (ours, theirs))
        diff = difflib.unified_diff(*lines, *names, n=1, lineterm="")
        found.append("lesson and notebook differ:\n" + "\n".join(diff))
    elif recorded_digest(nb) != digest(nb):
        found.append("cells were edited in the notebook and not run again from the start")
    elif target.read_text("utf8") != notebook_text(build(nb, nb)):
        found.append("the notebook holds traces of an editor or of a run (metadata, cell ids, live widgets, stderr)")
    described = deepcopy(nb)
    found += (wrong := give_alts(described, lesson))
    if not wrong and described != nb:
        found.append(f"the alt texts in data/alt/{lesson.name[:2]}.md were edited since")
    counts = [cell.execution_count for cell in code_cells(nb)]
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"the cells were not run once each from top to bottom: execution counts {counts}")
    errors = [cell.metadata.get("id") for cell in code_cells(nb) for o in cell.outputs if o.output_type == "error"]
    if errors:
        found.append(f"cells show an error: {errors}")
    return found


def main() -> int:
    """Run the command line; the exit status is 1 when a lab has a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", metavar="NN", help="two-digit numbers of labs to run, changed or not")
    parser.add_argument("--check", action="store_true", help="change nothing, report what is not up to date")
    args = parser.parse_args()
    failed = False
    try:
        for lesson in find_lessons(ROOT, args.numbers):
            try:
                messages = problems(lesson) if args.check else [update(lesson, force=bool(args.numbers))]
                failed |= args.check and bool(messages)
            except LabError as error:
                messages, failed = [str(error)], True
            for message in messages or ["up to date"]:
                print(f"{lesson.stem}: {message}")
    except LabError as error:
        sys.exit(str(error))
    if failed and args.check:
        print("`make notebooks` brings lessons and notebooks together again.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
