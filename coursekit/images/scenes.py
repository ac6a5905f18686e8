"""Scenes with ground truth: photographs of cut-out objects on a background, and which pixels belong to each object."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.errors import ImageError, OptionError
from coursekit.files import DATA, files
from coursekit.images.loading import load_image
from coursekit.images.stimuli import TEXTURES, some_colour, texture

# Packaged photographs without an object of their own: a crop of one makes a background.
PHOTOGRAPHIC = ("grass", "gravel", "brick", "hubble", "immunohistochemistry", "retina")
KINDS = ("photograph", "texture", "plain")

Background = str | Tensor | None  # a name, a kind, an image, or whatever the seed chooses


@dataclass(frozen=True)
class Scene:
    """One composed picture: `image` (1, 3, H, W), and for each object its pixels (H, W) and its ImageNet class.

    `targets` has no entry for an object without a class in ImageNet.
    """

    image: Tensor
    masks: dict[str, Tensor]
    targets: dict[str, int]


@dataclass(frozen=True)
class Scenes:
    """Many scenes of one object each: images (N, 3, H, W), masks (N, H, W) bool, targets (N,), the objects' names.

    Count by object, never by scene: forty scenes of one zebra are one zebra.
    """

    images: Tensor
    masks: Tensor
    targets: Tensor
    objects: list[str]

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"{len(self)} scenes of {len(set(self.objects))} distinct objects"


def cutouts(which: str = "all") -> dict[str, int | None]:
    """Return the name of every cut-out object and its ImageNet class index, None where ImageNet has none.

    `which` is "all", "labelled" (those that have a class), "core" (those that a network trained on ImageNet knows
    well enough to teach with) or "unseen" (labelled ones that the course's own networks were not trained on).
    `data/CREDITS.md` says who made them.

    >>> cutouts()["zebra"], cutouts()["giraffe"]
    (340, None)
    """
    keys = {"all": "file", "labelled": "class", "core": "core", "unseen": "unseen"}
    if which not in keys:
        raise OptionError(f"which is one of {', '.join(keys)}, but is {which!r}.")
    return {name: entry.get("class") for name, entry in files("cutouts").items() if keys[which] in entry}


def load_scene(
    names: str | Sequence[str],
    *,
    background: Background = None,
    seed: int = 0,
    size: int = 224,
    scale: float | None = None,
) -> Scene:
    """Compose one or more cut-out objects on a background; the same arguments give the same picture.

    Each object lies in a column of its own, at a random place and size, mirrored half of the time; where two overlap,
    the later one hides the earlier one, in the masks too.

    Parameters
    ----------
    names : one name of `cutouts()`, or up to four.
    background : name of a packaged photograph (a random crop of it), of a texture (`ck.stimuli.TEXTURES`), "grey", an
        image (1, 3, H, W), or a kind: "photograph", "texture", "plain". None takes any kind, by the seed.
    size : height and width in pixels.
    scale : largest side of an object as a part of the space it has; None draws it from 0.6 to 0.9.

    Raises `ImageError` for an unknown name or background, `OptionError` for a size or a number of objects out of range.

    Examples
    --------
    >>> scene = load_scene(["zebra", "hen"], background="grass", seed=1)
    >>> scene.image.shape, sorted(scene.masks), scene.targets
    (torch.Size([1, 3, 224, 224]), ['hen', 'zebra'], {'zebra': 340, 'hen': 8})
    """
    names = [names] if isinstance(names, str) else list(names)
    _check(names, size, scale)
    random = np.random.default_rng(seed)
    canvas = background_of(background, size, random)
    masks: dict[str, Tensor] = {}
    column = size / len(names)
    for i, name in enumerate(names):
        part = random.uniform(0.6, 0.9) if scale is None else scale
        picture = load_cutout(name)
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        # Two objects have half the width each, and may be a little larger than that.
        picture = fit(picture, part * min(size, 1.25 * column), part * size)
        left = round(i * column + random.uniform(0, 1) * (column - picture.width))
        top = round(random.uniform(0, 1) * (size - picture.height))
        left = min(max(left, 0), size - picture.width)
        alpha = paste(canvas, picture, left, top)
        for other in masks.values():
            other &= torch.from_numpy(alpha <= 0.5)
        masks[name] = torch.from_numpy(alpha > 0.5)
    image = torch.from_numpy(canvas.transpose(2, 0, 1).copy())[None].clamp(0, 1)
    classes = cutouts("labelled")
    return Scene(image, masks, {name: k for name in names if (k := classes.get(name)) is not None})


def scenes(
    n: int,
    *,
    objects: Sequence[str] | None = None,
    classes: Sequence[str | int] | None = None,
    background: Background = None,
    seed: int = 0,
    size: int = 224,
) -> Scenes:
    """Compose `n` scenes of one labelled object each, every object equally often (to one), in a random order.

    `objects` limits them to cut-outs by name, `classes` to ImageNet classes, by index or by the label in the manifest;
    `background` and `size` as in `load_scene`. Raises `ImageError` and `OptionError`.

    >>> scenes(12, classes=["zebra", "tiger"])
    12 scenes of 3 distinct objects
    """
    labelled = cutouts("labelled")
    names = list(labelled) if objects is None else list(objects)
    if missing := [name for name in names if name not in labelled]:
        raise ImageError(f"No labelled cut-out is called {missing[0]!r}; see ck.cutouts('labelled').")
    if classes is not None:
        by_label = {entry.get("label"): entry.get("class") for entry in files("cutouts").values()}
        if unknown := [c for c in classes if c not in labelled.values() and c not in by_label]:
            raise OptionError(f"No cut-out is of the class {unknown[0]!r}; see ck.cutouts('labelled').")
        wanted = {by_label.get(c, c) for c in classes}
        names = [name for name in names if labelled[name] in wanted]
    if not names:
        raise OptionError("There is no object to compose: classes or objects is empty.")
    random = np.random.default_rng(seed)
    order = [name for _ in range(-(-n // len(names))) for name in random.permutation(names)][:n]
    made = [load_scene(str(name), background=background, seed=int(random.integers(2**32)), size=size) for name in order]
    return Scenes(
        torch.cat([scene.image for scene in made]),
        torch.stack([next(iter(scene.masks.values())) for scene in made]),
        torch.tensor([labelled[name] for name in order]),
        [str(name) for name in order],
    )


def paste(canvas: np.ndarray, picture: Image.Image, left: int, top: int) -> np.ndarray:
    """Lay a picture with premultiplied alpha (mode RGBa) on a canvas (H, W, 3) in place; return its alpha (H, W)."""
    alpha = np.zeros(canvas.shape[:2], np.float32)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + picture.width, canvas.shape[1]), min(top + picture.height, canvas.shape[0])
    if x0 >= x1 or y0 >= y1:
        return alpha  # it lies outside
    pixels = np.asarray(picture, np.float32)[y0 - top : y1 - top, x0 - left : x1 - left] / 255
    alpha[y0:y1, x0:x1] = pixels[..., 3]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - pixels[..., 3:]) + pixels[..., :3]
    return alpha


@lru_cache(maxsize=256)
def load_cutout(name: str) -> Image.Image:
    """Open a cut-out with premultiplied alpha, so that scaling mixes no colour of its transparent pixels in."""
    with Image.open(DATA / "cutouts" / f"{name}.webp") as picture:
        return picture.convert("RGBA").convert("RGBa")


def fit(picture: Image.Image, width: float, height: float) -> Image.Image:
    """Scale a picture to fit into width × height pixels, with its proportions kept."""
    factor = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=None)


def _check(names: list[str], size: int, scale: float | None) -> None:
    known = cutouts()
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=3)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise ImageError(f"No cut-out is called {name!r}.{hint} See ck.cutouts().")
    if not 1 <= len(set(names)) == len(names) <= 4:
        raise OptionError(f"A scene holds one to four different objects, but {names} were asked for.")
    check_count("size", size, 32, 2048)
    if scale is not None and not 0.05 <= scale <= 1:
        raise OptionError(f"scale must lie in [0.05, 1], but is {scale!r}.")


def background_of(background: Background, size: int, random: np.random.Generator) -> np.ndarray:
    """Return a canvas (size, size, 3), float32 in [0, 1]."""
    if isinstance(background, Tensor):
        check_images(background)
        return load_image(background, size)[0].permute(1, 2, 0).numpy().copy()
    if background is None:
        background = KINDS[random.integers(len(KINDS))]
    if background == "photograph":
        background = PHOTOGRAPHIC[random.integers(len(PHOTOGRAPHIC))]
    elif background == "texture":
        background = TEXTURES[random.integers(len(TEXTURES))]
    if background == "plain":
        return np.broadcast_to(some_colour(random).numpy(), (size, size, 3)).copy()
    if background == "grey":
        return np.full((size, size, 3), 0.5, np.float32)
    if background in TEXTURES:
        return texture(background, size, seed=int(random.integers(2**32)))[0].permute(1, 2, 0).numpy().copy()
    if not isinstance(background, str):
        raise ImageError(f"A background can be a name, a kind or an image, not {type(background).__name__}.")
    return crop(load_image(background), size, random)[0].permute(1, 2, 0).numpy().copy()


def crop(image: Tensor, size: int, random: np.random.Generator) -> Tensor:
    """Cut a random square of at least half the image's shorter side, and scale it: (1, 3, size, size)."""
    side = int(random.uniform(0.5, 1) * min(image.shape[-2:]))
    top, left = (int(random.integers(length - side + 1)) for length in image.shape[-2:])
    return load_image(image[..., top : top + side, left : left + side], size)
