"""tools/notebooks.py on a small lab, nbval's cures, and what every lab of the course must have."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from copy import deepcopy

import nbformat
import numpy as np
import pytest
from PIL import Image
from scratch import ALTS, LESSON

from coursekit.figures.alt import read_alts
from notebooks import (
    PICTURES,
    ROOT,
    SIZE_LIMIT,
    LabError,
    build,
    built_notebook,
    code_cells,
    find_lessons,
    give_alts,
    give_ids,
    make_lighter,
    notebook_of,
    notebook_text,
    problems,
    read_lesson,
    read_notebook,
    update,
    write,
)

LABS = pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)


def ids(lesson):
    return [cell.metadata.get("id") for cell in read_lesson(lesson).cells]


def alts_of(lesson):
    return lesson.parent.parent / "data" / "alt" / "99.md"


def edit(path, old, new):
    text = path.read_text("utf8")
    assert old in text
    write(path, text.replace(old, new))


def test_a_lab_is_run_once_and_then_only_when_its_code_changes(lesson):
    assert problems(lesson) == ["99_scratch.ipynb does not exist yet"]
    assert update(lesson) == "executed"
    assert problems(lesson) == []
    before = notebook_of(lesson).read_bytes()
    assert update(lesson) == "up to date"
    assert (notebook_of(lesson).read_bytes(), lesson.read_text("utf8")) == (before, LESSON)

    edit(lesson, "# 2. Two.", "# 2. Two, edited.")
    assert "+# 2. Two." in problems(lesson)[0], "a readable diff"
    assert update(lesson) == "text updated, same code"
    edit(lesson, "2 + 2 == 4", "2 + 2 == 5")
    assert update(lesson) == "executed"
    assert "four: False" in notebook_of(lesson).read_text("utf8")
    assert update(lesson, force=True) == "executed"
    assert problems(lesson) == []


def test_an_edited_alt_text_is_noticed_and_runs_nothing(lesson, monkeypatch):
    update(lesson)
    edit(alts_of(lesson), "A grey field.", "A field of grey.")
    assert problems(lesson) == ["the alt texts in data/alt/99.md were edited since"]
    monkeypatch.setattr("notebooks.execute", None)
    assert update(lesson) == "text updated, same code"
    assert problems(lesson) == []
    (output,) = read_notebook(notebook_of(lesson)).cells[ids(lesson).index("figure")].outputs
    assert output.metadata["image/png"]["alt"] == "A field of grey."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "A grey field.",
            "Another.\n\nA grey field.",
            "the cell 'figure' shows 1 figures, but data/alt/99.md has 2 par",
        ),
        ("## figure\n\nA grey field.\n\n", "", "the cell 'figure' shows 1 figures, but data/alt/99.md has 0 par"),
        ("## explorer", "## claim", "the cell 'claim' shows 0 figures, but data/alt/99.md has 1 par"),
        ("## explorer", "## recap", "has the heading '## recap', but no cell has that id"),
        ("A grey field.", "", "one heading '## figure' with one paragraph for each figure"),
    ],
)
def test_figures_and_alt_texts_that_do_not_fit_are_an_error_and_no_run_is_lost(lesson, monkeypatch, old, new, message):
    edit(alts_of(lesson), old, new)
    with pytest.raises(LabError, match=re.escape(message)):
        update(lesson)
    assert any(message in problem for problem in problems(lesson))
    monkeypatch.setattr("notebooks.execute", None)
    write(alts_of(lesson), ALTS)
    assert update(lesson) == "text updated, same code"
    assert problems(lesson) == []


def test_a_rebuilt_notebook_is_the_same_to_the_byte(lesson):
    update(lesson)
    before = notebook_of(lesson).read_bytes()
    notebook_of(lesson).unlink()
    update(lesson)
    assert notebook_of(lesson).read_bytes() == before


def test_one_new_cell_moves_no_other_id(lesson):
    update(lesson)
    before = ids(lesson)
    edit(lesson, '# %% id="claim"', '# %% [markdown]\n# Look here first.\n\n# %% id="claim"')
    assert any("ids are missing" in problem for problem in problems(lesson))
    update(lesson)
    after = ids(lesson)
    at = after.index("look-here-first")
    assert after[:at] + after[at + 1 :] == before
    assert [cell.id for cell in read_notebook(notebook_of(lesson)).cells] == after
    assert 'id="look-here-first"' in lesson.read_text("utf8"), "frozen into the source"


def test_a_copied_cell_gets_an_id_of_its_own():
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", metadata={"id": "a"}) for _ in range(3)])
    give_ids(nb)
    assert [cell.metadata["id"] for cell in nb.cells] == ["a", "x-1", "x-1-2"]


def test_an_edit_of_the_notebook_alone_reaches_the_lesson(lesson):
    update(lesson)
    nb = read_notebook(notebook_of(lesson))
    code_cells(nb)[0].source += "\nextra = 1"
    nbformat.write(nb, notebook_of(lesson))
    assert update(lesson) == "executed"
    assert "extra = 1" in lesson.read_text("utf8")
    assert problems(lesson) == []


@pytest.mark.parametrize("edited", ["lesson", "notebook"])
def test_jupytext_sync_moves_an_edit_and_keeps_every_id(lesson, edited):
    update(lesson)
    before = ids(lesson)
    path = lesson if edited == "lesson" else notebook_of(lesson)
    edit(path, "A lab for the tests", "Edited")
    os.utime(path, (time.time() + 60, time.time() + 60))
    subprocess.run([sys.executable, "-m", "jupytext", "--sync", str(lesson)], check=True, capture_output=True)
    for part in (read_lesson(lesson), read_notebook(notebook_of(lesson))):
        assert "Edited" in part.cells[0].source
        assert [cell.metadata["id"] for cell in part.cells] == before
    update(lesson)
    assert problems(lesson) == []


def test_two_different_edits_are_an_error_and_lose_nothing(lesson):
    update(lesson)
    edit(lesson, "2 + 2 == 4", "2 + 2 == 5")
    edit(notebook_of(lesson), "2 + 2 == 4", "2 + 2 == 6")
    with pytest.raises(LabError, match="both this lesson and 99_scratch"):
        update(lesson)
    assert "2 + 2 == 5" in lesson.read_text("utf8")
    assert "2 + 2 == 6" in notebook_of(lesson).read_text("utf8")


def test_a_cell_that_raises_names_itself_and_writes_nothing(lesson):
    edit(lesson, "2 + 2 == 4", "2 + oops")
    with pytest.raises(LabError, match="oops"):
        update(lesson)
    assert not notebook_of(lesson).exists()


def test_outputs_keep_the_picture_and_drop_what_differs_between_runs(lesson):
    edit(lesson, 'print("two', 'import sys; print("a warning", file=sys.stderr)\nprint("two')
    update(lesson)
    nb = read_notebook(notebook_of(lesson))
    cells = {cell.id: cell for cell in nb.cells}
    assert [output.name for output in cells["claim"].outputs] == ["stdout"]
    (explorer,) = cells["explorer"].outputs
    assert set(explorer.data) == {"image/png", "text/plain"}
    assert explorer.metadata["image/png"]["alt"] == "A black field."
    assert "widgets" not in nb.metadata


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda nb: code_cells(nb)[2].update(execution_count=None), "not run once each from top to bottom"),
        (lambda nb: nb.cells[3].update(id="other"), "traces of an editor"),
        (lambda nb: nb.metadata.update(widgets={}), "traces of an editor"),
        (lambda nb: nb.cells[3].metadata.update(tags=["solution"]), "lesson and notebook differ"),
        (lambda nb: nb.metadata.coursekit.update(lesson="0"), "not run again from the start"),
        (
            lambda nb: code_cells(nb)[2].outputs.append(nbformat.v4.new_output("error", ename="E", evalue="")),
            "cells show an error",
        ),
    ],
)
def test_the_check_finds_each_kind_of_damage(lesson, damage, message):
    update(lesson)
    nb = read_notebook(notebook_of(lesson))
    damage(nb)
    write(notebook_of(lesson), nbformat.writes(nb) + "\n")
    assert any(message in problem for problem in problems(lesson)), problems(lesson)


def test_a_notebook_too_large_to_hand_out_is_an_error(lesson):
    source = read_lesson(lesson)
    nb = build(source)
    code_cells(nb)[1].outputs = [nbformat.v4.new_output("stream", text="x" * SIZE_LIMIT)]
    with pytest.raises(LabError, match=r"2\.0 MB.* 'helper' has the largest output"):
        notebook_text(nb)


def test_photographs_are_made_lighter_where_the_notebook_is_too_large(lesson):
    """As wide as they are shown, the largest first and no more than must be; what fits is left alone."""
    nb = build(read_lesson(lesson))
    grain, sizes = np.random.default_rng(0), ((1450, 900), (1500, 900), (150, 90))
    for side, height in sizes:
        drawn = io.BytesIO()
        Image.fromarray(grain.integers(0, 256, (height, side, 3), dtype=np.uint8)).save(drawn, "jpeg", quality=75)
        picture = {"image/jpeg": base64.b64encode(drawn.getvalue()).decode()}
        shown = {"image/jpeg": {"width": side * 2 // 3}}
        code_cells(nb)[1].outputs.append(nbformat.v4.new_output("display_data", data=picture, metadata=shown))
    before = deepcopy(nb)
    make_lighter(nb)
    text = notebook_text(nb)
    drawn = [base64.b64decode(output.data["image/jpeg"]) for output in code_cells(nb)[1].outputs]
    assert [Image.open(io.BytesIO(picture)).size for picture in drawn] == [(1450, 900), (1000, 600), (150, 90)]
    assert len(nbformat.writes(before)) > SIZE_LIMIT > len(text)
    fits = deepcopy(nb)
    make_lighter(nb)
    assert nb == fits


# --- nbval, with the cures of conftest.py ---------------------------------------------------------------------------


def nbval(lesson, mode="--nbval", **environment):
    """Run nbval on the lab as `make test` does; return its exit status and what it says."""
    (lesson.parent.parent / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf8"))
    options = [mode, "--nbval-current-env", f"--nbval-sanitize-with={ROOT / 'tests/nbval.cfg'}", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *options, str(notebook_of(lesson).parent)]
    environment = os.environ | environment
    done = subprocess.run(command, cwd=lesson.parent.parent, capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_nbval_passes_a_good_lab_and_compares_text(lesson):
    edit(lesson, "2 + 2 == 4)", '2 + 2 == 4)\nimport sys; print("a warning", file=sys.stderr)\n2 + 2;')
    update(lesson)
    status, said = nbval(lesson)
    assert status == 0, said
    edit(notebook_of(lesson), "two are four: True", "two are four: False")
    status, said = nbval(lesson)
    assert status == 1 and "1 failed" in said, said


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("0.76 (more", "0.77 (more"), True),
        (("the mean: 0", "the median: 0"), False),
        (("more than 0.5", "more than 0.6"), False),
        (("✓", "✗"), False),
    ],
)
def test_nbval_compares_all_of_a_claim_but_its_number(lesson, change, same):
    edit(lesson, "2 + 2 == 4)", '2 + 2 == 4)\nprint("the mean: 0.76 (more than 0.5) ✓");')
    update(lesson)
    notebook = json.loads(notebook_of(lesson).read_text("utf8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = [line.replace(*change) for line in output["text"]]
    notebook_of(lesson).write_text(json.dumps(notebook), "utf8")
    status, said = nbval(lesson)
    assert (status == 0) == same, said


def test_nbval_refuses_a_lab_that_was_not_executed(lesson):
    write(notebook_of(lesson), notebook_text(build(read_lesson(lesson))))
    status, said = nbval(lesson)
    assert status != 0 and "not executed, run `make notebooks`" in said, said


def test_nbval_reports_the_first_exception_and_not_what_follows_from_it(lesson):
    update(lesson)
    edit(notebook_of(lesson), "import ipywidgets as widgets", "import nothing_of_this_name as widgets")
    status, said = nbval(lesson)
    assert status == 1 and said.count("ModuleNotFoundError") >= 1 and "NameError" not in said, said
    assert "not run, because Cell 0 raised" in said


# --- the labs of the course -----------------------------------------------------------------------------------------


@LABS
def test_lesson_and_notebook_are_one(lesson):
    assert problems(lesson) == []


@LABS
def test_a_lab_has_the_anatomy_of_a_lab(lesson):
    """DESIGN, 'A lab': contract, predict first, exercises with checks, recap, quiz with folded answers, reading."""
    nb = built_notebook(lesson)
    words = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown").lower()
    contract = "\n".join(cell.source for cell in nb.cells[:3]).lower()
    for phrase in ("you will be able to", "run time", "memory"):
        assert phrase in contract, f"the contract at the top does not say {phrase!r}"
    for phrase in ("predict first", "exercise", "recap", "quiz", "further reading"):
        assert phrase in words, f"the lab does not say {phrase!r}"
    assert words.count("<details>") >= 4, "a quiz of four questions with folded answers"
    checks = [cell for cell in code_cells(nb) if "ck.check(" in cell.source]
    solutions = [cell for cell in nb.cells if "solution" in cell.metadata.get("tags", [])]
    assert checks and len(solutions) >= len(checks), "each exercise has a solution and a check"
    assert all(cell.metadata.get("jupyter", {}).get("source_hidden") for cell in solutions), "solutions are folded"


@LABS
def test_a_lab_makes_claims_that_nbval_can_compare(lesson):
    nb = built_notebook(lesson)
    ignored = [cell.id for cell in code_cells(nb) if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    assert len(ignored) <= len(code_cells(nb)) / 5, f"more than a fifth of the code cells: {ignored}"
    markers = re.compile("NBVAL_|PYTEST_VALIDATE")
    assert not [cell.id for cell in code_cells(nb) if markers.search(cell.source)], "the tag is enough"


@LABS
def test_every_figure_of_a_lab_has_its_alt_text_outside_the_code(lesson):
    nb = built_notebook(lesson)
    assert give_alts(nb, lesson) == []
    figures = [
        (cell.id, output.metadata[kind]["alt"])
        for cell in code_cells(nb)
        for output in cell.outputs
        for kind in set(PICTURES) & set(output.get("data", {}))
    ]
    assert figures and not [(cell, alt) for cell, alt in figures if len(alt) < 30]
    calls = [node for node in ast.walk(ast.parse(lesson.read_text("utf8"))) if isinstance(node, ast.Call)]
    assert "alt" not in {keyword.arg for call in calls for keyword in call.keywords}, "move it to data/alt/"


@LABS
def test_the_alt_texts_fit_the_cells_of_the_lesson_before_it_is_run(lesson):
    """What can be known without a run: the last line of a cell shows a figure, or a heading names no cell."""
    texts = read_alts(ROOT / "data" / "alt" / f"{lesson.name[:2]}.md")
    cells = {cell.metadata.id: cell.source for cell in code_cells(read_lesson(lesson))}
    assert not texts.keys() - cells.keys(), "headings of no cell"
    last = {cell: ast.unparse(ast.parse(source).body[-1]) for cell, source in cells.items()}
    figures = {cell for cell, line in last.items() if line.startswith(("ck.show", "ck.explore"))}
    assert not figures - texts.keys(), "figures without a text"


@LABS
def test_a_lab_uses_names_of_coursekit_only(lesson):
    nb = built_notebook(lesson)
    imports = [line for cell in code_cells(nb) for line in cell.source.splitlines() if "coursekit" in line]
    assert all(line == "import coursekit as ck" for line in imports if line.startswith(("import", "from"))), imports


@LABS
def test_a_figure_is_the_last_of_its_cell(lesson):
    """Jupyter shows the value of the last line alone: a figure before it is made and never seen."""
    for cell in code_cells(built_notebook(lesson)):
        for line in ast.parse(cell.source).body[:-1]:
            shown = isinstance(line, ast.Expr) and ast.unparse(line).startswith(("ck.show", "ck.explore"))
            assert not shown, f"{cell.id}: {ast.unparse(line)[:60]}"


@LABS
def test_a_lab_holds_no_path_of_the_machine_that_built_it(lesson):
    outputs = json.dumps([cell.outputs for cell in code_cells(built_notebook(lesson))])
    assert not re.findall(r"/(?:home|root|Users|tmp|work)/[\w.]+", outputs)


def test_every_notebook_has_its_lesson():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {lesson.stem for lesson in find_lessons()}
