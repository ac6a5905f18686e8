"""Friendly layer names (`conv5`, `mixed4c`, `block11`), in the order in which data flows."""

import re
from collections.abc import Iterator, Mapping

from torch import nn

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
    r"efficientnet_lite\d": [
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
    if isinstance(module.classifier[-1], nn.AdaptiveAvgPool2d):
        yield "avgpool", f"classifier.{len(module.classifier) - 1}"


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


class Layers(Mapping):
    """Friendly name -> module; printing it shows a table."""

    def __init__(self, model: nn.Module, paths: dict[str, str]):
        self._model, self._paths = model, paths

    def __getitem__(self, name: str) -> nn.Module:
        return self._model.layer(name)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)
