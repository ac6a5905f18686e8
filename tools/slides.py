"""Write each lab's slides: one self-contained HTML file that shows offline; `tools/pdf.py` prints it.

    python tools/slides.py               writes build/slides/NN_name.html for every lab
    python tools/slides.py 03 04         for these labs

`slideshow={"slide_type": ...}` on a cell says where it goes: "slide" and "subslide" start a slide, "-" continues it,
"fragment" appears on a click, "notes" are for the speaker. A cell without one is not shown. Code is shown only
where the cell is tagged "show-code"; outputs always are. Two rules make a lecture of it. After *predict first*, all
that follows on its slide comes with the next key. What the lab says and prints below a slide, up to the next section,
stands in the speaker's notes (key S), with the answers of the quiz; where it says nothing, what the picture shows.

What a cell prints is no picture of a terminal: columns become a table, all else sentences. Beside a picture its claims
are in the notes. The cover carries the picture of the cell that is tagged "gallery". Titles are numbered ("What goes
wrong 2") only where the deck has all the numbers.
"""

import argparse
import base64
import html
import re
import sys
from html.parser import HTMLParser
from io import BytesIO
from itertools import groupby, pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from notebooks import PICTURES, ROOT, LabError, built_notebook, find_lessons, write

COURSE = "Seeing inside convolutional networks"
HERE = Path(__file__).resolve().parent
REVEAL, MATHJAX = HERE / "vendor/reveal.js-5.2.1", HERE / "vendor/mathjax-3.2.2"
COVER_BELOW, COVER_BESIDE = (1120, 400), (540, 560)  # largest picture on a cover, in pixels
COLUMNS = re.compile(r"\s{2,}|\s(?=-\d)")  # a minus stands in the second space
NUMBERED = re.compile(r"(What goes wrong|Experiment|Theory|Idea) (\d+)")
CLAIMS = re.compile(r'<ul class="claims">.*?</ul>', re.DOTALL)
FOLDED = re.compile(r"<details>.*?</summary>(.*?)</details>", re.DOTALL)  # the answers of the quiz
BESIDE = 1.25  # a picture at most so many times as wide as high stands beside the text, a wider one below it
PYGMENTS = HtmlFormatter(style="xcode", cssclass="code")  # every colour has a contrast of 4.5 or more


class Slide:
    """One slide: HTML blocks, the speaker's notes, and what the layout depends on."""

    def __init__(self, number: int, first_cell: str, starts_column: bool):
        self.number, self.first_cell, self.starts_column = number, first_cell, starts_column
        self.title = ""
        self.asks = False  # has said "predict first": the rest is the answer
        self.ended = False  # a section that is not shown has begun
        self.blocks: list[str] = []
        self.notes: list[str] = []
        self.aspects: list[float] = []  # width / height of each picture
        self.alts: list[str] = []
        self.cover, self.cover_beside = "", False  # the picture of the first slide, and whether it stands at the side

    @property
    def plain_title(self) -> str:
        """The title without the marks of Markdown and formulas, for bookmarks and lists."""
        return re.sub(r"[*`$]", "", self.title)

    def words_and_picture(self) -> tuple[list[str], str] | None:
        """Return what stands left and right, where one narrow picture goes beside the words below the heading."""
        pictures = [block for block in self.blocks if "<figure" in block]
        words = [block for block in self.blocks[1:] if block not in pictures]
        return (words, pictures[0]) if len(self.aspects) == 1 and self.aspects[0] <= BESIDE and words else None


