"""Which concepts does a layer use, without a list of them? Crops are factorised, or sparse features are learnt."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.arguments import check_count, check_images, check_maps
from coursekit.errors import OptionError
from coursekit.interrupts import importing
from coursekit.networks.model import Model
from coursekit.probe.capture import activations
from coursekit.probe.cutting import replaced
from coursekit.probe.targets import Target, quicker, scoring

SWEEPS = 100  # of coordinate descent; from then on codes change by less than float32 can tell


@dataclass(frozen=True)
class FoundConcepts:
    """Concepts of a class that were found without a list; made by `discover_concepts`, the most important first.

    Attributes
    ----------
    directions : (K, C), at least 0, each of length 1: how much of each channel belongs to the concept
    importance : (K,) in [0, 1], the share of the target's variance that goes when the concept is fixed
    codes : (M, K), at least 0: how much of each concept is in each crop
    crops : (M, 3, s, s), parts of the images; images : (M,), which image each crop comes from
    boxes : (top, left, height, width) in pixels for each crop, as `ck.show_images` draws them
    activations : (M, C) of the crops, which the codes and the directions explain
    explained : part of the squared activations that they explain, in [0, 1]
    """

    layer: str
    directions: Tensor
    importance: Tensor
    codes: Tensor
    crops: Tensor
    images: Tensor
    boxes: list[tuple[int, int, int, int]]
    activations: Tensor
    explained: float

    def top(self, concept: int, k: int = 9) -> Tensor:
        """Return the numbers of the k crops with most of a concept, at most one of each image, best first."""
        check_count("concept", concept, 0, len(self.directions) - 1)
        order = self.codes[:, concept].argsort(descending=True, stable=True).tolist()
        best = {int(self.images[crop]): crop for crop in reversed(order)}  # the last to come is the best
        return torch.tensor(sorted(best.values(), key=order.index)[:k])

    def maps(self, activations: Tensor) -> Tensor:
        """Return where each concept is: the layer's maps (N, C, h, w) -> (N, K, h, w), at least 0."""
        rows = check_maps(activations, self.layer).permute(0, 2, 3, 1)
        return _codes(rows.flatten(0, 2).to(self.directions), self.directions).view(*rows.shape[:3], -1).movedim(3, 1)

    def __repr__(self) -> str:
        shares = ", ".join(f"{share:.2f}" for share in self.importance)
        source = f"{len(self.codes)} crops of {len(self.images.unique())} images, {self.explained:.0%} explained"
        return f"{len(self.directions)} concepts at {self.layer} from {source}; importance {shares}"


