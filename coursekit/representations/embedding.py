"""How a network sees many images at once: codes, nearest neighbours, projections to the plane and onto a grid."""

import logging
import os
import sys
import warnings
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.arguments import check_count, check_shape, check_spread
from coursekit.errors import OptionError
from coursekit.interrupts import importing
from coursekit.networks.model import full_precision

EXACT = 10_000  # up to so many points UMAP gets exact neighbours


@dataclass(frozen=True)
class Neighbours:
    """Nearest first: which items, and how far away; each (N, k)."""

    index: Tensor
    distance: Tensor

    def __repr__(self) -> str:
        return "{1} nearest neighbours of each of {0} items".format(*self.index.shape)


def neighbours(codes: Tensor, k: int, *, metric: str = "l2", groups: Sequence | None = None) -> Neighbours:
    """Find the k nearest neighbours of each code, never the item itself, nor another of its own group.

    Two scenes with the same cut-out are near each other because of the object, so only other objects can tell whether a
    code knows the class: give the scenes' objects as `groups`.

    Parameters
    ----------
    codes : (N, D); images (N, 3, H, W) are taken pixel by pixel.
    k : neighbours, at least 1.
    metric : "l2" (Euclidean distance) or "cosine" (1 − cosine of the angle, 0 to 2).
    groups : the source object of each item, optional.

    Returns
    -------
    Neighbours(index, distance), each (N, k). Raises OptionError, also if an item has fewer than k others.

    Examples
    --------
    >>> codes = torch.tensor([[0.0], [1.0], [3.0]])
    >>> neighbours(codes, 1).index.tolist()
    [[1], [0], [1]]
    >>> neighbours(codes, 1, groups=["zebra", "zebra", "hen"]).index.tolist()
    [[2], [2], [1]]
    """
    points = _check_codes(codes)
    check_count("k", k)
    group = _numbered(range(len(points)) if groups is None else groups, len(points), "groups").to(points.device)
    fewest = len(points) - int(group.bincount().max())
    if k > fewest:
        raise OptionError(f"k is {k}, but some item has only {fewest} others outside its own group; lower k.")
    if metric not in ("l2", "cosine"):
        raise OptionError(f"metric is 'l2' or 'cosine', but got {metric!r}.")
    # Centred codes lose fewer digits in |a − b|² = |a|² + |b|² − 2ab.
    points = points - points.mean(0) if metric == "l2" else nn.functional.normalize(points, dim=1)
    found = []
    for rows, own in zip(points.split(512), group.split(512), strict=True):
        distance = torch.cdist(rows, points) if metric == "l2" else 1 - rows @ points.T
        distance[own[:, None] == group] = torch.inf
        found.append(distance.topk(k, largest=False))
    return Neighbours(torch.cat([f.indices for f in found]), torch.cat([f.values for f in found]))


def precision_at_k(index: Tensor, labels: Sequence | Tensor) -> Tensor:
    """Return for each item the part of its k neighbours that have its label.

    `index` (N, k) is that of `neighbours`; `labels` has N entries of any kind. Returns (N,) in [0, 1]. Chance is the
    part of the other groups' items that have the label; an item without another object of its label can only get 0.

    >>> precision_at_k(torch.tensor([[1, 2], [0, 2], [0, 1]]), ["cat", "cat", "dog"]).tolist()
    [0.5, 0.5, 0.0]
    """
    index = check_shape("index", index, "N", "k", whole=True)
    if not 0 <= int(index.min()) <= int(index.max()) < len(index):
        raise OptionError(f"index must hold numbers of items, from 0 to {len(index) - 1}.")
    label = _numbered(labels, len(index), "labels").to(index.device)
    return (label[index] == label[:, None]).float().mean(1)


