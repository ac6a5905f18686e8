"""What a window over the image can change: only that part of each layer is computed again.

Covering a window changes, in each layer, at most the positions whose receptive fields touch the window. All others
keep what they were for the whole image, so their values are taken from one recorded pass. (Nakandala, Kumar and
Papakonstantinou, *Incremental and approximate inference for faster occlusion-based deep CNN explanations*, SIGMOD
2019, sec. 3.)

`reaches` follows the windows through the recorded steps, `Rerun` computes the changed pieces, many windows at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_images, is_whole, shown
from coursekit.errors import OptionError, UnsupportedNetwork
from coursekit.networks.model import Model
from coursekit.networks.receptive import sliding
from coursekit.probe.capture import capture, evaluating
from coursekit.probe.recording import Recorder, Step

Box = tuple[slice, slice]  # the rows and the columns of a window

FULL = 0.6  # a piece that covers more of its map is widened to all of it: no more cutting and pasting after that
WORTH = 0.75  # where more than this part of a pass has to be done again, full passes take less time,
WINDOWS = 16  # and so they do for fewer windows


def changing(
    model: Model, image: Tensor, boxes: Sequence[Box], filled: Tensor, maps: dict[str, Tensor]
) -> "Rerun | None":
    """Prepare to run the network for an image (1, 3, H, W) that is covered by one window at a time.

    filled : (3, H, W), what the windows show; maps : what `capture` keeps, in whose block this is called.

    Returns what gives, for the numbers of B windows, the logits and the captured maps; None where every pass has to be
    a full one: the network holds an operation that is not known here (attention, reading a number), a window changes
    most of what is to compute, or the network is on a GPU, which is faster with few large pieces.
    """
    precise = model.dtype in (torch.float32, torch.float64)
    if model.device.type != "cpu" or not precise or len(boxes) < WINDOWS:
        return None
    image = image.to(model.device, memory_format=torch.channels_last)
    with Recorder(image) as record:
        logits = model(image)
    if (found := record.before([logits, *maps.values()])) is None:
        return None
    goals, steps = found
    rerun = Rerun(goals, steps, boxes, filled.to(model.device))
    return rerun if rerun.work <= WORTH else None


def window_reach(
    model: Model, images: Tensor, layers: Sequence[str], *, rows: tuple[int, int], columns: tuple[int, int]
) -> dict[str, Tensor]:
    """Mark the positions of each layer that a window over the image can change.

    R_l(i, j) = 1 where the receptive field of position (i, j) touches the window, padding apart. All other positions
    keep their values exactly, whatever the window shows. The mean of R_l is the share of the layer that `ck.occlusion`
    computes again.

    Parameters
    ----------
    model, layers : as in `activations`.
    images : (N, 3, H, W) in [0, 1]; only their size counts.
    rows, columns : the first row and column of the window, and the ones after its last.

    Returns
    -------
    dict, layer name -> bool Tensor (h, w); (1, 1) where the layer has no map.

    Raises
    ------
    ImageError, OptionError, UnknownLayer
    UnsupportedNetwork
        The network holds an operation that is not known to act on places, such as attention.

    References
    ----------
    Nakandala, Kumar, Papakonstantinou, SIGMOD 2019, sec. 3.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> reach = ck.window_reach(model, image, ["block1", "block3"], rows=(96, 128), columns=(96, 128))
    >>> [round(part.float().mean().item(), 2) for part in reach.values()]
    [0.03, 0.05]
    """
    check_images(images)
    box = []
    for name, ends, length in (("rows", rows, images.shape[2]), ("columns", columns, images.shape[3])):
        if len(ends) != 2 or not all(map(is_whole, ends)) or not 0 <= ends[0] < ends[1] <= length:
            raise OptionError(f"{name} must be two whole numbers, 0 ≤ first < end ≤ {length}, but are {shown(ends)}.")
        box.append(slice(*ends))
    image = images[:1].to(model.device)
    with capture(model, layers) as maps, evaluating(model), torch.no_grad(), Recorder(image) as record:
        model(image)
    found = record.before([maps[layer] for layer in layers])
    if found is None:
        raise UnsupportedNetwork(
            f"{model.name} holds an operation that is not known to act on places; take a network of convolutions."
        )
    goals, reach = found[0], reaches(found[1], [(box[0], box[1])])
    result = {}
    for layer, goal in zip(layers, goals, strict=True):
        result[layer] = torch.zeros(tuple(goal.size) or (1, 1), dtype=torch.bool, device=images.device)
        (top, left), (bottom, right) = (ends[0] for ends in reach.get(goal, (np.zeros((1, 2), int),) * 2))
        result[layer][top : bottom + 1, left : right + 1] = True
    return result


Reach = tuple[np.ndarray, np.ndarray]  # (L, 2) each: the first row and column that a window can change, and the last


def reaches(steps: list[Step], boxes: Sequence[Box]) -> dict[Step, Reach]:
    """Follow L windows through the steps; a step without a map, (N, K), has no reach."""
    found: dict[Step, Reach] = {}
    for step in steps:
        if step.value.ndim != 4:
            continue
        if step.kind == "image":
            first = np.array([[axis.start for axis in box] for box in boxes])
            last = np.array([[axis.stop for axis in box] for box in boxes]) - 1
        elif step.kind == "whole":
            first, last = np.zeros((len(boxes), 2), int), np.tile(step.size - 1, (len(boxes), 1))
        else:
            first = np.min([found[source][0] for source in step.inputs], 0)
            last = np.max([found[source][1] for source in step.inputs], 0)
        if step.kind == "slide":
            kernel, stride, pads, dilation = np.array(sliding(step.call)).T
            first = -((dilation * (kernel - 1) - first - pads) // stride)  # rounded up
            last = (last + pads) // stride
        first = np.clip(first, 0, step.size - 1)
        found[step] = first, np.clip(last, first, step.size - 1)
    return found


class Area(NamedTuple):
    """Equally large rectangles of a map, one for each of B windows."""

    start: np.ndarray  # (B, 2): first row and column
    size: np.ndarray  # (2,): height and width

    @classmethod
    def around(cls, first: np.ndarray, last: np.ndarray, whole: np.ndarray) -> "Area":
        """Choose rectangles in a map of size `whole` that hold all from `first` to `last`."""
        size = (last - first + 1).max(0)
        size = whole if size.prod() >= FULL * whole.prod() else size
        return cls(np.minimum(first, whole - size), size)

    def read_by(self, slide: Step) -> "Area":
        """Return what a sliding window reads to compute this area."""
        kernel, stride, pads, dilation = np.array(sliding(slide.call)).T
        return Area(self.start * stride - pads, (self.size - 1) * stride + dilation * (kernel - 1) + 1)


class Rerun:
    """Computes again, for the image with one of its windows covered, the goals among the steps of a recorded pass.

    goals, steps : what `Recorder.before` returns; filled : (3, H, W), what the windows show.
    Calling it with the numbers of B windows gives a tensor (B, …) for each goal.

    order : the numbers of all windows; those that change equally large parts, and so suit one batch, stand together.
    work : which part of the multiplications of the network's convolutions is done for a window, on average.
    """

    def __init__(self, goals: list[Step], steps: list[Step], boxes: Sequence[Box], filled: Tensor):
        self.boxes, self.filled = boxes, filled
        self.goals, self.steps = goals, steps
        self._reach = reaches(self.steps, boxes)
        sizes = np.hstack([last - first for first, last in self._reach.values()])
        self.order = [int(window) for window in np.lexsort(sizes.T)]
        self.work = self._work()
        self._last_use = {source: step for step in self.steps for source in step.inputs}
        self._padded = {s: _padded(s) for s in self.steps if s.kind == "slide"}

    def __call__(self, windows: Sequence[int]) -> list[Tensor]:
        areas = {s: Area.around(f[windows], t[windows], s.size) for s, (f, t) in self._reach.items()}
        pieces: dict[Step, Tensor] = {}
        found: dict[Step, Tensor] = {}
        for step in self.steps:
            first = not step.inputs
            pieces[step] = self._covered(step, areas[step], windows) if first else self._piece(step, pieces, areas)
            if step in self.goals:
                found[step] = _complete(step, pieces[step], areas).clone()  # before it is written over in place
            for source in step.inputs:
                if self._last_use[source] is step:
                    pieces.pop(source, None)
        return [found[goal] for goal in self.goals]

    def _work(self) -> float:
        done = total = 0
        for step in self.steps:
            if step.name == "conv2d":
                (first, last), each = self._reach[step], step.call["weight"].numel()
                done, total = done + each * (last - first + 1).prod(1).mean(), total + each * step.size.prod()
        return done / total if total else 1.0

    def _piece(self, step: Step, pieces: dict[Step, Tensor], areas: dict[Step, Area]) -> Tensor:
        """Compute a step in the area that the windows can change."""
        whole = all(np.array_equal(areas[s].size, s.size) for s in (step, *step.inputs) if s in areas)
        if step.kind == "slide" and not whole:
            (source,) = step.inputs
            want = areas[step].read_by(step)
            base, pads = self._padded[step]
            return _slide(step, _joined(pieces[source], areas[source], want, base, pads))
        if step.kind == "piece" and not whole:
            return step.run(*(_joined(pieces[s], areas[s], areas[step], s.value) for s in step.inputs))
        return step.run(*(_complete(source, pieces[source], areas) for source in step.inputs))

    def _covered(self, image: Step, area: Area, windows: Sequence[int]) -> Tensor:
        """Cut out the image around each window, and fill the window."""
        filled, (height, width) = [], area.size
        for (top, left), (rows, columns) in zip(area.start, [self.boxes[window] for window in windows], strict=True):
            piece = image.value[0, :, top : top + height, left : left + width].clone()
            inside = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
            piece[:, *inside] = self.filled[:, rows, columns]
            filled.append(piece)
        return _compact(torch.stack(filled))


def _padded(slide: Step) -> tuple[Tensor, np.ndarray]:
    """Return the map that a sliding window reads, with its padding, and how much that is above and at the left."""
    source, call = slide.inputs[0], slide.call
    everything = Area(np.zeros((1, 2), int), slide.size).read_by(slide)
    top, left = before = -everything.start[0]
    bottom, right = np.maximum(everything.size - before - source.size, 0)
    fill = -torch.inf if slide.name == "max_pool2d" else call.get("value") or 0.0
    return _compact(F.pad(source.value, (left, right, top, bottom), value=fill)), before


def _slide(step: Step, region: Tensor) -> Tensor:
    """Slide a convolution or pooling over a region that has its padding."""
    call = step.call
    if step.name == "conv2d":
        rest = call.get("stride", 1), 0, call.get("dilation", 1), call.get("groups", 1)
        return F.conv2d(region, call["weight"], call.get("bias"), *rest)
    if step.name == "pad":
        return region
    if step.name == "avg_pool2d":
        return F.avg_pool2d(region, call["kernel_size"], call.get("stride"))
    return F.max_pool2d(region, call["kernel_size"], call.get("stride"), 0, call.get("dilation", 1))


def _complete(source: Step, pieces: Tensor, areas: dict[Step, Area]) -> Tensor:
    """Return the whole map for each window."""
    if source not in areas:
        return pieces
    return _joined(pieces, areas[source], Area(0 * areas[source].start, source.size), source.value)


def _joined(pieces: Tensor, have: Area, want: Area, base: Tensor, pads: np.ndarray | int = 0) -> Tensor:
    """Put the changed pieces over the map of the whole image, `base`, and return the wanted area of it."""
    if np.array_equal(have.size, want.size) and np.array_equal(have.start, want.start):
        return pieces
    height, width = want.size
    size = len(pieces), base.shape[1], int(height), int(width)
    regions = torch.empty(size, dtype=base.dtype, memory_format=torch.channels_last)
    for region, piece, (top, left), (y, x) in zip(
        regions, pieces, want.start + pads, have.start - want.start, strict=True
    ):
        region.copy_(base[0, :, top : top + height, left : left + width])
        y0, x0 = max(y, 0), max(x, 0)
        into = region[:, y0 : max(y + piece.shape[1], 0), x0 : max(x + piece.shape[2], 0)]
        into.copy_(piece[:, y0 - y : y0 - y + into.shape[1], x0 - x : x0 - x + into.shape[2]])
    return regions


def _compact(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)
