"""The slides in headless Chromium: nothing overflows or is fetched, pictures and formulas show, every page prints."""

import nbformat
import pytest
from browser import watch

from notebooks import LabError, find_lessons, notebook_of, read_notebook, update
from slides import make_deck, make_slides, write_deck

# Measures the slide that shows. The footer is the lower border of what words and pictures may use.
MEASURE = """index => {
    const slide = Reveal.getSlides()[index], at = Reveal.getIndices(slide);
    Reveal.slide(at.h, at.v, 99);  // 99: with all its fragments
    const box = element => element.getBoundingClientRect();
    const sheet = slide.querySelector(".sheet"), footer = sheet.querySelector(":scope > footer");
    const ranges = [...sheet.children].filter(e => e !== footer).map(e => {
        const range = document.createRange();  // unlike the element's own box, a range holds the words that leave it
        range.selectNode(e);
        return box(range);
    });
    const boxes = [...sheet.querySelectorAll("pre, table, mjx-container")];
    const images = [...sheet.querySelectorAll("img")].map(img => ({
        alt: img.alt, loaded: img.complete && img.naturalWidth > 0,
        height: img.naturalHeight,
        scale: Math.min(box(img).width / img.naturalWidth, box(img).height / img.naturalHeight),
    }));
    const texts = document.createTreeWalker(sheet, NodeFilter.SHOW_TEXT);
    let dollars = 0;  // left where MathJax found no formula
    while (texts.nextNode()) {
        const text = texts.currentNode;
        dollars += !text.parentNode.closest("pre, code, svg") && text.data.includes("$");
    }
    return {
        title: slide.dataset.title, images, dollars, wide: boxes.filter(e => e.scrollWidth > e.clientWidth + 1).length,
        below: Math.max(...ranges.map(range => range.bottom)) - box(footer).top,
        right: Math.max(...ranges.map(range => range.right)) - box(footer).right,
        above: box(sheet).top - Math.min(...ranges.map(range => range.top)),
        formulas: sheet.querySelectorAll("mjx-merror, [data-mjx-error]").length,
    };
}"""
SMALLEST_HEIGHT = 230  # of a picture, in pixels of the slide's 720
SMALLEST_SCALE = 0.55  # of the picture's own pixels; coursekit's figures then still have words of 12 pixels


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def open_deck(page, deck, query=""):
    page.goto(deck.as_uri() + query)
    page.wait_for_selector("body[data-ready]")


def faults(page, deck):
    """Open a deck and say, slide by slide, what is wrong with it."""
    seen = watch(page)
    open_deck(page, deck)
    found = []
    for index in range(page.evaluate("Reveal.getSlides().length")):
        slide = page.evaluate(MEASURE, index)
        name = f"slide {index + 1}, “{slide['title']}”"
        for side in ("below", "right", "above"):
            if slide[side] > 1:
                found.append(f"{name} overflows by {slide[side]:.0f} px ({side})")
        if slide["wide"]:
            found.append(f"{name} has a line of code, a table or a formula wider than its box")
        for image in slide["images"]:
            if not image["loaded"] or not image["alt"].strip():
                found.append(f"{name} has a picture that does not load or has no alt text")
            elif image["scale"] < SMALLEST_SCALE or image["scale"] * image["height"] < SMALLEST_HEIGHT:
                found.append(f"{name} shows its picture too small, at {image['scale']:.2f} of its size")
        if slide["dollars"] or slide["formulas"]:
            found.append(f"{name} has a formula that MathJax does not understand")
    return found + seen


def pages_of_pdf(page, deck):
    open_deck(page, deck, "?print-pdf")
    page.wait_for_selector(".pdf-page")
    return page.pdf(prefer_css_page_size=True, print_background=True).count(b"/Type /Page\n")


def edited(lesson, old, new):
    text = lesson.read_text("utf8")
    assert old in text
    lesson.write_text(text.replace(old, new), "utf8")
    update(lesson)
    return write_deck(lesson, lesson.parent.parent / "slides")


def test_a_good_deck_has_no_fault_and_prints_a_page_a_slide(page, lesson):
    deck = edited(lesson, "One.", "One!")
    assert faults(page, deck) == []
    assert page.locator("mjx-container").count() == 2
    assert page.evaluate("Reveal.getSlides().length") == 5
    assert "the secret of the lab" not in deck.read_text("utf8"), "code shows only where it is tagged show-code"
    assert page.locator("pre:has-text('def picture')").count() == 1
    assert page.locator("aside.notes:has-text('Ask who got it wrong')").count() == 1
    assert pages_of_pdf(page, deck) == 5


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# 2. Two.", "\n".join(f"# {n}. Line." for n in range(2, 22)), "slide 5, “Recap” overflows"),
        ("# 2. Two.", "# " + "x" * 120, "slide 5, “Recap” overflows"),
        ("# ## A figure", "# ## A figure\n#\n# " + "Many words. " * 85, "shows its picture too small"),
        ('"""A PNG', '"""' + "A very long line of code. " * 5 + "A PNG", "wider than its box"),
        ("$\\alpha + \\beta$", "$\\alpha + \\betta$", "formula that MathJax does not understand"),
        ("# 2. Two.", '# 2. <img src="https://example.org/a.png" alt="a">', "request to https://example.org/a.png"),
        ("# 2. Two.", "# 2. <script>missing()</script>", "error: "),
    ],
)
def test_each_fault_of_a_deck_is_found(page, lesson, old, new, fault):
    found = faults(page, edited(lesson, old, new))
    assert any(fault in line for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"slide_type": "-"', '"slide_type": "sub-slide"', "unknown slide_type 'sub-slide'"),
        (
            'id="title" slideshow={"slide_type": "slide"}',
            'id="title" slideshow={"slide_type": "-"}',
            "no slide has begun",
        ),
        ("# ## Recap", "# Recap", "slides that start at .'recap'. have no heading"),
    ],
)
def test_a_deck_that_cannot_be_good_is_not_built(lesson, old, new, message):
    with pytest.raises(LabError, match=message):
        edited(lesson, old, new)


def test_a_picture_without_alt_text_is_not_built(lesson):
    update(lesson)
    notebook = notebook_of(lesson)
    notebook.write_text(notebook.read_text("utf8").replace('"A grey field."', '""'), "utf8")
    with pytest.raises(LabError, match="cell 'figure' has no alt text"):
        write_deck(lesson, lesson.parent.parent / "slides")


def test_a_lab_without_slides_says_what_to_do():
    with pytest.raises(LabError, match="no cell has a slide_type"):
        make_deck(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Words")]))


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_the_deck_of_a_lab(page, lesson, tmp_path):
    slides = make_slides(read_notebook(notebook_of(lesson)))
    assert 12 <= len(slides) <= 25, f"{len(slides)} slides, but a deck has 12 to 25"
    assert faults(page, write_deck(lesson, tmp_path)) == []
