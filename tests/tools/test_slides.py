"""The slides in headless Chromium: nothing overflows or is fetched, pictures and formulas show, every slide prints."""

import re

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import watch

from notebooks import LabError, find_lessons, notebook_of, read_notebook, update
from pdf import open_all_slides, print_deck
from slides import Slide, make_deck, make_slides, printed, write_deck

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


def barriers(page, deck):
    """What axe finds on all slides that keeps somebody out, serious or critical."""
    open_all_slides(page, deck)
    found = [item for item in Axe().run(page).response["violations"] if item["impact"] in ("serious", "critical")]
    return [f"{item['id']}: {item['nodes'][0]['html'][:150]} ({len(item['nodes'])})" for item in found]


def slides_of(lesson) -> list[Slide]:
    return make_slides(read_notebook(notebook_of(lesson)))


def edited(lesson, old, new):
    text = lesson.read_text("utf8")
    assert old in text
    lesson.write_text(text.replace(old, new), "utf8")
    update(lesson)
    return write_deck(lesson, lesson.parent.parent / "slides")


def test_a_good_deck_has_no_fault(page, lesson):
    deck = edited(lesson, "One.", "One!")
    assert faults(page, deck) == []
    assert page.locator("mjx-container").count() == 2
    assert page.evaluate("Reveal.getSlides().length") == 5
    assert "the secret of the lab" not in deck.read_text("utf8"), "code shows only where it is tagged show-code"
    assert page.locator("pre:has-text('def picture')").count() == 1
    assert page.locator("aside.notes:has-text('Ask who got it wrong')").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("# 2. Two.", "\n".join(f"# {n}. Line." for n in range(2, 22)), "slide 5, “Recap” overflows"),
        ("# 2. Two.", "# " + "x" * 120, "slide 5, “Recap” overflows"),
        ("# ## A figure", "# ## A figure\n#\n# " + "Many words. " * 85, "shows its picture too small"),
        ('"""A PNG', '"""' + "A very long line of code. " * 5 + "A PNG", "wider than its box"),
        ("$\\alpha + \\beta$", "$\\alpha + \\betta$", "formula that MathJax does not understand"),
        ("# 2. Two.", '# 2. <img src="https://example.org/a.png" alt="a">', "request to https://example.org/a.png"),
        ("# 2. Two.", '# 2. <svg onload="missing()"></svg>', "error: "),
    ],
)
def test_each_fault_of_a_deck_is_found(page, lesson, old, new, fault):
    found = faults(page, edited(lesson, old, new))
    assert any(fault in line for line in found), found


def test_words_that_are_hard_to_read_and_a_picture_without_words_are_barriers(page, lesson):
    assert barriers(page, edited(lesson, "One.", "One!")) == []
    pale = edited(
        lesson,
        "# 2. Two.",
        '# 2. <span style="color: #bbb">Two.</span> <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    )
    assert [found.split(":")[0] for found in barriers(page, pale)] == ["color-contrast", "image-alt"]


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


def test_after_predict_first_the_answer_comes_with_the_next_key(page, lesson):
    deck = edited(lesson, "# ## A figure", "# ## A figure\n#\n# **Predict first.** Light or dark?")
    open_deck(page, deck)
    index = next(i for i in range(5) if page.evaluate("i => Reveal.getSlides()[i].dataset.title", i) == "A figure")
    page.evaluate("i => { const at = Reveal.getIndices(Reveal.getSlides()[i]); Reveal.slide(at.h, at.v); }", index)
    figure = page.locator("section.present section.present figure")
    seen = "e => getComputedStyle(e.closest('.fragment')).visibility"
    assert figure.evaluate(seen) == "hidden"
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("section.present section.present figure.visible")
    assert page.evaluate("Reveal.getCurrentSlide().dataset.title") == "A figure", "the key has not left the slide"
    assert faults(page, deck) == []


def test_a_deck_prints_a_page_a_slide_with_its_words_and_what_its_fragments_show(page, lesson):
    deck = edited(lesson, "# ## A figure", "# ## A figure\n#\n# **Predict first.** Light or dark?")
    seen = watch(page)
    written = print_deck(page, deck)
    pdf = written.read_bytes()
    assert written == deck.with_suffix(".pdf") and pdf.count(b"/Type /Page\n") == 5 and not seen
    titles = re.findall(rb"/Title (?:\((.*?)\)\n|<FEFF(\w+)>)", pdf)
    said = [plain.decode("latin1") or bytes.fromhex(coded.decode()).decode("utf-16-be") for plain, coded in titles]
    shown = [title for title in page.evaluate("Reveal.getSlides().map(slide => slide.dataset.title)")]
    assert [title for title in said if title in shown] == shown, "each slide is a bookmark, in their order"
    assert b"/FontFile2" in pdf and b"/ToUnicode" in pdf, "words are words, not pictures of them"
    fragments = page.locator("figure.fragment")
    assert fragments.count() == 1
    assert fragments.evaluate("e => getComputedStyle(e).visibility") == "visible"


def cell(kind, source, slide_type, **more):
    made = nbformat.v4.new_markdown_cell(source) if kind == "words" else nbformat.v4.new_code_cell(source, **more)
    made.metadata["slideshow"] = {"slide_type": slide_type}
    return made


def stream(text):
    return [nbformat.v4.new_output("stream", text=text)]


def test_claims_beside_a_picture_are_in_the_notes(lesson):
    text = lesson.read_text("utf8")
    claim = (
        '# %% id="numbers" slideshow={"slide_type": "-"}\nprint("share: 0.77 (more than 0.5) ✓\\nand a sentence")\n\n'
    )
    lesson.write_text(text.replace('# %% id="explorer"', claim + '# %% id="explorer"'), "utf8")
    update(lesson)
    figure = next(s for s in make_slides(read_notebook(notebook_of(lesson))) if s.title == "A figure")
    assert "share: 0.77" in "".join(figure.notes) and "share" not in "".join(figure.blocks)
    assert '<ul class="output"><li>and a sentence</li></ul>' in figure.blocks, "what is no claim stays"


def test_what_a_cell_prints_is_a_table_or_sentences():
    table = printed("class   logit  share\ncup      7.0   <0.02\n")
    assert table.startswith('<table class="output"><tr><th>class</th><th>logit</th><th>share</th></tr><tr><td>cup</td>')
    assert "<td>&lt;0.02</td>" in table and "<th>" not in printed("a  1\nb  2")
    assert "<td>b</td><td>-2</td><td></td>" in printed("a  1  0.5\nb -2\n"), "a minus, and a column less"
    assert printed("a  1\n\n  b and no column") == '<ul class="output"><li>a 1</li><li>b and no column</li></ul>'
    assert printed("a: 0.7 (more than 0.5) ✓\nb") == (
        '<ul class="claims"><li>a: 0.7 (more than 0.5) ✓</li></ul><ul class="output"><li>b</li></ul>'
    )


def test_titles_are_numbered_where_the_deck_has_all_numbers():
    def titles(*names):
        cells = [cell("words", f"## {name}", "slide") for name in names]
        made = make_slides(nbformat.v4.new_notebook(cells=cells))
        assert all(f"<p>{slide.title}</p>" in slide.blocks[0] for slide in made)
        return [slide.title for slide in made]

    whole = ["What goes wrong 1 · a", "Idea 1 · b", "What goes wrong 2 · c", "Idea 2 · d"]
    assert titles(*whole) == whole
    assert titles("Experiment 1 · a", "Experiment 3 · b", "Idea 1 · c") == [
        "Experiment · a",
        "Experiment · b",
        "Idea · c",
    ]
    assert titles("Theory 2 · a", "Theory 1 · b") == ["Theory · a", "Theory · b"]


def test_the_cover_carries_the_picture_of_the_gallery(page, lesson):
    lesson.write_text(lesson.read_text("utf8").replace('# %% id="figure"', '# %% tags=["gallery"] id="figure"'), "utf8")
    deck = edited(lesson, "One.", "One!")
    assert faults(page, deck) == []
    assert page.locator(".sheet.cover img").evaluate("e => [e.alt, e.naturalWidth > 0]") == ["A grey field.", True]


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_mistakes_and_experiments_are_numbered_without_a_gap(lesson):
    found = {}
    for name, number in re.findall(r"^# ##+ ([A-Z][a-z ]+?) (\d+) · ", lesson.read_text("utf8"), re.MULTILINE):
        found.setdefault(name, []).append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found.values()), found


