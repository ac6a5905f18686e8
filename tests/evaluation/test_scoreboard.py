"""The scoreboard: counts by object, resumes, tells what could not apply; its table and figure."""

import math

import pytest
import torch
from nets import CLASSES, random_images, small_model

import coursekit as ck
from coursekit.images.scenes import Scenes

MEASURES = ["pointing game", "energy in mask", "best IoU", "ranking AUC", "deletion", "insertion"]
OBJECTS = ["zebra", "hen", "tiger", "zebra", "hen", "zebra", "zebra", "zebra", "zebra", "zebra", "zebra"]


def marked_scenes(seed: int = 0) -> Scenes:
    """Eleven scenes of three objects; where the object is, the image is red, so that a method can know the mask."""
    images, masks = random_images(len(OBJECTS), seed=seed) * 0.5, torch.zeros(len(OBJECTS), 12, 12, dtype=torch.bool)
    for i, mask in enumerate(masks):
        mask[i % 6 : i % 6 + 4, i % 5 : i % 5 + 5] = True
    images[:, 0] += 0.5 * masks
    return Scenes(images, masks, torch.arange(len(OBJECTS)) % CLASSES, OBJECTS)


def perfect(model, images, target):
    return (images[:, :1] > 0.5).float()


def inverted(model, images, target):
    return 1 - perfect(model, images, target)


def refuses(error: Exception):
    def method(model, images, target):
        raise error

    return method


METHODS = {"perfect": perfect, "gradient": ck.input_gradient, "inverted": inverted}


@pytest.fixture(scope="module")
def board():
    methods = METHODS | {"broken": refuses(ck.UnsupportedActivation("no rule for SiLU <act>"))}
    return ck.scoreboard(small_model(), methods, marked_scenes(), curve_scenes=5, steps=4)


# The numbers ------------------------------------------------------------------------------------------------------


def test_rows_hold_what_the_functions_give_for_the_true_classes(board):
    model, scenes = small_model(), marked_scenes()
    maps = ck.input_gradient(model, scenes.images, scenes.targets)
    few = model, scenes.images[:5], maps[:5], scenes.targets[:5]
    expected = {
        "pointing game": ck.pointing_game(maps, scenes.masks),
        "energy in mask": ck.mask_energy(maps, scenes.masks),
        "best IoU": ck.best_iou(maps, scenes.masks),
        "ranking AUC": ck.ranking_auc(maps, scenes.masks),
        "deletion": torch.trapezoid(ck.deletion_curve(*few, steps=4), dx=1 / 4),
        "insertion": torch.trapezoid(ck.insertion_curve(*few, steps=4), dx=1 / 4),
    }
    assert list(board.rows) == [*METHODS, "chance", "edges", "centre"]
    assert board.measures == MEASURES
    for measure, values in expected.items():
        assert board.rows["gradient"][measure] == pytest.approx(values.tolist(), abs=1e-5), measure


def test_the_perfect_method_scores_one_and_the_inverted_none(board):
    for measure in MEASURES[:4]:
        assert board.interval("perfect", measure) == (1, 1, 1)
    for measure in ("pointing game", "energy in mask", "ranking AUC"):
        assert board.interval("inverted", measure) == (0, 0, 0)


def test_methods_get_at_most_eight_images_with_their_own_targets():
    seen = []

    def spy(model, images, target):
        seen.append((len(images), target.tolist()))
        return perfect(model, images, target)

    scenes = marked_scenes()
    ck.scoreboard(small_model(), {"spy": spy}, scenes, curve_scenes=0)
    assert [count for count, _ in seen] == [8, 3]
    assert [target for _, targets in seen for target in targets] == scenes.targets.tolist()


def test_without_curves_only_the_mask_counts():
    methods = {"input_gradient": ck.input_gradient}
    assert ck.scoreboard(small_model(), methods, marked_scenes(), curve_scenes=0).measures == MEASURES[:4]


# Objects, not scenes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_shows_only_where_it_is_wanted(capsys, progress):
    ck.scoreboard(small_model(), {"perfect": perfect}, marked_scenes(), curve_scenes=0, progress=progress)
    assert ("map/s" in capsys.readouterr().err) == progress


def test_the_mean_is_over_objects_and_copies_of_a_scene_change_nothing():
    values, objects = [1.0, 0.0, 0.4, 0.7], ["zebra", "hen", "tiger", "koala"]
    once = ck.bootstrap_interval(values, objects)
    assert once[0] == pytest.approx(sum(values) / 4) and once[1] < once[0] < once[2]
    copies = values + [1.0] * 50, objects + ["zebra"] * 50
    assert ck.bootstrap_interval(*copies) == pytest.approx(once)
    assert ck.bootstrap_interval(values, objects) == once, "seeded"


