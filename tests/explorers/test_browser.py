"""The activation explorer: photograph, upload and camera give its picture; the camera works in a real browser."""

import io

import nbformat
import pytest
import torch
from browser import JupyterLab, run_all, watch
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


def test_a_channel_beyond_a_smaller_layer_shows_its_last_one(explorer):
    explorer.controls["channel"].value = 7
    explorer.controls["layer"].value = "conv1"
    assert explorer.message.value == "" and "channel 5" in explorer.picture.alt


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


def test_the_camera_of_a_browser_moves_the_figure(chromium, tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "jupyter").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "lab" / "camera.ipynb")
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, permissions=["camera"])
    context.set_default_timeout(60_000)
    try:
        page = context.new_page()
        seen = watch(page)
        with JupyterLab(tmp_path / "lab", tmp_path / "jupyter") as lab:
            lab.open(page, "camera.ipynb")
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
