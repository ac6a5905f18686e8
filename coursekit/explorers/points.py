"""An explorer of embeddings: it shows the image behind each dot under the mouse, and plays films of dots."""

import io
import math
from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from coursekit.arguments import check_points
from coursekit.errors import OptionError
from coursekit.figures.figure import Picture
from coursekit.figures.scatter import palette, show_points
from coursekit.units.filters import mosaic

TILE = 48  # side of a thumbnail in pixels


class Dots(anywidget.AnyWidget):
    """The browser's part of `explore_points`: it draws, moves and names the dots without asking the kernel."""

    places = traitlets.Bytes().tag(sync=True)  # uint16, (frames, N, 2), 0 to 65535
    count = traitlets.Int().tag(sync=True)
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)  # one for each frame
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sheet = traitlets.Bytes().tag(sync=True)  # all thumbnails in one JPEG, `across` in a row
    across = traitlets.Int().tag(sync=True)
    tile = traitlets.Int(TILE).tag(sync=True)
    _esm = """
function render({ model, el }) {
  const get = (name) => model.get(name);
  const view = get("places"), n = get("count"), frames = get("titles").length, side = 520, pad = 14;
  const places = new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  const make = (tag, parent, more) => parent.appendChild(Object.assign(document.createElement(tag), more));
  const row = make("div", el, { className: "coursekit-dots" });
  row.style.cssText = "display:flex;gap:16px;flex-wrap:wrap";
  const canvas = make("canvas", row, { width: 2 * side, height: 2 * side });
  canvas.style.cssText = `width:${side}px;height:${side}px;border:1px solid #ddd;touch-action:none`;
  const panel = make("div", row, {}), near = make("canvas", panel, { width: 192, height: 192 });
  const note = make("div", panel, { textContent: "Move over the dots." }), title = make("div", panel, {});
  note.style.fontWeight = "bold";
  const sheet = new Image(), url = URL.createObjectURL(new Blob([get("sheet")], { type: "image/jpeg" }));
  sheet.src = url;
  let time = 0, chosen = -1, request = 0;

  function place(i) {
    const f = Math.min(Math.floor(time), frames - 1), g = Math.min(f + 1, frames - 1), s = time - f;
    const at = (frame, axis) => places[2 * (frame * n + i) + axis];
    return [0, 1].map((axis) => pad + ((1 - s) * at(f, axis) + s * at(g, axis)) / 65535 * (side - 2 * pad));
  }
  function draw() {
    const pen = canvas.getContext("2d"), radius = Math.max(2, Math.min(5, 70 / Math.sqrt(n)));
    pen.setTransform(2, 0, 0, 2, 0, 0);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, side, side);
    for (let k = 0; k <= n; k++) {
      const i = k < n ? k : chosen;
      if (i < 0 || (k < n && i === chosen)) continue;
      pen.beginPath();
      pen.arc(...place(i), k < n ? radius : 2 * radius, 0, 7);
      pen.fillStyle = get("colours")[i];
      pen.fill();
      if (k === n) { pen.lineWidth = 2; pen.strokeStyle = "black"; pen.stroke(); }
    }
    title.textContent = get("titles")[Math.min(Math.round(time), frames - 1)];
  }
  canvas.onpointermove = (event) => {
    let best = 20 * 20;
    chosen = -1;
    for (let i = 0; i < n; i++) {
      const [x, y] = place(i), d = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
      if (d < best) { best = d; chosen = i; }
    }
    note.textContent = chosen < 0 ? "Move over the dots." : get("labels")[chosen];
    const pen = near.getContext("2d"), t = get("tile"), across = get("across");
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, 192, 192);
    if (chosen >= 0) {
      pen.drawImage(sheet, (chosen % across) * t, Math.floor(chosen / across) * t, t, t, 0, 0, 192, 192);
    }
    draw();
  };
  if (frames > 1) {
    const bar = make("div", el, {}), play = make("button", bar, { textContent: "play" });
    const slider = make("input", bar, { type: "range", min: 0, max: frames - 1, step: 0.1, value: 0 });
    play.className = "jupyter-button widget-button";
    slider.setAttribute("aria-label", "time");
    slider.style.width = "440px";
    slider.oninput = () => { time = +slider.value; draw(); };
    let last = 0;
    const tick = (now) => {
      time = (time + Math.min(now - last, 100) / 40) % (frames - 1);
      last = now;
      slider.value = time;
      draw();
      request = requestAnimationFrame(tick);
    };
    play.onclick = () => {
      play.textContent = request ? "play" : "pause";
      if (request) { cancelAnimationFrame(request); request = 0; }
      else { last = performance.now(); request = requestAnimationFrame(tick); }
    };
  }
  draw();
  return () => { cancelAnimationFrame(request); URL.revokeObjectURL(url); };
}
export default { render };
"""


