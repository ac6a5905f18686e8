"""On which device the course computes, and how a lab begins."""

import ctypes
import os
import random
import sys

import torch
from numpy import random as numpy_random

from coursekit.arguments import is_whole, shown
from coursekit.errors import OptionError

_default_device: torch.device | None = None  # set by setup()


def setup(seed: int = 0, device: str = "auto") -> None:
    """Seed Python, NumPy and torch, choose where `load_model` puts networks, and make repeated passes faster.

    Parameters
    ----------
    seed : int, 0 to 2**32 - 1
    device : "auto", "cpu", "cuda" or "mps"
        "auto" takes the environment variable COURSEKIT_DEVICE if it is set, else CUDA, else MPS, else the CPU.

    Examples
    --------
    >>> import coursekit as ck
    >>> ck.setup(seed=1, device="cpu")
    """
    global _default_device
    if not is_whole(seed) or seed >= 2**32:
        raise OptionError(f"seed is a whole number from 0 to 2**32 - 1, but got {shown(seed)}.")
    chosen = choose_device(device)
    random.seed(seed)
    numpy_random.seed(seed)
    torch.manual_seed(seed)
    if chosen.type == "cuda":  # full float32, so that a GPU gives the CPU's numbers
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    _keep_freed_memory()
    _default_device = chosen


def _keep_freed_memory() -> None:
    """Let the next tensor reuse the memory of the last one: on Linux many forward passes then take half the time.

    By default the C library gives each large block back to the system and asks for it again, page by page.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library than glibc: nothing to set
    mmap_max, trim_threshold = -4, -1  # the numbers of M_MMAP_MAX and M_TRIM_THRESHOLD in malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)


def default_device() -> torch.device:
    """Return the device that `setup` chose; before it was called, the fastest one."""
    return _default_device or choose_device()


def choose_device(device: str = "auto") -> torch.device:
    """Return the device of that name; "auto" asks COURSEKIT_DEVICE, then takes the fastest that is here."""
    asked = os.environ.get("COURSEKIT_DEVICE", "auto") if device == "auto" else device
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return torch.device(next(kind for kind, is_here in here.items() if is_here))
    if asked not in here:
        where = "device" if device != "auto" else "COURSEKIT_DEVICE"
        raise OptionError(f"{where} is 'auto', 'cpu', 'cuda' or 'mps', but got {asked!r}.")
    if not here[asked]:
        raise OptionError(f"This machine has no {asked!r} device that torch can use; take 'auto' or 'cpu'.")
    return torch.device(asked)
