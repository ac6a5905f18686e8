"""How a signed map becomes something to rank or to draw."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from coursekit.errors import OptionError


def importance(maps: Tensor, size: Sequence[int] | None = None) -> Tensor:
    """Turn signed maps (N, C, h, w) into the importance of each pixel (N, H, W), never negative.

    The number of channels says how a map is read:

    - Three channels are a value for each colour (gradients, their products with the input, relevance): M = max_c |A_c|.
      The sign of a gradient says whether brighter or darker helps, not whether the pixel matters (Simonyan et al.
      2014, sec. 3.1), and a share of the logit counts by its size. So hand the map of a pixel rule over as it is: its
      sum over colours has one channel, and half of its pixels would count as nothing.
    - One channel is evidence for the target (CAM and its kin, occlusion, RISE): M = max(A, 0), because evidence against
      it does not show where it is (Selvaraju et al., *Grad-CAM*, ICCV 2017, sec. 3).

    Smaller maps are then enlarged to `size` (H, W) bilinearly.

    Importances (N, H, W) stay as they are, so that scores take them too.

    Raises `OptionError` for another shape, and for NaN or infinite values.

    >>> import torch
    >>> importance(torch.tensor([[[[2.0, -3.0]]]])).tolist()
    [[[2.0, 0.0]]]
    >>> importance(torch.tensor([[[[2.0]], [[-3.0]], [[1.0]]]])).tolist()
    [[[3.0]]]
    """
    if isinstance(maps, Tensor) and maps.ndim == 3:
        maps = maps[:, None]
    if not isinstance(maps, Tensor) or maps.ndim != 4 or maps.shape[1] not in (1, 3) or 0 in maps.shape:
        seen = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
        raise OptionError(f"Maps must have the shape (N, 1, h, w), (N, 3, h, w) or (N, h, w), but got {seen}.")
    if not maps.isfinite().all():
        raise OptionError("Maps must be finite, but some values are NaN or infinite.")
    maps = maps.detach() if maps.is_floating_point() else maps.float()
    values = maps.clamp(min=0) if maps.shape[1] == 1 else maps.abs().amax(1, keepdim=True)
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise OptionError(f"size is a height and a width in pixels, but is {tuple(size)}.")
    if size is not None and values.shape[2:] != tuple(size):
        values = F.interpolate(values, size=tuple(size), mode="bilinear", align_corners=False)
    return values[:, 0]


def magnitude_picture(values: Tensor) -> np.ndarray:
    """A map (C, h, w) as a picture (h, w) in [0, 1]: magnitude, full brightness from the 99th percentile on."""
    magnitude = values.double().abs().sum(0)
    high = float(magnitude.flatten().quantile(0.99)) or float(magnitude.max()) or 1.0
    return (magnitude / high).clamp(max=1).numpy()
