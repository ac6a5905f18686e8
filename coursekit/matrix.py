"""A table of small pictures: the maps of many methods on many networks, side by side."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import avg_pool2d

from coursekit.errors import OptionError
from coursekit.evaluation.similarity import magnitude_picture
from coursekit.figures.figure import MAGNITUDE, WIDTH, Picture, styled


@styled
def show_matrix(
    rows: Mapping[str, Mapping[str, Tensor]], *, image: Tensor | None = None, pool: int = 1, alt: str = ""
) -> Picture:
    """Draw each map as a small picture: a row for each outer name, a column for each inner one.

    A tile is the picture that `structural_similarity` compares: the magnitude Σ_c |A_c| of the map, divided by its own
    99th percentile. So shapes can be compared from tile to tile, sizes cannot.

    Parameters
    ----------
    rows : name -> column -> map (1, C, h, w). A column that a row lacks stays empty there.
    image : (1, 3, H, W) in [0, 1], shown at the left of the first row.
    pool : draw the mean magnitude of so many by so many pixels, which calms grain; only in the largest maps.
    alt : what a reader who cannot see the figure should know.

    Raises `OptionError` if there is no map, or one that is not of one image.

    >>> import torch
    >>> show_matrix({"gradient": {"trained": torch.rand(1, 3, 8, 8), "random": torch.rand(1, 3, 8, 8)}})
    <Picture: Maps of gradient, each for trained, random>
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    tiles = [values for row in rows.values() for values in row.values()]
    if not tiles or not all(values.ndim == 4 and len(values) == 1 for values in tiles):
        raise OptionError("show_matrix needs at least one map, and each with the shape (1, C, h, w).")
    height, width = tiles[0].shape[-2:]
    largest = max(values.shape[2] for values in tiles)
    columns = [*(["image"] if image is not None else []), *columns]
    side = (WIDTH - 1.3) / len(columns)  # 1.3 inches for the names of the rows
    figure = Figure(figsize=(WIDTH, len(rows) * side * height / width + 0.3), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for ax, column in zip(line, columns, strict=True):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if image is not None and ax is axes[0, 0]:
                ax.imshow(image[0].detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy())
            elif column in row:
                heat, calm = row[column].detach().cpu().abs().sum(1), pool > 1 and row[column].shape[2] == largest
                heat, smooth = (avg_pool2d(heat, pool), "bilinear") if calm else (heat, "antialiased")
                options = {"cmap": MAGNITUDE, "vmin": 0, "vmax": 1, "interpolation": smooth}
                ax.imshow(magnitude_picture(heat), **options)
        line[0].set_ylabel(name.replace(" ", "\n"), rotation=0, ha="right", va="center")
    for ax, column in zip(axes[0], columns, strict=True):
        ax.set_title(column)
    return Picture(figure, alt or f"Maps of {', '.join(rows)}, each for {', '.join(columns)}")
