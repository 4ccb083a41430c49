"""CPU time and memory of other processes, and which core they run on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHED_CLOCK = 2
"""CPUCLOCK_SCHED of Linux: with a process id it makes a clock (see clock_getcpuclockid(3))."""


def seconds(pid: int) -> float:
    """CPU time of a process, all threads, ended ones too. The same as in /proc/PID/stat, in nanoseconds not ticks."""
    return time.clock_gettime((~pid << 3) | _SCHED_CLOCK)


def session_seconds(leader: int) -> float:
    """CPU time of every living process of a session: a server with its workers."""
    return sum(seconds(pid) for pid in session(leader))


def session(leader: int) -> list[int]:
    """The processes of a session, by the field of /proc/PID/stat."""
    pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if _session_of(pid) == leader]


def _session_of(pid: int) -> int:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(after_name[3])


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def core(number: int) -> Iterator[None]:
    """What is started within runs on one core: servers on the first, the load on the second, where there are two."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[number % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


SERVER, LOAD = 0, 1
