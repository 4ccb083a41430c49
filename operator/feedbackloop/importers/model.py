"""What an importer gives: bodies to send, and the parts of rows that have no place in the loop."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

Row = Mapping[str, Any]
_IDENTITIES = uuid.UUID("5f0c9c0e-8f1a-5b7d-8a53-6f3c1d9b2e47")
"""The namespace of event ids that are made from another tool's ids."""
MAX_OUTPUTS = 8


class Interaction(NamedTuple):
    """A body of `POST /v1/interactions`."""

    body: dict[str, Any]


class Event(NamedTuple):
    """A body of `POST /v1/feedback`."""

    body: dict[str, Any]


class Skipped(NamedTuple):
    """A row, or a part of one, that is not imported."""

    where: str
    """The source's own id of the row."""
    why: str


Found = Interaction | Event | Skipped


def event_id(*parts: object) -> str:
    """The same UUID (version 5) for the same ids of the source."""
    return str(uuid.uuid5(_IDENTITIES, "/".join(map(str, parts))))


def interaction(source: str, name: str, session: str, asked: list[dict[str, str]], outputs: Mapping[str, str],
                **more: Any) -> Interaction:  # fmt: skip
    """The body of an interaction; of one whose text has changed since an earlier import it is another one."""
    answers = [{"output_id": output_id, "content": content} for output_id, content in outputs.items()]
    digest = hashlib.sha256(json.dumps([asked, answers, session, more], sort_keys=True).encode()).hexdigest()
    fixed = {"event_id": event_id(source, name, digest), "session_id": session}
    return Interaction(fixed | {"messages": asked, "outputs": answers} | present(**more))


def text(value: Any) -> str:
    """A text, empty when it is anything else."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> Row:
    """An object, empty when it is anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list, empty when it is anything else."""
    return value if isinstance(value, list) else []


def present(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def moment(value: Any) -> str:
    """RFC 3339 of a text of that form, of seconds or of milliseconds since 1970; empty when it is none of them."""
    try:
        if isinstance(value, str) and not value.isdigit():
            given = datetime.fromisoformat(value)
            return given.isoformat() if given.tzinfo else given.replace(tzinfo=UTC).isoformat()
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def with_consent(found: Iterable[Found], train: bool | None) -> Iterator[Found]:
    """Everything with the consent that whoever imports vouches for; without one nothing is said."""
    for each in found:
        if train is not None and not isinstance(each, Skipped):
            each.body["consent"] = {"train": train}
        yield each
