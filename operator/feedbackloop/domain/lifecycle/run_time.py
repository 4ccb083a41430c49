"""Times in status: RFC 3339 in UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def stamp(now: datetime) -> str:
    """The time as it is written."""
    return now.astimezone(UTC).strftime(_FORMAT)


def instant(text: str) -> datetime:
    """A written time read back."""
    return datetime.fromisoformat(text)


def seconds_since(text: str, now: datetime) -> float:
    """How long ago that was."""
    return (now - instant(text)).total_seconds()
