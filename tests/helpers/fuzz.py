"""Break files on purpose, and count what the readers of the course make of them.

    make fuzz                                      every reader, 100,000 files in all
    python tests/helpers/fuzz.py images 60000 --seed 3     one; with PYTHONPATH=.:tools:tests/helpers

A reader gives a right answer or one of the course's own errors. Anything else is "raw"; "wrong" is an answer that is
not what it should be; more than two seconds of the processor's time are "slow". `--keep` adds the counts to fuzzed.json
beside this file, from which tools/reliability.py writes docs/reliability.md.
"""

import argparse
import copy
import io
import json
import math
import os
import random
import shutil
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from scratch import make_course

import coursekit as ck
import mark
import notebooks
import slides
import student
import website
from coursekit import files
from coursekit.files import manifest
from coursekit.images import public
from coursekit.labs.detective import sealing, table
from coursekit.networks.weights import Checkpoint, read

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("fuzzed.json")
OWN = (ck.CoursekitError, notebooks.LabError)
SLOW = 2.0  # seconds
PORTION = 1000  # files, after which the counts are kept


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


# What stands where something else should, in a file that is still JSON.
ODD = (None, True, -1, 0, 1e308, 10**400, math.nan, math.inf, "", "x", "\ud800", "../x", "<!--", [], [[]], {}, {"x": 1})


def bent(record: object, draw: random.Random) -> object:
    """Change, drop, rename or repeat a few parts of what a JSON file holds."""
    record = copy.deepcopy(record)
    for _ in range(draw.choice((1, 1, 2, 4))):
        inside = record
        while isinstance(inside, (dict, list)) and inside:
            keys = list(inside) if isinstance(inside, dict) else range(len(inside))
            key = draw.choice(keys)
            if not isinstance(inside[key], (dict, list)) or not inside[key] or draw.random() < 0.25:
                kind = draw.randrange(4)
                if kind == 0:
                    del inside[key]
                elif kind == 1 and isinstance(inside, dict):
                    inside[draw.choice(("", "x", key + "s"))] = inside.pop(key)
                elif kind == 2 and isinstance(inside, list):
                    inside.append(inside[key])
                else:
                    inside[key] = copy.deepcopy(draw.choice(ODD))
                break
            inside = inside[key]
    return record


def broken(content: bytes, draw: random.Random) -> bytes:
    """Break a JSON file: its bytes, or what it holds."""
    if draw.random() < 0.5:
        return mutated(content, draw)
    return json.dumps(bent(json.loads(content), draw)).encode(errors="replace")


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


def archives(folder: Path, n: int, seed: int) -> Counter:
    """Unpack n mutated or hostile archives of a public data set, as after a download; "wrong": a file outside."""
    draw, counts = random.Random(seed), Counter()
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "JPEG")
    for i in range(n):
        root = folder / str(i)
        content = mutated(archive(picture.getvalue(), draw), draw) if i % 2 else archive(picture.getvalue(), draw)

        def served(dataset, root, download=False, content=content):
            if download:
                root.mkdir(parents=True, exist_ok=True)
                (root / "dtd.tar.gz").write_bytes(content)
                with tarfile.open(root / "dtd.tar.gz") as tar:
                    tar.extractall(root / "dtd")

        with (
            counted(counts),
            mock.patch.object(public, "_open", served),
            mock.patch.dict(os.environ, TORCH_HOME=str(root)),
        ):
            counts["right" if ck.public_folder("dtd", "striped").is_dir() else "wrong"] += 1
        inside = root / "hub" / "datasets"
        strangers = [p for p in folder.rglob("*evil*") if not p.is_relative_to(inside)]
        counts["wrong"] += bool(strangers or (inside.is_dir() and list(inside.glob("*.part"))))
        shutil.rmtree(root, ignore_errors=True)
        for path in strangers:
            path.unlink()
    return counts


