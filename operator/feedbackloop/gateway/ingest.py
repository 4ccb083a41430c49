"""`POST /v1/feedback`: events to records, each event on its own, all of a request in one commit."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.codec import Stored
from feedbackloop.events.incoming import MAX_EVENTS, EventBatch, IncomingFeedback, is_uuid
from feedbackloop.events.records import Candidate, FeedbackRecord
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Checked, Code, Refusal, check_feedback, explain
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import Commit
from feedbackloop.gateway.journal import Key
from feedbackloop.gateway.meta import Duplicates
from feedbackloop.gateway.wal import LogUnavailable

_TRAINABLE = (SignalKind.THUMBS, SignalKind.CORRECTION, SignalKind.PREFERENCE)
_TEXT = (SignalKind.COMMENT, SignalKind.CORRECTION)

_one = msgspec.json.Decoder(IncomingFeedback)
_batch = msgspec.json.Decoder(EventBatch)
_any = msgspec.json.Decoder()
_fingerprint_of = msgspec.msgpack.Encoder().encode


class NotJson(Exception):  # noqa: N818
    """The body is not JSON at all."""


class TooManyEvents(Exception):  # noqa: N818
    """More events in one request than allowed."""


@dataclass(slots=True)
class Rejected:
    """One refused event, as the answer shows it."""

    index: int
    event_id: str | None
    code: str
    path: str
    message: str
    bad_row_id: str


@dataclass(slots=True)
class Outcome:
    """What became of a request's events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: list[Rejected] = field(default_factory=list)


Done = Callable[[Outcome, LogUnavailable | None], None]


@dataclass(slots=True)
class _Work:
    """A request being worked on."""

    claims: Claims
    batched: bool
    outcome: Outcome = field(default_factory=Outcome)
    records: list[Stored] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    waits: list[Commit] = field(default_factory=list)


def split(body: bytes) -> tuple[list[IncomingFeedback | msgspec.Raw], bool]:
    """The events of a body, and whether they came as a list. Raises NotJson, TooManyEvents."""
    if b'"events"' not in body:
        try:
            return [_one.decode(body)], False
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            pass
    return _split_slowly(body)


def _split_slowly(body: bytes) -> tuple[list[IncomingFeedback | msgspec.Raw], bool]:
    try:
        events = _batch.decode(body).events
    except msgspec.ValidationError:
        events = msgspec.UNSET
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotJson from None
    if isinstance(events, msgspec.UnsetType):
        return [_parsed(body)], False
    if len(events) > MAX_EVENTS:
        raise TooManyEvents
    return list(events), True


def _parsed(body: bytes) -> msgspec.Raw:
    """The body, known to be JSON. Raises NotJson."""
    try:
        _any.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise NotJson from None
    return msgspec.Raw(body)


