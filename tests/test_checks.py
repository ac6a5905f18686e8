"""What holds for the check of every exercise: unfinished, raising and misshapen answers get a sentence."""

from importlib import import_module

import jupytext
import pytest

from notebooks import find_lessons

EXERCISES = {}  # number -> whether the student writes a function
for lesson in find_lessons():
    judges = import_module(f"coursekit.checks.lab{lesson.name[:2]}").JUDGES
    starters = [
        cell.source for cell in jupytext.read(lesson).cells if str(cell.metadata.get("id")).endswith("-starter")
    ]
    EXERCISES |= {number: "def " in starter for number, starter in zip(sorted(judges), starters, strict=True)}
FUNCTIONS = [number for number, is_function in EXERCISES.items() if is_function]


@pytest.mark.parametrize("number", EXERCISES)
def test_an_unfinished_exercise_says_so(said, number):
    assert said(number) == said(number, ...) == f"○ {number} not done yet."


@pytest.mark.parametrize("number", FUNCTIONS)
def test_an_unfinished_function_says_so(said, number):
    for starter in (lambda *arguments: ..., lambda *arguments: None):
        assert said(number, starter) == f"○ {number} not done yet."


@pytest.mark.parametrize("number", FUNCTIONS)
def test_what_the_students_code_raises_becomes_a_hint(said, number):
    def broken(*arguments):
        raise KeyError("pixels")

    assert "your code raised KeyError: 'pixels'" in said(number, broken)
    assert "your code raised TypeError: " in said(number, lambda: 1)
    assert "give the function itself" in said(number, 3.0)
