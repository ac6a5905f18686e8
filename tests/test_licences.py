"""Every shipped picture, weight and table is on a list, with a licence that allows to share it."""

import re
from fnmatch import fnmatch
from pathlib import Path

from coursekit.files import manifest
from coursekit.images import loading

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/licences.md").read_text("utf8")
FREE = {"CC-BY-4.0", "CC-BY-2.0", "CC0-1.0", "Apache-2.0", "GPL-2.0-or-later", "public domain"}
FREE |= {"BSD-3-Clause", "use and publication permitted, with citation"}  # the second: Middlebury's data sets
FREE |= {"no known copyright restrictions"}  # what museums and archives say of works that nobody owns


def rows(page):
    """Pattern of files -> the licences that they may have."""
    table = page.split("<!-- files")[1].split("<!-- end of files")[0]
    lines = re.findall(r"^\| (`.*`) \| (.*?) \|", table, re.M)
    return {pattern: set(licences.split(", ")) for files, licences in lines for pattern in re.findall("`(.*?)`", files)}


def unlisted(paths, page):
    """Files that no row of the page covers."""
    return [path for path in paths if not any(fnmatch(path, pattern) for pattern in rows(page))]


def shipped():
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("data", "gallery")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.name != ".DS_Store"
    )


def test_every_file_of_data_and_gallery_is_on_the_list():
    paths = shipped()
    assert len(paths) > 200 and unlisted(paths, PAGE) == []
    strangers = ["data/photographs/lena.png", "gallery.png"]
    assert unlisted([*paths, *strangers], PAGE) == strangers
    unused = [pattern for pattern in rows(PAGE) if not any(fnmatch(path, pattern) for path in paths)]
    assert unused == []


def test_every_licence_of_the_list_allows_to_share():
    assert {licence for licences in rows(PAGE).values() for licence in licences} <= FREE


def test_the_manifest_lists_every_file_of_data_and_says_what_the_list_says():
    entries = {f"data/{entry['file']}": entry for entry in manifest() if "package" not in entry}
    own = ("data/alt/", "data/manifest.json", "data/CREDITS.md")
    assert sorted(entries) == [path for path in shipped() if path.startswith("data/") and not path.startswith(own)]
    for path, entry in entries.items():
        allowed = set().union(*(licences for pattern, licences in rows(PAGE).items() if fnmatch(path, pattern)))
        assert entry["licence"] in allowed & FREE and len(entry["origin"]) > 5, path


def test_what_other_packages_bring_is_free_but_for_the_pictures_that_are_named_as_unclear():
    named = re.findall(r"^- `(\w+)`:", PAGE.split("<!-- unclear")[1].split("<!-- end of unclear")[0], re.M)
    files = {path: name for name, (_, path) in loading._PHOTOGRAPHS.items()}
    unclear = [entry for entry in manifest() if "package" in entry and entry["licence"] not in FREE]
    assert sorted(next(n for p, n in files.items() if entry["file"].endswith(p)) for entry in unclear) == sorted(named)


def test_the_credits_and_the_manifest_say_the_same_of_a_photograph():
    table = (ROOT / "data/CREDITS.md").read_text("utf8").split("## Photographs")[1]
    said = {
        name: row[3]
        for row in (line.split("|") for line in table.splitlines() if line.count("|") == 5)
        for name in row[1].replace(",", " ").split()
    }
    for name, (_, path) in loading._PHOTOGRAPHS.items():
        (entry,) = [entry for entry in manifest() if entry["file"].endswith(path)]
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", said[name]).strip()
        assert words.replace("CC0 ", "CC0-").replace("CC BY ", "CC-BY-") == entry["licence"], name


def test_no_lab_shows_a_picture_of_unclear_licence():
    for lesson in (ROOT / "lessons").glob("*.py"):
        assert not re.search(r"[\"']moon[\"']", lesson.read_text("utf8")), lesson.name
