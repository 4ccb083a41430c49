"""The keyed queue: what is kept once, what waits, and in which order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from feedbackloop.engine.keys import Key
from feedbackloop.engine.queue import KeyedQueue
from tests.support.clock import START, FakeClock

A, B = Key("Loop", "ns", "a"), Key("Loop", "ns", "b")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> KeyedQueue:
    return KeyedQueue(clock)


async def test_a_key_that_is_added_twice_is_looked_at_once(queue: KeyedQueue) -> None:
    queue.add(A)
    queue.add(A)
    queue.add(B)
    assert [await queue.get(), await queue.get()] == [A, B]
    assert queue.depth == 0


async def test_a_key_that_is_added_while_active_is_looked_at_once_more_afterwards(queue: KeyedQueue) -> None:
    queue.add(A)
    await queue.get()
    queue.add(A)
    queue.add(A)
    assert queue.depth == 0
    queue.done(A)
    assert await queue.get() == A
    queue.done(A)
    assert queue.depth == 0


async def test_of_several_later_times_the_earliest_counts(queue: KeyedQueue, clock: FakeClock) -> None:
    queue.add_after(A, START + timedelta(hours=2))
    queue.add_after(A, START + timedelta(hours=1))
    queue.add_after(A, START + timedelta(hours=3))
    assert queue.next_due() == START + timedelta(hours=1)
    clock.advance(3600)
    assert await queue.get() == A
    queue.done(A)
    assert queue.next_due() is None


async def test_a_look_before_its_time_replaces_the_planned_one(queue: KeyedQueue) -> None:
    queue.add_after(A, START + timedelta(hours=1))
    queue.add(A)
    assert queue.next_due() is None


async def test_a_waiting_consumer_wakes_when_the_clock_passes_the_time(queue: KeyedQueue, clock: FakeClock) -> None:
    queue.add_after(A, START + timedelta(hours=1))
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(3600)
    assert await waiting == A


async def test_a_waiting_consumer_wakes_for_an_earlier_time_than_it_waits_for(
    queue: KeyedQueue, clock: FakeClock
) -> None:
    queue.add_after(A, START + timedelta(hours=1))
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_after(B, START + timedelta(seconds=1))
    await asyncio.sleep(0)
    clock.advance(1)
    assert await waiting == B


async def test_it_is_quiet_only_while_nothing_is_ready_or_active(queue: KeyedQueue) -> None:
    assert queue.quiet.is_set()
    queue.add(A)
    assert not queue.quiet.is_set()
    await queue.get()
    assert not queue.quiet.is_set()
    queue.done(A)
    assert queue.quiet.is_set()


async def test_it_tells_since_when_the_oldest_key_waits(queue: KeyedQueue, clock: FakeClock) -> None:
    queue.add(A)
    clock.advance(5)
    queue.add(B)
    assert queue.oldest_ready == START
    await queue.get()
    assert queue.oldest_ready == START + timedelta(seconds=5)
    assert queue.oldest_active == START + timedelta(seconds=5)
