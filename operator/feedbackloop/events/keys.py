"""Keys: wrapping under the key encryption keys, and what is derived from the loop's secret.

A `Kek` knows key encryption keys by id. It wraps under the current one, and the wrapped bytes name it:

    magic "\\x02FLKEY" | u8 length of the id | id | nonce (12) | AES-256-GCM ciphertext of the key and tag (48)

The associated data are everything before the nonce and the purpose, so that neither can be exchanged.
Wrapped bytes of before, nonce and ciphertext alone, are under the raw root key (`RAW`) and stay readable.

The loop's secret is 32 random bytes. From it come, by HKDF-SHA256 (RFC 5869) with a label each, the key
of feedback tokens, the key of pseudonyms, the key of the de-duplication index and the seed of the ledger's signatures.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from feedbackloop.events.errors import EnvelopeError

if TYPE_CHECKING:
    from feedbackloop.events.keyring.subjects import Subjects

KEY_BYTES = 32
NONCE_BYTES = 12
RAW = "kek"
"""The id of a root key that wraps by itself: 32 raw bytes of a Secret."""

_MAGIC = b"\x02FLKEY"
_SEALED_BYTES = NONCE_BYTES + KEY_BYTES + 16


class Kek:
    """Key encryption keys by id. This one is fixed; a `Keyring` is one that finds more and takes up new ones."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        self._keys, self._current = dict(keys), current

    @classmethod
    def of(cls, raw: bytes) -> Kek:
        """A single key of 32 raw bytes."""
        return Kek({RAW: raw}, RAW)

    @property
    def subjects(self) -> Subjects | None:
        """The keys of subjects, where there is a keyring to find them."""
        return None

    @property
    def current(self) -> str:
        """The id of the key that new wrapping is done with."""
        return self._current

    def key(self, ident: str) -> bytes:
        """The 32 bytes of a key. Raises EnvelopeError for one that is not known."""
        try:
            return self._keys[ident]
        except KeyError:
            raise EnvelopeError(f"it is under a key that is not here: {ident[:40]!r}") from None


def wrap(kek: Kek, key: bytes, purpose: bytes) -> bytes:
    """`key` under the current KEK by AES-256-GCM with a random nonce, bound to `purpose`."""
    ident = kek.current
    name = ident.encode()
    head, nonce = _MAGIC + bytes([len(name)]) + name, os.urandom(NONCE_BYTES)
    return head + nonce + AESGCM(kek.key(ident)).encrypt(nonce, key, head + purpose)


def unwrap(kek: Kek, wrapped: bytes, purpose: bytes) -> bytes:
    """The key that `wrap` wrapped. Raises EnvelopeError for another KEK, purpose or altered bytes."""
    head, sealed = _parted(wrapped)
    key = kek.key(head[len(_MAGIC) + 1 :].decode("ascii", "replace") if head else RAW)
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head + purpose)
    except (InvalidTag, ValueError):
        raise EnvelopeError("a key cannot be unwrapped: wrong KEK or altered") from None


def split(data: bytes) -> tuple[bytes, bytes]:
    """The wrapped key that `data` begins with, and the rest."""
    head, _ = _parted(data)
    end = len(head) + _SEALED_BYTES
    return data[:end], data[end:]


def _parted(wrapped: bytes) -> tuple[bytes, bytes]:
    """What names the key (empty: the format of before) and what was sealed."""
    end = 0
    if wrapped.startswith(_MAGIC) and len(wrapped) > len(_MAGIC):
        end = len(_MAGIC) + 1 + wrapped[len(_MAGIC)]
    return wrapped[:end], wrapped[end:]


def derive(secret: bytes, label: str) -> bytes:
    """A 32-byte key of the secret for one use."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"feedbackloop/" + label.encode()).derive(secret)


@dataclass(frozen=True, repr=False)
class LoopKeys:
    """The keys that one loop's gateway works with."""

    token: bytes
    pseudonym: bytes
    dedupe: bytes
    ledger: bytes
    """The seed of the key that signs the ledger."""

    @classmethod
    def of(cls, secret: bytes) -> LoopKeys:
        return cls(
            token=derive(secret, "token"),
            pseudonym=derive(secret, "pseudonym"),
            dedupe=derive(secret, "dedupe"),
            ledger=derive(secret, "ledger"),
        )

    def pseudonym_of(self, kind: str, value: str) -> str:
        """32 hex digits that stand for `value`; `kind` keeps a subject and a session of one name apart."""
        message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.pseudonym, message, hashlib.sha256)[:16].hex()
