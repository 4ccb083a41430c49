"""Processes we started: started so that they outlive us, known again later, and never confused with another's.

A process is known by its pid, its start time and the boot it belongs to, since pids are used again.
"""

import os
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.cluster.errors import WaitError
from tests.cluster.waiting import wait_for

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """Which process it is. `command` is a word of its command line, as a last check for a person's eyes too."""

    pid: int
    started: int
    boot: str
    command: str

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "Identity":
        """From the JSON of `as_json`."""
        return cls(int(content["pid"]), int(content["started"]), str(content["boot"]), str(content["command"]))

    def as_json(self) -> dict[str, Any]:
        """For the file of processes."""
        return asdict(self)


@dataclass(frozen=True)
class Stat:
    """The two fields of /proc/PID/stat that we need."""

    state: str
    started: int


def parse_stat(line: str) -> Stat:
    """Parse /proc/PID/stat; the command in parentheses may itself hold spaces and parentheses."""
    fields = line[line.rindex(")") + 2 :].split()
    return Stat(state=fields[0], started=int(fields[19]))


def boot_id() -> str:
    """The kernel's name for this boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def is_running(identity: Identity) -> bool:
    """Whether that very process runs; a zombie does not."""
    try:
        stat = parse_stat((PROC / str(identity.pid) / "stat").read_text())
        words = (PROC / str(identity.pid) / "cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    same = stat.started == identity.started and boot_id() == identity.boot
    # In the midst of an exec (nsenter becoming the component) a command line reads as empty.
    return same and stat.state not in "ZX" and (identity.command in words or not any(words))


def start(argv: list[str], command: str, log: Path, env: Mapping[str, str]) -> Identity:
    """Start a daemon in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=_redirections(log), setsid=True)
    stat = parse_stat((PROC / str(pid) / "stat").read_text())
    return Identity(pid=pid, started=stat.started, boot=boot_id(), command=command)


def _redirections(log: Path) -> list[tuple[Any, ...]]:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]


def send(identity: Identity, number: signal.Signals) -> None:
    """Signal that very process. The pidfd pins it, so that the pid cannot change hands between check and signal."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if is_running(identity):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def stop(identity: Identity, name: str, *, grace_seconds: float = 5.0) -> None:
    """SIGTERM, and SIGKILL when that did not help in time."""
    send(identity, signal.SIGTERM)
    try:
        wait_for(lambda: not is_running(identity), f"{name} to stop", seconds=grace_seconds)
    except WaitError:
        send(identity, signal.SIGKILL)
        wait_for(lambda: not is_running(identity), f"{name} to be gone", seconds=10)
