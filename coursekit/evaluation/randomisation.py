"""Networks that forget: the weights of one layer after another are drawn anew."""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from coursekit.errors import OptionError, UnknownLayer, UnknownModel, UnsupportedNetwork
from coursekit.networks.loading import blueprint, build_random
from coursekit.networks.model import Model

SALT = 2_718_281_828  # draws with seed s come from the stream s + SALT: nobody trains from that one
ALIKE = 0.3  # a draw whose weights correlate more than that with the trained ones is where the training began
MODES = ("cascading", "independent")


def randomised(
    model: Model, *, seed: int = 0, mode: str = "cascading", layers: Sequence[str] = ()
) -> Iterator[tuple[str, Model]]:
    """Draw the weights of one layer after another anew, from the logits down, and yield each step of it.

    The steps happen in a copy: the model that you pass never changes, whatever happens in your loop.

    All new weights come from one network that is drawn by the architecture's own initialisation (`ck.random_model`
    for a network that has a name; `reset_parameters` of each part for one of your own). Layers of equal shape get
    different numbers, and a layer gets the same ones in both modes. At the end of a whole cascade the copy is that
    random network. The seed with which the training began would give the weights from before it, relatives of the
    trained ones. So networks of your own are drawn from streams with which nobody trains, and a draw that is alike
    nevertheless (correlation above 0.3 in a layer) gives way to another.

    Batch normalisation belongs to the layer before it. Its scale, shift, running mean and running variance become those
    of a new network, 1, 0, 0 and 1, so that it passes on what it gets; learned statistics would be those of
    activations that no longer exist.

    Parameters
    ----------
    model : Model
    seed : which random network.
    mode : "cascading" randomises a layer and all above it, "independent" that layer alone.
    layers : yield at these layers only; the cascade passes through the others too. Without it, at each layer that has
        weights, see `randomisable`.

    Yields
    ------
    layer name, network: always the same copy, one step further. Take a `copy.deepcopy` of one that you want to keep.

    Raises
    ------
    OptionError, UnknownLayer, UnsupportedNetwork
        No such mode; no such layer with weights; a part of a network of your own has no `reset_parameters`.

    References
    ----------
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim, *Sanity checks for saliency maps*, NeurIPS 2018, sec. 3.1.

    Examples
    --------
    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> for layer, network in ck.randomised(model, seed=1, layers=["fc", "block14"]):
    ...     print(layer, ck.predict(network, image, top=1)[0][0][0] == "Egyptian cat")
    fc False
    block14 False
    """
    wanted = ordered_layers(model, mode, layers)  # a generator would check only when the loop begins
    return _steps(model, _redrawn(model, seed), wanted, mode)


def randomisable(model: Model) -> dict[str, list[str]]:
    """Return the layers that have weights, in the order in which data flows: name -> paths of its parts in the module.

    Parts that hold vectors only, such as batch normalisation, go with the layer before them.

    >>> import coursekit as ck
    >>> ck.randomisable(ck.random_model("resnet18"))["conv1"]
    ['conv1', 'bn1']
    """
    named = {path: name for name, path in model._paths.items()}
    groups: dict[str, list[str]] = {}
    name = ""
    for path, part in model.module.named_modules():
        if _own(part):
            around = [whole for whole in named if path == whole or path.startswith(f"{whole}.")]
            name = named[max(around, key=len)] if around else name or path or type(part).__name__.lower()
            groups.setdefault(name, []).append(path)
    layers: dict[str, list[str]] = {}
    for name, paths in groups.items():
        tensors = (tensor for path in paths for tensor in _own(model.module.get_submodule(path)))
        if layers and all(tensor.ndim < 2 for tensor in tensors):
            name = next(reversed(layers))
        layers.setdefault(name, []).extend(paths)
    return layers


def ordered_layers(model: Model, mode: str, layers: Sequence[str] = ()) -> list[str]:
    """Check mode and layers, and return the layers from the logits down; without `layers`, all that have weights."""
    if mode not in MODES:
        raise OptionError(f"mode is 'cascading' or 'independent', but got {mode!r}.")
    names = list(reversed(randomisable(model)))
    if unknown := [name for name in layers if name not in names]:
        raise UnknownLayer(
            f"{model.name} has no layer {unknown[0]!r} with weights of its own; it has {', '.join(names)}."
        )
    return [name for name in names if name in layers or not layers]


def _steps(model: Model, fresh: nn.Module, wanted: Sequence[str], mode: str) -> Iterator[tuple[str, Model]]:
    network = copy.deepcopy(model)
    for name, paths in reversed(randomisable(model).items()):
        if mode == "cascading" or name in wanted:
            _copy(fresh, network.module, paths)
        if name in wanted:
            yield name, network
        if mode == "independent":
            _copy(model.module, network.module, paths)


@torch.no_grad()
def _copy(source: nn.Module, target: nn.Module, paths: Sequence[str]) -> None:
    for path in paths:
        pairs = zip(_own(target.get_submodule(path)), _own(source.get_submodule(path)), strict=True)
        for old, new in pairs:
            old.copy_(new)


def _own(part: nn.Module) -> list[Tensor]:
    """The tensors of a module itself, not those of its parts."""
    return [*part.parameters(recurse=False), *part.buffers(recurse=False)]


def _redrawn(model: Model, seed: int) -> nn.Module:
    """Return a network of the same architecture with random weights, and not those with which its training began."""
    module = _drawn(model, seed)
    return _drawn(model, (seed + SALT) % 2**32) if likeness(module, model.module) > ALIKE else module


def likeness(one: nn.Module, other: nn.Module) -> float:
    """Return the largest correlation of a weight tensor of one network with that of the other; small ones say little.

    >>> likeness(nn.Linear(20, 20), nn.Linear(20, 20)) < 0.3
    True
    """
    found = [0.0]
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        if a.ndim > 1 and a.numel() >= 256:
            r = torch.corrcoef(torch.stack([a.detach().cpu().flatten(), b.detach().cpu().flatten()]).double())[0, 1]
            found.append(float(r.nan_to_num()))
    return max(found)


def _drawn(model: Model, seed: int) -> nn.Module:
    """Return a network of the same architecture with random weights, the same on every device."""
    try:
        module = build_random(blueprint(model.name), seed)
        if _shapes(module) == _shapes(model.module):
            return module
    except UnknownModel:
        pass  # one of the user's own
    module = copy.deepcopy(model.module).cpu()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed((seed + SALT) % 2**32)
        for path, part in module.named_modules():
            if not list(part.parameters(recurse=False)):
                continue
            if not hasattr(part, "reset_parameters"):
                raise UnsupportedNetwork(
                    f"{type(part).__name__} ({path or 'the network itself'}) does not say how its weights are drawn; "
                    f"give it a method reset_parameters(), as PyTorch's layers have."
                )
            part.reset_parameters()
    return module


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}
