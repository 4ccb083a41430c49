"""What changed between two JSON documents.

`{"=": v}` another value · `{"~": {k: delta}, "-": [k]}` an object's changed and lost members · `{"@": {i: delta},
"+": [v]}` a list's changed and appended items. An empty delta changes nothing.
"""

from __future__ import annotations

from itertools import count
from typing import Any

Delta = dict[str, Any]
ABSENT = "(absent)"
"""Stands for a member that one document does not have."""


def difference(old: Any, new: Any) -> Delta:
    """The delta that makes `new` of `old`."""
    if type(old) is not type(new):
        return {"=": new}
    if isinstance(old, dict):
        return _of_objects(old, new)
    if isinstance(old, list):
        return _of_lists(old, new)
    return {} if old == new else {"=": new}


def changed(old: Any, delta: Delta) -> Any:
    """The document that `delta` makes of `old`; raises ValueError when it does not fit."""
    try:
        return _changed(old, delta)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"a change does not fit what it changes: {error}") from None


def first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Where two documents differ first, and both values there; None when they are the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        members = (
            (f"{path}.{key}".lstrip("."), old.get(key, ABSENT), new.get(key, ABSENT)) for key in sorted({*old, *new})
        )
        return _first(members)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return _first((f"{path}[{i}]", a, b) for i, a, b in zip(count(), old, new, strict=False))
    return None if type(old) is type(new) and old == new else (path or "everything", old, new)


def _first(members: Any) -> tuple[str, Any, Any] | None:
    found = (first_difference(a, b, path) for path, a, b in members)
    return next((f for f in found if f is not None), None)


def _of_objects(old: dict[str, Any], new: dict[str, Any]) -> Delta:
    inside = {key: {"=": value} if key not in old else difference(old[key], value) for key, value in new.items()}
    inside = {key: delta for key, delta in inside.items() if delta}
    lost = [key for key in old if key not in new]
    return ({"~": inside} if inside else {}) | ({"-": lost} if lost else {})


def _of_lists(old: list[Any], new: list[Any]) -> Delta:
    if len(new) < len(old):
        return {"=": new}
    inside = {str(i): difference(a, b) for i, (a, b) in enumerate(zip(old, new, strict=False))}
    inside = {key: delta for key, delta in inside.items() if delta}
    added = new[len(old) :]
    return ({"@": inside} if inside else {}) | ({"+": added} if added else {})


def _changed(old: Any, delta: Delta) -> Any:
    if "=" in delta:
        return delta["="]
    if "~" in delta or "-" in delta:
        kept = {key: value for key, value in old.items() if key not in set(delta.get("-", ()))}
        return kept | {key: _changed(old.get(key), inside) for key, inside in delta.get("~", {}).items()}
    if "@" in delta or "+" in delta:
        items = list(old)
        for index, inside in delta.get("@", {}).items():
            items[int(index)] = _changed(items[int(index)], inside)
        return [*items, *delta.get("+", ())]
    return old
