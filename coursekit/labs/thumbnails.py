"""Pictures at their dots on a map, and which dots to choose for them."""

from collections.abc import Mapping

import torch
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor

from coursekit.arguments import check_count, check_picture, shown
from coursekit.errors import OptionError
from coursekit.figures.figure import Picture

SIZE, AWAY = 30, 24.0  # points: the larger side of a thumbnail, and how far from its dot its middle stands


def pin_thumbnails(picture: Picture, points: Tensor, thumbnails: Mapping[int, Tensor]) -> Picture:
    """Draw images at their dots in every panel of a figure of `show_points`, in place; return the figure.

    Parameters
    ----------
    points : (N, 2), where the dots of each panel are.
    thumbnails : number of a point -> its image (3 or 1, H, W) in [0, 1]; a line joins the two.

    Raises
    ------
    OptionError, ImageError

    >>> import coursekit as ck
    >>> points = torch.rand(3, 2)
    >>> pin_thumbnails(ck.show_points({"PCA": points}, ["a", "b", "c"]), points, {2: torch.rand(1, 8, 8)})
    <Picture 720 × 500>
    """
    points = _checked(points)
    strangers = [number for number in thumbnails if not 0 <= number < len(points)]
    if strangers:
        raise OptionError(f"A thumbnail is for point {strangers[0]}, but there are {len(points)} points, from 0.")
    for image in thumbnails.values():
        check_picture(image)
    middle, room = points.mean(0), 0.25 * (points.amax(0) - points.amin(0))
    for axes in (axes for axes in picture.figure.axes if axes.get_title()):  # colour bars have none
        axes.update_datalim(torch.stack([points.amin(0) - room, points.amax(0) + room]).numpy())
        axes.autoscale_view()
        for number, image in thumbnails.items():
            pixels = image.detach().cpu().clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).numpy()
            smooth = "nearest" if max(pixels.shape) <= 16 else "bicubic"
            right, up = torch.where(points[number] >= middle, AWAY, -AWAY).tolist()
            box = AnnotationBbox(
                OffsetImage(pixels, zoom=SIZE / max(pixels.shape), interpolation=smooth),
                (float(points[number, 0]), float(points[number, 1])),
                xybox=(right, up),
                boxcoords="offset points",
                pad=0.1,
                bboxprops={"edgecolor": "#444444"},
                arrowprops={"arrowstyle": "-", "color": "#444444"},
            )
            axes.add_artist(box)
    return picture


def spread(points: Tensor, count: int) -> list[int]:
    """Choose points (N, 2) far from each other: from the one most to the left, each next the farthest from all before.

    Raises OptionError.

    >>> spread(torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]]), 2)
    [0, 2]
    """
    check_count("count", count)
    points = _checked(points)
    chosen = [int(points[:, 0].argmin())]
    while len(chosen) < min(count, len(points)):
        chosen.append(int(torch.cdist(points, points[chosen]).amin(1).argmax()))
    return chosen


def _checked(points: Tensor) -> Tensor:
    if not isinstance(points, Tensor) or points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise OptionError(f"Points are a tensor (N, 2), but got {shown(points)}.")
    return points.detach().cpu().float()
