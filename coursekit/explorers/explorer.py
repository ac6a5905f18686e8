"""Explorers: controls above a figure that is drawn again when they move (ipywidgets).

Where no browser is there (CI, GitHub, slides) an explorer shows its first figure. If that figure cannot be drawn the
cell fails; a later mistake, such as a broken upload, is told in one sentence below the controls. In a notebook work
that a newer choice has overtaken is not begun, and what takes many steps shows a quarter of them first.
"""

import html
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ipywidgets as widgets
from IPython import get_ipython
from torch import Tensor

from coursekit.arguments import is_whole, shown
from coursekit.errors import CoursekitError, ImageError, OptionError, UnknownLayer
from coursekit.explorers.browser import Keys, Webcam
from coursekit.figures.figure import Picture
from coursekit.images.loading import load_image, photographs
from coursekit.networks.model import Model
from coursekit.probe.capture import answers

_WIDGET = "application/vnd.jupyter.widget-view+json"
PAUSE = 0.05  # seconds in which the kernel reads the choices that came while it drew
MANY = 16  # steps, from which on a first look is worth its time


def kernel_loop() -> Any:
    """Return the event loop of the notebook's kernel, None where there is no kernel."""
    return getattr(getattr(get_ipython(), "kernel", None), "io_loop", None)


