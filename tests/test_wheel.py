"""The package works without the repository: from a source archive a wheel, and in it all that the labs read."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from notebooks import code_cells, find_lessons, read_lesson

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (
    "coursekit",
    "data",
    "gallery",
    "LICENSE",
    "LICENSE-text",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
    "setup.py",
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
TRACES = shutil.ignore_patterns("__pycache__", "*.egg-info")


def run(*command, folder, **environment):
    """Run a command in a folder; return what it prints."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The source archive, made of a copy of the course, and the wheel that is built from that archive alone."""
    folder = tmp_path_factory.mktemp("archives")
    course = folder / "course"
    course.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, course / name, **({"ignore": TRACES} if copy is shutil.copytree else {}))
    run(sys.executable, "-c", "from setuptools import build_meta; build_meta.build_sdist('..')", folder=course)
    (source,) = folder.glob("*.tar.gz")
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", source, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return source, wheel


@pytest.fixture(scope="module")
def alone(archives, tmp_path_factory):
    """A function that runs code where coursekit is what the wheel brought, and the repository is not at hand."""
    target, elsewhere = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    run(*PIP, "install", "--no-deps", "--target", target, archives[1], folder=elsewhere)

    def execute(code):
        return run(sys.executable, "-c", textwrap.dedent(code), folder=elsewhere, PYTHONPATH=str(target))

    execute.target = target
    return execute


def test_the_wheel_carries_each_file_of_data_once_and_nothing_that_is_not_read(archives):
    names = zipfile.ZipFile(archives[1]).namelist()
    entries = json.loads((ROOT / "data/manifest.json").read_text("utf8"))["files"]
    listed = {entry["file"] for entry in entries if not entry.get("package")}
    carried = {name.removeprefix("coursekit/data/") for name in names if name.startswith("coursekit/data/")}
    here = {path.relative_to(ROOT / "data").as_posix() for path in (ROOT / "data").rglob("*") if path.is_file()}
    assert listed <= here == carried
    sheets = {f"coursekit/gallery/{path.name}" for path in (ROOT / "gallery").glob("[a-z]*")}
    assert {name for name in names if "gallery/" in name} == sheets and sheets
    assert "coursekit/explorers/webcam.js" in names
    assert len(names) == len(set(names)) and {name.split("/")[0].split("-")[0] for name in names} == {"coursekit"}


def test_without_the_repository_everything_opens(alone):
    printed = alone("""
        import torch, coursekit as ck
        from coursekit.files import ALONE, restore
        print(ck.__file__, ALONE, restore("data/manifest.json"))
        print(ck.load_model("coursenet")(ck.load_image("chelsea", size=128)).shape)
        print(len(ck.scenes(2, objects=["zebra"], seed=0).images), ck.load_decoder("fc6")(torch.rand(1, 512)).shape)
        print(ck.case(0)["A"].source, ck.explore_prediction(ck.load_model("patternnet")) is not None)
        print(len(ck.stored_scoreboard("coursenet").rows), ck.stored_sanity("coursenet").layers[0])
        print(*ck.stored_cases()["occlusion"], ck.feature_gallery("steps").is_file())
    """).splitlines()
    assert printed == [
        f"{alone.target}/coursekit/__init__.py True pip install --force-reinstall --no-deps coursekit-*.whl",
        "torch.Size([1, 1000])",
        "2 torch.Size([1, 3, 128, 128])",
        "sealed True",
        "16 fc8",
        "watermark background colour networks found accusations, false cases, honest accused True",
    ]


def test_a_file_that_the_wheel_has_lost_is_told_with_the_way_back(alone):
    path = alone.target / "coursekit/data/weights/coursenet.safetensors"
    away = path.rename(path.with_suffix(".away"))
    try:
        said = alone("""
            import coursekit as ck
            try: ck.load_model("coursenet")
            except ck.WeightsUnavailable as error: print(error)
        """)
    finally:
        away.rename(path)
    assert "missing" in said and "pip install --force-reinstall --no-deps coursekit-*.whl" in said


@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.stem)
def test_the_first_code_of_a_lab_says_how_to_install_where_coursekit_is_missing(lesson, monkeypatch, capsys):
    first = code_cells(read_lesson(lesson))[0]
    assert first.metadata["id"] == "install" and first.metadata["jupyter"] == {"source_hidden": True}
    exec(first.source, {})
    assert capsys.readouterr().out == "", "nothing to say where coursekit is installed"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exec(first.source, {})
    assert "run  %pip install coursekit-*.whl  in a cell" in capsys.readouterr().out
