"""A unit that likes several things: one start for each of its facets, so that each can be painted on its own."""

from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_spread
from coursekit.errors import OptionError
from coursekit.interrupts import importing
from coursekit.networks.model import Model
from coursekit.probe.capture import REDUCTIONS, run
from coursekit.synthesis.objectives import Wish, as_objective


@dataclass(frozen=True)
class Facets:
    """The facets of a unit, the one with most images first; made by `facets`.

    Attributes
    ----------
    starts : (k, 3, H, W) in [0, 1], the mean of the images next to each centre: where to start `ck.render` from
    members : for each facet the numbers of those images, nearest first
    values : (N,), the unit's answer to every image
    top : (top,), the numbers of the images that excite it most, best first
    points : (top, 2), where t-SNE puts them
    cluster : (top,), the facet that each belongs to
    """

    starts: Tensor
    members: list[Tensor]
    values: Tensor
    top: Tensor
    points: Tensor
    cluster: Tensor

    def __repr__(self) -> str:
        sizes = ", ".join(str(int((self.cluster == i).sum())) for i in range(len(self.starts)))
        return f"Facets({len(self.starts)} facets of {len(self.top)} images: {sizes})"


def facets(
    model: Model,
    images: Tensor,
    target: Wish,
    *,
    count: int = 4,
    top: int = 60,
    nearest: int = 15,
    layer: str = "",
    seed: int = 0,
) -> Facets:
    """Sort the images that a unit likes most into groups, and average each group.

    The codes of the top images are projected (PCA to at most 50 dimensions, t-SNE to 2), k-means finds the groups, and
    the `nearest` images of each centre are averaged. Rendering from this mean paints this facet.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1]
    target : a class index, a `ck.unit` or one of `ck.objectives`
    count : number of facets
    top : how many of the images to use, those with the largest answer
    nearest : how many images to average; fewer where a group is smaller
    layer : whose code compares images, by default the last layer before the classifier

    Returns
    -------
    Facets(starts, members, values, top, points, cluster)

    Raises
    ------
    ImageError, TargetError, UnknownLayer, OptionError

    References
    ----------
    Nguyen, Yosinski, Clune, *Multifaceted feature visualization*, ICML Visualization Workshop 2016, sec. 2: 10 facets
    of the 1300 training images of a class, the mean of 15.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, scenes = ck.load_model("coursenet"), ck.scenes(12, objects=["zebra", "hen"], size=128)
    >>> facets(model, scenes.images, ck.unit("relu5", 3), count=2, top=12, nearest=4).starts.shape
    torch.Size([2, 3, 128, 128])
    """
    check_images(images)
    for name, value in (("count", count), ("top", top), ("nearest", nearest)):
        check_count(name, value)
    if not count < top <= len(images):
        raise OptionError(
            f"top must be above count and at most the number of images, but top is {top}, count {count}, and there are "
            f"{len(images)} images."
        )
    layer = layer or list(model.layers)[-2]
    values, codes = _look(model, images, target, layer)
    best = values.argsort(descending=True, stable=True)[:top]
    points, cluster, centres = _group(codes[best], count, seed)
    members = []
    for i in cluster.bincount(minlength=count).argsort(descending=True, stable=True).tolist():
        mine = (cluster == i).nonzero()[:, 0]
        order = (points[mine] - centres[i]).norm(dim=1).argsort(stable=True)[:nearest]
        members.append((i, best[mine[order]]))
    starts = torch.stack([images[chosen].mean(0) for _, chosen in members])
    rank = torch.tensor([i for i, _ in members]).argsort()
    return Facets(starts, [chosen for _, chosen in members], values, best, points, rank[cluster])


def _look(model: Model, images: Tensor, target: Wish, layer: str) -> tuple[Tensor, Tensor]:
    """Return the target's answer to each image, (N,), and the code of each image, (N, D)."""
    objective = as_objective(target)
    if objective.count:
        raise OptionError("Facets are those of one unit: give one index, not a list.")

    def keep(logits: Tensor, acts: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return objective.read(acts, logits).cpu(), REDUCTIONS["mean"](acts[layer]).cpu()

    values, codes = zip(*run(model, images, sorted({layer, *objective.layers}), keep), strict=True)
    return torch.cat(values), torch.cat(codes)


def _group(codes: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Project codes (n, D) to the plane and split them: points (n, 2), the group of each (n,), centres (count, 2)."""
    with importing():
        from sklearn.cluster import KMeans
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE

    check_spread(codes)
    few = PCA(min(50, *codes.shape), random_state=seed).fit_transform(codes.numpy())
    points = TSNE(perplexity=min(30.0, len(codes) / 4), init="pca", random_state=seed).fit_transform(few)
    groups = KMeans(count, n_init=10, random_state=seed).fit(points)
    return (
        torch.from_numpy(points),
        torch.from_numpy(groups.labels_).long(),
        torch.from_numpy(groups.cluster_centers_).float(),
    )
