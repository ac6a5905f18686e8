"""An interrupt while a package is imported comes when the package is whole, and not before."""

import ast
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from coursekit.interrupts import importing

PACKAGE = Path(__file__).resolve().parent.parent / "coursekit"
DOORS = {"_torchvision.py", "hardware.py", "machine.py", "cli.py"}  # no call of a kernel comes through them
FREE = {*sys.stdlib_module_names, "coursekit", "torch"}  # there before any call


@pytest.fixture(autouse=True)
def interrupts_come():
    """A process that was started in the background ignores them, and so does all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted():
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block():
    done, before = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), importing():
        interrupted()
        interrupted()
        done.append("whole")
    assert done == ["whole"] and signal.getsignal(signal.SIGINT) is before


def test_it_waits_for_the_outermost_block():
    done = []
    with pytest.raises(KeyboardInterrupt), importing():
        with importing():
            interrupted()
        done.append("whole")
    assert done == ["whole"]


def test_an_error_comes_through_and_interrupts_work_again():
    with pytest.raises(ImportError, match="nothing_of_this_name"), importing():
        import coursekit.nothing_of_this_name  # noqa: F401
    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_other_threads_are_left_alone():
    said = []

    def work():
        with importing():
            said.append("imported")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == ["imported"]


def unguarded(text):
    """Return the packages that functions import outside of `with importing()`."""
    found, guarded, tree = [], set(), ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and ast.unparse(node.items[0]) == "importing()":
            guarded |= set(map(id, ast.walk(node)))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in {id(node): node for function in functions for node in ast.walk(function)}.values():
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in guarded:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [name for name in names if name.split(".")[0] not in FREE]
    return found


def test_an_unguarded_import_is_found():
    text = "def f():\n    with importing():\n        import a\n    import b, os, torch\n    from c.d import e"
    assert unguarded(text) == ["b", "c.d"]


def test_packages_are_imported_whole():
    files = [path for path in PACKAGE.rglob("*.py") if path.name not in DOORS]
    found = {path.name: unguarded(path.read_text("utf8")) for path in files}
    assert len(files) > 100 and {name: packages for name, packages in found.items() if packages} == {}


def test_no_interrupt_of_a_first_call_breaks_the_kernel():
    """Twelve moments of the first `load_model`, `render` and `show_images`; most of them come before the end."""
    script = Path(__file__).parent / "helpers/interrupted.py"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    said = subprocess.run([sys.executable, script, "12"], capture_output=True, text=True, env=environment)
    _, sound, _, late, _, broken = said.stdout.split()
    assert int(broken) == 0, said.stderr
    assert int(sound) >= 6 and int(sound) + int(late) == 12
