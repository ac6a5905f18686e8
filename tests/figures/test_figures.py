"""Figures that cannot mislead: signed maps centred on 0, one scale in a comparison, units, alt text."""

import io
import re
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import rgb_to_hsv, to_hex
from nets import random_images
from PIL import Image

import coursekit as ck
from coursekit.figures import alt
from coursekit.figures.figure import COLOURS, MAGNITUDE, SIGNED

SMALL, LARGE = torch.tensor([[[0.0, 1.0], [2.0, 1.0]]]), torch.tensor([[[0.0, 10.0], [20.0, 10.0]]])
SIGNS = torch.tensor([[[-1.0, 0.0], [3.0, 0.0]]])


@pytest.fixture
def image():
    return random_images(1, size=8)


def drawn(picture):
    """The maps in a figure: everything with a colour bar's scale, not the photographs."""
    artists = [artist for axes in picture.figure.axes for artist in axes.images]
    return [artist for artist in artists if artist.get_array().ndim == 2]


def bars(picture):
    """The colour bars' axes."""
    return [axes for axes in picture.figure.axes if axes.get_label() == "<colorbar>"]


# --- scales -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [SIGNS, -SIGNS, -SMALL], ids=["signed", "turned", "negative"])
def test_a_map_with_a_sign_is_centred_on_zero(image, values):
    (artist,) = drawn(ck.show_maps(image, {"a": values}, unit="logits"))
    assert artist.norm.vmin == -artist.norm.vmax < 0
    assert artist.cmap.name == SIGNED
    white = np.array(artist.to_rgba(0.0)[:3])
    assert white.min() > 0.95, "no effect has no colour"
    red, blue = artist.to_rgba(artist.norm.vmax), artist.to_rgba(artist.norm.vmin)
    assert red[0] > 2 * red[2] and blue[2] > 2 * blue[0], "more is red, less is blue"


def test_a_map_without_a_sign_runs_from_zero_upwards(image):
    (artist,) = drawn(ck.show_maps(image, {"a": 5 + SMALL}, unit="logits"))
    assert artist.norm.vmin == 0 and artist.norm.vmax == pytest.approx(7, rel=0.01)
    assert artist.cmap.name == MAGNITUDE
    light = [sum(artist.cmap(x)[:3]) for x in np.linspace(0, 1, 20)]
    assert light == sorted(light), "brighter is always more"


def test_maps_that_are_compared_share_one_scale_and_one_bar(image):
    picture = ck.show_maps(image, {"small": SMALL, "large": LARGE}, unit="logits")
    first, second = drawn(picture)
    assert first.get_clim() == second.get_clim() and first.get_clim()[1] > 15
    assert len(bars(picture)) == 1


def test_one_signed_map_centres_all_that_are_compared(image):
    first, second = drawn(ck.show_maps(image, {"plain": SMALL, "signed": SIGNS}, unit="logits"))
    assert first.cmap.name == second.cmap.name == SIGNED and first.get_clim() == second.get_clim()


def test_maps_of_their_own_scales_have_a_bar_and_a_unit_each(image):
    picture = ck.show_maps(image, {"small": SMALL, "large": LARGE}, unit=["logits", "activation"], shared=False)
    first, second = drawn(picture)
    assert first.get_clim()[1] < 3 and second.get_clim()[1] > 15
    assert [axes.get_ylabel() for axes in bars(picture)] == ["logits", "activation"]


@pytest.mark.parametrize("options", [{}, {"shared": False}, {"overlay": True}, {"columns": 2}])
def test_every_colour_bar_has_a_unit(image, options):
    picture = ck.show_maps(image, {"a": SMALL, "b": SIGNS, "c": LARGE}, unit="drop in logit", **options)
    assert bars(picture) and all(axes.get_ylabel() == "drop in logit" for axes in bars(picture))


