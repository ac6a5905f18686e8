"""Explorers: controls above a figure that is drawn again when they move (ipywidgets).

Where no browser is there (CI, GitHub, slides) an explorer shows its first figure. If that figure cannot be drawn the
cell fails; a later mistake, such as a broken upload, is told in one sentence below the controls.
"""

import html
from collections.abc import Callable
from contextlib import suppress

import ipywidgets as widgets
import torch
from torch import Tensor

from coursekit.attribution.gradients import input_gradient, integrated_gradients, saliency, smoothgrad
from coursekit.errors import CoursekitError, UnknownLayer
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import check_images, load_image, photographs
from coursekit.networks.history import training_history
from coursekit.networks.model import Model, predict
from coursekit.probe.capture import baseline, capture
from coursekit.units.filters import filter_pictures, mosaic

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Explorer:
    """Widgets and a figure that follows them; shows a still picture where no widgets can live."""

    def __init__(self, draw: Callable[..., Picture], **controls: widgets.Widget):
        self.draw, self.controls = draw, controls
        self.picture = draw(**self._values())  # raises here, in the cell, if it must
        self.image = widgets.Image(value=self.picture.data, format=self.picture.kind)
        self.image.layout.max_width = f"{round(self.picture.figure.get_figwidth() * 100)}px"
        self.message = widgets.HTML()
        for control in controls.values():
            control.observe(self._redraw, names="value")
        self.box = widgets.VBox([*controls.values(), self.message, self.image])

    def _values(self) -> dict:
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, change: dict) -> None:
        self.message.value = "computing …"
        try:
            self.picture = self.draw(**self._values())
            self.image.format, self.image.value = self.picture.kind, self.picture.data
            self.message.value = ""
        except CoursekitError as error:
            self.message.value = f"<b>{html.escape(str(error))}</b>"
        except Exception as error:
            self.message.value = f"<b>{html.escape(f'{type(error).__name__}: {error}')}</b>"

    def __repr__(self) -> str:
        return f"<Explorer: {', '.join(self.controls)}; {self.picture.alt}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        still, metadata = self.picture._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {_WIDGET: view, **still, "text/plain": repr(self)}, metadata


def photograph_or_upload(photograph: str) -> dict[str, widgets.Widget]:
    """Make the two controls of a picture, packaged or the reader's own; a new choice of one clears the upload.

    >>> list(photograph_or_upload("chelsea"))
    ['photograph', 'upload']
    """
    choice = widgets.Dropdown(options=photographs(), value=photograph, description="photograph")
    upload = widgets.FileUpload(accept="image/*", multiple=False, description="your picture")
    choice.observe(lambda change: upload.set_trait("value", ()), names="value")  # the last choice wins
    return {"photograph": choice, "upload": upload}


def explore_prediction(model: Model, photograph: str = "chelsea") -> Explorer:
    """Choose a photograph or upload a picture, and see the five most probable classes.

    >>> import coursekit as ck
    >>> ck.explore_prediction(ck.load_model("efficientnet_lite0"))
    <Explorer: photograph, upload; Predictions: Egyptian cat>
    """

    def draw(photograph: str, upload: tuple) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=model.input_size)
        return plotting.show_predictions(image, predict(model, image))

    return Explorer(draw, **photograph_or_upload(photograph))