def markdown(source: str) -> str:
    """Render Markdown, with mathematics left to MathJax."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source)


def heading_of(source: str) -> tuple[str, str]:
    """Split a Markdown cell into its first line, where that is a heading, and the rest."""
    first, _, rest = source.partition("\n")
    return (first.lstrip("# "), rest) if first.startswith("#") else ("", source)


def read_picture(data: str, cell: NotebookNode) -> tuple[bytes, Image.Image]:
    """Return the file of an image output, and the image."""
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
        image = Image.open(BytesIO(content), formats=[name.split("/")[1] for name in PICTURES])
        image.load()
    except Exception:  # Pillow raises whatever half a picture leads to
        raise LabError(f"the picture of cell {cell.id!r} is damaged; run the lab again: make notebooks.") from None
    return content, image


def figure(content: bytes, kind: str, alt: str) -> str:
    """Render the file of an image."""
    shown = base64.b64encode(content).decode()
    return f'<figure><img src="data:{kind};base64,{shown}" alt="{html.escape(alt, quote=True)}"></figure>'


def picture(data: str, kind: str, alt: str, slide: Slide, cell: NotebookNode) -> str:
    """Render an image output; without a text for those who cannot see it, it is an error."""
    if not alt:
        raise LabError(f"the picture of cell {cell.id!r} has no alt text; draw it with coursekit's functions.")
    content, image = read_picture(data, cell)
    slide.aspects.append(image.width / image.height)
    slide.alts.append(alt)
    return figure(content, kind, alt)


def add_cover(slide: Slide, nb: NotebookNode) -> None:
    """Put the first picture of the first cell that is tagged "gallery" on a slide, made smaller."""
    for cell in nb.cells:
        for output in cell.get("outputs", []) if "gallery" in cell.metadata.get("tags", []) else []:
            kind = next((kind for kind in PICTURES if kind in output.get("data", {})), None)
            if kind:
                image, file = read_picture(output.data[kind], cell)[1].convert("RGB"), BytesIO()
                slide.cover_beside = image.width < 2 * image.height
                image.thumbnail(COVER_BESIDE if slide.cover_beside else COVER_BELOW)
                image.save(file, "JPEG", quality=80)
                slide.cover = figure(file.getvalue(), "image/jpeg", output.metadata.get(kind, {}).get("alt", ""))
                return


def printed(text: str) -> str:
    """Render what a cell printed: claims as sentences with a mark, columns as a table, all else as sentences."""
    parts = []
    for are_claims, lines in groupby(text.strip("\n").rstrip().splitlines(), key=is_claim):
        if are_claims:
            said = [line.strip().removesuffix(": True") + " ✓" * line.endswith(": True") for line in lines]
            parts.append('<ul class="claims">' + "".join(f"<li>{html.escape(line)}</li>" for line in said) + "</ul>")
        else:
            parts.append(stated([line.strip() for line in lines if line.strip()]))
    return "".join(parts)


def stated(lines: list[str]) -> str:
    """Render printed lines: a table where they have columns, two spaces apart, or else a sentence each."""
    rows = [[html.escape(part) for part in COLUMNS.split(line)] for line in lines]
    wide = max(map(len, rows), default=0)
    if len(rows) > 1 and min(map(len, rows)) > 1 and len(rows[0]) == wide:
        rows = [row + [""] * (wide - len(row)) for row in rows]
        head = not any(character.isdigit() for part in rows[0] for character in part)
        tags = ["th" if head and k == 0 else "td" for k in range(len(rows))]
        cells = ["".join(f"<{tag}>{part}</{tag}>" for part in row) for tag, row in zip(tags, rows, strict=True)]
        return '<table class="output">' + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
    return '<ul class="output">' + "".join(f"<li>{' '.join(row)}</li>" for row in rows) + "</ul>"


def is_claim(line: str) -> bool:
    """Tell whether a printed line is a claim: it ends with its threshold and a mark, or says that something is true."""
    return line.endswith((") ✓", ") ✗", ": True"))


def output_blocks(cell: NotebookNode, slide: Slide) -> list[str]:
    """Render the outputs of a code cell, the richest form of each."""
    blocks = []
    for output in cell.outputs:
        if output.output_type == "stream":
            blocks.append(printed(output.text))
            continue
        data = output.get("data", {})
        kind = next((kind for kind in PICTURES if kind in data), None)
        if kind:
            blocks.append(picture(data[kind], kind, output.metadata.get(kind, {}).get("alt", ""), slide, cell))
        elif "text/html" in data:
            blocks.append(f"<div>{data['text/html']}</div>")
        elif "text/plain" in data:
            blocks.append(printed(data["text/plain"]))
    return blocks


def cell_blocks(cell: NotebookNode, slide: Slide) -> list[str]:
    """Render one cell; the first heading of a slide becomes its title."""
    if cell.cell_type == "markdown":
        title, rest = ("", cell.source) if slide.title else heading_of(cell.source)
        if title:
            slide.title = title
            return [f"<h2>{markdown(title)}</h2>", *([f"<div>{markdown(rest)}</div>"] if rest.strip() else [])]
        return [f"<div>{markdown(cell.source)}</div>"]
    shown = "show-code" in cell.metadata.get("tags", [])
    return ([highlight(cell.source, PythonLexer(), PYGMENTS)] if shown else []) + output_blocks(cell, slide)


class _Tags(HTMLParser):
    """Compare the tags of a piece of HTML: what is left open, or closed without having been opened."""

    VOID = frozenset(("area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
    OPTIONAL = frozenset(("p", "li", "td", "th", "tr", "dt", "dd", "thead", "tbody", "tfoot", "colgroup", "option"))
    ALONE = frozenset(("section", "script", "aside", "html", "body"))  # the deck's own: they would end a slide

    def __init__(self, text: str):
        super().__init__()
        self.open, self.wrong = [], []
        self.feed(text)
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]
        if self.rawdata.startswith(
            "<"
        ):  # such as an open comment: a browser would take all that follows for a part of it
            self.wrong.append(f"{self.rawdata[:20]!r} is not closed")

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in self.ALONE:
            self.wrong.append(f"<{tag}> is not allowed")
        elif tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:  # <path …/>
        if tag in self.ALONE:
            self.wrong.append(f"<{tag}> is not allowed")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID | self.OPTIONAL:
            return
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(f"</{tag}> closes nothing")


def tag_faults(text: str) -> list[str]:
    """Return what is wrong with the tags of a piece of HTML, which would swallow what follows or break the layout."""
    return _Tags(text).wrong


def later(block: str) -> str:
    """Let a block appear with a key; a picture stays a part of the sheet, or it would lose room."""
    if block.startswith("<figure>"):
        return block.replace("<figure>", '<figure class="fragment">', 1)
    return f'<div class="fragment">{block}</div>'


def say(cell: NotebookNode, slide: Slide) -> None:
    """Put a cell that is not shown into the speaker's notes: the words below a figure, the numbers of its claims."""
    if cell.cell_type == "markdown":
        slide.ended = slide.ended or cell.source.startswith(("# ", "## "))
        if not slide.ended:
            slide.notes.append(markdown(cell.source))
    elif not slide.ended and cell.cell_type == "code":
        text = "".join(output.text for output in cell.outputs if output.output_type == "stream").strip()
        if text:
            slide.notes.append(printed(text))


