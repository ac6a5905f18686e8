"""Everything about a model, and about the world around it, that a function could change and forget."""

import random

import numpy as np
import torch
from nets import small_model
from torch import Tensor, nn

import coursekit as ck


def unusual_model(size: int = 224) -> ck.Model:
    """A model in a state that no method would choose by itself, so that restoring the usual one is seen."""
    model = small_model(inplace=True)
    model.input_size = size
    net = model.module
    net.conv1.weight.grad = torch.full_like(net.conv1.weight, 3.0)
    net.fc.bias.requires_grad_(False)
    net.bn1.train()
    net.dropout.train()
    net.conv2.register_forward_hook(lambda module, inputs, output: None)
    net.fc.register_full_backward_hook(lambda module, inputs, outputs: None)
    net.relu6.register_forward_pre_hook(lambda module, inputs: None)
    return model


def frozen(value: object) -> object:
    """A copy that can be compared with ==."""
    if isinstance(value, Tensor):
        return str(value.dtype), str(value.device), value.requires_grad, value.detach().cpu().numpy().tobytes()
    return value.tobytes() if isinstance(value, np.ndarray) else value


def state_of(model: ck.Model) -> dict[str, object]:
    """Everything about a model that a method could change and forget."""
    state = {}
    for path, module in model.named_modules():
        state[f"{path}: itself"] = id(module), type(module)
        for key, value in vars(module).items():
            if key in ("_parameters", "_buffers"):
                for name, tensor in value.items():
                    grad = getattr(tensor, "grad", None)
                    state[f"{path}.{name}"] = id(tensor), frozen(tensor), frozen(grad)
            elif "hooks" in key:
                state[f"{path}: {key}"] = list(value.items()) if isinstance(value, dict) else value
            elif key not in ("_modules", "passes"):  # training, inplace, a replaced forward, whatever else
                state[f"{path}: {key}"] = frozen(value) if isinstance(value, Tensor) else repr(value)
    return state


def state_of_the_world() -> dict[str, object]:
    """What a method could change outside the model."""
    return {
        "torch": frozen(torch.get_rng_state()),
        "cuda": [frozen(s) for s in torch.cuda.get_rng_state_all()] if torch.cuda.is_available() else [],
        "numpy": [frozen(part) for part in np.random.get_state()],
        "python": random.getstate(),
        "gradients are on": torch.is_grad_enabled(),
        "default dtype": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "global hooks": len(nn.modules.module._global_forward_hooks) + len(nn.modules.module._global_backward_hooks),
    }


class unchanged:
    """Fail unless the block leaves model, images and the world as they were, also when it raises."""

    def __init__(self, model: ck.Model, images: Tensor):
        self.look = lambda: state_of(model) | state_of_the_world() | {"images": frozen(images), "grad": images.grad}

    def __enter__(self):
        self.before = self.look()

    def __exit__(self, *exception):
        after = self.look()
        changed = [key for key in self.before.keys() | after.keys() if self.before.get(key) != after.get(key)]
        assert not changed, f"changed: {changed}"
