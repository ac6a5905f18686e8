"""Cures for four gaps of nbval 0.11 (see tests/tools/test_notebooks.py), and where tools/ lies.

This file stands at the root because pytest reads it for `pytest --nbval notebooks/` as well as for `pytest tests/`.
"""

import sys
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

sys.path.insert(0, str(Path(__file__).parent / "tools"))


def _execute_as_jupyterlab_does(self, cell_input, allow_stdin=None):
    # nbval passes store_history=False; IPython then ignores a trailing ";" and numbers no output.
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


_compare_outputs = IPyNbCell.compare_outputs


def _compare_without_stderr(self, test, ref, skip_compare=None):
    # Progress bars and warnings differ between runs; tools/notebooks.py drops them from the notebooks as well.
    test, ref = ([out for out in outs if out.get("name") != "stderr"] for outs in (test, ref))
    return _compare_outputs(self, test, ref, skip_compare)


RunningKernel.execute_cell_input = _execute_as_jupyterlab_does
IPyNbCell.compare_outputs = _compare_without_stderr


def pytest_collection_modifyitems(config, items):
    """Refuse a notebook that was not executed: nbval would have nothing to compare with, and let it pass."""
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    unrun = sorted({item.path.name for item in cells if item.cell.execution_count is None})
    if unrun:
        raise pytest.UsageError(f"not executed, run `make notebooks`: {', '.join(unrun)}")


def pytest_runtest_makereport(item, call):
    """Remember the first cell of a notebook that raised."""
    if isinstance(item, IPyNbCell) and call.excinfo is not None and "exception" in str(call.excinfo.value):
        item.parent.first_error = item.name


def pytest_runtest_setup(item):
    """Report the first exception of a notebook, not the NameErrors that follow from it."""
    if isinstance(item, IPyNbCell) and hasattr(item.parent, "first_error"):
        pytest.fail(f"not run, because {item.parent.first_error} raised", pytrace=False)
