"""Break lines of the package one at a time, and see whether a test notices.

    PYTHONPATH=tests/helpers python tests/helpers/breaking.py 60 --seed 3          of attribution, evaluation, TCAV
    PYTHONPATH=tests/helpers python tests/helpers/breaking.py 20 --of coursekit/units/*.py

A mutant that a test kills takes some seconds, one that survives up to some minutes. The tree is copied first, so the
work may go on beside it. They are drawn at random, without messages of errors, docstrings and types.
"""

import argparse
import ast
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = [*ROOT.glob("coursekit/attribution/*.py"), *ROOT.glob("coursekit/evaluation/*.py")]
FILES += [ROOT / "coursekit/representations/tcav.py"]
EVERYWHERE = ["tests/test_numerics.py", "tests/test_contract.py", "tests/test_arguments_everywhere.py"]
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is"}
OTHER |= {"in": "not in", "not in": "in", "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "**": "*"}
OTHER |= {"&": "|", "|": "&", "and": "or", "or": "and"}
SILENT = ast.Raise | ast.Import | ast.ImportFrom  # what is in these is not broken

Mutant = tuple[int, int, str, int]  # from this byte to that one other text, in this line


def mutants(source: str) -> Iterator[Mutant]:
    """Yield each way to break a source."""
    tree, starts = ast.parse(source), [0]
    code = source.encode()
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def begin(node: ast.AST) -> int:
        return starts[node.lineno - 1] + node.col_offset

    def end(node: ast.AST) -> int:
        return starts[node.end_lineno - 1] + node.end_col_offset

    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        types = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for part in [node] * isinstance(node, SILENT) + [kind for kind in types if kind is not None]:
            skipped |= set(ast.walk(part))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        pair = None
        match node:
            case ast.Compare(left=left, comparators=[right]) | ast.BinOp(left=left, right=right):
                pair = left, right
            case ast.BoolOp(values=[left, right, *_]):
                pair = left, right
            case ast.UnaryOp(op=ast.Not()):
                yield begin(node), begin(node) + len("not"), "", node.lineno
            case ast.Constant(value=bool(value)):
                yield begin(node), end(node), str(not value), node.lineno
            case ast.Constant(value=int(value) | float(value)):
                yield begin(node), end(node), f"({value} + 1)", node.lineno
            case ast.Return(value=ast.expr()):
                yield begin(node), end(node), "return None", node.lineno
            case ast.Expr(value=ast.Call()):
                yield begin(node), end(node), "pass", node.lineno
            case ast.If(test=test) | ast.IfExp(test=test):
                yield begin(test), end(test), f"(not ({code[begin(test) : end(test)].decode()}))", node.lineno
        if pair:
            between = code[end(pair[0]) : begin(pair[1])].decode()
            if (sign := between.strip(" ()\n")) in OTHER:
                yield end(pair[0]), begin(pair[1]), between.replace(sign, OTHER[sign], 1), node.lineno


def stages(path: Path) -> list[list[str]]:
    """Return the tests of a file of the package, those first that may notice soonest."""
    own = Path("tests", path.parent.name, f"test_{path.stem}.py")
    return [[str(own)] * (ROOT / own).exists(), [str(path), f"tests/{path.parent.name}", *EVERYWHERE]]


def killed(tree: Path, path: Path, mutant: Mutant) -> str:
    """Return the line of the test that noticed, "" where none did."""
    code = (tree / path).read_bytes()
    (tree / path).write_bytes(code[: mutant[0]] + mutant[2].encode() + code[mutant[1] :])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(tree)}
    try:
        for stage in filter(None, stages(path)):
            run = subprocess.run(
                [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *stage],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
            )
            if run.returncode == 1 or (run.returncode == 2 and "rror" in run.stdout):  # a failure; no import
                return next(line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))
            if run.returncode:
                raise RuntimeError(f"pytest could not run: {run.stdout[-500:]}{run.stderr[-500:]}")
        return ""
    finally:
        (tree / path).write_bytes(code)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--of", type=Path, nargs="+", default=FILES, help="files of the package")
    options = parser.parse_args()
    paths = sorted(path.resolve().relative_to(ROOT) for path in options.of)
    every = [(path, mutant) for path in paths for mutant in mutants((ROOT / path).read_text("utf8"))]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
        drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
        for i, (path, mutant) in enumerate(drawn, 1):
            noticed = killed(Path(folder), path, mutant)
            survivors += not noticed
            print(f"{i} {path}:{mutant[3]} -> {mutant[2]!r}: {noticed or 'SURVIVED'}", flush=True)
    print(f"{len(drawn) - survivors} of {len(drawn)} killed, of {len(every)} possible ones")


if __name__ == "__main__":
    main()
