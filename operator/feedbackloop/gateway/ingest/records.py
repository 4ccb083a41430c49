"""From a checked event to its record."""

from __future__ import annotations

import msgspec

from feedbackloop.api.collection import TRAINABLE
from feedbackloop.events.incoming import IncomingFeedback, TrustedFeedback
from feedbackloop.events.records import FeedbackRecord
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Checked
from feedbackloop.gateway.consent import effective
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest.sender import Sender
from feedbackloop.gateway.ingest.texts import TEXT_KINDS, restored

HUMAN = frozenset({"END_USER", "ANNOTATOR"})


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A valid event that waits for its redaction."""

    event: IncomingFeedback
    checked: Checked
    claims: Claims
    fingerprint: int
    texts: list[str]


def record(core: Core, sender: Sender, pending: Pending, clean: list[str], now_ms: int) -> FeedbackRecord:
    """The record of an event whose texts are `clean`."""
    event, checked, claims = pending.event, pending.checked, pending.claims
    consent = effective(core, claims.subject, _consent(event, claims, sender))
    only_text = len(clean) == 1 and checked.kind in TEXT_KINDS
    # By position: naming 28 fields takes a microsecond and a half, a good part of all that is done for an event.
    made = FeedbackRecord(
        event.event_id.lower(),
        now_ms,  # received_at
        claims.subject,
        event.signal,
        checked.kind.value,
        clean[0] if only_text else checked.value,
        checked.output_id,
        checked.candidates,
        claims.session,
        claims.arm,
        claims.run_uid,
        claims.epoch,
        claims.started_at,
        checked.occurred_at,
        consent,
        checked.kind in TRAINABLE and _teaches(core, event, consent),
        pending.fingerprint,
        "",  # pod
        0,  # seq
        event.level,
        "",  # turn_id
        core.dimension_of(event.signal),
        event.supersedes.lower() if event.supersedes else "",
        event.retracted,
        "",  # detail
        event.fraction or 0.0,
        None,  # ui
        event.stream,
        _source(event, claims),
        sender.channel,
        claims.tenant,
        sender.claims is None and not core.knows(checked),  # orphan
        by_header=claims.by_header,
    )
    if pending.texts and not only_text:
        made = msgspec.structs.replace(made, **restored(core, event, checked, pending.texts, clean))
    return made


def _consent(event: IncomingFeedback, claims: Claims, sender: Sender) -> bool | None:
    """A token's event, and a browser that asks for privacy, can only withdraw."""
    if sender.private or (event.consent is not None and not event.consent.train):
        return False
    return claims.consent


def _teaches(core: Core, event: IncomingFeedback, consent: bool | None) -> bool:
    """Whether a run may be started for it: said by a person about an output, and agreed to."""
    agreed = consent is True or (consent is None and not core.applied.consent_required)
    human = not isinstance(event, TrustedFeedback) or event.source in HUMAN
    return agreed and human and event.level == "output" and not event.retracted


def _source(event: IncomingFeedback, claims: Claims) -> str:
    if isinstance(event, TrustedFeedback) and event.source != "END_USER":
        return event.source
    return "ANNOTATOR" if claims.verified else "END_USER"
