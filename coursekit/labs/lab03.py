"""Lab 03, occlusion: the plate of five panels, and the checks of its exercises."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle
from torch import Tensor, nn

from coursekit.arguments import check_count, check_images, check_shape
from coursekit.attribution.occlusion import OcclusionGrid
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, MAGNITUDE, WIDTH, Picture, draw_image, styled
from coursekit.labs.checking import call, case, compare, varied
from coursekit.networks.model import Model


class PlateRow(NamedTuple):
    """One photograph of a plate: what a window of `window` pixels, moved by `stride`, changes in it."""

    image: Tensor  # (1, 3, H, W)
    grid: OcclusionGrid  # with the activation of a feature map
    projection: Tensor  # (1, 3, H, W), the feature map sent back to the pixels
    channel: str  # the feature map's name
    target: str  # the class's name
    window: int
    stride: int


@styled
def show_plate(rows: Sequence[PlateRow], labels: Sequence[str]) -> Picture:
    """Draw the five panels of Zeiler & Fergus (ECCV 2014, sec. 4.2) for each photograph: a to e, left to right.

    a: the photograph, with the window that costs the class most; b, d, e: the feature map's total activation, the
    class's probability and the most probable label for each position of the window, drawn at its centre; c: the
    feature map's projection. `labels` names the classes.

    >>> import coursekit as ck
    >>> ck.show_plate([], [])
    Traceback (most recent call last):
    coursekit.errors.OptionError: A plate needs a row, and each grid with its feature: ck.occlusion_grid(…, feature=…).
    """
    if not rows or any(row.grid.activation is None for row in rows):
        raise OptionError("A plate needs a row, and each grid with its feature: ck.occlusion_grid(…, feature=…).")
    for row in rows:
        check_images(row.image)
        check_shape("projection", row.projection, 1, 3, "h", "w")
        check_count("window", row.window)
        check_count("stride", row.stride)
        for name, values in row.grid._asdict().items():
            check_shape(name, values, 1, *row.grid.label.shape[1:])
        if not 0 <= row.grid.label.min() <= row.grid.label.max() < len(labels):
            raise OptionError(f"labels must name {int(row.grid.label.max()) + 1} classes, but there are {len(labels)}.")
    figure = Figure(figsize=(WIDTH, 2.75 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 5, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        draw_image(line[0], row.image[0])
        top, left = divmod(int(row.grid.probability[0].argmin()), row.grid.probability.shape[2])
        corner = left * row.stride, top * row.stride
        line[0].add_patch(Rectangle(corner, row.window, row.window, fill=False, ec=COLOURS[1], lw=2))
        line[0].set_title("a · photograph")
        _draw_quantity(line[1], row, row.grid.activation, f"b · activation of {row.channel}")
        draw_image(line[2], (row.projection[0] / (2 * row.projection.abs().quantile(0.995)) + 0.5).clamp(0, 1))
        line[2].set_title("c · its projection")
        _draw_quantity(line[3], row, row.grid.probability, f"d · probability of {row.target}")
        found, place, count = row.grid.label[0].unique(return_inverse=True, return_counts=True)
        order = count.argsort(descending=True, stable=True)
        how = {"cmap": ListedColormap(COLOURS), "vmin": -0.5, "vmax": len(COLOURS) - 0.5}
        _draw_windows(line[4], row, order.argsort()[place], **how)
        line[4].set_title("e · most probable label")
        names = [labels[i].split(" (")[0] for i in found[order].tolist()]
        patches = [Patch(color=colour, label=name) for colour, name in zip(COLOURS, names, strict=False)]
        line[4].legend(handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0), handlelength=1, borderpad=0)
    return Picture(figure)


def _draw_quantity(ax: Axes, row: PlateRow, values: Tensor | None, title: str) -> None:
    """Draw a grid (1, rows, cols) with its colour bar below it."""
    drawn = _draw_windows(ax, row, torch.as_tensor(values)[0], cmap=MAGNITUDE)
    ax.figure.colorbar(drawn, cax=ax.inset_axes((0.05, -0.1, 0.9, 0.05)), orientation="horizontal")
    ax.set_title(title)


def _draw_windows(ax: Axes, row: PlateRow, values: Tensor, **how: Any) -> AxesImage:
    """Draw a grid (rows, cols) with each value at the centre of its window, in the frame of the image."""
    (rows, cols), start = values.shape, (row.window - row.stride) / 2
    drawn = ax.imshow(
        values.cpu().numpy(), extent=(start, start + cols * row.stride, start + rows * row.stride, start), **how
    )
    ax.set(xlim=(0, row.image.shape[-1]), ylim=(row.image.shape[-2], 0), xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="#BBBBBB")
    return drawn


SIDE, WINDOW, STRIDE = 20, 6, 4  # (20 − 6) / 4 is no whole number: the last window is cut by the border


def _size() -> tuple[int, int]:
    """Height and width: a square, then an image that is wider than high."""
    return SIDE, SIDE + 8 * case()


def _linear() -> Model:
    """A linear network on small images, with a known answer for every window."""
    layer = nn.Linear(3 * math.prod(_size()), 2)
    generator = varied(3)
    layer.weight.data = torch.randn(layer.weight.shape, generator=generator) * 0.1
    model = Model(nn.Sequential(nn.Flatten(), layer), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
    return model.requires_grad_(False)


def _image() -> Tensor:
    return torch.rand(1, 3, *_size(), generator=varied(30))


def windows(answer: object) -> str | None:
    """03.1: the number of forward passes for one map of 224 pixels, window 32, stride 8."""
    mistakes = [
        (24**2, "you lost the first window: it starts at 0, before the first step."),
        (28**2, "a window must end inside the image, so its start can move only 224 − 32 pixels."),
        (25, "that is one row of windows; the window moves in two directions."),
        (26**2, "one too many in each direction: 24 steps lead to 25 places."),
        (7**2, "so many fit side by side; but the window moves by 8 pixels, not by its own width."),
        (626, "almost: the clean image is one more pass, but here only the windows count."),
    ]
    return compare(answer, 25**2, mistakes)


def occlude(answer: object) -> str | None:
    """03.2: cover a square with the training-set mean colour."""
    model, image = _linear(), _image()
    before = image.clone()
    result = call(answer, model, image, 4, 3, WINDOW)
    if not torch.equal(image, before):
        return "your function changes the image it was given; start with image.clone()."

    def covered(colour: Tensor | float, top: int = 4, left: int = 3, bottom: int = 10, right: int = 9) -> Tensor:
        copy = before.clone()
        copy[:, :, top:bottom, left:right] = colour
        return copy[0]

    mean = model.mean.cpu()
    red = before[0].clone()
    red[0] = covered(mean)[0]
    mistakes = [
        (covered(0.0), "you filled with 0, which is black here; zero is the mean colour only after normalisation."),
        (covered(0.5), "0.5 is a plain grey; use model.mean, the mean colour of the training set."),
        (
            covered(before.mean((2, 3), keepdim=True)),
            "that is the mean of this picture; use model.mean, of all pictures.",
        ),
        (covered(before.mean()), "that is the mean of this picture; use model.mean, one number for each colour."),
        (covered(mean, 3, 4, 9, 10), "rows and columns are swapped: images are indexed [:, :, row, column]."),
        (covered(mean, 1, 0, 7, 6), "(top, left) is the corner where the square begins, not its centre."),
        (covered(mean, bottom=11, right=10), "a slice a:b leaves b out, so it ends at top + window, without + 1."),
        (covered(mean, bottom=9, right=8), "the square is too small: it ends at top + window, without − 1."),
        (covered(mean, bottom=6, right=6), "a slice is start:end, not start:length; it ends at top + window."),
        (red, "only one colour channel is covered; index all of them with a colon."),
        (before[0], "nothing is covered; return the changed copy."),
    ]
    return compare(_without_batch(result, 3), covered(mean), mistakes)


def _without_batch(answer: Any, ndim: int) -> Any:
    """The answer as a tensor of `ndim` dimensions where only dimensions of length 1 stand before them."""
    try:
        answer = torch.as_tensor(answer)
    except (TypeError, ValueError, RuntimeError):
        return answer  # `compare` says what is wrong with it
    while answer.ndim > ndim and len(answer) == 1:
        answer = answer[0]
    return answer


def _map(model: Model, image: Tensor, target: int, kind: str) -> Tensor:
    """The occlusion map by a plain loop; `kind` names the mistake that is made on purpose."""
    total, count = torch.zeros(_size()), torch.zeros(_size())
    end = 1 if kind in ("border", "moved") else STRIDE
    tops, lefts = (list(range(0, side - WINDOW + end, STRIDE)) for side in _size())
    if kind == "moved":
        tops, lefts = [*tops, SIDE - WINDOW], [*lefts, _size()[1] - WINDOW]
    whole = model(image)[0].cpu()
    for top in tops:
        for left in lefts:
            copy = image.clone()
            fill = torch.zeros(1) if kind == "black" else model.mean.cpu()
            copy[:, :, top : top + WINDOW, left : left + WINDOW] = fill
            logits = model(copy)[0].cpu()
            value = whole[target] - logits[target]
            if kind == "probability":
                value = whole.softmax(0)[target] - logits.softmax(0)[target]
            if kind == "score":
                value = logits[target]
            total[top : top + WINDOW, left : left + WINDOW] += value
            count[top : top + WINDOW, left : left + WINDOW] += 1
    if kind == "all":
        return total / (len(tops) * len(lefts))
    return total if kind == "sum" else total / count.clamp(min=1)


def occlusion_map(answer: object) -> str | None:
    """03.3: the whole map, averaged over the windows that cover a pixel."""
    model, image = _linear(), _image()
    with torch.no_grad():
        result = _without_batch(call(answer, model, image, 1, WINDOW, STRIDE), 2)
        right = _map(model, image, 1, "")
        hints = {
            "border": "the border is left uncovered; let the last window reach it, cut short if need be.",
            "moved": "the last window is moved inside; that covers each pixel too, but here it starts at a multiple of "
            "the stride, and the border cuts it.",
            "sum": "where windows overlap you add the drops up; divide by the number of windows that cover the pixel.",
            "all": "you divide by the number of all windows; divide by the number of those that cover the pixel.",
            "probability": "this is the drop in probability; the exercise asks for the logit.",
            "score": "this is the covered image's score; the drop is the whole image's score minus that.",
            "black": "you fill with black; fill with model.mean.",
        }
        mistakes = [(_map(model, image, 1, kind), hint) for kind, hint in hints.items()]
        mistakes += [
            (-right, "the sign is wrong: a drop is the score of the whole image minus the covered one."),
            (_map(model, image, 0, ""), "that is the map of class 0; index the logits with target."),
        ]
    return compare(result, right, mistakes)


def total_activation(answer: object) -> str | None:
    """03.4: one feature map's total activation, summed over its positions."""
    maps = torch.rand(1, 4, 5, 7, generator=varied(34)) - 0.7 * case()
    result = call(answer, maps, 2)
    mistakes = [
        (maps[0, 2].mean(), "that is the mean over the map; the total is the sum over all positions."),
        (maps[0, 2].max(), "that is the strongest position; the total is the sum over all positions."),
        (maps.sum(), "you sum over all channels; take channel 2 first."),
        (maps[0, :, 2].sum(), "you took row 2; the channel is the second index: maps[:, channel]."),
    ]
    return compare(_without_batch(result, 0), maps[0, 2].sum(), mistakes)


