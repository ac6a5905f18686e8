"""Write docs/reference.md: each folder of coursekit, its files, their public names, and what each name does.

    python tools/reference.py            write the page
    python tools/reference.py --check    change nothing; say what has no docstring, and whether the page is out of date

Everything is read from the source, nothing is imported: the list PUBLIC in each folder's `__init__.py` gives the
names, `def` and `class` give the signatures, the docstrings give the sentences.
"""

import argparse
import ast
import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/reference.md")
HEAD = """\
# Reference

Every public name of `coursekit`: folder, file, name, signature, and what it does in one sentence. `help(ck.NAME)` tells
the rest: shapes, ranges, errors, sources and an example. [architecture.md](architecture.md) explains the folders.
`make docs` writes this page; do not edit it.
"""

Definition = ast.FunctionDef | ast.ClassDef


class Undocumented(Exception):
    """Public names without a docstring, or listed and not defined; one line for each."""


def constant(tree: ast.Module, name: str) -> object:
    """The literal that a module gives to a name, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return ast.literal_eval(node.value)
    return None


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf8"))


def folders(package: Path) -> list[Path]:
    """The package itself, then its folders in the order of FOLDERS."""
    return [package, *(package / name for name in constant(parse(package / "__init__.py"), "FOLDERS") or ())]


def public_names(folder: Path) -> dict[Path, list[str]]:
    """File -> the names that `ck.` has of it, as PUBLIC says; of a file in MODULES `stimuli.gabor` and so on."""
    tree = parse(folder / "__init__.py")
    modules = (constant(tree, "MODULES") or "").split()
    found = {}
    for file, names in (constant(tree, "PUBLIC") or {}).items():
        path = folder.joinpath(*file.split(".")).with_suffix(".py")
        found[path] = names.split()
        if file in modules:
            found[path] += [f"{file}.{name}" for name in definitions(path) if not name.startswith("_")]
    return found


def definitions(path: Path) -> dict[str, Definition]:
    """Name -> the function or class of that name in a file."""
    return {node.name: node for node in parse(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def first_sentence(node: ast.AST) -> str:
    """The first sentence of a docstring, on one line; empty where there is none."""
    paragraph = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-ZΔ`(])", paragraph)[0]


def signature(node: Definition) -> str:
    """`f(model, images, *, options=1) -> Tensor`: names and defaults, without the types of the arguments."""
    if isinstance(node, ast.ClassDef):
        return node.name
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument:
            argument.annotation = None
    names = ast.unparse(arguments).removeprefix("self, ").removeprefix("self")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and ast.unparse(node.returns) != "None" else ""
    return f"{node.name}({names}){returns}"


def methods(node: Definition) -> list[ast.FunctionDef]:
    """The public methods and properties of a class."""
    inside = node.body if isinstance(node, ast.ClassDef) else []
    return [part for part in inside if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")]


def is_property(node: ast.FunctionDef) -> bool:
    """Tell whether a method is read like an attribute."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def entry(node: Definition, prefix: str) -> list[str]:
    """The lines of one public name, with its public methods below it."""
    lines = [f"- `{prefix}{signature(node)}`<br>{first_sentence(node)}"]
    for part in methods(node):
        call = part.name if is_property(part) else signature(part)
        lines.append(f"  - `.{call}`<br>{first_sentence(part)}")
    return lines


def missing(node: Definition, where: str) -> list[str]:
    """What of a public name has no docstring."""
    return [
        f"{where}: {name} has no docstring"
        for name, part in [(node.name, node), *((f"{node.name}.{part.name}", part) for part in methods(node))]
        if not first_sentence(part)
    ]


def page(root: Path = ROOT) -> str:
    """The text of the page; Undocumented says what keeps it from being written."""
    package, lines, wrong = root / "coursekit", [HEAD], []
    for folder in folders(package):
        tree = parse(folder / "__init__.py")
        title = folder.relative_to(root).as_posix() + "/"
        lines.append(f"## [{title}](../{title})\n\n{ast.get_docstring(tree)}\n")
        for path, names in public_names(folder).items():
            if not names:
                continue
            where = path.relative_to(root).as_posix()
            lines.append(f"### [{path.relative_to(folder).as_posix()}](../{where})\n\n{first_sentence(parse(path))}\n")
            defined = definitions(path)
            for name in names:
                prefix, dot, last = name.rpartition(".")
                if last in defined:
                    wrong += missing(defined[last], where)
                    lines += entry(defined[last], f"ck.{prefix}{dot}")
                else:
                    wrong.append(f"{where}: {name} is public, but no function or class of that name is defined")
            lines.append("")
    if wrong:
        raise Undocumented("\n".join(wrong))
    return "\n".join(lines).rstrip() + "\n"


def main(root: Path, check: bool) -> int:
    """Write the page, or check it; the exit status is 1 when something is to be done."""
    try:
        text = page(root)
    except Undocumented as error:
        print(f"{error}\nGive each of these one sentence.", file=sys.stderr)
        return 1
    target = root / PAGE
    old = target.read_text("utf8") if target.exists() else ""
    if not check:
        target.write_text(text, "utf8")
    elif old != text:
        difference = difflib.unified_diff(
            old.splitlines(), text.splitlines(), "docs/reference.md", "the source", n=0, lineterm=""
        )
        print("\n".join([*[*difference][:30], "docs/reference.md is out of date: run `make docs`."]), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if there is something to do")
    sys.exit(main(ROOT, parser.parse_args().check))
