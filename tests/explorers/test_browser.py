"""The activation explorer: photograph, upload and camera give its picture; keys and camera work in a real browser."""

import io

import nbformat
import pytest
import torch
from browser import JupyterLab, in_notebook, run_all, watch
from nets import small_model
from PIL import Image

import coursekit as ck
from coursekit.explorers.browser import Webcam

NOTEBOOK = """
import coursekit as ck, torch
from torch import nn
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))
model = ck.Model(net)
model.input_size = 32
ck.explore_activations(model, layer="1")
"""


@pytest.fixture
def explorer():
    model = small_model()
    model.input_size = 12
    return ck.explore_activations(model, layer="conv2")


def jpeg(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(buffer, "jpeg")
    return buffer.getvalue()


@pytest.mark.parametrize(("control", "value"), [("layer", "conv1"), ("channel", 3), ("photograph", "coffee")])
def test_the_figure_follows_each_control(explorer, control, value):
    before = bytes(explorer.image.value)
    explorer.controls[control].value = value
    assert bytes(explorer.image.value) != before and explorer.message.value == ""


def test_a_frame_of_the_camera_is_shown_and_asks_for_the_next_one(explorer):
    camera, before = explorer.controls["camera"], bytes(explorer.image.value)
    assert isinstance(camera, Webcam) and camera.seen == 0
    camera.value = jpeg("orange")
    first = bytes(explorer.image.value)
    camera.value = jpeg("navy")
    assert camera.seen == 2
    assert len({before, first, bytes(explorer.image.value)}) == 3


def test_a_broken_frame_is_told_and_does_not_stop_the_camera(explorer):
    explorer.controls["camera"].value = b"no picture"
    assert "not a picture" in explorer.message.value and explorer.controls["camera"].seen == 1
    explorer.controls["camera"].value = jpeg("teal")
    assert explorer.message.value == ""


def test_the_slider_reaches_as_far_as_the_chosen_layer(explorer):
    slider, drawn = explorer.controls["channel"], []
    assert slider.max == 7
    slider.value = 7
    real, explorer.draw = explorer.draw, lambda **values: drawn.append(values) or real(**values)
    explorer.controls["layer"].value = "conv1"
    assert (slider.value, slider.max) == (5, 5) and explorer.message.value == ""
    assert [(values["layer"], values["channel"]) for values in drawn] == [("conv1", 5)], "drawn once"
    assert "conv1 channel 5" in explorer.picture.alt
    explorer.controls["layer"].value = "conv2"
    assert (slider.value, slider.max) == (5, 7)


def test_a_figure_that_failed_is_tried_again(explorer):
    real, explorer.draw = explorer.draw, lambda **values: 1 / 0
    explorer.controls["channel"].value = 3
    assert "ZeroDivisionError" in explorer.message.value
    explorer.draw = real
    explorer._redraw({})
    assert explorer.message.value == "" and "channel 3" in explorer.picture.alt


def test_the_training_explorer_moves_through_the_moments():
    explorer = ck.explore_training()
    before = bytes(explorer.image.value)
    explorer.controls["step"].value = list(ck.training_history())[-1]
    assert bytes(explorer.image.value) != before


def test_the_play_button_of_the_training_explorer_shows_one_moment_after_the_other():
    explorer = ck.explore_training()
    play, moments = explorer.box.children[0], list(ck.training_history())
    seen = []
    for moment in range(play.max + 1):
        play.value = moment
        seen.append(explorer.picture.alt)
    assert explorer.controls["step"].value == moments[-1] and len(set(seen)) == len(moments)


def notebook(folder, *sources):
    (folder / "lab").mkdir()
    (folder / "jupyter").mkdir()
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / "lab" / "explorer.ipynb")
    return JupyterLab(folder / "lab", folder / "jupyter")


CELLS = """
    const cells = panel.content;
    return [cells.activeCellIndex, cells.mode, ...cells.widgets.map(cell => cell.model.type)];
"""


def test_keys_in_a_control_do_not_reach_jupyterlab(chromium, tmp_path):
    """`m` would turn the cell into Markdown and `dd` delete it, ArrowUp would leave it."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    try:
        page = context.new_page()
        seen = watch(page)
        with notebook(tmp_path, NOTEBOOK, "1 + 1") as lab:
            lab.open(page, "explorer.ipynb")
            run_all(page)
            in_notebook(page, "panel.content.activeCellIndex = 0; panel.content.mode = 'command';")
            before = in_notebook(page, CELLS)
            layers = page.locator(".jp-OutputArea-output select").first
            layers.scroll_into_view_if_needed()
            layers.focus()
            first = layers.input_value()
            page.keyboard.press("ArrowUp")
            assert layers.input_value() != first, "the list takes the key"
            page.keyboard.type("1")  # the first letters of a layer's name choose it
            assert layers.input_value() == "1"
            for control in (layers, page.locator(".noUi-handle").first, page.locator(".coursekit-camera")):
                control.focus()
                page.keyboard.type("mdd")
                assert in_notebook(page, CELLS) == before
            handle = page.locator(".noUi-handle").first
            value = handle.get_attribute("aria-valuenow")
            handle.focus()
            page.keyboard.press("ArrowRight")
            page.wait_for_function("([e, old]) => e.ariaValueNow !== old", arg=[handle.element_handle(), value])
            page.locator(".jp-InputPrompt").last.click()
            page.keyboard.press("m")
            assert in_notebook(page, CELLS)[3] == "markdown", "outside the controls JupyterLab has its keys"
        assert [line for line in seen if line.startswith(("request", "error"))] == []
    finally:
        context.close()


def test_the_camera_of_a_browser_moves_the_figure(chromium, tmp_path):
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, permissions=["camera"])
    context.set_default_timeout(60_000)
    try:
        page = context.new_page()
        seen = watch(page)
        with notebook(tmp_path, NOTEBOOK) as lab:
            lab.open(page, "explorer.ipynb")
            run_all(page)
            figure = page.locator(".jp-OutputArea-output:has(.coursekit-camera) img").first
            source = figure.get_attribute("src")
            page.locator(".coursekit-camera").click()
            for _ in range(2):  # the camera's test pattern moves, and so does the figure
                page.wait_for_function("([img, old]) => img.src !== old", arg=[figure.element_handle(), source])
                source = figure.get_attribute("src")
            page.locator(".coursekit-camera").click()
            assert page.locator(".coursekit-camera").inner_text() == "camera: start"
        assert [line for line in seen if line.startswith(("request", "error"))] == []
    finally:
        context.close()


def test_drawing_leaves_the_random_state(explorer):
    state = torch.get_rng_state()
    explorer.controls["channel"].value = 1
    assert torch.equal(state, torch.get_rng_state())
