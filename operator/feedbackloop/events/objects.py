"""Object storage behind one small protocol, and its S3 implementation.

Every failure that may pass by itself (no connection, timeout, 5xx, 403, throttling, missing
bucket) is `StorageUnavailable` with a short reason that may be shown in a status.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from feedbackloop.api.gateway import ObjectStore
from feedbackloop.events.errors import ObjectChanged, ObjectExists, ObjectMissing, StorageUnavailable


@dataclass(frozen=True)
class ObjectInfo:
    """What a HEAD tells."""

    size: int
    sha256: str
    """Hex, of the stored bytes, as their writer declared it; empty when it did not."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What else its writer declared."""


_CONFLICTS = ("ConditionalRequestConflict", "OperationAborted")
NO_METADATA: Mapping[str, str] = {}


class ObjectClient(Protocol):
    """A bucket. Keys are full keys, below no prefix."""

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> None:
        """Creates an object. Raises ObjectExists when there is one, StorageUnavailable."""

    def put(self, key: str, data: bytes) -> None:
        """Creates or replaces an object. Raises StorageUnavailable."""

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises ObjectMissing, StorageUnavailable."""

    def head(self, key: str) -> ObjectInfo:
        """What is known of the object. Raises ObjectMissing, StorageUnavailable."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix, in order. Raises StorageUnavailable."""


class AtomicClient(ObjectClient, Protocol):
    """A bucket in which an object can be changed by compare-and-swap."""

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        """The object's bytes and the tag of this version. Raises ObjectMissing, StorageUnavailable."""

    def put_if_match(self, key: str, data: bytes, etag: str | None) -> str:
        """Replaces exactly that version (None: there is no object yet); the new version's tag.

        Raises ObjectChanged when another version is there, StorageUnavailable.
        """

    def delete(self, key: str) -> None:
        """Deletes an object; an absent one is deleted already. Raises StorageUnavailable."""


def read_credentials(directory: Path) -> tuple[str, str]:
    """Access key and secret key as the kubelet mounts them."""
    return (
        (directory / "AWS_ACCESS_KEY_ID").read_text().strip(),
        (directory / "AWS_SECRET_ACCESS_KEY").read_text().strip(),
    )


_session: boto3.session.Session | None = None
_session_lock = threading.Lock()


def _client(**settings: Any) -> Any:
    """A client of the process's one session: the service's description takes 12 MiB, a further client little."""
    global _session  # noqa: PLW0603 - made at the first use, since making it reads files
    with _session_lock:  # making clients from a session is not safe in several threads, using them is
        _session = _session or boto3.session.Session()
        return _session.client("s3", **settings)


class S3Client:
    """One bucket of an S3 service, by boto3; blocking, and usable by several threads."""

    def __init__(self, store: ObjectStore, credentials: tuple[str, str], *, timeout_seconds: float = 20.0) -> None:
        self._bucket = store.bucket
        self._s3: Any = _client(
            endpoint_url=store.url,
            region_name=store.region,
            aws_access_key_id=credentials[0],
            aws_secret_access_key=credentials[1],
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=min(5.0, timeout_seconds),
                read_timeout=timeout_seconds,
                retries={"total_max_attempts": 1, "mode": "standard"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                proxies={},
            ),
        )

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> None:
        self._put(key, data, metadata, IfNoneMatch="*")

    def put(self, key: str, data: bytes) -> None:
        self._put(key, data)

    def _put(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA, **condition: str) -> None:
        declared = {**metadata, "sha256": hashlib.sha256(data).hexdigest()}
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, Metadata=declared, **condition)
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, key) from None

    def get(self, key: str) -> bytes:
        return self._read(key)[0]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        data, etag = self._read(key)
        if not etag:
            raise StorageUnavailable("NoETag")
        return data, etag

    def _read(self, key: str) -> tuple[bytes, str]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), str(answer.get("ETag", ""))
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, key) from None
        except Exception as error:
            # The body is read outside botocore's own error mapping (urllib3's errors, short reads).
            raise StorageUnavailable(type(error).__name__) from None

    def put_if_match(self, key: str, data: bytes, etag: str | None) -> str:
        condition = {"IfMatch": etag} if etag is not None else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, **condition)
        except (BotoCoreError, ClientError) as error:
            raise _changed_or(_translated(error, key), error, key) from None
        return str(answer.get("ETag", ""))

    def delete(self, key: str) -> None:
        try:
            self._s3.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, key) from None

    def head(self, key: str) -> ObjectInfo:
        try:
            answer = self._s3.head_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, key) from None
        metadata = answer.get("Metadata", {})
        return ObjectInfo(int(answer["ContentLength"]), metadata.get("sha256", ""), metadata)

    def list(self, prefix: str) -> Iterator[str]:
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    yield item["Key"]
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, prefix) from None


def _translated(error: BotoCoreError | ClientError, key: str) -> Exception:
    if not isinstance(error, ClientError):
        return StorageUnavailable(type(error).__name__)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", status))
    if status == 412 or code == "PreconditionFailed":
        return ObjectExists(key)
    if code in ("NoSuchKey", "404", "NotFound"):
        return ObjectMissing(key)
    return StorageUnavailable(code if code.isalnum() else str(status))


def _changed_or(translated: Exception, error: BotoCoreError | ClientError, key: str) -> Exception:
    """Of a conditional put: the condition failed, or another put of the same key was under way."""
    conflict = isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _CONFLICTS
    return ObjectChanged(key) if conflict or isinstance(translated, ObjectExists | ObjectMissing) else translated
