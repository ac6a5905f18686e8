"""The search behind style transfer, textures and doodles."""

import warnings
from collections.abc import Callable, Sequence

from torch import Tensor

from coursekit.errors import OptionError, UnknownLayer
from coursekit.networks.layers import Layers
from coursekit.networks.model import Model
from coursekit.synthesis.objectives import Objective, texture
from coursekit.synthesis.parameterizations import fourier, logits, pixels
from coursekit.synthesis.regularizers import total_variation
from coursekit.synthesis.render import Rendering, render

# Step sizes: (what the search changes, by which optimiser) -> rate
RATES = {
    ("fourier", "lbfgs"): 0.5,  # with full steps it can overshoot, for there is no line search
    ("fourier", "adam"): 0.1,
    ("pixels", "lbfgs"): 0.5,
    ("pixels", "adam"): 0.02,
}


# Layers that were compared by eye: from fine strokes to large forms; and one for the content.
_KNOWN = {
    "efficientnet_lite": (["block1", "block3", "block5", "block8"], "block5"),
    "coursenet": (["relu1", "relu2", "relu3", "relu4"], "relu3"),
    "vgg": (["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], "relu4_2"),
}


def paint(
    model: Model,
    goal: Objective,
    begin: Tensor,
    *,
    tv: float,
    parameterization: str,
    optimizer: str,
    steps: int,
    seed: int,
    snapshots: Sequence[int],
    progress: bool,
    watch: Callable[[int, Tensor], None] | None,
    finish: Callable[[Tensor], Tensor] | None = None,
) -> Rendering:
    """Search pictures for the goal by `render`, from the images `begin` (n, 3, H, W) on.

    finish : what is done to each picture that is shown or returned. All else as in `style_transfer`.
    """

    def show(step: int, images: Tensor) -> None:
        if watch:
            watch(step, finish(images) if finish else images)

    among_pixels = logits if optimizer == "lbfgs" else pixels
    out = render(
        model,
        goal,
        n=len(begin),
        size=max(begin.shape[2:]),
        parameterization=fourier(start=begin) if parameterization == "fourier" else among_pixels(begin),
        transforms=[],
        regularizers=[total_variation(tv)] if tv else [],
        optimizer=optimizer,
        rate=RATES[parameterization, optimizer],
        steps=steps,
        seed=seed,
        snapshots=snapshots,
        progress=progress,
        watch=show if watch else None,
    )
    if len(out.values) > 1 and (out.values[-1] < 2 * out.values[0] - 0.1).any():
        warnings.warn(f"{optimizer} overshot and ended far from the goal; take optimizer='adam'.", stacklevel=3)
    if finish:
        out.images, out.snapshots = finish(out.images), {step: finish(x) for step, x in out.snapshots.items()}
    return out


def style_objective(model: Model, layers: Sequence[str], image: Tensor, smooth: float | None = None) -> Objective:
    """Mean of `texture` over the layers."""
    first, *rest = (texture(model, image, layer, smooth) for layer in layers)
    return sum(rest, first) * (1 / len(layers))


def default_layers(model: Model) -> tuple[list[str], str]:
    """Return the layers for a style and one for the content: those that were compared by eye, or spread by depth."""
    for start, (styles, content) in _KNOWN.items():
        if model.name.startswith(start):
            known = [name for name in styles if name in model.layers]  # a cut-off network has fewer
            if known:
                return known, content if content in model.layers else known[-1]
    layers = model.layers  # one forward pass serves all
    maps = [name for name in layers if _has_map(layers, name)]
    if not maps:
        raise UnknownLayer(f"{model.name} has no layer with a map (C, H, W), so it sees no texture; name layers=[…].")
    styles = [maps[round(i * 2 / 3 * (len(maps) - 1) / 3)] for i in range(4)]
    return list(dict.fromkeys(styles)), styles[2]


def _has_map(layers: Layers, name: str) -> bool:
    try:
        shape = layers.shape(name)
    except UnknownLayer:  # it runs more than once
        return False
    return len(shape) == 3 and min(shape[1:]) > 1


def chosen_layers(
    model: Model, layers: Sequence[str] | None = None, content_layer: str | None = None
) -> tuple[list[str], str]:
    """Return the style layers and the content layer, the model's own where none is named; raise before any work."""
    if isinstance(layers, str) or (layers is not None and not len(layers)):
        raise OptionError(f"layers must be a list of at least one name, but is {layers!r}.")
    if layers is None or content_layer is None:
        styles, content = default_layers(model) if layers is None else (layers, layers[-1])
        layers, content_layer = layers or styles, content_layer or content
    for name in (*layers, content_layer):
        model.layer(name)
    return list(layers), content_layer
