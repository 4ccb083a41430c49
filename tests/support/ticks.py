"""Doing something every few seconds beside a long step. Standard library only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeatedly(act: Callable[[], None], every: float) -> Iterator[None]:
    """Calls `act` every so many seconds in a thread of its own, for as long as the block lasts."""
    done = threading.Event()

    def tick() -> None:
        while not done.wait(every):
            act()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
