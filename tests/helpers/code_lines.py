"""Count lines of code: lines that hold something other than blanks, comments and docstrings."""

import ast
import io
import tokenize
from pathlib import Path

NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTION)) and ast.get_docstring(node, clean=False) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def count_file(path: Path) -> int:
    """Lines of code in a file."""
    return len(code_lines(path.read_text("utf8")))


def count_functions(path: Path) -> dict[str, int]:
    """Lines of code in each function of a file, with the functions inside it; the key gives its name and first line."""
    source = path.read_text("utf8")
    lines = code_lines(source)
    return {
        f"{node.name} (line {node.lineno})": len(lines & set(range(node.lineno, node.end_lineno + 1)))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, FUNCTION)
    }