def test_limits_fix_the_scale(image):
    (artist,) = drawn(ck.show_maps(image, {"a": SMALL}, unit="probability", limits=(0, 1)))
    assert artist.get_clim() == (0, 1)
    (artist,) = drawn(ck.show_maps(image, {"a": SMALL}, unit="logits", limits=(-4, 4)))
    assert artist.get_clim() == (-4, 4) and artist.cmap.name == SIGNED


def test_one_outlier_does_not_darken_the_map_and_the_bar_says_so(image):
    values = torch.ones(1, 50, 50)
    values[0, 0, 0] = 1000
    picture = ck.show_maps(image, {"a": values}, unit="logits")
    assert drawn(picture)[0].norm.vmax == pytest.approx(1, rel=0.01)
    assert drawn(picture)[0].colorbar.extend == "max"
    calm = ck.show_maps(image, {"a": torch.ones(1, 50, 50)}, unit="logits")
    assert drawn(calm)[0].colorbar.extend == "neither"


def test_a_map_of_zeros_can_be_shown(image):
    (artist,) = drawn(ck.show_maps(image, {"a": torch.zeros(1, 1, 4, 4)}, unit="logits"))
    assert artist.get_clim() == (0, 1)


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_three_channels_are_added_up(image):
    gradient = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    (artist,) = drawn(ck.show_maps(image, {"gradient": gradient}, unit="logits"))
    assert np.allclose(artist.get_array(), gradient.sum(1)[0])


def test_several_maps_under_one_title_are_an_error(image):
    with pytest.raises(ck.OptionError, match="holds 2; index it first"):
        ck.show_maps(image, {"a": torch.rand(2, 1, 4, 4)}, unit="logits")
    with pytest.raises(ck.OptionError, match="at least one entry"):
        ck.show_maps(image, {}, unit="logits")


def test_a_coarse_map_covers_the_whole_image(image):
    (artist,) = drawn(ck.show_maps(image, {"a": SMALL}, unit="logits"))
    assert artist.get_extent() == [0, 8, 8, 0], "row 0 at the top"


def overlaid(photograph, values):
    """What is seen in the middle of the second panel, and the colour of its value in the colour bar, as RGB."""
    picture = ck.show_maps(photograph, {"a": values}, unit="logits", overlay=True, limits=(-1, 1))
    figure = picture.figure
    (artist,) = [a for a in figure.axes[1].images if a.get_cmap().name == SIGNED]
    pixels = np.asarray(Image.open(io.BytesIO(as_png(figure))).convert("RGB")) / 255
    x, y = artist.axes.transAxes.transform((0.5, 0.5))
    return pixels[pixels.shape[0] - round(y), round(x)], np.array(artist.cmap(artist.norm(float(values.max())))[:3])


def as_png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=figure.dpi)
    return file.getvalue()


@pytest.mark.parametrize("value", [-0.9, -0.4, 0.5, 0.9])
@pytest.mark.parametrize("ground", ["black", "white", "red", "grey"])
def test_an_overlay_has_the_hue_of_the_colour_bar_on_any_photograph(value, ground):
    colour = {"black": (0, 0, 0), "white": (1, 1, 1), "red": (0.8, 0.1, 0.1), "grey": (0.5, 0.5, 0.5)}[ground]
    photograph = torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    seen, bar = overlaid(photograph, torch.full((1, 1, 32, 32), value))
    hue, saturation, _ = rgb_to_hsv(seen)
    apart = abs(hue - rgb_to_hsv(bar)[0])
    assert min(apart, 1 - apart) < 0.02 and saturation > 0.1


def test_an_overlay_has_no_colour_where_the_map_is_zero():
    for value in (0.0, 1.0):
        seen, _ = overlaid(torch.full((1, 3, 32, 32), value), torch.zeros(1, 1, 32, 32))
        assert np.ptp(seen) < 0.02 and seen.min() > 0.6


def test_an_overlay_shows_the_photograph_under_the_colour():
    dark, _ = overlaid(torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32))
    light, _ = overlaid(torch.ones(1, 3, 32, 32), torch.ones(1, 1, 32, 32))
    assert light.sum() > dark.sum() + 0.5


