"""Five seeded writes at which an operator's process is really killed; all of them are part of `make test-faults`."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.api.crash.lives import Case, Lived, difference, facts
from tests.support.apiserver import ROOT, ApiServer
from tests.support.clock import START
from tests.support.fakeworld import scene
from tests.support.fakeworld.state import State

pytestmark = [pytest.mark.api, pytest.mark.timeout(600)]
SEED, SEEDED, WRITES = 11, 5, 90
"""A whole loop makes a few more writes than that."""


@pytest.mark.parametrize("k", sorted(random.Random(SEED).sample(range(1, WRITES), SEEDED)))
async def test_a_killed_process_is_followed_by_one_that_ends_the_same(
    server: ApiServer, reference: Lived, tmp_path: Path, k: int
) -> None:
    found = await killed_at(server, tmp_path, k)
    assert not difference(found, reference), difference(found, reference)


@pytest.mark.faults
@pytest.mark.timeout(7200)
async def test_every_write_may_be_the_last_of_a_process(server: ApiServer, reference: Lived, tmp_path: Path) -> None:
    lives = [await killed_at(server, tmp_path, k) for k in range(1, len(reference.writes) + 1)]
    told = [text for life in lives if (text := difference(life, reference))]
    assert not told, "\n".join(told)


async def killed_at(server: ApiServer, directory: Path, k: int) -> Lived:
    """Two processes, the first of which is killed at its k-th write."""
    namespace = f"killed-{uuid.uuid4().hex[:8]}"
    file = directory / f"{namespace}.json"
    State(now=START.timestamp(), file=str(file)).changed()
    async with scene.connection(str(server.kubeconfig)) as connection:
        await scene.begin(connection, namespace)
        assert run(server, namespace, file, str(k)) == -signal.SIGKILL
        assert run(server, namespace, file) == 0
        world = scene.new_world(connection, namespace, state=State.load(file))
        picture = await scene.picture(world.kubernetes, namespace)
        await scene.leave(connection, namespace)
        return Lived(Case(k), (), picture, facts(world))


def run(server: ApiServer, namespace: str, file: Path, *kill_at: str) -> int:
    command = [sys.executable, "-m", "tests.support.fakeworld.process", str(server.kubeconfig), namespace, str(file)]
    environment = {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    return subprocess.run([*command, *kill_at], cwd=ROOT, env=environment, check=False).returncode
