"""A forward pass alone and beside two busy processes: how long it takes with each way in which threads may wait.

`python benchmarks/company.py` (half a minute) takes the settings in turn, each in a process of its own, since OpenMP
reads them when torch is loaded. Threads of one operation wait for one another. By default they spin; beside other
programs the one that is waited for may have no core. `make lab` sets GOMP_SPINCOUNT=10000: short waits spin, long ones
sleep. On two cores of an EPYC that costs nothing (12 ms), and 30 ms beside two busy processes; 100000 took 200 ms
and more there, 1000 took 14 and 32 ms.
"""

import argparse
import os
import statistics
import subprocess
import sys

SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    **{f"GOMP_SPINCOUNT={n}": {"GOMP_SPINCOUNT": n} for n in ("100000", "10000", "1000")},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "OMP_NUM_THREADS=1": {"OMP_NUM_THREADS": "1"},
}
PASSES = """
import sys, time, torch
import coursekit as ck
torch.set_num_threads(min(torch.get_num_threads(), 2))
model, image = ck.load_model("efficientnet_lite0"), torch.zeros(1, 3, 224, 224)
spent = []
with torch.no_grad():
    model(image)
    end = time.perf_counter() + float(sys.argv[1])
    while time.perf_counter() < end or len(spent) < 3:
        began = time.perf_counter()
        model(image)
        spent.append(time.perf_counter() - began)
print(*spent)
"""


def passes(setting: dict[str, str], seconds: float) -> list[float]:
    """Return the seconds of each forward pass with these variables in the environment, and none of the others."""
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-c", PASSES, str(seconds)]
    run = subprocess.run(command, env=bare | setting, stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in run.stdout.split()]


def measure(busy: int, seconds: float) -> dict[str, list[float]]:
    """Return the passes of each setting beside so many processes that never rest."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        return {name: passes(setting, seconds) for name, setting in SETTINGS.items()}
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A forward pass alone and in company.")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement (default 2)")
    parser.add_argument("--busy", type=int, default=2, help="processes that never rest (default 2)")
    options = parser.parse_args()
    print(f"EfficientNet-Lite0, one image of 224 × 224, two threads at most; load before: {os.getloadavg()[0]:.1f}")
    alone, beside = measure(0, options.seconds), measure(options.busy, options.seconds)
    print(f"{'milliseconds a pass, median (slowest)':40}{'alone':>20}{f'beside {options.busy} busy':>20}")
    for name in SETTINGS:
        cells = [f"{1000 * statistics.median(t):.0f} ({1000 * max(t):.0f})" for t in (alone[name], beside[name])]
        print(f"{name:40}{cells[0]:>20}{cells[1]:>20}")


if __name__ == "__main__":
    main()
