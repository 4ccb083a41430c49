"""The outer envelope of everything in object storage: the AWS Encryption SDK's message format.

Suite 0x0478 (AES-256-GCM, HKDF-SHA512, key commitment), a raw AES master key whose key id is the KEK's.
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

from feedbackloop.events.errors import EnvelopeError, EventsError
from feedbackloop.events.keys import Kek

SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
FRAME_BYTES = 1 << 20
PROVIDER = "feedbackloop"
_KEY_INFO_BYTES = 4 + 4 + 12
"""Behind the key's id: lengths of tag and nonce, and the nonce."""

# The SDK logs a traceback for every message that it refuses; our error says all there is to say.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)


class _KekProvider(RawMasterKeyProvider):  # type: ignore[misc]
    """Gives the SDK the wrapping keys that it asks for by id."""

    provider_id = PROVIDER

    def __new__(cls, kek: Kek) -> _KekProvider:  # the SDK's __new__ takes keywords only
        provider: _KekProvider = super().__new__(cls)
        return provider

    def __init__(self, kek: Kek) -> None:
        super().__init__()
        self._kek = kek

    def _get_raw_key(self, key_id: bytes) -> Any:
        return WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
            wrapping_key=self._kek.key(key_id.decode("ascii", "replace")),
            wrapping_key_type=EncryptionKeyType.SYMMETRIC,
        )

    def decrypt_data_key(self, encrypted_data_key: Any, algorithm: Any, encryption_context: Any) -> Any:
        # The SDK looks among the keys that were added; the message says which one that has to be.
        if encrypted_data_key.key_provider.provider_id == PROVIDER:
            self.add_master_key(encrypted_data_key.key_provider.key_info[:-_KEY_INFO_BYTES])
        return super().decrypt_data_key(encrypted_data_key, algorithm, encryption_context)


def _client() -> Any:
    return EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


def encrypt(plain: bytes, *, kek: Kek, context: Mapping[str, str]) -> bytes:
    """The message that holds `plain`, bound to `context` (not secret: it stands readable in the header)."""
    provider = _KekProvider(kek)
    provider.add_master_key(kek.current)
    sealed, _ = _client().encrypt(
        source=plain,
        key_provider=provider,
        algorithm=SUITE,
        encryption_context=dict(context),
        frame_length=FRAME_BYTES,
    )
    return bytes(sealed)


def decrypt(sealed: bytes, *, kek: Kek, context: Mapping[str, str]) -> bytes:
    """The plaintext. Raises EnvelopeError for a wrong key, altered bytes, another suite or another context."""
    try:
        plain, header = _client().decrypt(source=sealed, key_provider=_KekProvider(kek))
    except AWSEncryptionSDKClientError as error:
        raise EnvelopeError(f"cannot open the envelope: {type(error).__name__}") from None
    except EventsError:
        raise  # of the KEK: the key is not known, or cannot be fetched now
    except Exception as error:
        # The SDK lets struct and index errors out for truncated messages, and the tag's own error for a wrong key.
        raise EnvelopeError(f"cannot open the envelope: {type(error).__name__}") from None
    if any(header.encryption_context.get(name) != value for name, value in context.items()):
        raise EnvelopeError("the envelope was made for another object or purpose")
    return bytes(plain)
