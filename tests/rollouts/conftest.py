"""One loop on one real node for all scenarios, which follow each other: only the first one trains."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from examples.demo.settings import ROOT
from tests.rollouts.probe import Probe, probing
from tests.rollouts.scene import Epochs, Scene, prepared, settings

CLUSTER = "rollouts"


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    before = os.environ.get("CLUSTER")
    os.environ["CLUSTER"] = before or CLUSTER
    made = prepared(settings())
    yield made
    made.follower.close()
    if before is None:
        subprocess.run(["/usr/bin/python3", "-m", "tests.cluster", "down", "--name", CLUSTER], cwd=ROOT, check=True)
        del os.environ["CLUSTER"]


@pytest.fixture(scope="session")
def epochs(scene: Scene) -> Iterator[Epochs]:
    watching = Epochs(scene)
    yield watching
    watching.close()


@pytest.fixture(scope="session")
def probe(scene: Scene) -> Iterator[Probe]:
    with probing(scene.endpoints, rate=8.0) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/rollouts" in str(item.path):
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(1500))
