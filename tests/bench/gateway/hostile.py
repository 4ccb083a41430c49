"""What a client at ten times its share costs the others: their 99th percentile with it over that without it.

Nine honest clients and a hostile one have the same share; the shares add up to half of what the server can do. The
loop's limit on a subject is twice the share. The hostile client sends ten times its share, on as many connections
as all others together.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import paced
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure, percentile
from tests.bench.gateway.latency import requests_per_second
from tests.gateway.process import Gateway

NAMES = ("ingest.hostile_p99_ratio",)
HONEST, TIMES = 9, 10
SECONDS = 5
PERIOD_SECONDS = 2


def measure(effort: Effort) -> Iterator[Figure]:
    with servers.gateway() as gateway:
        share = requests_per_second(gateway, effort.of(8000)) / 2 / (HONEST + 1)
        limit = {"requests": int(2 * share * PERIOD_SECONDS), "periodSeconds": PERIOD_SECONDS}
        collection = gateway.config["collection"] | {"rateLimits": {"perSubject": limit}}
        servers.reconfigure(gateway, collection=collection)
        honest = [gateway.token(session_id=f"honest-{index}") for index in range(HONEST)]
        hostile = gateway.token(session_id="hostile")
        seconds = effort.of(SECONDS, least=1)
        samples, refused = [], []
        for _ in range(effort.pairs):
            alone, _ = _run(gateway, honest, None, share, seconds)
            beside, share_refused = _run(gateway, honest, hostile, share, seconds)
            samples.append(beside / alone)
            refused.append(share_refused)
    yield Figure.median(NAMES[0], samples, unit="ratio", goal="<=2", hostile_refused=[round(r, 3) for r in refused])


def _run(gateway: Gateway, honest: list[str], hostile: str | None, share: float, seconds: float) -> tuple[float, float]:
    """The honest clients' 99th percentile, and which part of the hostile one's answers were refusals."""
    rate = share * HONEST
    others = paced.Stream(payloads.singles(honest, int(rate * seconds)).wires, rate, 16)
    streams = [others]
    if hostile is not None:
        flood = payloads.singles([hostile], int(share * TIMES * seconds))
        streams.append(paced.Stream(flood.wires, share * TIMES, 16, background=True))
    with cpu.core(cpu.LOAD):
        paced.run(gateway.feedback, streams)
    assert others.result.accepted == len(others.requests), f"honest clients were refused: {others.result.statuses}"
    answered = streams[-1].result.statuses
    refused = answered.get(b"429", 0) / max(1, sum(answered.values()))
    return percentile(others.result.latencies, 0.99), refused if hostile else 0.0
