"""Protocol and parsing: every case, and what must hold after all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.waiting import wait_for
from tests.hostile import aftermath, sockets
from tests.hostile.case import Case
from tests.hostile.cases.protocol import CASES, HEAD
from tests.hostile.classes import check, parameters
from tests.hostile.world import World

SLOW_SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def dripping(world: World) -> Iterator[list[sockets.socket.socket]]:
    """Connections that were opened before all cases and never finish their request, in its headers and in its body."""
    halves = [HEAD, HEAD + b"Content-Length: 1000\r\n\r\n{"]
    clients = [sockets.connect(world.gateway.feedback) for _ in range(10)]
    for index, client in enumerate(clients):
        sockets.send(client, world.fill(halves[index % 2]))
    yield clients
    for client in clients:
        client.close()


@pytest.mark.parametrize("case", parameters(CASES))
def test_case(case: Case, world: World) -> None:
    check(case, world)


def test_slow_requests_are_cut_off_although_they_go_on_dripping(
    world: World, dripping: list[sockets.socket.socket]
) -> None:
    open_ones = list(dripping)

    def all_closed() -> bool:
        open_ones[:] = [client for client in open_ones if sockets.send(client, b"a")]
        return not open_ones

    wait_for(all_closed, "the server cut every slow request off", SLOW_SECONDS)


def test_afterwards(world: World) -> None:
    aftermath.holds(world, CASES)
