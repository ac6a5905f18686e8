"""Dots in the plane and their explorer: the right colour for each dot, a still picture, thumbnails in a browser."""

import io
import json
from base64 import b64encode

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

import coursekit as ck
from coursekit.explorers.points import TILE, Dots
from coursekit.figures.scatter import GREY, palette

POINTS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
NAMES = ["birds", "other", "balls", "birds"]


def dots(picture, panel=0):
    """Where the dots of a panel lie, and their colours."""
    (drawn,) = picture.figure.axes[panel].collections
    return drawn.get_offsets().tolist(), [to_hex(c).lower() for c in drawn.get_facecolors()]


def test_each_dot_has_the_colour_of_its_name_and_grey_ones_lie_below():
    places, colours = dots(ck.show_points({"map": POINTS}, NAMES, grey=["other"]))
    assert places[0] == [1.0, 0.0] and colours[0] == GREY.lower()
    of = dict(zip(map(tuple, places), colours, strict=True))
    assert of[0.0, 0.0] == of[1.0, 1.0] != of[0.0, 1.0]
    picture = ck.show_points({"map": POINTS}, NAMES, grey=["other"])
    assert {text.get_text() for text in picture.figure.legends[0].get_texts()} == {"birds", "balls", "other"}


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_the_legend_lies_within_the_figure(columns):
    names = ["hoofed animals", "beasts of prey", "fruit and vegetables", "instruments"]
    picture = ck.show_points({str(i): POINTS for i in range(columns)}, names)
    assert picture.data
    legend = picture.figure.legends[0].get_window_extent()
    assert legend.x0 >= 0 and legend.x1 <= picture.figure.bbox.x1


def test_short_names_stand_on_their_own_dots():
    picture = ck.show_points({"digits": POINTS}, ["7", "7", "7", "4"])
    texts = {text.get_text(): text.get_position() for text in picture.figure.axes[0].texts}
    assert texts["4"] == (1.0, 1.0) and list(texts["7"]) in POINTS[:3].tolist()
    assert not picture.figure.legends


def test_ten_names_have_ten_colours_in_any_order():
    digits = [str(d) for d in range(10)]
    assert len(set(palette(digits).values())) == 10
    assert palette(digits) == palette(digits[::-1]), "a digit keeps its colour from figure to figure"


def test_no_colour_of_a_name_looks_like_the_grey_of_noise():
    for names in (list("ABC"), [str(d) for d in range(10)]):
        for colour in palette(names).values():
            red, green, blue = to_rgb(colour)
            assert max(red, green, blue) - min(red, green, blue) > 0.25, colour


def test_letters_stand_on_more_clusters_than_there_are_colours():
    letters = [chr(ord("A") + i) for i in range(12)]
    texts = ck.show_points({"map": torch.rand(12, 2)}, letters).figure.axes[0].texts
    assert sorted(text.get_text() for text in texts) == letters


def test_more_names_than_colours_get_no_legend():
    many = torch.rand(24, 2)
    picture = ck.show_points({"clusters": many}, [f"cluster {i}" for i in range(24)])
    assert not picture.figure.legends


def test_numbers_have_a_bar_and_both_signs_are_centred_on_zero():
    values = torch.tensor([-1.0, 0.0, 0.5, 0.25])
    colours, unit = {"a": values, "b": values.abs()}, {"a": "reward", "b": "steps"}
    picture = ck.show_points({"a": POINTS, "b": POINTS}, colours, unit=unit)
    first, second = (picture.figure.axes[i].collections[0] for i in (0, 1))
    assert first.get_clim() == (-1, 1) and second.get_clim() == (0, 1)
    assert {axes.get_ylabel() for axes in picture.figure.axes} >= {"reward", "steps"}


def test_of_many_points_some_are_drawn_each_with_its_own_colour():
    many = torch.arange(1000.0)[:, None].expand(-1, 2)
    places, colours = dots(ck.show_points({"map": many}, ["even", "uneven"] * 500, most=100))
    assert 90 <= len(places) <= 100
    assert [place[0] for place in places] == list(range(0, 1000, 10)) and len(set(colours)) == 1


@pytest.mark.parametrize(
    ("panels", "colours", "words"),
    [
        ({}, NAMES, "at least one entry"),
        ({"map": torch.rand(4, 3)}, NAMES, r"\(N, 2\), but are \(4, 3\)"),
        ({"map": POINTS}, NAMES[:3], "4 points, but 3 names"),
        ({"map": [[0, 1]]}, NAMES, "but is dict"),
    ],
)
def test_bad_points(panels, colours, words):
    with pytest.raises(ck.OptionError, match=words):
        ck.show_points(panels, colours)


