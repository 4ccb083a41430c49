"""One gateway a class of cases, with a real S3 behind it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from feedbackloop.events.objects import S3Client
from tests.gateway.models import Model
from tests.gateway.process import SIGNALS, Gateway, make_config
from tests.hostile.world import World
from tests.support.seaweedfs import SeaweedFs, seaweedfs

BUCKET = "feedback"
MORE_SIGNALS = [
    {"name": "rating", "kind": "Stars"},
    {"name": "true", "kind": "Question", "dimension": "Factuality"},
    {"name": "skip", "kind": "Skip"},
    {"name": "dwell", "kind": "Dwell"},
    {"name": "copied", "kind": "Copy"},
    {"name": "took", "kind": "Accept"},
    {"name": "again", "kind": "Regenerate"},
    {"name": "edited", "kind": "Edit"},
    {"name": "bought", "kind": "Conversion", "values": ["order"]},
    {"name": "asked-on", "kind": "FollowUp"},
    {"name": "left", "kind": "Abandonment"},
]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFs]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="module")
def world(s3: SeaweedFs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The gateway of one module's class."""
    folder, model = tmp_path_factory.mktemp("hostile"), Model("stable-model")
    config: dict[str, Any] = make_config(
        s3_url=s3.url, bucket=BUCKET, folder=f"{uuid.uuid4().hex}/", stable_port=model.port
    )
    config["collection"] |= {
        "signals": SIGNALS + MORE_SIGNALS,
        "browser": {"allowedOrigins": ["https://app.example.com"]},
    }
    credentials = (s3.access_key, s3.secret_key)
    gateway = Gateway(folder, config, credentials)
    try:
        gateway.start()
        yield World(gateway, model, S3Client(s3.store(BUCKET), credentials), folder, credentials)
    finally:
        gateway.kill()
        model.stop()
