"""What lies in the course's folder data/: every file with its sha256, size, licence and origin."""

import json
from functools import cache
from pathlib import Path

from coursekit.errors import DataUnavailable

DATA = Path(__file__).resolve().parent.parent / "data"


@cache
def files(folder: str) -> dict[str, dict]:
    """Return the entries of data/`folder`, by file name without suffix.

    >>> files("cutouts")["zebra"]["label"]
    'zebra'
    """
    path = DATA / "manifest.json"
    if not path.is_file():
        raise DataUnavailable(
            f"{path} is missing: coursekit needs the course's own folder. Install it from there: pip install -e ."
        )
    entries = json.loads(path.read_text(encoding="utf8"))["files"]
    return {Path(entry["file"]).stem: entry for entry in entries if entry["file"].startswith(f"{folder}/")}
