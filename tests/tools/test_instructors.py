"""The instructors' page tells minutes and points as the labs do, and says something of every lab."""

import re

from notebooks import ROOT, find_lessons, read_lesson

PAGE = (ROOT / "docs" / "instructors.md").read_text("utf8")
CARD = re.compile(r"^### Exercise (?P<number>\d\d\.\d+) · .+\n\*(?P<stars>★+) · (?P<minutes>\d+) minutes")


def row(lesson):
    """The row of a lab as it must be: its exercises, the minutes for them and their points."""
    cards = [CARD.match(cell.source) for cell in read_lesson(lesson).cells if cell.source.startswith("### Exercise ")]
    assert all(cards), lesson.stem
    numbers = sum(int(card["minutes"]) for card in cards), sum(len(card["stars"]) for card in cards)
    return f"| {lesson.stem.replace('_', ' ')} | {len(cards)} | {numbers[0]} | {numbers[1]} |"


def test_minutes_and_points_are_those_of_the_cards():
    table = PAGE.split("<!-- exercises")[1].split("<!-- end of exercises -->")[0]
    rows = [row(lesson) for lesson in find_lessons()]
    assert [line for line in table.splitlines() if re.match(r"\| \d\d", line)] == rows


def test_the_readme_tells_the_same_minutes():
    told = re.findall(r"^\| (\d\d) [^|]+\|[^|]+\| \d+ s \| (\d+) min \|$", (ROOT / "README.md").read_text("utf8"), re.M)
    assert told == [(lesson.stem[:2], row(lesson).split("|")[3].strip()) for lesson in find_lessons()]


def test_every_lab_has_something_to_say_to_ask_and_to_expect():
    for lesson in find_lessons():
        found = re.search(rf"^\*\*{lesson.stem[:2]} .+?(?=\n\n)", PAGE, re.M | re.S)
        assert found and all(word in found[0] for word in ("*Say:*", "*Ask:*", "*Expect:*")), lesson.stem


def test_the_plans_name_labs_in_their_order_and_a_lab_for_each_week():
    plans = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
    assert [weeks for weeks, _ in plans] == ["4", "8", "14"]
    for weeks, plan in plans:
        labs = re.findall(r"\d\d", plan)
        assert plan.count("·") == int(weeks) - 1 and labs == sorted(set(labs)) and "14" in labs
    assert len(labs) == len(find_lessons())
