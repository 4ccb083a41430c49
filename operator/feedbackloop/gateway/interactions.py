"""`POST /v1/interactions`: an answer that was served elsewhere, with up to eight outputs and sixteen raters."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from feedbackloop.events.incoming import (
    MAX_ID,
    MAX_MESSAGES,
    MAX_OUTPUTS,
    MAX_RATERS,
    IncomingInteraction,
    is_uuid,
)
from feedbackloop.events.records import Context, InteractionRecord, Message, Output
from feedbackloop.events.validation import Code, Refusal, explain
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest import NotJson
from feedbackloop.gateway.meta import Duplicates

_decoder = msgspec.json.Decoder(IncomingInteraction)
_any = msgspec.json.Decoder()
_pack = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class RaterToken:
    """A token and whom it is for: a rater's id as the app sent it, or nobody in particular."""

    rater: str | None
    token: str


@dataclass(slots=True)
class Posted:
    """The answer to a posted interaction."""

    event_id: str
    duplicate: bool = False
    tokens: list[RaterToken] = field(default_factory=list)


def check(event: IncomingInteraction) -> None:
    """Limits and forms. Raises Refusal."""
    if not is_uuid(event.event_id):
        raise Refusal(Code.MALFORMED, "$.event_id")
    _sized(event.messages, 1, MAX_MESSAGES, "$.messages")
    _sized(event.outputs, 1, MAX_OUTPUTS, "$.outputs")
    _sized(event.raters, 0, MAX_RATERS, "$.raters")
    _ids([output.output_id for output in event.outputs], "$.outputs[{}].output_id")
    _ids(event.raters, "$.raters[{}]")
    if len(event.session_id) > MAX_ID or len(event.subject_id or "") > MAX_ID or len(event.turn_id or "") > MAX_ID:
        raise Refusal(Code.TOO_LARGE, "$")


def _sized(items: Sequence[object], least: int, most: int, path: str) -> None:
    if not least <= len(items) <= most:
        raise Refusal(Code.TOO_LARGE if len(items) > most else Code.BAD_VALUE, path)


def _ids(ids: Sequence[str], path: str) -> None:
    for index, value in enumerate(ids):
        if not 0 < len(value) <= MAX_ID or value in ids[:index]:
            raise Refusal(Code.BAD_VALUE, path.format(index))


class InteractionIngest:
    """Takes interactions from the app port."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def take(self, body: bytes) -> Posted:
        """Raises NotJson, Refusal (its bad row is stored by then), LogUnavailable."""
        try:
            event = _decoder.decode(body)
            check(event)
            return await self._store(event)
        except msgspec.ValidationError:
            raw = _any.decode(body)
            await self._refused(explain(raw, IncomingInteraction), raw)
        except Refusal as refusal:
            await self._refused(refusal, _any.decode(body))
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            raise NotJson from None
        raise AssertionError("unreachable")

    async def _refused(self, refusal: Refusal, raw: object) -> None:
        event_id = raw.get("event_id") if isinstance(raw, dict) else None
        known = event_id.lower() if isinstance(event_id, str) and is_uuid(event_id) else ""
        row = self._core.bad_row(refusal, raw, source="interaction", event_id=known)
        await self._core.journal.submit([row])
        raise refusal

    async def _store(self, event: IncomingInteraction) -> Posted:
        core, journal = self._core, self._core.journal
        subject = core.subject_of(event.subject_id or "", event.session_id, event.event_id)
        fingerprint = zlib.crc32(_pack(event)) or 1
        key = journal.dedupe.key_of(subject, event.event_id)
        known = journal.dedupe.find(key)
        if known is not None and known[0] != fingerprint:
            raise Refusal(Code.CONFLICT, "$.event_id")
        record = self._record(event, subject, fingerprint)
        if known is None:
            await journal.submit([record], keys=[(key, fingerprint)])
        else:
            journal.note(Duplicates(journal.now_ms(), 1))
            if known[1] is not None:
                await known[1].wait()
        return Posted(record.event_id, known is not None, self._tokens(event, record))

    def _record(self, event: IncomingInteraction, subject: str, fingerprint: int) -> InteractionRecord:
        core = self._core
        texts = _texts(event)
        clean = iter(zip(texts, core.redact(texts), strict=True))
        messages = tuple(Message(next(clean)[1], next(clean)[1]) for _ in event.messages)
        outputs = tuple(Output(core.safe_id(*next(clean)), next(clean)[1]) for _ in event.outputs)
        context = Context(
            turn_id=core.safe_id(*next(clean)),
            prompt_template=next(clean)[1],
            segment=next(clean)[1],
            region=next(clean)[1],
            retrieval=tuple(core.safe_id(*pair) for pair in clean),
        )
        return InteractionRecord(
            event_id=event.event_id.lower(),
            received_at=core.journal.now_ms(),
            subject=subject,
            messages=messages,
            outputs=outputs,
            session=core.session_of(event.session_id),
            raters=tuple(core.keys.pseudonym_of("subject", rater) for rater in event.raters),
            consent=event.consent.train if event.consent else None,
            context=context,
            fingerprint=fingerprint,
        )

    def _tokens(self, event: IncomingInteraction, record: InteractionRecord) -> list[RaterToken]:
        raters = zip(event.raters, record.raters, strict=True) if event.raters else [(None, record.subject)]
        outputs = tuple(output.output_id for output in record.outputs)
        return [
            RaterToken(
                rater,
                self._core.token(
                    subject=subject,
                    session=record.session,
                    outputs=outputs,
                    consent=record.consent,
                    now_ms=record.received_at,
                ),
            )
            for rater, subject in raters
        ]


def _texts(event: IncomingInteraction) -> list[str]:
    """Every string of the event that is stored, in the order in which the record takes them."""
    texts = [text for message in event.messages for text in (message.role, message.content)]
    texts += [text for output in event.outputs for text in (output.output_id, output.content)]
    context = event.context
    return [*texts, event.turn_id or "", context.prompt_template, context.segment, context.region, *context.retrieval]
