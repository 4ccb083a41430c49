"""What all requests hold together is bounded; a large one waits for room, and one too many is told so."""

from __future__ import annotations

import asyncio

import pytest

from feedbackloop.gateway.otlp.room import Room
from feedbackloop.gateway.wal import LogUnavailable


async def test_one_request_too_many_is_refused_at_once() -> None:
    room = Room(most_requests=2)
    async with room.request(), room.request():
        with pytest.raises(LogUnavailable, match="Overloaded"):
            async with room.request():
                pass
    async with room.request():
        pass


async def test_bytes_wait_for_room_and_a_body_alone_always_has_it() -> None:
    room, order = Room(most_bytes=10), list[str]()
    leave = asyncio.Event()

    async def hold(name: str, size: int) -> None:
        async with room.bytes(size):
            order.append(name)
            if name == "first":
                await leave.wait()

    first = asyncio.create_task(hold("first", 15))
    second = asyncio.create_task(hold("second", 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["first"]
    leave.set()
    await asyncio.gather(first, second)
    assert order == ["first", "second"]


async def test_an_error_inside_gives_the_room_back() -> None:
    room = Room(most_requests=1, most_bytes=1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            async with room.request(), room.bytes(5):
                raise RuntimeError
