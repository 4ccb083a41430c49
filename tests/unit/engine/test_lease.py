"""Leader election: against a store in memory and a time that only the test moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient
from feedbackloop.engine.lease import Lease, LeaseLostError
from tests.support.clock import FakeTicks, until

Json = dict[str, Any]


class MemoryStore:
    """A Lease with compare-and-set; `down` makes every call fail, `deaf` loses the answers of writes."""

    def __init__(self) -> None:
        self.lease: Json | None = None
        self.down = False
        self.deaf = False

    async def read(self) -> Json | None:
        self._reach()
        return None if self.lease is None else dict(self.lease)

    async def create(self, spec: Json) -> Json | None:
        self._reach()
        return None if self.lease is not None else self._write(spec, 1)

    async def replace(self, lease: Json, spec: Json) -> Json | None:
        self._reach()
        assert self.lease is not None
        if lease["version"] != self.lease["version"]:
            return None
        return self._write(spec, self.lease["version"] + 1)

    def _write(self, spec: Json, version: int) -> Json:
        self.lease = {"spec": spec, "version": version}
        if self.deaf:
            raise Transient(Reason.API_UNAVAILABLE, "the answer was lost")
        return dict(self.lease)

    def _reach(self) -> None:
        if self.down:
            raise Transient(Reason.API_UNAVAILABLE, "away")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def ticks() -> FakeTicks:
    return FakeTicks()


def holder(store: MemoryStore) -> str:
    assert store.lease is not None
    return str(store.lease["spec"]["holderIdentity"])


async def test_the_first_candidate_leads_at_once(store: MemoryStore, ticks: FakeTicks) -> None:
    lease = Lease(store, "a", ticks=ticks)
    assert not lease.valid()
    await lease.acquire()
    assert lease.valid()
    assert (holder(store), lease.fencing) == ("a", 0)


async def test_a_dead_holder_is_replaced_after_the_duration_by_our_own_clock(
    store: MemoryStore, ticks: FakeTicks
) -> None:
    await Lease(store, "dead", ticks=ticks).acquire()
    started = ticks.monotonic()
    successor = Lease(store, "b", ticks=ticks)
    await successor.acquire()
    assert 15 <= ticks.monotonic() - started <= 17
    assert (holder(store), successor.fencing) == ("b", 1)


async def test_a_holder_that_renews_is_never_replaced(store: MemoryStore, ticks: FakeTicks) -> None:
    first, second = Lease(store, "a", ticks=ticks), Lease(store, "b", ticks=ticks)
    await first.acquire()
    holding = asyncio.create_task(first.hold())
    waiting = asyncio.create_task(second.acquire())
    await until(lambda: ticks.monotonic() >= 1500)
    assert not waiting.done()
    assert first.valid()
    for task in (holding, waiting):
        task.cancel()


async def test_a_released_lease_is_taken_without_a_wait(store: MemoryStore, ticks: FakeTicks) -> None:
    first = Lease(store, "a", ticks=ticks)
    await first.acquire()
    await first.release()
    assert not first.valid()
    started = ticks.monotonic()
    await Lease(store, "b", ticks=ticks).acquire()
    assert ticks.monotonic() == started


async def test_a_holder_that_cannot_renew_stops_before_anybody_may_replace_it(
    store: MemoryStore, ticks: FakeTicks
) -> None:
    lease = Lease(store, "a", ticks=ticks)
    await lease.acquire()
    started = ticks.monotonic()
    store.down = True
    with pytest.raises(LeaseLostError):
        await lease.hold()
    assert 10 <= ticks.monotonic() - started < 15
    assert not lease.valid()


async def test_a_short_outage_of_the_api_server_costs_nothing(store: MemoryStore, ticks: FakeTicks) -> None:
    lease = Lease(store, "a", ticks=ticks)
    await lease.acquire()
    holding = asyncio.create_task(lease.hold())
    store.down = True
    end = ticks.monotonic() + 6
    await until(lambda: ticks.monotonic() >= end)
    store.down = False
    await until(lambda: ticks.monotonic() >= end + 60)
    assert lease.valid()
    assert not holding.done()
    holding.cancel()


async def test_a_holder_whose_lease_was_taken_stops_at_its_next_renewal(store: MemoryStore, ticks: FakeTicks) -> None:
    lease = Lease(store, "a", ticks=ticks)
    await lease.acquire()
    assert store.lease is not None
    store.lease = {"spec": {**store.lease["spec"], "holderIdentity": "thief"}, "version": 99}
    with pytest.raises(LeaseLostError, match="somebody else"):
        await lease.hold()
    assert not lease.valid()
    await lease.release()
    assert holder(store) == "thief"


async def test_a_write_whose_answer_was_lost_is_found_to_be_our_own(store: MemoryStore, ticks: FakeTicks) -> None:
    store.deaf = True
    lease = Lease(store, "a", ticks=ticks)
    acquiring = asyncio.create_task(lease.acquire())
    await until(lambda: store.lease is not None)
    store.deaf = False
    await acquiring
    assert lease.valid()


async def test_a_process_that_was_stopped_knows_that_it_may_not_act_any_more(
    store: MemoryStore, ticks: FakeTicks
) -> None:
    lease = Lease(store, "a", ticks=ticks)
    await lease.acquire()
    ticks.time += 60
    assert not lease.valid()
