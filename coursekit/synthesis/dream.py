"""DeepDream: more of what a layer sees, from coarse to fine."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_one
from coursekit.errors import OptionError
from coursekit.networks.fast import fast_copy
from coursekit.networks.model import Model
from coursekit.probe.capture import capture, differentiating, evaluating
from coursekit.synthesis.objectives import Objective, Wish, as_objective
from coursekit.synthesis.objectives import layer as see_more
from coursekit.synthesis.parameterizations import pixels
from coursekit.synthesis.regularizers import Regularizer, gaussian
from coursekit.synthesis.render import interrupts, render, say_interrupted
from coursekit.synthesis.transforms import roll


def dream(
    model: Model,
    image: Tensor,
    objective: str | Wish,
    *,
    octaves: int = 4,
    scale: float = 1.4,
    steps: int = 12,
    rate: float = 0.012,
    jitter: int = 16,
    tile: int = 640,
    smooth: Sequence[float] = (),
    seed: int = 0,
) -> Tensor:
    r"""Let a layer see more of what it sees: x ← x + rate · g / mean|g|, g = ∇_x mean ½a², at several sizes.

    It begins with a small copy of the picture. What a size has added (its *detail*) is enlarged and laid over the next
    larger copy, so that no detail of the photograph gets lost. Before each step the picture is rolled at random,
    so that no grid of the network's strides shows.

    Parameters
    ----------
    model : Model
    image : (1, 3, H, W) in [0, 1]; it may be larger than the model's input.
    objective : name of a layer, or an objective as for `ck.render`.
    octaves, scale : number of sizes, and the factor between two.
    steps, rate : at each size.
    jitter : pixels of the largest roll.
    tile : a picture with a longer side is looked at in tiles of at most this size, one after the other, so that its
        memory does not grow; larger rolls move the seams about, and none shows.
    smooth : standard deviations in pixels, such as (0.5, 1, 2). The gradient g becomes Σ_σ G_σ ∗ g / std(G_σ ∗ g), with
        G_σ a Gaussian: slow and fast changes get the same strength, and grain does not win. () leaves it as it is.

    Returns
    -------
    Tensor (1, 3, H, W) in [0, 1]. An interrupt gives what there is so far, with a warning.

    Raises
    ------
    ImageError, OptionError, UnknownLayer

    References
    ----------
    Mordvintsev, Olah, Tyka, *Inceptionism: going deeper into neural networks*, 2015. Mordvintsev, *DeepDreaming with
    TensorFlow*, 2016, evens out the gradient's frequencies with a Laplacian pyramid; `smooth` is its short form.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, sky = ck.load_model("efficientnet_lite0"), ck.load_image("china", size=96)
    >>> dream(model, sky, "block8", octaves=2, steps=1).shape
    torch.Size([1, 3, 96, 96])
    """
    check_images(image)
    check_count("octaves", octaves)
    check_count("tile", tile)
    if not scale > 1:
        raise OptionError(f"scale must be above 1, but is {scale!r}.")
    if not all(sigma > 0 for sigma in smooth):
        raise OptionError(f"smooth is standard deviations above 0, but is {tuple(smooth)!r}.")
    if isinstance(objective, str):
        model.layer(objective)  # raises before any work
    goal = see_more(objective) if isinstance(objective, str) else as_objective(objective)
    height, width = image.shape[2:]
    sizes = [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]
    if min(sizes[0]) < 32:
        raise OptionError(f"The smallest of {octaves} octaves would have {sizes[0]} pixels; take fewer octaves.")
    detail, before = torch.zeros_like(image), len(interrupts)
    options: dict[str, Any] = {"steps": steps, "rate": rate, "jitter": jitter, "smooth": smooth}
    for k, size in enumerate(sizes):
        base = resize(image, size)
        start = (base + resize(detail, size)).clamp(0, 1)
        if max(size) > tile:
            made = _tiled(model, goal, start, tile=tile, seed=seed + k, **options)
        else:
            made = _whole(model, goal, start, seed=seed + k, **options)
        detail = made.to(base) - base
        if len(interrupts) > before:
            break
    return (image + resize(detail, (height, width))).clamp(0, 1)


def even_out(g: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Blur a gradient (N, 3, H, W) with Gaussians of several widths, and add what they give at equal strength."""
    blurred = [gaussian(g, sigma) for sigma in sigmas]
    return sum((b / b.std().clamp(min=1e-12) for b in blurred), torch.zeros_like(g)) if blurred else g


