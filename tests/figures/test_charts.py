"""Charts that say what they measure: axes, intervals, references, missing values, one colour for each method."""

import math

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

import coursekit as ck

NAN = float("nan")


def ax_of(picture):
    (axes,) = picture.figure.axes
    return axes


def legend_of(picture):
    return [text.get_text().replace("\n", " ") for legend in picture.figure.legends for text in legend.get_texts()]


# --- lines ------------------------------------------------------------------------------------------------------------


def test_words_below_a_logarithmic_axis_are_its_only_ones():
    x = [4, 8, 16, 32]
    picture = ck.show_lines(x, {"cost": x}, xlabel="stride", ylabel="", log=True, logx=True, ticks=list(map(str, x)))
    assert [text.get_text() for text in ax_of(picture).get_xticklabels(which="both")] == ["4", "8", "16", "32"]


def test_a_power_law_is_straight_and_parallel_to_its_guide_on_two_logarithmic_axes():
    n = torch.tensor([10.0, 100.0, 1000.0])
    picture = ck.show_lines(
        n, {"all pairs": 3 * n**2}, xlabel="N", ylabel="ms", log=True, logx=True, slopes={"N²": 2, "N": 1}
    )
    axes = ax_of(picture)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    curve, square, straight = (
        np.array([axes.transData.transform(p) for p in line.get_xydata()]) for line in axes.lines
    )
    slopes = [np.diff(line[:, 1]) / np.diff(line[:, 0]) for line in (curve, square, straight)]
    assert np.allclose(slopes[0], slopes[1]) and np.allclose(2 * slopes[2], slopes[1])
    assert np.allclose(curve[0], square[0]) and np.allclose(curve[0], straight[0]), "through the first point"
    assert axes.get_ylim()[0] < 300 and axes.get_ylim()[1] > 3e6, "all of it is seen"
    assert [line.get_marker() for line in axes.lines] == ["o", "None", "None"]
    assert legend_of(picture) == ["all pairs", "N²", "N"]


