"""The report card: its numbers are those of its sources, its costs are counted, the better is the bluer."""

import math
import textwrap

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nets import random_images, small_model

import coursekit as ck
from coursekit import files as manifest
from coursekit.attribution.reference import BASELINES
from coursekit.evaluation import report_card as module
from coursekit.figures.lettering import words


def made(energy: dict[str, float], similarity: dict[str, float]) -> ck.ReportCard:
    """A card of two objects and one layer, in which each method has one energy and one similarity."""
    rows = {
        name: {
            "pointing game": [value / 2] * 2,
            "energy in mask": [value] * 2,
            "best IoU": [value / 3] * 2,
            "deletion": [1 - value] * 2,
        }
        for name, value in energy.items()
    }
    measures = ("Spearman", "Spearman of magnitudes")
    found = {name: {"0": {m: [[value] * 2] for m in measures}} for name, value in similarity.items()}
    return ck.ReportCard(
        ck.Scoreboard("net", ["a", "b"], rows),
        ck.RandomisationTest("net", "cascading", ["fc"], [0], ["a", "b"], found),
    )


def test_rows_are_the_numbers_of_the_two_sources_best_first_and_the_baselines_last():
    card = made(
        {"cam": 0.3, "occlusion": 0.6, "edges": 0.9, "chance": 0.1}, {"cam": 0.2, "occlusion": 0.1, "edges": 1.0}
    )
    assert card.methods == ["occlusion", "cam", "edges"], "chance was in one source only"
    assert card.row("cam") == pytest.approx([0.3, 0.15, 0.1, 0.7, 0.2, 0.2, 1])
    with pytest.raises(ck.OptionError, match="no 'chance'; it has occlusion, cam, edges"):
        card.row("chance")


def test_text_and_figure_say_the_same():
    card = made({"cam": 0.3, "occlusion": 0.6, "edges": 0.9}, {"cam": 0.2, "occlusion": 0.1, "edges": 1.0})
    told = card.show().alt
    for line in ("cam: 0.30, 0.15, 0.10, 0.70, 0.20, 0.20, 1", "occlusion: 0.60", "edges: 0.90"):
        assert line in told, told
    text = next(row for row in repr(card).splitlines() if row.startswith("cam"))
    assert [part for part in text.split() if part in ("0.30", "0.15", "0.10", "0.70", "0.20")] == [
        "0.30",
        "0.15",
        "0.10",
        "0.70",
        "0.20",
        "0.20",
    ]
    assert all(use in card._repr_html_() for use in (module.USES["cam"], module.USES["edges"]))


def test_the_better_is_the_bluer_and_similarity_has_no_merit_but_a_mark():
    card = made({"cam": 0.3, "occlusion": 0.6, "edges": 0.4}, {"cam": 0.2, "occlusion": 0.1, "edges": 1.0})
    (ax,) = card.show().figure.axes
    tiles = {(round((p.get_x() - module._LEFT) / module._STEP), int(p.get_y())): p for p in ax.patches}
    red = {place: tile.get_facecolor()[0] for place, tile in tiles.items()}
    assert len(red) == 21
    assert red[0, 0] < red[0, 2] < red[0, 1] == 1, "energy: occlusion, edges, cam"
    assert red[3, 0] < red[3, 2] < red[3, 1] == 1, "deletion: a low one is good"
    assert {red[i, y] for i in (4, 5) for y in range(3)} == {1.0}, "similarity is white, high or low"
    assert red[6, 2] < red[6, 1] < red[6, 0] == 1, "passes: 0, 1, 170"
    marked = [line for line in ax.lines if line.get_color() == "#C00000"]
    assert {int(line.get_ydata()[0]) for line in marked} == {2} and len(marked) == 2, "the edges, in both columns"


