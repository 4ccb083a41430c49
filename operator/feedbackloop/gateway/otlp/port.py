"""`POST /v1/logs` and `POST /v1/traces`: from a request to its answer, by way of the one ingest.

A 200 means durable. What is neither feedback nor an interaction is accepted, as OTLP wants it, and counted;
what the loop's schema refuses is kept as a bad row and told as a partial success.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from feedbackloop.events.incoming import IncomingInteraction, TrustedFeedback
from feedbackloop.events.validation import Code, Refusal
from feedbackloop.gateway.asgi import Answer, Receive, Scope, TooLarge, header, read_body
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest import FeedbackIngest, Outcome, Sender
from feedbackloop.gateway.ingest.bodies import Item
from feedbackloop.gateway.ingest.elsewhere import outcome_of
from feedbackloop.gateway.interactions import InteractionIngest
from feedbackloop.gateway.otlp import decode, logs, reply, spans
from feedbackloop.gateway.otlp.decode import Form
from feedbackloop.gateway.otlp.inflate import MAX_COMPRESSED, MAX_INFLATED
from feedbackloop.gateway.otlp.model import MAX_RECORD_BYTES, MAX_RECORDS, LogEntry, SpanEntry, TooMany, Undecodable
from feedbackloop.gateway.otlp.names import Names
from feedbackloop.gateway.otlp.room import Room
from feedbackloop.gateway.wal import LogUnavailable

LOGS, TRACES = "/v1/logs", "/v1/traces"
SLICE = 50
"""Events or interactions that are given to the log at a time."""
RETRY_AFTER = 2
OTLP = Sender(None, "otlp")

_encode = msgspec.json.Encoder().encode


@dataclass
class Tally:
    """What became of a request's records."""

    rejected: set[int] = field(default_factory=set)
    first: str = ""
    """Code and path of the first rejection; our own words only."""

    def reject(self, record: int, records: str, code: str, path: str) -> None:
        self.first = self.first or f"{code} at $.{records}[{record}]{path[1:]}"
        self.rejected.add(record)