def discover_concepts(
    model: Model, images: Tensor, target: Target, layer: str, *, count: int = 10, crop: int | None = None, seed: int = 0
) -> FoundConcepts:
    """Find the concepts that a class uses at a layer, and weigh each by how much the class's logit depends on it.

    Crops of the images go through the network; their activations, averaged over the crop and at least 0, are split into
    few directions that only add: A ≈ U W, U ≥ 0, W ≥ 0 (non-negative matrix factorisation). At each place of a whole
    image a(x) = Σ_k u_k(x) W_k + rest, u ≥ 0. The u_k are multiplied by m ∈ [0, 1]^K, and the total Sobol index of m_k
    for the target, averaged over the images, is the importance of concept k.

    Parameters
    ----------
    model : Model
    images : (N, 3, S, S), of the class. Crops of forty scenes of one zebra are crops of one zebra.
    target : class index, `unit` of a later layer, function logits -> (N,); see `activation_gradients`.
    layer : name of a layer with maps. What is negative there counts as 0 for the concepts, and stays in the rest.
    count : K. crop : side in pixels, a third of the image's by default; neighbours share a fifth or more.
    seed : of the factorisation and of the points of the Sobol indices, 32 in each of the two samples.

    Raises
    ------
    ImageError, TargetError, UnknownLayer, OptionError

    References
    ----------
    Fel, Picard, Béthune, Boissin, Vigouroux, Colin, Cadène, Serre, *CRAFT: concept recursive activation factorization
    for explainability*, CVPR 2023, sec. 3.1 and 3.3, without its recursion; there the rest is left out.

    Examples
    --------
    >>> import coursekit as ck
    >>> coursenet, zebras = ck.load_model("coursenet"), ck.scenes(2, objects=["zebra"], size=128).images
    >>> found = discover_concepts(coursenet, zebras, 340, "relu5", count=3)
    >>> found.directions.shape, found.codes.shape, bool((found.importance.diff() <= 0).all())
    (torch.Size([3, 256]), torch.Size([32, 3]), True)
    """
    with importing():
        from sklearn.decomposition import NMF

    check_images(images)
    parts, owners, boxes = _crops(images, max(1, min(images.shape[2:]) // 3) if crop is None else crop)
    maps = check_maps(activations(model, images, [layer], reduce="maps")[layer], layer)
    check_count("count", count, 1, min(len(parts), maps.shape[1]))
    enlarged = F.interpolate(parts, images.shape[2:], mode="bilinear").clamp(0, 1)
    rows = activations(model, enlarged, [layer], reduce=lambda a: a.clamp(min=0).mean((2, 3)))[layer].cpu()
    split = NMF(count, init="nndsvda", random_state=seed, max_iter=500, tol=1e-3).fit(rows.double().numpy())
    directions = F.normalize(torch.from_numpy(split.components_).to(rows), dim=1)
    codes = _codes(rows, directions)
    explained = 1 - float((rows - codes @ directions).square().sum() / rows.square().sum().clamp(min=1e-12))
    found = FoundConcepts(layer, directions, torch.zeros(count), codes, parts, owners, boxes, rows, explained)

    indices = []
    net = quicker(model, target, layer)
    with scoring(net, images, target) as score, torch.no_grad():
        for i, (whole, amounts) in enumerate(zip(maps, found.maps(maps), strict=True)):

            def answer(kept: Tensor, i: int = i, whole: Tensor = whole, amounts: Tensor = amounts) -> Tensor:
                gone = torch.einsum("nk,khw,kc->nchw", 1 - kept, amounts, directions)
                with replaced(net, layer, whole - gone.to(whole)):
                    return score(images[i].expand(len(kept), -1, -1, -1), torch.full([len(kept)], i)).cpu()

            indices.append(sobol_indices(answer, count, seed=seed))
    importance = torch.stack(indices).mean(0)
    order = importance.argsort(descending=True, stable=True)
    return replace(found, directions=directions[order], importance=importance[order], codes=codes[:, order])


def sobol_indices(function: Callable[[Tensor], Tensor], count: int, *, samples: int = 32, seed: int = 0) -> Tensor:
    """Return the total Sobol index of each input: the share of the output's variance that goes if it is known last.

    With all inputs uniform in [0, 1], A and B two independent samples, and A_k like A but with column k from B,

    S_k = Σ_j (f(A)_j − f(A_k)_j)² / (2 J · Var f).

    Together they are at least 1, and more where inputs interact. A constant function gives zeros.

    Parameters
    ----------
    function : (n, count) -> (n,), called once with n = samples · (count + 2).
    count : number of inputs. samples : J, a power of two spreads them best.

    References
    ----------
    Jansen, *Analysis of variance designs for model output*, 1999; the design is that of Saltelli et al., *Variance
    based sensitivity analysis of model output*, 2010, on Sobol's quasi-random points.

    Examples
    --------
    >>> sobol_indices(lambda x: 3 * x[:, 0] + x[:, 1], 3, samples=1024).round(decimals=2)
    tensor([0.9000, 0.1000, 0.0000])
    """
    check_count("count", count)
    check_count("samples", samples, 2)
    points = torch.quasirandom.SobolEngine(2 * count, scramble=True, seed=seed).draw(samples)
    first, second = points.split(count, dim=1)
    mixed = first.repeat(count, 1, 1)
    for k in range(count):
        mixed[k, :, k] = second[:, k]
    values = function(torch.cat([first, second, mixed.flatten(0, 1)])).view(count + 2, samples).double()
    variance = values[:2].var(correction=0)
    return ((values[2:] - values[0]).square().mean(1) / (2 * variance.clamp(min=1e-30))).float()


@dataclass(frozen=True)
class ConceptDeletion:
    """What a target loses when concepts are removed; made by `delete_concepts`.

    curve : (K + 1,), the mean over the images with the 0 … K most important concepts removed
    controls : (R, K + 1), the same for as many other directions, of the same length at every place
    n : images
    """

    curve: Tensor
    controls: Tensor
    n: int

    @property
    def p(self) -> float:
        """The rank of the concepts' area under the curve among the controls', one-sided: (1 + #{lower}) / (R + 1)."""
        return (1 + int((self.controls.mean(1) <= self.curve.mean() + 1e-9).sum())) / (len(self.controls) + 1)

    def __repr__(self) -> str:
        low, high = self.controls.mean(1).aminmax()
        others = f"{low:.2f} to {high:.2f} without {len(self.controls)} draws of other directions"
        return f"target {self.curve.mean():.2f} without concepts, {others}; p = {self.p:.3f}, n = {self.n} images"


def delete_concepts(
    model: Model, images: Tensor, target: Target, found: FoundConcepts, *, draws: int = 20, seed: int = 0
) -> ConceptDeletion:
    """Remove concepts from the activations, the most important first, and as much along other directions.

    a(x) − Σ_{k ≤ s} u_k(x) W_k for s = 0 … K. The control takes the activations of K crops, drawn at random, as
    directions, with the same u_k(x), and is scaled at each place to remove a vector of the same length. So it asks
    whether these directions matter more than any that the images have.

    Parameters
    ----------
    model, images, target : as in `discover_concepts`; images of other backgrounds than those make the fairer test.
    found : from `discover_concepts`. draws : of the control. seed : of the draws.

    Raises
    ------
    ImageError, TargetError, UnknownLayer, OptionError

    References
    ----------
    Ghorbani, Wexler, Zou, Kim, *Towards automatic concept-based explanations*, NeurIPS 2019, sec. 4.3, deletes regions
    of images instead.
    """
    check_images(images)
    check_count("draws", draws)
    generator = torch.Generator().manual_seed(seed)
    maps = activations(model, images, [found.layer], reduce="maps")[found.layer]
    count = len(found.directions)
    drawn = [torch.randperm(len(found.activations), generator=generator)[:count] for _ in range(draws)]
    others = F.normalize(found.activations[torch.stack(drawn)], dim=2)  # (R, K, C)
    sets = torch.cat([found.directions[None], others])
    curves = []
    net = quicker(model, target, found.layer)
    with scoring(net, images, target) as score, torch.no_grad():
        for i, (whole, amounts) in enumerate(zip(maps, found.maps(maps), strict=True)):
            for s in range(count + 1):
                gone = torch.einsum("khw,rkc->rchw", amounts[:s], sets[:, :s])
                length = gone.norm(dim=1, keepdim=True)
                gone = gone * (length[:1] / length.clamp(min=1e-12))
                with replaced(net, found.layer, whole - gone.to(whole)):
                    curves.append(score(images[i].expand(len(sets), -1, -1, -1), torch.full([len(sets)], i)).cpu())
    mean = torch.stack(curves).view(len(images), count + 1, len(sets)).mean(0).T
    return ConceptDeletion(mean[0], mean[1:], len(images))


@dataclass(frozen=True)
class SparseDictionary:
    """Many directions of which each place uses few; made by `sparse_dictionary`.

    encoder : (C, L), bias : (L,), directions : (L, C), each of length 1
    mean : (C,) and scale : of the activations; `active` K: features that may be above 0 at a place
    explained : part of the variance that the features explain, in (−∞, 1]
    """

    encoder: Tensor
    bias: Tensor
    directions: Tensor
    mean: Tensor
    scale: float
    active: int
    explained: float

    def encode(self, maps: Tensor) -> Tensor:
        """Return how much of each feature is where: the layer's maps (N, C, h, w) -> (N, L, h, w), at least 0."""
        rows = (check_maps(maps, "of the dictionary").movedim(1, 3).to(self.mean) - self.mean) / self.scale
        return _sparse(rows.flatten(0, 2), self.encoder, self.bias, self.active).view(*rows.shape[:3], -1).movedim(3, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the maps (N, C, h, w) that the features (N, L, h, w) stand for."""
        return (self.mean + self.scale * (codes.movedim(1, 3) @ self.directions)).movedim(3, 1)

    def __repr__(self) -> str:
        return f"{len(self.directions)} features, {self.active} at a place, {self.explained:.0%} explained"


def sparse_dictionary(
    maps: Tensor, size: int, *, active: int = 12, steps: int = 1500, seed: int = 0, progress: bool = True
) -> SparseDictionary:
    """Learn directions of which a few add up to what a layer computes at a place: a sparse autoencoder.

    z = TopK(ReLU(x E + b)), x ≈ z D, where x is the activation minus its mean, over one scale, and TopK keeps the
    `active` largest. Adam minimises |x − z D|²; the rows of D keep the length 1, and E starts as D's transpose.

    Parameters
    ----------
    maps : (N, C, h, w), the layer's maps of many images, from `activations` with reduce="maps".
    size : L, more than C for features that share the channels. steps : of 1024 places each; 0 gives the start, random
        directions: the control that a claim about the features needs. seed : of the start and of the places.

    Raises
    ------
    OptionError

    References
    ----------
    Makhzani, Frey, *k-sparse autoencoders*, ICLR 2014; Gorton, *The missing curve detectors of InceptionV1: applying
    sparse autoencoders to InceptionV1 early vision*, 2024.

    Examples
    --------
    >>> maps = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> sparse_dictionary(maps, 6, active=2, steps=0).encode(maps).gt(0).sum(1).max()
    tensor(2)
    """
    width = check_maps(maps, "of the dictionary").shape[1]
    check_count("active", active, 1, size)
    check_count("steps", steps, 0)
    generator = torch.Generator().manual_seed(seed)
    rows = maps.detach().cpu().float().movedim(1, 3).flatten(0, 2)
    mean, scale = rows.mean(0), float(rows.std())
    if not scale > 0:
        raise OptionError("The activations are all the same, so there is nothing to learn; is the layer dead?")
    rows = (rows - mean) / scale
    directions = F.normalize(torch.randn(size, width, generator=generator), dim=1)
    encoder, bias = directions.T.contiguous(), torch.zeros(size)
    adam = torch.optim.Adam([t.requires_grad_() for t in (encoder, bias, directions)], lr=2e-3)
    with torch.enable_grad():
        for _ in tqdm(range(steps), disable=not (progress and steps), leave=False, desc="dictionary"):
            batch = rows[torch.randint(len(rows), (1024,), generator=generator)]
            loss = (batch - _sparse(batch, encoder, bias, active) @ directions).square().sum(1).mean() / width
            adam.zero_grad()
            loss.backward()
            adam.step()
            directions.data = F.normalize(directions.data, dim=1)
    encoder, bias, directions = encoder.detach(), bias.detach(), directions.detach()
    left = rows - _sparse(rows, encoder, bias, active) @ directions
    explained = 1 - float(left.square().sum() / rows.square().sum())
    return SparseDictionary(encoder, bias, directions, mean, scale, active, explained)


def _sparse(rows: Tensor, encoder: Tensor, bias: Tensor, active: int) -> Tensor:
    """Return the features (M, L) of rows (M, C), 0 but for the `active` largest."""
    values, places = (rows @ encoder + bias).relu().topk(active, dim=1)
    return rows.new_zeros(len(rows), len(bias)).scatter(1, places, values)


def _codes(rows: Tensor, directions: Tensor) -> Tensor:
    """Return U ≥ 0 (M, K) that minimises |A − U W|² for rows A (M, C), by coordinate descent."""
    gram, along = directions @ directions.T, rows.clamp(min=0) @ directions.T
    codes = torch.zeros_like(along)
    for _ in range(SWEEPS):
        for k in range(len(directions)):
            step = (along[:, k] - codes @ gram[k]) / gram[k, k].clamp(min=1e-12)
            codes[:, k] = (codes[:, k] + step).clamp(min=0)
    return codes


def _crops(images: Tensor, side: int) -> tuple[Tensor, Tensor, list[tuple[int, int, int, int]]]:
    """Cut each image into squares on a regular grid that reaches every border and overlaps by a fifth or more."""
    height, width = images.shape[2:]
    check_count("crop", side, 1, min(height, width))
    tops, lefts = (
        torch.linspace(0, length - side, 1 + math.ceil((length - side) / (0.8 * side))).round().int().tolist()
        for length in (height, width)
    )
    places = [(i, top, left) for i in range(len(images)) for top in tops for left in lefts]
    parts = torch.stack([images[i, :, top : top + side, left : left + side] for i, top, left in places])
    return parts, torch.tensor([i for i, *_ in places]), [(top, left, side, side) for _, top, left in places]
