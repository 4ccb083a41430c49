"""Why a JSON value does not decode as a struct: the first missing, unknown or malformed field, with its path.

The decoder's own message is not used: it can quote a client's field names.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from feedbackloop.events.validation.codes import Code, Refusal

_VALUE = "value"
"""The one field whose type depends on the signal: a wrong type there is a bad value."""


def explain(raw: Any, model: type[msgspec.Struct]) -> Refusal:
    """Why a JSON value does not decode as `model`."""
    return _struct(raw, model, "$") or Refusal(Code.MALFORMED, "$")


def _struct(raw: Any, model: type[msgspec.Struct], path: str) -> Refusal | None:
    if not isinstance(raw, dict):
        return Refusal(Code.MALFORMED, path)
    fields = {field.encode_name: field for field in msgspec.structs.fields(model)}
    for name, field in fields.items():
        if field.required and name not in raw:
            return Refusal(Code.MISSING_FIELD, f"{path}.{name}")
    if any(name not in fields for name in raw):
        return Refusal(Code.UNKNOWN_FIELD, path)
    for name, field in fields.items():
        if name in raw and not fits(raw[name], field.type):
            return _inside(raw[name], field.type, f"{path}.{name}") or _leaf(raw[name], field.type, f"{path}.{name}")
    return None


def _inside(value: Any, kind: Any, path: str) -> Refusal | None:
    """The flaw inside a struct or a list, None when it is the value as a whole."""
    for option in _options(kind):
        origin = typing.get_origin(option)
        if isinstance(option, type) and issubclass(option, msgspec.Struct) and isinstance(value, dict):
            return _struct(value, option, path)
        if origin is tuple and isinstance(value, list):
            return _list(value, typing.get_args(option)[0], path)
    return None


def _list(values: list[Any], item: Any, path: str) -> Refusal | None:
    for index, value in enumerate(values):
        if not fits(value, item):
            place = f"{path}[{index}]"
            return _inside(value, item, place) or _leaf(value, item, place)
    return None


def _leaf(value: Any, kind: Any, path: str) -> Refusal:
    size = len(value) if isinstance(value, str | list) else 0
    if size and any(meta.max_length is not None and size > meta.max_length for meta in _sizes(kind, type(value))):
        return Refusal(Code.TOO_LARGE, path)
    # A list that is too short has the right type and says too little.
    bad = path.endswith(f".{_VALUE}") or value == []
    return Refusal(Code.BAD_VALUE if bad else Code.MALFORMED, path)


def _options(kind: Any) -> list[Any]:
    """The members of a union without their annotations."""
    kind = _bare(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [_bare(option) for option in typing.get_args(kind)]
    return [kind]


def _bare(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind


_HOLDS: dict[type, Callable[[Any], bool]] = {
    str: lambda kind: kind is str,
    list: lambda kind: typing.get_origin(kind) is tuple,
}


def _sizes(kind: Any, of: type) -> list[Meta]:
    """The bounds that the kind sets for values of a type."""
    bare = _bare(kind)
    members = typing.get_args(bare) if typing.get_origin(bare) in (typing.Union, types.UnionType) else (kind,)
    annotated = (member for member in members if typing.get_origin(member) is Annotated)
    return [
        meta
        for member in annotated
        if _HOLDS[of](_bare(member))
        for meta in typing.get_args(member)[1:]
        if isinstance(meta, Meta)
    ]


def fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value decodes as a type."""
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        return False
    return True