def project(codes: Tensor, method: str = "pca", *, dims: int = 2, seed: int = 0, **options: Any) -> Tensor:
    """Lay codes out in the plane so that near ones stay near. A thin wrapper: the libraries' defaults hold.

    Parameters
    ----------
    codes : (N, D); with hundreds of dimensions, t-SNE is faster after `project(codes, "pca", dims=50)`.
    method : "pca" (keeps the most variance; Pearson 1901), "laplacian" (eigenmaps of the neighbour graph; Belkin &
        Niyogi 2003), "tsne" (van der Maaten & Hinton 2008), "umap" (McInnes et al. 2018), "pacmap" (Wang et al. 2021).
    dims : dimensions of the result.
    seed : the same seed gives the same picture.
    options : passed on to scikit-learn's PCA, SpectralEmbedding and TSNE, umap.UMAP or pacmap.PaCMAP, such as
        `perplexity` for t-SNE and `n_neighbors` for the others.

    Returns
    -------
    Tensor (N, dims), float32, on the CPU. Units mean nothing but for PCA. Raises OptionError.

    Examples
    --------
    >>> project(torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), dims=1).abs().T.round(decimals=3)
    tensor([[1.4140, 0.0000, 1.4140]])
    """
    points = _check_codes(codes).cpu().numpy()
    check_count("dims", dims)
    if method not in _PROJECTIONS:
        raise OptionError(f"method is one of {', '.join(_PROJECTIONS)}, but got {method!r}.")
    check_spread(torch.from_numpy(points))
    if method in ("laplacian", "umap") and len(points) < dims + 2:
        raise OptionError(f"{method} lays out {dims + 2} codes or more in {dims} dimensions, not {len(points)}.")
    given = options
    if method == "umap" and len(points) <= EXACT and not {"metric", "precomputed_knn"} & set(options):
        options = {"precomputed_knn": _umap_neighbours(codes, options.get("n_neighbors", 15)), **options}
    try:
        with _numba_like_torch() if method in ("umap", "pacmap") else nullcontext():
            projection = _PROJECTIONS[method](dims, seed, options)
            return torch.from_numpy(np.array(projection.fit_transform(points), dtype=np.float32))
    except (TypeError, ValueError) as error:
        raise OptionError(f"{method} cannot project {len(points)} codes with {given}: {error}") from error


def _pca(dims: int, seed: int, options: dict) -> Any:
    with importing():
        from sklearn.decomposition import PCA

    return PCA(dims, random_state=seed, **options)


def _laplacian(dims: int, seed: int, options: dict) -> Any:
    with importing():
        from sklearn.manifold import SpectralEmbedding

    return SpectralEmbedding(dims, random_state=seed, **options)


def _tsne(dims: int, seed: int, options: dict) -> Any:
    with importing():
        from sklearn.manifold import TSNE

    return TSNE(dims, random_state=seed, **options)


def _umap(dims: int, seed: int, options: dict) -> Any:
    with importing():
        from umap import UMAP

    warnings.filterwarnings("ignore", "(?s).*knn_search_index", UserWarning)  # only `transform` would need it
    return UMAP(n_components=dims, random_state=seed, n_jobs=1, **options)  # more jobs would give up the seed


def _umap_neighbours(codes: Tensor, count: int) -> tuple[np.ndarray, np.ndarray] | tuple[None, None, None]:
    """Find the exact nearest neighbours for UMAP, which counts each point as its own first one.

    UMAP's own search is approximate and made for large sets; numba compiles it for up to half a minute.
    """
    if not isinstance(count, int) or not 2 <= count <= len(codes):
        return None, None, None  # UMAP itself says what is wrong
    near, own = neighbours(codes, count - 1), torch.arange(len(codes))[:, None]
    index = torch.cat([own, near.index.cpu()], 1).numpy()
    return index, torch.cat([torch.zeros(own.shape), near.distance.cpu()], 1).numpy()


def _pacmap(dims: int, seed: int, options: dict) -> Any:
    if sys.platform == "darwin":  # faiss, which pacmap uses, aborts there beside torch's own copy of OpenMP
        os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
    with importing():
        from pacmap import PaCMAP

    logging.getLogger("pacmap.pacmap").setLevel(logging.ERROR)  # it warns that the seed is set
    return PaCMAP(n_components=dims, random_state=seed, **options)


