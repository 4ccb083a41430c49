"""Keys: wrapping under the KEK, and what is derived from the loop's secret.

The loop's secret is 32 random bytes on the gateway's volume, wrapped by the KEK. From it come,
by HKDF-SHA256 (RFC 5869) with a label each, the key of feedback tokens, the key of pseudonyms
and the key of the de-duplication index.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from feedbackloop.events.errors import EnvelopeError

KEY_BYTES = 32
NONCE_BYTES = 12


def load_kek(directory: Path) -> bytes:
    """The 32 raw bytes of the file `key`. Raises EnvelopeError when they are not 32."""
    key = (directory / "key").read_bytes()
    if len(key) != KEY_BYTES:
        raise EnvelopeError(f"the key file must hold {KEY_BYTES} raw bytes, it holds {len(key)}")
    return key


def wrap(kek: bytes, key: bytes, purpose: bytes) -> bytes:
    """`key` under the KEK by AES-256-GCM with a random nonce, bound to `purpose`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(kek).encrypt(nonce, key, purpose)


def unwrap(kek: bytes, wrapped: bytes, purpose: bytes) -> bytes:
    """The key that `wrap` wrapped. Raises EnvelopeError for another KEK, purpose or altered bytes."""
    try:
        return AESGCM(kek).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], purpose)
    except (InvalidTag, ValueError):
        raise EnvelopeError("a key cannot be unwrapped: wrong KEK or altered") from None


def derive(secret: bytes, label: str) -> bytes:
    """A 32-byte key of the secret for one use."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"feedbackloop/" + label.encode()).derive(secret)


@dataclass(frozen=True, repr=False)
class LoopKeys:
    """The keys that one loop's gateway works with."""

    token: bytes
    pseudonym: bytes
    dedupe: bytes

    @classmethod
    def of(cls, secret: bytes) -> LoopKeys:
        return cls(
            token=derive(secret, "token"), pseudonym=derive(secret, "pseudonym"), dedupe=derive(secret, "dedupe")
        )

    def pseudonym_of(self, kind: str, value: str) -> str:
        """32 hex digits that stand for `value`; `kind` keeps a subject and a session of one name apart."""
        message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.pseudonym, message, hashlib.sha256)[:16].hex()
