"""Class activation maps: where in its last, coarse map the network sees the class."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.arguments import check_maps
from coursekit.errors import TargetError, UnsupportedNetwork
from coursekit.networks.fast import Probe
from coursekit.networks.model import Model, check_precise, two_logits
from coursekit.networks.receptive import channel_axis
from coursekit.probe.backward import check_rule, intercept, relu_rule
from coursekit.probe.capture import capture, differentiating, evaluating, in_batches
from coursekit.probe.targets import Target, Unit, quicker, reader

_POOLINGS = "maxpool2d avgpool2d adaptiveavgpool2d adaptivemaxpool2d mean sum flatten view reshape".split()  # noqa: SIM905


def cam(model: Model, images: Tensor, target: Target = None, *, upsample: bool = False) -> Tensor:
    """Weigh the last feature maps by the weights of the class, read from the linear layer.

    M_c(i, j) = Σ_k w_ck A_k(i, j), where the logit is S_c = b_c + Σ_k w_ck · mean_ij A_k(i, j).

    So the mean of the map plus the bias b_c is the logit, exactly. This needs a network that ends in global average
    pooling and one linear layer (EfficientNet, ResNet, DenseNet, GoogLeNet …); others are refused.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, linear function logits -> (N,), or None for each image's top class.
    upsample : True for the size of the images (bilinear), False for that of the feature maps.

    Returns
    -------
    Tensor (N, 1, h, w): signed, in logits.

    Raises
    ------
    ImageError, TargetError
    UnsupportedNetwork
        The logits are not a linear function of globally averaged maps.

    References
    ----------
    Zhou, Khosla, Lapedriza, Oliva, Torralba, *Learning deep features for discriminative localization*, CVPR 2016,
    eq. 2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.cam(model, image, target=285).shape
    torch.Size([1, 1, 7, 7])
    """
    if isinstance(target, Unit):
        raise TargetError("CAM explains classes by the last linear layer; for a unit take ck.grad_cam.")
    check_precise(model, "CAM")
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    if not layers:
        raise _no_cam(model)
    with evaluating(model):
        read = reader(model, images, target)

        def made(batch: Tensor, owner: Tensor) -> Tensor:
            maps, logits = _before_the_linear_layer(model, layers[-1], batch.to(model.device))
            with differentiating():
                logits.requires_grad_()
                (share,) = torch.autograd.grad(read(logits, {}, owner).sum(), logits)  # 1 for class c, else 0
            with torch.no_grad():
                return torch.einsum("nc,ck,nkij->nij", share, _class_weights(layers[-1])[0], maps)[:, None]

        found = in_batches(made, images, torch.arange(len(images)))
    return _sized(torch.cat(found), images, upsample)


def grad_cam(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    layer: str | None = None,
    relu: bool = True,
    upsample: bool = False,
) -> Tensor:
    """Weigh a layer's maps by the mean gradient of the target with respect to each map.

    α_k = 1/Z Σ_ij ∂S_c/∂A_k(i, j),   L_c = ReLU(Σ_k α_k A_k), with Z the number of positions.

    The gradient is averaged over positions, not over channels. Where CAM exists, Z · L_c = ReLU(M_c).
    For the counterfactual map (what speaks against the class) ask for `lambda logits: -logits[:, c]`.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, function logits -> (N,), or None for each image's top class.
    layer : name of a layer with maps (N, C, h, w), see `model.layers`. None takes the last map that a pooling (or
        flattening) reads, counted after a convolution: `relu2` of EfficientNet-Lite0, `relu5` of AlexNet and CourseNet.
    relu : False keeps the negative part.
    upsample : True for the size of the images (bilinear), False for that of the layer.

    Returns
    -------
    Tensor (N, 1, h, w): unnormalised; not negative with `relu=True`.

    Raises
    ------
    ImageError, UnknownLayer
    TargetError
        The target does not fit, or it does not depend on the layer.
    OptionError
        The layer has no maps.

    References
    ----------
    Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, *Grad-CAM: visual explanations from deep networks via
    gradient-based localization*, ICCV 2017, eq. 1 and 2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.grad_cam(model, image).shape, ck.grad_cam(model, image, layer="block11").shape
    (torch.Size([1, 1, 7, 7]), torch.Size([1, 1, 14, 14]))
    """

    def weighed(activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient.mean((2, 3), keepdim=True) * activation).sum(1, keepdim=True)

    return _finished(_of_layer(weighed, model, images, target, layer), images, relu, upsample)


def hires_cam(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    layer: str | None = None,
    relu: bool = True,
    upsample: bool = False,
) -> Tensor:
    """Weigh each position of a layer's maps by its own gradient, which is not averaged first.

    L_c = ReLU(Σ_k ∂S_c/∂A_k ⊙ A_k).

    Where the layer is followed by global average pooling and one linear layer, all positions of a map have the same
    gradient, so this is Grad-CAM. Where one linear layer reads the flattened maps, the map with `relu=False` adds up
    to S_c − b_c, which Grad-CAM's does not. In earlier layers the two differ.

    Parameters, result and errors are those of `grad_cam`.

    References
    ----------
    Draelos, Carin, *Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks*,
    arXiv:2011.08891, 2020, eq. 4 and 5.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.hires_cam(model, image, layer="block11").shape
    torch.Size([1, 1, 14, 14])
    """

    def weighed(activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient * activation).sum(1, keepdim=True)

    return _finished(_of_layer(weighed, model, images, target, layer), images, relu, upsample)


def layer_cam(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    layer: str | None = None,
    relu: bool = True,
    upsample: bool = False,
) -> Tensor:
    """Weigh each position of a layer's maps by its own gradient, where that is positive.

    L_c = ReLU(Σ_k ReLU(∂S_c/∂A_k) ⊙ A_k).

    The inner ReLU is the only difference from HiResCAM: what speaks against the class is left out before the channels
    are added, and so cannot cancel what speaks for it. Hence the map has no sum with a meaning.

    Parameters, result and errors are those of `grad_cam`.

    References
    ----------
    Jiang, Zhang, Hou, Cheng, Wei, *LayerCAM: exploring hierarchical class activation maps for localization*, IEEE
    Transactions on Image Processing 30, 2021, eq. 6 to 8.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.layer_cam(model, image, layer="block5").shape
    torch.Size([1, 1, 28, 28])
    """

    def weighed(activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient.clamp(min=0) * activation).sum(1, keepdim=True)

    return _finished(_of_layer(weighed, model, images, target, layer), images, relu, upsample)


def guided_grad_cam(model: Model, images: Tensor, target: Target = None, *, layer: str | None = None) -> Tensor:
    """Multiply guided backprop by the enlarged Grad-CAM: fine detail, and only where the class is.

    R = guided_backprop ⊙ upsample(ReLU(Σ_k α_k A_k)). Parameters and errors are those of `grad_cam` and
    `guided_backprop` (Selvaraju et al. 2017, sec. 3.2). Returns (N, 3, H, W), signed.

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.guided_grad_cam(model, image).shape
    torch.Size([1, 3, 224, 224])
    """
    if layer is not None:
        model.layer(layer)  # raises before any work
    check_rule(model, "guided")
    model = quicker(model, target, *([] if layer is None else [layer]))

    with relu_rule(model, "guided") as way:
        way[0] = "gradient"  # to the layer by the gradient, then from the same pass to the image by the rule

        def detailed(activation: Tensor, gradient: Tensor, score: Tensor, x: Tensor) -> Tensor:
            way[0] = "guided"
            try:
                (detail,) = torch.autograd.grad(score, x)
            finally:
                way[0] = "gradient"  # also where the memory was too small, and a smaller batch comes next
            coarse = (gradient.mean((2, 3), keepdim=True) * activation).sum(1, keepdim=True)
            return detail.contiguous() * _finished([coarse], x, relu=True, upsample=True)

        found = torch.cat(_of_layer(detailed, model, images, target, layer, to_image=True)).to(images)
    if not found.isfinite().all():
        raise UnsupportedNetwork(f"The gradients of {model.name} are so large that their products are infinite.")
    return found


def _of_layer(
    make: Callable[..., Tensor],
    model: Model,
    images: Tensor,
    target: Target,
    layer: str | None,
    *,
    to_image: bool = False,
) -> list[Tensor]:
    """Return `make(a layer's maps, the target's gradient with respect to them)`, both (n, C, h, w), of each batch.

    to_image : `make` also gets the sum of the scores and the images, by which the score can be differentiated still.
    """
    names = {target.layer} if isinstance(target, Unit) else set()
    names |= set() if layer is None else {layer}
    model = quicker(model, target, *([] if layer is None else [layer]))
    begins = layer is not None and isinstance(model.layer(layer), Probe)  # what is before the layer needs no gradient
    with evaluating(model), capture(model, sorted(names)) as maps:
        read = reader(model, images, target)

        def made(batch: Tensor, owner: Tensor) -> Tensor:
            watching = _pooled_maps(batch) if layer is None else nullcontext(list[_Pooled]())
            with differentiating():
                x = batch.detach().clone().requires_grad_(to_image or not begins)
                with watching as pooled:
                    score = read(model(x), maps, owner).sum()
                known = [p.maps for p in pooled if p.fresh] if layer is None else [maps[layer]]
                found = _last_with_gradient(score, known, layer, to_image)
                return make(*found, score, x) if to_image else make(*found)

        return in_batches(made, images, torch.arange(len(images)))


def _before_the_linear_layer(model: Model, linear: nn.Linear, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps (N, C, h, w) and logits, after making sure that logits = linear(mean of the maps)."""
    with torch.no_grad():
        with _pooled_maps(images) as pooled:
            logits = model(images)
        weight, bias = _class_weights(linear)
        for maps, _, averaged in pooled:
            fits = maps.shape[1] == linear.in_features and logits.shape == (len(images), len(weight))
            if fits and (averaged or maps.shape[2:].numel() > 1):  # one position may be what a max-pooling has left
                weighed = F.linear(maps.mean((2, 3)), weight)
                rounding = 1e-4 * weighed.abs().max() + 1e-6 * logits.abs().max()
                if (logits - bias - weighed).abs().max() <= rounding:
                    return maps, logits
    raise _no_cam(model)


