"""Who owns a session: rendezvous hashing over the ordinals (Thaler and Ravishankar, 1998; pure).

Every pod computes the same owner from nothing but the number of replicas. When a replica is added, only the
sessions that it wins move, one in N.
"""

from __future__ import annotations

import hashlib
import re

_ORDINAL = re.compile(r"-([0-9]+)$")


def weight(ordinal: int, key: str) -> int:
    """The score of one pod for a session: 64 bits."""
    return int.from_bytes(hashlib.blake2b(f"{ordinal}/{key}".encode(), digest_size=8).digest(), "big")


def owner(key: str, replicas: int) -> int:
    """The ordinal with the highest score; the lower one in the case, never seen, of a tie."""
    return max(range(replicas), key=lambda ordinal: (weight(ordinal, key), -ordinal))


def owner_key(session: str, subject: str) -> str:
    """What decides: the session's pseudonym, or the subject's where there is no session."""
    return session or subject


def ordinal_of(pod: str) -> int:
    """The number at the end of a StatefulSet pod's name; 0 for a name without one."""
    found = _ORDINAL.search(pod)
    return int(found[1]) if found else 0


def addresses(peers: str, replicas: int) -> tuple[str, ...]:
    """`host:port` of every replica's app port, by ordinal: from a template with `{ordinal}`, or a list with commas."""
    if "{ordinal}" in peers:
        return tuple(peers.replace("{ordinal}", str(ordinal)) for ordinal in range(replicas))
    return tuple(part.strip() for part in peers.split(",") if part.strip())[:replicas]
