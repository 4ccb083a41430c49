"""Which requests are mirrored (pure)."""

from __future__ import annotations

import hashlib

from feedbackloop.api.gateway import Arm, Routing
from feedbackloop.gateway.answers import Asked
from feedbackloop.gateway.assignment import BUCKETS
from feedbackloop.gateway.completions import asks_for_tools
from feedbackloop.gateway.turn import Turn


def drawn(routing: Routing, session: str, body: bytes) -> bool:
    """Whether the share of the mirror falls on this request: by a hash of its session and body under the salt, so
    that it says nothing of the session's arm, and that all pods would say the same."""
    if routing.mirror is None:
        return False
    key = hashlib.sha256(f"mirror/{routing.salt}".encode()).digest()
    digest = hashlib.blake2b(session.encode() + b"\0" + body, digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big") % BUCKETS < routing.mirror.percent * (BUCKETS // 100)


def comparable(turn: Turn) -> bool:
    """Whether stable gave this answer, as it was meant to."""
    return turn.arm is Arm.STABLE and not (turn.fallback or turn.by_header)


def forbidden(asked: Asked, consent: bool | None, *, consent_required: bool) -> bool:
    """Whether a request that was drawn may not be mirrored: a call of a tool could do something, and a user who has
    not agreed where that is needed, or has said no, is not asked for more."""
    refused = consent is False or (consent_required and consent is not True)
    return refused or asks_for_tools(asked.request)
