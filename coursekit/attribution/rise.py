"""Show random parts of the image and average what the network says: no gradient, and no window to choose."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.arguments import check_count, check_images
from coursekit.attribution.fills import Fill, baseline
from coursekit.errors import OptionError
from coursekit.networks.model import Model
from coursekit.probe.capture import BATCH, in_batches
from coursekit.probe.targets import Target, scoring


def rise(
    model: Model,
    images: Tensor,
    target: Target = None,
    *,
    n: int = 500,
    cells: int = 7,
    keep: float = 0.5,
    fill: Fill = "mean",
    seed: int = 0,
) -> Tensor:
    """Average the score over random masks that show a pixel.

    A(p) = E[S_c(x ⊙ M) M(p)] / E[M(p)], both means over the same `n` masks (`random_masks`).

    So A(p) is the mean score of the masks that show p. Read differences: a score that depends on nothing gives the
    same value everywhere. By sampling the map is uncertain by about 1/√n of the scores' spread; the paper takes 4000
    masks for VGG-16 and 8000 for ResNet-50.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, function logits -> (N,), or None for each image's top class.
        The paper takes the probability: `lambda logits: logits.softmax(1)[:, c]`.
    n : masks; all images get the same ones.
    cells : cells of a mask along each side, before it is enlarged; at most the shorter side.
    keep : probability that a cell is shown, above 0 and at most 1.
    fill : what stands in for hidden pixels, as for `occlusion`. "mean" is zero after normalisation, as in the paper.
    seed : the same seed gives the same masks.

    Returns
    -------
    Tensor (N, 1, H, W): in logits.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer

    References
    ----------
    Petsiuk, Das, Saenko, *RISE: randomized input sampling for explanation of black-box models*, BMVC 2018, eq. 4 and 6.
    Dividing by the mean of the masks drawn, not by their expectation, makes the estimate of a constant exact.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> ck.rise(model, image, n=8).shape
    torch.Size([1, 1, 224, 224])
    """
    check_images(images)
    check_count("cells", cells, most=min(images.shape[-2:]))
    if not (isinstance(keep, int | float) and 0 < keep <= 1):
        raise OptionError(f"keep must be a number above 0 and at most 1, but is {keep!r}.")
    with scoring(model, images, target) as score, torch.no_grad():
        hidden = baseline(model, images, fill)
        total, count = torch.zeros_like(images[:, :1]), torch.zeros_like(images[:, :1])
        for masks in random_masks(n, images.shape[-2:], cells=cells, keep=keep, seed=seed):
            shown = masks.to(images)
            for i in range(len(images)):
                variants, owner = hidden[i] + shown * (images[i] - hidden[i]), torch.full((len(shown),), i)
                values = torch.cat(in_batches(score, variants, owner)).to(images)
                total[i] += (values.view(-1, 1, 1, 1) * shown).sum(0)
                count[i] += shown.sum(0)
        return total / count.clamp(min=torch.finfo(count.dtype).tiny)  # a pixel that no mask has shown gets 0


def random_masks(n: int, size: torch.Size | tuple[int, int], *, cells: int, keep: float, seed: int) -> Iterator[Tensor]:
    """Yield `n` soft masks (b, 1, H, W) in batches: random cells, enlarged, at a random offset.

    A grid of `cells` × `cells` is 1 with probability `keep`, else 0. It is enlarged bilinearly until a cell more than
    the image would fit, and the image is cut out of it at a random place, so that E[M(p)] = `keep` at every pixel.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = (-(-side // cells) for side in size)  # of a cell, rounded up
    for part in torch.arange(n).split(BATCH):
        grid = (torch.rand(len(part), 1, cells, cells, generator=generator) < keep).float()
        tops = torch.randint(height, (len(part),), generator=generator).tolist()
        lefts = torch.randint(width, (len(part),), generator=generator).tolist()
        large = F.interpolate(grid, ((cells + 1) * height, (cells + 1) * width), mode="bilinear")
        corners = zip(large, tops, lefts, strict=True)
        yield torch.stack([m[:, top : top + size[0], left : left + size[1]] for m, top, left in corners])
