"""The check of every exercise knows the right answers, names each mistake by its own hint, and never falls over."""

import re
from importlib import import_module
from pathlib import Path

import jupytext
import pytest
import torch

import coursekit as ck
from coursekit.labs import checking
from coursekit.labs.checking import compare
from notebooks import ROOT, find_lessons
from tests.labs.answers_04 import grad_of_no_leaf, gradient

LABS = [import_module(f"tests.labs.{path.stem}") for path in sorted(Path(__file__).parent.glob("answers_*.py"))]
RIGHT = [pair for lab in LABS for pair in lab.RIGHT]
WRONG = [(n, hint, answer) for lab in LABS for n, found in lab.MISTAKES.items() for hint, answer in found.items()]
UNKNOWN = [pair for lab in LABS for pair in getattr(lab, "UNKNOWN", [])]

EXERCISES = {}  # number -> whether the student writes a function
for lesson in find_lessons():
    judges = import_module(f"coursekit.labs.lab{lesson.name[:2]}").JUDGES
    starters = [
        cell.source for cell in jupytext.read(lesson).cells if str(cell.metadata.get("id")).endswith("-starter")
    ]
    EXERCISES |= {number: "def " in starter for number, starter in zip(judges, starters, strict=True)}
FUNCTIONS = [number for number, is_function in EXERCISES.items() if is_function]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_the_right_answer_passes(said, number, answer):
    assert said(number, answer) == f"✓ {number} right."


@pytest.mark.parametrize(("number", "hint", "answer"), WRONG, ids=[f"{n}-{hint}" for n, hint, _ in WRONG])
def test_each_mistake_has_its_hint(said, number, hint, answer):
    message = said(number, answer)
    assert message.startswith(f"✗ {number} not yet: ") and hint in message


@pytest.mark.parametrize(("number", "answer"), UNKNOWN)
def test_an_unknown_mistake_is_still_a_mistake(said, number, answer):
    assert said(number, answer).startswith(f"✗ {number} not yet: ")


@pytest.mark.parametrize("number", EXERCISES)
def test_an_unfinished_exercise_says_so(said, number):
    assert said(number) == said(number, ...) == f"○ {number} not done yet."


@pytest.mark.parametrize("number", FUNCTIONS)
def test_an_unfinished_function_says_so(said, number):
    assert said(number, lambda *arguments: ...) == f"○ {number} not done yet."
    nothing = said(number, lambda *arguments: None)
    assert nothing == f"✗ {number} not yet: your function returns nothing: is `return` missing?"


@pytest.mark.parametrize("number", FUNCTIONS)
def test_what_the_students_code_raises_becomes_a_hint(said, number):
    def broken(*arguments):
        raise KeyError("pixels")

    assert "your code raised KeyError: 'pixels'" in said(number, broken)
    assert "your code raised TypeError: " in said(number, lambda: 1)
    assert "give the function itself" in said(number, 3.0)


def test_noise_scaled_by_sigma_alone_on_the_gradient_is_recognised_too(said):
    message = said("04.2", lambda m, x, t, noise, s: gradient(m, x, t) + s * noise.mean(0))
    assert "add it to the image, then differentiate" in message


def test_a_gradient_looked_for_on_no_leaf_gets_an_answer(said):
    with pytest.warns(UserWarning, match="not a leaf"):
        assert said("04.1", grad_of_no_leaf).startswith("✗ 04.1 not yet:")


@pytest.mark.parametrize("answer", [224 * 224, ..., "many"])
def test_strict_mode_raises_for_all_but_the_right_answer(monkeypatch, answer):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    ck.check("00.1", 150528)
    with pytest.raises(AssertionError, match=r"00\.1 not"):
        ck.check("00.1", answer)


@pytest.mark.parametrize("number", ["00.9", "00", "77.1", "../x", "", 3])
def test_an_unknown_exercise_is_an_error(number):
    with pytest.raises(ck.UnknownExercise, match=r"There is no exercise|number must be a string"):
        ck.check(number, 1)


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(ck.UnknownExercise, match=r"known: 00\.1, 00\.2, 00\.3, 00\.4"):
        ck.check("00.5", 1)


