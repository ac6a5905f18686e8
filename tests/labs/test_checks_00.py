"""Lab 00's checks: the right answers pass, each known mistake gets its own hint, and the lab says what exists."""

import re

import numpy as np
import pytest
import torch

import coursekit as ck
from notebooks import ROOT, find_lessons

LESSON = (ROOT / "lessons" / "00_start_here.py").read_text("utf8")


# --- right answers, also those that are not the model solution ------------------------------------------------------


def softmax(logits):
    powers = torch.exp(logits - logits.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)


def to_image(array):
    return torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255


def best_labels(logits, labels, top):
    order = logits.argsort(descending=True)
    return [labels[i] for i in order[:top]]


def best_labels_with_sorted(logits, labels, top):
    return tuple(name for _, name in sorted(zip(logits.tolist(), labels, strict=True), reverse=True)[:top])


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("00.1", 150528),
        ("00.1", torch.rand(1, 3, 224, 224).numel()),
        ("00.1", np.int64(150528)),
        ("00.2", softmax),
        ("00.2", lambda logits: torch.stack([row.softmax(0) for row in logits])),
        ("00.3", to_image),
        ("00.3", lambda array: ck.load_image(array)),
        ("00.3", lambda array: torch.tensor(array.transpose(2, 0, 1)[None] / 255.0, dtype=torch.float32)),
        ("00.4", best_labels),
        ("00.4", best_labels_with_sorted),
    ],
)
def test_the_right_answer_passes(said, number, answer):
    assert said(number, answer) == f"✓ {number} right."


# --- wrong answers, as students write them --------------------------------------------------------------------------


def without_normalisation(logits):
    return torch.exp(logits)


def over_the_pictures(logits):
    powers = torch.exp(logits)
    return powers / powers.sum(dim=0)


def over_the_whole_batch(logits):
    powers = torch.exp(logits)
    return powers / powers.sum()


def by_the_largest(logits):
    powers = torch.exp(logits)
    return powers / powers.max(dim=1, keepdim=True).values


def without_exp(logits):
    return logits / logits.sum(dim=1, keepdim=True)


def of_minus_the_logits(logits):
    return softmax(-logits)


def overflowing(logits):
    powers = torch.exp(logits)
    return powers / powers.sum(dim=1, keepdim=True)


def in_place(logits):
    logits -= logits.max(dim=1, keepdim=True).values
    return softmax(logits)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (torch.sigmoid, "sigmoid"),
        (without_normalisation, "divide them by their sum"),
        (over_the_pictures, "each row should: sum over the classes"),
        (over_the_whole_batch, "sum over all pictures"),
        (lambda logits: torch.log_softmax(logits, 1), "leave the log out"),
        (by_the_largest, "largest power"),
        (without_exp, "take exp of them first"),
        (of_minus_the_logits, "the sign is wrong"),
        (overflowing, "exp(1000) is infinite"),
        (in_place, "changes the logits it was given"),
        (lambda logits: softmax(logits)[0], "the shape should be (3, 5), but is (5,)"),
        (lambda logits: softmax(logits / 2), "the values differ"),
        (lambda logits: "probabilities", "a number or a tensor, not str"),
    ],
)
def test_softmax_names_the_mistake(said, answer, hint):
    assert said("00.2", answer).startswith("✗ 00.2 not yet: ") and hint in said("00.2", answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (224 * 224, "that is the number of pixels"),
        (3 * 224, "three rows of pixels"),
        (4 * 3 * 224 * 224, "those are bytes"),
        (3 * 256 * 224 * 224, "not the values that each of them can have"),
        (1000, "what the network gives back"),
        (7, "the values differ"),
        ((1, 3, 224, 224), "one number is asked for"),
    ],
)
def test_the_count_of_numbers_names_the_mistake(said, answer, hint):
    assert said("00.1", answer).startswith("✗ 00.1 not yet: ") and hint in said("00.1", answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float(), "divide by 255"),
        (lambda a: torch.from_numpy(a).permute(2, 0, 1)[None], "divide by 255"),
        (lambda a: torch.from_numpy(a)[None].float() / 255, "the channels come last"),
        (lambda a: torch.from_numpy(a) / 255, "the channels come last"),
        (lambda a: torch.from_numpy(a).permute(2, 0, 1).float() / 255, "the batch dimension is missing"),
        (lambda a: torch.from_numpy(a).permute(2, 1, 0)[None].float() / 255, "rows and columns are swapped"),
        (lambda a: torch.from_numpy(a).permute(2, 1, 0).float() / 255, "rows and columns are swapped"),
        (lambda a: torch.from_numpy(a).reshape(1, 3, *a.shape[:2]).float() / 255, "reshape mixes colours and places"),
        (lambda a: to_image(a[..., ::-1].copy()), "red and blue are swapped"),
        (lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float() / 256, "not by 256"),
        (lambda a: torch.from_numpy(a).permute(2, 0, 1)[None].float() / 127.5 - 1, "the values go from -1 to 1"),
        (lambda a: torch.from_numpy(a).permute(2, 0, 1)[None] // 255, "cut the fraction off"),
        (lambda a: torch.from_numpy(a.transpose(2, 0, 1)[None] / 255), "torch.float64; networks take float32"),
        (lambda a: a.transpose(2, 0, 1)[None] / 255, "a tensor, not ndarray"),
        (lambda a: to_image(a)[..., 1:], "the shape should be (1, 3, 4, 6)"),
        (lambda a: to_image(a).flip(3), "the values differ"),
    ],
)
def test_the_image_names_the_mistake(said, answer, hint):
    assert said("00.3", answer).startswith("✗ 00.3 not yet: ") and hint in said("00.3", answer)