def test_each_value_of_a_grid_lies_at_the_centre_of_its_own_window():
    window, stride, size = 48, 16, 224
    rows = (size - window) // stride + 1
    image, values = torch.rand(1, 3, size, size), torch.rand(1, rows, rows)
    for picture in (
        ck.show_maps(image, {"a": values}, unit="probability", windows=(window, stride)),
        ck.show_grid(image, (values > 0.5).long(), ["no", "yes"], windows=(window, stride)),
    ):
        (artist,) = drawn(picture)
        left, right, bottom, top = artist.get_extent()
        cell = (right - left) / rows
        assert cell == stride and (bottom - top) / rows == stride
        assert left + cell / 2 == top + cell / 2 == window / 2, "window 0 covers the pixels 0 to 47"
        assert right - cell / 2 == size - window / 2
        assert artist.axes.get_xlim() == (0, size) and artist.axes.get_ylim() == (size, 0)


def outline(axes):
    """The points of the outlines in a panel."""
    return np.concatenate([path.vertices for drawn in axes.collections for path in drawn.get_paths()])


def test_a_mask_is_outlined_on_the_image_and_on_each_map():
    image, mask = torch.rand(1, 3, 32, 32), torch.zeros(32, 32, dtype=torch.bool)
    mask[8:20, 4:32] = True  # up to the right border, where it is closed too
    values = torch.rand(1, 1, 32, 32)
    pictures = [
        ck.show_maps(image, {"a": values, "b": values}, unit="u", mask=mask, columns=3),
        ck.show_images(image, masks=[mask]),
    ]
    panels = [axes for picture in pictures for axes in picture.figure.axes if axes.get_label() != "<colorbar>"]
    assert len(panels) == 4
    for axes in panels:
        points = outline(axes)
        assert np.abs(points.min(0) - [4, 8]).max() < 0.6 and np.abs(points.max(0) - [32, 20]).max() < 0.6
        assert axes.get_xlim() == (0, 32)
    small = ck.show_images(torch.rand(1, 3, 64, 64), masks=mask[None])
    assert np.abs(outline(small.figure.axes[0]).min(0) - [8, 16]).max() < 1.1, "a mask of another size is stretched"
    with pytest.raises(ck.OptionError, match="index it first"):
        ck.show_images(image, masks=[torch.stack([mask, mask])])


def test_the_labels_of_a_grid_are_counted_in_its_legend(image):
    labels = torch.tensor([[[2, 2, 0], [2, 1, 0], [2, 2, 2]]])
    picture = ck.show_grid(image, labels, ["ant", "bee", "cat"])
    (legend,) = picture.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["cat (6 windows)", "ant (2 windows)", "bee (1 window)"]
    (artist,) = drawn(picture)
    colour = {name.split()[0]: to_hex(patch.get_facecolor()) for name, patch in zip(texts, legend.get_patches())}  # noqa: B905
    shown = [[to_hex(artist.to_rgba(value)) for value in row] for row in artist.get_array()]
    assert shown == [[colour[["ant", "bee", "cat"][i]] for i in row] for row in labels[0]], "legend and map agree"


def test_rare_labels_of_a_grid_are_counted_together(image):
    labels = torch.arange(12).view(1, 3, 4)
    picture = ck.show_grid(image, labels, [f"c{i}" for i in range(12)])
    (legend,) = picture.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert len(texts) == len(COLOURS) and texts[-1] == "others (5 windows)"
    counts = np.unique(drawn(picture)[0].get_array(), return_counts=True)[1]
    assert counts.tolist() == [1] * 7 + [5]


def test_bars_of_predictions_are_as_long_as_the_probabilities(image):
    picture = ck.show_predictions(image, [[("Egyptian cat", 0.7), ("tabby, tabby cat", 0.2)]])
    bars_axes = picture.figure.axes[1]
    lengths = [bar.get_width() for bar in bars_axes.patches]
    names = [tick.get_text() for tick in bars_axes.get_yticklabels()]
    assert dict(zip(names, lengths, strict=True)) == {"Egyptian cat": 0.7, "tabby": 0.2}
    assert names[-1] == "Egyptian cat", "the best on top"
    assert [text.get_text() for text in bars_axes.texts] == ["0.20", "0.70"]
    assert bars_axes.get_xlabel() == "probability" and bars_axes.get_xlim()[0] == 0


