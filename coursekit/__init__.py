"""coursekit: the helper package of the course *Seeing inside convolutional networks*.

`import coursekit as ck`, then use `ck.` names only. Each folder answers one question and lists its files and public
names; they are collected here. A file is imported when one of its names is first used, so the import itself costs
little more than torch.
"""

from importlib import import_module
from inspect import isfunction, signature, unwrap
from typing import Any

from coursekit import _torchvision
from coursekit.interrupts import importing

__version__ = "0.1.0"

with importing():
    _torchvision.cure()

FOLDERS = (
    "images",
    "networks",
    "probe",
    "attribution",
    "figures",
    "synthesis",
    "representations",
    "units",
    "evaluation",
    "explorers",
    "labs",
)

PUBLIC = {  # file -> the names of it that `ck.` has; the folders below have such a list each
    "errors": (
        "CoursekitError DataUnavailable ImageError OptionError TargetError UnknownExercise UnknownLayer "
        "UnknownModel UnsupportedActivation UnsupportedNetwork WeightsUnavailable"
    ),
    "machine": "doctor",
    "statistics": "bootstrap_interval holm",
}
_HOME = {name: f"coursekit.{file}" for file, names in PUBLIC.items() for name in names.split()}
_MODULES: dict[str, str] = {}  # files that are public as a whole: ck.stimuli.grating(…), ck.objectives.channel(…)
for _folder in FOLDERS:
    _list = import_module(f"coursekit.{_folder}")
    _HOME |= {name: f"coursekit.{_folder}.{file}" for file, names in _list.PUBLIC.items() for name in names.split()}
    _MODULES |= {name: f"coursekit.{_folder}.{name}" for name in getattr(_list, "MODULES", "").split()}

__all__ = [*_MODULES, *_HOME]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"coursekit has no {name!r}; see dir(coursekit) for what it has")
    with importing():  # what a file imports, such as matplotlib, must be whole
        module = import_module(_MODULES.get(name) or _HOME[name])
        value: Any = module if name in _MODULES else getattr(module, name)
        if name in _MODULES or (isfunction(unwrap(value)) and signature(value).parameters):
            value = import_module("coursekit.door").checked(value, name)  # but not the doctor, who may lack torch
    globals()[name] = value  # the next look-up is a plain one
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
