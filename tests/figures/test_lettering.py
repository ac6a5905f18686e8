"""Words that can be read on a slide, in every figure; one colour for each method."""

import inspect
import io
import itertools

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

import coursekit as ck
from coursekit.attribution.methods import eleven
from coursekit.figures.lettering import METHODS, SLIDE, words

SIZES = [1, 4, 12]  # panels, rows, names …


def long(i):
    return f"channel {i} of relu4: strongest patches"


def figures(n):
    """Every figure of the package with n panels, rows or names."""
    image, values = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32)
    dots = {long(i): {f"name {j}": (0.5, 0.4, 0.6) for j in range(n)} for i in range(min(n, 6))}
    return {
        "show_images": lambda: ck.show_images([image] * n, [long(i) for i in range(n)], columns=3),
        "show_predictions": lambda: ck.show_predictions(
            image.expand(n, -1, -1, -1), [[("a_cat", 0.9), ("hen", 0.001)]] * n
        ),
        "show_maps": lambda: ck.show_maps(image, {long(i): values for i in range(n)}, unit="logits"),
        "show_grid": lambda: ck.show_grid(image, torch.arange(16).view(1, 4, 4) % n, [f"class_{i}" for i in range(n)]),
        "show_matrix": lambda: ck.show_matrix({f"row {i}": {"a": image, "b": image} for i in range(n)}),
        "show_lines": lambda: ck.show_lines([0, 1], {long(i): [0, i] for i in range(n)}, xlabel="step", ylabel="loss"),
        "show_dots": lambda: ck.show_dots(dots),
        "show_histograms": lambda: ck.show_histograms({long(i): values for i in range(n)}, xlabel="activation"),
        "show_scatter": lambda: ck.show_scatter(
            {long(i): ([1, 2], [1, i]) for i in range(n)}, xlabel="p", ylabel="length", names=["cat", "hen"] * n
        ),
        "show_polar": lambda: ck.show_polar({long(i): {"answer": torch.rand(8)} for i in range(n)}),
        "show_circuit": lambda: ck.show_circuit(torch.randn(n, 3, 3), [f"{i}°" for i in range(n)]),
        "show_parts": lambda: ck.show_parts({long(i): (image, torch.rand(4, 2)) for i in range(n)}),
        "show_points": lambda: ck.show_points(
            {long(i): torch.rand(9, 2) for i in range(n)}, ["hen", "zebra", "cat"] * 3
        ),
        "show_shares": lambda: ck.show_shares(
            {f"row {i}": {"bird": 0.5, "fruit": 0.2} for i in range(n)}, title="Shares"
        ),
    }


def test_every_figure_is_here():
    """All of the folder figures; those of a single lab lie in coursekit/labs."""
    shown = {name for name in dir(ck) if name.startswith("show_")}
    own = {name for name in shown if inspect.unwrap(getattr(ck, name)).__module__.startswith("coursekit.labs.")}
    labs = {"show_arrows", "show_gabors", "show_nulls", "show_picture_table", "show_plate"}
    assert figures(1).keys() == shown - own and own == labs


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", figures(1))
def test_words_can_be_read_on_a_slide_whatever_the_size_of_the_figure(name, n):
    figure = figures(n)[name]().figure
    figure.draw_without_rendering()
    pixels = min(SLIDE[0] / figure.get_figwidth(), SLIDE[1] / figure.get_figheight()) / 72  # of one point
    sizes = {t.get_text(): t.get_fontsize() * pixels for t in figure.findobj(Text) if t.get_text() and t.get_visible()}
    assert sizes or n == 1
    assert {text: size for text, size in sizes.items() if not 14 <= size <= 30} == {}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["show_images", "show_maps", "show_parts", "show_dots", "show_histograms"])
