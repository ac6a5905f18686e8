"""Replay the cells of a lab with other seeds: what benchmarks/tcav.py and benchmarks/units.py share."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
Names = dict[str, Any]
Parts = dict[str, tuple[list[str], Callable[[Names, int], str]]]


def cells(lesson: str) -> dict[str, str]:
    """Return the code of every cell of a lab by its id."""
    parts = re.split(r"(?m)^# %% (.*)\n", (LESSONS / f"{lesson}.py").read_text(encoding="utf8"))[1:]
    heads = [re.search(r'id="([^"]+)"', head) for head in parts[::2]]
    return {head[1]: code for head, code in zip(heads, parts[1::2], strict=True) if head}


def replay(lesson: str, names: Names, *ids: str, **changes: str) -> None:
    """Run cells of a lab one after the other; each change, old=new, must be found in them."""
    found = cells(lesson)
    code = "\n".join(found[i] for i in ids)
    for old, new in changes.items():
        if old not in code:
            raise SystemExit(f"The cells {', '.join(ids)} do not hold {old!r} any more.")
        code = code.replace(old, new)
    exec(compile(code, f"{lesson}.py", "exec"), names)


def ten_seeds(lesson: str, parts: Parts, description: str | None) -> None:
    """Replay what each part needs once, and then the part with ten seeds: the command line of a benchmark."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(parts), help=f"some of {', '.join(parts)}")
    for part in parser.parse_args().parts:
        before, measure = parts[part]
        names: Names = {}
        replay(lesson, names, *before)
        print(part)
        for seed in range(10):
            print(f"  seed {seed}: {measure(names, seed)}", flush=True)