class PointsExplorer:
    """Dots that show their image under the mouse; a still picture where no browser is there."""

    def __init__(self, widget: Dots, picture: Picture):
        self.widget, self.picture = widget, picture

    def __repr__(self) -> str:
        return f"<Explorer: dots; {self.picture.alt}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        still, metadata = self.picture._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, **still, "text/plain": repr(self)}, metadata


def explore_points(
    points: Tensor,
    images: Tensor,
    labels: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    titles: Sequence[str] = (),
    grey: Sequence[str] = (),
    alt: str = "",
) -> PointsExplorer:
    """Show dots with a thumbnail and a label under the mouse; with several frames, an animation.

    Parameters
    ----------
    points : (N, 2), or (F, N, 2) for a film, as `grand_tour` makes them.
    images : (N, C, H, W) in [0, 1], the picture of each point.
    labels : what to call each point.
    names : what decides the colour, by default the label.
    titles : of each frame. The still picture shows the middle frame of each distinct title.
    grey, alt : as in `show_points`.

    Raises
    ------
    OptionError

    >>> import torch
    >>> explore_points(torch.rand(3, 2), torch.rand(3, 1, 8, 8), ["zebra", "zebra", "hen"])
    <Explorer: dots; Dots in the plane: embedding>
    """
    film = points[None] if points.ndim == 2 else points
    names, titles = list(labels if names is None else names), list(titles) or ["embedding"] * len(film)
    if film.ndim != 3 or len(film) != len(titles) or not len(labels) == len(names) == len(images):
        raise OptionError(
            f"Give points (N, 2) or (F, N, 2), N images, labels and names and F titles, but got points of shape "
            f"{tuple(points.shape)} and {len(images)}, {len(labels)}, {len(names)} and {len(titles)} of these."
        )
    check_points(film[0], labels, titles[0])
    stills = {title: [i for i, t in enumerate(titles) if t == title] for title in dict.fromkeys(titles)}
    picture = show_points(
        {title: film[frames[len(frames) // 2]] for title, frames in stills.items()}, names, grey=grey, alt=alt
    )
    colour = palette(names, grey)
    across = math.ceil(math.sqrt(len(images)))
    widget = Dots(
        places=_quantised(film),
        count=len(images),
        titles=titles,
        labels=list(labels),
        colours=[colour[name] for name in names],
        sheet=_sheet(images, across),
        across=across,
    )
    return PointsExplorer(widget, picture)


def _quantised(film: Tensor) -> bytes:
    """Bring all frames, on one scale and y upwards, to whole numbers of 0 to 65535."""
    film = film.detach().cpu().double()
    low, high = film.amin((0, 1)), film.amax((0, 1))
    unit = 0.5 + (film - (low + high) / 2) / (high - low).max().clamp(min=1e-12)
    unit[..., 1] = 1 - unit[..., 1]
    return (unit.clamp(0, 1) * 65535).round().numpy().astype("<u2").tobytes()


def _sheet(images: Tensor, across: int) -> bytes:
    """Lay thumbnails side by side in one JPEG."""
    small = interpolate(images.detach().cpu(), (TILE, TILE), mode="bilinear", antialias=True)
    sheet = mosaic(small.expand(-1, 3, -1, -1), columns=across, gap=0)[0].clamp(0, 1)
    buffer = io.BytesIO()
    pixels = (sheet.permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "jpeg", quality=85)
    return buffer.getvalue()
