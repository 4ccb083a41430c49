"""The gateway tests' S3 and gateways, here too; gateways that fork instead of starting an interpreter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.zygote import Zygote
from tests.gateway.conftest import bucket, make_gateway, model, objects, s3

__all__ = ["bucket", "make_gateway", "model", "objects", "s3"]


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as running:
        yield running
