"""What lies in data/ (sha256, size, licence, origin), stored results, and writing that never leaves half a file."""

import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import DataUnavailable, OptionError

if TYPE_CHECKING:  # the doctor reads this file where torch is broken
    from torch import Tensor

_PACKAGE = Path(__file__).resolve().parent
ALONE = not (_PACKAGE.parent / "pyproject.toml").is_file()  # installed from a wheel, which carries data/ inside it
COURSE = _PACKAGE if ALONE else _PACKAGE.parent
DATA = COURSE / "data"


def restore(path: str = "data") -> str:
    """Return the command that brings a file of the course back.

    >>> restore("data/manifest.json")
    'git checkout -- data/manifest.json'
    """
    return "pip install --force-reinstall --no-deps coursekit-*.whl" if ALONE else f"git checkout -- {path}"


@cache
def files(folder: str) -> dict[str, dict]:
    """Return the entries of data/`folder`, by file name without suffix.

    >>> files("cutouts")["zebra"]["label"]
    'zebra'
    """
    path = DATA / "manifest.json"
    if not path.is_file():
        raise DataUnavailable(f"{path} is missing: it belongs to the course itself. Run: {restore()}")
    try:
        entries = json.loads(path.read_text(encoding="utf8"))["files"]
        return {Path(entry["file"]).stem: entry for entry in entries if entry["file"].startswith(f"{folder}/")}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataUnavailable(f"{path} is damaged: it belongs to the course itself. Run: {restore()}") from None


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Write a file whole or not at all: yields a path beside it, which takes the name `path` if nothing was raised.

    The temporary name has the same suffix. After an error or an interrupt it is gone, and the old file is as it was.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "numbers.txt")
    >>> with replacing(file) as temporary:
    ...     _ = temporary.write_text("1 2 3")
    >>> file.read_text(), temporary.exists()
    ('1 2 3', False)
    """
    path = Path(path)
    if not path.name or path.is_dir() or not path.parent.is_dir():
        raise OptionError(f"A file cannot be written to {str(path)!r}: give a file name in a folder that exists.")
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def stored(path: Path, missing: str) -> Path:
    """Return the path of a stored result; DataUnavailable with the sentence `missing` if there is no such file."""
    if not path.is_file():
        raise DataUnavailable(missing)
    return path


def write_json(path: str | os.PathLike, record: object) -> None:
    """Write JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf8")


def read_json(kind: type, path: str | os.PathLike, name: str) -> Any:
    """Read what `write_json` wrote of a dataclass; OptionError, with the kind's `name`, if the file holds none."""
    try:
        return kind(**json.loads(Path(path).read_text(encoding="utf8")))
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(f"{str(path)!r} is not a {name} that can be read: {error}.") from None


def continued(path: str | os.PathLike | None, new: Any) -> Any:
    """Return the result in the file, if there is one and it is of the same `subject`, else `new`.

    OptionError if the file is about something else: numbers of two subjects are never mixed.
    """
    if path is None or not Path(path).exists():
        return new
    found = type(new).load(path)
    if differing := [key for key, value in new.subject.items() if found.subject.get(key) != value]:
        raise OptionError(
            f"{str(path)!r} holds results with another {', '.join(differing)}; delete it or give another path."
        )
    return found


def checksum(tensors: Iterable["Tensor"]) -> int:
    """Return a number that changes when any value in the tensors does."""
    value = 0
    for tensor in tensors:
        value = zlib.crc32(tensor.detach().cpu().contiguous().numpy().tobytes(), value)
    return value


def cache_folder() -> Path:
    """Return the folder of downloaded checkpoints: torch.hub's own, so files already there are used."""
    from torch import hub

    return Path(hub.get_dir()) / "checkpoints"
