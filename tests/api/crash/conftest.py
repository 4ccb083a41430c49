"""One API server for all the lives."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.api.crash.lives import WELL, Lived, without_crash
from tests.support.apiserver import ApiServer, api_server


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    with api_server("crash", keep=bool(os.environ.get("FL_KEEP_CLUSTER"))) as server:
        yield server


@pytest.fixture(scope="session")
def reference(server: ApiServer) -> Lived:
    """The loop in which everything goes well."""
    return without_crash(server, WELL)
