"""Which arm a session belongs to (pure)."""

from __future__ import annotations

import hashlib
import hmac

from feedbackloop.api.gateway import Arm, Routing

BUCKETS = 10_000


def bucket(salt: str, session_id: str) -> int:
    """The session's bucket: the first 8 bytes of HMAC-SHA256(salt, session id), modulo 10 000."""
    digest = hmac.digest(salt.encode(), session_id.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") % BUCKETS


def assign(routing: Routing, session_id: str) -> Arm:
    """Canary for the first `weight` percent of the buckets; stable without a session or a canary."""
    if not session_id or routing.canary is None or routing.weight <= 0:
        return Arm.STABLE
    return Arm.CANARY if bucket(routing.salt, session_id) < routing.weight * (BUCKETS // 100) else Arm.STABLE
