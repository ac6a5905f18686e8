"""Write a picture of each lab for the README: the first image of the cell tagged "gallery", with its alt text.

python tools/gallery.py              writes gallery/NN_name.png and prints the Markdown that shows it
"""

import base64
import sys
from pathlib import Path

from notebooks import ROOT, code_cells, find_lessons, notebook_of, read_notebook


def write_gallery(root: Path, folder: Path) -> list[str]:
    """Write the pictures into the folder; return a line of Markdown for each."""
    shown = []
    for lesson in find_lessons(root):
        tagged = [c for c in code_cells(read_notebook(notebook_of(lesson))) if "gallery" in c.metadata.get("tags", [])]
        for output in [o for cell in tagged for o in cell.outputs if "image/png" in o.get("data", {})][:1]:
            folder.mkdir(exist_ok=True)
            target = folder / f"{lesson.stem}.png"
            target.write_bytes(base64.b64decode(output.data["image/png"]))
            shown.append(f"![{output.metadata['image/png']['alt']}]({target.relative_to(root)})")
    return shown


if __name__ == "__main__":
    print(*write_gallery(ROOT, ROOT / "gallery"), sep="\n")
    sys.exit()