def test_a_probability_below_a_hundredth_is_not_said_to_be_zero(image):
    picture = ck.show_predictions(image, [[("sports_car", 0.97), ("hen", 0.004)]])
    assert [text.get_text() for text in picture.figure.axes[1].texts] == ["< 0.01", "0.97"]
    assert "sports car" in [tick.get_text() for tick in picture.figure.axes[1].get_yticklabels()]


def enlarged(picture):
    """How the images of a figure are enlarged: "bicubic" or "nearest"."""
    return [axes.images[0].get_interpolation() for axes in picture.figure.axes]


def test_photographs_are_enlarged_smoothly_and_filters_and_masks_by_squares():
    photograph = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    tiny, mask = photograph[..., :7, :7], (photograph[:, :1] > 0.9).float()
    board = photograph[..., :9, :9].repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert enlarged(ck.show_images([photograph, tiny, mask, board])) == ["bicubic", "nearest", "nearest", "nearest"]
    assert enlarged(ck.show_images([photograph, tiny], squares=True)) == ["nearest"] * 2
    assert enlarged(ck.show_images([photograph, tiny], squares=False)) == ["bicubic"] * 2


def chroma(picture):
    """Mean distance of the colours from grey."""
    return np.abs(np.asarray(picture.convert("YCbCr"), dtype=float)[..., 1:] - 128).mean()


def test_the_colours_of_gradients_survive_the_compression():
    signal = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    picture = ck.show_images(ck.signal_pictures(signal))
    picture.figure.set_dpi(150)
    exact = Image.open(io.BytesIO(as_png(picture.figure))).convert("RGB")
    stored = Image.open(io.BytesIO(picture.data))
    halved = io.BytesIO()
    exact.save(halved, "jpeg", quality=82, subsampling=2)
    assert chroma(stored) > 0.9 * chroma(exact) > 0.9 * 1.2 * chroma(Image.open(halved))


def test_a_photograph_is_stored_with_the_usual_half_of_the_colours():
    data = ck.show_images(ck.load_image("chelsea", size=224)).data
    assert Image.open(io.BytesIO(data)).layer[0][1:3] == (2, 2)


def test_lines_go_through_their_points():
    picture = ck.show_lines([1, 2, 4], {"a": [3.0, 2.0, 1.0], "b": torch.ones(3)}, xlabel="x", ylabel="y", log=True)
    (axes,) = picture.figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[3, 2, 1], [1, 1, 1]]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("x", "y", "log")
    assert len({line.get_linestyle() for line in axes.lines}) == 2, "told apart without colours, too"


# --- pictures ---------------------------------------------------------------------------------------------------------


def every_picture(image):
    labels = torch.tensor([[[0, 1], [0, 0]]])
    return {
        "images": lambda **alt: ck.show_images([image, image[:, :1]], ["a cat", "its red"], **alt),
        "maps": lambda **alt: ck.show_maps(image, {"a cat": SIGNS}, unit="logits", **alt),
        "grid": lambda **alt: ck.show_grid(image, labels, ["a cat", "a dog"], **alt),
        "predictions": lambda **alt: ck.show_predictions(image, [[("a cat", 0.9)]], **alt),
        "lines": lambda **alt: ck.show_lines([0, 1], {"a cat": [2, 1]}, xlabel="step", ylabel="loss", **alt),
    }


