"""A small call of every public function that takes a model: CALLS[name](model, images, layer) -> a result to compare.

The model is a SmallNet for images of 32 pixels. What a call does not need it leaves alone; what it needs it takes from
its arguments, so that the contract can spoil them. A function that changes the network for the length of a block gets a
block that only looks.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import torch
from nets import random_images, small_model
from torch import Tensor, nn

import coursekit as ck

SIZE = 32
HALVES = torch.zeros(SIZE, SIZE, dtype=torch.long)
HALVES[SIZE // 2 :] = 1
BOXES = torch.tensor([[0, 0, 20, 20]]).expand(2, -1)


def contract_model(inplace: bool = False) -> ck.Model:
    model = small_model(inplace)
    model.input_size = SIZE
    return model


def contract_images(seed: int = 0) -> Tensor:
    return random_images(2, SIZE, seed)


PERMUTED = contract_model(inplace=True)
PARTS = torch.zeros(3, 3, 8, 8)
FOUND = ck.FoundConcepts(  # two of the eight channels of conv2
    "conv2", torch.eye(8)[:2], torch.ones(2), torch.ones(3, 2), PARTS, torch.arange(3), [], torch.eye(8)[:3], 1.0
)


def halves(images: Tensor) -> Tensor:
    """One mask for each image, (N, H, W): its upper half."""
    return (HALVES == 0).to(images.device).expand(len(images), -1, -1)


def seen(model: nn.Module, images: Tensor, objective: object) -> Tensor:
    """What an objective says about the images."""
    return objective.read(ck.activations(model, images, sorted(objective.layers), reduce="maps"), None)


def inside(block: object, look: object) -> object:
    with block as value:
        return look(), value


def stripes(genes: Tensor) -> Tensor:
    return genes[:, None, :, None].expand(-1, 3, -1, SIZE)


def scenes(images: Tensor) -> ck.Scenes:
    return ck.Scenes(images, halves(images), torch.arange(len(images)), ["zebra", "hen"])


def concepts(images: Tensor) -> ck.Concepts:
    return ck.Concepts(images, torch.stack([halves(images), ~halves(images)], 1), ["upper", "lower"], ["part"] * 2)


def many(images: Tensor) -> Tensor:
    """Twelve different images, made from the first."""
    return torch.cat([images[:1].roll(k, 3) * (0.4 + 0.05 * k) for k in range(12)])


class Cue(ck.Case):
    """As much of a case as `flips` asks for: pictures, and darker ones."""

    def pair(self, fault: str, label: str) -> tuple[Tensor, Tensor]:
        assert label in self.classes or super().pair(fault, label)  # which refuses others
        return self.images, self.images**3


def with_cue(images: Tensor) -> ck.Case:
    return Cue(0, {}, many(images), torch.ones(12), [], None)


def covered(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    return ck.occlusion(model, images, targets, window=16, stride=16)


PER_IMAGE = {  # name -> call; each row of the result belongs to one image
    "activations": lambda m, x, layer: ck.activations(m, x, [layer, "fc"], reduce="maps").values(),
    "embed": lambda m, x, layer: ck.embed(m, x, layer),
    "activation_gradients": lambda m, x, layer: ck.activation_gradients(m, x, 1, [layer])[layer],
    "predict": lambda m, x, layer: torch.tensor([[p for _, p in b] for b in ck.predict(m, x, top=3)]).to(x),
    "input_gradient": lambda m, x, layer: ck.input_gradient(m, x, 1),
    "input_x_gradient": lambda m, x, layer: ck.input_x_gradient(m, x, ck.unit(layer, 2)),
    "saliency": lambda m, x, layer: ck.saliency(m, x),
    "smoothgrad": lambda m, x, layer: ck.smoothgrad(m, x, 1, samples=3),
    "integrated_gradients": lambda m, x, layer: ck.integrated_gradients(m, x, 1, steps=4),
    "completeness_gap": lambda m, x, layer: ck.completeness_gap(m, x, x - 0.5, 1),
    "guided_backprop": lambda m, x, layer: ck.guided_backprop(m, x, 1),
    "deconvnet": lambda m, x, layer: ck.deconvnet(m, x, 1),
    "cam": lambda m, x, layer: ck.cam(m, x, 1),
    "grad_cam": lambda m, x, layer: ck.grad_cam(m, x, 1, layer=layer),
    "hires_cam": lambda m, x, layer: ck.hires_cam(m, x, 1, layer=layer),
    "layer_cam": lambda m, x, layer: ck.layer_cam(m, x, 1, layer=layer),
    "guided_grad_cam": lambda m, x, layer: ck.guided_grad_cam(m, x, 1, layer=layer),
    "relevance": lambda m, x, layer: ck.relevance(m, x, 1),
    "fullgrad": lambda m, x, layer: ck.fullgrad(m, x, 1),
    "occlusion": lambda m, x, layer: ck.occlusion(m, x, 1, window=16, stride=16),
    "occlusion_grid": lambda m, x, layer: ck.occlusion_grid(m, x, 1, window=16, feature=ck.unit(layer, 2)),
    "rise": lambda m, x, layer: ck.rise(m, x, 1, n=9, cells=4),
    "random_map": lambda m, x, layer: ck.random_map(m, x),
    "edge_map": lambda m, x, layer: ck.edge_map(m, x),
    "centre_map": lambda m, x, layer: ck.centre_map(m, x),
    "gradient_sign": lambda m, x, layer: ck.gradient_sign(m, x, 1),
    "iterated_gradient_sign": lambda m, x, layer: ck.iterated_gradient_sign(m, x, 1, steps=2),
    "deletion_curve": lambda m, x, layer: ck.deletion_curve(m, x, x.mean(1, keepdim=True), 1, steps=4),
    "insertion_curve": lambda m, x, layer: ck.insertion_curve(m, x, x.mean(1, keepdim=True), 1, steps=4),
    "inversion_error": lambda m, x, layer: ck.inversion_error(m, x, layer, contract_images(5)[:1]),
    "gram_distance": lambda m, x, layer: ck.gram_distance(m, x, contract_images(5)[:1], [layer]),
}

TOGETHER = {  # name -> call; a result for all images at once, or for none
    # the network is looked at
    "capture": lambda m, x, layer: inside(ck.capture(m, [layer]), lambda: ck.predict(m, x)),
    "window_reach": lambda m, x, layer: ck.window_reach(m, x, [layer], rows=(4, 9), columns=(3, 20)),
    "relu_rule": lambda m, x, layer: inside(ck.relu_rule(m, "guided"), lambda: ck.input_gradient(m, x, 1)),
    "cut_weights": lambda m, x, layer: inside(ck.cut_weights(m, layer, 1, [0, 2]), lambda: ck.embed(m, x, "fc")),
    "ablate": lambda m, x, layer: inside(ck.ablate(m, layer, [1]), lambda: ck.embed(m, x, "fc")),
    "randomised": lambda m, x, layer: [ck.embed(net, x, "fc") for _, net in ck.randomised(m, layers=[layer])],
    "randomisable": lambda m, x, layer: ck.randomisable(m),
    # representations
    "discover_concepts": lambda m, x, layer: ck.discover_concepts(m, x, 1, layer, count=2, crop=16),
    "delete_concepts": lambda m, x, layer: ck.delete_concepts(m, x, 1, replace(FOUND, layer=layer), draws=2),
    # units
    "dissect": lambda m, x, layer: ck.dissect(m, concepts(x), layer),
    "part_places": lambda m, x, layer: ck.part_places(
        m, ck.PartScenes(x, BOXES, torch.tensor([False, True]), ["hen"] * 2), layer
    ),
    "top_patches": lambda m, x, layer: ck.top_patches(m, x, layer, 2, k=2),
    "orientation_tuning": lambda m, x, layer: ck.orientation_tuning(m, layer, angles=3, wavelengths=(4,)),
    "curve_tuning": lambda m, x, layer: ck.curve_tuning(m, layer, angles=3, radii=(6,), length=12),
    # synthesis
    "objectives.code_of": lambda m, x, layer: ck.objectives.code_of(m, x[:1], layer),
    "objectives.match": lambda m, x, layer: seen(m, x, ck.objectives.match(m, x[:1], layer)),
    "objectives.caricature": lambda m, x, layer: seen(m, x, ck.objectives.caricature(m, x[:1], layer)),
    "objectives.texture": lambda m, x, layer: seen(m, x, ck.objectives.texture(m, x[:1], layer)),
    "objectives.guide": lambda m, x, layer: seen(m, x, ck.objectives.guide(m, x[:1], layer)),
    "render": lambda m, x, layer: ck.render(m, ck.unit(layer, 1), size=SIZE, steps=3, snapshots=[2], progress=False),
    "facets": lambda m, x, layer: ck.facets(m, many(x), 1, count=2, top=10, nearest=2, layer=layer).starts,
    "dream": lambda m, x, layer: ck.dream(m, x[:1], layer, octaves=1, steps=2),
    "dream_zoom": lambda m, x, layer: ck.dream_zoom(m, x[:1], layer, frames=2, octaves=1, steps=1),
    "invert": lambda m, x, layer: ck.invert(m, x[:1], layer, steps=2),
    "style_layers": lambda m, x, layer: ck.style_layers(m),
    "style_transfer": lambda m, x, layer: ck.style_transfer(m, x[:1], x[1:], layers=[layer], steps=2),
    "synthesise_texture": lambda m, x, layer: ck.synthesise_texture(m, x[:1], layers=[layer], size=SIZE, steps=2),
    "neural_doodle": lambda m, x, layer: ck.neural_doodle(m, x[:1], HALVES, HALVES.T, layers=[layer], steps=2),
    "smallest_change": lambda m, x, layer: ck.smallest_change(m, x[:1], 1, steps=2),
    "evolve": lambda m, x, layer: ck.evolve(m, 1, stripes, genes=SIZE, population=4, generations=2),
    # evaluation
    "randomisation_test": lambda m, x, layer: (
        ck.randomisation_test(m, {"o": covered}, x, seeds=[0], layers=[layer], progress=False).rows
    ),
    "data_randomisation_test": lambda m, x, layer: (
        ck.data_randomisation_test(m, PERMUTED, {"o": covered}, x, progress=False).rows
    ),
    "scoreboard": lambda m, x, layer: ck.scoreboard(m, {"o": covered}, scenes(x), steps=4).rows,
    "flips": lambda m, x, layer: ck.flips(m, with_cue(x), "colour", "bird"),
    # explorers
    "explore_prediction": lambda m, x, layer: ck.explore_prediction(m),
    "explore_activations": lambda m, x, layer: ck.explore_activations(m, layer=layer),
    "explore_cam": lambda m, x, layer: ck.explore_cam(m, x[:1], [layer]),
    "explore_occlusion": lambda m, x, layer: ck.explore_occlusion(m, x[:1]),
    "explore_saliency": lambda m, x, layer: ck.explore_saliency(m, x[:1]),
    "explore_backward": lambda m, x, layer: ck.explore_backward(m, layer=layer),
    "explore_randomisation": lambda m, x, layer: ck.explore_randomisation(m, x[:1]),
    "explore_style": lambda m, x, layer: ck.explore_style(m, size=SIZE, steps=1),
    "explore_doodle": lambda m, x, layer: ck.explore_doodle(m, x[:1], HALVES, names=["sky", "sea"], steps=1),
    "explore_inversion": lambda m, x, layer: ck.explore_inversion(m, layer, size=SIZE, steps=2),
    "explore_features": lambda m, x, layer: ck.explore_features(m, layer, 1, size=SIZE, steps=2),
    "explore_dream": lambda m, x, layer: ck.explore_dream(m, layer, size=48),
    "explore_fooling": lambda m, x, layer: ck.explore_fooling(m, x[:1]),
    "explore_unit": lambda m, x, layer: ck.explore_unit(m, many(x), layer, 1, size=SIZE, steps=1),
}
CALLS = PER_IMAGE | TOGETHER


def public_functions() -> dict[str, Callable]:
    """Name -> function, those of the public modules as "module.name"."""
    found = {}
    for name in ck.__all__:
        value = getattr(ck, name)
        parts = vars(value).items() if isinstance(value, ModuleType) else ()
        found |= {f"{name}.{key}": part for key, part in parts if getattr(part, "__module__", "") == "coursekit.door"}
        found[name] = value
    return {name: value for name, value in found.items() if inspect.isfunction(value)}


def takes_a_model() -> set[str]:
    """Every public function whose first parameter is `model`."""
    return {name for name, value in public_functions().items() if _first(value) == "model"}


def _first(function: object) -> str:
    return next(iter(inspect.signature(function).parameters), "")
