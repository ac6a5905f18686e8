"""Start the Chromium that is installed here, without a network, for the tools that look at decks."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from notebooks import ROOT, LabError, find_lessons
from slides import write_deck

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@contextmanager
def offline_browser() -> Iterator[BrowserContext]:
    """Give a browser of slides of 1280 × 720 pixels; it takes $CHROMIUM first. Raises LabError where there is none."""
    path = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *NAMES))), None)
    if path is None:
        raise LabError("no Chromium was found: install one, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
        browser.close()


def open_deck(page: Page, deck: Path, query: str = "") -> None:
    """Show a deck, and wait until its formulas are set."""
    page.goto(deck.as_uri() + query)
    page.wait_for_selector("body[data-ready]")


def with_decks(numbers: list[str], make: Callable[[Page, Path], Path]) -> int:
    """Make a file of each lab's deck by `make(page, deck)`; the exit status is 1 when one cannot be made."""
    status = 0
    with offline_browser() as browser:
        for lesson in find_lessons(ROOT, numbers):
            try:
                page = browser.new_page()
                written = make(page, write_deck(lesson, ROOT / "build" / "slides"))
                page.close()
                print(f"{written.relative_to(ROOT)}  {written.stat().st_size / 1e6:.1f} MB")
            except LabError as error:
                print(f"{lesson.stem}: {error}")
                status = 1
    return status
