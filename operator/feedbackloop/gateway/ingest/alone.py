"""The common request, on a short way: one new and valid event of a token that says nothing unusual."""

from __future__ import annotations

from typing import TypeGuard

from feedbackloop.events.incoming import IncomingFeedback
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Refusal, check_feedback
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import fingerprint_of
from feedbackloop.gateway.ingest.bodies import Item
from feedbackloop.gateway.ingest.outcome import Done, Outcome, tell
from feedbackloop.gateway.ingest.records import Pending, record
from feedbackloop.gateway.ingest.sender import Sender
from feedbackloop.gateway.ingest.texts import private_texts


def took_alone(core: Core, item: Item, sender: Sender, done: Done) -> bool:
    """Takes an event, or is False when it is anything else than common; then nothing has happened yet.

    Raises LogUnavailable.
    """
    claims = sender.claims
    if claims is None or core.peers is not None or sender.private or not _is_plain(item, claims):
        return False
    try:
        checked = check_feedback(item, core.applied.signals, claims)
    except Refusal:
        return False
    fingerprint = fingerprint_of(item)
    key = core.journal.dedupe.key_of(claims.subject, item.event_id)
    if core.journal.dedupe.find(key) is not None:
        return False
    texts = private_texts(item, checked)
    pending = Pending(item, checked, claims, fingerprint, texts)
    made = record(core, sender, pending, core.redact(texts) if texts else texts, core.journal.now_ms())
    core.journal.post(
        (made,), keys=((key, fingerprint),), then=lambda error: tell(core.journal.law, Outcome(accepted=1), done, error)
    )
    return True


def _is_plain(item: Item, claims: Claims) -> TypeGuard[IncomingFeedback]:
    """Whether an event needs nothing but its own text looked at."""
    return (
        isinstance(item, IncomingFeedback)
        and (item.output_id is None or item.output_id in claims.outputs)
        and item.candidates is None
        and item.consent is None
        and not item.redact_hints
        and item.event_id == item.event_id.lower()
    )
