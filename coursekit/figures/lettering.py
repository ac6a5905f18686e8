"""The words of a figure: large enough on a slide, no identifiers; and the one colour of each method."""

import re
import textwrap
import unicodedata

from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

SLIDE = (1152, 540)  # pixels that a figure alone has on a slide of 1280 x 720


SMALLEST, LARGEST = 14.2, 28  # pixels of the words there


# In all figures, a method's name and colour. Any two of the fifteen are at least 19 apart in CIELAB for readers with
# normal vision, protanopia and deuteranopia (Machado et al. 2009).
METHODS = {
    "input_gradient": ("gradient", "#0062ff"),
    "input_x_gradient": ("input × gradient", "#76c4eb"),
    "smoothgrad": ("SmoothGrad", "#279dff"),
    "integrated_gradients": ("integrated gradients", "#14009d"),
    "guided_backprop": ("guided backprop", "#b127b1"),
    "deconvnet": ("deconvnet", "#4e0062"),
    "occlusion": ("occlusion", "#b1c400"),
    "cam": ("CAM", "#c49d4e"),
    "grad_cam": ("Grad-CAM", "#b11400"),
    "guided_grad_cam": ("guided Grad-CAM", "#b14e89"),
    "fullgrad": ("FullGrad", "#4e273b"),
    "relevance": ("relevance (LRP)", "#0000ff"),
    "hires_cam": ("HiResCAM", "#9d624e"),
    "layer_cam": ("LayerCAM", "#620000"),
    "rise": ("RISE", "#9dc49d"),
}


NETWORKS = {"coursenet": "CourseNet", "efficientnet_lite": "EfficientNet-Lite"}  # in words


def _key(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower().replace("×", "x"))


_COLOURS = {_key(word): colour for name, (words, colour) in METHODS.items() for word in (name, words)}
_SHORT = {"saliency": "input_gradient", "guided": "guided_backprop"}
_COLOURS |= {short: METHODS[name][1] for short, name in _SHORT.items()}


def method_colour(name: str) -> str | None:
    """Return the colour of a method in every figure of the course, by its name in code or in words; None: no method.

    >>> method_colour("grad_cam") == method_colour("Grad-CAM")
    True
    """
    return _COLOURS.get(_key(name))


def words(name: str) -> str:
    """Say a name in words: `grad_cam` is Grad-CAM, `sports_car` sports car, `efficientnet_lite0` EfficientNet-Lite0.

    >>> words("grad_cam"), words("sports_car"), words("efficientnet_lite0: 4 objects")
    ('Grad-CAM', 'sports car', 'EfficientNet-Lite0: 4 objects')
    """
    for network, said in NETWORKS.items():
        name = name.replace(network, said)
    return METHODS[name][0] if name in METHODS else name.replace("_", " ")


MOST = 300  # letters of one text: a longer one leaves no room for the picture


_FORMULA = re.compile(r"(?<![\w\\])\$(?=[A-Za-z\\])[^$]*[^\s$]\$(?!\w)|(?<!\\)\$")


def drawable(text: str) -> str:
    """Return a text without what no font can draw (control characters, halves of a letter), and not too long.

    >>> drawable("a\\x1b cat\\ud800"), len(drawable("a" * 5000))
    ('a cat', 300)
    """
    seen = "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs"))
    return seen if len(seen) <= MOST else seen[: MOST - 1] + "…"


def is_formula(text: str) -> bool:
    r"""Tell whether a text holds a formula that is meant, such as $x^2$, and that can be set.

    >>> is_formula("the norm $x^2$"), is_formula("from $5 to $6"), is_formula(r"$\nope$")
    (True, False, False)
    """
    formulas = [found for found in _FORMULA.findall(text) if len(found) > 1]
    try:
        return bool([MathTextParser("path").parse(formula) for formula in formulas])
    except ValueError:  # what is between the dollars is no formula after all
        return False


def _outside(found: re.Match) -> str:
    """Keep a formula; a dollar that stands alone is one."""
    return found[0] if len(found[0]) > 1 else r"\$"


def fit_text(figure: Figure) -> None:
    """Make the words of a figure fit to be read from the back of a room, whatever the figure's size.

    On a slide of 1280 × 720 the words have 14 to 28 pixels. A title is wrapped to its panel, for
    which the figure grows by a third at most. `_` becomes a space, and `$` starts a formula only where one is meant,
    such as $x^2$.
    """
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if names != (drawn := [drawable(name) for name in names]):  # a tick takes its name from a list when drawn
            axis.set_ticks(axis.get_ticklocs(), labels=drawn)
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    for text in texts:
        said = drawable(text.get_text())
        formula = is_formula(said)
        text.set_parse_math(formula)
        text.set_text(_FORMULA.sub(_outside, said) if formula else words(said))
    height, room = figure.get_figheight(), _title_room(figure)
    for last in (False, False, True):  # a figure that has grown is shown smaller
        pixels = min(SLIDE[0] / figure.get_figwidth(), SLIDE[1] / figure.get_figheight()) / 72  # of one point
        for text in texts:
            text.set_fontsize(_within(float(text.get_fontsize()), pixels))
        for ax in figure.axes:
            for axis in (ax.xaxis, ax.yaxis):
                ticks = axis.get_ticklabels()
                axis.set_tick_params(labelsize=_within(float(ticks[0].get_fontsize()) if ticks else 11.0, pixels))
            place = ax.get_subplotspec()
            if place is not None:
                width = figure.get_figwidth() * len(place.colspan) / place.get_gridspec().ncols
                ax.title.set_text(wrapped(ax.get_title(), width - 0.1, float(ax.title.get_fontsize())))
        now = _title_room(figure)
        if not last:
            figure.set_figheight(height + min(sum(now[row] - room[row] for row in room), height / 3))


def wrapped(text: str, width: float, points: float) -> str:
    """Break a text into lines of at most `width` inches, by the mean width of a letter of that many points."""
    letters = max(8, int(width * 72 / (0.54 * points)))
    return "\n".join(textwrap.fill(line, letters, break_on_hyphens=False) for line in text.split("\n"))


def _within(points: float, pixels: float) -> float:
    return min(max(points, SMALLEST / pixels), LARGEST / pixels)


def _title_room(figure: Figure) -> dict[int, float]:
    """Row of panels -> height of its highest title, in inches."""
    room: dict[int, float] = {}
    for ax in figure.axes:
        place, lines = ax.get_subplotspec(), ax.get_title().count("\n") + bool(ax.get_title())
        if place is not None:
            row = place.rowspan.start
            room[row] = max(room.get(row, 0), lines * float(ax.title.get_fontsize()) * 1.25 / 72)
    return room