@contextmanager
def _numba_like_torch() -> Iterator[None]:
    """Give numba as many threads as torch has, and let torch keep them.

    Numba counts the cores by itself and ignores OMP_NUM_THREADS; where other processes are busy, its threads then wait
    for each other (pacmap: 20 s instead of 0.05 s). When it starts, it also changes torch's number.
    """
    threads = torch.get_num_threads()
    with importing():
        import numba

    before = numba.get_num_threads()
    try:
        numba.set_num_threads(min(before, threads))
        torch.set_num_threads(threads)
        yield
    finally:
        numba.set_num_threads(before)
        torch.set_num_threads(threads)


_PROJECTIONS = {"pca": _pca, "laplacian": _laplacian, "tsne": _tsne, "umap": _umap, "pacmap": _pacmap}


def trustworthiness(codes: Tensor, points: Tensor, *, k: int = 5) -> float:
    """Measure how far neighbours in the plane are neighbours among the codes: 1 is perfect, about ½ is chance.

    It punishes points that became one of the k nearest without being near (Venna & Kaski 2001). k is below N / 2.

    >>> codes = torch.arange(10.0)[:, None] ** 2
    >>> trustworthiness(codes, 2 * codes, k=3)
    1.0
    """
    with importing():
        from sklearn import manifold

    check_count("k", k)
    if len(codes) != len(points) or 2 * k >= len(codes):
        raise OptionError(f"Give as many points as codes, over 2 k, but got {len(points)}, {len(codes)} and k = {k}.")
    high, low = (_check_codes(values).cpu().numpy() for values in (codes, points))
    return float(manifold.trustworthiness(high, low, n_neighbors=k))


def grid_layout(points: Tensor, rows: int, cols: int) -> Tensor:
    """Give each point a cell of a regular grid of its own, all together moved as little as possible.

    The sum of squared distances from the points, scaled to the unit square, to the centres of their cells is least
    (a linear assignment). Row 0 is at the top, where the second coordinate is largest, as in a plot.

    Parameters
    ----------
    points : (N, 2), N at most rows · cols.

    Returns
    -------
    Tensor (N, 2) of whole numbers: row and column of each point. Raises OptionError.

    Examples
    --------
    >>> grid_layout(torch.tensor([[0.0, 0.0], [0.1, 0.2], [5.0, 5.0]]), 1, 3).tolist()
    [[0, 0], [0, 1], [0, 2]]
    """
    with importing():
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import cdist

    points = _check_codes(points).double().cpu()
    if points.shape[1] != 2 or len(points) > rows * cols:
        raise OptionError(
            f"Points must be (N, 2), with N at most the {rows} x {cols} cells, but are {tuple(points.shape)}."
        )
    span = (points.amax(0) - points.amin(0)).clamp(min=1e-12)
    x, y = ((points - points.amin(0)) / span).T
    cells = torch.cartesian_prod(torch.arange(rows), torch.arange(cols))
    centres = (cells + 0.5) / torch.tensor([rows, cols])
    _, cell = linear_sum_assignment(cdist(torch.stack([1 - y, x], 1), centres, "sqeuclidean"))
    return cells[torch.from_numpy(cell)]


def _check_codes(codes: Tensor) -> Tensor:
    """Return the codes as (N, D), or raise OptionError."""
    if codes.ndim < 2 or not codes.is_floating_point():
        raise OptionError(f"Codes are a floating-point tensor (N, D), but got {tuple(codes.shape)} {codes.dtype}.")
    return full_precision(codes.detach().flatten(1))


def _numbered(names: Sequence | Tensor, count: int, what: str) -> Tensor:
    """Give equal names (of any kind) equal numbers: (N,)."""
    names = names.tolist() if isinstance(names, Tensor | np.ndarray) else list(names)
    if len(names) != count:
        raise OptionError(f"Give one entry of {what} for each of the {count} items, but got {len(names)}.")
    if not all(isinstance(name, Hashable) for name in names):
        raise OptionError(
            f"{what} must be names or numbers, so that equal ones can be found, but one is a list or dict."
        )
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names])
