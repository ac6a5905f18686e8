"""What lies in data/ (sha256, size, licence, origin), stored results, and writing that never leaves half a file."""

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

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


class _Entry(dict):
    """A part of the manifest: what it should hold and does not is a damaged file, not a KeyError."""

    def __missing__(self, key: str) -> None:
        raise damaged(DATA / "manifest.json")


# What an entry of the manifest may say, and of which kind it is.
_ENTRY = {"file": str, "sha256": str, "bytes": int, "licence": str, "origin": str}
_MORE = {"package": str, "made_by": str, "label": str, "class": int, "core": bool, "unseen": bool, "steps": int}
_MORE |= {"styles": list[str], "norm": str, "curve": list, "scores": dict, "by_epsilon": list}


def manifest(data: Path | None = None) -> list[dict]:
    """Return the entries of data/manifest.json; DataUnavailable, which says how to bring it back, if it is damaged."""
    path = (data or DATA) / "manifest.json"
    entries = own_json(path, f"{path} is missing: it belongs to the course itself. Run: {restore()}", {"files": list})
    for entry in entries["files"]:
        known = _ENTRY | {key: kind for key, kind in _MORE.items() if isinstance(entry, dict) and key in entry}
        if not _fits(entry, known) or ".." in Path(entry["file"]).parts or Path(entry["file"]).is_absolute():
            raise damaged(path)
    return [_Entry(entry) for entry in entries["files"]]


@cache
def files(folder: str) -> dict[str, dict]:
    """Return the entries of data/`folder`, by file name without suffix.

    >>> files("cutouts")["zebra"]["label"]
    'zebra'
    """
    return _Entry({Path(entry["file"]).stem: entry for entry in manifest() if entry["file"].startswith(f"{folder}/")})


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
    """Return the path of a stored result; DataUnavailable with the sentence `missing` if there is no such file.

    One that the manifest lists must be the file that the course was validated with.
    """
    if not path.is_file():
        raise DataUnavailable(missing)
    name = path.relative_to(DATA).as_posix() if path.is_relative_to(DATA) else ""
    listed = [entry["sha256"] for entry in manifest() if entry["file"] == name] if name != "manifest.json" else []
    if listed and sha256_of(path) not in listed:
        raise damaged(path)
    return path


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | os.PathLike, record: object) -> None:
    """Write JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf8")


def read_json(kind: type, path: str | os.PathLike, name: str) -> Any:
    """Read what `write_json` wrote of a dataclass; OptionError, with the kind's `name`, if the file holds none.

    Each value must be of the type that the dataclass declares, and each number finite. A dataclass with a method
    `sound` is asked whether its parts fit each other.
    """
    try:
        record = _loaded(Path(path))
        found = kind(**record)
        declared = {name: hint for name, hint in get_type_hints(kind).items() if name in record}
        if (
            not _fits({name: record[name] for name in declared}, declared)
            or not getattr(found, "sound", lambda: True)()
        ):
            raise ValueError("its values are not what such a file holds")
        return found
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise OptionError(f"{str(path)!r} is not a {name} that can be read: {error}.") from None


def own_json(path: Path, missing: str, shape: Any) -> Any:
    """Read a JSON file of the course; DataUnavailable if it is not there (`missing`) or not of that shape.

    A shape is a type (`list[str]`), or a dict of shapes with the same keys.
    """
    path = stored(path, missing)
    try:
        found = _loaded(path)
    except (OSError, ValueError, RecursionError):
        raise damaged(path) from None
    if not _fits(found, shape):
        raise damaged(path)
    return found


def damaged(path: Path) -> DataUnavailable:
    """Return the error that says how to bring a damaged file of the course back."""
    where = path.relative_to(COURSE).as_posix() if path.is_relative_to(COURSE) else "data"
    return DataUnavailable(f"{path} is damaged: it belongs to the course itself. Run: {restore(where)}")


def _loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf8"))


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value that JSON gave has this shape; a number must be finite."""
    if isinstance(shape, dict):
        same = isinstance(value, dict) and value.keys() == shape.keys()
        return same and all(_fits(value[key], inner) for key, inner in shape.items())
    kind, inner = get_origin(shape) or shape, get_args(shape)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return False
    if not inner:
        return True
    return all(_fits(part, inner[-1]) for part in (value.values() if kind is dict else value))


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
