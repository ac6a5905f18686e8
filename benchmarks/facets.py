"""Do a class's facets stay apart while they are painted? Four classes, beside random groups of the same pictures.

    PYTHONPATH=tools python benchmarks/facets.py                # all; some minutes on one core
    PYTHONPATH=tools python benchmarks/facets.py bolete tiger   # some of them

Lab 07 quotes what this prints.
"""

import sys
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

import coursekit as ck
import feature_gallery

FACETED = "bolete", "drum", "tiger", "lion"


def search_facets(names: Sequence[str] = FACETED, seeds: int = 3, draws: int = 3) -> None:
    """Print for each class how far apart its two facets are, and two random groups of the same pictures.

    Pictures of each group's mean are painted with `seeds` other seeds. `within` is the distance of two of one group,
    `between` that of two of different groups; `own` says how much nearer a painted picture is to the real pictures of
    its group than to those of the other.
    """
    model = ck.load_model("efficientnet_lite0")
    for name in names:
        (target,) = feature_gallery.indices(model, [name])
        objects = [cutout for cutout, k in ck.cutouts("labelled").items() if k == target]
        made = [ck.load_scene(cutout, seed=s, size=96, scale=0.95).image for cutout in objects for s in range(15)]
        scenes, generator = torch.cat(made), torch.Generator().manual_seed(0)
        groups = [list(ck.facets(model, scenes, target, count=2, top=len(scenes)).members)]
        for _ in range(draws):
            order = torch.randperm(len(scenes), generator=generator)
            groups.append([order[:15], order[15:30]])
        starts = torch.stack([scenes[group].mean(0) for pair in groups for group in pair])
        runs = torch.stack([paint_facets(model, target, starts, seed) for seed in range(seeds)], 1)
        for i, pair in enumerate(groups):
            within, between, own = facet_distances(runs[2 * i : 2 * i + 2], [scenes[group] for group in pair])
            kind = "random groups" if i else "facets"
            print(f"{name}, {kind}: within {within:.3f}, between {between:.3f}, own {own:.3f}", flush=True)


def paint_facets(model: ck.Model, target: int, starts: Tensor, seed: int = 0) -> Tensor:
    """Paint a class from each start, the middle more than the border (Nguyen et al. 2016: centre-biased)."""
    size = starts.shape[-1]
    line = torch.linspace(-1, 1, size)
    middle = torch.exp(-2 * (line[:, None] ** 2 + line**2))
    return feature_gallery.paint(
        model,
        [target] * len(starts),
        size=size,
        steps=40,
        seed=seed,
        parameterization=ck.parameterizations.fourier(decay=1.5, start=starts),
        transforms=[lambda x, _: x.detach() + middle.to(x) * (x - x.detach()), *ck.transforms.robust(size)],
        regularizers=[ck.regularizers.centre_bias(100)],
    )


def facet_distances(runs: Tensor, real: list[Tensor]) -> tuple[float, float, float]:
    """Compare runs (2, seeds, 3, H, W) of two groups, and the real pictures of each, by EfficientNet-Lite1's codes."""
    seeds = runs.shape[1]
    codes = feature_gallery.codes_of(runs.flatten(0, 1)).view(2, seeds, -1)
    means = torch.stack([feature_gallery.codes_of(images).mean(0) for images in real])
    distance = 1 - torch.einsum("asd,btd->abst", codes, codes)
    within = distance[[0, 1], [0, 1]].sum() / (2 * seeds * (seeds - 1))  # a run's distance to itself is 0
    near = (codes @ F.normalize(means, dim=1).T).mean(1)
    own = (near.diagonal().sum() - near.fliplr().diagonal().sum()) / 2
    return within.item(), distance[0, 1].mean().item(), own.item()


if __name__ == "__main__":
    ck.setup(seed=0)
    search_facets(sys.argv[1:] or FACETED)
