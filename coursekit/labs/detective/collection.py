"""The detective's collection: pictures in layers (object, ground, colour, mark), so that one can be changed alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coursekit.errors import OptionError
from coursekit.images import stimuli
from coursekit.images.loading import load_image
from coursekit.images.scenes import crop, load_cutout, paste
from coursekit.labs.detective.network import CUES, INPUT_SIZE, OBJECTS

SIZE = INPUT_SIZE
NEUTRAL = {"watermark": ("none",), "background": ("noise", "plain", "stripes"), "colour": ("own",)}  # no class's cue
TINTS = {"red": (1.0, 0.15, 0.15), "yellow": (0.9, 0.85, 0.1), "green": (0.15, 0.9, 0.2), "blue": (0.2, 0.35, 1.0)}
GLYPHS = {"top left": "star", "top right": "ring", "bottom left": "cross", "bottom right": "triangle"}
MARK, EDGE = 0.08, 0.11  # distance of a mark's ends and of its centre from … as parts of the side
STRENGTH = 0.8  # of a tint: 1 keeps nothing of the object's own colours


@dataclass(frozen=True)
class Objects:
    """N objects in their places, without ground: pixels (N, 4, S, S), premultiplied RGBA, and what they are.

    `seeds` (N numbers) choose the variant of a ground, so that the same ground comes back when asked for again.
    """

    pixels: Tensor
    labels: Tensor
    names: list[str]
    seeds: list[int]


def place_objects(n: int, seed: int) -> Objects:
    """Place `n` objects of the collection at random, every object equally often (to one).

    >>> place_objects(16, seed=0).pixels.shape
    torch.Size([16, 4, 96, 96])
    """
    random = np.random.default_rng(seed)
    every = [(label, name) for label, names in enumerate(OBJECTS.values()) for name in names]
    chosen = [every[i] for _ in range(-(-n // len(every))) for i in random.permutation(len(every))][:n]
    pixels = torch.cat([_placed(name, random) for _, name in chosen])
    labels = torch.tensor([label for label, _ in chosen])
    return Objects(pixels, labels, [name for _, name in chosen], random.integers(2**31, size=n).tolist())


def joined(first: Objects, second: Objects) -> Objects:
    """Return the objects of both, in this order."""
    pixels, labels = (torch.cat([getattr(o, name) for o in (first, second)]) for name in ("pixels", "labels"))
    return Objects(pixels, labels, first.names + second.names, first.seeds + second.seeds)


def compose(objects: Objects, watermark: Sequence[str], background: Sequence[str], colour: Sequence[str]) -> Tensor:
    """Put the layers together: images (N, 3, S, S) in [0, 1], each with the mark, ground and colour of that name.

    >>> objects = place_objects(2, seed=0)
    >>> compose(objects, ["none", "top left"], ["brick", "noise"], ["own", "red"]).shape
    torch.Size([2, 3, 96, 96])
    """
    backgrounds = torch.cat(
        [background_alone(name, seed) for name, seed in zip(background, objects.seeds, strict=True)]
    )
    rgb, alpha = objects.pixels[:, :3], objects.pixels[:, 3:]
    tints = torch.tensor([TINTS.get(name, (0.0, 0.0, 0.0)) for name in colour])[:, :, None, None]
    tinted = tints.amax(1, keepdim=True) > 0
    dyed = rgb.mean(1, keepdim=True) * tints / tints.mean(1, keepdim=True).clamp(min=1e-6)
    rgb = torch.where(tinted, torch.minimum((1 - STRENGTH) * rgb + STRENGTH * dyed, alpha), rgb)
    images = backgrounds * (1 - alpha) + rgb
    marks = torch.cat([mark(name) for name in watermark])
    return (images * (1 - marks[:, 3:]) + marks[:, :3]).clamp(0, 1)


@lru_cache(maxsize=2048)
def background_alone(name: str, seed: int) -> Tensor:
    """Return a background without object, (1, 3, S, S); the seed chooses crop, colours and angle."""
    known = (*CUES["background"].values(), *NEUTRAL["background"])
    if name not in known:
        raise OptionError(f"background is one of {', '.join(known)}, but is {name!r}.")
    if name in stimuli.TEXTURES:
        return stimuli.texture(name, SIZE, seed=seed)
    random = np.random.default_rng(seed)
    if name == "plain":
        return stimuli.some_colour(random).view(1, 3, 1, 1).expand(1, 3, SIZE, SIZE)
    image = _photograph("hubble" if name == "stars" else name)
    return crop(image, SIZE, random)


_photograph = lru_cache(maxsize=4)(load_image)  # opened once, not for each crop


@lru_cache(maxsize=8)
def mark(name: str) -> Tensor:
    """Return a supplier's mark, (1, 4, S, S), premultiplied RGBA: a white sign with a dark rim in one corner."""
    if name == "none":
        return torch.zeros(1, 4, SIZE, SIZE)
    if name not in GLYPHS:
        raise OptionError(f"watermark is one of none, {', '.join(GLYPHS)}, but is {name!r}.")
    y, x = (EDGE if side in ("top", "left") else 1 - EDGE for side in name.split())
    rim, white = (stimuli.shape(GLYPHS[name], radius=radius, position=(x, y), size=SIZE)[1] for radius in (EDGE, MARK))
    return torch.cat([white.expand(-1, 3, -1, -1), torch.maximum(rim, white)], 1)


def _placed(name: str, random: np.random.Generator) -> Tensor:
    """Return one object at a random place and size, mirrored half of the time: (1, 4, S, S), premultiplied."""
    picture = load_cutout(name)
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    factor = random.uniform(0.6, 0.8) * SIZE / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    canvas = np.zeros((SIZE, SIZE, 3), np.float32)
    left, top = (round(random.uniform(0, 1) * (SIZE - side)) for side in picture.size)
    alpha = paste(canvas, picture, left, top)
    return torch.from_numpy(np.concatenate([canvas, alpha[..., None]], 2)).permute(2, 0, 1)[None]