KINDS = ["images", "maps", "grid", "predictions", "lines"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_alt_text_that_names_what_it_shows(image, kind):
    show = every_picture(image)[kind]
    assert "a cat" in show().alt
    picture = show(alt="A cat asleep.")
    data, metadata = picture._repr_mimebundle_()
    assert re.fullmatch(r"<Picture \d+ × \d+>", data["text/plain"]), "an edited text is no other output"
    (mime,) = metadata
    assert metadata[mime]["alt"] == "A cat asleep." and 0 < metadata[mime]["width"] <= 900


@pytest.mark.parametrize("kind", KINDS)
def test_photographs_are_jpeg_and_diagrams_png(image, kind):
    picture = every_picture(image)[kind]()
    assert picture.kind == ("png" if kind == "lines" else "jpeg")
    assert Image.open(io.BytesIO(picture.data)).format.lower() == picture.kind
    assert f"image/{picture.kind}" in picture._repr_mimebundle_()[0]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_can_be_saved(image, tmp_path, suffix):
    path = tmp_path / f"figure.{suffix}"
    ck.show_images(image, ["a cat"]).save(path)
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("kind", KINDS)
def test_the_style_of_the_course_does_not_leak_into_the_students_figures(image, kind):
    before = dict(mpl.rcParams)
    assert every_picture(image)[kind]().data
    assert dict(mpl.rcParams) == before


def test_a_picture_does_not_change_what_it_shows(image):
    values, before = SIGNS.clone(), image.clone()
    assert ck.show_maps(image, {"a": values}, unit="logits", overlay=True).data
    assert torch.equal(values, SIGNS) and torch.equal(image, before)


def test_images_of_several_sizes_and_boxes(image):
    picture = ck.show_images([image, random_images(1, 6)], ["a", "b"], boxes=[(1, 2, 3, 4)])
    first, second = picture.figure.axes
    (box,) = first.patches
    assert (box.get_y(), box.get_x(), box.get_height(), box.get_width()) == (1, 2, 3, 4)
    assert not second.patches and second.images[0].get_extent() == [0, 6, 6, 0]


def test_maps_with_a_gradient_can_be_shown(image):
    values = SIGNS.clone().requires_grad_()
    assert ck.show_maps(image.requires_grad_(), {"a": values * 2}, unit="logits").kind == "jpeg"


def test_signals_become_pictures_around_grey_each_on_its_own_scale():
    signals = torch.zeros(3, 3, 10, 10)
    signals[0, 0, 0] = torch.linspace(-4, 4, 10)
    signals[1] = signals[0] / 1000
    pictures = ck.signal_pictures(signals, clip=100)
    assert torch.allclose(pictures[0, 0, 0], torch.linspace(0, 1, 10)), "the largest |signal| is full colour"
    assert torch.allclose(pictures[0], pictures[1]), "the size of a signal does not show"
    assert (pictures[0, 1:] == 0.5).all() and (pictures[2] == 0.5).all(), "zero is grey, and all zeros too"
    small = torch.zeros(1, 1, 100, 100)
    small[0, 0, 0, :3] = torch.tensor([1.0, 2.0, 2.0])
    assert ck.signal_pictures(small)[0, 0, 0, 0] == 0.75, "the percentile is one of the values that are not 0"
    with pytest.raises(ck.OptionError, match=r"\(N, C, H, W\), but has \(3, 4, 4\)"):
        ck.signal_pictures(signals[0, :, :4, :4])


def test_no_image_is_told():
    with pytest.raises(ck.OptionError, match="at least one image"):
        ck.show_images([])
    with pytest.raises(ck.ImageError, match="with values along its axes"):
        ck.show_images(torch.empty(0, 3, 8, 8))


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (torch.full((1, 3, 8, 8), 200, dtype=torch.uint8), r"uint8 up to 200; divide by 255"),
        (torch.full((1, 3, 8, 8), 200.0), "float32 up to 200; divide by 255"),
        (torch.full((1, 3, 8, 8), float("nan")), "finite"),
        (torch.rand(3, 8, 8), r"\(8, 8\); a single one is image\[None\]"),
    ],
)
def test_pictures_that_would_be_drawn_black_or_white_are_refused(pictures, words):
    with pytest.raises(ck.ImageError, match=words):
        ck.show_images(pictures)


