"""An interrupt that comes while a package is imported waits until the package is whole.

Python keeps the half of a package that it has read, and each later call then fails until the kernel is restarted.
"""

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def importing() -> Iterator[None]:
    """Hold an interrupt back inside the block and let it come at its end. Elsewhere than in the main thread none comes.

    Some packages (scikit-learn) draw from Python's random numbers when they are imported; these stay as they were.

    >>> with importing():
    ...     from sklearn.manifold import TSNE
    """
    numbers = random.getstate()
    try:
        with _held_back():
            yield
    finally:
        random.setstate(numbers)


@contextmanager
def _held_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):  # none can come here
        yield
        return
    waiting: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda number, frame: waiting.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        before(signal.SIGINT, waiting[0])
