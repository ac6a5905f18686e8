"""Take the most important pixels away, or bring them back, and watch the target."""

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.attribution.fills import Fill, baseline
from coursekit.attribution.reading import importance
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import capture, evaluating, in_batches
from coursekit.probe.targets import Target, Unit, quicker, reader


def deletion_curve(
    model: Model,
    images: Tensor,
    maps: Tensor,
    target: Target = None,
    *,
    steps: int = 16,
    fill: Fill = "mean",
) -> Tensor:
    """Remove the most important pixels first and watch the target fade: a good map makes the curve fall early.

    Value s of the curve is the target's value once the part s/`steps` of all pixels is filled. Its area is
    `torch.trapezoid(curve, dx=1 / steps)`; lower is better.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    maps : (N, 1 | 3, h, w), signed; see `importance`. Equal pixels go in a random order, always the same one.
    target : class (its probability is followed), `unit` (its activation), function logits -> (N,), or None for each
        image's top class.
    steps : number of steps from the image to the fill; the curve has one point more.
    fill : "mean" (training mean, zero after normalisation), "black", "white", "blur", an RGB colour or tensor.

    Returns
    -------
    Tensor (N, steps + 1), on the device of the images.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer

    References
    ----------
    Petsiuk, Das, Saenko, *RISE: randomized input sampling for explanation of black-box models*, BMVC 2018, sec. 4.2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> deletion_curve(model, image, ck.centre_map(model, image), steps=2).shape
    torch.Size([1, 3])
    """
    return _curve(model, images, maps, target, steps, fill, insert=False)


def insertion_curve(
    model: Model,
    images: Tensor,
    maps: Tensor,
    target: Target = None,
    *,
    steps: int = 16,
    fill: Fill = "blur",
) -> Tensor:
    """Start from a blurred image and bring the most important pixels back first: a good map makes the curve rise early.

    Value s of the curve is the target's value once the part s/`steps` of all pixels is back; a higher area is better.
    Everything else as for `deletion_curve` (Petsiuk et al. 2018, who also blur here, to add no false edges).

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> curve = insertion_curve(model, image, ck.centre_map(model, image), 285, steps=2)
    >>> bool(curve[0, 0] < curve[0, 2])
    True
    """
    return _curve(model, images, maps, target, steps, fill, insert=True)


def _curve(model: Model, images: Tensor, maps: Tensor, target: Target, steps: int, fill: Fill, insert: bool) -> Tensor:
    check_images(images)
    check_count("steps", steps)
    order = _order(images, maps)
    layers = [target.layer] if isinstance(target, Unit) else []
    model = quicker(model, target)
    with evaluating(model), capture(model, layers) as captured, torch.no_grad():
        read = reader(model, images, target)
        filled = baseline(model, images, fill)
        start, end = (filled, images) if insert else (images, filled)
        counts = (torch.arange(steps + 1) * order[0].numel() / steps).round().to(order)  # pixels changed by each step

        def values(job: Tensor) -> Tensor:
            owner, step = job // (steps + 1), job % (steps + 1)
            changed = order[owner] < counts[step].view(-1, 1, 1)
            logits = model(torch.where(changed[:, None], end[owner], start[owner]))
            return read(logits if callable(target) else logits.softmax(1), captured, owner).to(images.device)

        points = in_batches(values, torch.arange(len(images) * (steps + 1)))
    return torch.cat(points).view(len(images), steps + 1)


def _order(images: Tensor, maps: Tensor) -> Tensor:
    """Return the place of each pixel in the order of importance, 0 first: (N, H, W), on the images' device."""
    heat = importance(maps, images.shape[2:]).flatten(1).cpu()
    if len(heat) != len(images):
        raise OptionError(f"There are {len(images)} images, but {len(heat)} maps.")
    shuffled = torch.randperm(heat.shape[1], generator=torch.Generator().manual_seed(0))
    by_rank = shuffled[heat[:, shuffled].argsort(dim=1, descending=True, stable=True)]
    return by_rank.argsort(dim=1).view(len(images), *images.shape[2:]).to(images.device)
