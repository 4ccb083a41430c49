"""Failpoints: places where a test makes the process die as a crash would.

`FL_FAILPOINT=<name>[:<n>]` sends SIGKILL to the process itself at the n-th pass of a place (the first by
default). Without the variable `reached` is an empty function; the names are those of `PLACES`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping

PLACES = {
    "accept": "a connection was accepted",
    "mid-body": "a part of a request's body has come",
    "decoded": "an event is decoded, checked and redacted",
    "appended": "a frame is made, nothing of it is written",
    "mid-write": "half of a frame is written",
    "before-sync": "a frame is written and not synced",
    "synced": "a frame is durable, nobody was answered",
    "answered": "an answer was sent",
    "roll": "a segment is closed, nothing knows of it yet",
    "created": "a segment's file is made, its directory is not synced",
    "put": "a segment is in object storage, no checkpoint says so",
    "indexed": "a segment's index file is written, the checkpoint is not",
    "checkpointed": "a checkpoint says that a segment is stored, its file is still there",
    "recovery": "a segment was read back after a start",
    "shard-cas": "a shard of subject keys is about to be replaced",
}


class Failpoint:
    """Dies at the n-th pass of one place. Raises ValueError for a name or number that does not exist."""

    def __init__(self, setting: str, die: Callable[[], None]) -> None:
        self._place, _, number = setting.partition(":")
        self._left, self._die = int(number or 1), die
        if self._place not in PLACES or self._left < 1:
            raise ValueError(f"FL_FAILPOINT={setting}: <place>[:<n>] with a place of {', '.join(PLACES)}")

    def reached(self, place: str) -> None:
        if place != self._place:
            return
        self._left -= 1
        if self._left == 0:
            self._die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _nothing(_place: str) -> None:
    pass


def resolve(env: Mapping[str, str]) -> Callable[[str], None]:
    """What `reached` is in this environment."""
    setting = env.get("FL_FAILPOINT")
    return Failpoint(setting, _die).reached if setting else _nothing


reached = resolve(os.environ)
ARMED = reached is not _nothing
"""Whether steps that are one system call are taken one by one, so that there is a place between them."""
