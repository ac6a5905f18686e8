"""Make what our networks are trained on: crops of photographs and composed scenes, each with its teacher's answer.

    python training/crops.py --shards 24      # 24 times 4096 pictures into build/training/crops, 6.5 GB

A shard is made from its own number alone, so it is the same on every machine (to rounding), and a run that was cut
off goes on where it stopped. The teacher is EfficientNet-Lite0 at 224 pixels; its pupil gets the same picture at 144.
"""

import argparse
import os
from functools import cache

import cv2
import numpy as np
import torch
from PIL import Image
from torch.multiprocessing import get_context

import coursekit as ck
from coursekit.files import replacing
from coursekit.images.scenes import cutouts, load_cutout, paste
from coursekit.images.stimuli import TEXTURES, texture
from photographs import ROOT, photographs

FOLDER = ROOT / "build/training/crops"
SHARD, TEACHER_SIZE, SIZE = 4096, 224, 144

UNSEEN = ck.cutouts("unseen")  # never shown in training


def crop(photograph: np.ndarray, random: np.random.Generator, smallest: float = 0.06) -> np.ndarray:
    """Cut a rectangle of 6 to 100 % of the area, scale it to 224 pixels, mirror half of them."""
    height, width = photograph.shape[:2]
    area = np.exp(random.uniform(np.log(smallest), 0)) * height * width
    ratio = np.exp(random.uniform(-0.3, 0.3))
    h, w = (min(round(np.sqrt(area * r)), side) for r, side in ((1 / ratio, height), (ratio, width)))
    top, left = random.integers(height - h + 1), random.integers(width - w + 1)
    piece = photograph[top : top + h, left : left + w]
    method = cv2.INTER_AREA if min(h, w) > TEACHER_SIZE else cv2.INTER_CUBIC
    piece = cv2.resize(piece, (TEACHER_SIZE, TEACHER_SIZE), interpolation=method).astype(np.float32) / 255
    return piece[:, ::-1].copy() if random.random() < 0.5 else piece


