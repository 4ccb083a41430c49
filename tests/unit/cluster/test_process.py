"""Processes: known again, and never confused with another that has the same pid."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import process
from tests.cluster.process import Identity, Stat, parse_stat
from tests.cluster.waiting import wait_for

SLEEP = [sys.executable, "-uc", "import time; print(1); time.sleep(60)"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Identity]:
    """A daemon that is past its start."""
    identity = process.start(SLEEP, SLEEP[0], tmp_path / "log", os.environ)
    wait_for(lambda: (tmp_path / "log").read_text() == "1\n", "it to start", seconds=20)
    yield identity
    process.send(identity, signal.SIGKILL)
    os.waitpid(identity.pid, 0)


def test_a_command_with_spaces_and_parentheses_is_parsed() -> None:
    fields = " ".join(str(number) for number in range(4, 30))
    assert parse_stat(f"42 (a) b (c) S {fields}") == Stat(state="S", started=22)


def test_a_started_process_runs(sleeper: Identity) -> None:
    assert process.is_running(sleeper)


def test_a_process_runs_from_the_moment_of_its_start(tmp_path: Path) -> None:
    for _ in range(20):
        identity = process.start(SLEEP, SLEEP[0], tmp_path / "log", os.environ)
        assert process.is_running(identity)
        process.send(identity, signal.SIGKILL)
        os.waitpid(identity.pid, 0)


def test_an_identity_survives_the_file(sleeper: Identity) -> None:
    assert Identity.parse(sleeper.as_json()) == sleeper


def test_another_start_time_boot_or_command_is_another_process(sleeper: Identity) -> None:
    others = (
        replace(sleeper, started=sleeper.started + 1),
        replace(sleeper, boot="another"),
        replace(sleeper, command="/bin/other"),
    )
    assert not any(process.is_running(other) for other in others)


def test_a_process_of_another_identity_is_not_signalled(sleeper: Identity) -> None:
    process.send(replace(sleeper, started=sleeper.started + 1), signal.SIGKILL)
    assert process.is_running(sleeper)


def test_a_zombie_does_not_run(sleeper: Identity) -> None:
    process.send(sleeper, signal.SIGKILL)
    wait_for(lambda: not process.is_running(sleeper), "it to die", seconds=5)
    assert parse_stat(Path(f"/proc/{sleeper.pid}/stat").read_text()).state == "Z"


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    stubborn = [
        sys.executable,
        "-uc",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(60)",
    ]
    identity = process.start(stubborn, stubborn[0], log, os.environ)
    wait_for(lambda: log.read_text() == "1\n", "it to ignore signals", seconds=20)
    process.stop(identity, "stubborn", grace_seconds=0.2)
    assert not process.is_running(identity)
    os.waitpid(identity.pid, 0)


def test_a_daemon_outlives_its_parent(tmp_path: Path) -> None:
    script = "import os, sys; from tests.cluster import process; from pathlib import Path;"
    script += f"print(process.start({SLEEP!r}, {SLEEP[0]!r}, Path({str(tmp_path / 'log')!r}), os.environ).as_json())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    identity = Identity.parse(eval(done.stdout))
    assert process.is_running(identity)
    process.stop(identity, "daemon")
