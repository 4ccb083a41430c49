"""What was done, for the audit log: entries of the journal, which the uploader projects into the ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from feedbackloop.events.records import AuditRecord
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.wal import LogUnavailable

STARTED, STOPPED, DRAINED = "gateway.started", "gateway.stopped", "gateway.drained"
CONFIG_APPLIED, POLICY_CHANGED = "config.applied", "consent.policy"
TOKENS_REFUSED, BAD_ROWS_REPLAYED = "tokens.refused", "badrows.replayed"
KEY_CREATED, KEY_ROTATED = "key.created", "key.rotated"

logger = logging.getLogger(__name__)


def audit_configuration(journal: Journal, applied: Applied) -> None:
    """That another configuration is applied, and that the text for users is another one; nothing when neither is."""
    told = journal.state.audited
    if told.get(CONFIG_APPLIED) != applied.revision:
        audit(journal, CONFIG_APPLIED, actor="operator", revision=applied.revision)
    notice = applied.notice
    if told.get(POLICY_CHANGED) != notice.sha256:
        audit(journal, POLICY_CHANGED, actor="operator", sha256=notice.sha256, version=notice.policy_version)


async def audit_refusals(journal: Journal, metrics: Mapping[str, int], seconds: float = 60.0) -> None:
    """How many tokens were refused, once a minute, if any were. For ever."""
    before = metrics.get("tokens_refused", 0)
    while True:
        await asyncio.sleep(seconds)
        now = metrics.get("tokens_refused", 0)
        if now > before and audit(journal, TOKENS_REFUSED, count=now - before):
            before = now


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