def test_titles_side_by_side_do_not_touch(name, n):
    figure = figures(n)[name]().figure
    figure.draw_without_rendering()
    boxes = [ax.title.get_window_extent() for ax in figure.axes if ax.get_title()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_a_title_holds_no_underscores_and_no_formula_that_was_not_meant():
    titles = ["grad_cam", "a sports_car", "from $5 to $6", "the norm $x^2$", "two\nlines"]
    figure = ck.show_images(torch.rand(5, 3, 32, 32), titles).figure
    seen = [ax.title for ax in figure.axes]
    assert [t.get_text() for t in seen] == ["Grad-CAM", "a sports car", "from $5 to $6", "the norm $x^2$", "two\nlines"]
    assert [t.get_parse_math() for t in seen] == [False, False, False, True, False]
    assert ck.show_images(torch.rand(1, 3, 32, 32), ["$\\alpha$ and $5"]).data and words("_x_") == " x "


DEFICIENCIES = {  # Machado, Oliveira & Fernandes 2009, severity 1
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


def cielab(hexadecimal, deficiency):
    rgb = np.array(to_rgb(hexadecimal))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = to_xyz @ linear / np.array([0.9505, 1, 1.089])
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_any_two_methods_can_be_told_apart_by_their_colours(deficiency):
    colours = {name: cielab(colour, deficiency) for name, (_, colour) in METHODS.items()}
    nearest = min((np.linalg.norm(colours[a] - colours[b]), a, b) for a, b in itertools.combinations(colours, 2))
    assert nearest[0] > 19, nearest
    assert all(lightness < 80 for lightness, *_ in colours.values()), "seen on white"


def test_each_method_has_one_colour_by_its_name_in_code_and_in_words():
    assert eleven().keys() <= METHODS.keys() and {"relevance", "hires_cam", "layer_cam", "rise"} <= METHODS.keys()
    for name, (said, colour) in METHODS.items():
        assert ck.method_colour(name) == ck.method_colour(said) == ck.method_colour(said.capitalize()) == colour
    assert ck.method_colour("gradient") == ck.method_colour("input_gradient")
    assert ck.method_colour("chance") is None and ck.method_colour("pixels") is None


@pytest.mark.parametrize(
    "title", ["one", "two\nlines", "three\nwritten\nlines", "a long title that is wrapped by itself"]
)
@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_no_title_is_cut_off_at_the_upper_edge(n, title):
    """Up to six pixels of the letters were: the panels were laid out in one round, without the titles' full height."""
    pictures = [
        ck.show_images([torch.rand(1, 3, 64, 64)] * n, [title] * n, columns=n),
        ck.show_matrix({"gradient": {f"{title} {i}": torch.rand(1, 1, 14, 14) for i in range(n)}}),
    ]
    for picture in pictures:
        drawn = np.asarray(Image.open(io.BytesIO(picture.data)).convert("L"))
        assert drawn[0].min() > 200, "ink on the first row of pixels: a title is cut"


def test_no_label_of_a_colour_bar_is_cut_off_at_the_right_edge():
    """It was where titles in two lines lower the bar: its ticks change from 0.2 to 0.25, which is wider."""
    generator = torch.Generator().manual_seed(0)
    maps = {f"a title in two lines {i}": torch.rand(1, 1, 56, 56, generator=generator) for i in range(4)}
    image = torch.rand(1, 3, 56, 56, generator=generator)
    picture = ck.show_maps(image, maps, unit="99.5 percentile = 1", relative=True, clip=99.5, columns=5)
    drawn = np.asarray(Image.open(io.BytesIO(picture.data)).convert("L"))
    assert drawn[:, -1].min() > 200, "ink in the last column of pixels: the label is cut"


EVIL = {
    "no formula": "$\\nope$ and $x^{$",
    "dollars": "from $5 to $6, the norm $x^2$",
    "letters that the font has not": "a 猫 \U0001f600",
    "no letters": "a\x00\x07\x1b[0m\ud800\udfff",
    "markup": "<script>alert(1)</script> <!-- &amp;",
    "lines": "a\n\n\nb",
    "long": "x" * 5000,
}


@pytest.mark.parametrize("text", EVIL.values(), ids=EVIL)
@pytest.mark.parametrize("name", ["show_images", "show_lines", "show_dots"])
def test_any_text_is_drawn_without_an_error_and_without_a_warning(name, text, recwarn):
    """A label or a file name of a student's own, in titles, legends and at ticks."""
    image = torch.rand(1, 3, 32, 32)
    picture = {
        "show_images": lambda: ck.show_images([image], [text]),
        "show_lines": lambda: ck.show_lines(
            [0, 1], {text: [0, 1], "b": [1, 0]}, xlabel=text, ylabel="b", ticks=[text, "b"]
        ),
        "show_dots": lambda: ck.show_dots({text: {text: (0.5, 0.4, 0.6), "b": (0.1, 0.0, 0.2)}}),
    }[name]()
    assert picture.data and not [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)]
    assert picture.alt.encode("utf8")
    assert all(len(t.get_text()) < 400 and "\ud800" not in t.get_text() for t in picture.figure.findobj(Text))


def test_dollars_beside_a_formula_are_dollars():
    picture = ck.show_images(torch.rand(1, 3, 32, 32), [EVIL["dollars"]])
    title = picture.figure.axes[0].title
    assert title.get_parse_math() and title.get_text().replace("\n", " ") == r"from \$5 to \$6, the norm $x^2$"
