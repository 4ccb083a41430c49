"""A bucket with all its versions: list, delete, and see that it is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from feedbackloop.jobs.errors import StorageUnavailable
from feedbackloop.jobs.storage import Store, translated
from feedbackloop.jobs.sweep.plan import Version

BATCH = 1000
"""The most that S3 deletes at once."""


class Bucket:
    """A store seen with its versions. Keys are relative to its prefix."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._client: Any = store.client

    def now(self) -> datetime:
        """The time by the store's own clock."""
        with translated("head", self.store.bucket):
            answer = self._client.head_bucket(Bucket=self.store.bucket)
            headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
            return parsedate_to_datetime(headers["date"])
        raise StorageUnavailable(f"{self.store.bucket}: it does not say what time it is")

    def versions(self, below: str) -> Iterator[Version]:
        """All versions and delete markers of keys that begin with `below`; of a bucket without versions its objects."""
        with translated("list", below):
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self.store.bucket, Prefix=self.store.prefix + below
            )
            for page in pages:
                yield from (self._version(item, marker=False) for item in page.get("Versions", ()))
                yield from (self._version(item, marker=True) for item in page.get("DeleteMarkers", ()))

    def _version(self, item: dict[str, Any], *, marker: bool) -> Version:
        key = str(item["Key"]).removeprefix(self.store.prefix)
        return Version(key, str(item.get("VersionId") or "null"), item["LastModified"], marker)

    def delete(self, versions: Sequence[Version]) -> None:
        """Deletes exactly these versions; those that are gone already are no error. Raises StorageUnavailable."""
        for at in range(0, len(versions), BATCH):
            batch = versions[at : at + BATCH]
            named = [{"Key": self.store.prefix + v.key, "VersionId": v.version} for v in batch]
            with translated("delete", batch[0].key):
                answer = self._client.delete_objects(Bucket=self.store.bucket, Delete={"Objects": named, "Quiet": True})
                if errors := answer.get("Errors"):
                    code = str(errors[0].get("Code", "an error"))
                    raise StorageUnavailable(f"delete {batch[0].key}: the store refused {len(errors)} of them: {code}")

    def is_gone(self, key: str) -> bool:
        """Whether nothing answers under the key."""
        with translated("head", key, absent_is_none=True):
            self._client.head_object(Bucket=self.store.bucket, Key=self.store.prefix + key)
            return False
        return True
