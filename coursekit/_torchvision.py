"""Let torchvision be imported where its compiled part does not fit the installed torch.

PyPI's torchvision is built for CUDA. Beside a CPU-only torch, `import torchvision` fails with "operator
torchvision::nms does not exist", although its networks and transforms need no compiled operator at all. Declaring the
two operators that its Python code asks for is enough. Nothing is touched where the builds match.
"""

import os
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

cured = False
_declarations = None  # torch forgets the operators when this object dies


def cure() -> bool:
    """Declare the missing operators if torchvision needs it; return whether it did."""
    global _declarations, cured
    if "torchvision" in sys.modules or cured:
        return False  # imported, hence healthy; or cured before
    try:
        import torch

        spec = find_spec("torchvision")
    except Exception:  # a broken torch or torchvision: `coursekit doctor` reports it, `import coursekit` must not fail
        return False
    if spec is None or spec.origin is None or _compiled_part_loads(Path(spec.origin).parent):
        return False
    for name in [name for name in sys.modules if name.startswith("torchvision.")]:
        del sys.modules[name]  # what an import that failed earlier left behind
    if not hasattr(torch.ops.torchvision, "nms"):
        _declarations = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            _declarations.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    cured = True
    return True


def _compiled_part_loads(folder: Path) -> bool:
    """Try torchvision's compiled operators, as its own import does, without the second that the import costs."""
    import torch

    # "_C" in older versions, "_C_stable" since 0.29: an operator that is declared here and then loaded ends the process
    compiled = [path for path in sorted(folder.glob("_C*")) if path.suffix in (".so", ".pyd", ".dylib")]
    add_folder = getattr(os, "add_dll_directory", None)  # on Windows
    with add_folder(str(folder)) if add_folder else nullcontext():
        for path in compiled:
            try:
                torch.ops.load_library(str(path))
                return True
            except (OSError, ImportError):
                continue
    return False
