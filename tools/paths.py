"""Draw what needs what among the labs, with `python tools/paths.py`: gallery/paths.png, for the README and lab 00.

The arrows are the lines *First do* of the labs, without those that a longer way through other labs already says.
"""

import re
import textwrap
from itertools import pairwise
from pathlib import Path

from matplotlib.figure import Figure

from coursekit.figures.figure import COLOURS, Picture, styled
from notebooks import ROOT, find_lessons

SHORT = ["00", "03", "04", "05", "06", "14"]  # the short path of lab 00
# Where each lab stands: column and row. An arrow leads to the right.
PLACES = {
    "00": (0, 3), "01": (1, 5), "03": (1, 2), "02": (2, 4), "04": (2, 2), "09": (3, 0), "10": (3, 1), "05": (3, 2),
    "13": (3, 3), "07": (3, 4), "11": (4, 0), "06": (4, 2), "15": (4, 5), "12": (5, 0), "08": (5, 1), "14": (5, 2),
    "16": (5, 3),
}  # fmt: skip
KINDS = {"what is inside": ["01", "02", "13", "15"], "where it looks": ["03", "04", "05", "06"]}
KINDS |= {"pictures out of it": ["07", "08", "09", "10", "11", "12"], "which picture to believe": ["00", "14", "16"]}
BOX = (0.86, 0.88)  # width and height, in columns and rows


def labs_in(text: str) -> set[str]:
    """Return the numbers of labs in a sentence: "labs 03 and 05 to 07" names four."""
    ranges = re.findall(r"(\d\d) to (\d\d)", text)
    between = {f"{lab:02d}" for first, last in ranges for lab in range(int(first), int(last))}
    return between | set(re.findall(r"\b\d\d\b", text))


def first_do(root: Path = ROOT) -> dict[str, set[str]]:
    """Return, for each lab, the labs that its contract asks for."""
    found = {}
    for lesson in find_lessons(root):
        asked = re.search(r"\*\*First do\*\*([^.:]*)", lesson.read_text("utf8"))
        found[lesson.stem[:2]] = labs_in(asked[1]) if asked else set()
    return found


def before(lab: str, needs: dict[str, set[str]]) -> set[str]:
    """Return all labs that come before a lab."""
    return needs[lab].union(*(before(other, needs) for other in needs[lab]))


def arrows(needs: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the pairs (first, then) that no longer way says."""
    return [
        (first, lab)
        for lab in needs
        for first in sorted(needs[lab])
        if not any(first in before(other, needs) for other in needs[lab])
    ]


@styled
def draw(needs: dict[str, set[str]], names: dict[str, str]) -> Picture:
    """Draw the labs as boxes and what needs what as arrows; the short path is thick."""
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    ax = figure.add_subplot()
    ax.set(xlim=(-0.46, 5.46), ylim=(5.45, -0.45))
    ax.axis("off")
    width, height = BOX
    for first, then in arrows(needs):
        (x, y), (u, v) = PLACES[first], PLACES[then]
        short = (first, then) in pairwise(SHORT)
        how = {"arrowstyle": "-|>", "lw": 3.2 if short else 1.3, "color": "black" if short else "#666666"}
        ax.annotate("", (u - width / 2, v), (x + width / 2, y), arrowprops={**how, "shrinkA": 0, "shrinkB": 0})
    for colour, (kind, labs) in zip(COLOURS, KINDS.items(), strict=False):
        for k, lab in enumerate(labs):
            x, y = PLACES[lab]
            ax.barh(y, width, height, x - width / 2, color=colour, alpha=0.3, label=kind if k == 0 else None)
            ax.text(x, y, textwrap.fill(f"{lab} {names[lab]}", 14), ha="center", va="center")
    figure.legend(loc="outside lower center", ncols=len(KINDS))
    return Picture(figure)


def main() -> None:
    """Write the picture."""
    names = {lesson.stem[:2]: lesson.stem[3:].replace("_", " ") for lesson in find_lessons()}
    names |= {"06": "class maps", "10": "DeepDream", "13": "TCAV"}
    draw(first_do(), names).save(ROOT / "gallery" / "paths.png")


if __name__ == "__main__":
    main()