def test_a_guide_needs_two_logarithmic_axes():
    with pytest.raises(ck.OptionError, match="logx=True"):
        ck.show_lines([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y", log=True, slopes={"N": 1})
    with pytest.raises(ck.OptionError, match="at least one entry"):
        ck.show_lines([1, 2], {}, xlabel="x", ylabel="y")


def test_references_are_grey_lines_without_markers():
    picture = ck.show_lines(
        [0, 1], {"loss": [2, 1]}, xlabel="step", ylabel="loss", levels={"chance": 0.1}, marks={"trained here": 0.5}
    )
    curve, level, mark = ax_of(picture).lines
    assert set(level.get_ydata()) == {0.1} and set(mark.get_xdata()) == {0.5}
    for line in (level, mark):
        red, green, blue = (line.get_color()[i : i + 2] for i in (1, 3, 5))
        assert red == green == blue and line.get_marker() == "None" and curve.get_marker() == "o"


def test_the_ends_of_the_y_axis_can_be_given():
    assert ax_of(ck.show_lines([0, 1], {"a": [0.4, 0.5]}, xlabel="x", ylabel="y", limits=(0, 1))).get_ylim() == (0, 1)


@pytest.mark.parametrize("many", [2, 9])
def test_the_legend_lies_beside_the_curves_and_not_on_them(many):
    picture = ck.show_lines([0, 1], {f"a long name of curve {i}": [0, i] for i in range(many)}, xlabel="x", ylabel="y")
    picture.figure.draw_without_rendering()
    (legend,) = picture.figure.legends
    assert legend.get_window_extent().x0 > ax_of(picture).get_window_extent().x1
    assert legend.get_window_extent().x1 <= picture.figure.bbox.x1


def test_missing_points_are_counted_in_the_legend():
    picture = ck.show_lines([1, 2, 3], {"all": [1, 2, 3], "few": [1, NAN, NAN]}, xlabel="x", ylabel="y")
    assert legend_of(picture) == ["all", "few (1 of 3 points)"]


def test_a_method_has_its_colour_in_lines_dots_and_scatters():
    for method in ("grad_cam", "guided_backprop"):
        colour = ck.method_colour(method)
        line = ax_of(ck.show_lines([0, 1], {"other": [1, 1], method: [2, 1]}, xlabel="x", ylabel="y")).lines[1]
        dot = ax_of(ck.show_dots({"score": {"other": (1, 1, 1), method: (2, 1, 3)}})).lines[1]
        place = ax_of(ck.show_scatter({"other": ([1], [1]), method: ([2], [1])}, xlabel="x", ylabel="y")).lines[1]
        assert {to_hex(drawn.get_color()) for drawn in (line, dot, place)} == {colour}


# --- dots -------------------------------------------------------------------------------------------------------------


def below(picture):
    return picture.figure.get_supxlabel().replace("\n", " ")


def test_the_axis_of_dots_names_its_quantity_and_what_the_bar_is():
    panels = {"CourseNet": {"ours": (0.8, 0.7, 0.9), "chance": (0.5, 0.5, 0.5)}}
    picture = ck.show_dots(panels, xlabel="accuracy", interval="95 % interval over 48 objects", line="chance")
    assert below(picture) == "accuracy, bar: 95 % interval over 48 objects, dashed: chance"
    points = {"CourseNet": {"ours": (0.8,) * 3}}
    assert below(ck.show_dots(points, xlabel="accuracy")) == "accuracy", "no bar is spoken of where there is none"
    assert below(ck.show_dots(points)) == ""


def test_panels_of_one_quantity_have_the_same_ends():
    panels = {"a": {"ours": (0.8, 0.7, 0.9)}, "b": {"ours": (5.0, 4.0, 6.0)}}
    left, right = ck.show_dots(panels, xlabel="distance").figure.axes
    assert left.get_xlim() == right.get_xlim() and left.get_xlim()[0] < 0.7 and left.get_xlim()[1] > 6
    left, right = ck.show_dots(panels).figure.axes
    assert left.get_xlim()[1] < 1 < right.get_xlim()[0]


def test_a_missing_value_is_said_and_not_drawn():
    panels = {"a": {"cam": (0.8, 0.7, 0.9), "grad_cam": (NAN, NAN, NAN)}, "b": {"cam": (0.5, 0.4, 0.6)}}
    for axes in ck.show_dots(panels, xlabel="score", columns=2).figure.axes:
        (text,) = axes.texts
        assert text.get_text() == "n/a" and text.get_position()[1] == 1, "in the row of Grad-CAM"
        assert len(axes.lines) == 1 and axes.get_xlim()[0] > 0.3
    assert [t.get_text() for t in ck.show_dots(panels).figure.axes[0].get_yticklabels()] == ["CAM", "Grad-CAM"]


# --- histograms and scatters ------------------------------------------------------------------------------------------


def test_the_bars_of_a_histogram_are_shares_in_common_bins():
    panels = {"relu1": torch.tensor([0.0, 0.0, 0.0, 4.0]), "relu2": torch.tensor([[0.0, 1.9]])}
    picture = ck.show_histograms(panels, xlabel="activation", bins=4)
    left, right = (axes.patches[0].get_data() for axes in picture.figure.axes)
    assert left.values.tolist() == [0.75, 0, 0, 0.25] and right.values.tolist() == [0.5, 0.5, 0, 0]
    assert left.edges.tolist() == right.edges.tolist() == [0, 1, 2, 3, 4]
    assert picture.figure.get_supxlabel() == "activation"


@pytest.mark.parametrize("wrong", [{}, {"a": torch.empty(0)}, {"a": torch.tensor([1.0, NAN])}])
def test_a_histogram_of_nothing_or_of_nan_is_refused(wrong):
    with pytest.raises(ck.OptionError, match=r"at least one entry|values along its axes|must be finite"):
        ck.show_histograms(wrong, xlabel="x")


def test_a_scatter_has_its_dots_names_and_curves_where_they_belong():
    p = torch.linspace(0.1, 1, 5)
    picture = ck.show_scatter(
        {"photographs": ([0.2, 0.9], torch.tensor([0.1, 0.2]))},
        names=["cat", "hen"],
        curves={"p (1 - p)": (p, p * (1 - p))},
        xlabel="p",
        ylabel="ratio",
        log=True,
        logx=True,
    )
    axes = ax_of(picture)
    curve, dots = axes.lines
    assert np.allclose(dots.get_xydata(), [[0.2, 0.1], [0.9, 0.2]]) and dots.get_linestyle() == "None"
    assert np.allclose(curve.get_ydata(), p * (1 - p)) and curve.get_marker() == "None"
    assert {text.get_text(): text.xy for text in axes.texts}["hen"] == pytest.approx((0.9, 0.2))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert legend_of(picture) == ["p (1 - p)", "photographs"]


@pytest.mark.parametrize(
    ("groups", "names"), [({}, []), ({"a": ([1], [1, 2])}, []), ({"a": ([1, 2], [1, 2])}, ["one"])]
)
def test_a_scatter_that_does_not_add_up_is_refused(groups, names):
    with pytest.raises(ck.OptionError, match=r"as many x as y|at least one entry"):
        ck.show_scatter(groups, names=names, xlabel="x", ylabel="y")


def test_a_missing_share_is_said():
    picture = ck.show_shares({"A": {"bird": NAN, "fruit": 0.5}})
    axes = ax_of(picture)
    assert "n/a" in [text.get_text() for text in axes.texts]
    assert to_hex(axes.patches[0].get_facecolor()) == "#ffffff" != to_hex(axes.patches[1].get_facecolor())


def test_a_large_share_of_something_bad_is_orange():
    picture = ck.show_shares(
        {"A": {"found": "8 of 8", "false": "8 of 8"}, "B": {"found": 0, "false": 0.5}}, bad=["false"]
    )
    good, bad, none, half = (patch.get_facecolor()[:3] for patch in ax_of(picture).patches)
    assert good[2] > good[0] and bad[0] > bad[2]  # blue, and orange
    assert to_hex(none) == "#ffffff" and bad[2] < half[2] < 1


def test_nan_is_refused_where_it_would_spoil_a_picture():
    with pytest.raises(ck.OptionError, match="finite"):
        ck.signal_pictures(torch.full((1, 3, 4, 4), math.nan))
    with pytest.raises(ck.OptionError, match="finite"):
        ck.show_circuit(torch.full((1, 3, 3), math.nan), ["0°"])
