"""Friendly layer names (`conv5`, `mixed4c`, `block11`) in the order in which data flows, and what each layer sees."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from torch import nn

from coursekit.errors import UnknownLayer, UnsupportedNetwork
from coursekit.networks.receptive import Call, trace

if TYPE_CHECKING:
    from coursekit.networks.model import Model

# Rules: a pattern for the module's own path, and its friendly name; # counts the modules that the rule matched.
_RULES = {
    r"googlenet": [
        (r"conv(\d)\.conv", r"conv\1"),
        (r"conv(\d)", r"relu\1"),
        (r"maxpool(\d)", r"pool\1"),
        (r"inception(\d\w)", r"mixed\1"),
    ],
    r"inception_v3": [
        (r"Conv2d_\w+\.conv", r"conv#"),
        (r"Conv2d_\w+", r"relu#"),
        (r"maxpool(\d)", r"pool\1"),
        (r"Mixed_(\d\w)", r"mixed\1"),
    ],
    r"(wide_)?resnet\d+\w*|resnext\d+\w*": [
        (r"conv1", r"conv1"),
        (r"relu", r"relu1"),
        (r"maxpool", r"pool1"),
        (r"layer\d\.\d+", r"block#"),
    ],
    r"densenet\d+": [
        (r"features\.conv0", r"conv1"),
        (r"features\.relu0", r"relu1"),
        (r"features\.pool0", r"pool1"),
        (r"features\.denseblock(\d)", r"dense\1"),
        (r"features\.transition(\d)", r"transition\1"),
        (r"features\.norm5", r"norm5"),
    ],
    r"efficientnet_lite\d(_robust)?": [
        (r"conv_stem", r"conv1"),
        (r"bn1\.act", r"relu1"),
        (r"blocks\.\d\.\d+", r"block#"),
        (r"conv_head", r"conv2"),
        (r"bn2\.act", r"relu2"),
        (r"global_pool", r"avgpool"),
    ],
}
_ENDS = [(r"avgpool", r"avgpool"), (r"fc|classifier", r"fc")]
_KINDS = {"Conv2d": "conv", "ReLU": "relu", "MaxPool2d": "pool", "Linear": "fc", "Fire": "fire"}


def friendly_names(name: str, module: nn.Module) -> dict[str, str]:
    """Return friendly name -> module path, in the order in which data flows.

    An unknown network keeps its own names: those of its modules without children.
    """
    if re.fullmatch(r"alexnet|squeezenet\d_\d", name):
        return dict(_chain(module))
    if re.fullmatch(r"vgg\d+(_bn)?", name):
        return dict(_stages(module))
    for pattern, rules in _RULES.items():
        if re.fullmatch(pattern, name):
            return dict(_by_rules(module, rules + _ENDS))
    leaves = {path: path for path, part in module.named_modules() if path and not any(part.children())}
    return leaves or {type(module).__name__.lower(): ""}


def all_parts(network: nn.Module) -> list[nn.Module]:
    """Return the network and all modules in it, shared ones again, in a tenth of the time of `network.modules()`."""
    parts: list[nn.Module] = [network]
    for part in parts:  # which grows
        parts += [inside for inside in part._modules.values() if inside is not None]
    return parts


def paths_inside_out(module: nn.Module, prefix: str = "") -> Iterator[str]:
    """Yield the module paths, each part before the whole that it belongs to: the order of finishing."""
    for name, child in module.named_children():
        yield from paths_inside_out(child, f"{prefix}{name}.")
        yield prefix + name


def _by_rules(module: nn.Module, rules: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    counts = dict.fromkeys(rules, 0)
    for path in paths_inside_out(module):
        for rule in rules:
            if match := re.fullmatch(rule[0], path):
                counts[rule] += 1
                yield match.expand(rule[1]).replace("#", str(counts[rule])), path
                break


def _parts(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield (kind, path) of the layers of a network made of `features` and `classifier`."""
    for stem in ("features", "classifier"):
        for key, part in getattr(module, stem).named_children():
            kind = _KINDS.get(type(part).__name__)
            if kind:
                yield kind, f"{stem}.{key}"


