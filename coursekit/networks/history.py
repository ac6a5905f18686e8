"""CourseNet at earlier moments of its training: how features form."""

from collections import defaultdict

import torch
from torch import Tensor, nn

from coursekit.errors import OptionError
from coursekit.files import files
from coursekit.networks.loading import load_model
from coursekit.networks.model import Model
from coursekit.networks.weights import listed_checkpoint, read


def training_history() -> dict[int, dict[str, Tensor]]:
    """Return the filters of CourseNet by training step: {step: {"conv1": (64, 3, 7, 7), …}}, the first one at step 0.

    Every moment has conv1; a few have all five convolutions, stored in 8 bits. The last moment is the shipped network.
    Compare Zeiler & Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, fig. 4.

    >>> moments = training_history()
    >>> list(moments)[0], moments[0]["conv1"].shape
    (0, torch.Size([64, 3, 7, 7]))
    """
    moments = {
        step: {key.removesuffix(".weight"): value for key, value in kept.items() if key.endswith(".weight")}
        for step, kept in _kept().items()
    }
    network = load_model("coursenet")
    moments[files("weights")["coursenet"]["steps"]] = {
        name: network.layer(name).get_parameter("weight").cpu() for name in network.layers if name.startswith("conv")
    }
    return moments


def coursenet_at(step: int) -> Model:
    """Open CourseNet's convolutions as they were at a step of its training that kept all of them.

    Its output is the map of pool5, not logits: the fully connected layers of that moment were not kept.
    Raises OptionError for another step; `training_history()` lists them.
    """
    kept = {step: tensors for step, tensors in _kept().items() if "conv5.weight" in tensors}
    if step not in kept:
        raise OptionError(f"All convolutions were kept at the steps {', '.join(map(str, kept))}, but not at {step!r}.")
    final = load_model("coursenet")
    layers = dict(final.module.named_children())
    names = list(layers)[: list(layers).index("avgpool")]
    module = nn.Sequential()
    for name in names:
        module.add_module(name, layers[name])
    module.load_state_dict(kept[step])
    model = Model(module, final.mean.flatten().tolist(), final.std.flatten().tolist())
    model.name, model.input_size = f"coursenet at step {step}", final.input_size
    model.source = f"the convolutions of CourseNet at step {step} of its training"
    return model


def _kept() -> dict[int, dict[str, Tensor]]:
    """Return the stored tensors in float32, by step and name."""
    state = read(listed_checkpoint("coursenet_history"))
    moments: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, value in state.items():
        step, name = key.split(".", 1)
        if name.endswith(".scale"):
            continue
        scale = state.get(f"{key}.scale", torch.ones(()))
        moments[int(step)][name] = value.float() * scale.float()
    return dict(sorted(moments.items()))
