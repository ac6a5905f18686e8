"""What the results of long measurements share: a table as text and HTML, a file that is never half written or mixed."""

import json
import os
import zlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from torch import Tensor

from coursekit.errors import OptionError


def text_table(heading: str, table: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Lay out a table of strings, its first row the head, in aligned columns."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([heading, *lines, *notes])


def html_table(heading: str, table: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Write the same table as HTML, with its heading as the caption and row and column heads for screen readers."""
    head, *rows = [[escape(cell) for cell in row] for row in table]
    columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' for name, *cells in rows
    )
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    caption = f"<caption>{escape(heading)}</caption>"
    return f"<table>{caption}<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>{below}"


def write_json(path: str | os.PathLike, record: object) -> None:
    """Write JSON under a temporary name first, so that an interrupt never leaves half a file."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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


def checksum(tensors: Iterable[Tensor]) -> int:
    """Return a number that changes when any value in the tensors does."""
    value = 0
    for tensor in tensors:
        value = zlib.crc32(tensor.detach().cpu().contiguous().numpy().tobytes(), value)
    return value