def upwards(logits, labels, top):
    return [labels[i] for i in logits.argsort()[:top]]


def upwards_from_the_end(logits, labels, top):
    return [labels[i] for i in logits.argsort()[-top:]]


def by_size(logits, labels, top):
    return [labels[i] for i in logits.abs().topk(top).indices]


def from_the_front(logits, labels, top):
    return labels[:top]


def the_wrong_ones(logits, labels, top):
    return [labels[i] for i in logits.roll(1).topk(top).indices]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (upwards, "the least probable names"),
        (upwards_from_the_end, "the right names in the wrong order"),
        (by_size, "a strong no, not a strong yes"),
        (from_the_front, "the first names of the list"),
        (the_wrong_ones, "not the most probable names"),
        (lambda logits, labels, top: logits.topk(top).indices, "these are not names"),
        (lambda logits, labels, top: logits.topk(top).indices.tolist(), "these are not names"),
        (lambda logits, labels, top: [(labels[i], 0.5) for i in logits.topk(top).indices], "return the names alone"),
        (lambda logits, labels, top: best_labels(logits, labels, len(labels)), "returns 6 names; use `top`"),
        (lambda logits, labels, top: best_labels(logits, labels, 3), "right for three names, but not for `top`"),
        (lambda logits, labels, top: ["dog", "bee", "eel"], "right for three names, but not for `top`"),
        (lambda logits, labels, top: labels[logits.argmax()], "a list of names, not str"),
        (lambda logits, labels, top: {*best_labels(logits, labels, top)}, "a list of names, not set"),
    ],
)
def test_the_best_labels_name_the_mistake(said, answer, hint):
    assert said("00.4", answer).startswith("✗ 00.4 not yet: ") and hint in said("00.4", answer)


# --- unfinished and broken answers ----------------------------------------------------------------------------------


def starter(*arguments):
    return ...


def forgot_return(*arguments):
    pass


def broken(*arguments):
    return torch.rand(3).not_a_method()


@pytest.mark.parametrize("answer", [224 * 224, ..., "many"])
def test_strict_mode_raises_for_all_but_the_right_answer(monkeypatch, answer):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    ck.check("00.1", 150528)
    with pytest.raises(AssertionError, match=r"00\.1 not"):
        ck.check("00.1", answer)


@pytest.mark.parametrize("number", ["00.9", "00", "77.1", "../x", "", 3])
def test_an_unknown_exercise_is_an_error(number):
    with pytest.raises(ck.UnknownExercise, match="There is no exercise"):
        ck.check(number, 1)


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(ck.UnknownExercise, match=r"known: 00\.1, 00\.2, 00\.3, 00\.4"):
        ck.check("00.5", 1)


# --- what the lab tells its reader ----------------------------------------------------------------------------------


def test_the_hint_that_the_lab_shows_is_the_one_that_students_get(said):
    assert f"# > {said('00.1', 224 * 224)}\n" in LESSON


def test_the_list_of_labs_says_truly_which_exist():
    rows = re.findall(r"^# \| (\d\d) \| [^|]+ \| [^|]+ \| ([✓○]) \|$", LESSON, re.M)
    assert [number for number, _ in rows] == [f"{n:02}" for n in range(17)]
    assert [number for number, mark in rows if mark == "✓"] == [lesson.name[:2] for lesson in find_lessons()]
