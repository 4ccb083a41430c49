"""The published schemas: anybody may read what the gateway takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedbackloop.events.schema import feedback_schema, interaction_schema, signals_document
from feedbackloop.events.schema.json_schema import BASE, FEEDBACK, INTERACTION, SIGNALS
from feedbackloop.gateway.asgi import Answer, answer

if TYPE_CHECKING:
    from feedbackloop.gateway.applied import Applied

_CACHED = ((b"cache-control", b"public, max-age=60"),)


def page(applied: Applied, path: str) -> Answer | None:
    """The document at a path, None when there is none."""
    match path.removeprefix(BASE) if path.startswith(BASE) else "":
        case name if name == FEEDBACK:
            return answer(200, feedback_schema(), headers=_CACHED)
        case name if name == INTERACTION:
            return answer(200, interaction_schema(), headers=_CACHED)
        case name if name == SIGNALS:
            return answer(200, signals_document(applied.config.collection.signals), headers=_CACHED)
    return None
