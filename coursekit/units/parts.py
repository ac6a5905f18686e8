"""Where on an object does a filter look? Scenes that remember how the cut-out was laid, and places in its own frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from coursekit.arguments import check_maps, check_shape
from coursekit.errors import ImageError, OptionError
from coursekit.images.scenes import background_of, cutouts, fit, load_cutout, paste
from coursekit.networks.model import Model
from coursekit.probe.capture import activations


@dataclass(frozen=True)
class PartScenes:
    """Scenes of one cut-out each: images (N, 3, H, W), boxes (N, 4), mirrored (N,) bool, the objects' names.

    A box is (top, left, height, width) of the whole cut-out in pixels.
    """

    images: Tensor
    boxes: Tensor
    mirrored: Tensor
    objects: list[str]

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"{len(self)} scenes of {len(set(self.objects))} distinct objects"


def part_scenes(n: int, objects: Sequence[str], *, seed: int = 0, size: int = 96) -> PartScenes:
    """Compose `n` scenes of the objects in turn, at random place, size (0.5 to 0.85 of the picture) and ground.

    Half of them are mirrored. Unlike `scenes`, the result says where each cut-out lies and whether it was mirrored.

    >>> part_scenes(6, ["zebra", "hen"])
    6 scenes of 2 distinct objects
    """
    if not objects:
        raise OptionError("There is no object to compose: objects is empty.")
    if unknown := [name for name in objects if name not in cutouts()]:
        raise ImageError(f"No cut-out is called {unknown[0]!r}; see ck.cutouts().")
    random = np.random.default_rng(seed)
    images, boxes, mirrored = [], [], []
    for i in range(n):
        canvas = background_of(None, size, random)
        picture, flip = load_cutout(objects[i % len(objects)]), bool(random.random() < 0.5)
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else picture
        side = random.uniform(0.5, 0.85) * size
        picture = fit(picture, side, side)
        left, top = (int(random.integers(0, size - length + 1)) for length in picture.size)
        paste(canvas, picture, left, top)
        images.append(torch.from_numpy(canvas.transpose(2, 0, 1).copy()).clamp(0, 1))
        boxes.append([top, left, picture.height, picture.width])
        mirrored.append(flip)
    names = [objects[i % len(objects)] for i in range(n)]
    return PartScenes(torch.stack(images), torch.tensor(boxes), torch.tensor(mirrored), names)


def part_places(model: Model, scenes: PartScenes, layer: str) -> tuple[Tensor, Tensor]:
    """Find the peak of every channel in every scene, in the frame of the cut-out: (N, K, 2) and its height (N, K).

    Row and column run from 0 to 1 over the cut-out's box, turned back where it was mirrored; a peak outside lies
    below 0 or above 1.

    >>> import coursekit as ck
    >>> places, heights = part_places(ck.load_model("coursenet"), part_scenes(2, ["hen"], size=128), "relu5")
    >>> places.shape, heights.shape
    (torch.Size([2, 256, 2]), torch.Size([2, 256]))
    """
    maps = activations(model, scenes.images, [layer], reduce=lambda a: check_maps(a, layer))[layer].float().cpu()
    rows, columns = maps.shape[2:]
    heights, place = maps.flatten(2).max(2)
    size = torch.tensor(scenes.images.shape[2:])
    peak = torch.stack([(place // columns + 0.5) / rows, (place % columns + 0.5) / columns], 2) * size
    places = (peak - scenes.boxes[:, None, :2]) / scenes.boxes[:, None, 2:]
    places[..., 1] = torch.where(scenes.mirrored[:, None], 1 - places[..., 1], places[..., 1])
    return places, heights


def part_spread(places: Tensor, heights: Tensor, objects: Sequence[str], *, share: float = 0.5) -> Tensor:
    """Return how far the peaks of a channel scatter on an object, (K, C): their root mean square distance to the mean.

    The unit is the side of the cut-out's box. Only scenes count in which the channel reaches `share` of its own highest
    peak; a channel that does so in fewer than five scenes of an object gets nan there. Objects in alphabetic order.

    >>> two = torch.tensor([[0.1, 0.5], [0.3, 0.5]]).repeat(3, 1)[:, None]
    >>> part_spread(two, torch.ones(6, 1), ["hen"] * 6)
    tensor([[0.1000]])
    """
    names = np.array(objects)
    heights = check_shape("heights", heights, len(names), "channels")
    places = check_shape("places", places, *heights.shape, 2)
    spread = torch.full((heights.shape[1], len(set(objects))), torch.nan)
    strong = heights >= share * heights.amax(0).clamp(min=1e-6)
    for c, name in enumerate(sorted(set(objects))):
        mine = torch.from_numpy(names == name)
        for k in range(heights.shape[1]):
            points = places[mine & strong[:, k], k]
            if len(points) >= 5:
                spread[k, c] = (points - points.mean(0)).pow(2).sum(1).mean().sqrt()
    return spread


def cutout_picture(name: str, *, size: int = 200) -> Tensor:
    """Return a cut-out alone on white, (1, 3, h, w), its longer side `size` pixels: the frame of `part_places`.

    >>> cutout_picture("giraffe", size=64).shape[2]
    64
    """
    if name not in cutouts():
        raise ImageError(f"No cut-out is called {name!r}; see ck.cutouts().")
    picture = fit(load_cutout(name), size, size)
    canvas = np.ones((picture.height, picture.width, 3), np.float32)
    paste(canvas, picture, 0, 0)
    return torch.from_numpy(canvas.transpose(2, 0, 1).copy())[None].clamp(0, 1)
