"""Bad rows taken up again, under the schema of now and with the claims that they had.

What a row says is what was kept of it: redacted, people as pseudonyms. It is judged like a new event; what is
accepted keeps the time at which it first came, so that a later vote of the same subject stays the later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import msgspec

from feedbackloop.events.codec import Stored
from feedbackloop.events.incoming import ConsentBody, IncomingFeedback, IncomingInteraction, TrustedFeedback
from feedbackloop.events.records import BadRow, Serving
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Code, Refusal, check_feedback, check_interaction, explain
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import fingerprint_of
from feedbackloop.gateway.ingest.records import Pending, record
from feedbackloop.gateway.ingest.sender import Sender
from feedbackloop.gateway.ingest.texts import private_texts
from feedbackloop.gateway.interactions import Owner, interaction_record
from feedbackloop.gateway.meta import Meta, Replayed
from feedbackloop.gateway.ticket import Key

CHANNEL = "replay"
TRUSTED = frozenset({"api", "otlp", "import"})

M = TypeVar("M", bound=msgspec.Struct)


class Ready(NamedTuple):
    """A row that the schema of now accepts."""

    record: Stored
    key: Key


@dataclass
class Replay:
    """What became of rows, by their ids."""

    accepted: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    """Rows whose event was accepted before, by a replay or because its client sent it again."""
    refused: dict[str, Refusal] = field(default_factory=dict)


async def replay(core: Core, rows: Sequence[BadRow]) -> Replay:
    """Stores the rows that are valid now, all in one commit. Raises LogUnavailable: then nothing is stored."""
    outcome, records, keys = Replay(), list[Stored](), dict[int, int]()
    for row in rows:
        try:
            ready = revalidated(core, row)
        except Refusal as refusal:
            outcome.refused[row.bad_row_id] = refusal
            continue
        key, fingerprint = ready.key
        if key in keys or core.journal.dedupe.find(key) is not None:
            outcome.duplicate.append(row.bad_row_id)
            continue
        keys[key] = fingerprint
        records.append(ready.record)
        outcome.accepted.append(row.bad_row_id)
    if records:
        metas: list[Meta] = [Replayed(core.journal.now_ms(), len(records))]
        await core.journal.submit(records, metas=metas, keys=list(keys.items()))
    return outcome


def revalidated(core: Core, row: BadRow) -> Ready:
    """The record that a row is under the schema of now. Raises Refusal, LogUnavailable."""
    try:
        raw = msgspec.json.decode(row.raw)
    except (msgspec.MsgspecError, RecursionError):
        raise Refusal(Code.MALFORMED, "$") from None  # it was no JSON, or is too large to be kept whole
    if not isinstance(raw, dict):
        raise Refusal(Code.MALFORMED, "$")
    if row.event_id:
        raw["event_id"] = row.event_id
    return _interaction(core, row, raw) if row.source == "interaction" else _feedback(core, row, raw)


def _feedback(core: Core, row: BadRow, raw: dict[str, Any]) -> Ready:
    trusted = row.channel in TRUSTED
    event = _converted(raw, TrustedFeedback if trusted else IncomingFeedback)
    claims = _claims(row, event.consent if trusted else None)
    checked = check_feedback(event, core.applied.signals, claims)
    fingerprint = fingerprint_of(event)
    pending = Pending(event, checked, claims, fingerprint, private_texts(event, checked))
    clean = core.redact(pending.texts) if pending.texts else []
    sender = Sender(None if trusted else claims, CHANNEL)
    return Ready(
        record(core, sender, pending, clean, row.received_at),
        (core.journal.dedupe.key_of(row.subject, event.event_id.lower()), fingerprint),
    )


def _claims(row: BadRow, consent: ConsentBody | None) -> Claims:
    return Claims(
        subject=row.subject,
        session=row.session,
        outputs=row.outputs,
        arm=row.arm,
        run_uid=row.run_uid,
        epoch=row.epoch,
        started_at=row.started_at,
        consent=consent.train if consent is not None and row.consent is None else row.consent,
        tenant=row.tenant,
        verified=row.stream == "verified",
        by_header=row.by_header,
    )


def _interaction(core: Core, row: BadRow, raw: dict[str, Any]) -> Ready:
    event = check_interaction(_converted(raw, IncomingInteraction), core.applied.context)
    owner = Owner(row.subject, row.session, row.tenant, event.raters)
    fingerprint = fingerprint_of(event)
    made = interaction_record(core, event, owner, fingerprint, CHANNEL, minted=row.channel == "proxy")
    serving = Serving(row.run_uid, row.epoch, row.arm, row.arm) if row.channel == "proxy" else None
    consent = made.consent if row.consent is None else row.consent
    return Ready(
        msgspec.structs.replace(made, received_at=row.received_at, serving=serving, consent=consent),
        (core.journal.dedupe.key_of(row.subject, event.event_id.lower()), fingerprint),
    )


def _converted(raw: dict[str, Any], model: type[M]) -> M:
    """Raises Refusal."""
    try:
        return msgspec.convert(raw, model)
    except (msgspec.ValidationError, OverflowError):
        raise explain(raw, model) from None
