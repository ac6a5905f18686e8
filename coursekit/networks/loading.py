"""Networks by name: how to build each one, what images it takes, where its weights are, and opening it."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from coursekit.errors import UnknownModel, WeightsUnavailable
from coursekit.interrupts import importing
from coursekit.networks.device import default_device
from coursekit.networks.layers import friendly_names
from coursekit.networks.model import Model
from coursekit.networks.nets import captioned, coursenet, parted, patternnet, trust, twin
from coursekit.networks.weights import (
    PACKAGED,
    Checkpoint,
    listed_checkpoint,
    own_checkpoint,
    read,
    state_of,
    torchvision_checkpoint,
)

_HALF = (0.5, 0.5, 0.5)
Network = TypeVar("Network", bound=nn.Module)


# The course's own networks: what builds each, and the file that says what it takes (MEAN, STD, INPUT_SIZE).
_OWN = {
    "coursenet": (coursenet.coursenet, coursenet),
    "twin_true": (twin.twin, twin),
    "twin_permuted": (twin.twin, twin),
    "patternnet": (patternnet.patternnet, patternnet),
    "trust_clean": (trust.trust, trust),
    "trust_biased": (trust.trust, trust),
    "parted": (parted.parted, parted),
    "unparted": (parted.unparted, parted),
    **dict.fromkeys(
        ("captioned_0", "captioned_30", "captioned_100", "captioned_none"), (captioned.captioned, captioned)
    ),
}


_LITE_SIZES = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
ROBUST = "_robust"  # ends the name of a network that was trained on against attacks


# torchvision tells them apart in its own way, or not at all, depending on its version.
_CLEARER_LABELS = {134: "crane (bird)", 517: "crane (machine)", 264: "Cardigan (dog)", 639: "maillot (tank suit)"}


@dataclass(frozen=True)
class Blueprint:
    """One network: `build()` makes it with random weights."""

    build: Callable[[], nn.Module]
    mean: Sequence[float]
    std: Sequence[float]
    input_size: int
    checkpoint: Checkpoint | None
    labels: Sequence[str] | None = None  # None: the 1000 classes of ImageNet; empty: other classes without names


def blueprint(name: str) -> Blueprint:
    """Look a network up: the course's own first, then torchvision's classifiers, then timm's."""
    if name in _OWN:
        build, net = _OWN[name]
        labels = getattr(net, "LABELS", None)
        return Blueprint(build, net.MEAN, net.STD, net.INPUT_SIZE, own_checkpoint(name), labels)
    with importing():
        import timm
        from torchvision import models

    teacher = name.removesuffix(ROBUST) if isinstance(name, str) else name
    if teacher in PACKAGED:
        checkpoint = PACKAGED[name] if name in PACKAGED else own_checkpoint(name)
        if checkpoint:
            return Blueprint(lambda: timm.create_model(f"tf_{teacher}"), _HALF, _HALF, _LITE_SIZES[teacher], checkpoint)
    classifiers = models.list_models(module=models)
    if name in classifiers:
        return _from_torchvision(name)
    if isinstance(name, str) and timm.is_model(name):
        return _from_timm(name)
    groups = (_OWN, PACKAGED, classifiers, timm.list_models())  # the likelier ones first
    close = dict.fromkeys(match for group in groups for match in difflib.get_close_matches(str(name), group, n=3))
    hint = (
        f"Did you mean {' or '.join(map(repr, list(close)[:4]))}?"
        if close
        else f"Here: {', '.join(PACKAGED)}. To be fetched: torchvision's and timm's, such as alexnet, vgg16, resnet18."
    )
    raise UnknownModel(f"No network is called {name!r}. {hint}")


def _from_torchvision(name: str) -> Blueprint:
    with importing():
        from torchvision import models

    checkpoint, preset = torchvision_checkpoint(name)
    size = preset.crop_size[0]
    if name in ("googlenet", "inception_v3"):
        # Their option transform_input undoes ImageNet's normalisation and applies (x - 0.5) / 0.5: do only the latter.
        options = {"weights": None, "aux_logits": True, "init_weights": True, "transform_input": False}
        return Blueprint(lambda: models.get_model(name, **options), _HALF, _HALF, size, checkpoint)
    return Blueprint(lambda: models.get_model(name, weights=None), preset.mean, preset.std, size, checkpoint)


def _from_timm(name: str) -> Blueprint:
    with importing():
        import timm

    about = timm.get_pretrained_cfg(name)
    if about is None:
        raise UnknownModel(f"timm does not say what images {name!r} takes, so the course cannot use it.")
    hub, checkpoint = about.hf_hub_id, None
    if hub:  # a handful of timm's networks were never trained
        file, url = f"{hub.split('/')[-1]}.safetensors", f"https://huggingface.co/{hub}/resolve/main/model.safetensors"
        checkpoint = Checkpoint(name, file, "", 0.0, about.license or "see its page", url=url)
    size = about.input_size[1]
    return Blueprint(
        lambda: timm.create_model(name),
        about.mean,
        about.std,
        size,
        checkpoint,
        None if about.num_classes == 1000 else (),
    )


