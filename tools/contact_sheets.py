"""Draw all slides of each deck on one picture, to look a deck over at a glance.

    python tools/contact_sheets.py           writes build/slides/sheets/NN_name.png for every deck
    python tools/contact_sheets.py 03 04     for these labs

Each slide stands with all its fragments, its number, and its title. It needs Chromium, at $CHROMIUM or on the path.
"""

import io
import sys
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page

from chromium import open_deck, with_decks
from notebooks import LabError

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # it has λ, β, × and arrows
WIDTH, HEIGHT, COLUMNS, LINE = 480, 270, 4, 26  # of a small slide; slides in a row; height of the line above it


def pictures(page: Page, deck: Path) -> list[tuple[str, Image.Image]]:
    """Return title and picture of each slide of a deck."""
    open_deck(page, deck)
    page.add_style_tag(content=".reveal .fragment { transition: none !important; }")  # no picture while it fades in
    found = []
    for index in range(page.evaluate("Reveal.getSlides().length")):
        show = "i => { const s = Reveal.getSlides()[i], at = Reveal.getIndices(s); Reveal.slide(at.h, at.v, 99); }"
        page.evaluate(show, index)
        title = page.evaluate("i => Reveal.getSlides()[i].dataset.title", index)
        found.append((title, Image.open(io.BytesIO(page.screenshot())).resize((WIDTH, HEIGHT))))
    return found


def lay_out(slides: list[tuple[str, Image.Image]]) -> Image.Image:
    """Put the slides on one sheet, each below its number and title."""
    rows, font = -(-len(slides) // COLUMNS), ImageFont.truetype(FONT, size=14)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + 8), rows * (HEIGHT + LINE + 8)), "grey")
    draw = ImageDraw.Draw(sheet)
    for k, (title, picture) in enumerate(slides):
        left, top = k % COLUMNS * (WIDTH + 8), k // COLUMNS * (HEIGHT + LINE + 8)
        draw.text((left + 4, top + LINE / 2), f"{k + 1} · {title}"[:60], "white", font=font, anchor="lm")
        sheet.paste(picture, (left, top + LINE))
    return sheet


def write_sheet(page: Page, deck: Path) -> Path:
    """Write the picture of all slides of a deck; return its path."""
    target = deck.parent / "sheets" / f"{deck.stem}.png"
    target.parent.mkdir(exist_ok=True)
    lay_out(pictures(page, deck)).save(target)
    return target


if __name__ == "__main__":
    try:
        sys.exit(with_decks(sys.argv[1:], write_sheet))
    except LabError as error:
        sys.exit(str(error))
