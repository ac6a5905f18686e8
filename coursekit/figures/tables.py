"""Tables, as text and as HTML, and shares in shaded cells."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from html import escape

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from coursekit.figures.figure import COLOURS, WIDTH, Picture, styled


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


def draw_cell(ax: Axes, x: float, y: float, width: float, share: float, words: str, colour: str = COLOURS[0]) -> None:
    """Draw one cell of a table in row y from x on: the larger the share in [0, 1], the bluer."""
    shade = tuple(1 - 0.7 * share * (1 - part) for part in to_rgb(colour))
    ax.add_patch(Rectangle((x + 0.02, y + 0.04), width - 0.04, 0.92, color=shade, lw=0))
    ax.text(x + width / 2, y + 0.5, words, ha="center", va="center")


@styled
def show_shares(
    rows: Mapping[str, Mapping[str, float | str]],
    *,
    title: str = "",
    side: float = 0.55,
    bad: Collection[str] = (),
    alt: str | None = None,
) -> Picture:
    """Draw a table of shares: the larger the number in [0, 1], the bluer its cell.

    rows : name -> column -> share, or words that stand there instead; "7 of 18" is as blue as the share 7/18. A comma
        breaks a column's name into two lines.
    bad : columns in which a large share is nothing good; they are orange.

    >>> show_shares({"A": {"bird": 0.9, "fruit": 0.1}, "B": {"bird": 0.0, "fruit": "4 of 8"}})
    <Picture 324 × 120>
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    left = 0.25 + 0.095 * max(map(len, rows))  # inches
    width = min(1.4, (WIDTH - left) / len(columns))
    heads = ["\n".join(textwrap.fill(part, 13) for part in column.split(", ")) for column in columns]
    title = textwrap.fill(title, round(11 * (left + width * len(columns))))
    above = 0.62 * (max(head.count("\n") for head in heads) + 1) + 0.75 * (title.count("\n") + 1) * bool(title) + 0.2
    figure = Figure(figsize=(left + width * len(columns) + 0.1, 0.75 * side * (len(rows) + above + 0.1)))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-left, width * len(columns) + 0.1), ylim=(len(rows) + 0.1, -above))
    ax.axis("off")
    ax.text(-left + 0.1, 0.1 - above, title, fontsize=12, va="top")
    for x, head in enumerate(heads):
        ax.text((x + 0.5) * width, -0.12, head, ha="center", va="bottom")
    for y, (name, row) in enumerate(rows.items()):
        ax.text(-left + 0.1, y + 0.5, name, va="center")
        for x, column in enumerate(columns):
            if column in row:
                colour = COLOURS[1 if column in bad else 0]
                draw_cell(ax, x * width, y, width, _share(row[column]), _words(row[column]), colour)
    told = "; ".join(f"{name}: {', '.join(f'{c} {_words(v)}' for c, v in row.items())}" for name, row in rows.items())
    return Picture(figure, alt or f"Table of shares. {told}.")


def _share(cell: float | str) -> float:
    if not isinstance(cell, str):  # a missing one, NaN, stays white
        return 0.0 if cell != cell else min(max(float(cell), 0.0), 1.0)
    part, of, whole = cell.partition(" of ")
    return int(part) / int(whole) if of and part.isdigit() and whole.isdigit() else 0.0


def _words(cell: float | str) -> str:
    return cell if isinstance(cell, str) else "n/a" if cell != cell else f"{cell:.2f}"
