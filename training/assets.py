"""Ship a trained file: write it under data/weights and enter it in data/manifest.json, both or neither."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safetensors.torch import save_file
from torch import Tensor, nn

from coursekit.evaluation.sanity import RandomisationTest
from coursekit.evaluation.scoreboard import Scoreboard
from coursekit.files import replacing, sha256_of

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data/weights"
LICENCE = "CC-BY-4.0"
Network = TypeVar("Network", bound=nn.Module)


def halved(network: Network) -> tuple[Network, dict[str, Tensor]]:
    """Return the network rounded to half precision, to be examined as it is shipped, and its tensors."""
    network = network.half().float()
    half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    return network, half


def publish(
    name: str, tensors: dict[str, Tensor], made_by: str, scores: dict[str, float], origin: str, **more: object
) -> None:
    """Write data/weights/NAME.safetensors and its entry in the manifest.

    `made_by` is the command that makes it again, `scores` what it reached on held-out data, `more` goes into the entry.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    with replacing(path) as temporary:
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, temporary)
    enter(path, made_by, origin, scores=scores, **more)
    print(f"data/{path.relative_to(ROOT / 'data')}: {path.stat().st_size / 1e6:.1f} MB, {scores}")


def publish_table(table: Scoreboard | RandomisationTest, folder: str, script: str, origin: str) -> None:
    """Write a result that has `model` and `save` to data/FOLDER/MODEL.json and enter it in the manifest."""
    path = ROOT / "data" / folder / f"{table.model}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.save(path)
    enter(path, f"python {script} {table.model}", origin)


def enter(path: Path, made_by: str, origin: str, **more: object) -> None:
    """Put a file of data/ in the manifest, in place of its former entry."""
    entry = entry_of(path, made_by, origin) | more
    replace_entries(lambda other: other == entry["file"], [entry])


def entry_of(path: Path, made_by: str, origin: str) -> dict:
    """Return the manifest entry of a file of data/."""
    return {
        "file": str(path.relative_to(ROOT / "data")),
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "licence": LICENCE,
        "origin": origin,
        "made_by": made_by,
    }


def replace_entries(is_old: Callable[[str], bool], entries: list[dict]) -> None:
    """Put `entries` in the manifest in place of the files for which `is_old(file)`; it is whole at every moment."""
    path = ROOT / "data/manifest.json"
    manifest = json.loads(path.read_text(encoding="utf8"))
    manifest["files"] = [entry for entry in manifest["files"] if not is_old(entry["file"])] + entries
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
