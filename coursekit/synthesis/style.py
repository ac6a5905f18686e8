"""Style transfer: the content of one picture and the Gram matrices of another (Gatys, Ecker & Bethge 2016)."""

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from coursekit.errors import ImageError, OptionError, UnknownLayer
from coursekit.images.loading import check_images, load_image
from coursekit.networks.model import Model
from coursekit.probe.capture import check_count
from coursekit.synthesis.objectives import Objective, match, texture
from coursekit.synthesis.parameterizations import fourier, logits, pixels
from coursekit.synthesis.regularizers import total_variation
from coursekit.synthesis.render import Rendering, render

# Step sizes: (where the search walks, by which optimiser) -> rate
RATES = {
    ("frequencies", "lbfgs"): 0.5,  # with full steps it can overshoot, for there is no line search
    ("frequencies", "adam"): 0.1,
    ("pixels", "lbfgs"): 0.5,
    ("pixels", "adam"): 0.02,
}
# Layers that were compared by eye: from fine strokes to large forms; and one for the content.
_KNOWN = {
    "efficientnet_lite": (["block1", "block3", "block5", "block8"], "block5"),
    "coursenet": (["relu1", "relu2", "relu3", "relu4"], "relu3"),
    "vgg": (["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], "relu4_2"),
}
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, as in YIQ


def style_layers(model: Model) -> list[str]:
    """List the layers whose Gram matrices are a style in this network, from the first to the deepest.

    EfficientNet-Lite, CourseNet and VGG have a choice of their own, `relu1_1` to `relu5_1` being that of Gatys et al.
    2016. Of another network these are four layers with maps, evenly spaced over the first two thirds.

    >>> import coursekit as ck
    >>> style_layers(ck.load_model("efficientnet_lite0"))
    ['block1', 'block3', 'block5', 'block8']
    """
    return _default_layers(model)[0]


def style_transfer(
    model: Model,
    content: Tensor,
    style: Tensor | Sequence[Tensor],
    *,
    style_weights: Sequence[float] | None = None,
    layers: Sequence[str] | None = None,
    content_layer: str | None = None,
    content_weight: float | Sequence[float] = 0.04,
    tv: float = 1.0,
    start: str | Tensor = "content",
    colour: str = "style",
    smooth: float | None = None,
    among: str = "frequencies",
    optimizer: str = "lbfgs",
    steps: int = 100,
    seed: int = 0,
    snapshots: Sequence[int] = (),
    progress: bool = False,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Rendering:
    r"""Paint the content of one picture in the style of another.

    min_x  α ‖A_c(x) - A_c(p)‖² / ‖A_c(p)‖²  +  mean_l ‖G_l(x) - G_l(a)‖² / ‖G_l(a)‖²  +  tv · TV(x)

    A_c are the maps of the content layer, G_l the Gram matrices of the style layers, p the content, a the style. Each
    term is relative to its goal, so that one α serves many pictures and networks.

    Parameters
    ----------
    model : Model
    content : (1, 3, H, W) in [0, 1], of at least 32 × 32 pixels; the result has its size.
    style : one image of any size, or several to mix.
    style_weights : one for each style, by default equal; they are divided by their sum.
    layers, content_layer : by default those of `style_layers`, and one that was tried with them.
    content_weight : α. A list makes one picture for each of its values, in one batch.
    tv : weight of the total variation.
    start : "content", "noise", "style" or images (1 or n, 3, H, W).
    colour : "content" keeps the colours of the content: only the luminance is painted (Gatys et al. 2017).
    smooth : temperature of a softmax over the activations, for networks with residual connections (Wang et al. 2021).
    among : "frequencies" (lab 07: large forms and small ones move alike) or "pixels", as in the paper.
    optimizer : "lbfgs" or "adam".
    steps, seed, snapshots, progress, watch : as in `ck.render`.

    Returns
    -------
    Rendering. `images` (n, 3, H, W) in [0, 1]; `values` (steps, n) hold minus the content and style terms.

    Raises
    ------
    ImageError, OptionError, UnknownLayer
        Before any work.

    References
    ----------
    Gatys, Ecker, Bethge, *Image style transfer using convolutional neural networks*, CVPR 2016. Gatys et al.,
    *Controlling perceptual factors in neural style transfer*, CVPR 2017 (colour). Wang, Li, Vasconcelos, *Rethinking
    and improving the robustness of image style transfer*, CVPR 2021 (smooth).

    Examples
    --------
    >>> import coursekit as ck
    >>> model, cat = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=(64, 96))
    >>> style_transfer(model, cat, ck.style_image("ink", 64), steps=2).images.shape
    torch.Size([1, 3, 64, 96])
    """
    check_one("content", content)
    styles = _styles(style)
    shares = _shares(style_weights, len(styles))
    layers, content_layer = chosen_layers(model, layers, content_layer)
    weights = _content_weights(content_weight)
    check_options(tv, smooth, among, optimizer, steps)
    if colour not in ("style", "content"):
        raise OptionError(f"colour is 'style' or 'content', but is {colour!r}.")
    begin = _begin(start, content, styles[0], len(weights), seed)
    photograph = content
    if colour == "content":
        content = luminance(content).expand_as(content)
        styles = [_like(luminance(s), content).expand(-1, 3, -1, -1) for s in styles]
        begin = luminance(begin).expand_as(begin)
        watch = watch and (lambda step, x, show=watch: show(step, recolour(x.cpu(), photograph)))
    same = match(model, content_layer, content, smooth)
    scale = torch.tensor(weights, dtype=torch.float32)
    goal = Objective(lambda acts, logits: scale.to(model.device) * same.read(acts, logits), same.layers)
    for share, image in zip(shares, styles, strict=True):
        goal = goal + share * style_objective(model, layers, image, smooth)
    out = paint(model, goal, begin, tv, among, optimizer, steps, seed, snapshots, progress, watch)
    if colour == "content":
        out.images = recolour(out.images, photograph)
        out.snapshots = {step: recolour(x, photograph) for step, x in out.snapshots.items()}
    return out


def luminance(images: Tensor) -> Tensor:
    """Return how bright each pixel is, (N, 1, H, W)."""
    return (images * torch.tensor(LUMINANCE).to(images).view(1, 3, 1, 1)).sum(1, keepdim=True)


def recolour(images: Tensor, colours: Tensor) -> Tensor:
    """Give `images` the chrominance of `colours`: the brightness moves only as far as the colour still fits in [0, 1].

    >>> import coursekit as ck
    >>> cat = ck.load_image("chelsea", size=32)
    >>> bool(recolour(cat.mean(1, keepdim=True).expand_as(cat), cat).allclose(cat, atol=0.2))
    True
    """
    hue = colours - luminance(colours)  # red, green and blue without the brightness
    low, high = -hue.amin(1, keepdim=True), 1 - hue.amax(1, keepdim=True)
    return torch.maximum(torch.minimum(luminance(images), high), low) + hue


# ------------------------------------------------------------------------------------------------- inner workings


def paint(
    model: Model,
    goal: Objective,
    begin: Tensor,
    tv: float,
    among: str,
    optimizer: str,
    steps: int,
    seed: int,
    snapshots: Sequence[int],
    progress: bool,
    watch: Callable[[int, Tensor], None] | None,
) -> Rendering:
    """Search from the images `begin` on, by `render`."""
    if among == "frequencies":
        parameterization = fourier(start=begin)
    else:
        parameterization = logits(begin) if optimizer == "lbfgs" else pixels(begin)
    out = render(
        model,
        goal,
        n=len(begin),
        size=max(begin.shape[2:]),
        parameterization=parameterization,
        transforms=[],
        regularizers=[total_variation(tv)] if tv else [],
        optimizer=optimizer,
        rate=RATES[among, optimizer],
        steps=steps,
        seed=seed,
        snapshots=snapshots,
        progress=progress,
        watch=watch,
    )
    if len(out.values) > 1 and (out.values[-1] < 2 * out.values[0] - 0.1).any():
        warnings.warn(f"{optimizer} overshot and ended far from the goal; take optimizer='adam'.", stacklevel=3)
    return out


def style_objective(model: Model, layers: Sequence[str], image: Tensor, smooth: float | None = None) -> Objective:
    """Mean of `texture` over the layers."""
    first, *rest = (texture(model, layer, image, smooth) for layer in layers)
    return sum(rest, first) * (1 / len(layers))


def _default_layers(model: Model) -> tuple[list[str], str]:
    for start, (styles, content) in _KNOWN.items():
        if model.name.startswith(start):
            known = [name for name in styles if name in model.layers]  # a cut-off network has fewer
            if known:
                return known, content if content in model.layers else known[-1]
    maps = [name for name in model.layers if _has_map(model, name)]
    if not maps:
        raise UnknownLayer(f"{model.name} has no layer with a map (C, H, W), so it sees no texture; name layers=[…].")
    styles = [maps[round(i * 2 / 3 * (len(maps) - 1) / 3)] for i in range(4)]
    return list(dict.fromkeys(styles)), styles[2]


def _has_map(model: Model, name: str) -> bool:
    try:
        shape = model.layers.shape(name)
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
        styles, content = _default_layers(model) if layers is None else (layers, layers[-1])
        layers, content_layer = layers or styles, content_layer or content
    for name in (*layers, content_layer):
        model.layer(name)
    return list(layers), content_layer


def _styles(style: Tensor | Sequence[Tensor]) -> list[Tensor]:
    styles = list(style.split(1)) if isinstance(style, Tensor) and style.ndim == 4 else style
    if not isinstance(styles, list | tuple) or not styles:
        raise ImageError("style must be an image (1, 3, H, W), or a list of at least one.")
    for image in styles:
        check_one("style", image)
    return list(styles)


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    weights = [1.0] * count if weights is None else [float(w) for w in weights]
    if len(weights) != count or min(weights) < 0 or sum(weights) <= 0:
        raise OptionError(f"style_weights must be {count} numbers from 0 on, not all 0, but are {weights}.")
    return [w / sum(weights) for w in weights]


def _content_weights(weight: float | Sequence[float]) -> list[float]:
    weights = list(weight) if isinstance(weight, list | tuple) else [weight]
    if not weights or not all(isinstance(w, int | float) and 0 <= w < float("inf") for w in weights):
        raise OptionError(f"content_weight must be a number from 0 on, or a list of them, but is {weight!r}.")
    return weights


def _begin(start: str | Tensor, content: Tensor, style: Tensor, n: int, seed: int) -> Tensor:
    """Return the images (n, 3, H, W) that the search begins with."""
    if isinstance(start, Tensor):
        check_images(start)
        if start.shape[2:] != content.shape[2:] or (n > 1 and len(start) not in (1, n)):
            raise ImageError(f"start must be (1 or {n}, 3) of the content's size, but has {tuple(start.shape)}.")
        return start.expand(max(n, len(start)), -1, -1, -1)
    if start == "noise":
        noise = torch.randn(n, *content.shape[1:], generator=torch.Generator().manual_seed(seed))
        return 0.5 + 0.02 * noise  # grey, as in `pixels`: loud grain would stay, for strides hide it from the network
    if start not in ("content", "style"):
        raise OptionError(f"start is 'content', 'noise', 'style' or images, but is {start!r}.")
    image = content if start == "content" else load_image(style, size=tuple(content.shape[2:]))
    return image.expand(n, -1, -1, -1)


def _like(grey: Tensor, content: Tensor) -> Tensor:
    """Give a style's luminance the mean and the contrast of the content's (Gatys et al. 2017, eq. 10)."""
    return ((grey - grey.mean()) * content.std() / grey.std().clamp(min=1e-6) + content.mean()).clamp(0, 1)


def check_one(name: str, image: Tensor) -> None:
    """Raise ImageError unless this is one image of at least 32 × 32 pixels."""
    check_images(image)
    if len(image) != 1 or min(image.shape[2:]) < 32:
        raise ImageError(f"{name} must be one image (1, 3, H, W) of 32 pixels or more, but is {tuple(image.shape)}.")


def check_options(tv: float, smooth: float | None, among: str, optimizer: str, steps: int) -> None:
    """Raise OptionError for an option outside its range."""
    check_count("steps", steps)
    if optimizer not in ("lbfgs", "adam"):
        raise OptionError(f"optimizer is 'lbfgs' or 'adam', but is {optimizer!r}.")
    if among not in ("frequencies", "pixels"):
        raise OptionError(f"among is 'frequencies' or 'pixels', but is {among!r}.")
    if not tv >= 0:
        raise OptionError(f"tv must be 0 or more, but is {tv!r}.")
    if smooth is not None and not smooth > 0:
        raise OptionError(f"smooth must be above 0, or None, but is {smooth!r}.")
