"""Waiting for conditions: never silently, never for ever, and with the reason when it was in vain."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.errors import WaitError
from tests.cluster.shell import say

SPEAK_EVERY_SECONDS = 5.0
TAIL_LINES = 15


def wait_for(
    condition: Callable[[], bool],
    what: str,
    *,
    seconds: float,
    logs: Sequence[Path] = (),
    still_possible: Callable[[], None] = lambda: None,
    poll_seconds: float = 0.1,
) -> None:
    """Return when `condition` holds; give up at the deadline, or when `still_possible` raises."""
    started = time.monotonic()
    spoken = started
    while not condition():
        now = time.monotonic()
        if now - started > seconds:
            raise WaitError(f"waited for {what}: not within {seconds:.0f} s{tails(logs)}")
        still_possible()
        if now - spoken >= SPEAK_EVERY_SECONDS:
            say(f"  waiting for {what} ({now - started:.0f} s)")
            spoken = now
        time.sleep(poll_seconds)


def tails(logs: Sequence[Path]) -> str:
    """The last lines of each log with its path, for an error message."""
    return "".join(f"\n--- {log}\n{tail(log)}" for log in logs)


def tail(log: Path) -> str:
    """The last lines of one log."""
    if not log.exists():
        return "(no such file)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
