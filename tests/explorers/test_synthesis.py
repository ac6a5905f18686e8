"""The explorer of channels follows its controls; the stored sheets are there and small."""

import io

import pytest
import torch
from nets import SmallNet, seeded
from PIL import Image

import coursekit as ck
from coursekit.errors import DataUnavailable, OptionError, UnknownLayer
from coursekit.figures.images import show_images


@pytest.fixture
def model():
    model = ck.Model(seeded(SmallNet()))
    model.input_size = 24
    return model


@pytest.fixture
def explorer(model):
    return ck.explore_features(model, "conv2", 3, size=24, steps=4)


@pytest.mark.parametrize(
    ("control", "value", "words"),
    [
        ("layer", "conv3", "conv3 channel 3 by fourier, after 1, 2 and 4 steps"),
        ("channel", 5, "conv2 channel 5 by"),
        ("channel", 7, "conv2 channel 7 by"),
        ("parameterization", "pixels", "by pixels"),
        ("parameterization", "maco", "by maco"),
        ("steps", 2, "after 1 and 2 steps"),
        ("steps", 1, "after 1 step"),
    ],
)
def test_the_figure_follows_each_control(explorer, control, value, words):
    before = bytes(explorer.image.value)
    explorer.controls[control].value = value
    assert explorer.message.value == "" and words in explorer.picture.alt
    assert bytes(explorer.image.value) != before


def test_titles_say_layer_and_channel(explorer):
    explorer.controls["channel"].value = 7
    explorer.controls["layer"].value = "conv1"  # has six
    assert "conv1 channel 5" in explorer.picture.alt and explorer.message.value == ""
    titles = [" ".join(axes.get_title().split()) for axes in explorer.picture.figure.axes]
    assert titles == [f"conv1, channel 5: {steps}" for steps in ("1 step", "2 steps", "4 steps")]


def test_what_is_shown_is_what_render_makes(model, monkeypatch):
    shown = []
    real = show_images
    monkeypatch.setattr(
        "coursekit.explorers.synthesis.show_images", lambda x, *a, **o: shown.append(x) or real(x, *a, **o)
    )
    ck.explore_features(model, "conv2", 3, size=24, steps=4)
    way = {"parameterization": ck.parameterizations.fourier(decay=1.5), "rate": 0.1}
    made = ck.render(model, ck.objectives.channel("conv2", 3), size=24, steps=4, progress=False, **way)
    assert len(shown[0]) == 3
    torch.testing.assert_close(shown[0][-1], made.images, atol=1e-5, rtol=0)


def test_a_cell_gets_a_still_picture(explorer):
    data, metadata = explorer._repr_mimebundle_()
    Image.open(io.BytesIO(data["image/jpeg"])).load()
    assert metadata["image/jpeg"]["alt"] == explorer.picture.alt


def test_wrong_input_gets_one_sentence(model):
    with pytest.raises(UnknownLayer, match="no layer 'conv9'"):
        ck.explore_features(model, "conv9")
    with pytest.raises(OptionError, match="channels 0 to 7"):
        ck.explore_features(model, "conv2", 8)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "coursenet", "steps", "posters", "style_ladder", "style_grid"])
def test_the_stored_sheets_are_there_and_not_large(name):
    path = ck.feature_gallery(name)
    assert path.stat().st_size < 500_000
    with Image.open(path) as sheet:
        assert sheet.format == "JPEG" and min(sheet.size) > 100


def test_a_missing_sheet_says_how_to_make_it():
    with pytest.raises(DataUnavailable, match="make gallery"):
        ck.feature_gallery("resnet18")
