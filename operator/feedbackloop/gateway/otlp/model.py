"""Log records and spans without the encoding that they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_RECORDS = 16_384
"""Log records or spans of a request, and groups of them; twice a collector's largest default batch."""

MAX_RECORD_BYTES = 1 << 20
"""One log record or span; a larger one is rejected, the others of its request are not."""

Attributes = Mapping[str, Any]
"""Names to values as JSON has them: text, numbers, booleans, lists, objects."""


class Undecodable(Exception):  # noqa: N818 - an answer, not an error
    """The body is not what its content type says."""


class TooMany(Exception):  # noqa: N818
    """More records than a request may carry."""


@dataclass(slots=True)
class LogEntry:
    """One log record; ids are hex, empty when unset, and times Unix nanoseconds, 0 when unset."""

    name: str
    attributes: Attributes
    body: Any = None
    trace_id: str = ""
    span_id: str = ""
    time_ns: int = 0


class SpanEvent(NamedTuple):
    """Something that happened in a span."""

    name: str
    attributes: Attributes


@dataclass(slots=True)
class SpanEntry:
    """One span."""

    name: str
    attributes: Attributes
    trace_id: str = ""
    span_id: str = ""
    events: Sequence[SpanEvent] = field(default_factory=list)
