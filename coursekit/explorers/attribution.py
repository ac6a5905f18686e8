"""The explorer of class activation maps."""

import ipywidgets as widgets
import torch
from torch import Tensor

from coursekit.attribution.cam import cam, grad_cam, guided_grad_cam
from coursekit.attribution.fullgrad import fullgrad
from coursekit.explorers.explorer import Explorer
from coursekit.figures import figure as plotting
from coursekit.figures.figure import Picture
from coursekit.images.loading import check_images
from coursekit.networks.model import Model


def explore_cam(model: Model, image: Tensor, layers: list[str] | None = None) -> Explorer:
    """Choose class, method and layer, and whether the map shows what speaks for the class or against it.

    `layers` are those to choose from, None the one that Grad-CAM takes by itself.

    >>> import coursekit as ck
    >>> ck.explore_cam(ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224), ["block11", "relu2"])
    <Explorer: target, method, layer, against; Heat maps (share of the logit) beside the image: Grad-CAM>
    """
    check_images(image)
    with torch.no_grad():
        best = model(image)[0].topk(5).indices.tolist()

    def draw(target: int, method: str, layer: str | None, against: bool) -> Picture:
        score = (lambda logits: -logits[:, target]) if against else target
        title = f"{method}, against" if against else method
        if method == "Guided Grad-CAM":
            heat = guided_grad_cam(model, image, score, layer=layer).abs().amax(1, keepdim=True)
            return plotting.show_maps(image, {title: heat}, unit="relative", relative=True, clip=99.5)
        if method == "Grad-CAM":
            heat = grad_cam(model, image, score, layer=layer, upsample=True)
        elif method == "CAM":
            heat = cam(model, image, score, upsample=True)
        else:
            heat = fullgrad(model, image, score, magnitude=True)
        return plotting.show_maps(image, {title: heat}, unit="share of the logit", overlay=True)

    names = [(model.labels[i] if model.labels else f"class {i}", i) for i in best]
    choices = [("the last map", None)] if layers is None else [(name, name) for name in reversed(layers)]
    return Explorer(
        draw,
        target=widgets.Dropdown(options=names, description="class"),
        method=widgets.Dropdown(options=["Grad-CAM", "CAM", "Guided Grad-CAM", "FullGrad"], description="method"),
        layer=widgets.Dropdown(options=choices, description="layer", tooltip="for Grad-CAM and Guided Grad-CAM"),
        against=widgets.Checkbox(value=False, description="what speaks against it"),
    )
