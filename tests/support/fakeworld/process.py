"""An operator in a process of its own, in a fake world that is kept in a file, so that it may really be killed.

`python -m tests.support.fakeworld.process KUBECONFIG NAMESPACE STATE [K]`: live until every run is over; with K, die of
SIGKILL at the k-th API write, after the server has done it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.support.crashing import CrashingKubernetes
from tests.support.fakeworld import scene
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.state import State


class KilledKubernetes(CrashingKubernetes):
    """It does not raise: there is nothing left that could."""

    def _die(self, what: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def live(kubeconfig: str, namespace: str, state: Path, kill_at: int | None) -> None:
    async with scene.connection(kubeconfig) as connection:
        world = scene.new_world(connection, namespace, state=State.load(state))

        async def over() -> bool:
            runs = await scene.runs(world.kubernetes, namespace)
            return bool(runs) and all(scene.settled(run) for run in runs)

        await Life(world, KilledKubernetes(world.api, crash_at=kill_at)).until(over)


if __name__ == "__main__":
    kubeconfig, namespace, file, *kill = sys.argv[1:]
    asyncio.run(live(kubeconfig, namespace, Path(file), int(kill[0]) if kill else None))
