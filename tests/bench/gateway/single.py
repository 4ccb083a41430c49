"""Durable single POSTs per CPU-second, over requests of a bare echo server on the same stack.

Both servers run as processes of their own; the load alternates between them with the same requests, on 32
connections. The gateway's events are validated, redacted, encrypted and on disk when they are answered;
object storage is away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.bench.gateway import payloads, servers
from tests.bench.gateway.figure import Effort, Figure
from tests.bench.gateway.payloads import Requests

NAMES = ("ingest.single_vs_echo",)
COUNT = 8000


def measure(effort: Effort) -> Iterator[Figure]:
    ratios = compare(effort, payloads.singles, effort.of(COUNT))
    yield Figure.median(NAMES[0], ratios, unit="ratio", goal=">=0.45")


def compare(effort: Effort, make: Callable[[Sequence[str], int], Requests], count: int) -> list[float]:
    """The ratio of each pair: events per CPU-second of the gateway over single POSTs of the echo server."""
    with servers.gateway() as gateway, servers.echo() as (echo, port):
        tokens = servers.tokens(gateway)
        sent, ratios = [], []
        for _ in range(effort.pairs + 1):
            sent.append(make(tokens, count))
            durable = servers.rate(gateway.pid, gateway.feedback, sent[-1])
            bare = servers.rate(echo, port, payloads.singles(tokens, min(count, effort.of(COUNT))))
            ratios.append(durable / bare)
        servers.verify(gateway, sent)
    return ratios[1:]  # the first pair warms both up
