"""An explorer of inversion: choose a picture, a layer and the prior, and see what the code still holds."""

import ipywidgets as widgets

from coursekit.explorers.explorer import Explorer, photograph_or_upload
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import load_image
from coursekit.networks.model import Model
from coursekit.synthesis.inversion import inversion_error, invert


def explore_inversion(
    model: Model, layer: str = "", photograph: str = "chelsea", size: int = 96, steps: int = 30
) -> Explorer:
    """Choose a picture, the layer to invert, λ and β of the total variation, and the seed of the start.

    Beside the picture stands what was found, with its error: the distance of the codes as a part of the code's length.

    Parameters
    ----------
    model : Model
    layer : the first to show, by default the one in the middle.
    photograph : one of the packaged photographs; an upload is taken instead.
    size, steps : of the search; more of both gives better pictures and takes longer.

    >>> import coursekit as ck
    >>> ck.explore_inversion(ck.load_model("coursenet"), "relu2", size=64, steps=3)
    <Explorer: photograph, upload, layer, weight, beta, seed; chelsea and its inversion from relu2>
    """
    names = list(model.layers)
    layer = layer or names[len(names) // 2]
    model.layer(layer)  # raises before any work

    def draw(photograph: str, upload: tuple, layer: str, weight: float, beta: float, seed: int) -> Picture:
        image = load_image(upload[-1] if upload else photograph, size=size)
        found = invert(model, layer, image, weight=weight, beta=beta, steps=steps, seed=seed).images
        error = inversion_error(model, layer, found, image).item()
        name = "your picture" if upload else photograph
        titles = [name, f"{layer}, error {error:.2f}"]
        alt = f"{name} and its inversion from {layer}"
        return plotting.show_images([image, found], titles, columns=3, alt=alt)

    return Explorer(
        draw,
        **photograph_or_upload(photograph),
        layer=widgets.Dropdown(options=names, value=layer, description="layer"),
        weight=widgets.FloatLogSlider(value=1, min=-2, max=3, step=0.5, description="λ", continuous_update=False),
        beta=widgets.FloatSlider(value=2, min=1, max=3, step=0.5, description="β", continuous_update=False),
        seed=widgets.IntSlider(value=0, min=0, max=9, description="seed", continuous_update=False),
    )
