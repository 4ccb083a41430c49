"""`ObjectsPort` on boto3, read-only. boto3 is imported at the first read: 40 MB that an idle operator need not have."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from feedbackloop.adapters.credentials import CredentialFiles
from feedbackloop.adapters.glances import Glances
from feedbackloop.adapters.ports import Json
from feedbackloop.api.adminconfig import AdminConfig, Endpoint, EndpointType
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient, UserError

SIZE_LIMIT = 8 * 1024 * 1024
THREADS = 4
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ABSENT = frozenset({"NoSuchKey", "404"})


class ObjectsAdapter:
    """A client for each endpoint and credential, used from a small pool of threads of its own."""

    def __init__(self, config: AdminConfig) -> None:
        self._config = config
        self._credentials = CredentialFiles(config.credentials_path)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="objects")
        self._clients: dict[str, tuple[tuple[tuple[str, str], ...], Any]] = {}
        self._versioning = Glances[tuple[str, str], bool](self._pool)

    async def read_json(self, endpoint_name: str, bucket: str, key: str) -> tuple[Json, str] | None:
        endpoint = self._config.endpoint(endpoint_name, EndpointType.S3)
        if endpoint is None:
            raise UserError(Reason.UNKNOWN_ENDPOINT, f"the admin's file has no S3 endpoint {endpoint_name!r}")
        read = functools.partial(self._read, endpoint, bucket, key)
        data = await asyncio.get_running_loop().run_in_executor(self._pool, read)
        return None if data is None else (_parse(endpoint, bucket, key, data), hashlib.sha256(data).hexdigest())

    def keeps_versions(self, endpoint_name: str, bucket: str) -> bool | None:
        endpoint = self._config.endpoint(endpoint_name, EndpointType.S3)
        if endpoint is None:
            return None
        return self._versioning.of((endpoint.name, bucket), functools.partial(self._ask_versioning, endpoint, bucket))

    def _ask_versioning(self, endpoint: Endpoint, bucket: str) -> bool:
        """A suspended bucket counts too: it still has the versions of before."""
        return bool(self._client(endpoint).get_bucket_versioning(Bucket=bucket).get("Status"))

    def close(self) -> None:
        """Do not wait for reads that hang: they end by their timeouts."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, endpoint: Endpoint, bucket: str, key: str) -> bytes | None:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            answer = self._client(endpoint).get_object(Bucket=bucket, Key=key)
            return _bounded(endpoint, bucket, key, answer)
        except ClientError as cause:
            code = str(cause.response.get("Error", {}).get("Code"))
            if code in _ABSENT:
                return None
            raise _unavailable(endpoint, bucket, key, code) from None
        except (BotoCoreError, HTTPClientError, OSError) as cause:
            raise _unavailable(endpoint, bucket, key, type(cause).__name__) from None

    def _client(self, endpoint: Endpoint) -> Any:
        found = self._credentials.read(endpoint.name, *KEYS)
        if KEYS[0] not in found or KEYS[1] not in found:
            where = self._credentials.where(endpoint.name)
            raise Transient(Reason.STORAGE_UNAVAILABLE, f"no credentials in {where}: it needs {KEYS[0]} and {KEYS[1]}")
        identity = tuple(sorted(found.items()))
        known = self._clients.get(endpoint.name)
        if known is None or known[0] != identity:
            known = self._clients[endpoint.name] = (identity, _make_client(endpoint, found))
        return known[1]


def _make_client(endpoint: Endpoint, found: dict[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"total_max_attempts": 1},  # the queue retries
        s3={"addressing_style": "path"},
        max_pool_connections=THREADS,
    )
    # A session of its own: the default one is not safe to share between threads while clients are made.
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=found[KEYS[0]],
        aws_secret_access_key=found[KEYS[1]],
        aws_session_token=found.get(KEYS[2]),
        config=config,
    )


def _bounded(endpoint: Endpoint, bucket: str, key: str, answer: Any) -> bytes:
    data: bytes = answer["Body"].read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise _unavailable(endpoint, bucket, key, f"larger than {SIZE_LIMIT} bytes")
    return data


def _parse(endpoint: Endpoint, bucket: str, key: str, data: bytes) -> Json:
    try:
        value = json.loads(data)
    except ValueError:
        raise _unavailable(endpoint, bucket, key, "not JSON") from None
    if not isinstance(value, dict):
        raise _unavailable(endpoint, bucket, key, "not a JSON object")
    return value


def _unavailable(endpoint: Endpoint, bucket: str, key: str, what: str) -> Transient:
    return Transient(Reason.STORAGE_UNAVAILABLE, f"s3://{bucket}/{key} at {endpoint.name}: {what}")
