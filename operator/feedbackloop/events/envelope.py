"""The outer envelope of everything in object storage: the AWS Encryption SDK's message format.

Suite 0x0478 (AES-256-GCM, HKDF-SHA512, key commitment), a raw AES master key from the KEK file.
The encryption context is authenticated: it names the purpose, and for most objects their key, so
that a swapped object is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

from feedbackloop.events.errors import EnvelopeError

SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
FRAME_BYTES = 1 << 20
PROVIDER, KEY_ID = "feedbackloop", "kek"

# The SDK logs a traceback for every message that it refuses; our error says all there is to say.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)


class _KekProvider(RawMasterKeyProvider):  # type: ignore[misc]
    """Gives the SDK the one wrapping key there is."""

    provider_id = PROVIDER

    def __new__(cls, kek: bytes) -> _KekProvider:  # the SDK's __new__ takes keywords only
        provider: _KekProvider = super().__new__(cls)
        return provider

    def __init__(self, kek: bytes) -> None:
        super().__init__()
        self._wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=kek,
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )
        self.add_master_key(KEY_ID)

    def _get_raw_key(self, key_id: object) -> Any:
        return self._wrapping_key


def _client() -> Any:
    return EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


def encrypt(plain: bytes, *, kek: bytes, context: Mapping[str, str]) -> bytes:
    """The message that holds `plain`, bound to `context` (not secret: it stands readable in the header)."""
    sealed, _ = _client().encrypt(
        source=plain,
        key_provider=_KekProvider(kek),
        algorithm=SUITE,
        encryption_context=dict(context),
        frame_length=FRAME_BYTES,
    )
    return bytes(sealed)


def decrypt(sealed: bytes, *, kek: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext. Raises EnvelopeError for a wrong key, altered bytes, another suite or another context."""
    try:
        plain, header = _client().decrypt(source=sealed, key_provider=_KekProvider(kek))
    except AWSEncryptionSDKClientError as error:
        raise EnvelopeError(f"cannot open the envelope: {type(error).__name__}") from None
    except Exception as error:
        # The SDK lets struct and index errors out for truncated messages.
        raise EnvelopeError(f"not an envelope: {type(error).__name__}") from None
    if any(header.encryption_context.get(name) != value for name, value in context.items()):
        raise EnvelopeError("the envelope was made for another object or purpose")
    return bytes(plain)