def test_the_interval_covers_the_known_mean_although_scenes_of_an_object_agree():
    """25 objects with 8 scenes each, mean 0.3: about 95 % of the intervals hold it; by scenes it would be 55 %."""
    generator, hits, trials = torch.Generator().manual_seed(0), 0, 300
    objects = [str(i) for i in range(25) for _ in range(8)]
    for _ in range(trials):
        own = 0.3 + 0.2 * torch.randn(25, generator=generator)
        values = own.repeat_interleave(8) + 0.05 * torch.randn(200, generator=generator)
        _, low, high = ck.bootstrap_interval(values, objects, samples=500)
        hits += low <= 0.3 <= high
    assert 0.89 < hits / trials < 0.98


def test_the_interval_has_the_width_of_theory():
    values = torch.randn(400, generator=torch.Generator().manual_seed(1))
    _, low, high = ck.bootstrap_interval(values, range(400))
    assert (high - low) / 2 == pytest.approx(1.96 * float(values.std()) / math.sqrt(400), rel=0.1)


def test_differences_are_paired(board):
    assert board.difference("gradient", "gradient", "ranking AUC") == (0, 0, 0)
    mean, low, high = board.difference("perfect", "chance", "ranking AUC")
    assert mean == pytest.approx(1 - board.interval("chance", "ranking AUC")[0]) and 0 < low <= mean <= high
    # The second method is always 0.1 better: no doubt is left, however much the objects differ.
    steady = ck.Scoreboard("net", ["a", "b", "c"], {"x": {"m": [0.0, 0.3, 0.9]}, "y": {"m": [0.1, 0.4, 1.0]}})
    assert steady.difference("y", "x", "m") == pytest.approx((0.1, 0.1, 0.1))


# What cannot apply, and what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ck.UnsupportedActivation, ck.UnsupportedNetwork, ck.OptionError])
def test_a_method_that_cannot_apply_gets_a_row_with_the_reason(error):
    board = ck.scoreboard(small_model(), {"cam": refuses(error("needs pooling"))}, marked_scenes(), curve_scenes=0)
    assert board.not_applicable == {"cam": "needs pooling"} and "cam" not in board.rows
    lines = repr(board).splitlines()
    assert any(line.split() == ["cam", *["n/a"] * 4] for line in lines) and "n/a, cam: needs pooling" in lines
    with pytest.raises(ck.OptionError, match="'ranking AUC' of 'cam': needs pooling"):
        board.interval("cam", "ranking AUC")


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        ck.scoreboard(small_model(), {"bug": lambda model, images, target: 1 / 0}, marked_scenes())
    with pytest.raises(ck.OptionError, match=r"shape .* but got \(8, 12\)"):
        ck.scoreboard(small_model(), {"flat": lambda model, images, target: images[:, 0, 0]}, marked_scenes())
    with pytest.raises(ck.OptionError, match="Maps must be finite"):
        ck.scoreboard(small_model(), {"broken": lambda model, images, targets: images / 0}, marked_scenes())


def test_bad_input_is_told_before_any_work():
    scenes, called = marked_scenes(), []
    methods = {"spy": lambda *inputs: called.append(1)}
    zebras = Scenes(scenes.images, scenes.masks, scenes.targets, ["zebra"] * len(scenes))
    empty = Scenes(scenes.images, scenes.masks & False, scenes.targets, OBJECTS)
    for bad, options, words in (
        (zebras, {}, "of two or more, not of 'zebra' only"),
        (empty, {}, "Mask 0 covers nothing"),
        (scenes, {"steps": 0}, "steps must be"),
        (scenes, {"curve_scenes": -1}, "curve_scenes must be"),
        (scenes, {"curve_scenes": 1}, "first 1 scenes show one object only"),
    ):
        with pytest.raises(ck.OptionError, match=words):
            ck.scoreboard(small_model(), methods, bad, **options)
    with pytest.raises(ck.OptionError, match="added by themselves, but got 'chance'"):
        ck.scoreboard(small_model(), {"chance": perfect}, scenes)
    assert not called


# Resuming ---------------------------------------------------------------------------------------------------------


def test_an_interrupted_scoreboard_goes_on_where_it_stopped(tmp_path, board):
    path, calls = tmp_path / "board.json", []

    def counted(name):
        def method(model, images, target):
            calls.append(name)
            return METHODS[name](model, images, target)

        return method

    options = {"curve_scenes": 5, "steps": 4, "path": path}
    stopped = {"perfect": counted("perfect"), "gradient": refuses(KeyboardInterrupt())}
    with pytest.raises(KeyboardInterrupt):
        ck.scoreboard(small_model(), stopped, marked_scenes(), **options)
    assert list(ck.Scoreboard.load(path).rows) == ["perfect"]
    whole = ck.scoreboard(small_model(), {name: counted(name) for name in METHODS}, marked_scenes(), **options)
    assert calls == ["perfect"] * 2 + ["gradient"] * 2 + ["inverted"] * 2, "two batches each, and none twice"
    assert whole.rows == board.rows and ck.Scoreboard.load(path) == whole
    assert [file.name for file in tmp_path.iterdir()] == ["board.json"], "no temporary file is left"


