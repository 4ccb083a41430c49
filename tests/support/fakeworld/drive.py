"""Driving an operator through a fake world: at each time until nothing is left to do, then on to the next planned look.

Because the world and the operator come to rest at every time, what happens does not depend on how
often the operator looked: a life that was cut short is continued by the next without any trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from feedbackloop import controllers
from feedbackloop.adapters.context import Adapters
from tests.support.crashing import CrashingKubernetes
from tests.support.fakeworld.declared import ADMIN
from tests.support.fakeworld.world import World
from tests.support.operator import InProcessOperator

Condition = Callable[[], Awaitable[bool]]
AT_ONCE = 40
"""Looks at one time, after which something spins."""


class NeverAtRestError(AssertionError):
    """The operator wrote again and again at one time."""


class Life:
    """One life of the operator, from its start to its end or to a crash."""

    def __init__(self, world: World, kubernetes: CrashingKubernetes | None = None) -> None:
        self.world = world
        self.kubernetes = kubernetes or CrashingKubernetes(world.api)
        adapters = Adapters(self.kubernetes, world.objects, world.mlflow, world.gateways)
        self._reconcilers = controllers.build(adapters, ADMIN)
        self._operator = self._engine()

    def _engine(self) -> InProcessOperator:
        world = self.world
        return InProcessOperator(self._reconcilers, world.kubernetes, world.namespace, world.clock)

    async def until(self, condition: Condition, *, limit: timedelta = timedelta(hours=3)) -> None:
        """Live until the condition holds, and stand still there; may be called again. A `Crash` comes out here."""
        self._operator = self._engine()
        end = self.world.clock.now() + limit
        running = asyncio.create_task(self._operator.engine.run())
        try:
            while True:
                await self._rest(running)
                if await condition():
                    return
                assert self.world.clock.now() < end, f"not there after {limit}: {condition}"
                self._move()
        finally:
            await self._end(running)

    async def _rest(self, running: asyncio.Task[None]) -> None:
        """Look until a look writes nothing and the world stands still."""
        for _ in range(AT_ONCE):
            await self.world.settle()
            written = self.kubernetes.count
            await self._look(running)
            if self.kubernetes.count == written:
                return
        raise NeverAtRestError(f"still writing: {self.kubernetes.writes[-12:]}")

    async def _look(self, running: asyncio.Task[None]) -> None:
        """What the watches would do: wake every key; and whatever is due."""
        await self._operator.wake()
        while True:
            quiet = asyncio.create_task(self._operator.engine.quiet())
            await asyncio.wait({quiet, running}, return_when=asyncio.FIRST_COMPLETED)
            quiet.cancel()
            if running.done():
                running.result()
            if not self._due(self.world.clock.now()):
                return
            await asyncio.sleep(0)

    def _due(self, now: datetime) -> bool:
        due = self._operator.engine.next_due()
        return due is not None and due <= now

    def _move(self) -> None:
        due = self._operator.engine.next_due()
        assert due is not None, "nothing is planned: the operator would wait for ever"
        self.world.clock.advance_to(due)
        self.world.state.now = due.timestamp()
        self.world.state.changed()

    async def _end(self, running: asyncio.Task[None]) -> None:
        await self._operator.engine.stop(grace=0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
