"""No judge takes a wrong answer: systematic mutants of the right ones are refused, or are right, too, for a reason."""

from importlib import import_module

import pytest
from mutants import RESULTS, mutants, passes

from notebooks import find_lessons
from tests.labs.equivalents import EQUIVALENT, NEVER_ABOVE_1, NEVER_NEGATIVE, SYMMETRIC

LABS = [lesson.name[:2] for lesson in find_lessons()]
JUDGES = {n: judge for lab in LABS for n, judge in import_module(f"coursekit.labs.lab{lab}").JUDGES.items()}


def right_too(number):
    """The mutants of an exercise that are no mistakes."""
    known = set(EQUIVALENT.get(number, {}))
    for words, table in (("absolute value", NEVER_NEGATIVE), ("no negative values", NEVER_NEGATIVE)):
        known |= {f"the result: {words}" for numbers in table.values() if number in numbers.split()}
    known |= {"the result: at most 1" for numbers in NEVER_ABOVE_1.values() if number in numbers.split()}
    return known | ({"the result: rows for columns"} if number in SYMMETRIC.split() else set())


def survivors(number):
    module = import_module(f"tests.labs.answers_{number[:2]}")
    (_, right), *wrong = mutants(module, number)
    assert passes(JUDGES[number], right)
    return {what for what, answer in wrong if passes(JUDGES[number], answer)}, len(wrong)


@pytest.mark.parametrize("number", [n for n in JUDGES if n != "16.5"])
def test_no_mutant_of_a_right_answer_passes(number):
    """16.5 asks for a report, no number or function: its mistakes stand in answers_16.py."""
    alive, tried = survivors(number)
    assert tried >= 8
    assert sorted(alive - right_too(number)) == []
    assert sorted(set(EQUIVALENT.get(number, {})) - alive) == [], "an excuse that nobody needs"


def test_a_judge_with_one_example_takes_what_is_right_for_it_alone():
    """The mutation that calls for a second example: the first result for ever."""
    first = RESULTS["the first for ever"]()
    assert first(1) == first(2) == 1

    def judge(answer):
        return None if answer(2) == 4 else "wrong"

    assert passes(judge, lambda x: 4), "one example cannot tell"
