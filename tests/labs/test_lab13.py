"""Lab 13's own figure: scores among those of random concepts."""

import pytest
import torch

import coursekit as ck

NULL = (torch.arange(99) + 0.5) / 99  # random concepts spread evenly: 0.005 to 0.995


def legends(panels):
    axes = ck.show_nulls(panels).figure.axes
    return [[line.get_label() for line in ax.lines] for ax in axes]


def test_each_line_stands_at_its_score_and_is_solid_only_where_it_passes():
    (ax,) = ck.show_nulls({"block14": (NULL, {"striped": 1.0, "dotted": 0.5})}).figure.axes
    striped, dotted = ax.lines
    assert striped.get_xdata()[0] == 1.0 and dotted.get_xdata()[0] == 0.5
    assert striped.get_linestyle() == "-" and dotted.get_linestyle() == "--"
    assert striped.get_color() != dotted.get_color()


def test_p_is_two_sided_counts_the_concept_and_is_corrected_for_all_lines_of_the_figure():
    assert legends({"a": (NULL, {"x": 1.0})}) == [["x 1.00, p = 0.020"]]
    assert legends({"a": (NULL, {"x": 0.0})}) == [["x 0.00, p = 0.020"]]
    assert legends({"a": (NULL, {"x": 1.0}), "b": (NULL, {"x": 0.5})}) == [["x 1.00, p = 0.040"], ["x 0.50, p = 1.00"]]


def test_the_words_stand_in_the_title_of_a_single_line_and_below_several():
    (one,) = ck.show_nulls({"a": (NULL, {"x": 1.0})}).figure.axes
    (two,) = ck.show_nulls({"a": (NULL, {"x": 1.0, "y": 0.5})}).figure.axes
    assert one.get_title() == "a\nx 1.00\np = 0.020" and one.get_legend() is None, "p = and its number on one line"
    assert [t.get_text() for t in two.get_legend().get_texts()] == ["x 1.00, p = 0.040", "y 0.50, p = 1.00"]


def test_what_is_drawn_is_what_tcav_test_says():
    draw = torch.Generator().manual_seed(0)
    noise, towards = torch.randn(400, 4, generator=draw), torch.tensor([1.0, 0.0, 0.0, 0.0])
    concepts = {"striped": {"fc": noise[:20] + towards}, "dotted": {"fc": noise[20:40]}}
    test = ck.tcav_test({"fc": noise[:50] + towards}, concepts, {"fc": noise}, runs=2)
    scores = {row.concept: row.score for row in test.rows}
    (shown,) = legends({"fc": (test.null["fc", 20].mean(1), scores)})
    for row, line in zip(test.rows, shown, strict=True):
        assert float(line.split("= ")[1]) == pytest.approx(row.p_holm, abs=0.006)


def test_a_colour_has_its_own_tone_and_wrong_scores_are_refused():
    (ax,) = ck.show_nulls({"a": (NULL, {"blue": 0.4, "red": 0.6})}).figure.axes
    assert [line.get_color() for line in ax.lines] == ["#0072B2", "#CC3311"]
    for panels in ({}, {"a": (NULL, {})}, {"a": (NULL, {"x": 1.5})}, {"a": (NULL, {"x": float("nan")})}):
        with pytest.raises(ck.OptionError):
            ck.show_nulls(panels)
