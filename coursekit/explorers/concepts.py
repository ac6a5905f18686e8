"""The explorer of concepts: is a TCAV score more than that of random pictures, and which pictures show the concept?"""

from collections.abc import Mapping

import ipywidgets as widgets
from matplotlib.figure import Figure
from torch import Tensor

from coursekit.arguments import check_images
from coursekit.errors import OptionError
from coursekit.explorers.explorer import Explorer
from coursekit.figures.figure import COLOURS, WIDTH, Picture, draw_image, styled
from coursekit.representations.concepts import cav, sort_by_concept
from coursekit.representations.tcav import TcavTest, tcav_test

RUNS, ENDS = 5, 4  # runs of a concept; pictures shown at each end of the order


def explore_concepts(
    gradients: Mapping[str, Mapping[str, Tensor]],
    concepts: Mapping[str, Mapping[str, Tensor]],
    random: Mapping[str, Tensor],
    images: Tensor,
    codes: Mapping[str, Tensor],
) -> Explorer:
    """Choose concept, class, layer and seed: the TCAV score with its random band, and pictures sorted by the concept.

    No network runs: everything follows from what `activations` and `activation_gradients` gave. The p-value is that of
    *one* test; whoever tries many must correct it (`holm`).

    Parameters
    ----------
    gradients : class -> layer -> (N, D).
    concepts, random : name -> layer -> (P, D) and layer -> (Q, D), as in `tcav_test`.
    images : (N, 3, H, W), the pictures to sort, at least 8. codes : layer -> (N, D), their activations.

    Raises
    ------
    ImageError
    OptionError

    Examples
    --------
    >>> import torch
    >>> noise, image = torch.randn(200, 4), torch.rand(8, 3, 16, 16)
    >>> explore_concepts({"hen": {"fc": noise}}, {"red": {"fc": noise[:10]}}, {"fc": noise}, image, {"fc": noise[:8]})
    <Explorer: concept, target, layer, seed>
    """
    check_images(images)
    if not gradients or not all(gradients.values()) or not concepts:
        raise OptionError("There is nothing to explore: give gradients of at least one class and at least one concept.")
    if len(images) < 2 * ENDS or any(len(some) != len(images) for some in codes.values()):
        raise OptionError(f"Give {2 * ENDS} or more images and the codes of each; there are {len(images)} images.")
    layers = list(next(iter(gradients.values())))
    for layer in layers:
        if not all(layer in some for some in (*gradients.values(), *concepts.values(), random, codes)):
            raise OptionError(f"Some activations or gradients at layer {layer!r} are missing; compute them there too.")

    def draw(concept: str, target: str, layer: str, seed: int) -> Picture:
        examples = concepts[concept][layer]
        test = tcav_test(
            {layer: gradients[target][layer]}, {concept: {layer: examples}}, random, runs=RUNS, draws=100, seed=seed
        )
        others = random[layer][test.others[layer, len(examples)][0]]
        order, cosine = sort_by_concept(codes[layer], cav(examples, others, seed=seed).vector)
        return _show(test, target, images[order], cosine)

    return Explorer(
        draw,
        concept=widgets.Dropdown(options=list(concepts), description="concept"),
        target=widgets.Dropdown(options=list(gradients), description="class"),
        layer=widgets.Dropdown(options=layers, value=layers[-1], description="layer"),
        seed=widgets.IntSlider(value=0, min=0, max=9, description="seed", continuous_update=False),
    )


@styled
def _show(test: TcavTest, target: str, images: Tensor, cosine: Tensor) -> Picture:
    """Draw the scores of the random concepts with that of the concept, and the sorted pictures from both ends."""
    (row,), (null,) = test.rows, test.null.values()
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax, *panels = figure.subplot_mosaic(
        [["score"] * ENDS, [f"{i}" for i in range(ENDS)], [f"-{i}" for i in range(ENDS)]], height_ratios=[1.1, 1, 1]
    ).values()
    ax.hist(null.mean(1).tolist(), bins=25, range=(0, 1), color="#999999", label="random concepts")
    ax.axvspan(row.score - row.high, row.score - row.low, color="#999999", alpha=0.2, label="95 % of them")
    ax.axvline(row.score, color=COLOURS[5], label=row.concept)
    ax.set(xlim=(-0.01, 1.01), xlabel="TCAV score", ylabel="random concepts")
    ax.set_title(
        f"{row.concept} for {target} at {row.layer}: {row.score:.2f}, p = {row.p:.2f}; CAV right {row.accuracy:.0%}"
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    places = [*range(ENDS), *range(len(images) - ENDS, len(images))]
    for panel, i in zip(panels, places, strict=True):
        draw_image(panel, images[i])
        panel.set_title(f"{'most' if i < ENDS else 'least'}: {cosine[i]:.2f}", fontsize=10)
    return Picture(
        figure,
        f"TCAV score of {row.concept} for {target} at {row.layer}; pictures from most to least {row.concept}",
    )
