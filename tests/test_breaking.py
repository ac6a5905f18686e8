"""What `tests/helpers/breaking.py` breaks: it is run by hand, for hours."""

import ast

from breaking import FILES, mutants, stages

SOURCE = '''
def f(x: int = 1) -> "a < b":
    """A text with 1 < 2."""
    print(x)
    if not x <= 2 and x:
        raise ValueError("1 + 1", 3)
    return -x + 2 if True else x
'''


def test_each_kind_of_break_is_made_once_and_types_texts_and_errors_are_left():
    found = [SOURCE[:start] + text + SOURCE[end:] for start, end, text, _ in mutants(SOURCE)]
    for broken in (
        "x: int = (1 + 1)",
        "    pass\n",
        "if (not (not x <= 2 and x)):",
        "not x <= 2 or x",
        "if  x <= 2",
        "x < 2",
        "x <= (2 + 1)",
        "return None",
        "-x - 2",
        "-x + (2 + 1)",
        "if (not (True)) else",
        "if False else",
    ):
        assert sum(broken in one for one in found) == 1, broken
    assert len(found) == 12 and all('"a < b"' in one and "1 < 2." in one and '("1 + 1", 3)' in one for one in found)
    assert all(ast.parse(one) for one in found)


def test_every_mutant_of_the_package_can_be_read_and_has_tests():
    for path in FILES:
        code = path.read_bytes()
        for start, end, text, line in mutants(path.read_text("utf8")):
            ast.parse(code[:start] + text.encode() + code[end:]), line
        assert stages(path)
