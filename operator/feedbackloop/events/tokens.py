"""Feedback tokens: sealed, so that whoever holds one learns nothing from it, not even the arm.

AES-256-GCM with a random nonce under the loop's token key; the loop's UID is associated data. The
plaintext is padded to a multiple of 64 bytes, so that its length tells nothing either.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from feedbackloop.events.errors import TokenInvalid

_VERSION = b"\x01"
_NONCE = 12
_BLOCK = 64
MAX_TOKEN_CHARS = 8192


class Claims(Struct, frozen=True, array_like=True):
    """What a token admits: signals about these outputs, by this subject. Times are Unix milliseconds."""

    subject: str
    session: str
    outputs: tuple[str, ...]
    arm: str = ""
    run_uid: str = ""
    epoch: int = 0
    started_at: int = 0
    expires_at: int = 0
    consent: bool | None = None
    tenant: str = ""
    verified: bool = False
    """An annotator's: admits `stream: verified`."""
    by_header: bool = False
    """A header had sent the request to the canary: nothing counts what is said of it. Stays last: see `_decode`."""


_decoder = msgspec.msgpack.Decoder(Claims)
_encode = msgspec.msgpack.Encoder().encode


class TokenSealer:
    """Seals and opens the tokens of one loop. A key may seal 2^32 of them (NIST SP 800-38D)."""

    def __init__(self, *, key: bytes, loop_uid: str, former: Sequence[bytes] = ()) -> None:
        """`former` keys only open: tokens that were given out before the loop's pods shared a key."""
        self._aead = AESGCM(key)
        self._former = [AESGCM(other) for other in former]
        self._aad = _VERSION + loop_uid.encode()

    def seal(self, claims: Claims) -> str:
        """The token, base64url without padding."""
        plain = _encode(claims)
        plain = plain + b"\x00" * (-len(plain) % _BLOCK)
        nonce = os.urandom(_NONCE)
        sealed = _VERSION + nonce + self._aead.encrypt(nonce, plain, self._aad)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: bytes, *, now_ms: int) -> Claims:
        """The claims of a token. Raises TokenInvalid when it is not ours, altered or expired."""
        claims = self._decode(self._decrypt(token))
        if claims.expires_at <= now_ms:
            raise TokenInvalid("expired")
        return claims

    def _decrypt(self, token: bytes) -> bytes:
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenInvalid("too long")
        try:
            sealed = binascii.a2b_base64(token.translate(_FROM_URLSAFE) + b"=" * (-len(token) % 4), strict_mode=True)
            if sealed[:1] != _VERSION:
                raise TokenInvalid("not a token")
            nonce, ciphertext = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
            try:
                return self._aead.decrypt(nonce, ciphertext, self._aad)
            except InvalidTag:
                return self._decrypt_former(nonce, ciphertext)
        except (ValueError, InvalidTag):
            raise TokenInvalid("not a token of this loop") from None

    def _decrypt_former(self, nonce: bytes, ciphertext: bytes) -> bytes:
        for aead in self._former:
            with contextlib.suppress(InvalidTag):
                return aead.decrypt(nonce, ciphertext, self._aad)
        raise InvalidTag

    @staticmethod
    def _decode(plain: bytes) -> Claims:
        # The last field, a boolean, never encodes to a zero byte, so the padding comes off whole.
        try:
            return _decoder.decode(plain.rstrip(b"\x00"))
        except msgspec.MsgspecError:
            raise TokenInvalid("not a token of this version") from None


_FROM_URLSAFE = bytes.maketrans(b"-_", b"+/")
