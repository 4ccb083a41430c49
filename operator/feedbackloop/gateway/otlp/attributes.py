"""Reading attributes: OpenTelemetry's GenAI names and our own (`feedbackloop.*`)."""

from __future__ import annotations

import math
import uuid
from typing import Any

import msgspec

from feedbackloop.gateway.otlp.model import Attributes

OURS = "feedbackloop."
_IDENTITIES = uuid.UUID("b7f0a9a2-3f0c-5d43-9d55-0d2b7f5a7c11")
"""The namespace of event ids that are made from what an exporter sent."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def text(attributes: Attributes, *names: str) -> str:
    """The first of these attributes that is a text and not empty."""
    return next((value for name in names if isinstance(value := attributes.get(name), str) and value), "")


def flag(attributes: Attributes, name: str) -> Any:
    """A boolean, also as the text `true` or `false`; anything else as it is, for validation to refuse."""
    value = attributes.get(name)
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def number(value: Any) -> Any:
    """A whole number as an integer; anything else as it is."""
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value)
    return int(value) if whole else value


def texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def identity(*parts: Any) -> str:
    """A UUID (version 5) of these parts: the same for an exporter's every retry."""
    return str(uuid.uuid5(_IDENTITIES, _encode(parts).decode()))


def whose(attributes: Attributes) -> dict[str, Any]:
    """`subject_id`, `session_id` and `consent` of an event, as far as they are said."""
    found: dict[str, Any] = {
        "subject_id": text(attributes, f"{OURS}subject_id", "user.id", "enduser.id"),
        "session_id": text(attributes, f"{OURS}session_id", "gen_ai.conversation.id", "session.id"),
    }
    found = {name: value for name, value in found.items() if value}
    consent = flag(attributes, f"{OURS}consent")
    return found if consent is None else found | {"consent": {"train": consent}}
