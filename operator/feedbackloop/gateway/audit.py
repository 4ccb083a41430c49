"""What was done, for the audit log: entries of the journal, which the uploader projects into the ledger."""

from __future__ import annotations

import logging

from feedbackloop.events.records import AuditRecord
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.wal import LogUnavailable

STARTED, STOPPED, DRAINED = "gateway.started", "gateway.stopped", "gateway.drained"
CONFIG_APPLIED, POLICY_CHANGED = "config.applied", "consent.policy"
TOKENS_REFUSED, BAD_ROWS_REPLAYED = "tokens.refused", "badrows.replayed"
KEY_CREATED, KEY_ROTATED = "key.created", "key.rotated"

logger = logging.getLogger(__name__)


def audit(journal: Journal, action: str, *, actor: str = "gateway", **detail: object) -> bool:
    """Writes one entry; whether the log took it (it does not when it is full or closed). Nobody waits for it.

    `detail` holds names, digests, numbers and pseudonyms, never what a user said. On the event loop only.
    """
    facts = {name: str(value) for name, value in detail.items()}
    try:
        journal.post([AuditRecord(received_at=journal.now_ms(), action=action, actor=actor, detail=facts)])
    except LogUnavailable as error:
        logger.warning("audit entry %s was not stored: %s", action, error.reason)
        return False
    return True