def make_slides(nb: NotebookNode) -> list[Slide]:
    """Lay the cells of a notebook out on slides."""
    slides: list[Slide] = []
    for cell in nb.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
        if kind in ("slide", "subslide"):
            slides.append(Slide(len(slides) + 1, cell.id, starts_column=kind == "slide"))
        elif kind == "skip":
            if slides:
                say(cell, slides[-1])
            continue
        elif kind not in ("-", "fragment", "notes"):
            raise LabError(f"cell {cell.id!r} has the unknown slide_type {kind!r}.")
        if not slides:
            raise LabError(f"cell {cell.id!r} continues a slide, but no slide has begun.")
        slide = slides[-1]
        if kind == "notes":
            slide.notes.append(markdown(cell.source))
        elif kind == "fragment" or slide.asks:
            slide.blocks += [later(block) for block in cell_blocks(cell, slide)]
        else:
            slide.blocks += cell_blocks(cell, slide)
            slide.asks = cell.cell_type == "markdown" and "predict first" in cell.source.lower()
    for slide in slides:
        slide.notes += [f"<div>{answer}</div>" for block in slide.blocks for answer in FOLDED.findall(block)]
        if slide.aspects:  # the picture needs the room: its numbers are for the speaker
            slide.notes += [claims for block in slide.blocks for claims in CLAIMS.findall(block)]
            blocks = [CLAIMS.sub("", block) for block in slide.blocks]
            slide.blocks = [block for block in blocks if block not in ("", '<div class="fragment"></div>')]
        if not slide.notes:
            slide.notes = [f"<p>On the picture: {html.escape(alt)}</p>" for alt in slide.alts]
    faults = {s.first_cell: f for s in slides if (f := [w for part in s.blocks + s.notes for w in tag_faults(part)])}
    if faults:
        cell, wrong = next(iter(faults.items()))
        raise LabError(f"the HTML of the slide that starts at {cell!r} is broken: {'; '.join(wrong[:3])}.")
    untitled = [slide.first_cell for slide in slides if not slide.title]
    if untitled:
        raise LabError(f"the slides that start at {untitled} have no heading.")
    drop_numbers(slides)
    if slides:
        add_cover(slides[0], nb)
    return slides


