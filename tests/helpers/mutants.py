"""Wrong answers by the hundred: small systematic changes of a right one (mutation testing).

Each right answer of an exercise is read from its `RIGHT` list as a tree. A mutant differs from it in one place: a sign,
an operator, a comparison, a constant, the order of two arguments, a term or a call that is missing; or in what becomes
of its result: the sign, the absolute value, rows for columns, zeros, or the first result for ever.
"""

import ast
import copy
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from coursekit.labs.checking import judged

SECONDS = 5  # of processor time; a mutant that runs longer is no right answer
FUNCTIONS = {"min": "max", "amin": "amax", "argmin": "argmax", "mean": "sum"}
FUNCTIONS |= {other: one for one, other in FUNCTIONS.items()}
SHAPES = {"float", "double", "clone", "contiguous", "detach", "item", "tolist", "reshape", "view", "flatten", "squeeze"}
PLAIN = {"abs", "clamp", "relu", "softmax", "sqrt", "square", "exp", "log"}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
FLIPS = {
    ast.Gt: [ast.Lt, ast.GtE],
    ast.Lt: [ast.Gt, ast.LtE],
    ast.GtE: [ast.LtE, ast.Gt],
    ast.LtE: [ast.GtE, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
}


def mutants(module: ModuleType, number: str) -> Iterator[tuple[str, object]]:
    """Yield "what was changed" and the wrong answer, of the first right answer that is written in the file."""
    tree = ast.parse(Path(module.__file__).read_text("utf8"))
    expression = _right(tree, number)
    program = ast.Module([*_needed(tree, expression), ast.Assign([ast.Name("answer", ast.Store())], expression)], [])
    program = _without_switches(program)
    right = _run(module, program)
    yield "nothing", right
    if callable(right):
        yield from _changed_code(module, program)
        for name, change in RESULTS.items():
            yield f"the result: {name}", _then(right, change())
    elif isinstance(right, int | float):
        for name, change in VALUES.items():
            yield f"the value: {name}", change(right)


def _right(tree: ast.Module, number: str) -> ast.expr:
    """Find the first right answer of an exercise: a function with a name, else what stands there."""
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "RIGHT"]
    found = [pair.elts[1] for each in lists for pair in each.elts if pair.elts[0].value == number]
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    named = [one for one in found if isinstance(one, ast.Name) and one.id in names]
    return [*named, *(one for one in found if isinstance(one, ast.Constant)), found[0]][0]


def _needed(tree: ast.Module, expression: ast.expr) -> list[ast.FunctionDef]:
    """Return the functions of the file that the answer calls, and those that they call."""
    known = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    needed, todo = {}, [expression]
    while todo:
        part = todo.pop()
        own = {node.arg for node in ast.walk(part) if isinstance(node, ast.arg)}
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and node.id in known and node.id not in {*needed, *own}:
                needed[node.id] = known[node.id]
                todo.append(known[node.id])
    return list(needed.values())[::-1]  # a default that names another function finds the changed one


def _without_switches(program: ast.Module) -> ast.Module:
    """Put the defaults of options that nobody gives into the code: they are there to commit mistakes on purpose."""
    given = {keyword.arg for node in ast.walk(program) if isinstance(node, ast.Call) for keyword in node.keywords}
    for function in program.body[:-1]:
        pairs = list(zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True))
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        moved = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        fixed = {arg.arg: value for arg, value in pairs if isinstance(value, ast.Constant)}
        fixed = {name: value for name, value in fixed.items() if name not in given | moved}
        kept = [(arg, value) for arg, value in pairs if arg.arg not in fixed]
        function.args.kwonlyargs, function.args.kw_defaults = [arg for arg, _ in kept], [value for _, value in kept]
        parts = [_Fold(fixed).visit(part) for part in function.body]
        function.body = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    return program


class _Fold(ast.NodeTransformer):
    """Replace names by constants, and leave out what then says nothing: `x + 0`, `x if True else y`."""

    def __init__(self, fixed: dict[str, ast.Constant]):
        self.fixed = fixed

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.fixed.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        return node if (known := _known(node.test)) is None else (node.body if known else node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return node if (known := _known(node.test)) is None else (node.body if known else node.orelse)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        neutral = {ast.Add: 0, ast.Sub: 0, ast.Mult: 1, ast.Div: 1}.get(type(node.op))
        for side, other in ((node.right, node.left), (node.left, node.right)):
            commutes = side is node.right or isinstance(node.op, ast.Add | ast.Mult)
            if commutes and isinstance(side, ast.Constant) and side.value == neutral and neutral is not None:
                return other
        return node


def _known(test: ast.expr) -> bool | None:
    if any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(test)):
        return None
    return bool(eval(ast.unparse(test)))


def _run(module: ModuleType, program: ast.Module) -> object:
    space = dict(vars(module))
    exec(compile(ast.fix_missing_locations(program), module.__file__, "exec"), space)
    return space["answer"]