def test_no_two_decks_have_a_slide_of_the_same_title():
    """A title that fits any lab, such as "The idea", does not say what was found; only the last slides are alike."""
    closing = {"Exercises", "Recap", "Quiz", "Further reading", "Reading for the seminar"}
    decks = [{slide.title for slide in slides_of(lesson)} - closing for lesson in find_lessons()]
    assert {title: n for title in set().union(*decks) if (n := sum(title in deck for deck in decks)) > 1} == {}


def test_what_the_lab_says_below_a_slide_is_in_the_notes_up_to_the_next_section():
    cells = [
        cell("words", "## One", "slide"),
        cell("code", "", "-", outputs=stream("a: 0.7 (more than 0.5) ✓\nb: True\n")),
        cell("code", "", "skip", outputs=stream("share: 0.77 (more than 0.5) ✓\n")),
        cell("words", "What you *see*.", "skip"),
        cell("words", "### A card\nwith words", "skip"),
        cell("words", "## A section that is not shown", "skip"),
        cell("words", "Its words.", "skip"),
        cell("words", "## Quiz\n<details><summary>Answer</summary>Because.</details>", "slide"),
        cell("words", "For the speaker.", "notes"),
    ]
    one, quiz = make_slides(nbformat.v4.new_notebook(cells=cells))
    notes = "".join(one.notes)
    assert all(words in notes for words in ("share: 0.77 (more than 0.5) ✓", "What you <em>see</em>.", "with words"))
    assert "section" not in notes and "Its words" not in notes
    assert "For the speaker" in quiz.notes[0] and "Because." in quiz.notes[1]
    assert one.blocks[1] == '<ul class="claims"><li>a: 0.7 (more than 0.5) ✓</li><li>b ✓</li></ul>'


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_a_deck_is_a_lecture(lesson):
    """A picture on the cover, notes on four fifths of the slides, no answer beside its question, no terminal."""
    slides = slides_of(lesson)
    assert 10_000 < len(slides[0].cover) < 200_000, "the lab's picture, in few bytes"
    assert sum(bool(slide.notes) for slide in slides) >= 0.8 * len(slides)
    asking = [slide for slide in slides if slide.asks]
    assert len(asking) >= 5
    for slide in asking:
        question = max(i for i, block in enumerate(slide.blocks) if "predict first" in block.lower())
        assert all('class="fragment"' in block for block in slide.blocks[question + 1 :]), slide.title
    assert not [slide.title for slide in slides if '<pre class="output' in "".join(slide.blocks)]


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_the_deck_of_a_lab(page, lesson, tmp_path):
    slides = slides_of(lesson)
    assert 12 <= len(slides) <= 25, f"{len(slides)} slides, but a deck has 12 to 25"
    deck = write_deck(lesson, tmp_path)
    assert faults(page, deck) == []
    assert barriers(page, deck) == []
