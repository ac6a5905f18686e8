"""Turn the 17 parameters of the generator of shapes, and see what it draws."""

import colorsys

import ipywidgets as widgets
import torch

from coursekit.errors import OptionError
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import Picture
from coursekit.figures.images import show_images
from coursekit.images.stimuli import SHAPES
from coursekit.networks.painters import load_generator, shape_parameters


def explore_generator(kind: str = "star", other: str = "circle", share: float = 0.0) -> Explorer:
    """Choose two kinds of shape, how much of each, and place, size, angle and colour; see the picture and its mask.

    The parameters are (1 - share) · kind + share · other: kinds that the generator was never shown lie between.
    Raises OptionError for a kind that is none of circle, square, triangle, star, ring and cross.

    >>> explore_generator("square", "star", 0.5)
    <Explorer: kind, other, share, right, down, radius, angle, hue>
    """
    for name in (kind, other):
        if name not in SHAPES:
            raise OptionError(f"kind is one of {', '.join(SHAPES)}, but is {name!r}.")
    draw_shapes = load_generator()

    def draw(
        kind: str, other: str, share: float, right: float, down: float, radius: float, angle: int, hue: float
    ) -> Picture:
        colour = colorsys.hsv_to_rgb(hue, 0.8, 0.85)
        first, second = (
            shape_parameters(name, colour, radius, angle, position=(right, down)) for name in (kind, other)
        )
        with torch.no_grad():
            made = draw_shapes(torch.lerp(first, second, share))
        name = kind if share == 0 else f"{1 - share:.0%} {kind}, {share:.0%} {other}"
        return show_images(
            [made[:, :3], made[:, 3:]],
            [name, "its mask"],
            columns=3,
            alt=f"{name}, {angle}° turned, radius {radius:.2f}, {right:.0%} to the right and {down:.0%} down; its mask",
        )

    def slide(name: str, value: float, least: float = 0.0, most: float = 1.0) -> widgets.FloatSlider:
        return widgets.FloatSlider(
            value=value, min=least, max=most, step=0.05, description=name, continuous_update=False
        )

    return Explorer(
        draw,
        kind=widgets.Dropdown(options=SHAPES, value=kind, description="kind"),
        other=widgets.Dropdown(options=SHAPES, value=other, description="other"),
        share=slide("share", share),
        right=slide("right", 0.5, 0.3, 0.7),
        down=slide("down", 0.5, 0.3, 0.7),
        radius=slide("radius", 0.3, 0.15, 0.4),
        angle=widgets.IntSlider(value=0, min=0, max=90, step=5, description="angle", continuous_update=False),
        hue=slide("hue", 0.05),
    )
