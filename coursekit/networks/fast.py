"""A faster copy of a network that computes the same, for methods that run it often; nobody who uses `ck.` sees it.

Three things make it faster. A BatchNorm in eval mode is linear, so it is folded into the convolution before it:

    γ (W x + b − μ) / √(σ² + ε) + β  =  (s W) x + (s (b − μ) + β),   s = γ / √(σ² + ε).

The copy ends with the deepest layer that is asked for. And its parameters want no gradient, its maps are channels-last.

It is made from the recorded operations of a network (`torch.fx`), once for each model, and anew when anything about the
model has changed. Weights that are not folded are the model's own.
"""

import copy
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.modules import module as torch_modules

from coursekit.networks.model import Model

# What these compute is a function of the images. A module of one's own may count, print or choose, which a recording
# would not repeat.
_TRUSTED = ("torch.nn.", "torchvision.", "timm.", "coursekit.")
_HOOKS = itemgetter("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_ALLOWED_DEAD = ("getattr", "getitem", "_assert", "size")  # operations without effect that nobody reads
_COPIES = 8  # of one model, for as many sets of layers; they share their weights
_plans: "WeakKeyDictionary[Model, _Plan]" = WeakKeyDictionary()


class Probe(nn.Identity):
    """Stands in a fast copy where the layer `of` has its output: there hooks find it."""

    of: nn.Module

    def __init__(self, of: nn.Module):
        super().__init__()
        vars(self)["of"] = of  # and not as a child
        self.followed = True  # by operations, which may overwrite what it gives


class _Clip(nn.Hardtanh):
    """ReLU6 in place, but not where a gradient is asked for: torch would then copy its input first."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val, inplace=not torch.is_grad_enabled())


class _Same(nn.Module):
    """Conv2dSame, without a padded copy of the map.

    "Same" padding may need one more at the end than at the beginning. A kernel that begins with a row or column of
    zeros computes the same with as much on both sides, and that a convolution pads by itself.
    """

    def __init__(self, conv: Any):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        conv, more, pads = self.conv, [], []
        for length, kernel, stride, dilation in zip(
            x.shape[2:], conv.kernel_size, conv.stride, conv.dilation, strict=True
        ):
            pad = max((-(-length // stride) - 1) * stride + dilation * (kernel - 1) + 1 - length, 0)
            pads.append((pad + 1) // 2)
            more.append(pad % 2)
        weight = F.pad(conv.weight, (more[1], 0, more[0], 0))
        return F.conv2d(x, weight, conv.bias, conv.stride, pads, conv.dilation, conv.groups)


def fast_copy(model: Model, layers: Collection[str] = (), *, logits: bool = True) -> Model:
    """Return a Model that computes the same logits and the same outputs of `layers`, faster, or else the model itself.

    layers : by name; the copy has no others. logits : False stops after the deepest of them, and what the copy returns
    then means nothing.

    The model itself is returned where its operations cannot be recorded or might do more than compute: modules of other
    packages than torch, torchvision, timm and this one, hooks, weights that are made anew, half precision.

    >>> import coursekit as ck
    >>> model, image = ck.load_model("efficientnet_lite0"), ck.load_image("chelsea", size=224)
    >>> fast = fast_copy(model)
    >>> [sum(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules()) for network in (model, fast)]
    [49, 0]
    >>> bool((fast(image) - model(image)).abs().max() < 1e-5 * model(image).abs().max())
    True
    """
    with torch.inference_mode(False), torch.no_grad():  # what is made in inference mode could not be differentiated
        return _found(model, frozenset(layers), logits or not layers)


def _watched_everywhere() -> bool:
    """Whether a hook watches all modules of the process, which would miss what a copy computes."""
    kinds = ("forward_pre", "forward", "backward_pre", "backward")
    return any(getattr(torch_modules, f"_global_{kind}_hooks") for kind in kinds)


def _found(model: Model, layers: frozenset[str], logits: bool) -> Model:
    if type(model) is not Model or isinstance(model.module, fx.GraphModule) or _watched_everywhere():
        return model
    plan = _plans.get(model)
    if plan is None or not plan.is_current(model):
        if not _is_plain(model):
            return model
        plan = _plans[model] = _Plan(model)
    key = (layers, logits)
    if key not in plan.copies:
        plan.copies[key] = plan.copy(model, *key)
        if len(plan.copies) > _COPIES:
            plan.copies.pop(next(iter(plan.copies)))
    fast = plan.copies[key]
    if fast is None:
        return model
    if logits:
        model._warned = fast._warned = model._warned or fast._warned  # one warning is enough
    return fast


def _is_plain(model: Model) -> bool:
    """Tell whether the modules are known ones, nobody watches them, and the precision is full."""
    for part in model.modules():
        known = (type(part).__module__ + ".").startswith(_TRUSTED) and not hasattr(part, "parametrizations")
        if not known or any(_HOOKS(vars(part))) or "forward" in vars(part):
            return False
    tensors = (*model.parameters(), *model.buffers())
    kinds = {tensor.dtype for tensor in tensors if tensor.is_floating_point()}
    plain = all(type(tensor) in (Tensor, nn.Parameter) for tensor in tensors)
    return plain and len(kinds) == 1 and kinds <= {torch.float32, torch.float64}


class _Part:
    """What a module is made of, to see whether that has changed; what is in its tensors is for `_digest`."""

    def __init__(self, module: nn.Module):
        apart = (Tensor, np.ndarray, dict)
        settings = [k for k, v in vars(module).items() if k not in ("training", "_warned") and not isinstance(v, apart)]
        self.settings = itemgetter("_parameters", *settings)  # of two and more keys, so that it gives a tuple
        self.before = self.now(module)

    def now(self, module: nn.Module) -> list[Any]:
        own = vars(module)
        tensors = (*own["_parameters"].values(), *own["_buffers"].values())
        places = [
            tensor if tensor is None else (tensor.data_ptr(), tensor.shape, tensor.stride()) for tensor in tensors
        ]
        return [type(module), len(own), *own["_modules"].values(), places, *self.settings(own)[1:]]

    def is_same(self, module: nn.Module) -> bool:
        return not any(_HOOKS(vars(module))) and self.now(module) == self.before


class _Plan:
    """The recorded operations of a model, what it was then, and the copies that are made from them."""

    def __init__(self, model: Model):
        self.copies: dict[tuple, Model | None] = {}
        self.whole, self.parts = _Part(model), [(part, _Part(part)) for part in model.module.modules()]
        self.modules: dict[str, Any] = dict(model.module.named_modules(remove_duplicate=False))
        self.graph, self.calls = _record(model.module)
        self.pairs = _pairs(self.graph, self.modules)  # BatchNorm -> the convolution before it
        self.folded: dict[fx.Node, nn.Module] = {}
        self.sources: list[Tensor] = []
        for norm, conv in self.pairs.items():
            parts = self.modules[str(conv.target)], self.modules[str(norm.target)]
            self.folded[conv] = _folded(*parts)
            tensors = (t for part in parts for t in (*part._parameters.values(), *part._buffers.values()))
            self.sources += [t for t in tensors if t is not None and t.is_floating_point()]
        self.digest = _digest(self.sources)

    def is_current(self, model: Model) -> bool:
        same = self.whole.is_same(model) and all(part.is_same(module) for module, part in self.parts)
        return same and _digest(self.sources) == self.digest

    def copy(self, model: Model, layers: Collection[str], logits: bool) -> Model | None:
        """Write the operations down again, as far as they are needed, folded, and with a probe for each layer."""
        probes = {name: f"probe{index}" for index, name in enumerate(layers)}
        seen: dict[str, tuple[fx.Node, nn.Module]] = {}
        for name, path in probes.items():
            nodes = self.calls.get(model.layer(name), ())
            for node in nodes if len(nodes) == 1 else ():
                if node is not None:
                    seen[path] = node, model.layer(name)
        if not self.calls or len(seen) < len(probes):  # nothing is recorded, or a layer has no single output
            return None
        network = self._network(seen, logits)
        fast = Model(network, labels=model.labels if logits else None)
        fast.mean, fast.std, fast._paths = model.mean, model.std, probes
        fast.name, fast.source, fast.input_size = model.name, model.source, model.input_size
        fast._warned = not logits
        return fast

    def _network(self, probes: dict[str, tuple[fx.Node, nn.Module]], logits: bool) -> fx.GraphModule:
        seen = {node for node, _ in probes.values()}
        wanted = {node for node in self.graph.nodes if logits and node.op == "output"} | seen
        for node in reversed(self.graph.nodes):
            if node in wanted:
                wanted.update(node.all_input_nodes)
        graph = fx.Graph()
        now: dict[fx.Node, fx.Node] = {}  # as recorded -> as written down here
        parts: dict[str, Any] = {}
        for node in self.graph.nodes:
            if node.op == "output" or not (node in wanted or node.op == "placeholder"):
                continue
            before = self.pairs.get(node) or self._passes_on(node)
            if before and before not in seen:
                now[node] = now[before]  # which has done it, or changes nothing
            else:
                now[node] = graph.node_copy(node, now.__getitem__)
                self._give(node, now[node], parts, folded=node not in seen)
            if node.op == "placeholder" and len(now) == 1:
                now[node] = graph.call_method("contiguous", (now[node],), {"memory_format": torch.channels_last})
            for path in (path for path, (at, _) in probes.items() if at is node):
                parts[path] = Probe(probes[path][1])
                now[node] = graph.call_module(path, (now[node],))
        last = [node for node in self.graph.nodes if node in (wanted if logits else seen)][-1]
        graph.output(fx.map_arg(last.args[0], now.__getitem__) if logits else now[last])
        for node in graph.nodes:
            if str(node.target) in probes:
                parts[str(node.target)].followed = any(user.op != "output" for user in node.users)
        network = fx.GraphModule(parts, graph)
        kind: Any = type(network)  # the class of this network alone
        kind.__call__ = nn.Module.__call__  # its own would print the recorded code at an error
        return network

    def _passes_on(self, node: fx.Node) -> fx.Node | None:
        """Return the node before one that changes nothing."""
        nothing = node.op == "call_module" and type(self.modules[str(node.target)]) in (nn.Identity, nn.Dropout)
        return node.all_input_nodes[0] if nothing else None

    def _give(self, node: fx.Node, twin: fx.Node, parts: dict[str, Any], *, folded: bool) -> None:
        """Put what a node reads or calls among the parts of the copy, and name it there in the twin of the node."""
        if node.op not in ("get_attr", "call_module"):
            return
        path = str(node.target)
        twin.target = path.replace(".", "/")  # of one piece, since Python looks up each
        if node.op == "get_attr":
            parts[twin.target] = attrgetter(path)(self.modules[""]).detach()
        elif twin.target not in parts:
            parts[twin.target] = (self.folded.get(node) if folded else None) or _alias(self.modules[path])


class _Recorder(fx.Tracer):
    """Records the calls of modules without parts, and which operation gave the output of every module."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[nn.Module, list[fx.Node | None]] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(m.children()) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Any, args: tuple, kwargs: dict) -> Any:
        if isinstance(m, nn.BatchNorm2d) and any(m.children()):  # timm's, with dropout and activation inside
            output = self.create_proxy("call_module", self.path_of_module(m), args, kwargs)
            for part in m.children():
                output = part(output)
        else:
            output = super().call_module(m, forward, args, kwargs)
        self.calls.setdefault(m, []).append(output.node if isinstance(output, fx.Proxy) else None)
        return output


def _record(network: nn.Module) -> tuple[fx.Graph, dict[nn.Module, list[fx.Node | None]]]:
    """Return the operations of a network in eval mode, an empty graph where that cannot be; and which end each part."""
    modes = [(part, part.training) for part in network.modules()]
    recorder = _Recorder()
    try:
        network.eval()
        graph = recorder.trace(network)
    except Exception:  # what a network does with a stand-in for numbers is its own affair
        return fx.Graph(), {}
    finally:
        for part, training in modes:
            part.training = training
    for node in graph.nodes:  # an operation that nobody reads may change its input
        name = getattr(node.target, "__name__", str(node.target))
        if not node.users and node.op not in ("output", "placeholder", "get_attr") and name not in _ALLOWED_DEAD:
            return fx.Graph(), {}
    return graph, recorder.calls


def _pairs(graph: fx.Graph, modules: dict[str, Any]) -> dict[fx.Node, fx.Node]:
    """Return each BatchNorm that follows a convolution which nothing else reads, with that convolution."""
    calls = [node for node in graph.nodes if node.op == "call_module"]
    times = Counter(node.target for node in calls)
    found = {}
    for norm in calls:
        conv = norm.args[0] if norm.args else None
        if isinstance(conv, fx.Node) and conv in calls and set(conv.users) == {norm}:
            kinds = [type(modules[str(node.target)]).__name__ for node in (conv, norm)]  # not what is derived from them
            known = kinds[0] in ("Conv2d", "Conv2dSame") and kinds[1] in ("BatchNorm2d", "BatchNormAct2d")
            once = times[conv.target] == times[norm.target] == 1
            if known and once and modules[str(norm.target)].running_mean is not None:
                found[norm] = conv
    return found


def _alias(module: nn.Module) -> nn.Module:
    """Return a second module on the same tensors, in eval mode, with hooks of its own."""
    twin: nn.Module
    if isinstance(module, nn.BatchNorm2d) and any(module.children()):
        twin = nn.BatchNorm2d(module.num_features, module.eps, device="meta")  # without what timm has put inside
        own = {key: vars(module)[key] for key in ("_parameters", "_buffers")}
    else:
        twin, own = copy.copy(module), vars(module)
    vars(twin).update({key: value.copy() for key, value in own.items() if isinstance(value, dict)})
    for name, tensor in module._parameters.items():
        twin._parameters[name] = None if tensor is None else nn.Parameter(tensor.detach(), requires_grad=False)
    for name, part in twin._modules.items():
        twin._modules[name] = None if part is None else _alias(part)
    if type(module) in (nn.ReLU6, nn.Hardtanh) and module.inplace:
        twin.__class__ = _Clip
    twin.training = False
    return twin


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """Return the convolution that does what both do."""

    def exact(tensor: Tensor | None, instead: float) -> Tensor | float:
        return instead if tensor is None else tensor.to("cpu", torch.float64)  # some GPUs have no float64

    scale = exact(norm.weight, 1) / (exact(norm.running_var, 1) + norm.eps) ** 0.5
    shift = (exact(conv.bias, 0) - exact(norm.running_mean, 0)) * scale + exact(norm.bias, 0)
    both = _alias(conv)
    for name, values in (("weight", torch.as_tensor(scale).view(-1, 1, 1, 1) * exact(conv.weight, 1)), ("bias", shift)):
        both._parameters[name] = nn.Parameter(torch.as_tensor(values).to(conv.weight), requires_grad=False)
    return _Same(both) if type(conv).__name__ == "Conv2dSame" and set(conv.dilation) == {1} else both


def _digest(tensors: Sequence[Tensor]) -> bytes:
    """Return a few numbers that change when one in the tensors does: their sums with uneven weights.

    Torch counts the changes of a tensor (`_version`), but not those by `tensor.data` or NumPy.
    """
    if not tensors:
        return b""
    small = torch.cat([tensor for tensor in tensors if tensor.ndim == 1])
    rows = [small[None], *(tensor.flatten(1) for tensor in tensors if tensor.ndim > 1)]
    return torch.cat([row @ _uneven(row.shape[1], row.dtype, row.device) for row in rows]).cpu().numpy().tobytes()


@cache
def _uneven(count: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return numbers from 0.5 to 1.5 that do not repeat: multiples of the golden ratio without their whole part."""
    return (torch.arange(count, dtype=torch.float64) * 0.6180339887498949 % 1 + 0.5).to(device, dtype)
