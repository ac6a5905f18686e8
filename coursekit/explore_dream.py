"""Explorer of lab 10: choose a layer and dream."""

import ipywidgets as widgets

from coursekit import plotting
from coursekit.explore import Explorer
from coursekit.images import load_image, photographs
from coursekit.models import Model
from coursekit.plotting import Picture
from coursekit.synthesis.dream import dream


def explore_dream(model: Model, layer: str = "", photograph: str = "china", size: int = 176) -> Explorer:
    """Choose a picture, a layer, the number of octaves and of steps; an upload is taken instead of the photograph.

    >>> import coursekit as ck
    >>> ck.explore_dream(ck.load_model("efficientnet_lite0"), size=96)
    <Explorer: photograph, upload, layer, octaves, steps; china and its dream of block9>
    """
    names = [name for name in model.layers if name.startswith(("block", "relu", "conv", "mixed", "layer"))]
    layer = layer or names[int(0.55 * len(names))]

    def draw(photograph: str, upload: tuple, layer: str, octaves: int, steps: int) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=size)
        made = dream(model, image, layer, octaves=octaves, steps=steps)
        name = "your picture" if upload else photograph
        return plotting.show_images([image, made], [name, layer], columns=2, alt=f"{name} and its dream of {layer}")

    choice = widgets.Dropdown(options=photographs(), value=photograph, description="photograph")
    upload = widgets.FileUpload(accept="image/*", multiple=False, description="your picture")
    choice.observe(lambda change: upload.set_trait("value", ()), names="value")  # the last choice wins
    return Explorer(
        draw,
        photograph=choice,
        upload=upload,
        layer=widgets.Dropdown(options=names, value=layer, description="layer"),
        octaves=widgets.IntSlider(value=2, min=1, max=3, description="octaves", continuous_update=False),
        steps=widgets.IntSlider(value=6, min=1, max=20, description="steps", continuous_update=False),
    )
