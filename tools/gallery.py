"""Write a picture of each lab for the README, with `python tools/gallery.py`.

It takes the first image of the cell tagged "gallery", writes it to gallery/ under the name of the lab, and prints
Markdown that shows it.
"""

import base64
import sys
from pathlib import Path

from notebooks import PICTURES, ROOT, LabError, built_notebook, code_cells, find_lessons


def write_gallery(root: Path, folder: Path) -> list[str]:
    """Write the pictures into the folder; return a line of Markdown for each."""
    shown = []
    for lesson in find_lessons(root):
        tagged = [cell for cell in code_cells(built_notebook(lesson)) if "gallery" in cell.metadata.get("tags", [])]
        for output in [o for cell in tagged for o in cell.outputs if set(PICTURES) & set(o.get("data", {}))][:1]:
            kind = next(mime for mime in PICTURES if mime in output.data)
            folder.mkdir(exist_ok=True)
            target = folder / f"{lesson.stem}.{kind.removeprefix('image/')}"
            target.write_bytes(base64.b64decode(output.data[kind]))
            shown.append(f"![{output.metadata[kind]['alt']}]({target.relative_to(root).as_posix()})")
    return shown


if __name__ == "__main__":
    try:
        print(*write_gallery(ROOT, ROOT / "gallery"), sep="\n")
    except LabError as error:
        sys.exit(str(error))
