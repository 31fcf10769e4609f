"""Small faults put into a module, one at a time: what its tests are good for is to notice them.

A mutant is the module's syntax tree with one change. `planted` brings it into the running process:
the functions of the module get the changed code, whoever imported them, and its constants the
changed values. So nothing is imported anew, and a fault in code that a decorator wraps is one too.
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Swap = dict[type[ast.AST], tuple[type[ast.AST], ...]]

COMPARISONS: Swap = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: Swap = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
NOT_MUTATED = ("annotation", "returns", "decorator_list", "bases")


@dataclass(frozen=True)
class Mutant:
    """A change: where, what it was and became, which of the like ones there; and what makes it."""

    where: str
    change: str
    made: Callable[[], ast.Module]

    def __str__(self) -> str:
        return f"{self.where}: {self.change}"


def mutants(source: str) -> Iterator[Mutant]:
    """Give all mutants of a module, each with a name of its own that no shift of lines changes."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for where, node, parent, field, index in list(_places(tree)):
        for changed in _changes(node, parent):
            before, after = _text(node), _text(changed) if changed else "nothing"
            name = f"{where}: {before} -> {after}"
            seen[name] += 1
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            made = partial(_with, tree, (parent, field, index), changed)
            yield Mutant(where, f"{before} -> {after}{number}", made)


Place = tuple[str, ast.AST, ast.AST, str, int | None]


def _places(tree: ast.AST, where: str = "") -> Iterator[Place]:
    """Give each node that may change, with the name of its function and where it hangs."""
    for field, value in ast.iter_fields(tree):
        if field in NOT_MUTATED:
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or _is_left_alone(node):
                continue
            inner = where
            name = _name(node)
            if name and not where.endswith("()"):
                inner = f"{where}.{name}" if where else name
            yield inner, node, tree, field, index if isinstance(value, list) else None
            if not isinstance(node, ast.JoinedStr):  # changed as a whole
                yield from _places(node, inner)


def _name(node: ast.AST) -> str:
    """Give the name of a function, with its brackets, of a class, or of what is assigned to."""
    if isinstance(node, ast.FunctionDef):
        return f"{node.name}()"
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
    return node.name if isinstance(node, ast.ClassDef) else ""


def _is_left_alone(node: ast.AST) -> bool:
    """Tell whether a change would be seen by no caller: texts for people who read, and types."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_for_types = isinstance(node, ast.If) and _text(node.test) == "TYPE_CHECKING"
    imports = isinstance(node, ast.Import | ast.ImportFrom)
    return is_docstring or is_for_types or imports


def _changes(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST | None]:
    """Give what may stand in a node's place; None takes a statement away."""
    for kinds, changes in CHANGES:
        if isinstance(node, kinds):
            yield from changes(node)
    if isinstance(node, TAKEN_AWAY):
        yield None
    if isinstance(node, ast.Name) and node.id in NAMES and isinstance(parent, ast.Call):
        yield ast.Name(NAMES[node.id], ast.Load())


def _other_operators(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    for operator in ARITHMETIC.get(type(node.op), ()):
        yield _changed(node, op=operator())


def _other_connective(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _without_sign(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _the_other_way(node: ast.If | ast.IfExp) -> Iterator[ast.AST]:
    """Negate a condition; that of a comparison is changed there."""
    if not isinstance(node.test, ast.Compare):
        yield _changed(node, test=_negated(node.test))


def _without_filters(node: ast.comprehension) -> Iterator[ast.AST]:
    for number in range(len(node.ifs)):
        yield _changed(node, ifs=node.ifs[:number] + node.ifs[number + 1 :])


def _nothing_returned(node: ast.Return) -> Iterator[ast.AST]:
    if node.value and _text(node) != "return None":
        yield _changed(node, value=ast.Constant(None))


def _empty_text(_node: ast.JoinedStr) -> Iterator[ast.AST]:
    yield ast.Constant("")


def _swapped_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for number, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            changed = copy.deepcopy(node)
            changed.ops[number] = other()  # type: ignore[call-overload]
            yield changed


def _other_values(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, str):
        yield ast.Constant("" if value else "other")


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


TAKEN_AWAY = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Expr)
CHANGES: tuple[tuple[Any, Callable[[Any], Iterator[ast.AST]]], ...] = (
    (ast.Compare, _swapped_comparisons),
    (ast.BinOp | ast.AugAssign, _other_operators),
    (ast.BoolOp, _other_connective),
    (ast.UnaryOp, _without_sign),
    (ast.Constant, _other_values),
    (ast.If | ast.IfExp, _the_other_way),
    (ast.comprehension, _without_filters),
    (ast.Return, _nothing_returned),
    (ast.JoinedStr, _empty_text),
)


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _with(
    tree: ast.Module, place: tuple[ast.AST, str, int | None], changed: ast.AST | None
) -> ast.Module:
    """Give a copy of the tree with one node changed, and leave the tree as it is."""
    parent, field, index = place
    before = getattr(parent, field)
    if index is None:
        setattr(parent, field, changed)
    else:
        put = [changed] if changed else [ast.Pass()] if isinstance(before[index], ast.stmt) else []
        setattr(parent, field, [*before[:index], *put, *before[index + 1 :]])
    made = copy.deepcopy(tree)
    setattr(parent, field, before)
    return ast.fix_missing_locations(made)


def _text(node: ast.AST) -> str:
    """Give a node as one line of source; of a statement with a body, its head."""
    if isinstance(node, ast.comprehension):
        ifs = "".join(f" if {ast.unparse(test)}" for test in node.ifs)
        return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}{ifs}"
    return ast.unparse(node).splitlines()[0]


def planted(module: ModuleType, mutant: Mutant) -> None:
    """Have the running process work with the mutant, for good: belongs into a child."""
    fresh: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutant.made(), str(module.__file__), "exec"), fresh)  # noqa: S102 - what it is for
    for name, value in fresh.items():
        old = vars(module).get(name)
        if isinstance(value, type) and getattr(value, "__module__", "") == module.__name__:
            for part, made in vars(value).items():
                _take_over(vars(old).get(part), made)
        elif not _take_over(old, value) and _is_a_constant(value) and value != old:
            for user in _importers(module, name):
                setattr(user, name, value)


def _take_over(old: Any, made: Any) -> bool:
    """Have a function, as everybody knows it, do what another one does."""
    taken = False
    for before, after in zip(_functions(old), _functions(made), strict=False):
        if before.__module__ == after.__module__:
            if len(before.__code__.co_freevars) == len(after.__code__.co_freevars):
                before.__code__ = after.__code__
            before.__defaults__, before.__kwdefaults__ = after.__defaults__, after.__kwdefaults__
            taken = True
    return taken


def _functions(value: Any) -> Iterator[FunctionType]:
    """Give the function of ours that a property, a method or what a decorator made stands for."""
    if isinstance(value, property):
        value = value.fget
    value = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else value
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value


def _is_a_constant(value: Any) -> bool:
    return isinstance(value, int | str | tuple | frozenset | dict | re.Pattern)


def _importers(module: ModuleType, name: str) -> Iterator[ModuleType]:
    """Give the module, and the modules that took a constant of it over by its name."""
    taken = re.compile(rf"from {re.escape(module.__name__)} import [^)]*?\b{name}\b")
    yield module
    for user in list(sys.modules.values()):
        path = getattr(user, "__file__", None) or ""
        is_ours = path.startswith(str(ROOT)) and ".venv" not in path
        if is_ours and name in vars(user) and taken.search(Path(path).read_text(encoding="utf-8")):
            yield user
