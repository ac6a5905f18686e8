"""An endless stream of training pictures with their teacher's answers, made as they are needed.

The same photographs and objects as in `crops.py`, cut smaller and warped more: turned, sheared, recoloured, mixed.
Asano & Saeed, *The augmented image prior*, ICLR 2023, teach a whole network with crops of a single photograph so.
"""

from pathlib import Path

import cv2
import numpy as np

import crops
from coursekit.files import replacing
from photographs import ROOT

FOLDER = ROOT / "build/training/stream"
SHARD, SMALLEST = 2048, 0.025  # pictures in a file; the smallest crop, as a part of the photograph


def warp(piece: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Turn a picture by up to 30 degrees and shear it; what lies outside is its mirror image."""
    side = piece.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), random.uniform(-30, 30), np.exp(random.uniform(0, 0.25)))
    shear = np.array([[1, random.uniform(-0.25, 0.25)], [random.uniform(-0.25, 0.25), 1]])
    matrix = shear @ turn[:, :2]
    centre = np.array([side / 2, side / 2])
    matrix = np.hstack([matrix, (centre - matrix @ centre)[:, None]])
    return cv2.warpAffine(piece, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def recolour(piece: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shift colours, gamma and sharpness; at times the three channels change places."""
    piece = crops.shift_colours(piece, random) ** np.exp(random.uniform(-0.35, 0.35))
    if random.random() < 0.1:
        piece = piece[..., random.permutation(3)]
    if random.random() < 0.15:
        piece = cv2.GaussianBlur(piece, (0, 0), random.uniform(0.5, 2.0))
    return piece


def picture(pictures: list[np.ndarray], names: list[str], random: np.random.Generator) -> tuple[np.ndarray, int]:
    """Make one picture (224, 224, 3) in [0, 1] with the class of its object, -1 where there is none."""
    draw, label = random.random(), -1
    if draw < 0.35:
        made, label = crops.compose(pictures, names, random)
    elif draw < 0.85:
        made = crops.crop(pictures[random.integers(len(pictures))], random, SMALLEST)
        made = warp(made, random) if random.random() < 0.5 else made
    else:  # two pictures, one laid over the other (Zhang et al. 2018) or a patch of it in the other (Yun et al. 2019)
        made = crops.crop(pictures[random.integers(len(pictures))], random, SMALLEST)
        other = crops.compose(pictures, names, random)[0]
        if draw < 0.93:
            made = made + random.uniform(0.2, 0.8) * (other - made)
        else:
            h, w = random.integers(crops.TEACHER_SIZE // 3, crops.TEACHER_SIZE, 2)
            top, left = (random.integers(crops.TEACHER_SIZE - side + 1) for side in (h, w))
            made[top : top + h, left : left + w] = other[top : top + h, left : left + w]
    return np.ascontiguousarray(recolour(made, random), np.float32), label


def shard(number: int) -> Path:
    """Return the file of that number, made now unless it is there: it depends on the number alone.

    It holds the pupil's images (2048, 144, 144, 3) uint8, the teacher's logits in float16, and the classes.
    """
    path = FOLDER / f"{number:05}.npz"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    pictures, names = crops._sources()
    random = np.random.default_rng([2027, number])
    images = np.empty((SHARD, crops.SIZE, crops.SIZE, 3), np.uint8)
    logits, labels = np.empty((SHARD, 1000), np.float16), np.full(SHARD, -1, np.int16)
    for start in range(0, SHARD, 256):
        large = np.empty((256, crops.TEACHER_SIZE, crops.TEACHER_SIZE, 3), np.uint8)
        for i in range(256):
            made, labels[start + i] = picture(pictures, names, random)
            large[i] = (made * 255 + 0.5).clip(0, 255)
            images[start + i] = cv2.resize(large[i], (crops.SIZE, crops.SIZE), interpolation=cv2.INTER_AREA)
        logits[start : start + 256] = crops.ask_teacher(large).numpy()
    with replacing(path) as temporary:
        np.savez(temporary, images=images, logits=logits, labels=labels)
    return path


def forget(before: int) -> None:
    """Remove the files of smaller numbers than that: they will not be asked for again."""
    for path in FOLDER.glob("*.npz"):
        if int(path.stem) < before:
            path.unlink()
