"""Break files on purpose, and count what the readers of the course make of them.

    python fuzz.py images 60000 --seed 3     # from tests/helpers, with PYTHONPATH=../..:.

A reader gives a right answer or one of coursekit's own errors. Anything else is "raw"; more than two seconds of the
processor's time are "slow".
"""

import argparse
import io
import random
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

import coursekit as ck
from coursekit.networks.weights import Checkpoint, read

SLOW = 2.0  # seconds


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Change, drop, repeat or insert a few bytes, or cut the file off."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at, kind = draw.randrange(len(data)), draw.randrange(7)
        if draw.random() < 0.5:
            at = min(at, draw.randrange(64))  # the header decides most
        if kind == 0:
            data[at] = draw.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            del data[at : at + draw.choice((1, 4, 40))]
        elif kind == 3:
            data[at:at] = bytes(draw.randrange(256) for _ in range(draw.choice((1, 4, 40))))
        elif kind == 4:
            data[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"))
        elif kind == 5:
            data[at:at] = data[at : at + 64]
        else:
            del data[at:]
    return bytes(data)


def picture_files() -> list[bytes]:
    """Return small pictures in every format and mode that `load_image` opens."""
    values = np.random.default_rng(0).integers(0, 256, (24, 31, 4), np.uint8)
    picture, files = Image.fromarray(values, "RGBA"), []
    Image.init()
    kinds = [(kind, mode) for kind in ("PNG", "TIFF") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    kinds += [("JPEG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("WEBP", "RGBA"), ("GIF", "P")]
    kinds += [("BMP", "RGB"), ("BMP", "P"), ("ICO", "RGBA"), ("PPM", "RGB"), ("AVIF", "RGB")]
    for kind, mode in kinds:
        if kind not in Image.SAVE:  # AVIF, in some builds of Pillow
            continue
        grey = Image.fromarray(values[..., 0].astype(np.uint16) * 257) if mode == "I;16" else None
        file = io.BytesIO()
        exif = Image.Exif()
        exif[274] = 6  # turned
        more = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}
        (grey or picture.convert("RGB").convert(mode) if mode not in ("RGBA", "LA") else picture.convert(mode)).save(
            file, kind, **more
        )
        files.append(file.getvalue())
    return files


def images(n: int, seed: int) -> Counter:
    """Open n mutated pictures; count what came of it, and each kind of raw error with its first place."""
    draw, files, counts = random.Random(seed), picture_files(), Counter()
    for _ in range(n):
        content = mutated(draw.choice(files), draw)
        with counted(counts), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = ck.load_image(content, size=draw.choice((None, None, 16, (5, 40))))
            fine = image.ndim == 4 and image.shape[:2] == (1, 3) and image.min() >= 0 and image.max() <= 1
            counts["right" if fine else "wrong"] += 1
    return counts


def weights(folder: Path, n: int, seed: int, kind: str) -> Counter:
    """Read n mutated files of weights without a published checksum; "wrong": opened, and a number is not finite."""
    draw, counts = random.Random(seed), Counter()
    tensors = {"conv.weight": torch.rand(4, 3, 3, 3), "bn.running_var": torch.rand(4), "bn.steps": torch.tensor(7)}
    whole = folder / f"whole.{kind}"
    save_file(tensors, whole) if kind == "safetensors" else torch.save(tensors, whole)
    content, path = whole.read_bytes(), folder / f"net.{kind}"
    for _ in range(n):
        path.write_bytes(mutated(content, draw))
        checkpoint = Checkpoint("net", str(path), "", 0.0, "none")  # without URL and package: a file that lies here
        with counted(counts), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = read(checkpoint)
            counts["right" if all(tensor.isfinite().all() for tensor in state.values()) else "wrong"] += 1
    return counts


@contextmanager
def counted(counts: Counter) -> Iterator[None]:
    """Count what the block raises, and whether it takes long."""
    start = time.process_time()
    try:
        yield
    except ck.CoursekitError:
        counts["refused"] += 1
    except Exception as error:
        counts["raw"] += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        counts[f"raw: {type(error).__name__} in {place.filename.split('/')[-1]}:{place.lineno}"] += 1
    counts["slow"] += time.process_time() - start > SLOW
    counts["tried"] += 1


def main() -> None:
    """Run one kind of files and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["images", "pth", "safetensors"])
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.what == "images":
            counts = images(options.n, options.seed)
        else:
            counts = weights(Path(folder), options.n, options.seed, options.what)
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")


if __name__ == "__main__":
    main()