def test_words_have_room_and_stand_beside_what_they_name():
    values = dict.fromkeys(module.USES, 0.5)
    figure = made(values, values).show().figure
    (ax,), renderer = figure.axes, FigureCanvasAgg(figure).get_renderer()
    texts = {text.get_text(): text for text in ax.texts}
    boxes = [text.get_window_extent(renderer) for text in ax.texts]
    whole = figure.bbox.padded(-4)
    assert all(whole.contains(*box.min) and whole.contains(*box.max) for box in boxes), "some words are cut"
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)], "words on words"
    tiles = {(round((p.get_x() - module._LEFT) / module._STEP), int(p.get_y())): p for p in ax.patches}
    to_data = ax.transData.inverted()
    for i, name in enumerate(module.COLUMNS):
        title = to_data.transform(texts[textwrap.fill(name, 11)].get_window_extent(renderer))
        assert title[:, 0].mean() == pytest.approx(tiles[i, 0].get_x() + module._STEP / 2, abs=0.05)
        assert -0.6 < title[0, 1] < 0, "its lower end lies just above the column"
    for y, method in enumerate(order := made(values, values).methods):
        assert texts[words(method)].get_position() == (0.1, y + 0.5)
        assert module.USES[method] in [t.get_text() for t in ax.texts if t.get_position()[1] == y + 0.5]
    (rule,) = [line for line in ax.lines if line.get_color() == "#777777"]
    bottom, top = ax.get_ylim()
    assert (bottom - top) * module._SIZE[1] == pytest.approx(figure.get_figheight()), "a row has its height in inches"
    assert rule.get_ydata()[0] == len(order) - len(BASELINES), "the rule stands above the baselines"


@pytest.mark.parametrize(
    ("cell", "ends"),
    [((0.4, 0.2, 0.6), (0.2, 0.6)), ((0.0, -0.5, 2.0), (0.0, 1.0)), ((1.0, 1.0, 1.0), (1.0, 1.0))],
)
def test_an_interval_is_drawn_on_a_scale_over_its_cell(cell, ends):
    ax = Figure().add_subplot()
    for marked in (False, True):
        module._draw_interval(ax, 3.0, 2, cell, marked)
    plain, red = ax.lines
    low, high = plain.get_xdata()
    inner = module._STEP - 0.1
    assert (low - 3.05) / inner == pytest.approx(ends[0])
    assert high == pytest.approx(max(3.05 + inner * ends[1], low + 0.03)), "a point can still be seen"
    assert 3 < low < high < 3 + module._STEP and list(plain.get_ydata()) == [2.9, 2.9]
    assert red.get_linewidth() > 2 * plain.get_linewidth() and red.get_color() != plain.get_color()


@pytest.mark.parametrize("name", list(ck.all_methods()))
def test_the_passes_are_those_that_a_network_counts(name, monkeypatch):
    monkeypatch.setattr("coursekit.attribution.occlusion.changing", lambda *args: None)  # the passes that it saves
    model, image = small_model(), random_images(1, size=28)  # 28: as many windows as at 224
    counts = {"forward": 0, "backward": 0}

    def forward(module, inputs, output):
        counts["forward"] += len(output)
        if output.requires_grad:
            output.register_hook(backward)

    def backward(gradient):
        counts["backward"] += len(gradient)

    handle = model.module.fc.register_forward_hook(forward)
    ck.all_methods()[name](model, image, 1)
    handle.remove()
    assert sum(counts.values()) == module.PASSES[name], counts


def test_every_method_has_its_cost_and_its_use():
    assert set(module.PASSES) == set(module.USES) == {*ck.all_methods(), *BASELINES}
    assert max(map(len, module.USES.values())) <= 50, "it must fit into the figure"


def test_a_network_that_was_not_measured_is_told_with_the_command():
    with pytest.raises(ck.DataUnavailable, match=r"python training/sanity_sweep\.py resnet18"):
        ck.stored_sanity("resnet18")


def test_the_stored_sweeps_have_all_methods_that_apply_and_their_cost():
    stored = manifest.files("sanity")
    assert "coursenet" in stored
    for network in stored:
        test = ck.stored_sanity(network)
        assert set(test.methods) | set(test.not_applicable) == {*ck.all_methods(), *BASELINES} - {"rise"}
        assert set(ck.report_card(network).methods) == set(test.methods) & set(ck.stored_scoreboard(network).rows)
        assert set(test.layers) < set(ck.randomisable(ck.load_model(network))) and test.mode == "cascading"
        assert len(set(test.objects)) == len(test.objects) >= 20 and test.seconds > 30
        for measure in test.measures[:-1]:
            assert min(test.values(name, measure).min() for name in BASELINES) > 0.999


def test_counts_are_shaded_by_logarithm_and_shares_as_they_are():
    """A column with a value above 1 holds counts: 0, 1 and 2 lie at 0, log 2 / log 3 and 1."""
    assert module._shades((0, 1, 2), True) == pytest.approx([0, math.log(2) / math.log(3), 1])
    assert module._shades((0, 0.5, 1), True) == pytest.approx([0, 0.5, 1])
    assert module._shades((0, -0.5, 1), False) == pytest.approx([1, 0.5, 0])
