"""Which records of the log belong into the ledger, and how they read there."""

from __future__ import annotations

from typing import Any

from feedbackloop.events.codec import Stored
from feedbackloop.events.records import AuditRecord, ConsentRecord, LostRecord

CONSENT, AUDIT, LOST = "consent", "audit", "lost"


def content_of(record: Stored, number: int) -> dict[str, Any] | None:
    """The entry's content for the log's record `number`; None for a record that is no matter of the ledger.

    A record that was damaged on the volume may have been one, so the ledger says that it is lost.
    """
    match record:
        case ConsentRecord():
            return {
                "kind": CONSENT,
                "at": record.received_at,
                "record": number,
                "event_id": record.event_id,
                "subject": record.subject,
                "purpose": record.purpose,
                "state": record.state,
                "source": record.source,
                "policy_version": record.policy_version,
                "policy_sha256": record.policy_sha256,
            }
        case AuditRecord():
            facts = {"action": record.action, "actor": record.actor, "detail": dict(record.detail)}
            return {"kind": AUDIT, "at": record.received_at, "record": number, **facts}
        case LostRecord():
            return {"kind": LOST, "at": record.received_at, "record": number}
    return None


def consent_of(entry: dict[str, Any], origin: str) -> ConsentRecord | None:
    """The consent that an entry states, None for an entry of another kind."""
    if entry.get("kind") != CONSENT:
        return None
    return ConsentRecord(
        event_id=str(entry["event_id"]),
        received_at=int(entry["at"]),
        subject=str(entry["subject"]),
        purpose=str(entry["purpose"]),
        state=str(entry["state"]),
        source=str(entry["source"]),
        policy_version=str(entry["policy_version"]),
        policy_sha256=str(entry["policy_sha256"]),
        pod=origin,
        seq=int(entry["record"]),
    )
