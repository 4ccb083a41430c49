"""Events as the client makes them, before their signal's name is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from feedbackloop.client.ids import uuid7


class More(TypedDict, total=False):
    """What every event may carry besides its value; all of it is optional.

    `subject_id`, `session_id` and `tenant_id` need the app token: a feedback token already says whose it is.
    """

    subject_id: str
    session_id: str
    tenant_id: str
    turn_id: str
    level: str
    """`output` (the default), `turn` or `session`"""
    supersedes: str
    """The id of an earlier event that this one replaces."""
    consent: bool
    occurred_at: str
    """RFC 3339; the time of the call unless you say otherwise."""
    redact_hints: list[str]
    """Private texts that you know of, such as the user's name: replaced wherever they stand."""
    stream: str
    source: str
    ui: Mapping[str, Any]


class Draft(NamedTuple):
    """An event whose signal is known by kind; `body` has everything but the name."""

    kind: str
    name: str | None
    dimension: str | None
    body: dict[str, Any]

    @property
    def event_id(self) -> str:
        return str(self.body["event_id"])


def draft(kind: str, signal: str | None, fields: Mapping[str, Any], more: More, dimension: str | None = None) -> Draft:
    """An event with a fresh id and the time of now. Fields that are None are left out."""
    said: dict[str, Any] = {**fields, **more}
    if "consent" in more:
        said["consent"] = {"train": more["consent"]}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    body = {"event_id": uuid7(), "occurred_at": now} | {
        name: value for name, value in said.items() if value is not None
    }
    return Draft(kind, signal, dimension, body)


def chunks(events: list[dict[str, Any]], encode: Any, most: int, most_bytes: int) -> list[list[bytes]]:
    """Encoded events in requests of at most so many events and bytes."""
    made: list[list[bytes]] = [[]]
    size = 0
    for event in events:
        data = encode(event)
        if made[-1] and (len(made[-1]) >= most or size + len(data) > most_bytes):
            made.append([])
            size = 0
        made[-1].append(data)
        size += len(data) + 1
    return made if made[-1] else []
