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

from coursekit.arguments import check_picture, check_points
from coursekit.errors import OptionError
from coursekit.explorers.browser import script
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
    _esm = script("dots")


class PointsExplorer:
    """Dots that show their image under the mouse; a still picture where no browser is there."""

    def __init__(self, widget: Dots, picture: Picture):
        self.widget, self.picture = widget, picture

    def __repr__(self) -> str:
        return "<Explorer: dots>"

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
    alt: str | None = None,
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
    <Explorer: dots>
    """
    film = (points[None] if points.ndim == 2 else points).float()
    names, titles = list(labels if names is None else names), list(titles) or ["embedding"] * len(film)
    if film.ndim != 3 or len(film) != len(titles) or not len(labels) == len(names) == len(images):
        raise OptionError(
            f"Give points (N, 2) or (F, N, 2), N images, labels and names and F titles, but got points of shape "
            f"{tuple(points.shape)} and {len(images)}, {len(labels)}, {len(names)} and {len(titles)} of these."
        )
    check_points(film[0], labels, titles[0])
    for picture in images:
        check_picture(picture)
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
    small = interpolate(images.detach().cpu().float(), (TILE, TILE), mode="bilinear", antialias=True)
    sheet = mosaic(small.expand(-1, 3, -1, -1), columns=across, gap=0)[0].clamp(0, 1)
    buffer = io.BytesIO()
    pixels = (sheet.permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "jpeg", quality=85)
    return buffer.getvalue()
