"""Paint in one forward pass what a search paints in hundreds of steps: styles and textures."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.errors import ImageError, OptionError
from coursekit.networks.nets.style import StyleNetwork
from coursekit.networks.nets.texture import TextureNetwork, noise
from coursekit.networks.painters import load_style_network
from coursekit.probe.capture import evaluating

DETAIL = 5  # pixels of the window of a local mean


SMALLEST = 16  # pixels: below that a mirrored border does not fit at a quarter of the size


def fast_style(network: StyleNetwork | str, images: Tensor, mixture: Mapping[str, float] | str | None = None) -> Tensor:
    """Paint images in a style, or in a mixture of styles, by one forward pass.

    The scale γ and the shift β of each normalisation are the mean of those of the styles, weighted by the shares
    (Dumoulin et al. 2017). Sides that are no multiple of 4 are mirrored up to the next one, and cut again.

    Parameters
    ----------
    network : what `load_style_network` returns, or its name.
    images : (N, 3, H, W) in [0, 1], 16 pixels or more a side.
    mixture : the name of a style, or name -> share; shares are divided by their sum. A network of one style needs none.

    Returns
    -------
    Tensor (N, 3, H, W) in (0, 1), on the images' device.

    Raises
    ------
    ImageError, OptionError
        Not images, or too small; unknown styles, negative shares, or shares that are all 0.

    Examples
    --------
    >>> image = torch.rand(1, 3, 30, 45)
    >>> fast_style("transformer", image, {"ink": 1, "mosaic": 3}).shape
    torch.Size([1, 3, 30, 45])
    """
    check_images(images)
    height, width = images.shape[2:]
    if min(height, width) < SMALLEST:
        raise ImageError(f"Pictures must have {SMALLEST} pixels a side or more, but these have {height} × {width}.")
    network = load_style_network(network) if isinstance(network, str) else network
    shares = _shares(network.styles, mixture)
    padded = F.pad(images, (0, -width % 4, 0, -height % 4), mode="reflect")
    with evaluating(network), torch.no_grad():
        made = [network(x, shares) for x in padded.float().split(1)]  # one by one: large pictures need room
    return torch.cat(made)[..., :height, :width].contiguous()


def fast_texture(network: TextureNetwork, *, n: int = 1, size: int = 128, seed: int = 0) -> Tensor:
    """Paint n samples of a texture from noise by one forward pass: (n, 3, size, size) in (0, 1), on the CPU.

    Each sample has noise of its own; the same seed gives the same samples. `size` is a multiple of 16, from 32 on,
    else OptionError is raised.

    >>> import coursekit as ck
    >>> ck.fast_texture(ck.load_texture_network(), n=2, size=64).shape
    torch.Size([2, 3, 64, 64])
    """
    check_count("size", size, 32)
    if size % 16:
        raise OptionError(f"size is a multiple of 16 pixels, but is {size}.")
    with evaluating(network), torch.no_grad():
        return network(noise(n, size, seed))


def sample_diversity(images: Tensor) -> float:
    """Say how different samples of a texture are: 1 minus the mean correlation of the details of any two of them.

    Details are what is left of a picture without its local mean, over 5 × 5 pixels: slow changes of colour agree or
    not by chance. 0: all samples have the same details. 1: two agree no more than unrelated places of a texture do.

    Raises ImageError for fewer than two images.

    >>> x = torch.rand(1, 3, 16, 16)
    >>> abs(sample_diversity(torch.cat([x, x]))) < 1e-6
    True
    """
    check_images(images)
    if len(images) < 2:
        raise ImageError("Diversity compares samples: give two images or more.")
    local = F.avg_pool2d(images, DETAIL, stride=1, padding=DETAIL // 2, count_include_pad=False)
    flat = F.normalize((images - local).flatten(1).double(), dim=1)
    pairs = ~torch.eye(len(flat), dtype=torch.bool, device=flat.device)
    return 1 - (flat @ flat.T)[pairs].mean().item()


def _shares(styles: list[str], mixture: Mapping[str, float] | str | None) -> Tensor:
    """Return the shares (1, styles) of the styles, with sum 1."""
    known = ", ".join(styles)
    if mixture is None:
        if len(styles) > 1:
            raise OptionError(f"mixture says which style to paint: {known}, or shares of several.")
        mixture = styles[0]
    if isinstance(mixture, str):
        mixture = {mixture: 1.0}
    if unknown := [name for name in mixture if name not in styles]:
        raise OptionError(f"The network paints {known}, but not {unknown[0]!r}.")
    shares = torch.tensor([[float(mixture.get(name, 0)) for name in styles]])
    if not (shares >= 0).all() or not 0 < shares.sum() < float("inf"):
        raise OptionError(f"Shares are 0 or above and not all 0, but are {dict(mixture)}.")
    return shares / shares.sum()
