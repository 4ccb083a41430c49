"""Field descriptions: the string below a field in the source of its struct, which is also what a reader sees there."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from types import ModuleType

from msgspec import Struct


@cache
def descriptions(model: type[Struct]) -> dict[str, str]:
    """Description of each field that has one, those of base structs included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, Struct) and owner is not Struct:
            module = inspect.getmodule(owner)
            found |= _in_source(module, owner.__name__) if module is not None else {}
    return found


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _in_source(module: ModuleType, name: str) -> dict[str, str]:
    body = next(node.body for node in _tree(module).body if isinstance(node, ast.ClassDef) and node.name == name)
    found, field = dict[str, str](), ""
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            field = node.target.id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and field:
            found[field], field = " ".join(str(node.value.value).split()), ""
    return found
