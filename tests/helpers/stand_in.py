"""A stand-in for a GPU: it finds tensors of two devices that meet, on a machine that has one device only.

A `StandIn` tensor says that it lives on the device `pretend`. What it computes is computed on the CPU, so the numbers
are the CPU's; but beside a CPU tensor it refuses to compute, as a tensor on a GPU does, and NumPy cannot read it. It
does not show operations that a real GPU lacks, other rounding, or how much fits into its memory.

    with standing_in():             # `ck.setup()` chooses it; x.to("pretend") and torch.zeros(3, device="pretend") work
        model = ck.load_model()

`make test-device` installs it in the kernel of each lab.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "pretend"
# What torch asks of a device: one of it, whose random numbers are the CPU's.
BACKEND = SimpleNamespace(
    is_available=lambda: True,
    is_initialized=lambda: True,
    _is_in_bad_fork=lambda: False,
    device_count=lambda: 1,
    current_device=lambda: 0,
    set_device=lambda device: None,
    synchronize=lambda *args: None,
    get_amp_supported_dtype=lambda: [torch.bfloat16],
    manual_seed_all=lambda seed: None,
    get_rng_state=lambda device=None: torch.get_rng_state(),
    set_rng_state=lambda state, device=None: None,
)
_setup_privateuseone_for_python_backend(NAME, backend_module=BACKEND)
DEVICE = torch.device(NAME, 0)

CONSTANTS = torch.tensor, torch.as_tensor, torch.asarray
aten = torch.ops.aten
COPIES = {aten.copy_.default, aten._to_copy.default}
INDEXING = {
    aten.index.Tensor,
    aten.index_put_.default,
    aten.index_put.default,
    aten._index_put_impl_.default,
    aten._unsafe_index.Tensor,
}


class StandIn(Tensor):
    """A tensor on the stand-in device; `raw` is the CPU tensor that holds its numbers."""

    @staticmethod
    def __new__(cls, raw: Tensor, requires_grad: bool = False):
        tensor = Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            layout=raw.layout,
            device=DEVICE,
            requires_grad=requires_grad,
        )
        tensor.raw = raw
        return tensor

    def __init__(self, raw: Tensor, requires_grad: bool = False):
        pass

    def __repr__(self):
        return f"{self.raw!r} on {DEVICE}"

    def __format__(self, spec: str):
        return format(self.raw, spec)

    def tolist(self):
        return self.raw.tolist()

    def numpy(self, *args, **kwargs):
        raise TypeError(f"can't convert a tensor on {DEVICE} to numpy; copy it to the CPU first.")

    __array__ = numpy

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            copy = type(self)(self.raw.detach().clone(), self.requires_grad)
            copy._is_param = getattr(self, "_is_param", False)
            memo[id(self)] = copy
        return memo[id(self)]

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return compute(operation, args, kwargs or {})


def raw(value: object) -> object:
    """What stands behind it on the CPU."""
    return torch.device("cpu") if isinstance(value, torch.device) else getattr(value, "raw", value)


def named_device(args: tuple, kwargs: dict) -> torch.device | None:
    """The device for which a call asks."""
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, torch.device)), None)


def is_here(args: tuple, kwargs: dict) -> bool:
    device = named_device(args, kwargs)
    return device is not None and device.type == NAME


def compute(operation, args: tuple, kwargs: dict) -> object:
    """Do on the CPU what a device would do with these tensors, or refuse as it would."""
    tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
    ours = [tensor for tensor in tensors if isinstance(tensor, StandIn)]
    _refuse_a_mixture(operation, args, ours, [t for t in tensors if not isinstance(t, StandIn) and t.ndim > 0])
    device = named_device(args, kwargs)
    stays = bool(ours) if device is None else device.type == NAME
    generator = kwargs.get("generator")
    if generator is not None and stays:
        raise RuntimeError(f"Expected a {NAME!r} device type for generator but found {generator.device.type!r}")
    if operation is aten.copy_.default:  # the one operation that answers on another device than its second tensor's
        raw(args[0]).copy_(raw(args[1]))
        return args[0]
    result = operation(*tree_map(raw, args), **tree_map(raw, kwargs))
    known = {id(tensor.raw): tensor for tensor in ours}  # what was changed in place stays the same tensor
    if not stays:
        return result
    return tree_map(lambda r: known.get(id(r), StandIn(r)) if isinstance(r, Tensor) else r, result)


def _refuse_a_mixture(operation, args: tuple, ours: list[Tensor], foreign: list[Tensor]) -> None:
    if not ours or not foreign or operation in COPIES:
        return
    if operation in INDEXING:  # a device's tensor takes indices on the CPU, but not the other way round
        values = tree_leaves(args[2:])
        if isinstance(args[0], StandIn) and not any(tensor is value for tensor in foreign for value in values):
            return
        raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
    raise RuntimeError(f"Expected all tensors to be on the same device, but found {DEVICE} and cpu, in {operation}")


class Operations(TorchDispatchMode):
    """`x.to("pretend")` and `torch.zeros(3, device="pretend")`, where no tensor is there yet."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        return compute(operation, args, kwargs) if is_here(args, kwargs) else operation(*args, **kwargs)


class Constants(TorchFunctionMode):
    """`torch.tensor([1, 2], device="pretend")` and lists as indices: torch copies them where no dispatch sees it."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        device = kwargs.get("device")
        if function in CONSTANTS and device is not None and torch.device(device).type == NAME:
            if isinstance(args[0], Tensor):
                return args[0].to(DEVICE, kwargs.get("dtype"))
            return StandIn(function(*args, **kwargs | {"device": "cpu"}))
        if function in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], StandIn):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            index = tuple(_positions(i) if isinstance(i, list | range) else i for i in index)
            args = (args[0], index, *args[2:])
        return function(*args, **kwargs)


def on(device: str) -> AbstractContextManager:
    """Make sure that this device is here."""
    return standing_in() if device == NAME else nullcontext()


def _positions(index: list | range) -> Tensor:
    return torch.tensor(list(index), dtype=None if len(index) else torch.long)


@contextmanager
def standing_in() -> Iterator[torch.device]:
    """Give this machine the device `pretend`, the one that `ck.setup()` chooses unless it is asked for the CPU."""
    from coursekit.networks import device

    def choose(asked: str = "auto") -> torch.device:
        return torch.device("cpu") if asked == "cpu" else DEVICE

    with pytest.MonkeyPatch.context() as patch, Operations(), Constants():
        patch.setattr(device, "choose_device", choose)
        patch.setattr(device, "_default_device", DEVICE)
        before = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)  # module.to(device) makes new parameters
        try:
            yield DEVICE
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(before)


_for_good = ExitStack()


def install() -> None:
    """Switch the stand-in on for the rest of this process."""
    _for_good.enter_context(standing_in())