# --- the explorer ---------------------------------------------------------------------------------------------------


def film():
    return torch.stack([POINTS, 1 - POINTS, 2 * POINTS])


def explorer(points=POINTS, **options):
    images = torch.linspace(0, 1, 4).view(4, 1, 1, 1).expand(-1, 1, 8, 8)
    return ck.explore_points(points, images, ["owl", "cup", "net", "hen"], names=NAMES, grey=["other"], **options)


def test_the_widget_gets_every_dot_and_its_thumbnail():
    widget = explorer(film(), titles=["a", "a", "b"]).widget
    assert isinstance(widget, Dots) and widget.count == 4 and widget.titles == ["a", "a", "b"]
    places = np.frombuffer(widget.places, "<u2").reshape(3, 4, 2) / 65535
    assert places[2, 1, 0] == 1 and places[2, 2, 1] == 0, "the largest x lies right, the largest y on top"
    assert np.allclose(places[0, 3] - places[0, 0], [0.5, -0.5], atol=1e-4), "one scale for all frames"
    sheet = np.asarray(Image.open(io.BytesIO(widget.sheet)).convert("L")) / 255
    tiles = [sheet[i // 2 * TILE : (i // 2 + 1) * TILE, i % 2 * TILE : (i % 2 + 1) * TILE].mean() for i in range(4)]
    assert np.allclose(tiles, [0, 1 / 3, 2 / 3, 1], atol=0.02)
    assert widget.colours[1] == GREY and widget.colours[0] == widget.colours[3]


def test_the_still_picture_shows_one_frame_of_each_title():
    made = explorer(film(), titles=["a", "a", "b"])
    assert [axes.get_title() for axes in made.picture.figure.axes] == ["a", "b"]
    assert dots(made.picture, 1)[0][0] == [2.0, 0.0]
    data, _ = made._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}


@pytest.mark.parametrize("change", [{"titles": ["a", "b"]}, {"points": torch.rand(3, 2)}, {"points": torch.rand(4)}])
def test_bad_explorers(change):
    with pytest.raises(ck.OptionError):
        explorer(**change)


PAGE = """async ([source, values]) => {
    const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    for (const name of ["places", "sheet"]) values[name] = bytes(values[name]);
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { render } = (await import(url)).default;
    window.stop = render({ model: { get: (name) => values[name], on() {} }, el: document.body });
}"""


def test_in_a_browser_the_dot_under_the_mouse_is_named_and_the_film_plays(chromium):
    widget = explorer(film(), titles=["a", "a", "b"]).widget
    names = ("places", "count", "titles", "labels", "colours", "sheet", "across", "tile")
    values = {name: getattr(widget, name) for name in names}
    values |= {name: b64encode(values[name]).decode() for name in ("places", "sheet")}
    page = chromium.new_page(viewport={"width": 900, "height": 700})
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    try:
        page.set_content("<body></body>")
        page.evaluate(PAGE, [widget._esm, json.loads(json.dumps(values))])
        canvas = page.locator("canvas").first
        box = canvas.bounding_box()
        page.wait_for_timeout(100)  # for the sheet to be decoded

        def at(right, up):
            """Move to a place of the plot, in parts of its width; frame 0 fills the lower left quarter."""
            x, y = (14 + part * (box["width"] - 28) for part in (right, 1 - up))
            page.mouse.move(box["x"] + x, box["y"] + y)
            return page.locator(".coursekit-dots > div > div").first.inner_text()

        assert at(0.0, 0.0) == "owl" and at(0.5, 0.0) == "cup" and at(0.5, 0.5) == "hen"
        brightness = "() => document.querySelectorAll('canvas')[1].getContext('2d').getImageData(96, 96, 1, 1).data[0]"
        assert page.evaluate(brightness) > 240, "the hen's thumbnail is white"
        assert at(0.25, 0.9) == "Move over the dots."
        slider = page.locator("input[type=range]")
        before = page.evaluate("() => document.querySelector('canvas').toDataURL()")
        slider.fill("2")
        assert page.evaluate("() => document.querySelector('canvas').toDataURL()") != before
        assert page.locator(".coursekit-dots > div > div").nth(1).inner_text() == "b" and at(1.0, 1.0) == "hen"
        slider.fill("0")
        page.get_by_role("button").click()
        page.wait_for_function("() => +document.querySelector('input[type=range]').value > 0")
        page.get_by_role("button").click()
        page.evaluate("() => window.stop()")
        assert errors == []
    finally:
        page.close()
