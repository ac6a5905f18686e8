"""An explorer of single units: what they are tuned to, what they want to see, and what excites them."""

import math
from functools import lru_cache

import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.explorers.explorer import Explorer, layer_and_channel
from coursekit.figures.figure import COLOURS, WIDTH, Picture, draw_image, styled
from coursekit.networks.model import Model
from coursekit.synthesis.objectives import channel as see_channel
from coursekit.synthesis.render import render
from coursekit.units.filters import mosaic
from coursekit.units.patches import top_patches
from coursekit.units.tuning import Tuning, curve_tuning, orientation_tuning


def explore_unit(
    model: Model, images: Tensor, layer: str = "", channel: int = 0, size: int = 64, steps: int = 32
) -> Explorer:
    """Choose a layer and a channel; see its answers to bars and small arcs, its painted picture and top patches.

    Parameters
    ----------
    model : Model
    images : (N, 3, S, S) in [0, 1], S the model's input size, where the patches are looked for; N at least 4.
    layer, channel : where to start; by default channel 0 of a layer in the middle.
    size, steps : of the painted picture.

    >>> import coursekit as ck
    >>> model, images = ck.load_model("coursenet"), ck.scenes(4, objects=["zebra", "hen"], size=128).images
    >>> ck.explore_unit(model, images, "relu2", 5, size=32, steps=2)
    <Explorer: layer, channel>
    """
    check_images(images)
    check_count("size", size, 16)
    controls = layer_and_channel(model, layer, channel)

    @lru_cache(maxsize=4)
    def tuned(layer: str) -> tuple[Tuning, Tuning]:
        return orientation_tuning(model, layer, wavelengths=(8, 16)), curve_tuning(model, layer, angles=12, radii=(12,))

    def draw(layer: str, channel: int) -> Picture:
        painted = render(model, see_channel(layer, channel), size=size, steps=steps, progress=False).images[0]
        best = top_patches(model, images, layer, channel, k=4)
        return _portrait(f"{layer} channel {channel}", channel, tuned(layer), painted, best.patches)

    return Explorer(draw, **controls)


@styled
def _portrait(name: str, channel: int, tunings: tuple[Tuning, Tuning], painted: Tensor, patches: Tensor) -> Picture:
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    high = max(1e-3, *(float(tuning.by_angle()[channel].max()) for tuning in tunings))  # one scale for both
    for i, (tuning, title) in enumerate(zip(tunings, ("bars, by angle", "arcs, by open side"), strict=True)):
        ax = figure.add_subplot(1, 4, i + 1, projection="polar")
        around = torch.cat([tuning.by_angle()[channel]] * (360 // tuning.turn))
        angles = torch.linspace(0, 2 * math.pi, len(around) + 1)
        ax.plot(angles, torch.cat([around, around[:1]]), color=COLOURS[i])
        ax.fill(angles[:-1], around, color=COLOURS[i], alpha=0.15)
        ax.set(title=f"{title}\nlargest {float(around.max()):.1f}", yticks=[], ylim=(0, high))
        ax.set_xticks([k * math.pi / 2 for k in range(4)], ["0°", "90°", "180°", "270°"])
    pictures = {f"painted for\n{name}": painted, "strongest\npatches": mosaic(patches, columns=2, gap=2)[0]}
    for i, (title, picture) in enumerate(pictures.items()):
        ax = figure.add_subplot(1, 4, i + 3)
        draw_image(ax, picture)
        ax.set_title(title)
    return Picture(figure, f"{name}: answers to bars and arcs, its picture, its four strongest patches")
