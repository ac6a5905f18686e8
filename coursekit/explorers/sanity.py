"""The explorer of the randomisation test: choose a method, let the network forget, and see whether the map notices."""

import ipywidgets as widgets
from torch import Tensor

from coursekit.arguments import check_one
from coursekit.attribution.gradients import integrated_gradients, smoothgrad
from coursekit.attribution.methods import eleven
from coursekit.attribution.reference import edge_map
from coursekit.evaluation.randomisation import randomisable, randomised
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import Picture
from coursekit.figures.maps import show_matrix
from coursekit.networks.model import Model
from coursekit.probe.capture import answers

METHODS = {
    **eleven(),
    "smoothgrad": lambda model, image, target: smoothgrad(model, image, target, samples=10),
    "integrated_gradients": lambda model, image, target: integrated_gradients(model, image, target, steps=10),
    "edges": edge_map,
}  # the slow ones with fewer passes: an answer within a second


def explore_randomisation(model: Model, image: Tensor) -> Explorer:
    """Choose a method, and how many layers forget from the logits down: the new map beside the trained network's.

    Both explain the class that the trained network sees. `seed` chooses the new weights.

    Parameters
    ----------
    model : Model
    image : (1, 3, H, W) in [0, 1].

    >>> import coursekit as ck
    >>> ck.explore_randomisation(ck.load_model("coursenet"), ck.load_image("chelsea", size=128))
    <Explorer: method, forgotten, seed>
    """
    check_one("image", image, 1)
    target = int(answers(model, image).argmax())
    layers = list(reversed(randomisable(model)))

    def draw(method: str, forgotten: int, seed: int) -> Picture:
        function = METHODS[method]
        name, network = "nothing", model
        if forgotten:
            name, network = next(randomised(model, seed=seed, layers=[layers[forgotten - 1]]))
        tiles = {"trained": function(model, image, target), f"down to {name}": function(network, image, target)}
        alt = f"{method} of the trained network, and randomised down to {name}"
        return show_matrix({method: tiles}, image=image, alt=alt)

    def slider(name: str, value: int, high: int) -> widgets.IntSlider:
        return widgets.IntSlider(value=value, min=0, max=high, description=name, continuous_update=False)

    return Explorer(
        draw,
        method=widgets.Dropdown(options=list(METHODS), description="method"),
        forgotten=slider("forgotten", 1, len(layers)),
        seed=slider("seed", 0, 9),
    )
