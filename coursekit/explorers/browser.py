"""A camera as a control: the browser sends a small picture whenever the last one was taken up (anywidget)."""

from pathlib import Path

import anywidget
import traitlets


class Webcam(anywidget.AnyWidget):
    """A button that starts the camera of the browser; `value` holds its latest frame, a JPEG of 256 × 256 pixels.

    Pictures go to the notebook's own kernel and nowhere else. The next frame is sent when the last one was taken up, so
    that a slow computer lags by one frame and never by more.
    """

    _esm = Path(__file__).with_name("webcam.js")
    value = traitlets.CBytes(b"").tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)

    @traitlets.observe("value")
    def _take(self, change: dict) -> None:
        self.seen += 1
