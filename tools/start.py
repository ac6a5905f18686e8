"""Install the course, look at the machine, write the copies of the labs, open JupyterLab: `make lab` without make.

    py tools\\start.py            Windows
    python3 tools/start.py       everywhere else

It needs Python 3.11 or newer and nothing besides. The second start installs nothing.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# Why these: see the Makefile.
ENVIRONMENT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2147483647", "GOMP_SPINCOUNT": "10000"}


def program(name: str) -> Path:
    """Return the path of a program of the environment."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


def commands(installed: bool) -> list[list[str]]:
    """Return the commands of a start, in order."""
    python = str(program("python"))
    install = [
        [sys.executable, "-m", "venv", str(VENV)],
        [python, "-m", "pip", "install", "-e", str(ROOT), "-c", str(ROOT / "constraints.txt")],
    ]
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    start = [
        [str(program("coursekit")), "doctor"],
        [python, str(ROOT / "tools" / "student.py")],
        [python, "-m", "jupyterlab", str(ROOT / "build" / "student"), *root],
    ]
    return start if installed else install + start


def main() -> int:
    """Run them, and stop at the first that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python is what this line is for)
        sys.exit(f"The course needs Python 3.11 or newer, this is {sys.version.split()[0]}.")
    stamp = VENV / "lab.stamp"
    wanted = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    installed = stamp.exists() and stamp.stat().st_mtime > max(file.stat().st_mtime for file in wanted)
    for command in commands(installed):
        if subprocess.run(command, env=ENVIRONMENT | os.environ).returncode:
            sys.exit(f"This failed: {' '.join(command)}\nDo what it says above, then start again.")
        if "pip" in command:
            stamp.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
