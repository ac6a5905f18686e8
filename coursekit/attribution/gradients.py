"""Maps made from the gradient of a score with respect to the image."""

import math

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_shape
from coursekit.attribution.fills import Fill, baseline
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, differentiating, in_batches
from coursekit.probe.targets import Score, Target, scoring


def input_gradient(model: Model, images: Tensor, target: Target = None) -> Tensor:
    """Differentiate the target's score with respect to every pixel.

    G = ∂S_c(x) / ∂x, where S_c is the logit of class c (not its probability: see lab 04).

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, function logits -> (N,), or None for each image's top class.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in logits per unit of intensity.

    Raises
    ------
    ImageError, TargetError, UnknownLayer

    References
    ----------
    Simonyan, Vedaldi, Zisserman, *Deep inside convolutional networks*, ICLR workshop 2014, sec. 3.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.input_gradient(model, image).shape
    torch.Size([1, 3, 224, 224])
    """
    with scoring(model, images, target) as score:
        return pixel_gradient(score, images, torch.arange(len(images)))


def input_x_gradient(model: Model, images: Tensor, target: Target = None) -> Tensor:
    """Multiply the gradient by the image: x ⊙ ∂S_c(x)/∂x.

    To first order this is what each pixel adds to the score, counted from black (Shrikumar et al., *Not just a black
    box*, 2016). Shapes, units and errors as for `input_gradient`; the unit is logits.

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> torch.equal(ck.input_x_gradient(model, image), image * ck.input_gradient(model, image))
    True
    """
    return images.detach() * input_gradient(model, images, target)


def saliency(model: Model, images: Tensor, target: Target = None) -> Tensor:
    """Take the largest gradient magnitude over the colour channels: M = max_k |∂S_c(x)/∂x_k|.

    Returns (N, 1, H, W), never negative. Everything else as for `input_gradient` (Simonyan et al. 2014, sec. 3.1).

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.saliency(model, image, target=285).shape
    torch.Size([1, 1, 224, 224])
    """
    return input_gradient(model, images, target).abs().amax(dim=1, keepdim=True)


def smoothgrad(
    model: Model, images: Tensor, target: Target = None, *, samples: int = 50, sigma: float = 0.15, seed: int = 0
) -> Tensor:
    """Average the gradient over noisy copies of the image.

    Ĝ = 1/n Σ_i ∂S_c(x + ε_i)/∂x,  ε_i ~ N(0, σ²),  σ = `sigma` · (max x − min x) for each image.

    Parameters
    ----------
    samples : number of noisy copies n, at least 1.
    sigma : noise as a part of the image's own range, at least 0; the paper finds 0.1 to 0.2 best.
    seed : the same seed gives the same noise, and all images of a batch get the same noise.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in logits per unit of intensity. Errors as for `input_gradient`, and OptionError.

    References
    ----------
    Smilkov et al., *SmoothGrad: removing noise by adding noise*, 2017.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.smoothgrad(model, image, samples=4).shape
    torch.Size([1, 3, 224, 224])
    """
    if not (isinstance(sigma, int | float) and 0 <= sigma < math.inf):
        raise OptionError(f"sigma must be a number of at least 0, but is {sigma!r}.")
    with scoring(model, images, target) as score:
        spread = sigma * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
        total = torch.zeros_like(images)
        for i, (x, width) in enumerate(zip(images, spread, strict=True)):
            generator = torch.Generator().manual_seed(seed)
            for part in torch.arange(samples).split(BATCH):
                noise = torch.randn(len(part), *x.shape, generator=generator).to(x)
                total[i] += pixel_gradient(score, x + width * noise, torch.full((len(part),), i)).sum(0)
        return total / samples


def integrated_gradients(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    steps: int = 50,
    baseline: Fill = "black",
) -> Tensor:
    """Add up the gradient on the straight way from a baseline x' to the image x.

    IG = (x − x') ⊙ ∫₀¹ ∂S_c(x' + α (x − x'))/∂x dα, the integral by the midpoint rule with `steps` points.

    The sum over all pixels tends to S_c(x) − S_c(x') (completeness); `completeness_gap` tells how near it is.

    Parameters
    ----------
    steps : points of the midpoint rule, at least 1.
    baseline : "black", "white", "mean", "blur", an RGB colour, or a tensor that broadcasts to the images.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in logits. Errors as for `input_gradient`, and OptionError.

    References
    ----------
    Sundararajan, Taly, Yan, *Axiomatic attribution for deep networks*, ICML 2017, eq. 1 and 3.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.integrated_gradients(model, image, steps=4).shape
    torch.Size([1, 3, 224, 224])
    """
    check_count("steps", steps)
    with scoring(model, images, target) as score:
        start = _baseline(model, images, baseline)
        alphas = (torch.arange(steps).to(images) + 0.5) / steps
        total = torch.zeros_like(images)
        for i, (x, x0) in enumerate(zip(images, start, strict=True)):
            for alpha in alphas.split(BATCH):
                points = x0 + alpha.view(-1, 1, 1, 1) * (x - x0)
                total[i] += pixel_gradient(score, points, torch.full((len(alpha),), i)).sum(0)
        return (images - start).detach() * total / steps


def completeness_gap(
    model: Model,
    images: Tensor,
    attribution: Tensor,
    target: Target = None,
    *,
    baseline: Fill | None = "black",
) -> Tensor:
    """Measure how far a map is from adding up: Σ A − (S_c(x) − S_c(x')), in logits, one number for each image (N,).

    `target` and `baseline` must be those that the attribution was made with. `baseline=None` leaves S_c(x') out, as for
    `fullgrad`, which adds up to the score itself.

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ig = ck.integrated_gradients(model, image, 285, steps=4, baseline="blur")
    >>> ck.completeness_gap(model, image, ig, 285, baseline="blur").shape
    torch.Size([1])
    """
    check_images(images)
    attribution = check_shape("attribution", attribution, len(images), "C", *images.shape[2:])
    with scoring(model, images, target) as score, torch.no_grad():
        owner = torch.arange(len(images))
        change = score(images, owner)
        if baseline is not None:
            change = change - score(_baseline(model, images, baseline), owner)
        return attribution.flatten(1).sum(1) - change.to(attribution)


_baseline = baseline  # the public functions have an option of the same name


def pixel_gradient(score: Score, variants: Tensor, owner: Tensor) -> Tensor:
    """∂ score / ∂ variants in batches; the parameters' `.grad` are not touched."""

    def gradient(batch: Tensor, who: Tensor) -> Tensor:
        x = batch.detach().clone().requires_grad_()
        return torch.autograd.grad(score(x, who).sum(), x)[0].contiguous()

    with differentiating():
        return torch.cat(in_batches(gradient, variants, owner))
