"""Semantic dictionaries: the channels that see something at each place, drawn by their pictures, and groups of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images, check_shape
from coursekit.errors import OptionError
from coursekit.interrupts import importing


@dataclass(frozen=True)
class Groups:
    """Groups of channels that are active together; made by `neuron_groups`.

    directions : (G, K), at least 0, each of length 1: how much of each channel belongs to the group
    maps : (N, G, h, w), at least 0: where, and how strongly
    explained : part of the squared activations that the groups explain, in [0, 1]
    """

    directions: Tensor
    maps: Tensor
    explained: float

    def __repr__(self) -> str:
        count, channels = self.directions.shape
        return f"{count} groups of {channels} channels, which explain {self.explained:.0%} of the activation"


def neuron_groups(maps: Tensor, count: int = 6, *, seed: int = 0) -> Groups:
    """Split activations into a few groups of channels by non-negative matrix factorisation: A ≈ M D, all at least 0.

    Every position is a row of A (N·h·w, K). Negative activations count as 0. The strongest group comes first.

    Parameters
    ----------
    maps : (N, K, h, w). count : G, at most K and at most the number of positions.

    References
    ----------
    Olah et al., *The building blocks of interpretability*, Distill 2018, "What does the network see"; Lee & Seung,
    *Learning the parts of objects by non-negative matrix factorization*, Nature 1999.

    Examples
    --------
    >>> two = torch.zeros(1, 4, 2, 2)
    >>> two[0, :2, 0], two[0, 2:, 1] = 1.0, 2.0
    >>> neuron_groups(two, 2)
    2 groups of 4 channels, which explain 100% of the activation
    """
    with importing():
        from sklearn.decomposition import NMF

    check_count("count", count)
    maps = check_shape("maps", maps, "N", "K", "h", "w")
    if count > min(maps.shape[1], maps[:, 0].numel()):
        raise OptionError(f"Give maps with at least {count} channels and positions, not {tuple(maps.shape)}.")
    n, channels, height, width = maps.shape
    rows = maps.detach().cpu().clamp(min=0).permute(0, 2, 3, 1).reshape(-1, channels).numpy()
    split = NMF(count, init="nndsvda", random_state=seed, max_iter=500, tol=1e-3)
    places = torch.from_numpy(split.fit_transform(rows)).float()
    directions = torch.from_numpy(split.components_).float()
    length = directions.norm(dim=1).clamp(min=1e-9)
    order = (places * length).sum(0).argsort(descending=True, stable=True)
    error = (torch.from_numpy(rows) - places @ directions).pow(2).sum() / max(float((rows**2).sum()), 1e-12)
    groups = (places * length)[:, order].view(n, height, width, count).permute(0, 3, 1, 2)
    return Groups((directions / length[:, None])[order], groups, float(1 - error))


def activation_grid(maps: Tensor, pictures: Mapping[int, Tensor]) -> Tensor:
    """Draw at each position the picture of its strongest channel, the fainter the weaker it is; white is 0.

    Parameters
    ----------
    maps : (K, h, w), the activations of one image.
    pictures : channel -> (3, s, s); a channel without a picture is passed over for the next strongest.

    Returns
    -------
    Tensor (1, 3, h·s, w·s)

    Examples
    --------
    >>> activation_grid(torch.rand(4, 2, 3), {0: torch.zeros(3, 8, 8), 2: torch.ones(3, 8, 8)}).shape
    torch.Size([1, 3, 16, 24])
    """
    maps = check_shape("maps", maps, "K", "h", "w")
    if len({check_shape("A picture", picture, 3, picture.shape[-1], "s").shape for picture in pictures.values()}) != 1:
        raise OptionError("Give at least one picture, and all of the same size (3, s, s).")
    channels = torch.tensor(sorted(pictures))
    if channels.max() >= len(maps):
        raise OptionError(f"There are {len(maps)} channels, but a picture of channel {int(channels.max())}.")
    values, strongest = maps.detach().cpu()[channels].max(0)
    tiles = torch.stack([pictures[int(k)].float() for k in channels])[strongest]  # (h, w, 3, s, s)
    faint = (values.clamp(min=0) / values.max().clamp(min=1e-9)).sqrt()[:, :, None, None, None]
    drawn = 1 - faint * (1 - tiles)
    height, width, _, side, _ = drawn.shape
    return drawn.permute(2, 0, 3, 1, 4).reshape(1, 3, height * side, width * side)


def colour_groups(maps: Tensor, image: Tensor, colours: Tensor) -> Tensor:
    """Paint each group's map in its own colour over the grey image: (G, h, w), (1, 3, H, W), (G, 3) -> (1, 3, H, W).

    >>> colour_groups(torch.rand(2, 4, 4), torch.rand(1, 3, 16, 16), torch.eye(3)[:2]).shape
    torch.Size([1, 3, 16, 16])
    """
    check_images(image)
    maps = check_shape("maps", maps, "G", "h", "w").to(image)
    colours = check_shape("colours", colours, len(maps), 3).to(image)
    large = F.interpolate(maps[None], image.shape[2:], mode="bilinear").clamp(min=0)[0]
    share = large / large.sum(0).clamp(min=1e-9)
    strength = (large.sum(0) / large.sum(0).quantile(0.9).clamp(min=1e-9)).clamp(0, 1)
    mixed = torch.einsum("ghw,gc->chw", share, colours)
    grey = image[0].mean(0)
    return ((0.35 + 0.65 * grey) * (1 - strength * (1 - mixed)))[None].clamp(0, 1)
