"""Print each deck to PDF: a page for each slide, with all that its fragments show; the titles are bookmarks.

    python tools/pdf.py           writes build/slides/NN_name.pdf for every lab
    python tools/pdf.py 03 04     for these labs

It needs Chromium, at $CHROMIUM or on the path, and no network.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page

from chromium import open_deck, with_decks
from coursekit.files import replacing
from notebooks import LabError

# On the screen only one slide is there for a screen reader; in print all are, and their titles become bookmarks.
HEARD = """() => { for (const slide of document.querySelectorAll(".pdf-page section")) {
    slide.removeAttribute("aria-hidden");
    slide.removeAttribute("hidden");
} }"""


def open_all_slides(page: Page, deck: Path) -> None:
    """Show all slides of a deck below each other, as they are printed."""
    open_deck(page, deck, "?print-pdf")
    page.wait_for_selector(".pdf-page")
    page.evaluate(HEARD)


def print_deck(page: Page, deck: Path) -> Path:
    """Write the PDF of a deck beside it; return its path."""
    open_all_slides(page, deck)
    target = deck.with_suffix(".pdf")
    with replacing(target) as temporary:
        temporary.write_bytes(page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True))
    return target


if __name__ == "__main__":
    try:
        sys.exit(with_decks(sys.argv[1:], print_deck))
    except LabError as error:
        sys.exit(str(error))
