"""The command line, and `import coursekit`: quick, and a cure for a torchvision that does not fit."""

import os
import subprocess
import sys

import pytest

from coursekit import cli
from coursekit.errors import WeightsUnavailable
from coursekit.networks import weights


def python(script, **environment):
    """Run a script in a fresh process and return what it prints."""
    env = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


# ---------------------------------------------------------------------------------------------------- fetch


def test_fetch_verifies_what_is_there(capsys):
    with pytest.raises(SystemExit) as leaving:
        cli.fetch(["efficientnet_lite0", "efficientnet_lite1"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out.count("✓ efficientnet_lite") == 2


def test_fetch_goes_on_after_a_failure(monkeypatch, capsys):
    def unavailable(checkpoint):
        raise WeightsUnavailable(f"no {checkpoint.name} today")

    monkeypatch.setattr(weights, "download", unavailable)
    monkeypatch.setattr(weights, "state_of", lambda checkpoint: "ok" if checkpoint.package else "missing")
    with pytest.raises(SystemExit) as leaving:
        cli.fetch(["no_such_network", "alexnet", "efficientnet_lite0"])
    shown = capsys.readouterr()
    assert leaving.value.code == 1
    assert "✗ No network is called 'no_such_network'" in shown.err and "✗ no alexnet today" in shown.err
    assert "✓ efficientnet_lite0" in shown.out


def test_what_can_be_fetched_is_told_apart_from_what_is_here(capsys):
    with pytest.raises(SystemExit):
        cli.fetch(["qqqqqqqq"])
    here, fetched = capsys.readouterr().err.split("To be fetched")
    assert "efficientnet_lite0" in here and "efficientnet" not in fetched
    assert "alexnet" in fetched and "resnet18" in fetched


def test_the_installed_command(monkeypatch, capsys):
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="coursekit")
    assert script.load() is cli.main
    monkeypatch.setattr(sys, "argv", ["coursekit", "fetch", "efficientnet_lite0"])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 0 and "✓ efficientnet_lite0" in capsys.readouterr().out


def test_the_command_alone_shows_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["coursekit"])
    with pytest.raises(SystemExit):
        cli.main()
    shown = capsys.readouterr()
    assert "doctor" in shown.out + shown.err and "fetch" in shown.out + shown.err


# --------------------------------------------------------------------------------------------------- import


def test_import_is_quick_and_lazy():
    script = """
import sys, time, torch
start = time.perf_counter()
import coursekit
print(time.perf_counter() - start)
print([name for name in ("torchvision", "timm", "matplotlib", "sklearn", "skimage", "umap", "cv2", "typer")
       if name in sys.modules])
"""
    seconds, imported = python(script).splitlines()
    assert float(seconds) < 0.3 and imported == "[]"


USE = "import torchvision, torch; print(torchvision.models.squeezenet1_1()(torch.rand(1, 3, 64, 64)).shape[1])"


def test_torchvision_works_after_coursekit():
    assert python(f"import coursekit\n{USE}") == "1000"


def test_torchvision_works_after_an_import_that_failed():
    assert python(f"try:\n  import torchvision\nexcept RuntimeError:\n  pass\nimport coursekit\n{USE}") == "1000"


def test_timm_works_after_an_import_that_failed():
    script = (
        "try:\n  import timm\nexcept RuntimeError:\n  pass\nimport coursekit, timm\nprint(timm.is_model('resnet18'))"
    )
    assert python(script) == "True"


FAKE = """
import sys, torch
torch.ops.load_library = lambda path: {outcome}
def fail(path):
    raise OSError(path)
from coursekit import _torchvision
parts = [name for name in sys.modules if name.startswith("torchvision")]
print(_torchvision.cured, hasattr(torch.ops.torchvision, "nms"), parts)
"""


def test_nothing_is_touched_where_the_builds_match():
    """The compiled part loads (simulated): no operator is declared and no module is dropped."""
    assert python("import sys; sys.modules['torchvision.half'] = sys\n" + FAKE.format(outcome="None")) == (
        "False False ['torchvision.half']"
    )


def test_operators_are_declared_where_the_compiled_part_does_not_load():
    assert python("import sys; sys.modules['torchvision.half'] = sys\n" + FAKE.format(outcome="fail(path)")) == (
        "True True []"
    )


def test_an_imported_torchvision_is_left_alone():
    script = "import sys; sys.modules['torchvision'] = sys\n" + FAKE.format(outcome="fail(path)")
    assert python(script) == "False False ['torchvision']"


@pytest.mark.parametrize("missing", ["torch", "torchvision"])
def test_coursekit_can_be_imported_without(missing, tmp_path):
    (tmp_path / f"{missing}.py").write_text("raise ImportError('not today')")
    script = "import coursekit; print(coursekit.__version__)"
    assert python(script, PYTHONPATH=str(tmp_path)) == "0.1.0"
