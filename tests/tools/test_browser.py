"""A lab in a real JupyterLab in a real browser, as `make lab` opens it."""

import os

import pytest
from browser import JupyterLab, in_notebook, run_all, watch

from notebooks import ROOT, notebook_of, problems, read_lesson, read_notebook, update, write
from student import write_copies

LAB = "03_occlusion"


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_a_student_runs_a_lab_and_moves_a_slider(page, tmp_path):
    write_copies(ROOT, tmp_path / "student")
    seen = watch(page)
    (tmp_path / "jupyter").mkdir()
    with JupyterLab(tmp_path / "student", tmp_path / "jupyter") as lab:
        lab.open(page, f"{LAB}.ipynb")
        run_all(page)
        explorer = page.locator(".jp-OutputArea-output:has(.widget-slider):has(img)").first
        figure = explorer.locator("img").first
        explorer.scroll_into_view_if_needed()
        before, source = figure.screenshot(), figure.get_attribute("src")
        handle = explorer.locator(".noUi-handle").first
        value = handle.get_attribute("aria-valuenow")
        handle.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("([img, old]) => img.src !== old", arg=[figure.element_handle(), source])
        page.wait_for_timeout(1000)  # the answers to the second and the third key
        assert handle.get_attribute("aria-valuenow") != value
        assert figure.screenshot() != before
        in_notebook(page, "await panel.context.save()")
        assert page.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0
    assert [line for line in seen if line.startswith(("request", "error"))] == []
    assert not list((tmp_path / "student").rglob("*.py")), "a student's copy is not paired with a script"


def test_an_edit_in_jupyterlab_reaches_the_lesson_and_moves_no_id(page, lesson, tmp_path):
    update(lesson)
    ids = [cell.metadata["id"] for cell in read_lesson(lesson).cells]
    os.utime(lesson, (0, 0))  # git sets file dates as it likes; the lesson looks out of date here
    (tmp_path / "jupyter").mkdir()
    with JupyterLab(lesson.parent.parent, tmp_path / "jupyter") as lab:
        lab.open(page, "notebooks/99_scratch.ipynb")
        in_notebook(
            page,
            """const cells = panel.content.model.sharedModel;
            cells.getCell(1).setSource(cells.getCell(1).getSource() + " Edited.");
            cells.insertCell(2, {cell_type: "code", source: "three = 3"});
            await panel.context.save()""",
        )
    assert "Edited." in lesson.read_text("utf8")
    assert problems(lesson), "the new cell was never run"
    assert update(lesson) == "executed"
    assert problems(lesson) == []
    assert [cell.metadata["id"] for cell in read_lesson(lesson).cells] == [*ids[:2], "three-3", *ids[2:]]
    assert [cell.id for cell in read_notebook(notebook_of(lesson)).cells] == [*ids[:2], "three-3", *ids[2:]]


def test_an_edit_in_an_editor_reaches_jupyterlab(page, lesson, tmp_path):
    update(lesson)
    write(lesson, lesson.read_text("utf8").replace("A lab for the tests", "Edited elsewhere"))
    (tmp_path / "jupyter").mkdir()
    with JupyterLab(lesson.parent.parent, tmp_path / "jupyter") as lab:
        lab.open(page, "notebooks/99_scratch.ipynb")
        assert "Edited elsewhere" in in_notebook(page, "return panel.content.model.sharedModel.getCell(0).getSource()")
        in_notebook(page, "await panel.context.save()")
    assert "Edited elsewhere" in read_notebook(notebook_of(lesson)).cells[0].source
    assert update(lesson) == "executed", "after a save in JupyterLab nobody knows what ran"
    assert problems(lesson) == []
