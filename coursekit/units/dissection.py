"""What does a channel look for? Names for channels, by their overlap with concepts whose masks we own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_maps
from coursekit.errors import ImageError, OptionError
from coursekit.images import stimuli
from coursekit.images.concepts import HUES, PATTERNS
from coursekit.images.loading import load_image
from coursekit.images.scenes import PHOTOGRAPHIC, cutouts, load_scene
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, activations

GRID = 28  # regions and masks are compared on so many rows and columns
MINIMUM = 0.04  # the least overlap that gives a name (Bau et al. 2017)

# The groups of cut-outs that are concepts; the other cut-outs are not used here.
OBJECTS = {
    "hoofed animal": (
        "zebra bison ox zebu ram dromedary bactrian_camel horse blackbuck giraffe donkey cow goat sheep doe wapiti"
    ),
    "beast of prey": "tiger tiger_walking lion lion_standing brown_bear bear polecat otter badger fox dingo husky",
    "bird": (
        "flamingo king_penguin peacock hen cock drake goose toucan vulture ostrich pelican lorikeet magpie "
        "crowned_crane heron lark owl gull pigeon turkey guineafowl"
    ),
    "fruit or vegetable": "strawberry broccoli lemon orange custard_apple maize pineapple cherry avocado kiwi",
    "flower": "daisy rose anemone petunia gazania daffodil hibiscus",
    "instrument": (
        "acoustic_guitar electric_guitar electric_guitar_red electric_bass violin cello cornet drum drum_kit"
    ),
    "vehicle": "tank warplane sports_car pickup fire_engine airliner garbage_truck minibus racer tricycle",
}
COLOURS = (*HUES, "black", "white")  # what has no hue is told apart by its brightness
TEXTURES = ("striped", "dotted", "checked", "zigzag")  # those of PATTERNS that are concepts here


@dataclass(frozen=True)
class Concepts:
    """Images in which we know where each concept is: images (N, 3, H, W), masks (N, C, h, w) bool, names and kinds (C).

    `objects` names the cut-outs in them. Count by object: forty scenes of one zebra are one zebra.
    """

    images: Tensor
    masks: Tensor
    names: Sequence[str]
    kinds: Sequence[str]
    objects: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"{len(self)} images with masks of {len(self.names)} concepts, {len(set(self.objects))} distinct objects"

    def labelled(self) -> Tensor:
        """Return (N, C) bool: the images that count for a concept, those that show any concept of its kind."""
        shown = self.masks.flatten(2).any(2)
        kinds = np.array(self.kinds)
        return torch.stack([shown[:, torch.from_numpy(kinds == kind)].any(1) for kind in kinds], 1)


@dataclass(frozen=True)
class Dissection:
    """How well each channel of a layer agrees with each concept; made by `dissect`.

    Attributes
    ----------
    iou : (K, C) in [0, 1], the overlap of channel k with concept c
    chance : the best overlap of a channel when each image gets the masks of another one; 5 % of channels exceed it
    thresholds : (K,), above which a channel counts as active

    >>> found = Dissection("relu2", ["striped", "bird"], torch.tensor([[0.01, 0.2], [0.03, 0.0]]), 0.1, torch.zeros(2))
    >>> found.name(0), found.name(1), found.names()
    ('bird', None, {0: 'bird'})
    """

    layer: str
    concepts: Sequence[str]
    iou: Tensor
    chance: float
    thresholds: Tensor

    def name(self, channel: int, minimum: float | None = None) -> str | None:
        """Return the concept with the largest overlap; None where that is below `minimum`.

        Without a minimum it is 0.04, as in the paper, or chance, if that is more.
        """
        best, place = self.iou[channel].max(0)
        least = max(MINIMUM, self.chance) if minimum is None else minimum
        return self.concepts[int(place)] if best >= least else None

    def names(self, minimum: float | None = None) -> dict[int, str]:
        """Return the channels that have a name, the surest first."""
        order = self.iou.amax(1).argsort(descending=True, stable=True).tolist()
        return {channel: name for channel in order if (name := self.name(channel, minimum))}

    def detectors(self, concept: str, k: int = 5) -> list[int]:
        """Return the k channels that agree best with a concept."""
        if concept not in self.concepts:
            raise OptionError(f"No concept is called {concept!r}; there are {', '.join(self.concepts)}.")
        return self.iou[:, list(self.concepts).index(concept)].topk(min(k, len(self.iou))).indices.tolist()

    def __repr__(self) -> str:
        return (
            f"Dissection of {self.layer}: {len(self.names())} of {len(self.iou)} channels have a name "
            f"(overlap above {max(MINIMUM, self.chance):.2f})"
        )


def dissect(
    model: Model,
    concepts: Concepts,
    layer: str,
    *,
    share: float = 0.02,
    through: Callable[[Tensor], Tensor] = lambda maps: maps,
) -> Dissection:
    """Name channels: cut each channel's maps at a high threshold, and measure the overlap with each concept's masks.

    IoU(k, c) = Σ_x |M_k(x) ∩ L_c(x)| / Σ_x |M_k(x) ∪ L_c(x)|,   M_k = {A_k > T_k},   P(A_k > T_k) = share.

    The sums go over the images that show any concept of the kind of c, for only there its absence is known. Maps are
    enlarged (bilinear) to the masks' grid before they are cut.

    Parameters
    ----------
    model : Model
    concepts : from `concept_scenes`, or your own `Concepts`.
    layer : name of a layer with maps (N, K, h, w).
    share : part of all positions that lie above a channel's threshold. The paper takes 0.005 for its 1197 small
        concepts; few and large concepts need more.
    through : what the maps pass first, (N, K, h, w) -> (N, L, h, w), such as a rotation of the channels or the `encode`
        of a `sparse_dictionary`; the L features are then named as channels are.

    Returns
    -------
    Dissection

    Raises
    ------
    ImageError, UnknownLayer, OptionError

    References
    ----------
    Bau, Zhou, Khosla, Oliva, Torralba, *Network dissection: quantifying interpretability of deep visual
    representations*, CVPR 2017, sec. 2.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, concepts = ck.load_model("efficientnet_lite0"), ck.concept_scenes(8)
    >>> ck.dissect(model, concepts, "relu2").iou.shape
    torch.Size([1280, 19])
    """
    _check(concepts, share)
    maps = activations(model, concepts.images, [layer], reduce=lambda a: through(check_maps(a, layer)))[layer]
    maps = maps.float().cpu()
    thresholds = _thresholds(maps, share)
    iou = _overlap(maps, thresholds, concepts.masks, concepts.labelled())
    # Masks of another image of the same kind: what overlap does it take to be more than an accident?
    others = _overlap(maps, thresholds, _exchanged(concepts), concepts.labelled())
    chance = float(others.amax(1).quantile(0.95))
    return Dissection(layer, list(concepts.names), iou, chance, thresholds)


def concept_scenes(n: int = 160, *, objects: Iterable[str] | None = None, seed: int = 0, size: int = 224) -> Concepts:
    """Compose pictures of known colours, textures and groups of objects, with the mask of each concept.

    Half of them show one cut-out each, the groups of `OBJECTS` in turn; the rest show in turn a patch of a strong
    colour and one of a pattern. Colours are read off the pixels by a rule, and so are labelled in every picture.

    objects : names of cut-outs, such as one half of them, to test on the other half; None takes all of the groups.

    >>> concept_scenes(8)
    8 images with masks of 19 concepts, 4 distinct objects
    """
    check_count("n", n, least=4)
    groups = _groups(objects)
    random = np.random.default_rng(seed)
    names = [*COLOURS, *TEXTURES, *OBJECTS]
    kinds = ["colour"] * len(COLOURS) + ["texture"] * len(TEXTURES) + ["object"] * len(OBJECTS)
    images, masks, used = [], torch.zeros(n, len(names), GRID, GRID, dtype=torch.bool), []
    for i in range(n):
        if i % 2 == 0:
            concept = list(groups)[i // 2 % len(groups)]
            members = groups[concept]
            if i // 2 // len(groups) % len(members) == 0:
                random.shuffle(members)  # each member once before any comes again
            name = members[i // 2 // len(groups) % len(members)]
            scene = load_scene(name, seed=int(random.integers(2**32)), size=size)
            image, mask = scene.image, scene.masks[name]
            used.append(name)
        else:
            image, concept, mask = _patch(size, random, coloured=i % 4 == 1)
        images.append(image)
        if concept in names:
            masks[i, names.index(concept)] = _on_grid(mask[None, None].float())[0, 0]
        masks[i, : len(COLOURS)] = _on_grid(colour_masks(image).float())[0]
    return Concepts(torch.cat(images), masks, names, kinds, used)


def colour_masks(images: Tensor) -> Tensor:
    """Say for each pixel which colour it has, by rule: (N, C, H, W) bool in the order of COLOURS; grey has none.

    >>> red = torch.tensor([0.9, 0.1, 0.1]).view(1, 3, 1, 1)
    >>> COLOURS[colour_masks(red).flatten().int().argmax()]
    'red'
    """
    check_images(images)
    high, low = images.amax(1), images.amin(1)
    red, green, blue = images.unbind(1)
    spread = (high - low).clamp(min=1e-6)
    hue = torch.where(
        high == red,
        (green - blue) / spread % 6,
        torch.where(high == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    hue = 60 * hue
    strong = (high > 0.25) & ((high - low) > 0.35 * high)
    found = [_between(hue, start, end) & strong for _, start, end in HUES.values()]
    return torch.stack([*found, high < 0.12, low > 0.88], 1)


def _between(hue: Tensor, start: float, end: float) -> Tensor:
    return (hue >= start) & (hue < end) if start < end else (hue >= start) | (hue < end)


def _groups(objects: Iterable[str] | None) -> dict[str, list[str]]:
    """Return the groups of cut-outs, limited to `objects`; those without any are left out."""
    chosen = None if objects is None else set(objects)
    if chosen is not None and (unknown := sorted(chosen - set(cutouts()))):
        raise ImageError(f"No cut-out is called {unknown[0]!r}; see ck.cutouts().")
    members = {group: [n for n in text.split() if chosen is None or n in chosen] for group, text in OBJECTS.items()}
    if not any(members.values()):
        raise OptionError(f"None of the objects belongs to a group that is a concept: {', '.join(OBJECTS)}.")
    return {group: names for group, names in members.items() if names}


def _patch(size: int, random: np.random.Generator, coloured: bool) -> tuple[Tensor, str, Tensor]:
    """Lay a patch of a strong colour or of a pattern on a background without object; a colour has no name of its own.

    The colour masks find it by the same rule as every other pixel.
    """
    background = _background(size, random)
    kind = ("circle", "square", "triangle", "star")[random.integers(4)]
    place = tuple(random.uniform(0.3, 0.7, 2).tolist())
    radius, angle = random.uniform(0.25, 0.45), random.uniform(0, 360)
    part = stimuli.shape(kind, radius=radius, angle=angle, position=place, size=size)[1]
    if coloured:
        paint, concept = _strong_colour(random).view(1, 3, 1, 1), ""
    else:
        concept = TEXTURES[random.integers(len(TEXTURES))]
        ink = PATTERNS[concept](size, random.uniform(size / 16, size / 6), random.uniform(0, 180))[:, :1]
        dark = torch.tensor(random.uniform(0, 0.35, 3), dtype=torch.float32).view(1, 3, 1, 1)
        light = torch.tensor(random.uniform(0.65, 1, 3), dtype=torch.float32).view(1, 3, 1, 1)
        paint = dark + (light - dark) * ink
    return background * (1 - part) + paint * part, concept, part[0, 0] > 0.5


def _background(size: int, random: np.random.Generator) -> Tensor:
    """Draw a background without object: a photograph, noise or a plain colour."""
    choice = random.integers(3)
    if choice == 0:
        return load_image(str(random.choice(PHOTOGRAPHIC)), size)
    if choice == 1:
        return stimuli.texture("noise", size, seed=int(random.integers(2**32)))
    return stimuli.some_colour(random).view(1, 3, 1, 1).expand(1, 3, size, size)


def _strong_colour(random: np.random.Generator) -> Tensor:
    """Draw a colour of any hue, or black, or white; (3,)."""
    if random.random() < 0.2:
        return torch.full((3,), float(random.choice([0.05, 0.95])))
    hue = random.uniform(0, 6)
    wheel = [abs(hue - 3) - 1, 2 - abs(hue - 2), 2 - abs(hue - 4)]  # red, green, blue around the colour circle
    pure = torch.tensor(wheel, dtype=torch.float32).clamp(0, 1)
    saturation, brightness = random.uniform(0.6, 1), random.uniform(0.5, 1)
    return brightness * (1 - saturation * (1 - pure))


def _on_grid(masks: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(masks, GRID) > 0.5


def _thresholds(maps: Tensor, share: float) -> Tensor:
    """Return for each channel (K,) the value that the part `share` of all its positions exceeds."""
    count = max(1, round(share * maps[:, 0].numel()))
    by_channel = maps.transpose(0, 1)
    return torch.cat([part.flatten(1).topk(count + 1).values[:, -1] for part in by_channel.split(64)])


def _overlap(maps: Tensor, thresholds: Tensor, masks: Tensor, labelled: Tensor) -> Tensor:
    """Return IoU (K, C) of the regions above the thresholds and the masks, over the images that are labelled."""
    both = torch.zeros(maps.shape[1], masks.shape[1], dtype=torch.float64)
    either = both.clone()
    for rows in torch.arange(len(maps)).split(BATCH):
        enlarged = F.interpolate(maps[rows], masks.shape[2:], mode="bilinear", align_corners=False)
        regions = (enlarged > thresholds.view(-1, 1, 1)).flatten(2).float()
        truth, counts = masks[rows].flatten(2).to(regions), labelled[rows, None].to(regions)
        # Ones and zeros: their products count the positions in both. |M ∪ L| = |M| + |L| − |M ∩ L|.
        inside = regions @ truth.transpose(1, 2) * counts
        sizes = (regions.sum(2)[:, :, None] + truth.sum(2)[:, None]) * counts
        both += inside.sum(0)
        either += (sizes - inside).sum(0)
    return (both / either.clamp(min=1)).float()


def _exchanged(concepts: Concepts) -> Tensor:
    """Return the masks with those of each kind passed on, half around, among the images that show that kind."""
    masks, labelled = concepts.masks.clone(), concepts.labelled()
    for c in range(len(concepts.names)):
        shown = labelled[:, c].nonzero()[:, 0]
        masks[shown, c] = concepts.masks[shown.roll(len(shown) // 2 + 1), c]
    return masks


def _check(concepts: Concepts, share: float) -> None:
    check_images(concepts.images)
    masks, expected = concepts.masks, (len(concepts.images), len(concepts.names))
    if masks.dtype != torch.bool or masks.ndim != 4 or tuple(masks.shape[:2]) != expected:
        raise OptionError(
            f"Give a mask of each concept for each image, {expected} × (h, w) bool, but got {tuple(masks.shape)} "
            f"{masks.dtype}."
        )
    if len(concepts.kinds) != len(concepts.names):
        raise OptionError(f"Give one kind for each of the {len(concepts.names)} names, not {len(concepts.kinds)}.")
    if not (isinstance(share, float) and 0 < share < 0.5):
        raise OptionError(f"share is a part of all positions between 0 and 0.5, but is {share!r}.")