class Explorer:
    """Widgets and a figure that follows them; shows a still picture where no widgets can live."""

    def __init__(self, draw: Callable[..., Picture], **controls: widgets.Widget):
        self.draw, self.controls = draw, controls
        self.drawn, self.waiting, self.looked = self._values(), False, False
        self.picture = draw(**self.drawn)  # raises here, in the cell, if it must
        self.image = widgets.Image(value=self.picture.data, format=self.picture.kind)
        self.image.layout.max_width = f"{round(self.picture.figure.get_figwidth() * 100)}px"
        self.message = widgets.HTML()
        for control in controls.values():
            control.observe(self._redraw, names="value")
        keys = Keys(layout={"display": "none"})
        self.box = widgets.VBox([*controls.values(), self.message, self.image, keys])

    def _values(self) -> dict:
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, change: dict) -> None:
        """Answer a choice: at once without a kernel, else when the kernel has read what else was chosen meanwhile."""
        loop = kernel_loop()
        if self._values() == self.drawn and not self.waiting:
            return  # drawn already, when the choice of a layer has moved the channel
        self.message.value, self.looked = "computing …", loop is None
        if loop is None:
            self._show(self._values())
        elif not self.waiting:
            self.waiting = True
            loop.call_later(PAUSE, self._answer)

    def _answer(self) -> None:
        """Draw the last choice, first with a quarter of its steps where they are many."""
        self.waiting, values = False, self._values()
        if self.looked or values.get("steps", 0) < MANY:
            self._show(values)
        elif self._show(values | {"steps": values["steps"] // 4}):
            self.message.value, self.looked, self.waiting = "first look; computing …", True, True
            kernel_loop().call_later(PAUSE, self._answer)

    def _show(self, values: dict) -> bool:
        """Draw; say whether that went well. A mistake is told in one sentence."""
        self.drawn = {}
        try:
            self.picture = self.draw(**values)
            self.drawn = values
            self.image.format, self.image.value = self.picture.kind, self.picture.data
            self.message.value = ""
            return True
        except CoursekitError as error:
            self.message.value = f"<b>{html.escape(str(error))}</b>"
        except Exception as error:
            self.message.value = f"<b>{html.escape(f'{type(error).__name__}: {error}')}</b>"
        return False

    def __repr__(self) -> str:
        return f"<Explorer: {', '.join(self.controls)}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        still, metadata = self.picture._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {_WIDGET: view, **still, "text/plain": repr(self)}, metadata


def photograph_or_upload(photograph: str) -> dict[str, widgets.Widget]:
    """Make the two controls of a picture, packaged or the reader's own; a new choice of one clears the other.

    >>> list(photograph_or_upload("chelsea"))
    ['photograph', 'upload']
    """
    if photograph not in photographs():
        raise ImageError(f"There is no packaged photograph {photograph!r}; see ck.photographs(), or upload a picture.")
    choice = widgets.Dropdown(options=photographs(), value=photograph, description="photograph")
    upload = widgets.FileUpload(accept="image/*", multiple=False, description="your picture")
    last_choice_wins(choice, upload)
    return {"photograph": choice, "upload": upload}


def last_choice_wins(choice: widgets.Dropdown, *others: widgets.Widget) -> None:
    """Let each new value of one control empty the others, so that none shows what is not drawn."""
    controls = {control: type(control.value)() for control in others} | {choice: None}

    def empty(change: dict) -> None:
        for control in controls if change["new"] else ():
            if control is not change["owner"]:
                control.value = controls[control]

    for control in controls:
        control.observe(empty, names="value")


def chosen_image(photograph: str, upload: tuple, camera: bytes = b"", *, size: int) -> tuple[Tensor, str]:
    """Return the picture that these controls chose, (1, 3, size, size), and what to call it."""
    source = camera or (upload[-1] if upload else photograph)
    name = "the camera" if camera else "your picture" if upload else photograph
    return load_image(source, size=size), name


def photograph_or_camera(photograph: str) -> dict[str, widgets.Widget]:
    """Make the two controls of a picture and a camera; a new choice of one clears the others."""
    chosen, camera = photograph_or_upload(photograph), Webcam()
    last_choice_wins(*chosen.values(), camera)
    return {**chosen, "camera": camera}


def layer_choice(model: Model, layer: str, names: list[str], start: float = 0.5) -> widgets.Dropdown:
    """Make the control that chooses one of the layers `names`; "" is the layer that far down the list.

    Raises UnknownLayer if the layer is none of them, or if there are none.
    """
    if not names or (layer and layer not in names):
        known = ", ".join(names) or "none"
        raise UnknownLayer(f"{model.name} has no layer {layer!r} to choose here; there is: {known}.")
    return widgets.Dropdown(options=names, value=layer or names[int(start * len(names))], description="layer")


def layer_and_channel(model: Model, layer: str = "", channel: int = 0) -> dict[str, widgets.Widget]:
    """Return the two controls that choose one channel of a layer with maps.

    They start at this channel; "" is a layer in the middle. The slider reaches as far as the chosen layer has channels.
    Raises UnknownLayer, OptionError.
    """
    if layer:
        model.layer(layer)  # raises before any work
    channels = map_layers(model)
    choice = layer_choice(model, layer, list(channels))
    layer = choice.value
    if not is_whole(channel) or channel >= channels[layer]:
        raise OptionError(f"Layer {layer!r} has the channels 0 to {channels[layer] - 1}, but not {shown(channel)}.")
    slider = widgets.IntSlider(channel, 0, channels[layer] - 1, description="channel", continuous_update=False)
    choice.observe(lambda change: slider.set_trait("max", channels[change["new"]] - 1), names="value")
    return {"layer": choice, "channel": slider}


def map_layers(model: Model) -> dict[str, int]:
    """Return the number of channels of each layer that gives one map; a ReLU that runs twice gives two."""
    found = {}
    for name in model.layers:
        with suppress(UnknownLayer):
            shape = model.layers.shape(name)
            if len(shape) == 3:
                found[name] = shape[0]
    return found


def top_classes(model: Model, image: Tensor) -> widgets.Dropdown:
    """Make a control of the five most probable classes, or of all where there are fewer."""
    logits = answers(model, image)[0]
    best = logits.topk(min(5, len(logits))).indices.tolist()
    return widgets.Dropdown(
        options=[(model.labels[i] if model.labels else f"class {i}", i) for i in best], description="class"
    )
