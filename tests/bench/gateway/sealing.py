"""The share of encryption and framing in the CPU time of ingesting single events.

The gateway runs as `timed_gateway`, which times the two functions that pack and seal with the thread's CPU clock
and counts their calls in a file shared with this process; the cost of timing itself, measured in that process
before it serves, is taken off both the part and the whole.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from tests.bench.gateway import payloads, servers
from tests.bench.gateway.figure import Effort, Figure
from tests.bench.gateway.timed_gateway import FILE, SIZE, Timings
from tests.gateway.process import Gateway

NAMES = ("seal.cpu_share",)
COUNT = 8000


def measure(effort: Effort) -> Iterator[Figure]:
    with servers.scratch() as folder:
        counters = folder / "counters"
        counters.write_bytes(bytes(SIZE))
        with servers.gateway(module="tests.bench.gateway.timed_gateway", env={FILE: str(counters)}) as gateway:
            samples = [_share(gateway, counters, effort.of(COUNT)) for _ in range(effort.pairs + 1)]
    yield Figure.median(NAMES[0], samples[1:], unit="share", goal="<=0.08")


def _share(gateway: Gateway, counters: Path, count: int) -> float:
    sent = payloads.singles(servers.tokens(gateway), count)
    before = _read(counters)
    whole = count / servers.rate(gateway.pid, gateway.feedback, sent)
    spent = _read(counters).since(before)
    assert spent.calls > 0, "no frame was sealed"
    timing = spent.overhead_ns / 1e9
    return max(0.0, (spent.spent_ns / 1e9 - spent.inner_ns / 1e9) / (whole - timing))


def _read(path: Path) -> Timings:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as shared:
        return Timings.read(shared)
