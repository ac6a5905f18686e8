"""Pictures of concepts: drawn by rule, random ones beside them, or from a folder of your own."""

import colorsys
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coursekit.errors import ImageError, OptionError
from coursekit.images import stimuli
from coursekit.images.loading import FORMATS, load_image
from coursekit.images.scenes import cutouts, load_scene

PATTERNS: dict[str, Callable[[int, float, float], Tensor]] = {  # (size, period, angle) -> an image in black and white
    "striped": stimuli.stripes,
    "dotted": stimuli.dots,
    "zigzag": stimuli.zigzag,
    "checked": lambda size, period, angle: stimuli.checkerboard(size, period / 2, angle),
    "meshed": stimuli.mesh,
}
HUES = {  # degrees on the colour circle: the pure colour, and from where to where its name is used
    "red": (0, 340, 15),
    "orange": (30, 15, 45),
    "yellow": (55, 45, 70),
    "green": (120, 70, 165),
    "blue": (220, 165, 260),
    "purple": (285, 260, 340),
}
FEWEST = 10


def concept_pictures(concept: str, n: int = 40, *, seed: int = 0, size: int = 224) -> Tensor:
    """Draw n pictures of a concept by rule.

    Parameters
    ----------
    concept : a pattern ("striped", "dotted", "zigzag", "checked", "meshed") in two colours, one dark and one light, of
        any period and angle; a colour ("red", "orange", "yellow", "green", "blue", "purple"), as clouds of all
        brightnesses; "patterned", a pattern drawn at random each time; or "random", scenes of cut-outs that are no
        class of ImageNet, on photographs, noise and plain colours. Random pictures are the counter-examples of a CAV;
        "patterned" asks the harder question: does *striped* matter more than a pattern does?
    n : pictures. seed : the same seed gives the same pictures. size : height and width in pixels.

    Returns
    -------
    Tensor (n, 3, size, size) in [0, 1]. Raises OptionError.

    Examples
    --------
    >>> concept_pictures("striped", 3, size=64).shape
    torch.Size([3, 3, 64, 64])
    """
    known = [*PATTERNS, *HUES, "patterned", "random"]
    if concept not in known:
        raise OptionError(
            f"No concept is called {concept!r}; choose one of {', '.join(known)}, or ck.concept_folder(path)."
        )
    # The name is a part of the seed: the fifth striped picture has not the colours of the fifth dotted one.
    random = np.random.default_rng([seed, *concept.encode()])
    if concept == "random":
        return _random_scenes(n, random, size)
    draw = _tinted if concept in HUES else _patterned
    return torch.cat([draw(concept, random, size) for _ in range(n)])


def concept_folder(path: str | os.PathLike, size: int = 224) -> Tensor:
    """Open all pictures in a folder as a concept of your own, in the order of their names.

    Other files and hidden ones are passed over; subfolders are not searched. Each picture is scaled to cover
    size × size pixels and cut at its centre. Take 30 or more, of *different* things that share the concept.

    Returns
    -------
    Tensor (N, 3, size, size) in [0, 1]. Raises ImageError: no folder, fewer than 10 pictures, or a damaged one.

    Examples
    --------
    >>> import tempfile, coursekit as ck
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i, picture in enumerate(concept_pictures("dotted", 10, size=64)):
    ...     _ = ck.save_image(picture[None], folder / f"{i}.png")
    >>> concept_folder(folder, size=64).shape
    torch.Size([10, 3, 64, 64])
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ImageError(f"There is no folder {str(path)!r}; give one that holds pictures of your concept.")
    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    files = [f for f in sorted(folder.iterdir()) if f.suffix.lower() in suffixes and f.is_file() and f.name[0] != "."]
    if len(files) < FEWEST:
        raise ImageError(
            f"The folder {folder.name!r} holds {len(files)} pictures, but a concept needs at least {FEWEST}, better 30."
        )
    return torch.cat([load_image(file, size) for file in files])


def _patterned(concept: str, random: np.random.Generator, size: int) -> Tensor:
    kind = concept if concept in PATTERNS else str(random.choice(list(PATTERNS)))
    ink = PATTERNS[kind](size, random.uniform(size / 16, size / 5), random.uniform(0, 180))
    dark, light = (_colour(random, low, high) for low, high in ((0, 0.35), (0.65, 1)))
    return dark + (light - dark) * ink


def _tinted(concept: str, random: np.random.Generator, size: int) -> Tensor:
    hue = (HUES[concept][0] + random.uniform(-8, 8)) / 360
    pure = torch.tensor(colorsys.hsv_to_rgb(hue % 1, random.uniform(0.75, 1), 1)).view(1, 3, 1, 1)
    clouds = stimuli.noise(size, random.uniform(0.8, 1.6), colour=0, seed=int(random.integers(2**31)))
    return (pure * (clouds + random.uniform(0, 0.4))).clamp(0, 1)


def _random_scenes(n: int, random: np.random.Generator, size: int) -> Tensor:
    names = sorted(name for name, index in cutouts().items() if index is None)
    made = []
    for i in range(n):
        name, background = str(random.choice(names)), ("photograph", "noise", "plain")[i % 3]
        made.append(load_scene(name, background=background, seed=int(random.integers(2**31)), size=size).image)
    return torch.cat(made)


def _colour(random: np.random.Generator, low: float, high: float) -> Tensor:
    return torch.tensor(random.uniform(low, high, 3), dtype=torch.float32).view(1, 3, 1, 1)
