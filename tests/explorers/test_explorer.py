"""Explorers: the figure follows the controls, a mistake is told in a sentence, and a still picture is always there."""

import io
from datetime import UTC, datetime

import ipywidgets as widgets
import pytest
import torch
from nets import random_images, seeded
from PIL import Image
from torch import nn

import coursekit as ck
from coursekit.explorers.explorer import Explorer
from coursekit.figures.charts import show_lines

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def model():
    net = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 6))
    model = ck.Model(seeded(net), labels=["ant", "bee", "cat", "dog", "eel", "fox"])
    model.input_size = 24
    return model


@pytest.fixture
def image():
    return random_images(1, size=24)


def upload(name, content):
    """What ipywidgets gives for an uploaded file."""
    made = datetime(2026, 5, 1, tzinfo=UTC)
    file = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    return (file | {"last_modified": made},)


def green_png():
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "green").save(buffer, "png")
    return buffer.getvalue()


CHANGES = {
    "explore_prediction": {"photograph": "coffee", "upload": upload("green.png", green_png())},
    "explore_occlusion": {"row": 0, "column": 16, "window": 8, "fill": "white"},
    "explore_saliency": {"target": 1, "method": "integrated gradients"},
}


def explore(name, model, image):
    return getattr(ck, name)(*((model,) if name == "explore_prediction" else (model, image)))


@pytest.mark.parametrize(("name", "control"), [(name, control) for name in CHANGES for control in CHANGES[name]])
def test_the_figure_follows_each_control(model, image, name, control):
    explorer = explore(name, model, image)
    before, still, value = bytes(explorer.image.value), explorer.picture, CHANGES[name][control]
    widget = explorer.controls[control]
    widget.value = widget.options[value][1] if control == "target" else value
    assert bytes(explorer.image.value) != before
    assert explorer.picture is not still, "the next reader gets the new picture, too"
    assert explorer.message.value == ""


@pytest.mark.parametrize("control", ["samples", "sigma"])
def test_the_noise_of_smoothgrad_follows_its_sliders(image, control):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6))
    explorer = ck.explore_saliency(ck.Model(seeded(net)), image)
    explorer.controls["method"].value = "SmoothGrad"
    before = bytes(explorer.image.value)
    explorer.controls[control].value = 0.3 if control == "sigma" else 3
    assert bytes(explorer.image.value) != before


def test_every_control_of_the_explorers_is_tried_here(model, image):
    for name, changes in CHANGES.items():
        assert set(explore(name, model, image).controls) - {"samples", "sigma"} == set(changes)


def test_moving_the_window_covers_what_the_sliders_say(model, image, monkeypatch):
    shown = []
    monkeypatch.setattr("coursekit.explorers.attribution.show_predictions", spy(shown))
    explorer = ck.explore_occlusion(model, image)
    for control, value in (("fill", "white"), ("window", 8), ("row", 8), ("column", 16)):
        explorer.controls[control].value = value
    expected = image.clone()
    expected[..., 8:16, 16:24] = 1
    assert torch.equal(shown[-1], expected)
    assert torch.equal(image, random_images(1, size=24)), "the student's image stays whole"


def test_the_last_choice_between_photograph_and_upload_wins(model, monkeypatch):
    shown = []
    monkeypatch.setattr("coursekit.explorers.looking.show_predictions", spy(shown))
    explorer = ck.explore_prediction(model)
    explorer.controls["upload"].value = upload("green.png", green_png())
    assert torch.equal(shown[-1], ck.load_image(green_png(), size=24))
    explorer.controls["photograph"].value = "coffee"
    assert torch.equal(shown[-1], ck.load_image("coffee", size=24))


