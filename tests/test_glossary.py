"""The glossary: ninety terms in five languages, and no lab puts a term in bold before the lab that explains it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "glossary.md").read_text("utf8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| **")
]
TEXTS = {path.name[:2]: path.read_text("utf8") for path in sorted((ROOT / "lessons").glob("*.py"))}
PROSE = {lab: "\n".join(re.findall(r"^# ?(.*)$", text, re.M)) for lab, text in TEXTS.items()}


def names(term):
    """What a lab may call it: `energy in the mask (energy)` and `CAV, concept …` have two names."""
    return [name.strip().lower() for name in re.split(r"[,()]", term.strip("*")) if name.strip()]


def test_it_has_ninety_terms_in_five_languages_in_order():
    assert len(ROWS) >= 90 and all(len(row) == 7 and all(row) for row in ROWS)
    terms = [row[0].strip("*").lower() for row in ROWS]
    assert terms == sorted(terms) and len(set(terms)) == len(terms)
    for _, _, _, russian, serbian, sentence, lab in ROWS:
        assert re.search("[а-яё]", russian) or russian.isascii()
        assert not re.search("[а-яё]", serbian), "Serbian is written in Latin letters here"
        assert sentence.endswith(".") and lab in TEXTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("*"))
def test_a_term_stands_in_its_lab_and_in_bold_in_no_earlier_one(row):
    term, lab = row[0], row[-1]
    words = "|".join(rf"\b{re.escape(name)}s?\b" for name in names(term))
    assert re.search(words, PROSE[lab], re.I), f"lab {lab} does not say {term}"
    for earlier in (number for number in PROSE if number < lab):
        bold = re.findall(r"\*\*([^*\n]{1,60})\*\*", PROSE[earlier])
        assert not [text for text in bold if re.fullmatch(words, text.strip(" .:"), re.I)], f"lab {earlier}: {term}"
