"""What needs what: the figure, the tables and the plans say what the labs' contracts say."""

import re
from itertools import pairwise

from notebooks import ROOT, find_lessons
from paths import KINDS, PLACES, SHORT, arrows, before, first_do, labs_in

NEEDS = first_do()
README, INSTRUCTORS = ((ROOT / name).read_text("utf8") for name in ("README.md", "docs/instructors.md"))


def missing(labs):
    """The labs that these need and that are not among them."""
    return set().union(*(before(lab, NEEDS) for lab in labs)) - set(labs)


def test_each_lab_asks_only_for_earlier_ones():
    assert list(NEEDS) == [lesson.stem[:2] for lesson in find_lessons()]
    assert all(NEEDS[lab] for lab in NEEDS if lab != "00")
    assert all(first < lab for lab, asked in NEEDS.items() for first in asked)
    assert NEEDS["14"] == {"04", "05", "06"}, "a range is read as a range"


def test_the_figure_has_each_lab_once_and_no_arrow_that_a_longer_way_says():
    assert sorted(PLACES) == sorted(lab for labs in KINDS.values() for lab in labs) == list(NEEDS)
    assert len(set(PLACES.values())) == len(PLACES)
    drawn = arrows(NEEDS)
    assert ("06", "08") in drawn and ("04", "08") not in drawn
    assert all(PLACES[first][0] < PLACES[then][0] for first, then in drawn), "an arrow leads to the right"
    assert set(pairwise(SHORT)) <= set(drawn) and not missing(SHORT)


def test_the_tables_of_lab_00_say_what_the_contracts_say():
    text = find_lessons(numbers=["00"])[0].read_text("utf8")
    told = re.findall(r"^# \| (\d\d) \| [^|]+ \| [^|]+ \| ([^|]*)\|$", text, re.M)
    assert {lab: labs_in(asked) for lab, asked in told} == NEEDS
    assert " → ".join(SHORT) in text


def test_the_words_for_those_who_cannot_see_the_figure_name_every_arrow():
    leads = {first: [then for start, then in sorted(arrows(NEEDS)) if start == first] for first in sorted(NEEDS)}
    words = "; ".join(f"from {first} to {', '.join(after)}" for first, after in leads.items() if after)
    assert words in README and words in (ROOT / "data/alt/00.md").read_text("utf8")


def test_the_paths_of_the_readme_and_the_plans_for_instructors_leave_nothing_out():
    paths = re.findall(r"^\| [^|]+ \| (00 [^|]+) \|$", README.split("| path | labs |")[1].split("![")[0], re.M)
    plans = re.findall(r"^\| \d+ \| [^|]+ \| (00 [^|]+) \|$", INSTRUCTORS, re.M)
    plans += re.findall(r"For (?:art|trustworthy)[^:]+: (00[^.]+)\.", INSTRUCTORS)
    assert len(paths) == 4 and len(plans) == 5
    for path in [*paths, *plans]:
        assert not missing(labs_in(path.split(", with")[0])), path
