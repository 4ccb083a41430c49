"""`POST /v1/interactions`: an answer that was served elsewhere, with up to eight outputs and sixteen raters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from feedbackloop.events.incoming import IncomingInteraction
from feedbackloop.events.records import Context, InteractionRecord, Message, Output
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Code, Refusal, check_interaction, explain
from feedbackloop.gateway import consent
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import fingerprint_of
from feedbackloop.gateway.ingest import NotJson, Sender, elsewhere
from feedbackloop.gateway.ingest.bodies import as_json, lenient
from feedbackloop.gateway.ingest.kept import harmless
from feedbackloop.gateway.ingest.sender import refused_claims
from feedbackloop.gateway.meta import Duplicates
from feedbackloop.gateway.reported import reported

_decoder = msgspec.json.Decoder(IncomingInteraction)

API = Sender(None, "api")


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


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an interaction is, as pseudonyms."""

    subject: str
    session: str
    tenant: str
    raters: tuple[str, ...]


class InteractionIngest:
    """Takes interactions from the app port, and from other ways in."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def take(self, body: bytes, *, sender: Sender = API) -> Posted:
        """Raises NotJson, Refusal (its bad row is stored by then), LogUnavailable.

        The raters' tokens of a `verified` sender admit verified feedback.
        """
        try:
            event = decoded(body)
        except Refusal as refusal:
            raise await self._kept(refusal, lenient(msgspec.Raw(body)), sender) from None
        return await self.take_event(event, sender=sender)

    async def take_event(self, event: IncomingInteraction, *, sender: Sender = API) -> Posted:
        """A decoded interaction. Raises Refusal (its bad row is stored by then), LogUnavailable."""
        if self._core.peers is not None and (answered := await self._elsewhere(event, sender)):
            return answered
        try:
            return await self._store(check_interaction(event, self._core.applied.context), sender)
        except Refusal as refusal:
            raise await self._kept(refusal, as_json(event), sender) from None

    async def _elsewhere(self, event: IncomingInteraction, sender: Sender) -> Posted | None:
        """What the pod that owns the session answers; None when this one does. Raises Refusal, LogUnavailable."""
        owner = owner_of(self._core, event)
        answered = await elsewhere.posted(self._core, event, (owner.session, owner.subject), sender)
        if answered is None:
            return None
        if answered.code:
            raise Refusal(Code(answered.code), answered.path)
        return msgspec.msgpack.decode(answered.posted, type=Posted)

    async def _kept(self, refusal: Refusal, raw: Any, sender: Sender) -> Refusal:
        """Stores the bad row; the refusal."""
        core = self._core
        row = core.bad_row(
            refusal,
            harmless(core, raw, trusted=True),
            source="interaction",
            claims=refused_claims(core, sender, raw),
            channel=sender.channel,
        )
        await core.journal.submit([row])
        return refusal

    async def _store(self, event: IncomingInteraction, sender: Sender) -> Posted:
        core, journal = self._core, self._core.journal
        owner = owner_of(core, event)
        fingerprint = fingerprint_of(event)
        key = journal.dedupe.key_of(owner.subject, event.event_id.lower())
        known = journal.dedupe.find(key)
        if known is not None and known[0] != fingerprint:
            raise Refusal(Code.CONFLICT, "$.event_id")
        record = interaction_record(core, event, owner, fingerprint, sender.channel)
        if known is None:
            entries = consent.carried(core, record.subject, record.consent)
            await journal.submit([record, *entries], keys=[(key, fingerprint)])
        else:
            journal.note(Duplicates(journal.now_ms(), 1))
            await journal.repeated(known[1])
        return Posted(record.event_id, known is not None, self._tokens(event, record, sender))

    def _tokens(self, event: IncomingInteraction, record: InteractionRecord, sender: Sender) -> list[RaterToken]:
        raters = zip(event.raters, record.raters, strict=True) if event.raters else [(None, record.subject)]
        claims = Claims(
            subject=record.subject,
            session=record.session,
            outputs=tuple(output.output_id for output in record.outputs),
            started_at=record.received_at,
            consent=record.consent,
            tenant=record.tenant,
            **_arm(record),
        )
        return [
            RaterToken(
                rater,
                self._core.token(
                    msgspec.structs.replace(claims, subject=subject, verified=sender.verified and rater is not None)
                ),
            )
            for rater, subject in raters
        ]


def _arm(record: InteractionRecord) -> dict[str, Any]:
    """What a vote must say so that it is counted."""
    serving = record.serving
    return {} if serving is None else {"arm": serving.arm, "run_uid": serving.run_uid, "epoch": serving.epoch}


def decoded(body: bytes) -> IncomingInteraction:
    """Raises NotJson, Refusal."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        raise explain(lenient(msgspec.Raw(body)), IncomingInteraction) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotJson from None


def owner_of(core: Core, event: IncomingInteraction) -> Owner:
    """Without a subject it is the session's, without a session nobody's but this event's."""
    return Owner(
        subject=core.subject_of(event.subject_id or "", event.session_id, event.event_id),
        session=core.session_of(event.session_id),
        tenant=core.tenant_of(event.tenant_id),
        raters=tuple(core.keys.pseudonym_of("subject", rater) for rater in event.raters),
    )


def interaction_record(
    core: Core, event: IncomingInteraction, owner: Owner, fingerprint: int, channel: str, *, minted: bool = False
) -> InteractionRecord:
    """The interaction, redacted; `minted` when its output ids are the gateway's own. Raises LogUnavailable."""
    texts = ([] if minted else [output.output_id for output in event.outputs]) + _texts(event)
    clean = iter(zip(texts, core.redact(texts, event.redact_hints), strict=True))
    ids = [output.output_id if minted else core.safe_id(*next(clean)) for output in event.outputs]
    messages = tuple(Message(next(clean)[1], next(clean)[1]) for _ in event.messages)
    outputs = tuple(Output(output_id, next(clean)[1]) for output_id in ids)
    context = Context(
        turn_id=core.safe_id(*next(clean)),
        prompt_template=next(clean)[1],
        segment=next(clean)[1],
        region=next(clean)[1],
        model_version=next(clean)[1],
        locale=next(clean)[1],
        client=next(clean)[1],
        retrieval=tuple(core.safe_id(*next(clean)) for _ in event.context.retrieval),
    )
    return InteractionRecord(
        event_id=event.event_id.lower(),
        received_at=core.journal.now_ms(),
        subject=owner.subject,
        messages=messages,
        outputs=outputs,
        session=owner.session,
        raters=owner.raters,
        consent=consent.effective_of_request(core, owner.subject, event.consent.train if event.consent else None),
        context=context,
        serving=None if minted else reported(core.applied.config, event.context.model_version, owner.session),
        fingerprint=fingerprint,
        tenant=owner.tenant,
        channel=channel,
        parent_output_id=core.safe_id(*next(clean)),
        response_id=core.safe_id(*next(clean)),
        trace_id=core.safe_id(*next(clean)),
        span_id=core.safe_id(*next(clean)),
    )


def _texts(event: IncomingInteraction) -> list[str]:
    """Every string of the event that is stored, in the order in which the record takes them; output ids apart."""
    texts = [text for message in event.messages for text in (message.role, message.content)]
    texts += [output.content for output in event.outputs]
    said = event.context
    texts += [event.turn_id or "", said.prompt_template, said.segment, said.region]
    texts += [said.model_version, said.locale, said.client, *said.retrieval]
    return [*texts, event.parent_output_id, event.response_id, event.trace_id, event.span_id]