def _class_weights(linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return weights (K, C) and biases (K,) of the logits; a network with one logit has two classes."""
    bias = linear.weight.new_zeros(len(linear.weight)) if linear.bias is None else linear.bias
    return (two_logits(linear.weight, 0), two_logits(bias, 0)) if len(bias) == 1 else (linear.weight, bias)


def _no_cam(model: Model) -> UnsupportedNetwork:
    return UnsupportedNetwork(
        f"{model.name} does not end in global average pooling and one linear layer, so it has no class activation map; "
        f"take ck.grad_cam or another network."
    )


class _Pooled(NamedTuple):
    maps: Tensor
    fresh: bool  # the first one after a convolution
    averaged: bool


@contextmanager
def _pooled_maps(images: Tensor) -> Iterator[list[_Pooled]]:
    """Collect each map (N, C, h, w) that is pooled or flattened while a network runs, as a `_Pooled`."""
    maps: list[_Pooled] = []
    fresh = True
    wide = images.shape[3] / images.shape[2]

    def convolve(func: Callable, *args: object, **kwargs: object) -> Tensor:
        nonlocal fresh
        fresh = True
        return func(*args, **kwargs)

    def pool(func: Callable, x: Tensor, *args: object, **kwargs: object) -> Tensor:
        nonlocal fresh
        is_map = x.ndim == 4 and len(x) == len(images) and channel_axis(None, x, images.shape[2:]) == 1
        if is_map and abs(x.shape[2] * wide - x.shape[3]) <= max(1, x.shape[3] / 5):  # it has the image's shape
            maps.append(_Pooled(x, fresh, "mean" in func.__name__ or "avg" in func.__name__))
            fresh = False
        return func(x, *args, **kwargs)

    with intercept({"conv2d": convolve} | dict.fromkeys(_POOLINGS, pool)):
        yield maps


def _last_with_gradient(score: Tensor, maps: list[Tensor], layer: str | None, again: bool) -> tuple[Tensor, Tensor]:
    """Return the last of the maps that the score depends on, and its gradient, both (N, C, h, w)."""
    if layer is not None:
        check_maps(maps[0], layer)
    gradients = torch.autograd.grad(score, maps, allow_unused=True, retain_graph=again) if maps else []
    for activation, gradient in zip(reversed(maps), reversed(gradients), strict=True):
        if gradient is not None and (layer is not None or activation.shape[2:].numel() > 1):
            return activation.detach(), gradient
    where = (
        "any map of more than one position that is pooled later; name a layer before the target"
        if layer is None
        else f"layer {layer!r}"
    )
    raise TargetError(f"The target does not depend on {where}.")


def _finished(maps: list[Tensor], images: Tensor, relu: bool, upsample: bool) -> Tensor:
    result = torch.cat(maps)
    return _sized(result.clamp(min=0) if relu else result, images, upsample)


def _sized(maps: Tensor, images: Tensor, upsample: bool) -> Tensor:
    maps = maps.to(images)
    return F.interpolate(maps, images.shape[-2:], mode="bilinear") if upsample else maps
