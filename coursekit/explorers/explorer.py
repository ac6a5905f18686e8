"""Explorers: controls above a figure that is drawn again when they move (ipywidgets).

Where no browser is there (CI, GitHub, slides) an explorer shows its first figure. If that figure cannot be drawn the
cell fails; a later mistake, such as a broken upload, is told in one sentence below the controls.
"""

import html
from collections.abc import Callable

import ipywidgets as widgets

from coursekit.errors import CoursekitError
from coursekit.figures.figure import Picture
from coursekit.images.loading import photographs

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