def archive(picture: bytes, draw: random.Random) -> bytes:
    """Return a .tar.gz of a few pictures; in three of four cases one member leads out of the folder."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for i in range(3):
            info = tarfile.TarInfo(f"dtd/images/striped/{i}.jpg")
            info.size = len(picture)
            tar.addfile(info, io.BytesIO(picture))
        kind = draw.randrange(4)
        if kind == 1:
            info = tarfile.TarInfo(draw.choice(("../../evil", "/tmp/coursekit-evil", "dtd/../../../evil")))
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
        elif kind >= 2:
            info = tarfile.TarInfo("dtd/link")
            info.type = tarfile.SYMTYPE if kind == 2 else tarfile.LNKTYPE
            info.linkname = draw.choice(("../../../..", "/etc", "/etc/passwd"))
            tar.addfile(info)
            info = tarfile.TarInfo("dtd/link/evil")
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
    return content.getvalue()


def manifests(folder: Path, n: int, seed: int) -> Counter:
    """Read n broken copies of data/manifest.json, of a few entries."""
    draw, counts = random.Random(seed), Counter()
    entries = json.loads((ROOT / "data/manifest.json").read_text("utf8"))["files"]
    kept = {entry["file"].split("/")[0]: entry for entry in entries}
    content = json.dumps({"files": list(kept.values())}).encode()
    for _ in range(n):
        (folder / "manifest.json").write_bytes(broken(content, draw))
        with counted(counts):
            found = manifest(folder)
            fine = all(isinstance(entry["file"], str) and ".." not in entry["file"].split("/") for entry in found)
            counts["right" if fine else "wrong"] += 1
    return counts


def tables(folder: Path, n: int, seed: int) -> Counter:
    """Read n broken scoreboards, randomisation tests and tables of lab 16, and print what was read."""
    draw, counts = random.Random(seed), Counter()
    row = {"energy": [0.5, 0.25], "deletion": [0.5]}
    board = ck.Scoreboard("net", ["hen", "cat"], {"cam": row, "edges": row}, {"fullgrad": "no"}, {"network": 7})
    line = {measure: [[0.5, 0.25]] for measure in ck.RandomisationTest("", "", [], [], []).measures}
    test = ck.RandomisationTest("net", "cascading", ["fc"], [0, 1], ["hen", "cat"], {"cam": {"0": line, "1": line}})
    board.save(folder / "board.json")
    test.save(folder / "test.json")
    kinds = [((folder / f"{name}.json").read_bytes(), kind.load) for name, kind in
             (("board", ck.Scoreboard), ("test", ck.RandomisationTest))]  # fmt: skip
    (folder / "detective").mkdir(exist_ok=True)
    for name, load in (("methods", table.stored_cases), ("sealed", lambda: sealing.sealed.__wrapped__())):
        content = (ROOT / f"data/detective/{name}.json").read_bytes()
        kinds.append((content, lambda path, name=name, load=load: in_data(folder, path, name, load)))
    path = folder / "table.json"
    for _ in range(n):
        content, load = draw.choice(kinds)
        path.write_bytes(broken(content, draw))
        with counted(counts):
            counts["wrong" if "nan" in repr(load(path)).lower() else "right"] += 1
    return counts


def in_data(folder: Path, path: Path, name: str, load: Callable[[], object]) -> object:
    """Load a table of lab 16 from a data folder of its own, where no manifest vouches for it."""
    shutil.copy(path, folder / "detective" / f"{name}.json")
    (folder / "manifest.json").write_text('{"files": []}')
    there = [mock.patch.object(module, "DATA", folder) for module in (files, table, sealing)]
    with there[0], there[1], there[2]:
        return load()


def lessons(folder: Path, n: int, seed: int) -> Counter:
    """Read n mutated lessons, and make of each what the tools make: a notebook, a student's copy, slides."""
    draw, counts = random.Random(seed), Counter()
    path = make_course(folder / "course")
    content = path.read_bytes()
    for _ in range(n):
        path.write_bytes(mutated(content, draw))
        with counted(counts):
            nb = notebooks.read_lesson(path)
            notebooks.give_ids(nb)
            notebooks.lesson_text(nb, path)
            notebooks.notebook_text(student.student_copy(nb))
            slides.make_slides(notebooks.build(nb))
            counts["right"] += 1
    return counts


def books(folder: Path, n: int, seed: int) -> Counter:
    """Read n broken notebooks, and make of each what the tools make: the check, slides, a page of the site."""
    draw, counts = random.Random(seed), Counter()
    lesson = make_course(folder / "course")
    nb = notebooks.build(notebooks.read_lesson(lesson))
    picture = io.BytesIO()
    Image.new("L", (8, 8)).save(picture, "PNG")
    shown = {"image/png": notebooks.base64.b64encode(picture.getvalue()).decode(), "text/plain": "grey"}
    for cell in notebooks.code_cells(nb)[:4]:
        out = notebooks.nbformat.v4.new_output("display_data", shown, metadata={"image/png": {"alt": "grey"}})
        cell.outputs = [out, notebooks.nbformat.v4.new_output("stream", text="claim: 0.5 (more than 0.1) ✓")]
    content = notebooks.nbformat.writes(nb).encode()
    path = notebooks.notebook_of(lesson)
    for _ in range(n):
        path.write_bytes(broken(content, draw))
        with counted(counts):
            notebooks.problems(lesson)
            slides.make_deck(notebooks.built_notebook(lesson)) if draw.random() < 0.02 else slides.make_slides(
                notebooks.built_notebook(lesson)
            )
            website.lab_page(lesson)
            counts["right"] += 1
    return counts


