"""Root keys to run one suite over: the real Secret, and services that are fakes unless the environment names real ones.

AWS KMS is moto's server: a FAKE. Transit is `tests.support.fake_vault`: a FAKE. With `FL_TEST_KMS_URL`,
`FL_TEST_KMS_REGION`, `FL_TEST_KMS_KEYS` (two key ids, comma-separated) and the usual AWS credentials, or with
`FL_TEST_VAULT_URL`, `FL_TEST_VAULT_TOKEN` and `FL_TEST_VAULT_KEYS` (two names), the suite runs against those too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from feedbackloop.api.gateway import KeyService, RootKeyType
from feedbackloop.events.errors import KeyRefused, KeyServiceUnavailable
from feedbackloop.events.keyring.root import Root, open_root
from tests.support.fake_vault import TOKEN, fake_vault


@dataclass(frozen=True)
class Pair:
    """Two different root keys of one kind, and a way to take them away."""

    one: Root
    other: Root
    directory: Path
    unreachable: Root
    wrong_key: type[Exception] = KeyRefused
    url: str = ""
    keys: Sequence[str] = ()


@contextmanager
def secrets(directory: Path) -> Iterator[Pair]:
    paths = [directory / name for name in ("one", "other", "absent")]
    for path in paths[:2]:
        path.mkdir()
        (path / "key").write_bytes(os.urandom(32))
    one, other = (open_root(KeyService(), path) for path in paths[:2])
    yield Pair(one, other, directory, one)


def _aws(directory: Path, access: str, secret: str) -> None:
    (directory / "AWS_ACCESS_KEY_ID").write_text(access)
    (directory / "AWS_SECRET_ACCESS_KEY").write_text(secret)


def _pair(directory: Path, kind: RootKeyType, url: str, keys: list[str], region: str = "us-east-1") -> Pair:
    one, other = (open_root(KeyService(type=kind, url=url, region=region, key=key), directory) for key in keys)
    away = KeyService(type=kind, url="http://127.0.0.1:9", region=region, key=keys[0])
    return Pair(one, other, directory, open_root(away, directory), url=url, keys=keys)


@contextmanager
def fake_kms(directory: Path) -> Iterator[Pair]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        _aws(directory, "test", "test")
        client = boto3.client(
            "kms", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        keys = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
        # moto says AccessDenied where the service's documentation says IncorrectKeyException.
        yield replace(_pair(directory, RootKeyType.AWS_KMS, url, keys), wrong_key=KeyServiceUnavailable)
    finally:
        server.stop()


@contextmanager
def real_kms(directory: Path) -> Iterator[Pair]:
    _aws(directory, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    keys = os.environ["FL_TEST_KMS_KEYS"].split(",")
    region = os.environ.get("FL_TEST_KMS_REGION", "us-east-1")
    yield _pair(directory, RootKeyType.AWS_KMS, os.environ["FL_TEST_KMS_URL"], keys, region)


@contextmanager
def fake_transit(directory: Path) -> Iterator[Pair]:
    with fake_vault() as vault:
        (directory / "token").write_text(TOKEN)
        for name in ("one", "other"):
            vault.create(name)
        yield _pair(directory, RootKeyType.VAULT_TRANSIT, vault.url, ["one", "other"])


@contextmanager
def real_transit(directory: Path) -> Iterator[Pair]:
    (directory / "token").write_text(os.environ["FL_TEST_VAULT_TOKEN"])
    keys = os.environ["FL_TEST_VAULT_KEYS"].split(",")
    yield _pair(directory, RootKeyType.VAULT_TRANSIT, os.environ["FL_TEST_VAULT_URL"], keys)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "secret": (secrets, ""),
    "fake-kms": (fake_kms, ""),
    "fake-transit": (fake_transit, ""),
    "real-kms": (real_kms, "FL_TEST_KMS_URL"),
    "real-transit": (real_transit, "FL_TEST_VAULT_URL"),
}
"""By name: the roots, and the variable that has to be set for them."""
