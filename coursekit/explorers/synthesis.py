"""Explorers that paint: channels, codes, dreams and fooling images; and the stored sheets of channels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from torch import Tensor

from coursekit.arguments import check_one
from coursekit.explorers.explorer import Explorer, chosen_image, layer_and_channel, layer_choice, photograph_or_upload
from coursekit.figures.figure import Picture
from coursekit.figures.images import show_images
from coursekit.files import COURSE, stored
from coursekit.networks.model import Model
from coursekit.probe.capture import answers, predict
from coursekit.synthesis.dream import dream
from coursekit.synthesis.fooling import iterated_gradient_sign
from coursekit.synthesis.inversion import inversion_error, invert
from coursekit.synthesis.objectives import channel as see_channel
from coursekit.synthesis.parameterizations import maco, pixels
from coursekit.synthesis.render import render
from coursekit.synthesis.transforms import crops

WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "fourier": dict,  # the defaults of render
    "pixels": lambda: {"parameterization": pixels(), "rate": 0.02},
    "maco": lambda: {"parameterization": maco(), "transforms": [crops()], "rate": 0.5},
}


def explore_features(model: Model, layer: str = "", channel: int = 0, size: int = 96, steps: int = 32) -> Explorer:
    """Choose a layer, a channel, a parameterisation and the number of steps; see how the picture grows.

    Parameters
    ----------
    model : Model
    layer, channel : where to start; by default channel 0 of a layer in the middle.
    size : height and width in pixels.
    steps : at the start.

    >>> import coursekit as ck
    >>> ck.explore_features(ck.load_model("efficientnet_lite0"), "block6", 5, size=32, steps=4)
    <Explorer: layer, channel, parameterization, steps>
    """
    controls = layer_and_channel(model, layer, channel)

    def draw(layer: str, channel: int, parameterization: str, steps: int) -> Picture:
        moments = sorted({max(1, steps // 4), max(1, steps // 2), steps})
        made = render(
            model,
            see_channel(layer, channel),
            size=size,
            steps=steps,
            snapshots=moments,
            progress=False,
            **WAYS[parameterization](),
        )
        after = " and ".join(", ".join(map(str, moments)).rsplit(", ", 1))
        return show_images(
            list(made.snapshots.values()),
            [f"{layer}, channel {channel}: {step} step{'s' * (step > 1)}" for step in moments],
            columns=3,
            alt=f"{layer} channel {channel} by {parameterization}, after {after} step{'s' * (steps > 1)}",
        )

    return Explorer(
        draw,
        **controls,
        parameterization=widgets.Dropdown(options=list(WAYS), description="painted by"),
        steps=widgets.IntSlider(value=steps, min=1, max=256, description="steps", continuous_update=False),
    )


def feature_gallery(name: str) -> Path:
    """Return the path of a stored sheet: of features, "efficientnet_lite0", "coursenet", "steps"; "posters"; "paths".

    `make gallery` paints them, in minutes. Raises `DataUnavailable` for a sheet that is not there.

    >>> feature_gallery("coursenet").name
    'features_coursenet.jpeg'
    """
    folder = COURSE / "gallery"
    there = ", ".join(sorted(path.stem.removeprefix("features_") for path in folder.glob("[fp]*")))
    missing = f"There is no sheet of features {name!r}, only: {there or 'none'}; run `make gallery`."
    others = {"posters": "posters.jpeg", "paths": "paths.png"}
    return stored(folder / others.get(name, f"features_{name}.jpeg"), missing)


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
    <Explorer: photograph, upload, layer, weight, beta, seed>
    """
    choice = layer_choice(model, layer, list(model.layers))

    def draw(photograph: str, upload: tuple, layer: str, weight: float, beta: float, seed: int) -> Picture:
        image, name = chosen_image(photograph, upload, size=size)
        found = invert(model, image, layer, weight=weight, beta=beta, steps=steps, seed=seed).images
        error = inversion_error(model, found, layer, image).item()
        titles = [name, f"{layer}, error {error:.2f}"]
        alt = f"{name} and its inversion from {layer}"
        return show_images([image, found], titles, columns=3, alt=alt)

    return Explorer(
        draw,
        **photograph_or_upload(photograph),
        layer=choice,
        weight=widgets.FloatLogSlider(value=1, min=-2, max=3, step=0.5, description="λ", continuous_update=False),
        beta=widgets.FloatSlider(value=2, min=1, max=3, step=0.5, description="β", continuous_update=False),
        seed=widgets.IntSlider(value=0, min=0, max=9, description="seed", continuous_update=False),
    )


SUGGESTED = ("ostrich", "teapot", "school bus", "volcano", "daisy", "electric guitar", "tabby", "castle")


def explore_fooling(model: Model, image: Tensor) -> Explorer:
    """Choose the class that the network shall see, how much each value may change, and how many steps.

    >>> import coursekit as ck
    >>> ck.explore_fooling(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: target, epsilon, steps>
    """
    check_one("image", image, 1)
    labels = model.labels or [f"class {k}" for k in range(answers(model, image).shape[1])]
    options = [name for name in SUGGESTED if name in labels] or list(labels)[:8]
    before = predict(model, image, top=1)[0][0][0]

    def draw(target: str, epsilon: float, steps: int) -> Picture:
        budget = epsilon / 255
        made = iterated_gradient_sign(
            model, image, labels.index(target), epsilon=budget, step=2 * budget / steps, steps=steps
        )
        name, sure = predict(model, made, top=1)[0][0]
        return show_images(
            [image, (0.5 + 10 * (made - image)).clamp(0, 1), made],
            [before, "the change × 10", f"{name} {sure:.0%}"],
            columns=3,
            alt=f"{before} before; {name} after a change of at most {epsilon:g}/255",
        )

    return Explorer(
        draw,
        target=widgets.Dropdown(options=options, description="class"),
        epsilon=widgets.FloatSlider(
            value=2, min=0.25, max=8, step=0.25, description="ε · 255", continuous_update=False
        ),
        steps=widgets.IntSlider(value=8, min=1, max=20, description="steps", continuous_update=False),
    )


def explore_dream(model: Model, layer: str = "", photograph: str = "china", size: int = 176) -> Explorer:
    """Choose a picture, a layer, the number of octaves and of steps; an upload is taken instead of the photograph.

    >>> import coursekit as ck
    >>> ck.explore_dream(ck.load_model("efficientnet_lite0"), size=96)
    <Explorer: photograph, upload, layer, octaves, steps>
    """
    names = [name for name in model.layers if name.startswith(("block", "relu", "conv", "mixed", "layer"))]
    choice = layer_choice(model, layer, names or list(model.layers), start=0.55)

    def draw(photograph: str, upload: tuple, layer: str, octaves: int, steps: int) -> Picture:
        image, name = chosen_image(photograph, upload, size=size)
        made = dream(model, image, layer, octaves=octaves, steps=steps, smooth=(0.5, 1, 2))
        return show_images([image, made], [name, layer], columns=3, alt=f"{name} and its dream of {layer}")

    return Explorer(
        draw,
        **photograph_or_upload(photograph),
        layer=choice,
        octaves=widgets.IntSlider(value=2, min=1, max=3, description="octaves", continuous_update=False),
        steps=widgets.IntSlider(value=6, min=1, max=20, description="steps", continuous_update=False),
    )
