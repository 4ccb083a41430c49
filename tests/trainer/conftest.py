"""Training and evaluation in the trainer environment, against a real S3 and the demo's real base model."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import envs
from tests.support.seaweedfs import SeaweedFs, seaweedfs
from tests.trainer.pod import EXAMPLE, ROOT, Pod, environment, trainer_python

pytestmark = pytest.mark.trainer


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFs]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        running.make_bucket("feedback")
        running.make_bucket("models")
        yield running


@pytest.fixture(scope="session")
def base() -> Path:
    """The demo's base model, trained once for every version of its sources."""
    sources = b"".join((EXAMPLE / name).read_bytes() for name in ("base.py", "facts.py", "phrasings.py"))
    home = envs.cache_root() / "test-bases" / hashlib.sha256(sources + trainer_python().encode()).hexdigest()[:12]
    with envs.locked(home.with_suffix(".lock")):
        if not home.exists():
            _train_base(home)
    return home


def _train_base(home: Path) -> None:
    partial = home.with_suffix(".partial")
    command = [trainer_python(), "-m", "examples.support_bot.base", str(partial)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    partial.rename(home)


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)
