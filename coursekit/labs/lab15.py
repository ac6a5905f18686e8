"""Lab 15, units and circuits: features as arrows, and the checks of its exercises."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from coursekit.arguments import check_shape
from coursekit.errors import OptionError
from coursekit.figures.figure import COLOURS, WIDTH, Picture, grid_of_panels, styled
from coursekit.labs.checking import call, case, compare


@styled
def show_arrows(panels: Mapping[str, Tensor], *, alt: str | None = None) -> Picture:
    """Draw features in the plane of two channels, an arrow each: the figures of Elhage et al. 2022, *Toy models*.

    Parameters
    ----------
    panels : title -> (2, n), the weights from each feature to channel 1 and to channel 2. A dashed circle has radius 1.

    Raises `OptionError` if there is no panel, and ImageError for another shape.

    >>> show_arrows({"a pentagon": torch.eye(2)})
    <Picture 468 × 380>
    """
    if not panels:
        raise OptionError("show_arrows needs at least one panel.")
    figure, axes = grid_of_panels(len(panels), 3, lambda rows, columns: (min(WIDTH, 0.3 + 4.38 * columns), 3.8 * rows))
    reach = 1.25 * max(1.0, *(float(arrows.abs().max()) for arrows in panels.values()))
    for ax, (title, arrows) in zip(axes, panels.items(), strict=True):
        around = torch.linspace(0, 2 * math.pi, 100)
        ax.plot(around.cos(), around.sin(), "--", color="#999999", lw=1)
        for i, (x, y) in enumerate(check_shape(f"The arrows of {title!r}", arrows.detach().cpu(), 2, "n").T.tolist()):
            ax.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": COLOURS[i % 6], "lw": 2.5})
            if math.hypot(x, y) > 0.3:  # a feature that is given up has no arrow to be named
                ax.annotate(f"{i + 1}", (1.12 * x, 1.12 * y), ha="center", va="center")
        ax.set(title=title, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="channel 1")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("channel 2")
    return Picture(figure, alt)


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _each(judge: Callable[..., str | None], first: tuple, second: tuple) -> Callable[[object], str | None]:
    """Return a judge of two examples, by the arguments of each."""

    def judged(answer: object) -> str | None:
        return judge(answer, *(second if case() else first))

    return judged


def _preferred_orientation(answer: object, step: int, heights: list[float]) -> str | None:
    """15.1: half the direction of the vector sum over doubled angles."""
    angles = torch.arange(0, 180, step).float()
    answers = torch.tensor(heights)
    result = call(answer, answers.clone(), angles.clone())
    twice = torch.deg2rad(2 * angles)
    y, x = (answers * twice.sin()).sum(), (answers * twice.cos()).sum()
    right = torch.rad2deg(torch.atan2(y, x)) / 2
    once = torch.rad2deg(torch.atan2((answers * (twice / 2).sin()).sum(), (answers * (twice / 2).cos()).sum()))
    mistakes = [
        (once, "double the angles first: bars of 175° and 5° are neighbours."),
        (once % 180, "double the angles first: bars of 175° and 5° are neighbours."),
        (
            (answers * angles).sum() / answers.sum(),
            "a mean of degrees does not know that 179° is near 0°: add vectors.",
        ),
        (angles[answers.argmax()], "that is the angle of the largest answer; add all answers up as vectors."),
        (right * 2 % 360, "halve the direction of the sum: you doubled the angles before."),
        (right * 2, "halve the direction of the sum: you doubled the angles before."),
        (right, "the angle lies below 0; bring it into [0, 180) with % 180."),
        (torch.deg2rad(right) % math.pi, "the result is in radians; degrees are asked for."),
        (torch.deg2rad(right), "the result is in radians; degrees are asked for."),
        (
            torch.rad2deg(torch.atan2(x, y)) / 2 % 180,
            "atan2 takes the sum of the sines first, then that of the cosines.",
        ),
    ]
    return compare(result, right % 180, mistakes)


def _template(answer: object, n: int, row: int, column: int) -> str | None:
    """15.2: max(1 - 4 |p - mu|_1 / n, -1)."""
    result = call(answer, n, row, column)
    y, x = torch.arange(n).float()[:, None] - row, torch.arange(n).float()[None] - column
    steps = y.abs() + x.abs()
    right = (1 - 4 * steps / n).clamp(min=-1)
    mistakes = [
        ((1 - 4 * y.hypot(x) / n).clamp(min=-1), "that is the straight distance; count steps along rows and columns."),
        (
            (1 - 4 * torch.maximum(y.abs(), x.abs()) / n).clamp(min=-1),
            "you took the larger of the two distances; add them.",
        ),
        (1 - 4 * steps / n, "nothing stops the values: they are at least -1."),
        ((1 - 4 * steps / n).clamp(min=0), "you cut at 0, which is the mask; the template falls to -1."),
        ((1 - 4 * steps / n).clamp(-1, 0), "max(a, b) is the larger of two: use clamp(min=-1)."),
        (right.T, "rows and columns are swapped."),
        ((1 - steps / n).clamp(min=-1), "the factor 4 is missing."),
        ((1 - 4 * steps).clamp(min=-1), "divide the distance by n."),
    ]
    return compare(result, right, mistakes)


def _on_the_object(answer: object, y: float, x: float, box: tuple[int, int, int, int]) -> str | None:
    """15.3: (y - top) / height, (x - left) / width, turned back where mirrored."""
    top, left, height, width = box
    row, column = (y - top) / height, (x - left) / width
    results = [call(answer, y, x, (top, left, height, width), mirrored) for mirrored in (False, True)]
    try:
        both = torch.tensor([[float(value) for value in result] for result in results]).double()
    except (TypeError, ValueError):
        return "return two numbers, (row, column)."
    if both.shape != (2, 2):
        return "return two numbers, (row, column)."

    def pair(plain: tuple, turned: tuple) -> Tensor:
        return torch.tensor([plain, turned])

    right = pair((row, column), (row, 1 - column))
    mistakes = [
        (pair((row, column), (row, column)), "mirrored objects must be turned back."),
        (pair((row, column), (1 - row, column)), "left to right is the other axis: turn the column."),
        (pair((row, 1 - column), (row, column)), "you turn the objects that were not mirrored."),
        (pair((row, column), (row, -column)), "turning back is 1 - column."),
        (pair((row, column), (row, width - column)), "turning back is 1 - column: the box runs from 0 to 1."),
        (pair((column, row), (1 - column, row)), "row comes first, then column."),
        (pair((y - top, x - left), (y - top, width - (x - left))), "divide by the height and the width of the box."),
        (pair((y - top, x - left), (y - top, 1 - (x - left))), "divide by the height and the width of the box."),
        (pair((y / height, x / width), (y / height, 1 - x / width)), "subtract the box's top and left first."),
        (
            pair(((y - top) / width, (x - left) / height), ((y - top) / width, 1 - (x - left) / height)),
            "height and width are swapped.",
        ),
    ]
    return compare(both, right, mistakes)


def _without(answer: object, outputs: int, channel: int, inputs: list[int]) -> str | None:
    """15.4: only weight[channel, inputs] is 0, in a copy."""
    weight = _random(outputs, 5, 3, 3, seed=outputs)
    given = weight.clone()
    result = call(answer, given, channel, list(inputs))
    if not torch.equal(given, weight):
        return "you changed the tensor that you were given; work on a clone."

    def zeroed(*index: Any) -> Tensor:
        copy = weight.clone()
        copy[index] = 0
        return copy

    right = zeroed(channel, inputs)
    mistakes = [
        (zeroed(slice(None), inputs), "you cut these inputs for all outputs; only one output loses them."),
        (zeroed(channel), "you cut all inputs of this output; only those in the list."),
        (zeroed(inputs, channel), "outputs come first, then inputs: weight[channel, inputs]."),
        (weight, "nothing was cut."),
        (_only(weight, channel, inputs), "you kept the listed inputs and cut the others."),
    ]
    return compare(result, right, mistakes)


def _only(weight: Tensor, channel: int, inputs: list[int]) -> Tensor:
    copy = weight.clone()
    others = [i for i in range(weight.shape[1]) if i not in inputs]
    copy[channel, others] = 0
    return copy


def _multiply_out(answer: object, middle: int, kernel: int) -> str | None:
    """15.5: sum over the middle channels of narrow · place · widen."""
    widen, place, narrow = (
        _random(middle, 4, seed=2),
        _random(middle, kernel, kernel, seed=3),
        _random(5, middle, seed=4),
    )
    result = call(answer, widen.clone(), place.clone(), narrow.clone())
    right = torch.einsum("om,mhw,mi->oihw", narrow, place, widen)
    mistakes = [
        (right.transpose(0, 1), "outputs come first: (O, I, k, k)."),
        (right.transpose(2, 3), "rows and columns of the kernel are swapped."),
        (right.flip(2, 3), "the kernel is turned by 180°; torch's convolution does not turn it."),
        (right / len(widen), "you took the mean over the middle channels; take the sum."),
        (
            torch.einsum("om,mi->oi", narrow, widen)[:, :, None, None] * place.sum(0),
            "you summed over the middle channels twice: each of them has a place kernel of its own.",
        ),
        (
            torch.einsum("om,mhw,mi->oihw", narrow, place, widen.relu()),
            "leave the ReLU out: it cannot be multiplied out.",
        ),
    ]
    return compare(result, right, mistakes)


def _words(answer: object, row: int, column: int, n: int) -> str | None:
    """15.6: the numbers of the n strongest channels at a place, strongest first, those above 0 only."""
    maps = _random(6, 4, 5, seed=5)
    maps[3] = 0.0  # a channel that sees nothing is no word
    result = call(answer, maps.clone(), row, column, n)
    try:
        numbers = [float(k) for k in result]
    except TypeError:
        return "return a list of channel numbers, the strongest first."
    here = maps[:, row, column]

    def first(values: Tensor, *, down: bool = True, above: bool = True) -> list[int]:
        order = values.argsort(descending=down).tolist()[:n]
        return [k for k in order if values[k] > 0 or not above]

    hints = [
        (first(here, above=False), "some of these channels are below 0 here: they see nothing, leave them out."),
        (first(here, down=False, above=False), "that is the weakest first."),
        (first(here)[::-1], "that is the weakest first."),
        (first(here.abs()), "a large negative activation is no word: sort by the value, not by its size."),
        (first(maps[:, column % 4, row]), "row and column are swapped: maps[:, row, column]."),
        (first(maps.mean((1, 2))), "that is the mean over all places; read one place."),
        (first(maps.mean((1, 2)), above=False), "that is the mean over all places; read one place."),
        (here[first(here)].tolist(), "those are the activations; the numbers of the channels are asked for."),
        (here.topk(n).values.tolist(), "those are the activations; the numbers of the channels are asked for."),
    ]
    if numbers == first(here):
        return None
    otherwise = "these are not the strongest channels at that place, the strongest first, as whole numbers."
    return next((hint for wrong, hint in hints if numbers == wrong), otherwise)


JUDGES = {
    "15.1": _each(
        _preferred_orientation,
        (15, [3.0, 0.5, 0.2, 0, 0, 0, 0.1, 0, 0, 0.4, 1.5, 3.2]),  # around 172°
        (30, [0.0, 0.4, 2.0, 1.1, 0.3, 0.1]),  # around 68°
    ),
    "15.2": _each(_template, (9, 2, 5), (12, 8, 1)),
    "15.3": _each(_on_the_object, (40.0, 70.0, (10, 20, 80, 60)), (15.0, 12.0, (5, 8, 40, 50))),
    "15.4": _each(_without, (4, 2, [0, 3]), (3, 0, [1])),
    "15.5": _each(_multiply_out, (6, 3), (3, 5)),
    "15.6": _each(_words, (1, 3, 2), (2, 0, 5)),
}
