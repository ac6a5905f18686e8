"""Explorers that look: predictions, activations, training."""

import ipywidgets as widgets

from coursekit.explorers.explorer import (
    Explorer,
    chosen_image,
    layer_and_channel,
    photograph_or_camera,
    photograph_or_upload,
)
from coursekit.figures.figure import Picture
from coursekit.figures.images import show_images, show_predictions, signal_pictures
from coursekit.networks.history import training_history
from coursekit.networks.model import Model
from coursekit.probe.capture import activations, predict
from coursekit.units.filters import mosaic
from coursekit.units.patches import top_patches


def explore_prediction(model: Model, photograph: str = "chelsea") -> Explorer:
    """Choose a photograph or upload a picture, and see the five most probable classes.

    >>> import coursekit as ck
    >>> ck.explore_prediction(ck.load_model("efficientnet_lite0"))
    <Explorer: photograph, upload>
    """

    def draw(photograph: str, upload: tuple) -> Picture:
        image, _ = chosen_image(photograph, upload, size=model.input_size)
        return show_predictions(image, predict(model, image))

    return Explorer(draw, **photograph_or_upload(photograph))


def explore_activations(model: Model, photograph: str = "chelsea", layer: str = "conv1", channel: int = 0) -> Explorer:
    """See what every channel of a layer makes of a photograph, an upload or the camera's picture.

    Left the picture, with the receptive field of the strongest position of the chosen channel; in the middle that
    channel; right up to 64 channels of the layer, each on its own scale (Yosinski et al. 2015).

    >>> import coursekit as ck
    >>> ck.explore_activations(ck.load_model("coursenet"), layer="relu5")
    <Explorer: layer, channel, photograph, upload, camera>
    """
    controls = layer_and_channel(model, layer, channel)

    def draw(layer: str, channel: int, photograph: str, upload: tuple, camera: bytes) -> Picture:
        image, _ = chosen_image(photograph, upload, camera, size=model.input_size)
        maps = activations(model, image, [layer], reduce="maps")[layer][0]
        high = maps.flatten(1).amax(1).clamp(min=1e-6)[:, None, None]
        grey = (maps / high).clamp(0, 1)[:, None]
        zoom = max(1, 28 // maps.shape[-1])
        strongest = top_patches(model, image, layer, channel, k=1)
        shown = f"{min(64, len(maps))} of {len(maps)} channels of {layer}"
        return show_images(
            [image, grey[channel : channel + 1], mosaic(grey[:64], zoom=zoom, gap=1)],
            ["input" if strongest.known else "input (field not known)", f"{layer} channel {channel}", shown],
            columns=3,
            boxes=strongest.boxes if strongest.known else (),
        )

    return Explorer(draw, **controls, **photograph_or_camera(photograph))


def explore_training() -> Explorer:
    """Play the training of CourseNet, or move through it by hand, and watch its first-layer filters form."""
    moments = training_history()
    slider = widgets.SelectionSlider(options=list(moments), description="step", continuous_update=False)
    play = widgets.Play(value=len(moments) * 2 // 3, max=len(moments) - 1, interval=700, description="play")
    widgets.link((play, "value"), (slider, "index"))

    def draw(step: int) -> Picture:
        tiles = mosaic(signal_pictures(moments[step]["conv1"], clip=100), columns=16, zoom=6, gap=4)
        return show_images(tiles, [f"first layer after {step:,} steps"], columns=1)

    explorer = Explorer(draw, step=slider)
    explorer.box.children = (play, *explorer.box.children)
    return explorer
