"""JSON Schema 2020-12 of the bodies.

The decoder takes exactly what these schemas take, apart from rules that JSON Schema cannot say: a moment that no
calendar has (`2026-02-30`), two equal ids, and what depends on the loop or the token (`signals.json`, `events.md`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from feedbackloop.events.incoming import IncomingFeedback, IncomingInteraction, TrustedFeedback
from feedbackloop.events.schema.descriptions import descriptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FEEDBACK, INTERACTION, SIGNALS = "feedback-1.json", "interaction-1.json", "signals.json"
BASE = "/v1/schema/"
Schema = dict[str, Any]


@cache
def feedback_schema() -> Schema:
    """Of one event, or of a list of events; `#/$defs/TrustedFeedback` is that of the app port."""
    structs = _definitions(IncomingFeedback, TrustedFeedback)
    for name in ("Feedback", "TrustedFeedback"):
        structs[name]["allOf"] = _conditions(trusted=name == "TrustedFeedback")
    return {
        "$schema": DIALECT,
        "$id": BASE + FEEDBACK,
        "title": "One feedback event",
        "$ref": "#/$defs/Feedback",
        "$defs": structs,
    }


@cache
def interaction_schema() -> Schema:
    """Of a posted interaction."""
    return {
        "$schema": DIALECT,
        "$id": BASE + INTERACTION,
        "title": "A posted interaction",
        "$ref": "#/$defs/Interaction",
        "$defs": _definitions(IncomingInteraction),
    }


def _definitions(*models: type[Struct]) -> dict[str, Schema]:
    """The schemas of the structs and of those inside them, by their public names."""
    _, found = msgspec.json.schema_components(models, ref_template="#/$defs/{name}")
    structs = {model.__name__: model for model in _reachable(*models)}
    for name, schema in found.items():
        for field, said in descriptions(structs[name]).items():
            schema["properties"][field]["description"] = said
    made: dict[str, Schema] = _renamed({public(name): schema for name, schema in found.items()})
    return made


def _reachable(*models: type[Struct]) -> list[type[Struct]]:
    """The structs and all structs that their fields mention."""
    found: list[type[Struct]] = []
    waiting = [msgspec.inspect.type_info(model) for model in models]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls not in found:
                found.append(info.cls)
                waiting += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            waiting += info.types
        elif isinstance(info, msgspec.inspect.VarTupleType):
            waiting.append(info.item_type)
        elif isinstance(info, msgspec.inspect.Metadata):
            waiting.append(info.type)
    return found


def public(name: str) -> str:
    """The name of a struct as clients know it."""
    return name.removeprefix("Incoming")


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: public_ref(item) if key == "$ref" else _renamed(item) for key, item in value.items()
                if key != "title"}  # fmt: skip
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def public_ref(ref: str) -> str:
    head, _, name = ref.rpartition("/")
    return f"{head}/{public(name)}"


def _conditions(*, trusted: bool) -> list[Schema]:
    """What fields demand of each other, whatever the loop declares."""
    absent = {"const": None}
    conditions = [
        _when("retracted", True, {"supersedes": {"type": "string"}, "value": absent}, ("supersedes",)),
        _when("level", "turn", {"turn_id": {"type": "string"}, "output_id": absent, "candidates": absent},
              ("turn_id",)),
        _when("level", "session", {"turn_id": absent, "output_id": absent, "candidates": absent}, ()),
    ]  # fmt: skip
    if trusted:
        conditions.append(_when("level", "session", {"session_id": {"minLength": 1}}, ("session_id",)))
    return conditions


def _when(field: str, value: Any, then: Schema, required: tuple[str, ...]) -> Schema:
    return {
        "if": {"properties": {field: {"const": value}}, "required": [field]},
        "then": {"properties": then, "required": list(required)},
    }
