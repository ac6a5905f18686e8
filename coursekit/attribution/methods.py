"""The methods that the course compares, by the names that stand in every comparison."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from coursekit.attribution.backward_rules import deconvnet, guided_backprop
from coursekit.attribution.cam import cam, grad_cam, guided_grad_cam, hires_cam, layer_cam
from coursekit.attribution.fullgrad import fullgrad
from coursekit.attribution.gradients import input_gradient, input_x_gradient, integrated_gradients, smoothgrad
from coursekit.attribution.occlusion import occlusion
from coursekit.attribution.relevance import relevance
from coursekit.attribution.rise import rise
from coursekit.networks.model import Model


def eleven() -> dict[str, Callable[[Model, Tensor, Tensor], Tensor]]:
    """Return the eleven methods with the scoreboard's settings: name -> function (model, images, target) -> maps.

    SmoothGrad takes 50 samples, integrated gradients 50 steps from black, occlusion windows of a seventh of the side in
    steps of half a window; FullGrad is the picture of its paper (`magnitude=True`).

    >>> len(eleven())
    11
    """
    return {
        "input_gradient": input_gradient,
        "input_x_gradient": input_x_gradient,
        "smoothgrad": smoothgrad,
        "integrated_gradients": integrated_gradients,
        "guided_backprop": guided_backprop,
        "deconvnet": deconvnet,
        "occlusion": _occlusion,
        "cam": cam,
        "grad_cam": grad_cam,
        "guided_grad_cam": guided_grad_cam,
        "fullgrad": partial(fullgrad, magnitude=True),
    }


def all_methods() -> dict[str, Callable[[Model, Tensor, Tensor], Tensor]]:
    """Return the eleven, and the methods that came later: name -> function (model, images, target) -> maps.

    RISE takes 500 masks, and its mean over the picture is taken away, so that positive means more than the average
    pixel. HiResCAM and LayerCAM read Grad-CAM's layer. Relevance keeps its colours, so that it is read by size as the
    other pixel rules are (`importance`).

    >>> list(all_methods())[11:]
    ['rise', 'hires_cam', 'layer_cam', 'relevance']
    """
    return {
        **eleven(),
        "rise": _rise,
        "hires_cam": hires_cam,
        "layer_cam": layer_cam,
        "relevance": relevance,
    }


def _rise(model: Model, images: Tensor, target: Tensor) -> Tensor:
    found = rise(model, images, target)
    return found - found.mean((2, 3), keepdim=True)


def _occlusion(model: Model, images: Tensor, target: Tensor) -> Tensor:
    window = max(2, images.shape[-1] // 7)
    return occlusion(model, images, target, window=window, stride=window // 2)
