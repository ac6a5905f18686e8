"""An explorer of fast style transfer: a photograph, an upload or the camera, and a slider for each style."""

import ipywidgets as widgets

from coursekit.explorers.browser import Webcam
from coursekit.explorers.explorer import Explorer, photograph_or_upload
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import load_image
from coursekit.networks.nets.style import Transformer
from coursekit.synthesis.fast import fast_style, load_transformer


def explore_fast_style(
    network: Transformer | str = "transformer", photograph: str = "astronaut", size: int = 256
) -> Explorer:
    """Mix the styles of one network by sliders, on a photograph, an upload or the pictures of the camera.

    Parameters
    ----------
    network : what `load_transformer` returns, or its name.
    photograph : one of the packaged photographs.
    size : of the square picture in pixels; a slow computer follows the camera better with a small one.

    >>> import coursekit as ck
    >>> ck.explore_fast_style(size=64)
    <Explorer: photograph, upload, camera, strokes, ..., ink; astronaut painted as strokes 1>
    """
    network = load_transformer(network) if isinstance(network, str) else network

    def draw(photograph: str, upload: tuple, camera: bytes, **shares: float) -> Picture:
        image = load_image(camera or (upload[-1] if upload else photograph), size=size)
        made = fast_style(network, image, shares)
        name = "the camera" if camera else "your picture" if upload else photograph
        words = ", ".join(f"{style} {share:g}" for style, share in shares.items() if share)
        return plotting.show_images([image, made], [name, words], columns=3, alt=f"{name} painted as {words}")

    chosen, camera = photograph_or_upload(photograph), Webcam()
    for other in chosen.values():
        other.observe(lambda change: camera.set_trait("value", b""), names="value")
    sliders = {
        style: widgets.FloatSlider(
            value=float(i == 0), min=0, max=1, step=0.05, description=style, continuous_update=False
        )
        for i, style in enumerate(network.styles)
    }
    return Explorer(draw, **chosen, camera=camera, **sliders)
