"""A real S3 for the folder's tests, and gateways that end with their test."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from feedbackloop.events.objects import S3Client
from tests.gateway.models import Model
from tests.gateway.process import Gateway, make_config
from tests.gateway.waiting import wait_for
from tests.support.seaweedfs import SeaweedFs, seaweedfs


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFs]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def bucket(s3: SeaweedFs) -> str:
    """One bucket for all: each bucket takes volumes of its own, and tests differ by prefix."""
    s3.make_bucket("feedback")
    return "feedback"


@pytest.fixture
def objects(s3: SeaweedFs, bucket: str) -> S3Client:
    return S3Client(s3.store(bucket), (s3.access_key, s3.secret_key))


@pytest.fixture
def model() -> Iterator[Model]:
    server = Model("stable-model")
    yield server
    server.stop()


MakeGateway = Callable[..., Gateway]


@pytest.fixture
def make_gateway(tmp_path: Path, s3: SeaweedFs, bucket: str) -> Iterator[MakeGateway]:
    """Makes gateways (not started) on the test's bucket; keyword arguments replace members of the configuration."""
    made: list[Gateway] = []

    def make(*, env: dict[str, str] | None = None, **changes: Any) -> Gateway:
        root = tmp_path / f"gateway-{len(made)}"
        root.mkdir()
        config = make_config(s3_url=s3.url, bucket=bucket, folder=f"{uuid.uuid4().hex}/", **changes)
        made.append(Gateway(root, config, (s3.access_key, s3.secret_key), **(env or {})))
        return made[-1]

    yield make
    try:
        for gateway in made:
            hold_law(gateway)
    finally:
        for gateway in made:
            gateway.kill()


def hold_law(gateway: Gateway) -> None:
    """Whatever a test has done: a gateway that still serves holds what it has answered, and nothing else."""
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        if gateway.serves():
            wait_for(lambda: gateway.status()["lawDifference"] == 0, f"the law holds (log: {gateway.log_path})", 10)


@pytest.fixture
def gateway(make_gateway: MakeGateway, model: Model) -> Gateway:
    """A started gateway before one model."""
    return make_gateway(stable_port=model.port).start()
