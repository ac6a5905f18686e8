"""FullGrad: the gradient's share of the score, and the share of every bias inside the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.errors import UnsupportedNetwork
from coursekit.networks.model import Model, check_precise
from coursekit.probe.backward import clipping, intercept, on_signal
from coursekit.probe.capture import differentiating, in_batches
from coursekit.probe.targets import Score, Target, quicker, scoring

_CLIPPERS = ("relu6", "hardtanh", "clamp", "clip", "clampmin", "clampmax", "threshold")


def fullgrad(model: Model, images: Tensor, target: Target = None, *, magnitude: bool = False) -> Tensor:
    """Split the score into what the pixels and what the biases give, and lay all of it over the image.

    S_c(x) = Σ_p (x − mean)_p ∂S_c/∂x_p + Σ_l Σ_p f_l(p),   f_l = b_l ⊙ ∂S_c/∂b_l at each position of each layer l

    This is exact for networks that are linear piece by piece. The biases b_l are those of convolutions, of linear
    layers, of BatchNorm (β − γμ/√(σ² + ε), what it adds after its scale), 6 · [x > 6] of a saturated ReLU6, and
    −mean/std of the input normalisation, which turns x into x − mean above.

    Parameters
    ----------
    model : Model
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, linear function logits -> (N,), or None for the top class.
    magnitude : False gives the map that adds up to the score: channels are summed, layers are enlarged so that
        their sums stay, and what has no position (a linear layer's bias) is spread evenly over the image. True gives
        the picture of the paper, Σ_l Σ_channels ψ(f_l): ψ takes magnitudes, stretches each layer to [0, 1] and
        enlarges it; what has no position is left out.

    Returns
    -------
    Tensor (N, 1, H, W): signed, in logits, Σ_p = S_c(x); with `magnitude=True` not negative, without unit.

    Raises
    ------
    ImageError, TargetError, UnknownLayer
    UnsupportedNetwork
        The shares do not add up to the score: something in the network is not linear piece by piece (SiLU, sigmoid
        gates, attention), or the target is not a linear function of the logits.

    References
    ----------
    Srinivas, Fleuret, *Full-gradient representation for neural network visualization*, NeurIPS 2019, eq. 2 to 4.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> parts = ck.fullgrad(model, image, target=285)
    >>> bool(ck.completeness_gap(model, image, parts, target=285, baseline=None).abs() < 1e-3)
    True
    """
    check_precise(model, "FullGrad")
    if not magnitude:  # which treats the bias of a convolution and that of the BatchNorm after it each by itself
        model = quicker(model, target)
    share, lay = (_product, _pictures) if magnitude else (_sum_of_channels, _spread_all)
    with scoring(model, images, target) as score:

        def made(batch: Tensor, owner: Tensor) -> Tensor:
            value, terms = _shares(model, batch.to(model.device), score, owner, share)  # the biases' shares are there
            _check_sum(model, value, terms)
            return lay(terms, images.shape[-2:]).to(images)

        return torch.cat(in_batches(made, images, torch.arange(len(images))))


def _product(bias: Tensor, gradient: Tensor, axis: int) -> Tensor:
    """b ⊙ g, (n, C, h, w) or (n, K)."""
    return (bias * gradient).movedim(axis, 1)


def _shares(
    model: Model, images: Tensor, score: Score, owner: Tensor, share: Callable[[Tensor, Tensor, int], Tensor] = _product
) -> tuple[Tensor, list[Tensor]]:
    """Return the score (n,), and its parts: of the input and of each bias, as `share` gives them."""
    x = images.detach().clone().requires_grad_()
    terms: list[Tensor | None] = []  # in the order of the layers; the gradients come from the last to the first

    def add(output: Tensor, bias: Tensor, axis: int) -> None:
        place = len(terms)
        terms.append(None)
        on_signal(output, lambda gradient: terms.__setitem__(place, share(bias, gradient, axis)))

    with differentiating(), _biases(add):
        value = score(x, owner)
        (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), [
        share(x.detach() - model.mean.to(x), gradient, 1),
        *(term for term in terms if term is not None),
    ]


def _sum_of_channels(bias: Tensor, gradient: Tensor, axis: int) -> Tensor:
    """Σ_channels b ⊙ g, (n, 1, h, w); of what has no position (n, 1)."""
    if bias.shape[0] == 1 and bias.ndim == gradient.ndim == 4 and bias.shape[2:].numel() == 1:  # one for each channel
        return torch.einsum("nchw,c->nhw", gradient, bias.flatten())[:, None]
    term = _product(bias, gradient, axis)
    return term.sum(1, keepdim=True) if term.ndim == 4 else term.flatten(1).sum(1, keepdim=True)


@contextmanager
def _biases(add: Callable[[Tensor, Tensor, int], None]) -> Iterator[None]:
    """Call `add(output, what the layer adds to it, axis of the channels)` for each layer with a bias that runs."""

    def keep(output: Tensor, bias: Tensor, axis: int = 1) -> Tensor:
        if output.requires_grad:
            add(output, bias.detach(), axis)
        return output

    def layer(
        func: Callable, x: Tensor, weight: Tensor, bias: Tensor | None = None, *args: object, **kw: object
    ) -> Tensor:
        output = func(x, weight, bias, *args, **kw)
        return output if bias is None else keep(output, _by_channel(bias, output))

    def linear(func: Callable, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        output = func(x, weight, bias)
        return output if bias is None else keep(output, bias, axis=output.ndim - 1)  # (N, K), or maps (N, h, w, K)

    def batch_norm(func: Callable, x: Tensor, mean: Tensor, var: Tensor, *args: object, **kw: object) -> Tensor:
        output = func(x, mean, var, *args, **kw)
        if mean is None:  # it takes the statistics of the batch, is not linear, and will be refused
            return output
        # In eval mode it is linear, so what it makes of zero is the bias: β − γμ/√(σ² + ε).
        return keep(output, _by_channel(func(torch.zeros_like(mean)[None], mean, var, *args, **kw)[0], output))

    def clip(func: Callable, x: Tensor, *args: object, **kw: object) -> Tensor:
        low, high, _ = clipping(func, *args, **kw)
        clipped = x >= high if low is None or (isinstance(low, int | float) and low == 0) else (x >= high) | (x <= low)
        output = func(x, *args, **kw)
        return keep(output, output.detach() * clipped)  # 6 where ReLU6 is saturated; its lower end adds nothing

    handlers: dict[str, Callable] = {"conv2d": layer, "linear": linear, "batchnorm": batch_norm}
    with intercept(handlers | dict.fromkeys(_CLIPPERS, clip)):
        yield


def _by_channel(bias: Tensor, output: Tensor) -> Tensor:
    return bias.view(1, -1, 1, 1) if output.ndim == 4 and bias.ndim == 1 else bias


def _check_sum(model: Model, value: Tensor, terms: list[Tensor]) -> None:
    """Raise UnsupportedNetwork unless the parts add up to the score: the decomposition is checked, not assumed."""
    if any(len(term) != len(value) for term in terms):
        raise UnsupportedNetwork(f"{model.name} cuts its images into windows, which FullGrad cannot follow.")
    sums = torch.stack([term.flatten(1).sum(1) for term in terms])
    gap = (sums.sum(0) - value).abs()
    if (gap > 1e-4 * (sums.abs().sum(0) + value.abs())).any():
        raise UnsupportedNetwork(
            f"FullGrad's shares add up to {float(sums.sum(0)[gap.argmax()]):.4g} and not to the score of "
            f"{float(value[gap.argmax()]):.4g}: {model.name} or the target is not "
            f"linear piece by piece; take a network of convolutions, ReLU and BatchNorm, and a class as the target."
        )


def _spread_all(terms: list[Tensor], size: torch.Size) -> Tensor:
    """Lay signed parts over the image, (n, 1, H, W), so that their sum stays the same."""
    maps: dict[torch.Size, Tensor] = {}
    for term in terms:
        maps[term.shape] = maps[term.shape] + term if term.shape in maps else term
    return torch.stack([_spread(term, size) for term in maps.values()]).sum(0)  # parts of one size are one map


def _spread(term: Tensor, size: torch.Size) -> Tensor:
    if term.ndim != 4:
        return (term.flatten(1).sum(1) / size.numel()).view(-1, 1, 1, 1).expand(-1, 1, *size)
    term = term.sum(1, keepdim=True)
    mode = "area" if term.shape[-2] > size[0] or term.shape[-1] > size[1] else "bilinear"
    with differentiating():
        ones = torch.ones_like(term[:1]).requires_grad_()
        (copies,) = torch.autograd.grad(F.interpolate(ones, size, mode=mode).sum(), ones)  # how often each pixel counts
    return F.interpolate(term / copies, size, mode=mode)


def _pictures(terms: list[Tensor], size: torch.Size) -> Tensor:
    return torch.stack([_picture(term, size) for term in terms]).sum(0)


def _picture(term: Tensor, size: torch.Size) -> Tensor:
    """ψ of the paper and its authors' code: magnitude, stretched to [0, 1] for each image, enlarged, summed."""
    if term.ndim != 4:
        return term.new_zeros(len(term), 1, *size)
    height = term.abs()
    low, high = height.amin((1, 2, 3), keepdim=True), height.amax((1, 2, 3), keepdim=True)
    stretched = (height - low) / (high - low).clamp(min=1e-12)
    return F.interpolate(stretched.sum(1, keepdim=True), size, mode="bilinear", align_corners=True)