class FeedbackIngest:
    """Takes the events of one token."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def take(self, body: bytes, claims: Claims, done: Done) -> None:
        """Validates, redacts and commits; `done` gets the outcome when it is durable, or the error that prevented it.

        Raises NotJson, TooManyEvents, LogUnavailable at once; then nothing is stored and `done` is not called.
        """
        items, batched = split(body)
        work = _Work(claims, batched)
        for index, item in enumerate(items):
            self._take_one(work, index, item)
        outcome = work.outcome
        if outcome.duplicate:
            self._repeated(work, done)
        elif work.records:
            self._core.journal.post(work.records, keys=work.keys, then=lambda error: done(outcome, error))
        else:
            done(outcome, None)

    def _repeated(self, work: _Work, done: Done) -> None:
        """Repetitions are counted, and answered only when what they repeat is durable."""
        journal = self._core.journal
        repeated = Duplicates(journal.now_ms(), work.outcome.duplicate)
        if work.records:
            work.waits.append(journal.post(work.records, metas=[repeated], keys=work.keys))
        else:
            journal.note(repeated)
        waiting = asyncio.gather(*(commit.wait() for commit in work.waits))
        waiting.add_done_callback(lambda ended: done(work.outcome, _unavailable(ended)))

    def _take_one(self, work: _Work, index: int, item: IncomingFeedback | msgspec.Raw) -> None:
        try:
            event = item if isinstance(item, IncomingFeedback) else _decoded(item)
            self._accept(work, event)
        except Refusal as refusal:
            self._refuse(work, index, item, refusal)

    def _accept(self, work: _Work, event: IncomingFeedback) -> None:
        core, claims = self._core, work.claims
        event = self._with_safe_ids(event, claims.outputs)
        checked = check_feedback(event, core.applied.signals, claims.outputs)
        fingerprint = zlib.crc32(_fingerprint_of(event)) or 1
        key = core.journal.dedupe.key_of(claims.subject, event.event_id)
        if self._seen(work, key, fingerprint):
            work.outcome.duplicate += 1
            return
        work.records.append(self._record(event, checked, claims, fingerprint))
        work.keys.append((key, fingerprint))
        work.outcome.accepted += 1

    def _with_safe_ids(self, event: IncomingFeedback, outputs: tuple[str, ...]) -> IncomingFeedback:
        """The event with output ids as they are stored, which differ where an app's id held something private."""
        if event.output_id is not None and event.output_id not in outputs:
            event = msgspec.structs.replace(event, output_id=self._safe(event.output_id))
        if event.candidates:
            candidates = tuple(
                side if side.output_id in outputs else Candidate(self._safe(side.output_id), side.position)
                for side in event.candidates
            )
            event = msgspec.structs.replace(event, candidates=candidates)
        return event

    def _safe(self, output_id: str) -> str:
        return self._core.safe_id(output_id, self._core.redact([output_id])[0])

    def _seen(self, work: _Work, key: int, fingerprint: int) -> bool:
        known = self._core.journal.dedupe.find(key)
        here = next((value for other, value in work.keys if other == key), None) if work.keys else None
        if known is None and here is None:
            return False
        if (known[0] if known else here) != fingerprint:
            raise Refusal(Code.CONFLICT, "$.event_id")
        if known and known[1] is not None:
            work.waits.append(known[1])
        return True

    def _record(self, event: IncomingFeedback, checked: Checked, claims: Claims, fingerprint: int) -> FeedbackRecord:
        core = self._core
        value = checked.value
        if checked.kind in _TEXT and isinstance(value, str):
            value = core.redact([value])[0]
        consent = False if event.consent is not None and not event.consent.train else claims.consent
        agreed = consent is True or (consent is None and not core.applied.consent_required)
        return FeedbackRecord(
            event_id=event.event_id.lower(),
            received_at=core.journal.now_ms(),
            subject=claims.subject,
            signal=event.signal,
            kind=checked.kind.value,
            value=value,
            output_id=checked.output_id,
            candidates=checked.candidates,
            session=claims.session,
            arm=claims.arm,
            run_uid=claims.run_uid,
            epoch=claims.epoch,
            started_at=claims.started_at,
            occurred_at=checked.occurred_at,
            consent=consent,
            trainable=agreed and checked.kind in _TRAINABLE,
            fingerprint=fingerprint,
        )

    def _refuse(self, work: _Work, index: int, item: IncomingFeedback | msgspec.Raw, refusal: Refusal) -> None:
        raw = msgspec.to_builtins(item) if isinstance(item, IncomingFeedback) else _lenient(item)
        event_id = _event_id(raw)
        placed = refusal.below(f"$.events[{index}]") if work.batched else refusal
        row = self._core.bad_row(
            placed,
            raw,
            source="feedback",
            subject=work.claims.subject,
            event_id=event_id or "",
            outputs=work.claims.outputs,
        )
        work.records.append(row)
        work.outcome.rejected.append(
            Rejected(index, event_id, placed.code, placed.path, placed.message, row.bad_row_id)
        )


def _decoded(item: msgspec.Raw) -> IncomingFeedback:
    try:
        return _one.decode(item)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise explain(_lenient(item), IncomingFeedback) from None


def _lenient(item: msgspec.Raw) -> Any:
    """The JSON value of an item, or its text when it is none (too deep, bad escapes)."""
    try:
        return _any.decode(item)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return bytes(item).decode("utf-8", "replace")


def _unavailable(ended: asyncio.Future[list[None]]) -> LogUnavailable | None:
    if ended.cancelled():
        return LogUnavailable("Stopping")
    error = ended.exception()
    return error if error is None or isinstance(error, LogUnavailable) else LogUnavailable("Failed")


def _event_id(raw: Any) -> str | None:
    value = raw.get("event_id") if isinstance(raw, dict) else None
    return value.lower() if isinstance(value, str) and is_uuid(value) else None
