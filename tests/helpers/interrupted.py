"""Interrupt the first calls of a kernel at random moments, and make each call again.

    python tests/helpers/interrupted.py 50        50 moments; prints how many kernels were broken

A kernel is a child of this process, which has imported torch and coursekit and used neither.
"""

import os
import random
import signal
import sys
import threading
import time
import warnings

import coursekit as ck

CALLS = {  # each imports a large package when it is first made: timm, half of torch, matplotlib
    "load_model": lambda: ck.load_model("efficientnet_lite0"),
    "render": lambda: ck.render(ck.random_model("patternnet"), 1, size=32, steps=1, progress=False),
    "show_images": lambda: ck.show_images(ck.stimuli.noise(8)),
}


def in_a_kernel(call, moment=None):
    """Make the call twice in a child, the first time with an interrupt after so many seconds.

    Returns how long it took and what became of it: "sound", "broken", or "late" if the call was over before.
    """
    start, child = time.monotonic(), os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return time.monotonic() - start, {0: "sound", 3: "late"}.get(os.waitstatus_to_exitcode(status), "broken")
    code, stopped = 1, True
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        warnings.simplefilter("ignore")
        timer = threading.Timer(moment or 60, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()
        try:
            call()
            stopped = not timer.is_alive()
            timer.cancel()
        except KeyboardInterrupt:
            pass
        call()
        code = 0 if stopped else 3
    except BaseException as error:
        print(f"{moment:.3f} s: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def main(count):
    """Print what became of so many kernels, as words: what, how many."""
    rng, found = random.Random(0), []
    lengths = {name: in_a_kernel(call)[0] for name, call in CALLS.items()}
    for k in range(count):
        name = list(CALLS)[k % len(CALLS)]
        found.append(in_a_kernel(CALLS[name], rng.uniform(0.05, lengths[name]))[1])
    print(*(f"{what} {found.count(what)}" for what in ("sound", "late", "broken")))


if __name__ == "__main__":
    main(int(sys.argv[1]))