def _changed_code(module: ModuleType, program: ast.Module) -> Iterator[tuple[str, object]]:
    skipped = {id(keyword.value) for keyword in ast.walk(program) if getattr(keyword, "arg", "") == "strict"}
    for i, node in enumerate(list(ast.walk(program))):
        for new in _changes(node) if id(node) not in skipped else ():
            mutant = copy.deepcopy(program)
            target = list(ast.walk(mutant))[i]
            mutant = _Replace(target, new).visit(mutant)
            yield f"{ast.unparse(node)} -> {ast.unparse(new)}", _run(module, mutant)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().visit(node)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that stand in for this one, each in a mutant of its own."""

    def edited(**fields: object) -> ast.AST:
        new = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.BinOp(left=left, op=op, right=right):
            if type(op) in OPERATORS:
                yield edited(op=OPERATORS[type(op)]())
                yield left  # a term or a factor is missing
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div):
                yield edited(left=right, right=left)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case ast.Compare(ops=[op]) if type(op) in FLIPS:
            for flip in FLIPS[type(op)]:
                yield edited(ops=[flip()])
        case ast.BoolOp(op=op):
            yield edited(op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.If():
            yield edited(test=ast.Constant(True))
            yield edited(test=ast.Constant(False))
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
            if value:
                yield ast.UnaryOp(ast.USub(), ast.Constant(value))
        case ast.Attribute(attr="T" | "mT", value=value):
            yield value
        case ast.Call(func=func, args=args):
            yield from _changed_call(node, func, args, edited)


def _changed_call(node: ast.Call, func: ast.expr, args: list[ast.expr], edited: Callable) -> Iterator[ast.AST]:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name in FUNCTIONS:
        other = copy.deepcopy(func)
        setattr(other, "attr" if isinstance(func, ast.Attribute) else "id", FUNCTIONS[name])
        yield edited(func=other)
    if isinstance(func, ast.Attribute) and not isinstance(func.value, ast.Name) and name not in SHAPES:
        yield func.value  # x.abs() becomes x
    elif isinstance(func, ast.Attribute) and name in PLAIN:
        yield args[0] if getattr(func.value, "id", "") in ("torch", "np", "math", "F") and args else func.value
    if len(args) >= 2 and not any(isinstance(arg, ast.Starred) for arg in args[:2]):
        yield edited(args=[args[1], args[0], *args[2:]])
    for k in range(len(node.keywords)):
        if node.keywords[k].arg in ("dim", "min", "max", "unbiased", "correction"):
            yield edited(keywords=node.keywords[:k] + node.keywords[k + 1 :])


def _tensor(value: object) -> torch.Tensor:
    return value.detach().double() if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value)).double()


def _for_ever() -> Callable:
    kept = []

    def first(value: object) -> object:
        kept.append(value)
        return kept[0]

    return first


def _levelled(value: object) -> torch.Tensor:
    value = _tensor(value)
    if value.numel() < 2:
        raise TypeError("is one number")
    return torch.full_like(value, float(value.mean()))


def _transposed(value: object) -> torch.Tensor:
    value = _tensor(value)
    if value.ndim < 2 or min(value.shape[-2:]) < 2:
        raise TypeError("has no rows and columns")
    return value.mT


RESULTS: dict[str, Callable[[], Callable]] = {
    "other sign": lambda: lambda value: -_tensor(value),
    "absolute value": lambda: lambda value: _tensor(value).abs(),
    "no negative values": lambda: lambda value: _tensor(value).clamp(min=0),
    "at most 1": lambda: lambda value: _tensor(value).clamp(max=1),
    "twice": lambda: lambda value: 2 * _tensor(value),
    "1 minus it": lambda: lambda value: 1 - _tensor(value),
    "between its own limits": lambda: (
        lambda value: (_tensor(value) - _tensor(value).min()) / (_tensor(value).max() - _tensor(value).min())
    ),
    "rows for columns": lambda: _transposed,
    "zeros": lambda: lambda value: torch.zeros_like(_tensor(value)),
    "ones": lambda: lambda value: torch.ones_like(_tensor(value)),
    "its mean everywhere": lambda: _levelled,
    "the first for ever": _for_ever,
}
VALUES: dict[str, Callable] = {
    "other sign": lambda value: -value,
    "one more": lambda value: value + 1,
    "one less": lambda value: value - 1,
    "twice": lambda value: 2 * value,
    "half": lambda value: value / 2,
    "1 minus it": lambda value: 1 - value,
    "upside down": lambda value: 1 / value,
    "zero": lambda value: 0,
}


def _then(function: Callable, change: Callable) -> Callable:
    return lambda *arguments: change(function(*arguments))


@contextmanager
def limited() -> Iterator[None]:
    """Raise TimeoutError where the block takes too much processor time: a busy machine makes no answer wrong."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def passes(judge: Callable, answer: object) -> bool:
    """Tell whether the judge takes the answer; whatever the answer raises refuses it."""
    try:
        with limited():
            return judged(judge, answer) is None
    except Exception:
        return False
