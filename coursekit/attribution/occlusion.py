"""Cover a part of the image and see what the network loses: no gradient needed."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.arguments import check_images
from coursekit.attribution.fills import Fill, baseline
from coursekit.errors import OptionError, TargetError
from coursekit.networks.fast import fast_copy
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, capture, evaluating, in_batches
from coursekit.probe.targets import Target, Unit, reader
from coursekit.probe.windows import Box, changing


class OcclusionGrid(NamedTuple):
    """What the network says for each position of the window; every field (N, rows, cols)."""

    score: Tensor  # the target's logit or activation
    probability: Tensor  # the class probability after the softmax
    label: Tensor  # index of the most probable class
    activation: Tensor | None  # the feature map's total activation, where a feature was asked for


def occlusion(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    window: int = 32,
    stride: int = 16,
    fill: Fill = "mean",
) -> Tensor:
    """Slide a plain window over the image and map how much the score drops.

    A(p) = mean over all windows w that cover pixel p of  S_c(x) − S_c(x with w filled).

    Windows start at 0, stride, 2·stride, … until the border is covered; the last ones may be cut by the border.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, function logits -> (N,), or None for each image's top class.
    window, stride : pixels; 1 ≤ window ≤ the image's shorter side, 1 ≤ stride ≤ window.
    fill : "mean" (training mean, zero after normalisation), "black", "white", "blur", an RGB colour or tensor.

    Returns
    -------
    Tensor (N, 1, H, W): signed, in logits; positive where covering hurts.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer

    References
    ----------
    Zeiler, Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, sec. 4.2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.occlusion(model, image, window=96, stride=64).shape
    torch.Size([1, 1, 224, 224])
    """
    _check_window(images, window, stride)
    layers = [target.layer] if isinstance(target, Unit) else []
    fast = fast_copy(model, layers, logits=not layers)
    with evaluating(fast), capture(fast, layers) as maps, torch.no_grad():
        read = reader(model, images, target)
        filled, boxes = baseline(model, images, fill), _boxes(images, window, stride)
        owners = torch.arange(len(images))
        whole = torch.cat(in_batches(lambda owner: read(fast(images[owner]), maps, owner), owners)).to(images)
        total, count = torch.zeros_like(images[:, :1]), torch.zeros_like(images[:, :1])

        def add(logits: Tensor, maps: dict[str, Tensor], owner: Tensor, numbers: Tensor) -> None:
            drop = whole[owner] - read(logits, maps, owner).to(images)
            for d, n, k in zip(drop, owner, numbers, strict=True):
                total[n, :, *boxes[k]] += d
                count[n, :, *boxes[k]] += 1

        _ask(fast, images, filled, boxes, maps, add)
        return total / count


def occlusion_grid(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    window: int = 32,
    stride: int = 16,
    fill: Fill = "mean",
    feature: Unit | None = None,
) -> OcclusionGrid:
    """Record what the network says for every position of the window (Zeiler & Fergus 2014, fig. 7 b, d, e).

    Parameters
    ----------
    target : as for `occlusion`. Where it is not a class, `probability` is that of each image's top class.
    feature : the feature map (`unit`) whose total activation Σ_ij a_ij is recorded too.

    The other parameters and the errors are those of `occlusion`.

    Returns
    -------
    OcclusionGrid(score, probability, label, activation), each (N, rows, cols), one entry for each window.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> grid = ck.occlusion_grid(model, image, window=96, stride=64)
    >>> grid.probability.shape
    torch.Size([1, 3, 3])
    """
    _check_window(images, window, stride)
    if feature is not None and (not isinstance(feature, Unit) or feature.position is not None):
        raise TargetError(f"feature must be a whole feature map, such as ck.unit('conv5', 3), but is {feature!r}.")
    layers = {u.layer for u in (target, feature) if isinstance(u, Unit)}
    rows, cols = (len(_starts(n, window, stride)) for n in images.shape[-2:])
    fast = fast_copy(model, layers)
    with evaluating(fast), capture(fast, sorted(layers)) as maps, torch.no_grad():
        read = reader(model, images, target)
        read_class = reader(model, images, None if callable(target) else target)
        filled, boxes = baseline(model, images, fill), _boxes(images, window, stride)
        fields = images.new_empty(3 if feature is None else 4, len(images), rows * cols)

        def note(logits: Tensor, maps: dict[str, Tensor], owner: Tensor, numbers: Tensor) -> None:
            values = [read(logits, maps, owner), read_class(logits.softmax(1), maps, owner), logits.argmax(1)]
            if feature is not None:
                activation = maps[feature.layer]
                values.append(feature(activation) * activation[0, 0].numel())  # mean times positions: the sum
            fields[:, owner, numbers] = torch.stack([v.to(images) for v in values])

        _ask(fast, images, filled, boxes, maps, note)
    score, probability, label, *rest = fields.view(-1, len(images), rows, cols)
    return OcclusionGrid(score, probability, label.long(), rest[0] if rest else None)


def _ask(
    model: Model,
    images: Tensor,
    filled: Tensor,
    boxes: list[Box],
    maps: dict[str, Tensor],
    keep: Callable[[Tensor, dict[str, Tensor], Tensor, Tensor], None],
) -> None:
    """Run the network for every image and window; `keep(logits, maps, numbers of images, numbers of windows)`.

    On a CPU only what a window can change is computed again, where that is known and pays: the same numbers, sooner.
    """
    for n in range(len(images)):
        again = changing(model, images[n : n + 1], boxes, filled[n], maps)
        if again is None:
            break
        for batch in torch.tensor(again.order).split(4 * BATCH):  # small pieces: more at a time
            logits, *kept = again(batch.tolist())
            keep(logits, dict(zip(maps, kept, strict=True)), torch.full_like(batch, n), batch)
    else:
        return

    def plain(jobs: Tensor) -> None:
        owner, numbers = jobs.T
        variants = images[owner]  # a copy
        for variant, n, k in zip(variants, owner, numbers, strict=True):
            variant[:, *boxes[k]] = filled[n][:, *boxes[k]]
        keep(model(variants), maps, owner, numbers)

    in_batches(plain, torch.cartesian_prod(torch.arange(len(images)), torch.arange(len(boxes))))


def _boxes(images: Tensor, window: int, stride: int) -> list[Box]:
    """Return the rows and columns of every window, row by row; the last ones are cut by the border."""
    height, width = images.shape[-2:]
    return [
        (slice(top, min(top + window, height)), slice(left, min(left + window, width)))
        for top in _starts(height, window, stride)
        for left in _starts(width, window, stride)
    ]


def _starts(length: int, window: int, stride: int) -> range:
    """Where windows start along one side, so that the last one reaches the border (and may be cut by it)."""
    return range(0, math.ceil((length - window) / stride) * stride + 1, stride)


def _check_window(images: Tensor, window: int, stride: int) -> None:
    check_images(images)
    shorter = min(images.shape[-2:])
    if window > shorter:
        raise OptionError(f"window must be at most the image's shorter side of {shorter} pixels, but is {window}.")
    if stride > window:
        raise OptionError(f"stride must be at most the window of {window} pixels, or gaps remain, but is {stride}.")