def build_random(plan: Blueprint, seed: int) -> nn.Module:
    """Build a network with random weights; the random state of torch stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return without_side_classifiers(plan.build())


def build_trained(build: Callable[[], Network], checkpoint: Checkpoint) -> Network:
    """Build a network and fill it from its checkpoint; every tensor must find its place and fit.

    It computes in float32 and its parameters require no gradient; the random state of torch stays as it was.
    """
    state = read(checkpoint)
    with torch.device("meta"):  # no time and no random numbers for weights that would be replaced at once
        module = build()
    try:
        state = _renamed(state, module, checkpoint)
        state = {key: value.contiguous() for key, value in state.items()}  # converted files keep the strides of others
        module.load_state_dict(state, assign=True)
    except (RuntimeError, ValueError) as error:
        raise WeightsUnavailable(
            f"{checkpoint.file} does not fit {checkpoint.name}: {str(error).splitlines()[-1].strip()}"
        ) from error
    if any(buffer.is_meta for buffer in module.buffers()):  # constants that the network computes and no file holds
        with torch.random.fork_rng(devices=[]):
            module = build()
        module.load_state_dict(state)
    return module.float().requires_grad_(False)


def load_own(name: str, build: Callable[[], Network]) -> Network:
    """Open a network with the course's own weights of that name, in eval mode, on the device that `setup` chose.

    Raises WeightsUnavailable if the file is missing or damaged.
    """
    return build_trained(build, listed_checkpoint(name)).eval().to(default_device())


def _renamed(state: dict[str, Tensor], module: nn.Module, checkpoint: Checkpoint) -> dict[str, Tensor]:
    if checkpoint.package:  # timm's architecture under other names, tensor by tensor in the same order
        return dict(zip(module.state_dict(), state.values(), strict=True))
    if type(module).__name__ == "DenseNet":  # older than today's names: norm.1 has become norm1
        return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key): value for key, value in state.items()}
    return state


def without_side_classifiers(module: nn.Module) -> nn.Module:
    """Remove the side classifiers of GoogLeNet and Inception: they served the training only."""
    if hasattr(module, "aux_logits"):
        sides = {"aux1", "aux2", "AuxLogits"} & set(dict(module.named_children()))
        for name, value in {"aux_logits": False, **dict.fromkeys(sides)}.items():
            setattr(module, name, value)
    return module


def imagenet_labels() -> list[str]:
    """Return the 1000 class names of ImageNet, each of them once."""
    with importing():
        from torchvision.models import AlexNet_Weights

    labels = list(AlexNet_Weights.DEFAULT.meta["categories"])
    for index, label in _CLEARER_LABELS.items():
        labels[index] = label
    return labels


def load_model(name: str = "efficientnet_lite0") -> Model:
    """Open a trained network by name, on the device that `setup` chose.

    The three `efficientnet_lite*` come with the course, and `efficientnet_lite0_robust`, which was trained on against
    attacks. `alexnet`, `vgg16`, `vgg19`, `googlenet`, `inception_v3`,
    `resnet18`, `resnet101`, `densenet121`, `squeezenet1_1` and torchvision's other classifiers are downloaded once
    and checked; so are timm's. Parameters do not require gradients: the course studies networks, it seldom
    trains them.

    Raises
    ------
    UnknownModel
        No network has that name.
    WeightsUnavailable
        The trained weights are not here and cannot be fetched. Random weights are never used instead.

    Examples
    --------
    >>> import coursekit as ck
    >>> model = ck.load_model("efficientnet_lite0")
    >>> model.labels[281], model.input_size
    ('tabby', 224)
    """
    plan = blueprint(name)
    if plan.checkpoint is None:
        raise WeightsUnavailable(
            f"There are no trained weights of {name} that this course can read; "
            f"ck.random_model({name!r}) gives the network without training."
        )
    module = without_side_classifiers(build_trained(plan.build, plan.checkpoint))
    return _finish(name, plan, module, plan.checkpoint.origin)


def is_available(name: str) -> bool:
    """Say whether the trained weights of a network are on this machine; nothing is downloaded.

    >>> import coursekit as ck
    >>> ck.is_available("efficientnet_lite0")
    True
    """
    checkpoint = blueprint(name).checkpoint
    try:
        return checkpoint is not None and state_of(checkpoint) == "ok"
    except OSError:  # in a shared cache, a file that only its owner may read
        return False


def random_model(name: str, seed: int = 0) -> Model:
    """Return a network of that architecture with random weights, the same for the same seed.

    For tests and for sanity checks: it is not trained, and its `source` says so.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.random_model("resnet18", seed=3).source
    'random weights (seed 3), not trained'
    """
    plan = blueprint(name)
    return _finish(name, plan, build_random(plan, seed), f"random weights (seed {seed}), not trained")


def _finish(name: str, plan: Blueprint, module: nn.Module, source: str) -> Model:
    labels = imagenet_labels() if plan.labels is None else list(plan.labels) or None
    model = Model(module.requires_grad_(False), plan.mean, plan.std, labels)
    model.name, model.source, model.input_size = name, source, plan.input_size
    model._paths = friendly_names(name, module) or model._paths
    return model.to(default_device())
