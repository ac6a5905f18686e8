"""Where there is no make: one command, a container and Binder start the same course in the same way."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

import start
from notebooks import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf8")
SET = dict(re.findall(r"^export ((?:MALLOC|GOMP)\w+) \??:?= *(\S+)$", MAKEFILE, re.M))
SPY = """#!/bin/sh
echo "$(basename "$0") $* $GOMP_SPINCOUNT" >> "$SPY"
case "$*" in *"$FAILS"*) exit 1;; esac
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder whose environment notes what it is asked to run."""
    for name in ("pyproject.toml", "constraints.txt", "tools/start.py", "tools/student.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text("utf8"), "utf8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "coursekit"):
        (tmp_path / ".venv" / "bin" / name).write_text(SPY)
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    (tmp_path / ".venv" / "lab.stamp").touch()

    def run(fails="nothing fails", **environment):
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        bare = {key: value for key, value in os.environ.items() if not key.startswith("GOMP_")}
        env = bare | {"SPY": str(log), "FAILS": fails} | environment
        done = subprocess.run([sys.executable, "tools/start.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
        return done, [line.replace(f"{tmp_path}/", "") for line in log.read_text().splitlines()]

    return run


@pytest.mark.skipif(os.name == "nt", reason="the spy is a shell script")
def test_one_command_does_what_make_lab_does(course):
    done, called = course()
    assert done.returncode == 0, done.stderr
    spins = SET["GOMP_SPINCOUNT"]
    root = " --allow-root" if os.geteuid() == 0 else ""
    assert called == [
        f"coursekit doctor {spins}",
        f"python tools/student.py {spins}",
        f"python -m jupyterlab build/student{root} {spins}",
    ]
    assert course(GOMP_SPINCOUNT="7")[1][0] == "coursekit doctor 7", "a choice wins"


@pytest.mark.skipif(os.name == "nt", reason="the spy is a shell script")
def test_it_stops_at_what_fails_and_says_so(course):
    done, called = course(fails="doctor")
    assert len(called) == 1 and done.returncode == 1 and "This failed: " in done.stderr and "doctor" in done.stderr


def test_it_installs_first_where_nothing_is_installed():
    words = [" ".join(command) for command in start.commands(installed=False)]
    assert "-m venv" in words[0] and f"-e {ROOT} -c {ROOT / 'constraints.txt'}" in words[1]
    assert words[2:] == [" ".join(command) for command in start.commands(installed=True)]


def test_all_places_set_the_same_environment():
    assert start.ENVIRONMENT == SET and len(SET) == 3
    docker = re.search(r"^ENV (.+)$", (ROOT / "Dockerfile").read_text("utf8"), re.M)[1]
    binder = re.search(r"^export (.+)$", (ROOT / ".binder" / "start").read_text("utf8"), re.M)[1]
    for line in (docker, binder):
        assert dict(word.split("=") for word in shlex.split(line)) == SET


def test_the_container_copies_what_exists_and_installs_the_pins():
    text = (ROOT / "Dockerfile").read_text("utf8")
    for names in re.findall(r"^COPY (.+) \S+$", text, re.M):
        assert all((ROOT / name).exists() for name in names.split())
    assert re.search(r"FROM python:(3\.\d+)", text)[1] == "3.11"
    assert all("-c constraints.txt" in line for line in text.splitlines() if "pip install" in line)
    assert "USER student" in text and '"build/student"' in text


def test_binder_installs_the_course_and_writes_the_copies():
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf8"))
    *_, by_pip = environment["dependencies"]
    assert by_pip["pip"][1:] == ["-c ../constraints.txt", "-e .."]
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK) and os.access(ROOT / ".binder" / "start", os.X_OK)
    assert "python tools/student.py" in (ROOT / ".binder" / "postBuild").read_text("utf8")


def test_packages_of_pytorch_come_with_those_of_pypi():
    """Our exact versions of what PyTorch needs are on PyPI; PyTorch's index alone does not have them all."""
    places = ["README.md", "Dockerfile", ".binder/environment.yml", ".github/workflows/test.yml"]
    lines = [line for name in places for line in (ROOT / name).read_text("utf8").splitlines()]
    found = [line for line in lines if "download.pytorch.org" in line]
    assert len(found) == len(places) and all("--extra-index-url https" in line for line in found)
