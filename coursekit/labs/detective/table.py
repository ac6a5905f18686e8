"""Tables of the detective's lab: shares in cells, the stored table of what each method finds, and the explorer."""

import json
import textwrap
from collections.abc import Mapping

import ipywidgets as widgets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from coursekit.attribution.cam import grad_cam
from coursekit.attribution.fullgrad import fullgrad
from coursekit.attribution.gradients import input_x_gradient
from coursekit.attribution.occlusion import occlusion
from coursekit.errors import DataUnavailable, OptionError
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import WIDTH, Picture, show_maps, styled
from coursekit.files import DATA
from coursekit.labs.detective.case import Case
from coursekit.labs.detective.network import FAULTS, LABELS

_BLUE = (0.0, 0.447, 0.698)  # the first of the course's colours
EXPLORED = {
    "occlusion": (lambda *a: occlusion(*a, window=16, stride=8), "drop in logit"),
    "gradient × input": (lambda *a: input_x_gradient(*a).sum(1, keepdim=True), "logits"),
    "Grad-CAM": (lambda *a: grad_cam(*a, upsample=True), "share of the logit"),
    "FullGrad": (fullgrad, "logits"),
}


@styled
def show_shares(
    rows: Mapping[str, Mapping[str, float | str]], *, title: str = "", side: float = 0.55, alt: str = ""
) -> Picture:
    """Draw a table of shares: the larger the number in [0, 1], the bluer its cell.

    rows : name -> column -> share, or words that stand there instead; "7 of 18" is as blue as the share 7/18. A comma
        breaks a column's name into two lines.

    >>> show_shares({"A": {"bird": 0.9, "fruit": 0.1}, "B": {"bird": 0.0, "fruit": "4 of 8"}})
    <Picture: Table of shares. A: bird 0.90, fruit 0.10; B: bird 0.00, fruit 4 of 8.>
    """
    if not rows or not all(rows.values()):
        raise OptionError("show_shares needs at least one row, and at least one cell in each.")
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    left = 0.25 + 0.095 * max(map(len, rows))  # inches
    width = min(1.4, (WIDTH - left) / len(columns))
    heads = ["\n".join(textwrap.fill(part, 13) for part in column.split(", ")) for column in columns]
    title = textwrap.fill(title, round(11 * (left + width * len(columns))))
    above = 0.62 * (max(head.count("\n") for head in heads) + 1) + 0.75 * (title.count("\n") + 1) * bool(title) + 0.2
    figure = Figure(figsize=(left + width * len(columns) + 0.1, 0.75 * side * (len(rows) + above + 0.1)))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-left, width * len(columns) + 0.1), ylim=(len(rows) + 0.1, -above))
    ax.axis("off")
    ax.text(-left + 0.1, 0.1 - above, title, fontsize=12, va="top")
    for x, head in enumerate(heads):
        ax.text((x + 0.5) * width, -0.12, head, ha="center", va="bottom")
    for y, (name, row) in enumerate(rows.items()):
        ax.text(-left + 0.1, y + 0.5, name, va="center")
        for x, column in enumerate(columns):
            if column in row:
                shade = tuple(1 - 0.7 * _share(row[column]) * (1 - part) for part in _BLUE)
                ax.add_patch(Rectangle((x * width + 0.02, y + 0.04), width - 0.04, 0.92, color=shade, lw=0))
                ax.text((x + 0.5) * width, y + 0.5, _words(row[column]), ha="center", va="center")
    told = "; ".join(f"{name}: {', '.join(f'{c} {_words(v)}' for c, v in row.items())}" for name, row in rows.items())
    return Picture(figure, alt or f"Table of shares. {told}.")


def _share(cell: float | str) -> float:
    if not isinstance(cell, str):
        return min(max(float(cell), 0.0), 1.0)
    part, of, whole = cell.partition(" of ")
    return int(part) / int(whole) if of and part.isdigit() and whole.isdigit() else 0.0


def _words(cell: float | str) -> str:
    return cell if isinstance(cell, str) else f"{cell:.2f}"


def stored_cases() -> dict[str, dict[str, str]]:
    """Read what `training/suspects.py --table` measured over all cases: method -> fault -> "found of how many".

    A method accuses a network where its share for one fault and class lies 0.2 above those of both other networks. The
    column "false alarms" counts the cases in which it accuses the honest one. "cannot" means that the method has no
    measure for such a fault.

    >>> list(stored_cases()["occlusion"])
    ['watermark', 'background', 'colour', 'false alarms']
    """
    path = DATA / "detective/methods.json"
    if not path.is_file():
        raise DataUnavailable(f"{path} belongs to the course itself; make it: python training/suspects.py --table")
    stored = json.loads(path.read_text(encoding="utf8"))
    table = {}
    for method, row in stored["methods"].items():
        counts = {fault: f"{row[fault][0]} of {row[fault][1]}" if row[fault][1] else "cannot" for fault in FAULTS}
        table[method] = counts | {"false alarms": f"{row['false alarms']} of {stored['cases']}"}
    return table


def explore_case(case: Case) -> Explorer:
    """Choose network, class, picture and method, and see the map for the class of the picture.

    >>> import coursekit as ck
    >>> ck.explore_case(ck.case(0))
    <Explorer: network, label, picture, method; Heat maps (drop in logit) beside the image: A, bird, occlusion>
    """
    places = {label: (case.labels == target).nonzero()[:, 0].tolist() for target, label in enumerate(LABELS)}

    def draw(network: str, label: str, picture: int, method: str) -> Picture:
        place, (function, unit) = places[label][picture], EXPLORED[method]
        image = case.images[place : place + 1]
        heat = function(case[network], image, LABELS.index(label))
        return show_maps(image, {f"{network}, {label}, {method}": heat}, unit=unit)

    return Explorer(
        draw,
        network=widgets.Dropdown(options=list(case.networks), description="network"),
        label=widgets.Dropdown(options=LABELS, description="class"),
        picture=widgets.IntSlider(
            value=0, min=0, max=min(map(len, places.values())) - 1, description="picture", continuous_update=False
        ),
        method=widgets.Dropdown(options=list(EXPLORED), description="method"),
    )
