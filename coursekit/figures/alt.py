"""What a figure shows, in words for those who cannot see it: data/alt/NN.md, away from the code that students read.

The file of a lab has a heading `## cell-id` for each cell that shows figures, and below it one paragraph for each of
them, in the order in which they are shown.
"""

import os
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from coursekit.errors import CoursekitError, DataUnavailable
from coursekit.files import DATA, restore

_shown: tuple[str, int] = ("", 0)  # the last execution that showed figures, and how many of them


def read_alts(path: Path) -> dict[str, list[str]]:
    """Return the texts of a lab by cell; raise DataUnavailable where the file is missing or not as it should be.

    >>> read_alts(DATA / "alt" / "03.md")["first-look"]
    ['A red motorcycle in a garage. The network gives moped a probability of about 0.70, then motor scooter 0.12.']
    """
    if not path.is_file():
        raise DataUnavailable(
            f"{path} is missing: it belongs to the course itself. Run: {restore(f'data/alt/{path.name}')}"
        )
    title, *sections = ("\n" + path.read_text("utf8").strip()).split("\n## ")
    wrong = [] if re.fullmatch(r"\n# .+\s*", title) else ["begin with one line '# Lab …' and then '## cell-id'"]
    found: dict[str, list[str]] = {}
    for section in sections:
        cell, _, body = section.partition("\n")
        texts = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", body) if paragraph.strip()]
        if not texts or cell in found or any(text.startswith("#") for text in texts):
            wrong.append(f"have one heading '## {cell}' with one paragraph for each figure of that cell")
        found[cell] = texts
    if wrong:
        raise DataUnavailable(f"data/alt/{path.name} should {', and '.join(wrong)}.")
    return found


def next_alt() -> str:
    """Return the text of the figure that the running cell of a lab shows next, or "" where there is none.

    JupyterLab tells the cell's id with each execution, and the notebook's name in JPY_SESSION_NAME.
    """
    global _shown
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    lab = re.search(r"(\d\d)_\w+\.ipynb$", os.environ.get("JPY_SESSION_NAME", ""))
    if lab is None or not hasattr(shell, "kernel"):
        return ""
    request = shell.kernel.get_parent() or {}
    execution = request.get("header", {}).get("msg_id", "")
    number = _shown[1] if _shown[0] == execution else 0
    _shown = execution, number + 1
    try:
        texts = read_alts(DATA / "alt" / f"{lab[1]}.md").get(request.get("metadata", {}).get("cellId"), [])
    except CoursekitError:  # a reader's figure is worth more than its text
        return ""
    return texts[number] if number < len(texts) else ""


def described(figure: Figure) -> str:
    """Return the words that are written in a figure: titles, axes, legends, lines.

    >>> figure = Figure()
    >>> _ = figure.subplots().set(title="training", xlabel="step")
    >>> described(figure)
    'Figure: training; step.'
    """
    texts = [text.get_text() for text in [*(axes.title for axes in figure.axes), *figure.findobj(Text)]]
    texts += [str(line.get_label()) for axes in figure.axes for line in axes.lines]
    words = (" ".join(text.split()) for text in texts if not text.startswith("_"))  # _child0: matplotlib's own label
    distinct = dict.fromkeys(word for word in words if re.search("[A-Za-z]", word))
    return textwrap.shorten(f"Figure: {'; '.join(distinct)}", 300, placeholder=" …").rstrip(".") + "."