def ground(pictures: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Return a canvas: mostly a piece of a photograph, at times a texture or one colour."""
    draw = random.random()
    if draw < 0.65:
        return crop(pictures[random.integers(len(pictures))], random, 0.03)
    if draw < 0.9:
        made = texture(TEXTURES[random.integers(len(TEXTURES))], TEACHER_SIZE, seed=int(random.integers(2**31)))
        return made[0].permute(1, 2, 0).numpy().copy()
    return np.full((TEACHER_SIZE, TEACHER_SIZE, 3), random.uniform(0, 1, 3), np.float32)


def compose(pictures: list[np.ndarray], names: list[str], random: np.random.Generator) -> tuple[np.ndarray, int]:
    """Lay one object (or two, at times) on a ground; return the picture and the class of the last one, -1 for none."""
    canvas, label = ground(pictures, random), -1
    for _ in range(1 + (random.random() < 0.15)):
        name = names[random.integers(len(names))]
        picture = load_cutout(name)
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        side = random.uniform(0.4, 1.05) * TEACHER_SIZE / max(picture.size)
        stretch = np.exp(random.uniform(-0.12, 0.12))
        size = (max(8, round(picture.width * side * stretch)), max(8, round(picture.height * side / stretch)))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
        if random.random() < 0.5:
            picture = picture.rotate(random.uniform(-20, 20), Image.Resampling.BILINEAR, expand=True)
        middle = random.uniform(0.3, 0.7, 2) * TEACHER_SIZE
        paste(canvas, picture, round(middle[0] - picture.width / 2), round(middle[1] - picture.height / 2))
        label = cutouts()[name]
    return canvas, -1 if label is None else label


def shift_colours(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast, saturation and tint a little; one in ten pictures becomes grey."""
    grey = picture.mean(2, keepdims=True)
    saturation = 0 if random.random() < 0.1 else random.uniform(0.6, 1.4)
    picture = grey + saturation * (picture - grey)
    picture = (picture - 0.5) * random.uniform(0.7, 1.3) + 0.5 + random.uniform(-0.15, 0.15)
    return np.clip(picture * random.uniform(0.9, 1.1, 3), 0, 1).astype(np.float32)


def picture(pictures: list[np.ndarray], names: list[str], random: np.random.Generator) -> tuple[np.ndarray, int]:
    """Make one training picture (224, 224, 3) in [0, 1] with the class of its object, -1 where there is none."""
    draw = random.random()
    if draw < 0.45:
        made, label = compose(pictures, names, random)
    elif draw < 0.9:
        made, label = crop(pictures[random.integers(len(pictures))], random), -1
    else:  # a patch of one picture in another: new combinations for a few photographs (Yun et al. 2019)
        made, label = ground(pictures, random), -1
        other, _ = compose(pictures, names, random)
        h, w = random.integers(TEACHER_SIZE // 3, TEACHER_SIZE, 2)
        top, left = random.integers(TEACHER_SIZE - h + 1), random.integers(TEACHER_SIZE - w + 1)
        made[top : top + h, left : left + w] = other[top : top + h, left : left + w]
    return shift_colours(made, random), label


def held_out(n: int, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make test pictures (n, 224, 224, 3) uint8 and their classes.

    kind "photographs": crops of photographs that were held out; "scenes": objects of the training on held-out
    photographs and new textures; "unseen": objects that were kept out of the training, on the same.
    """
    _, pictures = photographs()
    random = np.random.default_rng(seed)
    names = list(UNSEEN) if kind == "unseen" else [name for name in cutouts("labelled") if name not in UNSEEN]
    images = np.empty((n, TEACHER_SIZE, TEACHER_SIZE, 3), np.uint8)
    labels = np.full(n, -1)
    for i in range(n):
        if kind == "photographs":
            made = crop(pictures[random.integers(len(pictures))], random)
        else:
            made, labels[i] = compose(pictures, names, random)
        images[i] = np.clip(made * 255 + 0.5, 0, 255)
    return images, labels


@cache
def teacher() -> tuple[torch.nn.Module, torch.device, torch.dtype]:
    """Return EfficientNet-Lite0 in bfloat16: its logits differ by 0.15 and cost half."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = ck.load_model("efficientnet_lite0").to(device, torch.bfloat16, memory_format=torch.channels_last)
    return network, device, torch.bfloat16


@torch.inference_mode()
def ask_teacher(images: np.ndarray) -> torch.Tensor:
    """Return the teacher's logits (n, 1000), float32, of images (n, H, W, 3), uint8."""
    network, device, dtype = teacher()
    step = 8 if device.type == "cpu" else 256
    batches = torch.from_numpy(images).permute(0, 3, 1, 2).split(step)
    return torch.cat([network(batch.to(device, dtype).div(255)).float().cpu() for batch in batches])


@cache
def _sources() -> tuple[list[np.ndarray], list[str]]:
    return photographs()[0], [name for name in cutouts() if name not in UNSEEN]


def make_shard(number: int) -> None:
    """Write one shard: pupil's images (4096, 144, 144, 3) uint8, teacher's logits float16, classes."""
    path = FOLDER / f"{number:04}.npz"
    if path.exists():
        return
    torch.set_num_threads(1)
    pictures, names = _sources()
    random = np.random.default_rng([2026, number])
    images = np.empty((SHARD, SIZE, SIZE, 3), np.uint8)
    logits, labels = np.empty((SHARD, 1000), np.float16), np.full(SHARD, -1, np.int16)
    for start in range(0, SHARD, 256):
        large = np.empty((256, TEACHER_SIZE, TEACHER_SIZE, 3), np.uint8)
        for i in range(256):
            made, labels[start + i] = picture(pictures, names, random)
            large[i] = (made * 255 + 0.5).astype(np.uint8)
            images[start + i] = cv2.resize(large[i], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        logits[start : start + 256] = ask_teacher(large).numpy()
    with replacing(path) as temporary:
        np.savez(temporary, images=images, logits=logits, labels=labels)


def main() -> None:
    """Make the shards that are missing, in as many processes as there are cores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=24)
    parser.add_argument("--workers", type=int, default=1 if torch.cuda.is_available() else os.cpu_count())
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(options.workers) as pool:
        for done, _ in enumerate(pool.imap_unordered(make_shard, range(options.shards)), 1):
            print(f"{done} of {options.shards} shards", flush=True)


if __name__ == "__main__":
    main()