def _whole(
    model: Model,
    objective: Objective,
    x: Tensor,
    *,
    steps: int,
    rate: float,
    jitter: int,
    smooth: Sequence[float],
    seed: int,
) -> Tensor:
    """Climb along the gradient of the whole picture, rolled before each look."""
    return render(
        model,
        objective,
        parameterization=pixels(x),
        transforms=[roll(jitter)],
        regularizers=[Regularizer(gradient=lambda g: even_out(g, smooth))],
        optimizer="ascent",
        rate=rate,
        steps=steps,
        seed=seed,
        progress=False,
    ).images


def _tiled(
    model: Model,
    objective: Objective,
    x: Tensor,
    *,
    steps: int,
    rate: float,
    jitter: int,
    smooth: Sequence[float],
    tile: int,
    seed: int,
) -> Tensor:
    """Do what `_whole` does, the gradient computed tile by tile.

    The rolls reach at least half a tile: with smaller ones the seams come back to the same stripes and show.
    """
    generator, jitter = torch.Generator().manual_seed(seed), max(jitter, tile // 2)
    with evaluating(model):
        for step in range(steps):
            shift = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
            try:
                g = tiled_gradient(model, objective, x.roll(shift, (2, 3)), tile).roll([-s for s in shift], (2, 3))
            except KeyboardInterrupt:
                say_interrupted(step, steps)
                break
            g = even_out(g, smooth)
            x = (x + rate * g / g.abs().mean().clamp(min=1e-12)).clamp(0, 1)
    return x


@differentiating()
def tiled_gradient(model: Model, objective: Objective, x: Tensor, tile: int) -> Tensor:
    """Compute ∇_x of the mean over tiles of the objective; only one tile's activations are in memory at a time.

    x is (1, 3, H, W), cut into the fewest nearly equal tiles of at most tile × tile pixels.
    """
    model = fast_copy(model, objective.layers, logits=objective.logits)
    rows, columns = (-(-side // tile) for side in x.shape[2:])
    strips = []
    for strip in x.tensor_split(rows, 2):
        pieces = []
        for piece in strip.tensor_split(columns, 3):
            piece = piece.detach().clone().requires_grad_()
            with capture(model, sorted(objective.layers)) as acts:
                value = objective.read(acts, model(piece)).sum()
            pieces.append(torch.autograd.grad(value, piece)[0] / (rows * columns))
        strips.append(torch.cat(pieces, 3))
    return torch.cat(strips, 2)


def dream_zoom(
    model: Model,
    image: Tensor,
    objective: str | Wish,
    *,
    frames: int = 20,
    factor: float = 1.05,
    **options: Any,
) -> Iterator[Tensor]:
    """Dream, step a little closer, dream again: yields the frames (1, 3, H, W) one by one.

    factor : how much closer. options : those of `dream`, by default octaves=2, steps=5 and a new seed for each frame.
    An interrupt ends it with the frame that was being dreamt.

    >>> import coursekit as ck
    >>> model, sky = ck.load_model("coursenet"), ck.load_image("china", size=64)
    >>> [frame.shape[2] for frame in dream_zoom(model, sky, "relu3", frames=2, octaves=1, steps=1)]
    [64, 64]
    """
    check_count("frames", frames)
    check_one("image", image)
    if not factor >= 1:
        raise OptionError(f"factor must be 1 or more, for each frame is a step closer, but is {factor!r}.")
    height, width = image.shape[2:]
    h, w = round(height / factor), round(width / factor)
    top, left = (height - h) // 2, (width - w) // 2
    before = len(interrupts)
    for k in range(frames):
        image = dream(model, image, objective, **({"octaves": 2, "steps": 5, "seed": k} | options))
        yield image
        if len(interrupts) > before:
            return
        image = resize(image[:, :, top : top + h, left : left + w], (height, width))


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale (N, C, H, W) bilinearly, with anti-aliasing when it gets smaller."""
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)
