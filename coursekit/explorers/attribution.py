"""Explorers that ask where: class activation maps, a window moved by hand, gradients, backward rules."""

import ipywidgets as widgets
from torch import Tensor

from coursekit.arguments import check_one
from coursekit.attribution.backward_rules import deconvnet, guided_backprop
from coursekit.attribution.cam import cam, grad_cam, guided_grad_cam
from coursekit.attribution.fills import baseline
from coursekit.attribution.fullgrad import fullgrad
from coursekit.attribution.gradients import input_gradient, integrated_gradients, saliency, smoothgrad
from coursekit.explorers.explorer import Explorer, chosen_image, layer_and_channel, photograph_or_upload, top_classes
from coursekit.figures.figure import Picture
from coursekit.figures.images import show_images, show_predictions, signal_pictures
from coursekit.figures.maps import show_maps
from coursekit.networks.model import Model
from coursekit.probe.capture import predict
from coursekit.probe.targets import unit
from coursekit.units.patches import top_patches


def explore_cam(model: Model, image: Tensor, layers: list[str] | None = None) -> Explorer:
    """Choose class, method and layer, and whether the map shows what speaks for the class or against it.

    `layers` are those to choose from, None the one that Grad-CAM takes by itself.

    >>> import coursekit as ck
    >>> ck.explore_cam(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224), ["block11", "relu2"])
    <Explorer: target, method, layer, against>
    """
    for name in layers or ():
        model.layer(name)  # raises before any work

    def draw(target: int, method: str, layer: str | None, against: bool) -> Picture:
        score = (lambda logits: -logits[:, target]) if against else target
        title = f"{method} {'against' if against else 'of'} {model.labels[target] if model.labels else target}"
        if method == "Guided Grad-CAM":
            signed = signal_pictures(guided_grad_cam(model, image, score, layer=layer), clip=99)
            return show_images([image, signed], ["image", f"{title} (0 is grey)"])
        if method == "Grad-CAM":
            heat, unit = grad_cam(model, image, score, layer=layer, upsample=True), "contribution (logits)"
        elif method == "CAM":
            heat, unit = cam(model, image, score, upsample=True), "logits"
        else:
            heat, unit = fullgrad(model, image, score, magnitude=True), "layers, each stretched to 1"
        return show_maps(image, {title: heat}, unit=unit, overlay=True)

    choices = [("the last map", None)] if layers is None else [(name, name) for name in reversed(layers)]
    return Explorer(
        draw,
        target=top_classes(model, image),
        method=widgets.Dropdown(options=["Grad-CAM", "CAM", "Guided Grad-CAM", "FullGrad"], description="method"),
        layer=widgets.Dropdown(options=choices, description="layer", tooltip="for Grad-CAM and Guided Grad-CAM"),
        against=widgets.Checkbox(value=False, description="what speaks against it"),
    )


def explore_occlusion(model: Model, image: Tensor) -> Explorer:
    """Move a window over the image by hand and watch the probabilities.

    >>> import coursekit as ck
    >>> ck.explore_occlusion(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: row, column, window, fill>
    """
    check_one("image", image, 16)
    height, width = image.shape[-2:]

    def draw(row: int, column: int, window: int, fill: str) -> Picture:
        covered = image.clone()
        box = slice(row, row + window), slice(column, column + window)
        covered[..., *box] = baseline(model, image, fill)[..., *box]
        return show_predictions(covered, predict(model, covered))

    def slider(name: str, value: int, low: int, high: int) -> widgets.IntSlider:
        return widgets.IntSlider(value=value, min=low, max=high, step=8, description=name, continuous_update=False)

    return Explorer(
        draw,
        row=slider("row", height // 3 // 8 * 8, 0, height - 8),
        column=slider("column", width // 3 // 8 * 8, 0, width - 8),
        window=slider("window", 48, 8, min(height, width)),
        fill=widgets.Dropdown(options=["mean", "black", "white", "blur"], description="fill"),
    )


def explore_saliency(model: Model, image: Tensor) -> Explorer:
    """Choose the class and the method, and see the map.

    >>> import coursekit as ck
    >>> ck.explore_saliency(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224))
    <Explorer: target, method, samples, sigma>
    """

    def draw(target: int, method: str, samples: int, sigma: float) -> Picture:
        unit = "logits per unit of intensity"
        if method == "saliency":
            heat = saliency(model, image, target)
        elif method == "gradient":
            heat = input_gradient(model, image, target)
        elif method == "SmoothGrad":
            heat = smoothgrad(model, image, target, samples=samples, sigma=sigma).abs().amax(1, keepdim=True)
        else:
            heat, unit = integrated_gradients(model, image, target, steps=samples), "logits"
        return show_maps(image, {f"{method} of {model.labels[target] if model.labels else target}": heat}, unit=unit)

    return Explorer(
        draw,
        target=top_classes(model, image),
        method=widgets.Dropdown(
            options=["saliency", "gradient", "SmoothGrad", "integrated gradients"], description="method"
        ),
        samples=widgets.IntSlider(
            value=10, min=2, max=50, description="samples", continuous_update=False, tooltip="samples or steps"
        ),
        sigma=widgets.FloatSlider(value=0.15, min=0, max=0.5, step=0.05, description="sigma", continuous_update=False),
    )


RULES = {"gradient": input_gradient, "deconvnet": deconvnet, "guided": guided_backprop}


def explore_backward(model: Model, photograph: str = "chelsea", layer: str = "relu3", channel: int = 0) -> Explorer:
    """Choose a channel, and go back from its strongest neuron by three rules: gradient, deconvnet, guided.

    Left the picture with the neuron's receptive field, then the three pictures of `input_gradient`, `deconvnet` and
    `guided_backprop`, cut out to that field; 0 is grey.

    Parameters
    ----------
    model : Model whose activations are ReLU or ReLU6.
    photograph : one of the packaged photographs; a picture of your own can be uploaded.
    layer, channel : where to start.

    >>> import coursekit as ck
    >>> ck.explore_backward(ck.load_model("coursenet"))
    <Explorer: layer, channel, photograph, upload>
    """
    controls = layer_and_channel(model, layer, channel)

    def draw(layer: str, channel: int, photograph: str, upload: tuple) -> Picture:
        image, _ = chosen_image(photograph, upload, size=model.input_size)
        return _draw(model, image, layer, channel)

    return Explorer(draw, **controls, **photograph_or_upload(photograph))


def _draw(model: Model, image: Tensor, layer: str, channel: int) -> Picture:
    top = top_patches(model, image, layer, channel, k=1)
    target = unit(layer, channel, position="max")
    signals = [top.crop(signal_pictures(rule(model, image, target))) for rule in RULES.values()]
    return show_images([image, *signals], [f"strongest for {layer}, channel {channel}", *RULES], boxes=top.boxes)
