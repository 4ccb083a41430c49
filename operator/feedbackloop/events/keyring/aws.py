"""A root key in the AWS Key Management Service, which never leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from feedbackloop.events.errors import KeyRefused, KeyServiceUnavailable
from feedbackloop.events.objects import read_credentials

_REFUSALS = frozenset(
    {
        "InvalidCiphertextException",
        "IncorrectKeyException",
        "NotFoundException",
        "InvalidKeyUsageException",
        "ValidationException",
    }
)
"""The others (throttling, a disabled key, missing rights, a wrong credential) pass or are mended by someone."""


class KmsRoot:
    """`Encrypt` and `Decrypt` with an encryption context, by the key's id, ARN or alias."""

    def __init__(self, url: str, region: str, key: str, credentials: Path) -> None:
        self._url, self._region, self._key, self._credentials = url, region, key, credentials
        self._client: tuple[tuple[str, str], Any] | None = None

    @property
    def ident(self) -> str:
        return f"kms:{self._key}"

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        answer = self._call("encrypt", Plaintext=plain, EncryptionContext=dict(context))
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        answer = self._call("decrypt", CiphertextBlob=wrapped, EncryptionContext=dict(context))
        # Only our key may have opened it, whatever the ciphertext says of itself.
        if "alias/" not in self._key and not str(answer["KeyId"]).endswith(self._key):
            raise KeyRefused("AWS KMS opened it with another key than the loop's")
        return bytes(answer["Plaintext"])

    def _call(self, action: str, **arguments: object) -> Any:
        try:
            return getattr(self._kms(), action)(KeyId=self._key, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _REFUSALS:
                raise KeyRefused(f"AWS KMS refused to {action} a key: {code}") from None
            raise KeyServiceUnavailable(code if code.isalnum() else "Refused") from None
        except BotoCoreError as error:
            raise KeyServiceUnavailable(type(error).__name__) from None

    def _kms(self) -> Any:
        try:
            credentials = read_credentials(self._credentials)
        except OSError:
            raise KeyServiceUnavailable("NoCredentials") from None
        if self._client is None or self._client[0] != credentials:
            self._client = (credentials, self._connect(credentials))
        return self._client[1]

    def _connect(self, credentials: tuple[str, str]) -> Any:
        return boto3.session.Session().client(
            "kms",
            endpoint_url=self._url or None,
            region_name=self._region,
            aws_access_key_id=credentials[0],
            aws_secret_access_key=credentials[1],
            config=Config(
                connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"}, proxies={}
            ),
        )
