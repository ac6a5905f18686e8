"""The site: every link leads somewhere, nothing is fetched, no page scrolls sideways, and axe finds nothing serious."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import watch

import website
from notebooks import ROOT, find_lessons

PAGES = ["index", "gallery", "notebooks/03_occlusion", "notebooks/06_class_activation_maps", "docs/glossary"]
PAGES += ["docs/reference", "docs/instructors", "README", "search", "coursekit/attribution/cam"]


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it that others can link to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places, self.unseen = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.unseen.append(given.get("src"))
        self.loads += [given["src"]] if given.get("src") else []
        self.loads += [given["href"]] if tag == "link" and given.get("href") else []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, with a deck beside the first lab."""
    folder = tmp_path_factory.mktemp("site")
    decks = folder / "decks"
    decks.mkdir()
    for lesson in find_lessons():
        (decks / f"{lesson.stem}.html").write_text('<html lang="en"><title>deck</title></html>', "utf8")
    website.build(folder / "source", folder / "built", decks)
    return folder / "built"


def test_every_link_leads_to_a_page_and_a_place_in_it(site):
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]  # there lie templates
    pages = {path: Links(path.read_text("utf8")) for path in found}
    wrong = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                if link in page.loads and parts.scheme != "data":
                    wrong.append(f"{path.name} loads {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                wrong.append(f"{path.relative_to(site)} links to {link}")
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in pages[target].places:
                wrong.append(f"{path.relative_to(site)} links to the missing place {link}")
    assert len(pages) > 100 and not wrong, "\n".join(sorted(set(wrong))[:40])


def test_every_lab_is_there_with_its_pictures_described_and_its_deck(site):
    front = Links((site / "index.html").read_text("utf8"))
    for lesson in find_lessons():
        page = Links((site / "notebooks" / f"{lesson.stem}.html").read_text("utf8"))
        assert f"notebooks/{lesson.stem}.html" in front.links and f"decks/{lesson.stem}.html" in front.links
        assert not page.unseen, f"{lesson.stem}: {page.unseen}"
    names = (site / "docs" / "reference.html").read_text("utf8")
    assert "ck.integrated_gradients" in names and "GitHub" not in front.links


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_wide_and_narrow_in_light_and_dark_and_can_be_read_by_all(chromium, site, name):
    for width, theme in ((1280, "light"), (390, "dark")):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, offline=True)
        page = context.new_page()
        page.set_default_timeout(60_000)
        seen = watch(page)
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        assert page.evaluate("() => document.documentElement.dataset.theme") == theme
        over = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{name} is {over} pixels wider than {width}"
        seen = [*seen]  # what follows, axe asks for: it loads style sheets itself, which files refuse
        found = [item for item in Axe().run(page).response["violations"] if item["impact"] in ("serious", "critical")]
        told = [f"{item['id']}: {item['nodes'][0]['html'][:200]} ({len(item['nodes'])})" for item in found]
        assert not told and not seen, f"{name} at {width}, {theme}: {told} {seen}"
        context.close()


def test_the_search_finds_a_word_without_a_server(chromium, site):
    page = chromium.new_context(offline=True).new_page()
    page.goto((site / "search.html").as_uri() + "?q=occlusion")
    page.wait_for_selector("#search-results li a", timeout=60_000)
    assert any(
        "03_occlusion" in (link or "")
        for link in page.locator("#search-results li a").evaluate_all("all => all.map(a => a.href)")
    )


def test_a_page_of_the_repository_becomes_a_page_of_the_site():
    text = "[a](../coursekit/probe/capture.py) [b](coursekit/units/) [c](tools/mark.py) [d](docs/reference.md)"
    expected = "[a](../coursekit/probe/capture.md) [b](coursekit/units/__init__.md) c [d](docs/reference.md)"
    assert website.page(text) == expected
    assert (ROOT / "docs" / "site" / "conf.py").exists()