def test_no_control_shows_what_is_not_drawn(model, monkeypatch):
    """After an upload the list named the old photograph, and that one could not be had back."""
    drawn = []
    monkeypatch.setattr("coursekit.explorers.looking.show_predictions", spy(drawn))
    controls = ck.explore_prediction(model, "rocket").controls
    controls["upload"].value = upload("green.png", green_png())
    assert controls["photograph"].value is None
    controls["photograph"].value = "rocket"
    assert controls["upload"].value == () and len(drawn) == 3
    assert torch.equal(drawn[-1], ck.load_image("rocket", size=24))


class Kernel:
    """Stand in for the event loop of a kernel: `run` does what is waiting, as the kernel does between messages."""

    def __init__(self, monkeypatch):
        self.waiting = []
        monkeypatch.setattr("coursekit.explorers.explorer.kernel_loop", lambda: self)

    def call_later(self, seconds, work):
        self.waiting.append(work)

    def run(self):
        self.waiting, work = [], self.waiting
        for one in work:
            one()


def counting(drawn, **controls):
    """An explorer that notes with which values it was drawn."""

    def draw(**values):
        drawn.append(values)
        return show_lines([0, 1], {"a": [0, len(drawn)]}, xlabel="x", ylabel="y")

    return Explorer(draw, **controls)


def test_in_a_kernel_a_choice_that_was_overtaken_is_not_drawn(monkeypatch):
    kernel, drawn = Kernel(monkeypatch), []
    explorer = counting(drawn, row=widgets.IntSlider(0))
    for value in (1, 2, 3):
        explorer.controls["row"].value = value
        assert explorer.message.value == "computing …", "at once, before any work"
    assert drawn == [{"row": 0}] and len(kernel.waiting) == 1
    kernel.run()
    assert drawn == [{"row": 0}, {"row": 3}] and explorer.message.value == "" and not kernel.waiting
    explorer.controls["row"].value = 4
    kernel.run()
    assert drawn[-1] == {"row": 4} and len(drawn) == 3


def test_in_a_kernel_many_steps_show_a_quarter_first_and_a_newer_choice_stops_the_rest(monkeypatch):
    kernel, drawn = Kernel(monkeypatch), []
    explorer = counting(drawn, steps=widgets.IntSlider(8, 0, 100), seed=widgets.IntSlider(0))
    explorer.controls["steps"].value = 40
    kernel.run()
    assert drawn[1:] == [{"steps": 10, "seed": 0}] and explorer.message.value == "first look; computing …"
    explorer.controls["seed"].value = 1
    assert len(kernel.waiting) == 1, "the rest of the old one has become the first look of the new one"
    kernel.run()
    kernel.run()
    assert drawn[2:] == [{"steps": 10, "seed": 1}, {"steps": 40, "seed": 1}] and explorer.message.value == ""
    assert explorer.drawn == {"steps": 40, "seed": 1} and not kernel.waiting


def spy(shown):
    """Stand in for a plotting function, and keep the image that it was given."""

    def draw(image, predictions):
        shown.append(image.clone())
        return show_lines([0, 1], {"a": [0, len(shown)]}, xlabel="x", ylabel="y")

    return draw


@pytest.mark.parametrize("content", [b"this is no picture", b"", green_png()[:60]], ids=["text", "empty", "cut short"])
def test_a_broken_upload_is_told_in_one_sentence_and_the_picture_stays(model, content):
    explorer = ck.explore_prediction(model)
    before, still = bytes(explorer.image.value), explorer.picture
    explorer.controls["upload"].value = upload("holiday.png", content)
    assert "holiday.png" in explorer.message.value
    assert explorer.message.value.startswith("<b>") and explorer.message.value.count("\n") == 0
    assert bytes(explorer.image.value) == before and explorer.picture is still
    explorer.controls["upload"].value = upload("green.png", green_png())
    assert explorer.message.value == "" and bytes(explorer.image.value) != before, "a good one cures it"


