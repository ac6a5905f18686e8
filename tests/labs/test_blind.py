"""A blind trial tells nothing before the last answer, then everything; its buttons work in a real browser."""

import nbformat
import pytest
import torch
from browser import JupyterLab, run_all, watch

import coursekit as ck

NOTEBOOK = """
import coursekit as ck, torch

def trial(place):
    picture = torch.full((1, 3, 24, 24), (place + 1) / 12)
    group = "first" if place < 6 else "last"
    return ck.Trial(lambda: ck.show_images(picture), ("left", "right"), place % 2, group, f"name {place}")

ck.blind_trial([trial(place) for place in range(10)], "Which one?")
"""


def trial(place, answer, group, names=""):
    picture = torch.full((1, 3, 24, 24), (place + 1) / 5)
    return ck.Trial(lambda: ck.show_images(picture), ("left", "right"), answer, group, names)


@pytest.fixture
def game():
    return ck.blind_trial([trial(0, 0, "CAM", "dog"), trial(1, 1, "CAM"), trial(2, 1, "guided")], "Which side?")


def test_the_names_stay_hidden_until_the_last_answer(game):
    for choice in (0, 0, 1):
        assert "Which side?" in game.message.value
        assert "CAM" not in game.message.value and "dog" not in game.message.value
        game.choose(choice)
    assert "CAM: 1 of 2 right" in game.message.value and "guided: 1 of 1 right" in game.message.value
    assert "1. dog: left, ✓; 2. CAM: right, ✗; 3. guided: right, ✓" in game.message.value


def test_the_tally_counts_by_group_with_wilsons_interval(game):
    for choice in (0, 0, 1):
        game.choose(choice)
    tally = game.tally()
    assert tally["CAM"] == (1, 2, *ck.wilson(1, 2)) and tally["guided"][:2] == (1, 1)
    assert "CAM 1 of 2" in repr(game)


def test_each_trial_has_its_picture_and_the_end_has_a_chart(game):
    seen = [bytes(game.image.value)]
    for choice in (0, 0, 1):
        game.choose(choice)
        seen.append(bytes(game.image.value))
    assert len(set(seen)) == 4
    assert [axes.get_title() for axes in game.picture.figure.axes] == ["your hits"]


def test_the_buttons_answer_and_start_again(game):
    game.buttons[1].click()
    assert game.given == [1] and "Trial 2 of 3" in game.message.value
    game.again.click()
    assert game.given == [] and "Trial 1 of 3" in game.message.value and game.tally() == {}


def test_an_answer_too_many_or_none_of_the_choices_is_refused(game):
    with pytest.raises(ck.OptionError, match="Choose one of 0 to 1, left, right"):
        game.choose(2)
    for _ in range(3):
        game.choose(0)
    with pytest.raises(ck.OptionError, match="All trials are answered"):
        game.choose(0)


@pytest.mark.parametrize(
    ("trials", "message"),
    [([], "at least one"), ([1], "each of it a ck.Trial"), ([trial(0, 2, "CAM")], "a place in the 2 choices")],
)
def test_trials_that_cannot_be_played_are_refused(trials, message):
    with pytest.raises(ck.OptionError, match=message):
        ck.blind_trial(trials, "Which side?")


def test_a_picture_that_cannot_be_drawn_is_told():
    def broken():
        raise ck.ImageError("no such picture")

    game = ck.blind_trial([trial(0, 0, "CAM"), ck.Trial(broken, ("a", "b"), 0, "CAM")], "Which side?")
    game.choose(0)
    assert "no such picture" in game.message.value


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634)]
)
def test_wilsons_interval_has_the_values_of_the_tables(hits, n, low, high):
    assert ck.wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_wilsons_interval_covers_the_true_share_in_95_of_100_trials_on_average():
    n, coverage = 15, []
    ends = torch.tensor([ck.wilson(hits, n) for hits in range(n + 1)])
    for true in torch.linspace(0.02, 0.98, 49):
        chance = torch.distributions.Binomial(n, true).log_prob(torch.arange(n + 1.0)).exp()
        coverage.append(chance[(ends[:, 0] <= true) & (true <= ends[:, 1])].sum().item())
    assert 0.94 < sum(coverage) / len(coverage) < 0.97


def test_a_student_plays_ten_trials_in_a_browser(chromium, tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "jupyter").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "lab" / "blind.ipynb")
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    try:
        page = context.new_page()
        seen = watch(page)
        with JupyterLab(tmp_path / "lab", tmp_path / "jupyter") as lab:
            lab.open(page, "blind.ipynb")
            run_all(page)
            game = page.locator(".coursekit-blind").first
            for number in range(1, 11):
                game.get_by_text(f"Trial {number} of 10.").wait_for()
                assert "name" not in game.inner_text() and "first" not in game.inner_text()
                source = game.locator("img").get_attribute("src")
                game.get_by_role("button", name="left").click()
                page.wait_for_function(
                    "([img, old]) => img.src !== old", arg=[game.locator("img").element_handle(), source]
                )
            game.get_by_text("first: 3 of 6 right").wait_for()
            assert "last: 2 of 4 right" in game.inner_text() and "name 9: right, ✗" in game.inner_text()
            game.get_by_role("button", name="start again").click()
            game.get_by_text("Trial 1 of 10.").wait_for()
        assert [line for line in seen if line.startswith(("request", "error"))] == []
    finally:
        context.close()
