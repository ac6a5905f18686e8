"""Images, predictions and signals side by side."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, aspect_of, draw_image, image_panels, styled
from coursekit.figures.lettering import words


@styled
def show_images(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str] = (),
    *,
    columns: int = 4,
    boxes: Sequence[tuple[int, int, int, int]] = (),
    masks: Tensor | Sequence[Tensor] = (),
    squares: bool | None = None,
    alt: str | None = None,
) -> Picture:
    """Show images side by side.

    Parameters
    ----------
    images : (N, 3, H, W) in [0, 1], or a list of such tensors of any sizes; one channel is shown in grey.
    titles : one for each image.
    columns : pictures in a row.
    boxes : for each image a box (top, left, height, width) to outline, optional.
    masks : for each image a mask (H, W) to outline, optional.
    squares : enlarge by squares (filters, masks, boards) and not smoothly (photographs, paintings). None: by squares
        where the image has at most 16 pixels to a side, or more than half of neighbouring pixels are equal.
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    >>> import coursekit as ck
    >>> ck.show_images(ck.load_image("chelsea"), ["a cat"])
    <Picture 320 × 243>
    """
    pictures = [image for batch in ([images] if isinstance(images, Tensor) else images) for image in batch]
    if not pictures:
        raise OptionError("show_images needs at least one image.")
    figure, axes = image_panels(len(pictures), columns, aspect_of(pictures[0]))
    for i, (picture, ax) in enumerate(zip(pictures, axes, strict=False)):
        draw_image(ax, picture, squares=squares, mask=masks[i] if i < len(masks) else None)
        ax.set_title(titles[i] if i < len(titles) else "")
        if i < len(boxes):
            top, left, height, width = boxes[i]
            ax.add_patch(mpl.patches.Rectangle((left, top), width, height, fill=False, ec=COLOURS[1], lw=2.5))
    return Picture(figure, alt)


@styled
def show_predictions(
    images: Tensor, predictions: Sequence[Sequence[tuple[str, float]]], *, alt: str | None = None
) -> Picture:
    """Show each image beside bars of its most probable classes, as `predict` returns them.

    >>> import coursekit as ck
    >>> ck.show_predictions(ck.load_image("chelsea"), [[("Egyptian cat", 0.8), ("tabby", 0.1)]])
    <Picture 900 × 260>
    """
    if not len(images) == len(predictions) > 0 or not all(predictions):
        raise OptionError(f"Give each of the {len(images)} images its predictions, but there are {len(predictions)}.")
    figure = Figure(figsize=(WIDTH, 0.5 + 2.1 * len(images)), layout="constrained")
    axes = figure.subplots(len(images), 2, squeeze=False, width_ratios=[1, 1.6])
    for (left, right), image, rows in zip(axes, images, predictions, strict=True):
        draw_image(left, image)
        labels, values = zip(*reversed(rows), strict=True)
        right.barh(range(len(rows)), values, color=COLOURS[0], height=0.7)
        right.set_yticks(range(len(rows)), [words(label.split(",")[0]) for label in labels])
        right.set_xlim(0, 1.18)
        right.set_xticks([0, 0.5, 1])
        right.set_xlabel("probability")
        for y, value in enumerate(values):
            right.text(value + 0.01, y, "< 0.01" if value < 0.01 else f"{value:.2f}", va="center")
    return Picture(figure, alt)


@styled
def show_parts(panels: Mapping[str, tuple[Tensor, Tensor]], *, columns: int = 4, alt: str | None = None) -> Picture:
    """Draw places on pictures, as dots: the peaks of a filter on an object.

    Parameters
    ----------
    panels : title -> picture (1, 3, h, w), and places (n, 2): row and column from 0 to 1, as of `part_places`.
        What lies more than a tenth outside the picture is left out.
    columns : panels in a row.

    >>> show_parts({"filter 3": (torch.ones(1, 3, 8, 8), torch.rand(5, 2))})
    <Picture 320 × 355>
    """
    figure, axes = image_panels(len(panels), columns, 1.0)
    for ax, (title, (picture, places)) in zip(axes, panels.items(), strict=False):
        draw_image(ax, check_shape(f"The picture of {title!r}", picture, 1, 3, "h", "w")[0])
        height, width = picture.shape[2:]
        near = places[((places > -0.1) & (places < 1.1)).all(1)]
        ax.plot(near[:, 1] * width, near[:, 0] * height, "o", ms=7, mec="white", color=COLOURS[5], alpha=0.8)
        ax.set_title(title)
    return Picture(figure, alt)


def signal_pictures(signals: Tensor, clip: float = 99.5) -> Tensor:
    """Turn signed colour maps, such as `deconvnet` returns, into pictures: 0 is grey, each on its own scale.

    0.5 + s / 2q, where q is the `clip` percentile of |s| over all values of the map that are not 0.

    Parameters
    ----------
    signals : (N, C, H, W), C = 1 or 3.
    clip : percentile that becomes full colour; single outliers do not darken the whole picture.

    Returns
    -------
    Tensor (N, C, H, W) in [0, 1]. A map that is 0 everywhere becomes grey.

    >>> signal_pictures(torch.tensor([[[[-2.0, 0.0, 4.0]]]]), clip=100)
    tensor([[[[0.2500, 0.5000, 1.0000]]]])
    """
    signals = check_shape("signals", signals, "N", "C", "H", "W")
    pictures = []
    for signal in signals.detach().cpu().float():
        sizes = signal.abs()[signal != 0]
        high = float(torch.quantile(sizes[:: 1 + len(sizes) // 1_000_000], clip / 100)) if len(sizes) else 1.0
        pictures.append((0.5 + signal / (2 * high)).clamp(0, 1))
    return torch.stack(pictures)
