"""Writing the record: each decision becomes a frame, a small one when the frame before is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from feedbackloop.domain.replay.delta import Delta, difference
from feedbackloop.domain.replay.document import Json, digest, facts, result, status_document
from feedbackloop.domain.replay.frame import Frame
from feedbackloop.domain.replay.given import Decided


@dataclass(frozen=True)
class Head:
    """Where a record stands."""

    last: Frame | None = None
    """The last frame; None before the first."""
    facts: Json | None = None
    """What that frame was given; None at the beginning of a life of the operator."""
    result: Json | None = None
    """What it gave; None likewise."""


def next_frame(head: Head, decided: Decided, version: str) -> tuple[Frame, Head]:
    """The frame of a decision, and the head after it."""
    given, before, out = facts(decided.given), status_document(decided.given.status), result(decided.result)
    frame = Frame(
        n=0 if head.last is None else head.last.n + 1,
        at=decided.given.now.isoformat(),
        version=version,
        facts=difference(head.facts or {}, given),
        begins=head.facts is None,
        since=_since(head, before),
        before=digest(before),
        decided=difference({**(head.result or {}), "status": before}, out),
        status=digest(out["status"]),
    )
    frame = replace(frame, hash=frame.chained(head.last.hash if head.last else ""))
    return frame, Head(frame, given, out)


def _since(head: Head, before: Json) -> Delta:
    if head.last is not None and digest(before) in (head.last.status, head.last.before):
        return {}
    return {"=": before} if head.result is None else difference(head.result["status"], before)
