"""What the events of a request say of consent, as entries of the ledger in the same commit."""

from __future__ import annotations

from collections.abc import Sequence

from feedbackloop.events.ledger.consents import Source
from feedbackloop.events.records import ConsentRecord
from feedbackloop.gateway import consent
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest.records import Pending
from feedbackloop.gateway.ingest.sender import Sender


def stated(core: Core, sender: Sender, pending: Sequence[Pending]) -> list[ConsentRecord]:
    """One entry for each thing that is said and was not known: a browser and a token withdraw, a server states."""
    entries: list[ConsentRecord] = []
    if sender.private and sender.claims is not None:
        entries += consent.withdrawal(core, sender.claims.subject, Source.BROWSER)
    for each in pending:
        if (said := each.event.consent) is None:
            continue
        if sender.claims is None:
            entries += consent.carried(core, each.claims.subject, said.train)
        elif not said.train:
            entries += consent.withdrawal(core, each.claims.subject, Source.BODY)
    # The memory knows of none of them before they are durable.
    return list({(entry.subject, entry.purpose, entry.state): entry for entry in entries}.values())
