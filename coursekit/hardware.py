"""What the doctor finds in cores, memory and disk; each finding says what to do."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OK, NOTE, FAIL = "✓", "!", "✗"
SPINS = 10_000  # as in the Makefile, which says why


class Finding(NamedTuple):
    """One line of the report, and what to do about it."""

    mark: str
    subject: str
    seen: str
    advice: str = ""


def threads() -> Iterator[Finding]:
    """Say how many cores the course uses, and whether other programs use them, too."""
    import torch

    used, cores, others = torch.get_num_threads(), os.cpu_count() or 1, busy_cores()
    seen = f"{used} on {cores} cores" if used > 1 else f"1 of {cores} cores is used"
    if others > cores / 4:  # more threads would only wait for one another
        yield Finding(OK, "threads", seen)
        advice = "Close video calls, other notebooks and other programs: beside them the labs take longer."
        yield Finding(NOTE, "company", f"other programs use the cores: {others:.1f} of {cores}", advice)
    elif used == 1 < cores:
        yield Finding(NOTE, "threads", seen, "For more speed unset OMP_NUM_THREADS.")
    else:
        yield Finding(OK, "threads", seen)
    spinning = platform.system() == "Linux" and not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ)
    if spinning and used > 1:
        advice = f"Start JupyterLab by `make lab`, or set GOMP_SPINCOUNT={SPINS} before it starts."
        yield Finding(NOTE, "waiting", "beside another program a lab may stand still", advice)


def busy_cores(seconds: float = 0.3) -> float:
    """Return how many cores other programs keep busy while this one sleeps."""
    import psutil

    return psutil.cpu_percent(interval=seconds) / 100 * (psutil.cpu_count() or 1)


def room() -> Iterator[Finding]:
    """Say how much memory and disk is free."""
    import psutil

    memory = psutil.virtual_memory()
    seen = f"{memory.available / 2**30:.1f} GiB free of {memory.total / 2**30:.1f} GiB"
    if memory.available < 2 * 2**30:
        yield Finding(NOTE, "memory", seen, "A lab takes up to 2 GiB: close other programs and notebooks first.")
    else:
        yield Finding(OK, "memory", seen)
    if not os.access(Path.home(), os.W_OK):
        advice = "JupyterLab keeps its files there. Set HOME to a folder of your own before you start it."
        yield Finding(FAIL, "disk", "your home folder cannot be written", advice)
        return
    free = shutil.disk_usage(Path.home()).free / 2**30
    seen = f"{free:.{1 if free >= 0.2 else 2}f} GiB free in your home folder"
    if free < 0.2:
        yield Finding(FAIL, "disk", seen, "Make room: even saving a notebook may fail.")
    elif free < 2:
        yield Finding(NOTE, "disk", seen, "Enough for the labs; make room before fetching large networks.")
    else:
        yield Finding(OK, "disk", seen)
