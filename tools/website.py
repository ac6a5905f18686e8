"""Build the course's site: labs with their outputs, decks, glossary, reference, gallery and the instructors' pages.

    python tools/website.py              writes build/site/index.html

The site needs no server and no network. Its pages lie as the repository does, so that a link that leads somewhere there
leads to the same place here; each file of the package becomes a page with its source.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks import PICTURES, ROOT, LabError, built_notebook, code_cells, find_lessons
from slides import markdown, tag_faults

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "data/CREDITS.md"]
CODE = re.compile(r"\]\(((?:\.\./)*coursekit/[\w/]*)(\.py)?\)")
ELSEWHERE = re.compile(
    r"\[([^\]]+)\]\((?:\.\./)*(?:tools|tests|training|benchmarks|lessons|\.github|LICENSE|CITATION)[^)]*\)"
)


def page(text: str) -> str:
    """Return a page of the repository as one of the site: source files are pages, what is not there is no link."""
    text = CODE.sub(lambda link: f"]({link[1]}.md)" if link[2] else f"]({link[1].rstrip('/')}/__init__.md)", text)
    return ELSEWHERE.sub(r"\1", text)


def lab_page(lesson: Path) -> str:
    """Return a notebook for the site: solutions folded, each picture with its alt text where the site looks for it."""
    nb = built_notebook(lesson)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = page(cell.source)
            if wrong := tag_faults(markdown(cell.source)):
                raise LabError(f"{lesson.name}: the HTML of cell {cell.id!r} is broken: {'; '.join(wrong[:3])}.")
            continue
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        if shown := alts([cell]):
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(shown).replace("\n", " ")}}
    return nbformat.writes(nb)


def alts(cells: list[NotebookNode]) -> list[str]:
    """Return the alt texts of all pictures that the cells show."""
    outputs = [output for cell in cells for output in cell.outputs]
    return [output.metadata[kind]["alt"] for output in outputs for kind in PICTURES if kind in output.get("data", {})]


def source_page(path: Path) -> str:
    """Return the page of one file of the package."""
    name = path.relative_to(ROOT).as_posix()
    return f"---\norphan: true\n---\n\n# {name}\n\n```{{literalinclude}} {path.name}\n:language: python\n```\n"


def lay_out(folder: Path, decks: Path) -> None:
    """Write the sources of the site into the folder; the decks that there are become part of it."""
    shutil.rmtree(folder, ignore_errors=True)
    lessons = find_lessons()
    files = {f"notebooks/{lesson.stem}.ipynb": lab_page(lesson) for lesson in lessons}
    for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in PAGES)]:
        files[path.relative_to(ROOT).as_posix()] = page(path.read_text("utf8"))
    for path in (ROOT / "coursekit").rglob("*.py"):
        name = path.relative_to(ROOT)
        files[name.as_posix()] = path.read_text("utf8")
        files[name.with_suffix(".md").as_posix()] = source_page(path)
    files["index.md"] = index(lessons, decks)
    files["gallery.md"] = gallery(lessons)
    files["conf.py"] = (ROOT / "docs" / "site" / "conf.py").read_text("utf8")
    for name in ("site.css", "site.js"):
        files[f"_static/{name}"] = (ROOT / "docs" / "site" / name).read_text("utf8")
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf8")
    shutil.copy(next((ROOT / "tools" / "vendor").glob("mathjax*/tex-svg.js")), folder / "_static")
    (folder / "extra").mkdir()
    shutil.copytree(ROOT / "gallery", folder / "gallery")
    if decks.exists():
        shutil.copytree(
            decks, folder / "extra" / "decks", ignore=lambda _, names: [n for n in names if not n.endswith(".html")]
        )


def index(lessons: list[Path], decks: Path) -> str:
    """Return the first page: the table of labs, and the tree that the menu shows."""
    rows = ["| lab | what you see | slides |", "|---|---|---|"]
    for lesson in lessons:
        title, subtitle = re.findall(r"^#+ (.+)$", built_notebook(lesson).cells[0].source, re.M)[:2]
        deck = f'<a href="decks/{lesson.stem}.html">deck</a>' if (decks / f"{lesson.stem}.html").exists() else ""
        rows.append(f"| [{title}](notebooks/{lesson.stem}.ipynb) | {subtitle} | {deck} |")
    tree = [f"notebooks/{lesson.stem}" for lesson in lessons]
    more = ["docs/glossary", "gallery", "docs/instructors", "docs/reference", "docs/architecture", "docs/performance"]
    more += ["docs/licences", "docs/reliability"]
    more += [name.removesuffix(".md") for name in PAGES]
    menu = "\n\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```"
        for caption, names in (("Labs", tree), ("More", more))
    )
    text = (ROOT / "docs" / "site" / "index.md").read_text("utf8")
    return text.replace("{labs}", "\n".join(rows)).replace("{tree}", menu)


def gallery(lessons: list[Path]) -> str:
    """Return the page of pictures: of each lab the cell that is tagged for the gallery, with its alt text below."""
    parts = ["# Gallery and report card"]
    for lesson in lessons:
        nb = built_notebook(lesson)
        found = sorted((ROOT / "gallery").glob(f"{lesson.stem}.*"))
        shown = alts([cell for cell in code_cells(nb) if "gallery" in cell.metadata.get("tags", [])])
        if found and shown:
            title = re.search(r"^# (.+)$", nb.cells[0].source, re.M)[1]
            parts += [
                f"## [{title}](notebooks/{lesson.stem}.ipynb)",
                f"![{shown[0]}](gallery/{found[0].name})",
                shown[0],
            ]
    return "\n\n".join(parts) + "\n"


def build(folder: Path, target: Path, decks: Path) -> None:
    """Lay the site out and have Sphinx build it; its warnings are errors."""
    lay_out(folder, decks)
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", str(folder), str(target)]
    if subprocess.run(command).returncode:
        raise LabError("Sphinx found what stands above wrong: the site is not complete.")


if __name__ == "__main__":
    try:
        build(ROOT / "build" / "site-source", ROOT / "build" / "site", ROOT / "build" / "slides")
    except LabError as error:
        sys.exit(str(error))
    print("build/site/index.html")
