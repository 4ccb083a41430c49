"""One line of the record: what one decision was given, and what it gave, as changes to the frame before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.replay.delta import Delta


@dataclass(frozen=True)
class Frame:
    n: int
    """Its number, from 0 on without a gap."""
    at: str
    """The decision's time, RFC 3339 with microseconds."""
    version: str
    """The operator's."""
    facts: Delta
    """What was given, as a change of the frame before; of nothing in a frame that begins a life of the operator."""
    begins: bool
    """Whether it does that."""
    since: Delta
    """How the status it was given differs from what the frame before gave; nothing when the digest tells which it is:
    the status that frame gave, or, when that was never written, the one it was given."""
    before: str
    """The digest of the status it was given."""
    decided: Delta
    """The new status as a change of that one, and all else that was decided."""
    status: str
    """The digest of the status it gave."""
    hash: str = ""
    """Of this frame and all before it."""

    def line(self) -> str:
        """Without what is empty."""
        return canonical_json(_filled(self))

    def chained(self, before: str) -> str:
        """The hash that this frame has after a frame of hash `before`: 32 hex digits of a sha256."""
        text = canonical_json({**_filled(self), "hash": before})
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def frame(line: str) -> Frame:
    """Raises ValueError."""
    try:
        value: Any = json.loads(line)
        empty: dict[str, Any] = {"facts": {}, "begins": False, "since": {}, "decided": {}}
        return Frame(**(empty | value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"a line of the record is no frame: {error}"[:200]) from None


def _filled(one: Frame) -> dict[str, Any]:
    return {key: value for key, value in asdict(one).items() if value is not False and value != {}}
