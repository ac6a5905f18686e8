"""The grand tour: a smooth film of projections through the layers of a network."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.arguments import check_count
from coursekit.errors import OptionError


class Tour(NamedTuple):
    """A film: `points` (frames, N, 2), and for each frame the layer that it shows (halfway on, the next one)."""

    points: Tensor
    titles: list[str]


def grand_tour(
    layers: Mapping[str, Tensor], *, frames: int = 30, dims: int = 10, speed: float = 0.03, seed: int = 0
) -> Tour:
    """Turn the codes of some images in space and project them to the plane, while one layer melts into the next.

    Each layer is reduced to its `dims` first principal components, brought to one size, and turned so that each image
    moves as little as possible to the next layer (orthogonal Procrustes). The view is exp(t S) for a random
    skew-symmetric S: it turns all the time and never jumps. Every frame is a plain linear projection, so that
    nothing is torn apart or glued together.

    Parameters
    ----------
    layers : name -> codes (N, D) of the same N images, in the order of the network; D may differ.
    frames : of each layer. It stands for the first half of them and then melts; the last one only stands.
    dims : at least 2; layers with fewer components are filled up with zeros.
    speed : of the fastest rotation, in radians per frame.

    Returns
    -------
    Tour(points, titles). Raises OptionError.

    References
    ----------
    Asimov, *The grand tour: a tool for viewing multidimensional data*, 1985; Li, Zhao, Scheidegger, *Visualizing neural
    networks with the grand tour*, Distill 2020.

    Examples
    --------
    >>> tour = grand_tour({"input": torch.rand(20, 50), "logits": torch.rand(20, 10)}, frames=4)
    >>> tour.points.shape, tour.titles
    (torch.Size([8, 20, 2]), ['input', 'input', 'input', 'logits', 'logits', 'logits', 'logits', 'logits'])
    """
    check_count("frames", frames, 2)
    check_count("dims", dims, 2)
    shapes = {name: tuple(codes.shape) for name, codes in layers.items()}
    if not shapes or any(len(shape) != 2 or shape[0] < 2 for shape in shapes.values()):
        raise OptionError(f"Layers are codes (N, D) of at least two images, but their shapes are {shapes}.")
    if len({count for count, _ in shapes.values()}) > 1:
        raise OptionError(f"All layers must hold codes of the same images, but their shapes are {shapes}.")
    names, clouds = list(layers), _aligned([_components(codes, dims) for codes in layers.values()])
    noise = torch.randn(dims, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    skew = noise - noise.T
    skew *= speed / torch.linalg.matrix_norm(skew, 2)
    points, titles = [], []
    for frame in range(frames * len(clouds)):
        layer, part = divmod(frame, frames)
        following = min(layer + 1, len(clouds) - 1)
        step = max(0.0, 2 * part / frames - 1)
        mixed = 3 * step**2 - 2 * step**3  # starts and ends slowly
        cloud = (1 - mixed) * clouds[layer] + mixed * clouds[following]
        points.append(cloud @ torch.linalg.matrix_exp(frame * skew)[:, :2])
        titles.append(names[layer if mixed < 0.5 else following])
    return Tour(torch.stack(points).float(), titles)


def _components(codes: Tensor, dims: int) -> Tensor:
    """Return the first principal components (N, dims), with a mean squared length of 1."""
    codes = codes.detach().cpu().double()
    left, size, _ = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
    cloud = (left * size)[:, :dims]
    cloud = torch.cat([cloud, cloud.new_zeros(len(cloud), dims - cloud.shape[1])], 1)
    return cloud / cloud.square().sum(1).mean().sqrt().clamp(min=1e-12)


def _aligned(clouds: list[Tensor]) -> list[Tensor]:
    """Turn each cloud, from the last but one to the first, as near as possible to the one after it."""
    turned = clouds[-1:]
    for cloud in reversed(clouds[:-1]):
        left, _, right = torch.linalg.svd(cloud.T @ turned[0])
        turned.insert(0, cloud @ left @ right)
    return turned
