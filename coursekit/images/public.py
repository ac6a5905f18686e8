"""Public data sets of pictures, fetched once through torchvision where there is a network."""

import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursekit.errors import DataUnavailable, OptionError
from coursekit.files import cache_folder
from coursekit.interrupts import importing

# name -> megabytes to download, folder that torchvision makes, folder of the classes inside it
DATASETS = {
    "dtd": (600, "dtd", "dtd/images"),  # Cimpoi et al., Describing textures in the wild, CVPR 2014: 47 textures
    "imagenette": (100, "imagenette2-160", "val"),  # ten classes of ImageNet, 160 pixels
}


def public_folder(dataset: str, concept: str) -> Path:
    """Return the folder with a concept's pictures, for `ck.concept_folder`; the data set is downloaded once.

    Parameters
    ----------
    dataset : "dtd", the textures of Kim et al. 2018 (striped, dotted, zigzagged, chequered, …), 600 MB; or
        "imagenette", photographs of ten classes of ImageNet (church, golf ball, tench, …), 100 MB.
    concept : one of its classes.

    Raises
    ------
    OptionError
        No such data set, or no such class in it.
    DataUnavailable
        It is not on this machine and could not be fetched. Nothing half-written stays.

    With a network: `striped = ck.concept_folder(ck.public_folder("dtd", "striped"))`.
    """
    if dataset not in DATASETS:
        raise OptionError(f"dataset is one of {', '.join(DATASETS)}, but is {dataset!r}.")
    _, name, inside = DATASETS[dataset]
    root = cache_folder().parent / "datasets"
    if not (root / name).is_dir():
        _fetch(dataset, root)
    try:
        folders = {folder.name: folder for folder in sorted((root / name / inside).iterdir()) if folder.is_dir()}
        if dataset == "imagenette":
            found = _open("imagenette", root)
            folders = {names[0]: folders[wnid] for wnid, names in zip(found.wnids, found.classes, strict=True)}
        if not folders:
            raise FileNotFoundError(f"{root / name / inside} is empty")
    except (OSError, RuntimeError, KeyError, ValueError) as error:  # half unpacked, or another user's
        raise DataUnavailable(
            f"The data set {dataset!r} in {root / name} is incomplete or cannot be read ({error}): delete that folder, "
            f"and it is fetched again."
        ) from None
    if concept not in folders:
        raise OptionError(f"{dataset} has no class {concept!r}; it has {', '.join(folders)}.")
    return folders[concept]


def _open(dataset: str, root: Path, download: bool = False) -> Any:  # torchvision has no types
    with importing():
        from torchvision import datasets

    if dataset == "dtd":
        return datasets.DTD(root, download=download)
    return datasets.Imagenette(root, "val", "160px", download=download)


@contextmanager
def _kept_inside() -> Iterator[None]:
    """Let no archive write outside of its folder, by `..`, a path from the root, or a link."""
    before = tarfile.TarFile.extraction_filter
    tarfile.TarFile.extraction_filter = staticmethod(tarfile.data_filter)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


def _fetch(dataset: str, root: Path) -> None:
    """Download into a temporary folder, then move what was unpacked: an interrupt leaves nothing behind."""
    megabytes, name, _ = DATASETS[dataset]
    temporary = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=root, prefix=f"{name}-", suffix=".part"))
        with _kept_inside():
            _open(dataset, temporary, download=True)  # torchvision checks the MD5 that was published
        for archive in temporary.rglob("*gz"):
            archive.unlink()
        os.replace(temporary / name, root / name)
    except (OSError, RuntimeError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise DataUnavailable(
            f"The data set {dataset!r} ({megabytes} MB) could not be fetched: {error}. Try again with a network, or "
            f"unpack it by hand, so that there is a folder {root / name}"
        ) from error
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
