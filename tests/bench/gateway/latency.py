"""The 99th percentile of durable single POSTs at half of what the server can do, against what the disk needs.

The bound is four times the 99th percentile of `fdatasync` of a small write on the same volume, before and after the
load, plus 5 ms; the figure is the latency over that bound.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import load, paced
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure, percentile
from tests.gateway.process import Gateway

NAMES = ("ingest.p99_vs_fdatasync",)
SECONDS, PROBES, WRITE_BYTES = 5, 400, 2048
FACTOR, PLUS_SECONDS = 4, 0.005


def measure(effort: Effort) -> Iterator[Figure]:
    with servers.gateway() as gateway:
        capacity = requests_per_second(gateway, effort.of(8000))
        samples, p99s, syncs = [], [], []
        for _ in range(effort.pairs):
            before = _syncs(gateway.volume, effort.of(PROBES, least=50))
            taken = _at_rate(gateway, capacity / 2, effort.of(SECONDS, least=1))
            sync = percentile(before + _syncs(gateway.volume, effort.of(PROBES, least=50)), 0.99)
            p99s.append(percentile(taken, 0.99))
            syncs.append(sync)
            samples.append(p99s[-1] / (FACTOR * sync + PLUS_SECONDS))
    yield Figure.median(
        NAMES[0],
        samples,
        unit="ratio to 4 x fdatasync p99 + 5 ms",
        goal="<=1",
        p99_ms=[round(1000 * value, 2) for value in p99s],
        fdatasync_p99_ms=[round(1000 * value, 2) for value in syncs],
        requests_per_second=round(capacity / 2),
    )


def requests_per_second(gateway: Gateway, count: int) -> float:
    """What a closed loop of 32 connections gets done."""
    sent = payloads.singles(servers.tokens(gateway), count)
    with cpu.core(cpu.LOAD):
        load.run(gateway.feedback, sent.wires[: count // 4], connections=servers.CONNECTIONS)
        result = load.run(gateway.feedback, sent.wires[count // 4 :], connections=servers.CONNECTIONS)
    assert result.accepted == len(sent.wires) - count // 4, result.statuses
    return result.accepted / result.seconds


def _at_rate(gateway: Gateway, rate: float, seconds: float) -> list[float]:
    sent = payloads.singles(servers.tokens(gateway), int(rate * seconds))
    stream = paced.Stream(sent.wires, rate, servers.CONNECTIONS)
    with cpu.core(cpu.LOAD):
        paced.run(gateway.feedback, [stream])
    assert stream.result.accepted == sent.events, stream.result.statuses
    return stream.result.latencies


def _syncs(folder: Path, count: int) -> list[float]:
    """Seconds of each small durable write into a file of the folder."""
    path, times = folder / "probe", []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(count):
            start = time.perf_counter()
            os.write(descriptor, bytes(WRITE_BYTES))
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - start)
    finally:
        os.close(descriptor)
        path.unlink()
    return times
