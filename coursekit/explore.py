"""Explorers: controls above a figure that is drawn again when they move (ipywidgets).

Where no browser is there (CI, GitHub, slides) an explorer shows its first figure. If that figure cannot be drawn the
cell fails; a later mistake, such as a broken upload, is told in one sentence below the controls.
"""

import html
from collections.abc import Callable

import ipywidgets as widgets
import torch
from torch import Tensor

from coursekit import plotting
from coursekit.attribution.gradients import input_gradient, integrated_gradients, saliency, smoothgrad
from coursekit.errors import CoursekitError
from coursekit.images import check_images, load_image, photographs
from coursekit.models import Model, predict
from coursekit.plotting import Picture
from coursekit.probe import baseline

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


def explore_prediction(model: Model, photograph: str = "chelsea") -> Explorer:
    """Choose a photograph or upload a picture, and see the five most probable classes.

    >>> import coursekit as ck
    >>> ck.explore_prediction(ck.load_model("efficientnet_lite0"))
    <Explorer: photograph, upload; Predictions: Egyptian cat>
    """

    def draw(photograph: str, upload: tuple) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=model.input_size)
        return plotting.show_predictions(image, predict(model, image))

    choice = widgets.Dropdown(options=photographs(), value=photograph, description="photograph")
    upload = widgets.FileUpload(accept="image/*", multiple=False, description="your picture")
    choice.observe(lambda change: upload.set_trait("value", ()), names="value")  # the last choice wins
    return Explorer(draw, photograph=choice, upload=upload)


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