def test_a_first_figure_that_cannot_be_drawn_raises_in_the_cell(model, image):
    with pytest.raises(ck.ImageError, match="nobody"):
        Explorer(lambda: ck.load_image("nobody.png"))
    for name in ("explore_occlusion", "explore_saliency"):
        with pytest.raises(ck.ImageError, match="divide by 255"):
            explore(name, model, 255 * image)


@pytest.mark.parametrize("name", CHANGES)
def test_a_cell_gets_the_live_widgets_and_a_still_picture_with_its_alt_text(model, image, name):
    explorer = explore(name, model, image)
    data, metadata = explorer._repr_mimebundle_()
    kind = f"image/{explorer.picture.kind}"
    assert set(data) == {WIDGET, kind, "text/plain"}
    assert data[WIDGET]["model_id"] == explorer.box.model_id
    Image.open(io.BytesIO(data[kind])).load()
    assert metadata[kind]["alt"] == explorer.picture.alt != ""
    assert data["text/plain"] == repr(explorer) == f"<Explorer: {', '.join(explorer.controls)}>"
    assert [*explorer.controls.values(), explorer.message, explorer.image, explorer.box.children[-1]] == list(
        explorer.box.children
    )


def test_a_network_without_labels_can_be_explored(image):
    model = ck.Model(seeded(nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 6))))
    explorer = ck.explore_saliency(model, image)
    assert all(name == f"class {index}" for name, index in explorer.controls["target"].options)
    assert [index for _, index in explorer.controls["target"].options] == model(image)[0].topk(5).indices.tolist()


def test_the_explorer_of_backward_rules_shows_a_neuron_in_three_ways():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(6))
    net(torch.zeros(1, 3, 24, 24))
    model = ck.Model(seeded(net))
    model.input_size = 24
    first, last = [name for name in model.layers if name.startswith(("1", "3", "relu"))]
    explorer = ck.explore_backward(model, layer=last)
    panels = [ax.get_title() for ax in explorer.picture.figure.axes]
    assert [" ".join(title.split()) for title in panels] == [
        "strongest for 3, channel 0",
        "gradient",
        "deconvnet",
        "guided",
    ]
    assert explorer.picture.figure.axes[1].get_images()[0].get_array().shape[:2] == (5, 5), "cut to what it sees"
    for control, value in {"channel": 3, "photograph": "coffee", "upload": upload("g.png", green_png())}.items():
        before = bytes(explorer.image.value)
        explorer.controls[control].value = value
        assert bytes(explorer.image.value) != before, control
    explorer.controls["channel"].value = 4
    explorer.controls["layer"].value = first
    assert explorer.message.value == "", "channel 4 of a layer of four is its last one"
    assert explorer.picture.figure.axes[1].get_images()[0].get_array().shape[:2] == (3, 3)
    with pytest.raises(ck.UnknownLayer, match="no layer 'conv9'"):
        ck.explore_backward(model, layer="conv9")
    with pytest.raises(ck.OptionError, match="channels 0 to 4, but not 5"):
        ck.explore_backward(model, layer=last, channel=5)


def test_the_explorer_of_backward_rules_refuses_a_network_that_they_cannot_read():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Flatten(), nn.LazyLinear(6))
    net(torch.zeros(1, 3, 24, 24))
    model = ck.Model(seeded(net))
    model.input_size = 24
    with pytest.raises(ck.UnsupportedActivation, match="SiLU"):
        ck.explore_backward(model, layer=next(iter(model.layers)))


@pytest.mark.parametrize("name", ["explore_inversion", "explore_dream", "explore_features", "explore_activations"])
def test_a_layer_that_cannot_be_chosen_is_told_before_any_work(name, model):
    with pytest.raises(ck.UnknownLayer, match=r"no layer 'nowhere'.*: .*"):
        getattr(ck, name)(model, layer="nowhere")


def test_a_network_whose_layers_have_numbers_dreams_too():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    explorer = ck.explore_dream(ck.Model(seeded(net)), size=48)
    assert explorer.controls["layer"].value in explorer.controls["layer"].options
