"""Who waits for a commit is told, whatever the others do with the news."""

from __future__ import annotations

import asyncio

from feedbackloop.gateway.ticket import Ticket


async def test_an_answer_that_fails_keeps_nobody_else_from_being_told() -> None:
    def fails(_error: object) -> None:
        raise RecursionError

    ticket = Ticket([], (), fails)
    waiting = asyncio.ensure_future(ticket.wait())
    await asyncio.sleep(0)
    ticket.end(None)
    await asyncio.wait_for(waiting, 5)
