"""Windows: when a rollout may go on (RFC 5545, time zones)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import KubeModel

LocalTime = Annotated[str, Field(min_length=15, max_length=15, pattern=r"^[0-9]{8}T[0-9]{6}$")]
TimeZone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class WindowKind(StrEnum):
    ALLOW = "Allow"
    """With any Allow window declared, the rollout goes on only inside one."""
    DENY = "Deny"
    """A freeze: it wins over every Allow window."""


class Window(KubeModel):
    """Outside its windows a rollout starts no step, raises no weight and promotes nothing; it may always abort."""

    kind: WindowKind
    """Allow or Deny."""
    time_zone: TimeZone = "Etc/UTC"
    """The IANA time zone that start and rrule are meant in."""
    start: LocalTime
    """DTSTART in that zone, such as 20261220T000000."""
    rrule: Annotated[str | None, Field(min_length=6, max_length=200, pattern=r"^[A-Z0-9=;,+-]+$")] = None
    """An RFC 5545 RRULE such as FREQ=WEEKLY;BYDAY=MO,TU; once when unset."""
    duration_seconds: Annotated[int, Field(ge=60, le=31_536_000)]
    """How long each window is open, in seconds of elapsed time."""
