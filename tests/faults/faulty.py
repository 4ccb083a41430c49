"""A gateway's process made faulty from below, as its environment says; its own code stays as it is.

As a module it is a gateway of its own: `python -m tests.faults.faulty`.

FL_TEST_SHADOW=<folder>    keeps what of FL_VOLUME is durable there (`power`)
FL_TEST_NO_SYNC=1          forgets to sync the log's segments
FL_TEST_DISK=<file>        the disk fails as the file says (`failing_disk`)
FL_TEST_CLOCK=<file>       the wall clock is off by as many seconds as the file says
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.faults import failing_disk, power


def install(env: Mapping[str, str]) -> None:
    """Wraps what the environment names."""
    if shadow := env.get("FL_TEST_SHADOW"):
        power.install(Path(env["FL_VOLUME"]), Path(shadow))
    if env.get("FL_TEST_NO_SYNC"):
        power.forget_syncs()
    if control := env.get("FL_TEST_DISK"):
        failing_disk.install(Path(control))
    if control := env.get("FL_TEST_CLOCK"):
        _shift_clock(Path(control))


def _shift_clock(control: Path) -> None:
    real = time.time_ns

    def shifted() -> int:
        return real() + int(float(control.read_text() or "0") * 1e9)

    time.time_ns = shifted
    time.time = lambda: shifted() / 1e9


if __name__ == "__main__":
    import feedbackloop.gateway.__main__ as gateway

    install(os.environ)
    sys.exit(gateway.main())
