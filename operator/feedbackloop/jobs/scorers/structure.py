"""`valid_json`: the whole answer is one JSON text (RFC 8259), and valid by the item's JSON Schema where it has one."""

from __future__ import annotations

import json
from typing import Any

NOTHING = object()


def valid_json(output: str, schema: dict[str, Any] | None) -> bool:
    value = _parse(output)
    if value is NOTHING:
        return False
    return schema is None or bool(_validator(schema).is_valid(value))


def wrong_schema(schema: dict[str, Any]) -> str:
    """Why a schema cannot be used, empty when it can. References to other documents are not followed."""
    try:
        validator = _validator(schema)
        type(validator).check_schema(schema)
        validator.is_valid(None)
    except Exception as error:  # the library wraps what its references raise
        return type(error).__name__
    return ""


def _validator(schema: dict[str, Any]) -> Any:
    # Only the trainer's environment has the library, and curation imports what scorers share.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    # An empty registry: by default the library would fetch what `$ref` names.
    return validator_for(schema, Draft202012Validator)(schema, registry=Registry())


def _parse(output: str) -> Any:
    try:
        return json.loads(output, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return NOTHING


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python takes and JSON does not have."""
    raise ValueError(constant)