def explore_occlusion(model: Model, image: Tensor) -> Explorer:
    """Move a window over the image by hand and watch the probabilities.

    >>> import coursekit as ck
    >>> ck.explore_occlusion(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: row, column, window, fill; Predictions: Egyptian cat>
    """
    check_images(image)
    height, width = image.shape[-2:]

    def draw(row: int, column: int, window: int, fill: str) -> Picture:
        covered = image.clone()
        box = slice(row, row + window), slice(column, column + window)
        covered[..., *box] = baseline(model, image, fill)[..., *box]
        return plotting.show_predictions(covered, predict(model, covered))

    def slider(name: str, value: int, low: int, high: int) -> widgets.IntSlider:
        return widgets.IntSlider(value=value, min=low, max=high, step=8, description=name, continuous_update=False)

    return Explorer(
        draw,
        row=slider("row", height // 3 // 8 * 8, 0, height - 8),
        column=slider("column", width // 3 // 8 * 8, 0, width - 8),
        window=slider("window", 48, 8, min(height, width)),
        fill=widgets.Dropdown(options=["mean", "black", "white", "blur"], description="fill"),
    )


def explore_saliency(model: Model, image: Tensor) -> Explorer:
    """Choose the class and the method, and see the map.

    >>> import coursekit as ck
    >>> ck.explore_saliency(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: target, method, samples, sigma; Heat maps (logits per unit of intensity) beside the image: saliency>
    """
    check_images(image)
    with torch.no_grad():
        best = model(image)[0].topk(5).indices.tolist()

    def draw(target: int, method: str, samples: int, sigma: float) -> Picture:
        unit = "logits per unit of intensity"
        if method == "saliency":
            heat = saliency(model, image, target)
        elif method == "gradient":
            heat = input_gradient(model, image, target)
        elif method == "SmoothGrad":
            heat = smoothgrad(model, image, target, samples=samples, sigma=sigma).abs().amax(1, keepdim=True)
        else:
            heat, unit = integrated_gradients(model, image, target, steps=samples), "logits"
        return plotting.show_maps(image, {method: heat}, unit=unit)

    names = [(model.labels[i] if model.labels else f"class {i}", i) for i in best]
    return Explorer(
        draw,
        target=widgets.Dropdown(options=names, description="class"),
        method=widgets.Dropdown(
            options=["saliency", "gradient", "SmoothGrad", "integrated gradients"], description="method"
        ),
        samples=widgets.IntSlider(
            value=10, min=2, max=50, description="samples", continuous_update=False, tooltip="samples or steps"
        ),
        sigma=widgets.FloatSlider(value=0.15, min=0, max=0.5, step=0.05, description="sigma", continuous_update=False),
    )


def explore_activations(model: Model, photograph: str = "chelsea", layer: str = "conv1") -> Explorer:
    """See what every channel of a layer makes of a photograph, an upload or the camera's picture.

    Left the picture, with the receptive field of the strongest position of the chosen channel; in the middle that
    channel; right up to 64 channels of the layer, each on its own scale (Yosinski et al. 2015).

    >>> import coursekit as ck
    >>> ck.explore_activations(ck.load_model("coursenet"), layer="relu5")
    <Explorer: layer, channel, photograph, upload, camera; Pictures: input, relu5 channel 0, 64 of 256 ...>
    """
    from coursekit.explorers.browser import Webcam
    from coursekit.units.patches import top_patches

    layers = list(_maps(model))

    def draw(layer: str, channel: int, photograph: str, upload: tuple, camera: bytes) -> Picture:
        image = load_image(camera or (upload[-1] if upload else photograph), size=model.input_size)
        with capture(model, [layer]) as maps, torch.no_grad():
            model(image)
        maps = maps[layer][0].cpu()
        channel = min(channel, len(maps) - 1)
        high = maps.flatten(1).amax(1).clamp(min=1e-6)[:, None, None]
        grey = (maps / high).clamp(0, 1)[:, None]
        zoom = max(1, 28 // maps.shape[-1])
        (box,) = top_patches(model, layer, channel, image, k=1).boxes
        shown = f"{min(64, len(maps))} of {len(maps)} channels of {layer}"
        return plotting.show_images(
            [image, grey[channel : channel + 1], mosaic(grey[:64], zoom=zoom, gap=1)],
            ["input", f"{layer} channel {channel}", shown],
            columns=3,
            boxes=[box],
        )

    chosen, camera = photograph_or_upload(photograph), Webcam()
    for other in chosen.values():
        other.observe(lambda change: camera.set_trait("value", b""), names="value")
    most = max(_maps(model).values()) - 1
    return Explorer(
        draw,
        layer=widgets.Dropdown(options=layers, value=layer, description="layer"),
        channel=widgets.IntSlider(value=0, min=0, max=most, description="channel", continuous_update=False),
        **chosen,
        camera=camera,
    )


def _maps(model: Model) -> dict[str, int]:
    """Return the number of channels of each layer that gives one map; a ReLU that runs twice gives two."""
    found = {}
    for name in model.layers:
        with suppress(UnknownLayer):
            shape = model.layers.shape(name)
            if len(shape) == 3:
                found[name] = shape[0]
    return found


def explore_training() -> Explorer:
    """Play the training of CourseNet, or move through it by hand, and watch its first-layer filters form."""
    moments = training_history()
    slider = widgets.SelectionSlider(options=list(moments), description="step", continuous_update=False)
    play = widgets.Play(max=len(moments) - 1, interval=700, description="play")
    widgets.link((play, "value"), (slider, "index"))

    def draw(step: int) -> Picture:
        tiles = mosaic(filter_pictures(moments[step]["conv1"]), columns=16, zoom=6, gap=4)
        return plotting.show_images(tiles, [f"first layer after {step:,} steps"], columns=1)

    explorer = Explorer(draw, step=slider)
    explorer.box.children = (play, *explorer.box.children)
    return explorer