def test_a_map_with_nan_is_refused_wherever_maps_are_drawn():
    fine, spoiled = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    spoiled[..., 0, 0] = float("nan")
    with pytest.raises(ck.OptionError, match="finite"):
        ck.show_maps(None, {"fine": fine, "spoiled": spoiled}, unit="u")
    with pytest.raises(ck.OptionError, match="finite"):
        ck.show_matrix({"fine": {"a": fine}, "spoiled": {"a": spoiled}})


def test_signals_of_a_large_photograph_become_a_picture():
    found = ck.signal_pictures(torch.full((1, 3, 2400, 2400), -1.0))
    assert found.shape == (1, 3, 2400, 2400) and not found.any()


# --- the alt texts of the labs ----------------------------------------------------------------------------------------


@pytest.fixture
def alts(tmp_path, monkeypatch):
    """The file of a lab 07 in a data folder of its own."""
    path = tmp_path / "alt" / "07.md"
    path.parent.mkdir()
    path.write_text("# Lab 07\n\n## two\n\nA cat\nasleep.\n\nA cat awake.\n\n## one\nA dog.\n", "utf8")
    monkeypatch.setattr(alt, "DATA", tmp_path)
    return path


@pytest.fixture
def run_cell(monkeypatch, image):
    """Show figures as a cell of a notebook does: what JupyterLab tells the kernel is played."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/student/07_features.ipynb")
    parent = {}
    shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: parent))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)

    def run(execution, cell, figures):
        parent.update(header={"msg_id": execution}, metadata={"cellId": cell} if cell else {})
        shown = [ck.show_images(image, ["a title"])._repr_mimebundle_() for _ in range(figures)]
        return [metadata["image/jpeg"]["alt"] for _, metadata in shown]

    return run


def test_the_file_of_alt_texts_has_one_paragraph_for_each_figure(alts):
    assert alt.read_alts(alts) == {"two": ["A cat asleep.", "A cat awake."], "one": ["A dog."]}


def test_a_figure_of_a_lab_fetches_its_own_alt_text(alts, run_cell, monkeypatch):
    words = "Figure: a title."
    for execution in ("a", "b"):  # run again, the cell counts from the start
        assert run_cell(execution, "two", 3) == ["A cat asleep.", "A cat awake.", words]
    assert run_cell("c", "one", 1) == ["A dog."]
    assert run_cell("d", "a-cell-of-the-readers", 1) == run_cell("e", None, 1) == [words]
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/07_features/notes.ipynb")
    assert run_cell("f", "one", 1) == [words]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## two\n\nA cat.", "begin with one line '# Lab"),
        ("# Lab 07\n\nA text that belongs to no cell.\n\n## two\n\nA cat.", "begin with one line '# Lab"),
        ("# Lab 07\n\n## two\n\n## one\n\nA dog.", "one heading '## two' with one paragraph"),
        ("# Lab 07\n\n## two\n\nA cat.\n\n## two\n\nA dog.", "one heading '## two' with one paragraph"),
        ("# Lab 07\n\n## two\n\nA cat.\n\n### one\n\nA dog.", "one heading '## two' with one paragraph"),
    ],
)
def test_a_broken_file_of_alt_texts_says_what_is_wrong_and_stops_no_figure(alts, run_cell, text, message):
    alts.write_text(text, "utf8")
    with pytest.raises(ck.DataUnavailable, match=message):
        alt.read_alts(alts)
    assert run_cell("a", "two", 1) == ["Figure: a title."]
    alts.unlink()
    with pytest.raises(ck.DataUnavailable, match=r"07\.md is missing"):
        alt.read_alts(alts)
    assert run_cell("b", "two", 1) == ["Figure: a title."]


def test_the_rows_of_a_matrix_have_the_names_of_their_methods():
    picture = ck.show_matrix({"grad_cam": {"a": torch.rand(1, 1, 4, 4)}, "fullgrad": {"a": torch.rand(1, 1, 4, 4)}})
    assert [ax.get_ylabel() for ax in picture.figure.axes] == ["Grad-CAM", "FullGrad"]