def copies(folder: Path, n: int, seed: int) -> Counter:
    """Break a student's copy n times, write the copies anew, and read it as marking does; "wrong": a copy is lost."""
    draw, counts = random.Random(seed), Counter()
    make_course(folder / "course")
    handed = folder / "handed"
    target = handed / "99_scratch.ipynb"
    student.write_copies(folder / "course", handed)
    content = target.read_bytes()
    for _ in range(n):
        given = broken(content, draw)
        target.write_bytes(given)
        with counted(counts):
            said = student.write_copies(folder / "course", handed)
            kept = any(path.read_bytes() == given for path in handed.glob("*.ipynb"))
            fresh = any(b"answer = ..." in path.read_bytes() for path in handed.glob("*.ipynb"))
            counts["right" if (kept or not said) and (fresh or "edited" in said[0]) else "wrong"] += 1
            mark.find_copies(handed)
        for path in handed.glob("*.ipynb"):
            path.unlink()
    return counts


def reports(folder: Path, n: int, seed: int) -> Counter:
    """Hand n reports with odd parts in to lab 16's court; "wrong": more points than nothing earns."""
    draw, counts, case = random.Random(seed), Counter(), ck.case(0)
    odd = [*ODD, ..., "A", "B", "colour", "bird", "occlusion", "gradients", 0.5, torch.tensor(0.5), torch.rand(2), len]
    odd += [lambda model: 0.5, lambda model: math.nan, lambda model: "x", lambda model: torch.rand(3)]
    for _ in range(n):
        with counted(counts), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pick = partial(draw.choice, odd)
            evidence = [ck.Evidence(pick(), pick(), pick()) for _ in range(draw.randrange(4))]
            refutation = ck.Refutation(pick(), pick(), pick()) if draw.random() < 0.7 else pick()
            network, fault, label = (draw.choice((first, first, pick())) for first in ("A", "colour", "bird"))
            evidence = evidence if draw.random() < 0.8 else pick()
            said = ck.verdict(ck.Report(case, network, fault, label, evidence, refutation))
            counts["right" if said.points == 0 and not said.solved and repr(said) else "wrong"] += 1
    return counts


@contextmanager
def counted(counts: Counter) -> Iterator[None]:
    """Count what the block raises, and whether it takes long."""
    start = time.process_time()
    try:
        yield
    except OWN:
        counts["refused"] += 1
    except Exception as error:
        counts["raw"] += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        counts[f"raw: {type(error).__name__} in {place.filename.split('/')[-1]}:{place.lineno}"] += 1
    counts["slow"] += time.process_time() - start > SLOW
    counts["tried"] += 1


# Reader -> (function of a folder, a number and a seed; its share of "all", by the time that one takes)
READERS: dict[str, tuple[Callable[[Path, int, int], Counter], float]] = {
    "images": (lambda folder, n, seed: images(n, seed), 0.35),
    "archives": (archives, 0.04),
    "manifest": (manifests, 0.13),
    "pth": (partial(weights, kind="pth"), 0.08),
    "safetensors": (partial(weights, kind="safetensors"), 0.12),
    "tables": (tables, 0.16),
    "lessons": (lessons, 0.03),
    "notebooks": (books, 0.03),
    "copies": (copies, 0.03),
    "reports": (reports, 0.03),
}


def keep(reader: str, seed: int, counts: Counter) -> None:
    """Add the counts of one run to the file; the same seed again takes the old one's place."""
    kept = json.loads(KEPT.read_text("utf8")) if KEPT.exists() else {}
    kept.setdefault(reader, {})[str(seed)] = dict(sorted(counts.items()))
    KEPT.write_text(json.dumps(kept, indent=None, sort_keys=True).replace("}, ", "},\n ") + "\n", "utf8")


def main() -> int:
    """Run one reader, or all, and print the counts; the exit status is 1 where one is raw, wrong or slow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*READERS, "all"])
    parser.add_argument("n", type=int, help="mutated inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    failed = False
    for name in READERS if options.what == "all" else [options.what]:
        function, share = READERS[name]
        number, sum_of = options.n if options.what != "all" else math.ceil(options.n * share), Counter()
        for seed, done in enumerate(range(0, number, PORTION), options.seed):  # so that an interrupted run is kept
            with tempfile.TemporaryDirectory() as folder:
                counts = function(Path(folder), min(PORTION, number - done), seed)
            sum_of.update(counts)
            if options.keep:
                keep(name, seed, counts)
        failed |= bool(sum_of["raw"] or sum_of["wrong"] or sum_of["slow"])
        print(name, *(f"{count:8} {what}" for what, count in sorted(sum_of.items())), sep="\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
