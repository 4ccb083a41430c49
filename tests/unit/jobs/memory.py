"""A bucket in memory with the S3 client's four calls that stores make; real S3 is met in tests/trainer."""
# ruff: noqa: N803 - the names of the S3 API

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from feedbackloop.jobs.storage import Store


class MemoryS3:
    """What a client of one bucket does, and a journal of what was written in which order."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self.away = False

    def store(self, bucket: str = "models", prefix: str = "") -> Store:
        return Store(self, bucket, prefix)  # type: ignore[arg-type]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self._reach("GetObject")
        if Key not in self.objects:
            raise _error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str | None = None) -> None:
        self._reach("PutObject")
        if IfNoneMatch and Key in self.objects:
            raise _error("PreconditionFailed", "PutObject")
        self.objects[Key] = bytes(Body)
        self.written.append(Key)

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=Path(path).read_bytes())

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.get_object(Bucket=bucket, Key=key)["Body"].read())

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self._reach("DeleteObject")
        self.objects.pop(Key, None)

    def get_paginator(self, name: str) -> MemoryS3:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        self._reach("ListObjectsV2")
        return [{"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)]}]

    def _reach(self, operation: str) -> None:
        if self.away:
            raise _error("ServiceUnavailable", operation)


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, operation)
