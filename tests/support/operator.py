"""The operator in this process: engine and controllers on a real API server, with a clock and ports of the test.

There is no Kopf here. `settle` wakes every key by listing, waits until the engine is quiet, lets the
test's world move (a fake kubelet, a fake job), and moves the clock to the next planned look, until a
condition holds. All of it is deterministic up to the server's own order of things.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import ERASURE_REQUEST, FEEDBACK_LOOP, IMPROVEMENT_RUN, ROLLOUT_ACTION, Kind
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.ports import GatewaysPort, KubernetesPort, MlflowPort, ObjectsPort
from feedbackloop.adapters.requests import Requests
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.engine.keys import Key
from feedbackloop.engine.reconciler import Engine, Reconciler
from tests.support.clock import FakeClock

Condition = Callable[[], Awaitable[bool]]
World = Callable[[], Awaitable[object]]
OURS: tuple[Kind, ...] = (FEEDBACK_LOOP, IMPROVEMENT_RUN, ERASURE_REQUEST, ROLLOUT_ACTION)


class NotSettledError(AssertionError):
    """The condition did not come true in the time that the test allows."""


async def _still() -> None:
    """A world in which nothing moves by itself."""


class InProcessOperator:
    """One life of the operator. After a `Crash`, make a new one over the same ports and clock."""

    def __init__(
        self,
        reconcilers: Sequence[Reconciler],
        kubernetes: KubernetesPort,
        namespace: str,
        clock: FakeClock,
        *,
        workers: int = 1,
        jitter: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self.clock = clock
        self.engine = Engine(reconcilers, clock, workers, jitter=jitter)
        self._kinds = [kind for kind in OURS if kind.kind in {r.kind for r in reconcilers}]
        self._kubernetes = kubernetes
        self._namespace = namespace

    async def settle(
        self,
        until: Condition,
        *,
        world: World = _still,
        limit: timedelta = timedelta(hours=6),
        turns: int = 2000,
        turn: timedelta = timedelta(seconds=2),
    ) -> None:
        """Run until the condition holds. Raises what the engine raises: a `Crash` comes out here."""
        running = asyncio.create_task(self.engine.run())
        end = self.clock.now() + limit
        try:
            for _ in range(turns):
                await self._turn(running, world)
                if await until():
                    return
                if self.clock.now() >= end:
                    break
                self._move(turn)
            raise NotSettledError(f"not settled at {self.clock.now()}: {getattr(until, '__name__', until)}")
        finally:
            await self._end(running)

    async def wake(self) -> None:
        """What the watches would do: a key for every object of our kinds."""
        for kind in self._kinds:
            for body in await self._kubernetes.list(kind, self._namespace):
                self.engine.add(Key(kind.kind, self._namespace, body["metadata"]["name"]))

    async def _turn(self, running: asyncio.Task[None], world: World) -> None:
        await world()
        await self.wake()
        quiet = asyncio.create_task(self.engine.quiet())
        try:
            await asyncio.wait({quiet, running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            quiet.cancel()
        for task in (quiet, running):
            if task.done():
                task.result()

    def _move(self, turn: timedelta) -> None:
        """To the next planned look; by one turn when none is planned, or one is due at once."""
        due = self.engine.next_due()
        now = self.clock.now()
        self.clock.advance_to(due if due is not None and due > now else now + turn)

    async def _end(self, running: asyncio.Task[None]) -> None:
        await self.engine.stop(grace=0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def kubernetes_adapter(
    kubeconfig: Path | str, clock: FakeClock | None = None
) -> AsyncIterator[KubernetesAdapter]:
    """The real adapter on a real API server."""
    connection = await connect(str(kubeconfig))
    try:
        requests = Requests(connection)
        yield KubernetesAdapter(requests, instance="test", now=clock.now) if clock else KubernetesAdapter(requests)
    finally:
        await connection.close()


def in_process(
    config: AdminConfig,
    namespace: str,
    clock: FakeClock,
    *,
    kubernetes: KubernetesPort,
    objects: ObjectsPort,
    mlflow: MlflowPort,
    gateways: GatewaysPort,
    workers: int = 1,
) -> InProcessOperator:
    """The real controllers over these ports."""
    from feedbackloop import controllers

    adapters = Adapters(kubernetes, objects, mlflow, gateways)
    return InProcessOperator(controllers.build(adapters, config), kubernetes, namespace, clock, workers=workers)


def without(adapters: Adapters, **ports: object) -> Adapters:
    """The adapters with some ports replaced."""
    return replace(adapters, **ports)  # type: ignore[arg-type]
