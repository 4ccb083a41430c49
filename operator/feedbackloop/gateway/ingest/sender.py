"""Who sends an event, and what follows for its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from feedbackloop.events.incoming import IncomingFeedback, TrustedFeedback
from feedbackloop.events.tokens import Claims
from feedbackloop.gateway.core import Core


class Sender(msgspec.Struct, frozen=True, gc=False):
    """The holder of a feedback token, or a trusted server whose events say themselves whose they are."""

    claims: Claims | None
    """None for a trusted server."""
    channel: str = "token"
    """`token`, `api`, `otlp` or `import`"""
    private: bool = False
    """The browser asks for privacy (Sec-GPC, DNT)."""
    verified: bool = False
    """A trusted server that speaks for annotators. A token says so itself."""
    forwarded: bool = False
    """Another pod has handed it on: it is taken here, whoever owns it."""
    meter: Callable[[int], None] | None = None
    """Told how many events a request holds before they are looked at. Raises OverLimit: then none is taken."""


def claims_of(core: Core, sender: Sender, event: IncomingFeedback) -> Claims:
    """Whose event it is: what the token says, or what the trusted event says, as pseudonyms."""
    if sender.claims is not None:
        return sender.claims
    assert isinstance(event, TrustedFeedback)
    output_id = event.output_id or (event.candidates[0].output_id if event.candidates else "") or event.event_id
    return Claims(
        subject=core.subject_of(event.subject_id, event.session_id, output_id),
        session=core.session_of(event.session_id),
        outputs=(),
        consent=event.consent.train if event.consent else None,
        tenant=core.tenant_of(event.tenant_id),
        verified=sender.verified,
    )


def refused_claims(core: Core, sender: Sender, raw: Any) -> Claims:
    """The same for an event that was refused, of which there may be nothing but JSON."""
    said = raw if isinstance(raw, dict) else {}

    def text(name: str) -> str:
        value = said.get(name)
        return value if isinstance(value, str) else ""

    claims = claims_of(
        core,
        sender,
        TrustedFeedback(
            event_id=text("event_id"),
            signal="",
            output_id=text("output_id") or None,
            subject_id=text("subject_id"),
            session_id=text("session_id"),
            tenant_id=text("tenant_id"),
        ),
    )
    return msgspec.structs.replace(claims, consent=_consent(sender, claims, said.get("consent")))


def _consent(sender: Sender, claims: Claims, said: Any) -> bool | None:
    """What a refused event says of consent, as an accepted one would."""
    train = said.get("train") if isinstance(said, dict) else None
    if sender.private or train is False:
        return False
    return True if sender.claims is None and train is True else claims.consent
