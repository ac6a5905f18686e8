"""Layer-wise relevance propagation: the score is handed back, layer by layer, in shares that add up."""

import torch
from torch import Tensor

from coursekit.errors import TargetError
from coursekit.networks.model import Model, check_precise
from coursekit.probe.capture import NO_GRADIENT, capture, differentiating, evaluating, in_batches
from coursekit.probe.redistribution import Layer, no_rule, redistributing
from coursekit.probe.targets import Target, Unit, reader

_STEADY = 1e-6  # keeps divisions away from 0 in every rule but that of linear layers, which has `epsilon`


def relevance(
    model: Model, images: Tensor, target: Target = None, *, gamma: float = 0.25, epsilon: float = 1e-6
) -> Tensor:
    r"""Hand the score back through the network, each input of a layer getting its share of what the layer got.

    R_i = Σ_j (a_i w'_ij / (z'_j + ε sign z'_j)) R_j with z'_j = Σ_i a_i w'_ij + b'_j, and these w':

    - linear layers (ε-rule): w' = w, with ε = `epsilon`,
    - convolutions (γ-rule): w' = w + γ max(w, 0), and b' likewise. That is for a_i ≥ 0 and z_j > 0; for z_j < 0 min
      stands in place of max, and for a_i < 0 the two change places, without b',
    - the first layer (z^B-rule, for pixels in [0, 1]): a_i w_ij − l_i max(w_ij, 0) − h_i min(w_ij, 0) in place of
      a_i w'_ij, where l and h are black and white after normalisation, and no bias.

    BatchNorm is folded into the layer before it. ReLU and ReLU6 pass on what they get, max-pooling gives all to the
    maximum, mean pooling and sums (shortcuts) share in proportion. It starts with R = the logit of the class.

    Relevance is conserved but for what biases and ε take: Σ R = S_c − Σ_layers Σ_j R_j (b'_j + ε sign z'_j) /
    (z'_j + ε sign z'_j). Without biases Σ R = S_c. In trained networks biases often take most of it.

    Parameters
    ----------
    model : Model of convolutions, linear layers, ReLU or ReLU6, poolings, sums, BatchNorm after a layer.
    images : (N, 3, H, W) in [0, 1].
    target : class index, one index for each image, `unit`, linear function logits -> (N,), or None for the top class.
    gamma : at least 0; larger values favour what speaks for the class.
    epsilon : at least 0; larger values leave out what is small or contradictory.

    Returns
    -------
    Tensor (N, 3, H, W): signed, in logits. Sum the channels for a map.

    Raises
    ------
    ImageError, TargetError, OptionError, UnknownLayer
    UnsupportedNetwork
        A share reaches something that has no rule: another activation, a product, a BatchNorm before its layer.

    References
    ----------
    Bach, Binder, Montavon, Klauschen, Müller, Samek, *On pixel-wise explanations for non-linear classifier decisions by
    layer-wise relevance propagation*, PLoS ONE 2015 (ε). Montavon, Binder, Lapuschkin, Samek, Müller, *Layer-wise
    relevance propagation: an overview*, in *Explainable AI*, Springer 2019, ch. 10 (γ, z^B, which rule where). Andéol,
    Kawakami, Wada, Kanamori, Müller, Montavon, *Learning domain invariant representations by joint Wasserstein distance
    minimization*, 2021 (γ for negative inputs).

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("coursenet"), ck.load_image("chelsea", size=128)
    >>> ck.relevance(model, image, target=285).shape
    torch.Size([1, 3, 128, 128])
    """
    check_precise(model, "relevance")

    def rule(layer: Layer, x: Tensor, share: Tensor) -> Tensor:
        if layer.box is not None:
            return _box_rule(layer, *layer.box, x, share)
        if layer.kind == "conv":
            return _gamma_rule(layer, x, share, gamma)
        return _shares(layer, [(x, layer.weight, layer.bias, 1)], share, epsilon if layer.kind == "linear" else _STEADY)

    def add(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        return a * share / _steady(a + b, _STEADY)

    with evaluating(model), capture(model, [target.layer] if isinstance(target, Unit) else []) as maps:
        read = reader(model, images, target)

        def made(batch: Tensor, owner: Tensor) -> Tensor:
            with differentiating():
                with redistributing(model, rule, add) as ends:
                    logits = model(batch.detach())
                top = maps[target.layer] if isinstance(target, Unit) else ends.output
                (slope,) = torch.autograd.grad(read(logits, maps, owner).sum(), top, retain_graph=True)
                (shares,) = torch.autograd.grad(top, ends.pixels, top.detach() * slope, allow_unused=True)
            if shares is None:
                raise TargetError(NO_GRADIENT)
            if not ends.boxed:
                raise no_rule(model, "no convolution or linear layer that reads the pixels")
            return shares.to(images)

        return torch.cat(in_batches(made, images, torch.arange(len(images))))


def _gamma_rule(layer: Layer, x: Tensor, share: Tensor, gamma: float) -> Tensor:
    """Share by weights in which those that agree with the output's sign are stronger."""
    weight, bias = layer.weight, layer.bias
    z = layer.run(x, weight, bias)
    total = torch.zeros_like(x)
    for chosen, agree, contradict in ((z > 0, _positive, _negative), (z < 0, _negative, _positive)):
        share_of = share * chosen
        if not share_of.any():  # as below zero before a ReLU
            continue
        stronger = None if bias is None else bias + gamma * agree(bias)
        parts = [(_positive(x), weight + gamma * agree(weight), stronger, 1)]
        if (x < 0).any():
            parts.append((_negative(x), weight + gamma * contradict(weight), None, 1))
        total += _shares(layer, parts, share_of, _STEADY)
    return total


def _box_rule(layer: Layer, low: Tensor, high: Tensor, x: Tensor, share: Tensor) -> Tensor:
    """Share by how far each pixel is from the value in its box that speaks most against the output."""
    weight = layer.weight
    parts = [(x, weight, None, 1), (low, _positive(weight), None, -1), (high, _negative(weight), None, -1)]
    return _shares(layer, parts, share, _STEADY)


def _shares(layer: Layer, parts: list[tuple], share: Tensor, epsilon: float) -> Tensor:
    """Σ_parts ± a_i Σ_j w_ij R_j / z_j with z = Σ_parts ± (w a + b): the sum over j is a gradient."""
    with torch.enable_grad():
        inputs = [a.detach().requires_grad_() for a, *_ in parts]
        z = sum(sign * layer.run(a, w, b) for a, (_, w, b, sign) in zip(inputs, parts, strict=True))
        slopes = torch.autograd.grad(z, inputs, share / _steady(z.detach(), epsilon))
    return sum(a.detach() * slope for a, slope in zip(inputs, slopes, strict=True))


def _steady(z: Tensor, epsilon: float) -> Tensor:
    """Move z away from 0; where it is 0 there is nothing to share, but 0 / 0 must not be."""
    tiny = torch.finfo(z.dtype).tiny
    return z + torch.where(z < 0, -1.0, 1.0).to(z) * max(epsilon, tiny)


def _positive(values: Tensor) -> Tensor:
    return values.clamp(min=0)


def _negative(values: Tensor) -> Tensor:
    return values.clamp(max=0)
