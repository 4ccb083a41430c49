"""What pods say to each other is sealed: AES-256-GCM under a key of the loop's secret, bound to receiver and purpose.

A message that is sent again does nothing new: records and events have ids that their owner knows, and what has no
id is idempotent. The header admits a body before it is read; it says who may be listened to, nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedbackloop.events import keys

HEADER = b"x-feedback-peer"
_NONCE = 12


class NotAPeer(Exception):  # noqa: N818
    """The message was not sealed by a pod of this loop for this one."""


class PeerSeal:
    """Seals and opens for one loop."""

    def __init__(self, secret: bytes, loop_uid: str) -> None:
        self._aead, self._uid = AESGCM(keys.derive(secret, "peer")), loop_uid
        self._mac = keys.derive(secret, "peer-header")

    def seal(self, plain: bytes, *, to: int, what: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, plain, self._aad(to, what))

    def open(self, sealed: bytes, *, to: int, what: str) -> bytes:
        """Raises NotAPeer."""
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._aad(to, what))
        except (InvalidTag, ValueError):
            raise NotAPeer from None

    def _aad(self, to: int, what: str) -> bytes:
        return f"{self._uid}/{to}/{what}".encode()

    def header(self, *, to: int, what: str, length: int) -> str:
        """The header's value for a body of that many bytes."""
        return hmac.new(self._mac, f"{self._uid}/{to}/{what}/{length}".encode(), hashlib.sha256).hexdigest()

    def admits(self, value: bytes, *, to: int, what: str, length: int) -> bool:
        return hmac.compare_digest(value, self.header(to=to, what=what, length=length).encode())
