"""The detective's lab: the stored table of what each method finds, and the explorer of a case."""

from collections.abc import Callable

import ipywidgets as widgets
from torch import Tensor

from coursekit.attribution.cam import grad_cam
from coursekit.attribution.fullgrad import fullgrad
from coursekit.attribution.gradients import input_x_gradient
from coursekit.attribution.occlusion import occlusion
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import Picture
from coursekit.figures.maps import show_maps
from coursekit.files import DATA, damaged, own_json
from coursekit.labs.detective.case import Case
from coursekit.labs.detective.network import FAULTS, LABELS

EXPLORED: dict[str, tuple[Callable[..., Tensor], str]] = {
    "occlusion": (lambda *a: occlusion(*a, window=16, stride=8), "drop in logit"),
    "gradient × input": (lambda *a: input_x_gradient(*a).sum(1, keepdim=True), "logits"),
    "Grad-CAM": (lambda *a: grad_cam(*a, upsample=True), "contribution (logits)"),
    "FullGrad": (fullgrad, "logits"),
}


def stored_cases() -> dict[str, dict[str, str]]:
    """Read what `training/suspects.py --table` measured over all cases: method -> column -> "so many of how many".

    A method accuses a network where its share for one fault and class lies 0.2 above those of both other networks.
    Those that find most stand first. "cannot" means that the method has no measure for such a fault.

    - watermark, background, colour: found, of the appearances of such a fault in the cases.
    - networks found: of the different networks behind them, those whose fault is found in at least half of their cases.
    - accusations, false: of all accusations (network, fault and class), those that are not true.
    - cases, honest accused: in how many the honest network is accused, of anything.

    >>> list(stored_cases()["occlusion"])
    ['watermark', 'background', 'colour', 'networks found', 'accusations, false', 'cases, honest accused']
    """
    path = DATA / "detective/methods.json"
    missing = f"{path} belongs to the course itself; make it: python training/suspects.py --table"
    measured = own_json(path, missing, {"cases": int, "margin": float, "methods": dict[str, dict]})
    try:
        return {method: _counts(row, measured["cases"]) for method, row in measured["methods"].items()}
    except (KeyError, IndexError, TypeError, ValueError):
        raise damaged(path) from None


def _counts(row: dict, cases: int) -> dict[str, str]:
    if not all(isinstance(n, int) for cell in row.values() for n in (cell if isinstance(cell, list) else [cell])):
        raise TypeError("counts are whole numbers")
    counts = {fault: f"{row[fault][0]} of {row[fault][1]}" if row[fault][1] else "cannot" for fault in FAULTS}
    counts["networks found"] = "{} of {}".format(*row["networks"])
    true, made = row["accusations"]
    counts["accusations, false"] = f"{made - true} of {made}"
    return counts | {"cases, honest accused": f"{row['honest accused']} of {cases}"}


def explore_case(case: Case) -> Explorer:
    """Choose network, class, picture and method, and see the map for the class of the picture.

    >>> import coursekit as ck
    >>> ck.explore_case(ck.case(0))
    <Explorer: network, label, picture, method>
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
