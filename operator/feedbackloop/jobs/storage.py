"""Object storage as the jobs see it: keys below one prefix, bounded retries, one error.

Whatever goes wrong between us and the store is `StorageUnavailable`, since waiting is what helps:
a wrong credential is mended by its owner while the run waits. Only an absent key is an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from feedbackloop.api.gateway import ObjectStore
from feedbackloop.events.errors import ObjectExists, ObjectMissing
from feedbackloop.events.objects import NO_METADATA, ObjectInfo
from feedbackloop.jobs.errors import InvalidSpec, StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})


class Store:
    """A bucket below a prefix."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self.client, self.bucket, self.prefix = client, bucket, prefix

    def at(self, prefix: str) -> Store:
        """The same bucket below another prefix, counted from the bucket's root."""
        return Store(self.client, self.bucket, prefix)

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None when there is none."""
        with translated("get", key, absent_is_none=True):
            return self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        return None

    def put(self, key: str, data: bytes) -> None:
        with translated("put", key):
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def create(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> bool:
        """Write unless the key exists; whether this call wrote it."""
        declared: dict[str, Any] = {"Metadata": dict(metadata)} if metadata else {}
        try:
            with translated("create", key):
                self.client.put_object(
                    Bucket=self.bucket, Key=self.prefix + key, Body=data, IfNoneMatch="*", **declared
                )
        except _TakenError:
            return False
        return True

    def download(self, key: str, path: Path) -> bool:
        """Stream an object into a file; False when there is none."""
        with translated("get", key, absent_is_none=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.client.download_file(self.bucket, self.prefix + key, str(path))
            return True
        return False

    def upload(self, path: Path, key: str) -> None:
        with translated("put", key):
            self.client.upload_file(str(path), self.bucket, self.prefix + key)

    def keys(self, below: str = "") -> list[str]:
        """All keys that begin with `below`, in order, relative to the prefix."""
        with translated("list", below):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + below
            )
            return [item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", ())]
        return []

    def delete(self, key: str) -> None:
        with translated("delete", key):
            self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)


class Objects:
    """A store as `feedbackloop.events` asks for one: full keys, absence as an error."""

    def __init__(self, store: Store) -> None:
        self._root = store.at("")

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> None:
        if not self._root.create(key, data, metadata):
            raise ObjectExists(key)

    def put(self, key: str, data: bytes) -> None:
        self._root.put(key, data)

    def get(self, key: str) -> bytes:
        data = self._root.get(key)
        if data is None:
            raise ObjectMissing(key)
        return data

    def head(self, key: str) -> ObjectInfo:
        return ObjectInfo(size=len(self.get(key)), sha256="")

    def list(self, prefix: str) -> Iterator[str]:
        yield from self._root.keys(prefix)


class _TakenError(Exception):
    """A conditional create found the key taken."""


@contextmanager
def translated(action: str, key: str, *, absent_is_none: bool = False) -> Iterator[None]:
    """Turn the client's errors into ours; `with` swallows an absence where that is an answer."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if absent_is_none and code in ABSENT:
            return
        if code in TAKEN:
            raise _TakenError from None
        raise StorageUnavailable(f"{action} {key}: the object store answered {code or 'an error'}") from None
    except (BotoCoreError, OSError) as error:
        raise StorageUnavailable(f"{action} {key}: {type(error).__name__}") from None


def read_secret(directory: Path, key: str) -> str:
    """One key of a mounted Secret."""
    try:
        return (directory / key).read_text().strip()
    except OSError:
        raise InvalidSpec(f"secret {directory.name}: the key {key} is missing; add it to the Secret") from None


def open_store(where: ObjectStore, secrets: Path) -> Store:
    """A store with the credentials that the kubelet mounted at `secrets`."""
    return Store(_client(where, secrets), where.bucket, where.prefix)


def _client(where: ObjectStore, secrets: Path) -> Any:
    # Path style and checksums only where S3 demands them: that is what compatible stores understand.
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=where.url,
        region_name=where.region,
        aws_access_key_id=read_secret(secrets, "AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=read_secret(secrets, "AWS_SECRET_ACCESS_KEY"),
        config=config,
    )
