"""The engine: who is called when, after success and after every family of errors."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from pydantic import BaseModel

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Conflict, Transient, UserError
from feedbackloop.engine.keys import Key
from feedbackloop.engine.reconciler import EVENT_FLOOR, STALLED_LOOK, Engine
from tests.support.clock import START, FakeClock, until

KEY = Key("Loop", "ns", "a")
Step = Callable[[], Awaitable[float | None]]


class Scripted:
    """A reconciler that does one step of its script a call, and nothing when the script is over."""

    kind = "Loop"

    def __init__(self, clock: FakeClock, *steps: float | Exception | BaseException | Step | None) -> None:
        self.clock = clock
        self.steps = list(steps)
        self.calls: list[datetime] = []
        self.running = 0
        self.most_running = 0

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        self.calls.append(now)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self._step()
        finally:
            self.running -= 1

    async def _step(self) -> float | None:
        step = self.steps.pop(0) if self.steps else None
        if isinstance(step, BaseException):
            raise step
        return await step() if callable(step) else step

    def seconds(self) -> list[float]:
        return [(when - START).total_seconds() for when in self.calls]


@asynccontextmanager
async def running(reconciler: Scripted, workers: int = 2) -> AsyncIterator[Engine]:
    engine = Engine([reconciler], reconciler.clock, workers, jitter=lambda: 1.0)
    task = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        await engine.stop(grace=0)
        await asyncio.gather(task, return_exceptions=True)


async def look(engine: Engine, clock: FakeClock, times: int = 1) -> None:
    """Let the engine work, then jump to the next planned look, some times."""
    await engine.quiet()
    for _ in range(times):
        due = engine.next_due()
        assert due is not None
        clock.advance_to(due)
        await until(functools.partial(_looked, engine, due))
        await engine.quiet()


def _looked(engine: Engine, due: datetime) -> bool:
    return engine.next_due() != due


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_a_key_is_looked_at_again_after_the_seconds_that_its_reconciler_asks_for(clock: FakeClock) -> None:
    reconciler = Scripted(clock, 3600.0, 60.0)
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock, 2)
        assert reconciler.seconds() == [0, 3600, 3660]
        assert engine.next_due() is None


async def test_transient_errors_back_off_exponentially_to_a_cap_and_start_over_after_a_success(
    clock: FakeClock,
) -> None:
    errors = [Transient(Reason.STORAGE_UNAVAILABLE, "away") for _ in range(9)]
    reconciler = Scripted(clock, *errors, None, Transient(Reason.STORAGE_UNAVAILABLE, "away"))
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock, 9)
        waits = [round(b - a, 3) for a, b in zip(reconciler.seconds(), reconciler.seconds()[1:], strict=False)]
        assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15, 15]
        engine.add(KEY)
        await engine.quiet()
        assert engine.next_due() == clock.now() + timedelta(seconds=0.2)


async def test_a_server_that_names_the_seconds_is_not_asked_before(clock: FakeClock) -> None:
    reconciler = Scripted(clock, Transient(Reason.API_UNAVAILABLE, "429", retry_after=30))
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock)
        assert reconciler.seconds() == [0, 30]


async def test_a_user_error_waits_for_an_event_and_takes_it_at_once(clock: FakeClock) -> None:
    reconciler = Scripted(clock, UserError(Reason.UNKNOWN_PROFILE, "no such profile"))
    async with running(reconciler) as engine:
        engine.add(KEY)
        await engine.quiet()
        assert engine.next_due() == START + timedelta(seconds=STALLED_LOOK)
        clock.advance(5)
        engine.add(KEY)
        await engine.quiet()
        assert reconciler.seconds() == [0, 5]
        assert engine.next_due() is None


async def test_events_of_a_failing_key_cannot_make_it_spin(clock: FakeClock) -> None:
    errors = [Transient(Reason.STORAGE_UNAVAILABLE, "away") for _ in range(6)]
    reconciler = Scripted(clock, *errors)
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock, 4)
        calls = len(reconciler.calls)
        for _ in range(100):
            engine.add(KEY)
        await engine.quiet()
        assert len(reconciler.calls) == calls
        assert engine.next_due() == clock.now() + timedelta(seconds=EVENT_FLOOR)


async def test_one_key_is_never_looked_at_twice_at_a_time(clock: FakeClock) -> None:
    gate = asyncio.Event()

    async def slow() -> None:
        await gate.wait()

    reconciler = Scripted(clock, slow)
    async with running(reconciler, workers=4) as engine:
        engine.add(KEY)
        await until(lambda: reconciler.running == 1)
        engine.add(KEY)
        engine.add(Key("Loop", "ns", "other"))
        await until(lambda: len(reconciler.calls) == 2)
        gate.set()
        await engine.quiet()
        assert len(reconciler.calls) == 3


async def test_a_hung_key_holds_no_other_up(clock: FakeClock) -> None:
    async def hung() -> None:
        await asyncio.Event().wait()

    reconciler = Scripted(clock, hung)
    async with running(reconciler, workers=2) as engine:
        engine.add(KEY)
        for name in map(str, range(50)):
            engine.add(Key("Loop", "ns", name))
        await until(lambda: len(reconciler.calls) == 51)
        assert reconciler.most_running == 2


async def test_an_error_is_logged_when_it_changes_and_counted_every_time(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    away, gone = Transient(Reason.STORAGE_UNAVAILABLE, "away"), Transient(Reason.STORAGE_UNAVAILABLE, "no bucket")
    reconciler = Scripted(clock, away, away, away, gone, None)
    caplog.set_level(logging.INFO, "feedbackloop.engine")
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock, 4)
        texts = [r.getMessage() for r in caplog.records]
        assert [t.split()[0] for t in texts] == ["failed", "failed", "recovered"]
        assert engine.metrics.errors.labels("Loop", "Transient")._value.get() == 4


async def test_a_bug_is_logged_with_its_place_and_without_the_values_of_the_object(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Model(BaseModel):
        count: int

    async def bug() -> None:
        Model.model_validate({"count": "a private text".upper()})

    reconciler = Scripted(clock, bug)
    async with running(reconciler) as engine:
        engine.add(KEY)
        await engine.quiet()
        assert "count: int_parsing" in caplog.text
        assert "test_engine.py" in caplog.text
        assert "A PRIVATE TEXT" not in caplog.text
        assert engine.metrics.errors.labels("Loop", "Bug")._value.get() == 1


async def test_a_conflict_is_retried_soon_and_counted_apart(clock: FakeClock) -> None:
    reconciler = Scripted(clock, Conflict("changed since it was read"))
    async with running(reconciler) as engine:
        engine.add(KEY)
        await look(engine, clock)
        assert reconciler.seconds() == [0, 0.2]
        assert engine.metrics.errors.labels("Loop", "Conflict")._value.get() == 1


async def test_what_is_no_exception_ends_the_engine_like_a_kill(clock: FakeClock) -> None:
    class Crash(BaseException):
        pass

    reconciler = Scripted(clock, Crash())
    engine = Engine([reconciler], clock)
    engine.add(KEY)
    with pytest.raises(Crash):
        await engine.run()


async def test_stopping_lets_a_running_look_end_within_its_grace(clock: FakeClock) -> None:
    gate, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        ended.set()

    reconciler = Scripted(clock, slow)
    engine = Engine([reconciler], clock)
    task = asyncio.create_task(engine.run())
    engine.add(KEY)
    await until(lambda: reconciler.running == 1)
    stopping = asyncio.create_task(engine.stop(grace=5))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(stopping, task)
    assert ended.is_set()


async def test_stopping_without_grace_breaks_a_running_look_off(clock: FakeClock) -> None:
    async def hung() -> None:
        await asyncio.Event().wait()

    reconciler = Scripted(clock, hung)
    engine = Engine([reconciler], clock)
    task = asyncio.create_task(engine.run())
    engine.add(KEY)
    await until(lambda: reconciler.running == 1)
    await engine.stop(grace=0)
    await task
    assert reconciler.running == 0


async def test_a_key_of_a_kind_that_nobody_serves_is_ignored(clock: FakeClock) -> None:
    reconciler = Scripted(clock)
    async with running(reconciler) as engine:
        engine.add(Key("Unknown", "ns", "a"))
        await engine.quiet()
        assert reconciler.calls == []
