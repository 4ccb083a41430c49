"""Training and evaluation in the trainer environment, against a real S3 and the demo's real base model."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.seaweedfs import SeaweedFs, seaweedfs
from tests.trainer.pod import EXAMPLE, Pod, environment, trainer_python

pytestmark = pytest.mark.trainer


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFs]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        running.make_bucket("feedback")
        running.make_bucket("models")
        yield running


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's base model, trained now."""
    out = tmp_path_factory.mktemp("base") / "model"
    command = [trainer_python(), str(EXAMPLE / "base.py"), str(out)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)