def test_the_bar_ends_full_also_where_nothing_was_left_to_do(tmp_path, capsys):
    scenes = marked_scenes()
    for _ in range(2):
        ck.scoreboard(
            small_model(), {"perfect": METHODS["perfect"]}, scenes, curve_scenes=0, path=tmp_path / "board.json"
        )
        bar = capsys.readouterr().err.strip().split("\r")[-1]
        assert f"100%|██████████| {4 * len(scenes)}/{4 * len(scenes)}" in bar


def test_a_method_that_could_not_apply_is_tried_again(tmp_path):
    path, scenes = tmp_path / "board.json", marked_scenes()
    ck.scoreboard(small_model(), {"cam": refuses(ck.OptionError("no"))}, scenes, curve_scenes=0, path=path)
    assert ck.Scoreboard.load(path).not_applicable == {"cam": "no"}
    board = ck.scoreboard(small_model(), {"cam": perfect}, scenes, curve_scenes=0, path=path)
    assert board.not_applicable == {} and board.interval("cam", "best IoU") == (1, 1, 1)


def test_a_file_of_something_else_is_refused_and_kept(tmp_path):
    path, scenes = tmp_path / "board.json", marked_scenes()
    ck.scoreboard(small_model(), METHODS, scenes, curve_scenes=5, steps=4, path=path)
    content = path.read_bytes()
    for model, other, options, word in (
        (small_model(seed=1), scenes, {"steps": 4}, "network"),
        (small_model(), marked_scenes(seed=1), {"steps": 4}, "scenes"),
        (small_model(), scenes, {"steps": 5}, "steps"),
    ):
        with pytest.raises(ck.OptionError, match=f"another {word}; delete it or give another path"):
            ck.scoreboard(model, METHODS, other, curve_scenes=5, path=path, **options)
    assert path.read_bytes() == content
    for text in ("", "[]", '{"rows": 1}'):
        path.write_text(text)
        with pytest.raises(ck.OptionError, match="is not a scoreboard that can be read"):
            ck.scoreboard(small_model(), METHODS, scenes, path=path)


# How it looks -----------------------------------------------------------------------------------------------------


def test_the_table_tells_objects_and_means_with_intervals(board):
    text = repr(board)
    assert "11 scenes of 3 distinct objects; deletion and insertion: 5 scenes of 3 objects" in text
    assert "pointing game ↑" in text and "deletion ↓" in text
    assert next(line for line in text.splitlines() if line.startswith("perfect")).count("1.00 [1.00, 1.00]") == 4
    html = board._repr_html_()
    assert "11 scenes of 3 distinct objects" in html and html.count("<tr>") == 8
    assert "no rule for SiLU &lt;act&gt;" in html and "<act>" not in html


def test_the_figure_has_a_panel_for_each_measure_and_the_best_on_top(board):
    picture = board.show()
    axes = picture.figure.axes
    assert [ax.get_title().rstrip(" ↑↓") for ax in axes] == MEASURES
    assert axes[0].get_yticklabels()[0].get_text() == "perfect"
    assert axes[0].get_ylim()[0] > axes[0].get_ylim()[1], "the first name is on top"
    assert "3 distinct objects" in picture.alt and "perfect 1.00" in picture.alt and picture.data.startswith(b"\x89PNG")
    lowest_first = board.show(["deletion"]).figure.axes[0].get_yticklabels()
    means = [board.interval(label.get_text(), "deletion")[0] for label in lowest_first]
    assert means == sorted(means) and len(board.show(["deletion"]).figure.axes) == 1


def test_show_dots_draws_values_and_intervals_where_they_are():
    panels = {"left": {"ours": (0.8, 0.7, 0.95), "chance": (0.5, 0.4, 0.6)}, "right": {"ours": (0.2, 0.1, 0.3)}}
    left, right = ck.show_dots(panels, line="chance", grey=["chance"]).figure.axes
    assert [[float(v) for v in dot.get_xdata()] for dot in left.lines[:2]] == [[0.8], [0.5]]
    (low, y), (high, _) = left.collections[0].get_segments()[0]
    assert (low, high, y) == (0.7, 0.95, 0)
    assert left.lines[2].get_linestyle() == "--" and left.lines[2].get_xdata()[0] == 0.5
    assert len(right.lines) == 1 and right.lines[0].get_ydata()[0] == 0
    with pytest.raises(ck.OptionError, match="at least one entry"):
        ck.show_dots({})


def test_show_dots_can_give_all_panels_the_same_ends():
    panels = {"left": {"ours": (0.8, 0.7, 0.95)}, "right": {"ours": (0.02, 0.01, 0.03)}}
    own = [ax.get_xlim() for ax in ck.show_dots(panels).figure.axes]
    assert own[0] != own[1]
    assert [ax.get_xlim() for ax in ck.show_dots(panels, limits=(-0.5, 1)).figure.axes] == [(-0.5, 1)] * 2
