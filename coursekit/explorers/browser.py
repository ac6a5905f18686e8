"""What an explorer needs in the browser (anywidget): its keys, and a camera as a control."""

from pathlib import Path

import anywidget
import traitlets


def script(name: str = "") -> str:
    """Return the browser's part of a widget, behind the listener that keeps its keys from JupyterLab."""
    files = [Path(__file__).with_name(f"{part}.js") for part in ("keys", name) if part]
    return "\n".join(file.read_text("utf8") for file in files)


class Keys(anywidget.AnyWidget):
    """Shows nothing, and keeps the keys that are pressed in a control of any cell's output from JupyterLab."""

    _esm = script() + "export default { render() {} };"


class Webcam(anywidget.AnyWidget):
    """A button that starts the camera of the browser; `value` holds its latest frame, a JPEG of 256 × 256 pixels.

    Pictures go to the notebook's own kernel and nowhere else. The next frame is sent when the last one was taken up, so
    that a slow computer lags by one frame and never by more.
    """

    _esm = script("webcam")
    value = traitlets.CBytes(b"").tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)

    @traitlets.observe("value")
    def _take(self, change: dict) -> None:
        self.seen += 1
