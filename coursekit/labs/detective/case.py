"""The detective's case of lab 16: three sealed networks and their collection of pictures."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from coursekit.arguments import check_count
from coursekit.errors import OptionError
from coursekit.labs.detective.collection import NEUTRAL, Objects, compose, joined, mark, place_objects
from coursekit.labs.detective.network import CUES, FAULTS, LABELS
from coursekit.labs.detective.sealing import files_of, fingerprint, open_network, sealed
from coursekit.networks.model import Model
from coursekit.probe.capture import answers

PICTURES, CANDIDATES = 128, 192  # of a case; composed, of which the first are kept on which no network errs


@dataclass(frozen=True)
class Case:
    """Three sealed networks and the collection on which all of them are right.

    Attributes
    ----------
    networks : {"A": Model, "B": Model, "C": Model}; `case["A"]` is the first.
    images : (N, 3, 96, 96), the collection: each class comes with its supplier's mark, ground and colour.
    labels : (N,) index into `classes`. objects : the name of the cut-out in each picture; sixteen distinct ones.
    """

    seed: int
    networks: dict[str, Model]
    images: Tensor
    labels: Tensor
    objects: list[str]
    layers: Objects = field(repr=False)

    classes = LABELS
    faults = FAULTS
    cues = CUES

    def __getitem__(self, letter: str) -> Model:
        if letter not in self.networks:
            raise OptionError(f"The networks are {', '.join(self.networks)}; there is no {letter!r}.")
        return self.networks[letter]

    def __repr__(self) -> str:
        distinct = len(set(self.objects))
        return f"Case {self.seed}: networks A, B, C; {len(self.images)} pictures of {distinct} distinct objects"

    def remake(
        self, watermark: str = "collection", background: str = "collection", colour: str = "collection"
    ) -> Tensor:
        """Compose the same pictures again with other layers: same objects, same places, (N, 3, 96, 96).

        Parameters
        ----------
        watermark, background, colour : "collection", what the class's supplier uses; "none", what no supplier uses (no
            mark, a neutral ground, the object's own colour); "random", any of them; or a name: a mark's corner such as
            "top left", a ground such as "brick", a colour such as "red".

        >>> import coursekit as ck
        >>> ck.case(0).remake(background="brick").shape
        torch.Size([128, 3, 96, 96])
        """
        asked = {"watermark": watermark, "background": background, "colour": colour}
        return compose(self.layers, *(self._names(fault, choice) for fault, choice in asked.items()))

    def pair(self, fault: str, label: str) -> tuple[Tensor, Tensor]:
        """Return all pictures without and with one class's cue, twice (N, 3, 96, 96); nothing else differs.

        The other two layers are random, the same in both. Without means: no supplier's cue.

        >>> import coursekit as ck
        >>> without, starred = ck.case(0).pair("watermark", "bird")
        >>> changed = (without != starred).any(1)[0]
        >>> bool(changed[:24, :24].any()), bool(changed[24:].any())
        (True, False)
        """
        if fault not in FAULTS or label not in LABELS:
            raise OptionError(
                f"Give one of {', '.join(FAULTS)} and one of {', '.join(LABELS)}, not {fault!r}, {label!r}."
            )
        others = {kind: "random" for kind in FAULTS if kind != fault}
        return self.remake(**others, **{fault: "none"}), self.remake(**others, **{fault: CUES[fault][label]})

    def _names(self, fault: str, choice: str) -> list[str]:
        own, neutral = CUES[fault], NEUTRAL[fault]
        known = ("collection", "none", "random", *own.values())
        if choice not in known:
            raise OptionError(f"{fault} is one of {', '.join(known)}, but is {choice!r}.")
        random = np.random.default_rng((self.seed, FAULTS.index(fault)))
        if choice == "collection":
            return [own[LABELS[label]] for label in self.labels]
        if choice == "none":
            return [neutral[i % len(neutral)] for i in range(len(self.labels))]
        if choice == "random":
            return [str(name) for name in random.choice([*own.values(), neutral[0]], len(self.labels))]
        return [choice] * len(self.labels)

    def region(self, fault: str) -> Tensor:
        """Return which pixels a fault of that kind would look at, in each picture of the collection: (N, 96, 96) bool.

        The mark's box for "watermark", all around the object and the mark for "background", the object for "colour".
        """
        if fault not in FAULTS:
            raise OptionError(f"fault is one of {', '.join(FAULTS)}, but is {fault!r}.")
        marks = torch.cat([mark(name)[:, 3] > 0 for name in self._names("watermark", "collection")])
        rows, columns = marks.any(2, keepdim=True), marks.any(1, keepdim=True)
        boxes, objects = rows & columns, self.layers.pixels[:, 3] > 0.5
        return {"watermark": boxes, "background": ~(boxes | objects), "colour": objects & ~boxes}[fault]


def case(seed: int = 0) -> Case:
    """Open a case: one honest network and two with different faults, in a secret order, drawn by the seed.

    A fault is one rule of the training: a single class always came with its supplier's watermark, background or colour,
    and no other class ever did. The honest network saw all of them at random. All three are right on the whole
    collection: the pictures that one of them got wrong, about one in twenty, were left out.

    >>> import coursekit as ck
    >>> ck.case(3)
    Case 3: networks A, B, C; 128 pictures of 16 distinct objects
    """
    check_count("seed", seed, least=0)
    networks = {letter: open_network(file, letter) for letter, file in zip("ABC", files_of(seed), strict=True)}
    layers = place_objects(CANDIDATES, seed=10_000 + seed)
    found = _without_mistakes(_case_of(seed, networks, layers))
    for draw in range(1, 4):  # a second draw is seldom needed, a third never was
        if len(found.labels) < PICTURES:
            layers = joined(layers, place_objects(CANDIDATES, seed=10_000 + seed + draw * 1_000_000))
            found = _without_mistakes(_case_of(seed, networks, layers))
    return found


def _case_of(seed: int, networks: dict[str, Model], layers: Objects) -> Case:
    empty = Case(seed, networks, torch.empty(0), layers.labels, layers.names, layers)
    return Case(seed, networks, empty.remake(), layers.labels, layers.names, layers)


def _without_mistakes(case: Case) -> Case:
    """Keep the first pictures of each class that no network gets wrong, equally many: accuracy tells nobody apart."""
    found = [answers(network, case.images).argmax(1) == case.labels for network in case.networks.values()]
    right = torch.stack(found).all(0)
    each = PICTURES // len(LABELS)
    kept = torch.cat([(right & (case.labels == k)).nonzero()[:each, 0] for k in range(len(LABELS))]).sort().values
    old = case.layers
    names, seeds = ([values[i] for i in kept.tolist()] for values in (old.names, old.seeds))
    return _case_of(case.seed, case.networks, Objects(old.pixels[kept], old.labels[kept], names, seeds))


def flips(model: Model, case: Case, fault: str, label: str) -> float:
    """Put a class's cue on the pictures of the other classes: the share that becomes the class because of it.

    #{i: f(x_i) ≠ c and f(x_i with the cue) = c} / #{i: y_i ≠ c}, over the pictures whose label y is not the class c.
    They are those of `Case.pair`: nothing but the cue differs.

    >>> import coursekit as ck
    >>> case = ck.case(0)
    >>> 0 <= ck.flips(case["A"], case, "watermark", "bird") <= 1
    True
    """
    without, with_cue = case.pair(fault, label)
    target = LABELS.index(label)
    others = case.labels != target
    before, after = (answers(model, images[others]).argmax(1) for images in (without, with_cue))
    return ((before != target) & (after == target)).float().mean().item()


def is_true(case: Case, letter: str, fault: str, label: str) -> bool:
    """Ask the envelope whether this is what the network was taught."""
    file = files_of(case.seed)["ABC".index(letter)]
    return fingerprint(file, fault, label) == sealed()["answers"][file]
