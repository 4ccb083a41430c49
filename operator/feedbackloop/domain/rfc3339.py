"""Times as the API carries them: RFC 3339, UTC, whole seconds. Now is always an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """The time as it is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """A written time read back."""
    return datetime.fromisoformat(text)


def seconds_since(text: str, now: datetime) -> float:
    """How long ago a written time was."""
    return (now - instant(text)).total_seconds()
