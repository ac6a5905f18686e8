"""Lab 11, style transfer: tables of pictures, stored plates, and pictures whose cues conflict."""

from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from coursekit.arguments import check_count, check_one
from coursekit.errors import OptionError
from coursekit.explorers.synthesis import feature_gallery
from coursekit.figures.figure import WIDTH, Picture, aspect_of, bare, draw_image, styled
from coursekit.images.loading import load_image
from coursekit.images.scenes import Scene, load_scene


@styled
def show_picture_table(
    rows: Mapping[str, Sequence[Tensor]], columns: Sequence[str], *, xlabel: str = "", alt: str | None = None
) -> Picture:
    """Draw pictures in rows and columns, with the name of each row at its left and of each column above it.

    Parameters
    ----------
    rows : name -> pictures (1, 3, h, w) or (3, h, w) in [0, 1], one for each column.
    columns : their names; `\\n` breaks a line.
    xlabel : one line below all columns, such as "more content →".
    alt : what is seen, for those who cannot see it; a lab's own figures have theirs in data/alt/.

    Raises `OptionError` for a row with another number of pictures.

    >>> import torch
    >>> show_picture_table({"grey": [torch.full((1, 3, 32, 32), 0.5)] * 2}, ["left", "right"])
    <Picture ... × ...>
    """
    if not rows or not columns or any(len(row) != len(columns) for row in rows.values()):
        raise OptionError(f"Each row needs {len(columns)} pictures, one for each column, and there must be a row.")
    tiles = [[check_one("A picture", p if p.ndim == 4 else p[None])[0] for p in row] for row in rows.values()]
    left = 0.25 + 0.085 * max(len(line) for name in rows for line in name.split("\n"))  # inches
    side = min(2.6, (WIDTH - left) / len(columns))
    above = 0.2 + 0.2 * max(name.count("\n") + 1 for name in columns) + 0.3 * bool(xlabel)
    size = left + side * len(columns), above + side * sum(aspect_of(line[0]) for line in tiles)
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    figure = Figure(figsize=size, layout=layout)
    heights = [aspect_of(line[0]) for line in tiles]
    axes = figure.subplots(len(rows), len(columns), squeeze=False, height_ratios=heights)
    for line, name, pictures in zip(axes, rows, tiles, strict=True):
        for ax, picture in zip(line, pictures, strict=True):
            draw_image(ax, picture)
            bare(ax)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name)
    if xlabel:
        figure.supxlabel(xlabel, fontsize=12)
    return Picture(figure, alt)


def style_tiles(name: str, side: int) -> list[list[Tensor]]:
    """Cut a stored plate of lab 11 into its square tiles of `side` pixels: rows of pictures (1, 3, side, side).

    name : "ladder", "grid", "starts" or "conflicts"; `make gallery` paints them, in minutes.

    Raises `DataUnavailable` for a plate that is not there, `OptionError` for a side that does not divide it.

    >>> len(style_tiles("grid", 112)), style_tiles("grid", 112)[0][0].shape
    (4, torch.Size([1, 3, 112, 112]))
    """
    check_count("side", side, 32)
    sheet = load_image(feature_gallery(f"style_{name}"))
    height, width = sheet.shape[2:]
    if height % side or width % side:
        raise OptionError(f"The plate {name!r} has {height} × {width} pixels: tiles of {side} do not fill it.")
    return [list(row.split(side, 3)) for row in sheet.split(side, 2)]


# Chosen by rule and in a random order (tools/style_gallery.py, `objects`).
# The shape of each takes the texture of the next.
CONFLICTS = tuple(
    """
    warplane tank balloon bison mailbox lemon polecat flamingo hen teddy tiger camera sea_lion wild_boar
    soccer_ball drum_kit isopod vulture daisy hippopotamus lorikeet pig_golden strawberry king_penguin cock violin
    yawl brown_bear otter rugby_ball custard_apple ram koala bin crowned_crane wombat dromedary basketball
    bolete_violet binoculars tennis_ball gorilla broccoli zebra ostrich acoustic_guitar toilet dingo drake hare
    squirrel
    """.split()  # noqa: SIM905
)
SCALE, CROP = 0.9, 72  # an object's size in its picture; of 224 pixels, the part that is its texture


def cue_conflicts() -> list[tuple[str, str]]:
    """List the pairs of lab 11's pictures with conflicting cues: whose shape, and whose texture.

    Each object gives its shape once and its texture once (a ring), so the pictures have different shapes and textures.

    >>> pairs = cue_conflicts()
    >>> pairs[0][1] == pairs[1][0]
    True
    """
    return list(zip(CONFLICTS, CONFLICTS[1:] + CONFLICTS[:1], strict=True))


def shape_scene(name: str, size: int = 112) -> Scene:
    """Compose the object of a cue conflict on grey; its `masks` hold the shape alone.

    >>> shape_scene("zebra").image.shape
    torch.Size([1, 3, 112, 112])
    """
    return load_scene(name, background="grey", seed=0, size=size, scale=SCALE)


def object_texture(name: str, size: int = 112) -> Tensor:
    """Cut the texture of an object out of its inside: the square that the object fills best, (1, 3, size, size).

    >>> object_texture("zebra").shape
    torch.Size([1, 3, 112, 112])
    """
    check_count("size", size, 32)
    scene = load_scene(name, background="grey", seed=0, size=224, scale=0.95)
    filled = F.avg_pool2d(scene.masks[name].float()[None, None], CROP, 1)[0, 0]
    best = (filled > filled.max() - 1e-6).nonzero()
    top, left = best[len(best) // 2].tolist()
    crop = scene.image[..., top : top + CROP, left : left + CROP]
    return F.interpolate(crop, (size, size), mode="bicubic").clamp(0, 1)
