"""A gateway's process made faulty from below, as its environment says; its own code stays as it is.

FL_TEST_SHADOW=<folder>    keeps what of FL_VOLUME is durable there (`power`)
FL_TEST_NO_SYNC=1          forgets to sync the log's segments
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.faults import power


def install(env: Mapping[str, str]) -> None:
    """Wraps what the environment names."""
    if shadow := env.get("FL_TEST_SHADOW"):
        power.install(Path(env["FL_VOLUME"]), Path(shadow))
    if env.get("FL_TEST_NO_SYNC"):
        power.forget_syncs()