class OtlpPort:
    """Takes exports from OpenTelemetry SDKs and collectors."""

    def __init__(self, core: Core, feedback: FeedbackIngest, interactions: InteractionIngest) -> None:
        self._core, self._feedback, self._interactions = core, feedback, interactions
        self._names: tuple[object, Names] = (None, Names({}))
        self._room = Room()

    async def take(self, scope: Scope, receive: Receive) -> Answer:
        """The whole answer. Raises Disconnected."""
        as_json = header(scope, b"content-type").startswith(b"application/json")
        try:
            self._core.journal.check()  # sheds before anything is read
            return await self._answer(scope, receive, as_json)
        except Undecodable as error:
            return self._refused(400, str(error), as_json)
        except TooLarge:
            sizes = f"{MAX_COMPRESSED >> 20} MiB, or {MAX_INFLATED >> 20} MiB decompressed"
            return self._refused(413, f"the body is larger than {sizes}: export smaller batches", as_json)
        except TooMany:
            return self._refused(413, f"more than {MAX_RECORDS} records: export smaller batches", as_json)
        except LogUnavailable as error:
            return self._later(error, as_json)

    async def _answer(self, scope: Scope, receive: Receive, as_json: bool) -> Answer:
        form, encoding = Form.of(header(scope, b"content-type")), header(scope, b"content-encoding")
        body = await read_body(scope, receive, MAX_COMPRESSED)
        async with self._room.request():
            async with self._room.inflating:
                data = await decode.inflated(body, encoding)
            async with self._room.bytes(len(data)):
                counter, tally = await self._take(str(scope["path"]), form, data)
        self._core.metrics["otlp_rejected"] += len(tally.rejected)
        return reply.accepted(as_json=as_json, counter=counter, rejected=len(tally.rejected), message=tally.first)

    async def _take(self, path: str, form: Form, data: bytes | bytearray) -> tuple[str, Tally]:
        """The name of the count in the answer, and what became of the records."""
        if path == LOGS:
            return "rejectedLogRecords", await self._logs(await decode.decoded(data, decode.logs(form)))
        return "rejectedSpans", await self._spans(await decode.decoded(data, decode.spans(form)))

    def _refused(self, status: int, message: str, as_json: bool) -> Answer:
        self._core.metrics["otlp_requests_refused"] += 1
        return reply.refused(status, message, as_json=as_json)

    def _later(self, error: LogUnavailable, as_json: bool) -> Answer:
        self._core.metrics["unavailable_answers"] += 1
        return reply.refused(503, f"cannot store now: {error.reason}", as_json=as_json, retry_after=RETRY_AFTER)

    async def _logs(self, entries: Sequence[LogEntry | None]) -> Tally:
        tally, metrics = Tally(), self._core.metrics
        metrics["otlp_log_records"] += len(entries)
        events: list[tuple[int, Item]] = []
        found: list[tuple[int, dict[str, Any]]] = []
        for index, entry in enumerate(entries):
            if entry is None:
                tally.reject(index, "logRecords", Code.TOO_LARGE, "$")
            elif logs.name_of(entry) == logs.RESULT:
                events += ((index, item) for item in self._events(entry))
            elif logs.name_of(entry) == spans.DETAILS and (made := spans.logged_interaction(entry)):
                found.append((index, made))
            else:
                metrics["otlp_log_records_ignored"] += 1
        await self._take_interactions(found, tally, "logRecords")
        await self._take_events(events, tally)
        return tally

    async def _spans(self, entries: Sequence[SpanEntry | None]) -> Tally:
        tally, metrics = Tally(), self._core.metrics
        metrics["otlp_spans"] += len(entries)
        found: list[tuple[int, dict[str, Any]]] = []
        for index, entry in enumerate(entries):
            if entry is None:
                tally.reject(index, "spans", Code.TOO_LARGE, "$")
            elif made := spans.interaction(entry):
                found.append((index, made))
            else:
                metrics["otlp_spans_ignored"] += 1
        await self._take_interactions(found, tally, "spans")
        return tally

    def _events(self, entry: LogEntry) -> list[Item]:
        made = logs.feedback(entry, self._declared())
        self._core.metrics["otlp_explanations_not_kept"] += logs.unmapped(entry, made)
        return [_item(body) for body in made]

    def _declared(self) -> Names:
        signals = self._core.applied.signals
        if self._names[0] is not signals:
            self._names = (signals, Names(signals))
        return self._names[1]

    async def _take_events(self, events: Sequence[tuple[int, Item]], tally: Tally) -> None:
        """Raises LogUnavailable; what was stored by then is a repetition when the exporter tries again."""
        for part in _slices(events):
            outcome = await self._taken([item for _, item in part])
            for rejected in outcome.rejected:
                tally.reject(part[rejected.index][0], "logRecords", rejected.code, rejected.path)

    async def _taken(self, items: list[Item]) -> Outcome:
        return await outcome_of(lambda done: self._feedback.take_items(items, OTLP, "$", done))

    async def _take_interactions(self, found: Sequence[tuple[int, dict[str, Any]]], tally: Tally, records: str) -> None:
        """Raises LogUnavailable."""
        for part in _slices(found):
            ended = await asyncio.gather(*(self._interaction(body) for _, body in part), return_exceptions=True)
            for (index, _), error in zip(part, ended, strict=True):
                if isinstance(error, Refusal):
                    tally.reject(index, records, error.code, error.path)
                elif isinstance(error, BaseException):
                    raise error

    async def _interaction(self, body: dict[str, Any]) -> None:
        data = _encode(body)
        if len(data) > MAX_RECORD_BYTES:
            raise Refusal(Code.TOO_LARGE, "$")
        try:
            event = msgspec.convert(body, IncomingInteraction)
        except msgspec.ValidationError:
            await self._interactions.take(data, sender=OTLP)
        else:
            await self._interactions.take_event(event, sender=OTLP)


def _item(body: dict[str, Any]) -> Item:
    """The event, or its JSON when it does not decode: ingest says why."""
    try:
        return msgspec.convert(body, TrustedFeedback)
    except msgspec.ValidationError:
        return msgspec.Raw(_encode(body))


def _slices(items: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, SLICE)):
        yield part
