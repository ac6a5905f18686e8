"""pyproject.toml, constraints.txt, environment.yml and the Makefile describe one environment."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from coursekit.hardware import SPINS

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
LINES = [line for line in (ROOT / "constraints.txt").read_text("utf8").splitlines() if not line.startswith("#")]
PINS = {canonicalize_name(name): version for name, version in (line.split("==") for line in LINES)}


def requirements():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def test_every_dependency_is_pinned_inside_its_range():
    for requirement in requirements():
        pin = PINS.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is not pinned in constraints.txt"
        assert Version(pin) in requirement.specifier, f"{requirement} does not admit the pinned {pin}"


def test_pins_are_versions_that_every_index_has():
    for name, version in PINS.items():
        assert Version(version).local is None, f"{name}=={version} exists only with a local label"


def test_what_the_pins_need_is_pinned_too_and_fits():
    """Of what is installed here: no requirement of a pinned package is left open or broken."""
    installed = {canonicalize_name(d.metadata["Name"]): d for d in distributions()}
    for name in PINS.keys() & installed.keys():
        for text in installed[name].requires or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                pin = PINS.get(canonicalize_name(need.name))
                assert pin and need.specifier.contains(pin, prereleases=True), f"{name} needs {need}, pinned is {pin}"


def test_these_tests_run_with_the_pinned_versions():
    for distribution in distributions():
        pin = PINS.get(canonicalize_name(distribution.metadata["Name"]))
        assert pin is None or Version(distribution.version).public == pin, (
            f"{distribution.metadata['Name']} is not {pin}"
        )


def test_conda_installs_the_same_with_a_python_that_fits():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    python, pip, by_pip = environment["dependencies"]
    assert (pip, by_pip) == ("pip", {"pip": ["-c constraints.txt", "-e .[dev]"]})
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])


def test_make_installs_with_the_constraints_and_asks_pip_once(tmp_path):
    """The second `make` has nothing to install; a changed pin makes it install again."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf8"), "utf8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()

    def plan(target):
        return subprocess.run(["make", "-n", target], cwd=tmp_path, capture_output=True, text=True).stdout

    assert "pip install -e . -c constraints.txt" in plan("student")
    assert 'pip install -e ".[dev]" -c constraints.txt' in plan("notebooks")
    for stamp in ("lab.stamp", "dev.stamp"):
        (tmp_path / ".venv" / stamp).touch()
    assert "pip" not in plan("student") + plan("notebooks")
    (tmp_path / ".venv" / "dev.stamp").unlink()
    assert "pip install" in plan("notebooks")


# JupyterLab starts a kernel with the environment that it has itself; this asks such a kernel.
KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
client.execute_interactive("import os; print(os.environ.get('GOMP_SPINCOUNT'))", timeout=60)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_a_kernel_below_make_knows_how_long_to_spin():
    bare = {key: value for key, value in os.environ.items() if not key.startswith("GOMP_")}
    rule = 'kernel:\n\t@$(PROGRAM) -c "$$SCRIPT"'

    def kernel(**environment):
        command = ["make", "-s", f"--eval={rule}", "kernel", f"PROGRAM={sys.executable}"]
        run = subprocess.run(command, cwd=ROOT, env=bare | environment, capture_output=True, text=True)
        return run.stdout.strip()

    assert kernel(SCRIPT=KERNEL) == str(SPINS)
    assert kernel(SCRIPT="import os; print(os.environ['GOMP_SPINCOUNT'])", GOMP_SPINCOUNT="7") == "7", "a choice wins"


def test_conda_sets_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    assert environment["variables"] == {"GOMP_SPINCOUNT": str(SPINS)}
