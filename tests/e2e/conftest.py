"""One real node for all scenarios; they follow each other on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from examples.demo.settings import ROOT

CLUSTER = "e2e"


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The name of a cluster that the demo's installer starts and this fixture takes down."""
    before = os.environ.get("CLUSTER")
    os.environ["CLUSTER"] = before or CLUSTER
    yield os.environ["CLUSTER"]
    if before is None:
        subprocess.run(["/usr/bin/python3", "-m", "tests.cluster", "down", "--name", CLUSTER], cwd=ROOT, check=True)
        del os.environ["CLUSTER"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(1500))
