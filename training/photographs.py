"""Fetch the photographs that the course's networks are trained on, from Debian's packages.

    python training/photographs.py            # into build/training/photographs, about 300 pictures

They stay out of the repository: each package has its own licence, and only the trained weights are shipped. Needs
`apt-get` and `dpkg` (Debian or Ubuntu). A picture is scaled to at most 1024 pixels. About one in seven is held out: no
network of ours sees a pixel of it in training.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build/training/photographs"
LONGEST = 1024  # pixels

# Package -> the folders (or Qt resource files) in it that hold photographs.
PACKAGES = {
    "gcompris-qt-data": [
        f"usr/share/gcompris-qt/rcc/{name}.rcc"
        for name in (
            "categorization",
            "clickgame",
            "details",
            "erase",
            "explore_farm_animals",
            "explore_monuments",
            "explore_world_animals",
            "explore_world_music",
            "paintings",
        )
    ],
    "gnome-backgrounds": ["usr/share/backgrounds/gnome"],
    "mate-backgrounds": ["usr/share/backgrounds/mate"],
    "plasma-workspace-wallpapers": ["usr/share/wallpapers"],
    "ukui-wallpapers": ["usr/share/backgrounds"],
    "lomiri-wallpapers-16.04": ["usr/share"],
    "lomiri-wallpapers-20.04": ["usr/share"],
    "darknet": ["usr/share/darknet/data"],
    "palapeli-data": ["usr/share/palapeli/collection", "usr/share/palapeli/backgrounds"],
}


def photographs() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the photographs to train on and those held out, uint8 (H, W, 3) each.

    The pictures that come with the course's packages (chelsea, coffee, …) are trained on, for students will look at
    them, except `motorcycle`, `retina` and `hubble`.
    """
    import coursekit as ck

    training, held_out = [], []
    paths = sorted(FOLDER.glob("*.jpg"))
    if not paths:
        sys.exit(f"No photographs in {FOLDER}: run python training/photographs.py first.")
    for path in paths:
        group = held_out if is_held_out(path.name) else training
        group.append(np.array(Image.open(path).convert("RGB")))
    for name in ck.photographs():
        group = held_out if name in ("motorcycle", "retina", "hubble") else training
        group.append((ck.load_image(name)[0].permute(1, 2, 0) * 255).round().byte().numpy())
    return training, held_out


def is_held_out(name: str) -> bool:
    """Decide by the hash of the name, so that a photograph never changes sides when others come or go."""
    return hashlib.sha256(name.encode()).digest()[0] % 7 == 0


def main() -> None:
    """Download every package, take the photographs out of it, and write each once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    seen: list[np.ndarray] = []
    for package, places in PACKAGES.items():
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run(["apt-get", "download", package], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
            (archive,) = Path(scratch).glob("*.deb")
            subprocess.run(["dpkg", "-x", archive, scratch], check=True)
            for stem, picture in _pictures(Path(scratch), places):
                thumbnail = np.asarray(picture.convert("L").resize((8, 8)), float)
                again = any(np.abs(thumbnail - other).mean() < 8 for other in seen)  # wallpapers come in many sizes
                if not again and _is_photographic(picture):
                    seen.append(thumbnail)
                    picture.save(FOLDER / f"{package}-{stem}.jpg", quality=92)
    print(f"{len(seen)} photographs in {FOLDER}, {sum(is_held_out(p.name) for p in FOLDER.glob('*.jpg'))} held out")


def _pictures(folder: Path, places: list[str]) -> Iterator[tuple[str, Image.Image]]:
    """Yield name and picture, the largest versions first."""
    found = []
    for place in places:
        if place.endswith(".rcc"):
            found += [
                (f"{Path(place).stem}-{i:03}", data) for i, data in enumerate(_webp((folder / place).read_bytes()))
            ]
        else:
            files = [path for path in (folder / place).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
            files.sort(key=lambda path: -path.stat().st_size)
            found += [("-".join(path.relative_to(folder / place).with_suffix("").parts), path) for path in files]
    for stem, source in found:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if min(picture.size) < 200 or picture.mode in ("RGBA", "LA", "P"):
                continue  # small, or a drawing with a transparent ground
            picture.draft("RGB", (2 * LONGEST, 2 * LONGEST))
            picture = picture.convert("RGB")
            picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            yield stem, picture


def _webp(data: bytes) -> Iterator[bytes]:
    """Cut the WebP files out of a Qt resource file: each is RIFF, its length, WEBP."""
    start = data.find(b"RIFF")
    while start >= 0:
        length = int.from_bytes(data[start + 4 : start + 8], "little") + 8
        if data[start + 8 : start + 12] == b"WEBP":
            yield data[start : start + length]
        start = data.find(b"RIFF", start + 4)


def _is_photographic(picture: Image.Image) -> bool:
    """Tell a photograph from a gradient or a flat drawing: most of its neighbouring pixels differ."""
    grey = np.asarray(picture.convert("L"), float)
    return (np.abs(np.diff(grey, axis=1)) > 1).mean() > 0.15


if __name__ == "__main__":
    main()