def drop_numbers(slides: list[Slide]) -> None:
    """Take the numbers out of titles of which the deck leaves some out: nobody shall wait for the missing one."""
    kinds: dict[str, list[tuple[str, Slide]]] = {}
    for slide in slides:
        if match := NUMBERED.match(slide.title):
            kinds.setdefault(match[1], []).append((match[2], slide))
    for kind, titles in kinds.items():
        if len(titles) > 1 and [int(number) for number, _ in titles] == list(range(1, len(titles) + 1)):
            continue
        for number, slide in titles:
            slide.title = slide.title.replace(f"{kind} {number}", kind, 1)
            slide.blocks = [block.replace(f"<h2><p>{kind} {number}", f"<h2><p>{kind}", 1) for block in slide.blocks]


def columns(slides: list[Slide]) -> list[list[Slide]]:
    """Group slides as reveal.js wants them: a slide with the subslides below it."""
    starts = [i for i, slide in enumerate(slides) if slide.starts_column or i == 0]
    return [slides[start:end] for start, end in pairwise([*starts, len(slides)])]


def make_deck(nb: NotebookNode) -> str:
    """Return the HTML file of a lab's slides."""

    def vendored(path: Path) -> str:
        return path.read_text("utf8").replace("</script", r"<\/script")

    slides = make_slides(nb)
    if not slides:
        raise LabError('no cell has a slide_type: give the first one slideshow={"slide_type": "slide"}.')
    environment = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("deck.html").render(
        title=html.escape(f"{slides[0].plain_title} · {COURSE}"),
        course=COURSE,
        columns=columns(slides),
        total=len(slides),
        escape=lambda text: html.escape(text, quote=True),
        css=[vendored(REVEAL / "reveal.css"), PYGMENTS.get_style_defs(), (HERE / "deck.css").read_text("utf8")],
        reveal=vendored(REVEAL / "reveal.js"),
        notes=vendored(REVEAL / "notes.js"),
        mathjax=vendored(MATHJAX / "tex-svg.js"),
    )


def write_deck(lesson: Path, folder: Path) -> Path:
    """Write the deck of a lab into the folder; return its path."""
    target = folder / f"{lesson.stem}.html"
    write(target, make_deck(built_notebook(lesson)))
    return target


def main() -> int:
    """Run the command line; the exit status is 1 when a deck cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", metavar="NN", help="two-digit numbers of labs")
    status = 0
    for lesson in find_lessons(ROOT, parser.parse_args().numbers):
        try:
            deck = write_deck(lesson, ROOT / "build" / "slides")
            print(f"{deck.relative_to(ROOT)}  {deck.stat().st_size / 1e6:.1f} MB")
        except LabError as error:
            print(f"{lesson.stem}: {error}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