def rise_map(answer: object) -> str | None:
    """03.5: the mean score of the masks that show a pixel."""
    generator = varied(35)
    scores, masks = torch.randn(6, generator=generator) + 1 - 2 * case(), torch.rand(6, 1, 4, 5, generator=generator)
    given = scores.clone(), masks.clone()
    result = _without_batch(call(answer, *given), 2)
    if not (torch.equal(given[0], scores) and torch.equal(given[1], masks)):
        return "your function changes the scores or masks it was given; work on copies."
    weighted = (scores.view(-1, 1, 1, 1) * masks).sum(0)[0]
    shown = masks.sum(0)[0]
    mistakes = [
        (weighted, "that is the sum; divide by how often the pixel was shown, the sum of the masks there."),
        (weighted / len(scores), "you divide by the number of masks; divide by the sum of the masks at the pixel."),
        (weighted / shown.mean(), "you divide by one number; each pixel has its own sum of masks."),
        (weighted / scores.sum(), "you divide by the sum of the scores; divide by the sum of the masks at the pixel."),
        (
            (scores.view(-1, 1, 1, 1) * (1 - masks)).sum(0)[0] / (1 - masks).sum(0)[0],
            "that is the mean score of the masks that hide the pixel; a mask is 1 where the picture is shown.",
        ),
        (shown / len(scores), "that is how often the pixel is shown; weight the masks by the scores."),
    ]
    return compare(result, weighted / shown, mistakes)


JUDGES = {
    "03.1": windows,
    "03.2": occlude,
    "03.3": occlusion_map,
    "03.4": total_activation,
    "03.5": rise_map,
}
