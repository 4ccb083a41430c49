"""Resident memory of the gateway over three million events, and while object storage is away.

Events come in batches, at the speed that the gateway takes them, with a real S3. The first half fills the memory of
event ids, which holds the last million; the second half shows whether anything else grows. Then S3 is stopped: it
accepts connections and answers nothing, and events go on at a steady rate for ten minutes. The figure is the largest
resident size; the slopes are those of a straight line through the second half of each phase.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.bench import load, paced
from tests.bench.gateway import cpu, payloads, servers, storage
from tests.bench.gateway.figure import Effort, Figure
from tests.gateway.process import Gateway

NAMES = ("gateway.rss_mib", "gateway.rss_slope_mib", "gateway.rss_outage_slope_mib")
EVENTS, STEPS = 3_000_000, 60
OUTAGE_SECONDS, OUTAGE_STEPS, OUTAGE_RATE = 600, 20, 500.0
FLUSH_SECONDS = 5


@dataclass
class Curve:
    """Resident MiB against events taken, one point a step."""

    events: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def add(self, gateway: Gateway, count: int) -> None:
        self.events.append((self.events[-1] if self.events else 0) + count)
        self.mib.append(cpu.rss_mib(gateway.pid))

    @property
    def slope(self) -> float:
        """MiB a million events, over the second half."""
        half = len(self.events) // 2
        if len(self.events) - half < 2:
            return 0.0
        return statistics.linear_regression(self.events[half:], self.mib[half:]).slope * 1e6


def measure(effort: Effort) -> Iterator[Figure]:
    with servers.gateway(away=False, flushSeconds=FLUSH_SECONDS) as gateway:
        flowing = _flow(gateway, effort.of(EVENTS) // STEPS)
        outage = _outage(gateway, effort.of(OUTAGE_SECONDS, least=2 * OUTAGE_STEPS // 10) / OUTAGE_STEPS)
        status = gateway.status()
        assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]
    curves = [*flowing.mib, *outage.mib]
    points = [round(value, 1) for value in curves[:: max(1, len(curves) // 20)]]
    yield Figure(NAMES[0], max(curves), "MiB", "<=192", points, {"events": int(flowing.events[-1])})
    yield Figure(NAMES[1], flowing.slope, "MiB a million events", "<=2")
    yield Figure(NAMES[2], outage.slope, "MiB a million events", "<=2", (), {"events": int(outage.events[-1])})


def _flow(gateway: Gateway, a_step: int) -> Curve:
    curve, tokens = Curve(), servers.tokens(gateway)
    for _ in range(STEPS):
        sent = payloads.batches(tokens, max(payloads.BATCH, a_step))
        with cpu.core(cpu.LOAD):
            result = load.run(gateway.feedback, sent.wires, connections=8)
        assert result.accepted == len(sent.wires), result.statuses
        curve.add(gateway, sent.events)
    return curve


def _outage(gateway: Gateway, step_seconds: float) -> Curve:
    curve, tokens, s3 = Curve(), servers.tokens(gateway), storage.shared()
    s3.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(OUTAGE_STEPS):
            start = time.monotonic()
            sent = payloads.singles(tokens, int(OUTAGE_RATE * step_seconds))
            stream = paced.Stream(sent.wires, OUTAGE_RATE, 8)
            with cpu.core(cpu.LOAD):
                paced.run(gateway.feedback, [stream])
            assert stream.result.accepted == sent.events, stream.result.statuses
            curve.add(gateway, sent.events)
            time.sleep(max(0.0, step_seconds - (time.monotonic() - start)))
    finally:
        s3.process.send_signal(signal.SIGCONT)
    return curve