# --- what the first lab tells its reader ----------------------------------------------------------------------------

FIRST = (ROOT / "lessons" / "00_start_here.py").read_text("utf8")


def test_the_hint_that_the_lab_shows_is_the_one_that_students_get(said):
    assert f"# > {said('00.1', 224 * 224)}\n" in FIRST


def test_the_list_of_labs_names_all_of_them_and_what_comes_first_comes_first():
    rows = re.findall(r"^# \| (\d\d) \| [^|]+ \| [^|]+ \| ([^|]*) ?\|$", FIRST, re.M)
    assert [number for number, _ in rows] == [lesson.name[:2] for lesson in find_lessons()]
    for number, before in rows:
        assert all(first < number for first in re.findall(r"\d\d", before)), number


# --- what counts as equal -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [[1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], torch.tensor([[[1.0, 2.0, 3.0]]]).double()])
@pytest.mark.parametrize("right", [torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[1.0, 2.0, 3.0]])])
def test_a_leading_dimension_of_one_makes_no_difference(answer, right):
    assert compare(answer, right) is None
    assert compare(answer, right + 1, [(right, "the hint")]) == "the hint"


def test_other_shapes_and_other_values_are_still_wrong():
    right = torch.tensor([1.0, 2.0, 3.0])
    assert compare(right[:, None], right) == "the shape should be (3,), but is (3, 1)."
    assert compare(right.repeat(2, 1), right) == "the shape should be (3,), but is (2, 3)."
    assert compare(right[None] + 1, right) == "the values differ from the right ones; go through the formula once more."
    assert compare([[2.0]], 2.0) is None and compare([2.0, 2.0], 2.0) == "one number is asked for."


# --- what a check says beside the verdict ---------------------------------------------------------------------------


def test_an_error_names_the_students_line(said):
    def total_activation(maps, channel):
        chosen = maps[0, channel]
        return chosen @ torch.zeros(3)  # line of the mistake

    message = said("03.4", total_activation)
    line = total_activation.__code__.co_firstlineno + 2
    assert f"(in line {line}: `return chosen @ torch.zeros(3)  # line of the mistake`)" in message


def test_progress_tells_all_exercises_of_the_labs_that_were_checked(said, capsys, monkeypatch):
    monkeypatch.setattr(checking, "_marks", {})
    assert ck.progress() == {} and "run the lab first" in capsys.readouterr().out
    said("03.1", 24)
    said("03.1", 625)
    said("13.3", lambda d: d.mean())
    marks = ck.progress()
    assert marks == dict.fromkeys(
        ["03.2", "03.3", "03.4", "03.5", "13.1", "13.2", *(f"13.{k}" for k in range(4, 8))], "○"
    ) | {
        "03.1": "✓",
        "13.3": "✗",
    }
    assert capsys.readouterr().out == (
        "Lab 03: 1 of 5 right · ✓ 03.1 · ○ 03.2 · ○ 03.3 · ○ 03.4 · ○ 03.5\n"
        "Lab 13: 0 of 7 right · ○ 13.1 · ○ 13.2 · ✗ 13.3 · ○ 13.4 · ○ 13.5 · ○ 13.6 · ○ 13.7\n"
    )


def test_one_number_of_many_is_not_almost_right(said):
    assert said("00.1", 150529).startswith("✗")
    assert said("01.1", 9473).startswith("✗")


def test_what_is_right_for_one_example_is_told_so(said):
    assert "right for one example, but not for another" in said("13.1", lambda w, concept, others: -w / w.norm())
    assert "right for one example, but not for another" in said(
        "13.4", lambda runs, null: 2 * (1 + int((null.mean(1) >= runs.mean() - 1e-9).sum())) / (len(null) + 1)
    )
