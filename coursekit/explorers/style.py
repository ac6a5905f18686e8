"""Style by hand: choose a style, paint the map of a landscape with a brush, or paint in one pass (anywidget)."""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import ipywidgets as widgets
import torch
import torch.nn.functional as F
import traitlets
from torch import Tensor

from coursekit.arguments import check_count, check_shape
from coursekit.errors import OptionError
from coursekit.explorers.explorer import (
    Explorer,
    chosen_image,
    last_choice_wins,
    photograph_or_camera,
    photograph_or_upload,
)
from coursekit.figures.figure import COLOURS, Picture
from coursekit.figures.images import show_images
from coursekit.images.loading import load_image
from coursekit.images.styles import REGIONS, STYLES, painted_landscape, style_image
from coursekit.networks.model import Model
from coursekit.networks.nets.style import StyleNetwork
from coursekit.networks.painters import load_style_network
from coursekit.synthesis.doodle import neural_doodle
from coursekit.synthesis.fast import fast_style
from coursekit.synthesis.style import style_transfer

ROWS, COLUMNS = 32, 48  # of the map that the reader paints


PAINTS = ("#9ccdf5", "#8564b0", "#e5cc4c", "#1a6699", "#0b4d1c")  # in the order of REGIONS


class MapPainter(anywidget.AnyWidget):
    """A canvas of large pixels, one colour for each region; "paint" puts the labels into `value`, row by row.

    The labels travel as digits: two byte strings of one length count as equal in the browser, and are not sent.
    """

    value = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Int().tag(sync=True)
    columns = traitlets.Int().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _esm = Path(__file__).with_name("painter.js")


def explore_style(model: Model, photograph: str = "chelsea", *, size: int = 128, steps: int = 25) -> Explorer:
    """Choose picture and style (or upload your own), how much the content counts, and the number of steps.

    >>> import coursekit as ck
    >>> ck.explore_style(ck.load_model("coursenet"), size=64, steps=1)
    <Explorer: photograph, upload, style, style_upload, content_weight, steps>
    """

    def draw(
        photograph: str, upload: tuple, style: str, style_upload: tuple, content_weight: float, steps: int
    ) -> Picture:
        content, name = chosen_image(photograph, upload, size=size)
        painting = load_image(style_upload[-1], size=size) if style_upload else _painting(style, size)
        made = style_transfer(model, content, painting, content_weight=content_weight, steps=steps).images
        kind = "your style" if style_upload else style
        return show_images(
            [content, painting, made], [name, kind, "both"], columns=4, alt=f"{name} in the style of {kind}"
        )

    kinds = [*STYLES, "immunohistochemistry", "retina", "gravel", "hubble"]
    style = widgets.Dropdown(options=kinds, description="style")
    style_upload = widgets.FileUpload(accept="image/*", multiple=False, description="your style")
    last_choice_wins(style, style_upload)
    return Explorer(
        draw,
        **photograph_or_upload(photograph),
        style=style,
        style_upload=style_upload,
        content_weight=widgets.FloatLogSlider(
            value=0.04, base=10, min=-3, max=0, step=0.1, description="content", continuous_update=False
        ),
        steps=widgets.IntSlider(value=steps, min=1, max=200, description="steps", continuous_update=False),
    )


def explore_doodle(
    model: Model,
    painting: Tensor | None = None,
    labels: Tensor | None = None,
    new_map: Tensor | None = None,
    *,
    names: Sequence[str] = REGIONS,
    size: int = 96,
    steps: int = 30,
) -> Explorer:
    """Paint a map with the mouse, press "paint", and get a picture of it, in the strokes of a painting.

    painting, labels : image and its map as in `ck.neural_doodle`, by default `ck.painted_landscape(size)`.
    new_map : what the canvas shows at first, by default the map of the painting, mirrored.

    >>> import coursekit as ck
    >>> ck.explore_doodle(ck.load_model("coursenet"), size=32, steps=1)
    <Explorer: doodle, steps>
    """
    check_count("size", size, 32)
    if painting is None or labels is None:
        painting, labels = painted_landscape(size)
    for name, regions in {"labels": labels, "new_map": labels if new_map is None else new_map}.items():
        check_shape(name, regions, "H", "W", whole=True)
        if int(regions.min()) < 0 or int(regions.max()) >= len(names):
            raise OptionError(f"{name} must be regions from 0 to {len(names) - 1}, one for each of the names.")
    colours = [*PAINTS, *COLOURS][: len(names)]
    height, width = labels.shape
    first = _resized(labels.flip(1) if new_map is None else new_map, (ROWS, COLUMNS), len(names))

    def draw(doodle: str, steps: int) -> Picture:
        grid = torch.tensor([int(digit) for digit in doodle]).view(ROWS, COLUMNS)
        plan = _resized(grid, (height, width), len(names))
        made = neural_doodle(model, painting, labels, plan, steps=steps).images
        seen = ", ".join(names[i] for i in plan.unique().tolist())
        paints = torch.tensor([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
        shown = paints[plan].permute(2, 0, 1)[None]
        alt = f"a map of {seen}, and the picture painted from it"
        return show_images([shown, made], ["the map", "the picture"], columns=2, alt=alt)

    canvas = MapPainter(
        value="".join(map(str, first.flatten().tolist())),
        rows=ROWS,
        columns=COLUMNS,
        names=list(names),
        colours=colours,
    )
    return Explorer(
        draw,
        doodle=canvas,
        steps=widgets.IntSlider(value=steps, min=1, max=200, description="steps", continuous_update=False),
    )


def _painting(style: str, size: int) -> Tensor:
    return style_image(style, size) if style in STYLES else load_image(style, size=size)


def _resized(labels: Tensor, size: tuple[int, int], count: int) -> Tensor:
    """Bring a map to another size, with smooth borders: at each place the region with the largest share."""
    shares = F.one_hot(labels, count).permute(2, 0, 1)[None].float()
    return F.interpolate(shares, size=size, mode="bilinear", antialias=True)[0].argmax(0)


def explore_fast_style(
    network: StyleNetwork | str = "transformer", photograph: str = "astronaut", size: int = 256
) -> Explorer:
    """Mix the styles of one network by sliders, on a photograph, an upload or the pictures of the camera.

    Parameters
    ----------
    network : what `load_style_network` returns, or its name.
    photograph : one of the packaged photographs.
    size : of the square picture in pixels; a slow computer follows the camera better with a small one.

    >>> import coursekit as ck
    >>> ck.explore_fast_style(size=64)
    <Explorer: photograph, upload, camera, strokes, ..., ink>
    """
    network = load_style_network(network) if isinstance(network, str) else network

    def draw(photograph: str, upload: tuple, camera: bytes, **shares: float) -> Picture:
        image, name = chosen_image(photograph, upload, camera, size=size)
        made = fast_style(network, image, shares)
        words = ", ".join(f"{style} {share:g}" for style, share in shares.items() if share)
        return show_images([image, made], [name, words], columns=3, alt=f"{name} painted as {words}")

    sliders = {
        style: widgets.FloatSlider(
            value=float(i == 0), min=0, max=1, step=0.05, description=style, continuous_update=False
        )
        for i, style in enumerate(network.styles)
    }
    return Explorer(draw, **photograph_or_camera(photograph), **sliders)