def _chain(module: nn.Module) -> Iterator[tuple[str, str]]:
    """One number for each layer with weights, shared by the ReLU and the pooling after it (Caffe's names)."""
    number = 0
    for kind, path in _parts(module):
        number += kind in ("conv", "fire", "fc")
        yield f"{kind}{number}", path
    *_, (key, last) = module.get_submodule("classifier").named_children()
    if isinstance(last, nn.AdaptiveAvgPool2d):
        yield "avgpool", f"classifier.{key}"


def _stages(module: nn.Module) -> Iterator[tuple[str, str]]:
    """VGG's names: stages end with a pooling layer, convolutions are numbered inside a stage."""
    stage, number = 1, 0
    for kind, path in _parts(module):
        if path.startswith("features"):
            number += kind == "conv"
            yield (f"pool{stage}" if kind == "pool" else f"{kind}{stage}_{number}"), path
            if kind == "pool":
                stage, number = stage + 1, 0
        else:
            yield f"{kind}{stage}", path
            stage += kind == "relu"


class Layers(Mapping[str, nn.Module]):
    """Friendly name -> module. Printing it shows each layer's output shape and receptive field."""

    def __init__(self, model: "Model", paths: dict[str, str]):
        self._model, self._paths = model, paths
        self._calls: dict[str, list[Call]] | None = None

    def __getitem__(self, name: str) -> nn.Module:
        return self._model.layer(name)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a layer's output for one image of the model's input size: (C, H, W) or (K,)."""
        return self._call(name).shape

    def receptive_field(self, name: str) -> tuple[int, int] | None:
        """Return height and width in pixels of what one neuron can see; None means the whole image.

        Raises UnsupportedNetwork where it is not known, because data passed through an operation that is not followed,
        such as attention, a permutation or an enlargement.

        It counts the pixels that can have any influence, those of the padding around the image included, so it may be
        larger than the image. A few of them at its centre have most of the influence (Luo et al., *Understanding
        the effective receptive field in deep convolutional neural networks*, NeurIPS 2016).
        """
        call, field = self._call(name), self._call(name).field
        if not call.known:
            raise UnsupportedNetwork(
                f"What a neuron of {name!r} sees is not known: something before it is not followed, "
                "such as attention, a permutation or an enlargement. Measure it by ck.input_gradient of a ck.unit."
            )
        return None if field is None else (field[0].size, field[1].size)

    def _call(self, name: str) -> Call:
        self._model.layer(name)  # an unknown name raises here
        calls = self._facts()[name]
        if len(calls) != 1:
            raise UnknownLayer(f"Layer {name!r} runs {len(calls)} times in a forward pass, so it has no single output.")
        return calls[0]

    def _facts(self) -> dict[str, list[Call]]:
        if self._calls is None:  # a forward pass, and only when somebody asks
            parts = {name: self[name] for name in self}
            self._calls = trace(self._model, parts)
        return self._calls

    def _row(self, name: str, calls: list[Call]) -> tuple[str, str, str]:
        if len(calls) != 1:
            return name, f"runs {len(calls)} times" if calls else "does not run", ""
        shape, field = calls[0].shape, calls[0].field
        size = self._model.input_size
        seen = "whole image" if calls[0].known else "not known"
        if field is not None and min(axis.size for axis in field) < size:
            seen = f"{field[0].size} × {field[1].size}"
        return name, " × ".join(map(str, shape)), seen

    def __repr__(self) -> str:
        size = self._model.input_size
        try:
            rows = [self._row(name, calls) for name, calls in self._facts().items()]
        except Exception as error:  # a network of the user's own that takes another size: the names are still of use
            reason = f"Shapes are not known: the network does not run on a {size} × {size} image ({error})."
            return "\n".join([*self._paths, f"{reason} Set model.input_size."])
        rows.insert(0, ("layer", f"output for {size} × {size}", "receptive field"))
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(f"{name:{widths[0]}}   {shape:{widths[1]}}   {seen}".rstrip() for name, shape, seen in rows)
