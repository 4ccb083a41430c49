"""How fast a log is read back after SIGKILL: megabytes of segments a CPU-second, from the process's start to ready.

The log holds acknowledged comments that were not uploaded. The time of a start with an empty volume, measured in turn,
is taken off; every start must report all that was stored. Recovery is one thread that computes, so on a quiet machine
this is the time that passes, which is shown beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench import load
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure
from tests.gateway.process import Gateway

NAMES = ("wal.recovery_mb_s",)
LOG_BYTES = 128 << 20
EVENTS_AT_ONCE = 20_000


def measure(effort: Effort) -> Iterator[Figure]:
    with servers.gateway() as full, servers.gateway() as empty:
        _fill(full, effort.of(LOG_BYTES, least=4 << 20))
        size, stored = _log_bytes(full), full.status()["stored"]
        samples, seconds = [], []
        for _ in range(1 if effort.quick else 5):
            base, whole = _restart(empty), _restart(full)
            assert full.status()["stored"] >= stored
            samples.append(size / 1e6 / max(1e-9, whole.computing - base.computing))
            seconds.append(round(whole.passing - base.passing, 3))
    more = {"log_mb": round(size / 1e6, 1), "bytes_a_record": round(size / stored), "wall_seconds": seconds}
    yield Figure.median(NAMES[0], samples, unit="MB/s", goal=">=100", **more)


@dataclass(frozen=True)
class Start:
    """Seconds until a gateway was ready: that passed, and that it computed."""

    passing: float
    computing: float


def _fill(gateway: Gateway, size: int) -> None:
    """Sends batches until the log is so large."""
    tokens = servers.tokens(gateway)
    while _log_bytes(gateway) < size:
        sent = payloads.batches(tokens, EVENTS_AT_ONCE)
        with cpu.core(cpu.LOAD):
            result = load.run(gateway.feedback, sent.wires, connections=servers.CONNECTIONS)
        assert result.accepted == len(sent.wires), result.statuses


def _log_bytes(gateway: Gateway) -> int:
    return sum(path.stat().st_size for path in (gateway.volume / "wal").glob("*.seg"))


def _restart(gateway: Gateway) -> Start:
    """A start after a kill, until the gateway is ready."""
    gateway.kill()
    begin = time.monotonic()
    with cpu.core(cpu.SERVER):
        gateway.start()
    return Start(time.monotonic() - begin, cpu.seconds(gateway.pid))
