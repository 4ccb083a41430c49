"""What the proxy adds to a call of the same model server, beside LiteLLM's proxy in the same run.

Latency: one connection, one request at a time, first directly, then through the gateway, then through LiteLLM, again
and again; the percentile through a proxy minus the directly taken one. CPU: eight connections, CPU time of the proxy's
processes a request. The gateway's interactions are redacted, encrypted and on disk before an answer ends;
LiteLLM keeps nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.bench import answers
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure, percentile
from tests.bench.gateway.litellm import KEY, litellm
from tests.gateway.process import APP_TOKEN

NAMES = (
    "proxy.added_p50_ms",
    "proxy.added_p99_ms",
    "proxy.first_byte_added_p50_ms",
    "proxy.first_byte_added_p99_ms",
    "proxy.cpu_vs_litellm",
    "proxy.stream_cpu_vs_litellm",
)
PATH = "/v1/chat/completions"
LATENCY_REQUESTS, CPU_REQUESTS, CONNECTIONS = 300, 400, 8


@dataclass(frozen=True)
class Way:
    """One way to the model: directly, or through a proxy whose CPU time `seconds` tells."""

    name: str
    port: int
    token: str
    seconds: Callable[[], float]

    def requests(self, count: int, *, stream: bool) -> list[bytes]:
        content = f"How long can I return what I bought? {payloads.TEXT}"
        body = {"model": "bot", "stream": stream, "messages": [{"role": "user", "content": content}]}
        return [payloads.post(PATH, self.token, json.dumps(body).encode())] * count


@dataclass
class Taken:
    """The runs of one way, in order: percentiles in milliseconds, CPU seconds a request."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    first_p50: list[float] = field(default_factory=list)
    first_p99: list[float] = field(default_factory=list)
    cpu_whole: list[float] = field(default_factory=list)
    cpu_stream: list[float] = field(default_factory=list)


def measure(effort: Effort) -> Iterator[Figure]:
    with ExitStack() as stack:
        ways = _start(stack)
        taken = {way.name: Taken() for way in ways}
        for _ in range(effort.pairs + 1):
            for way in ways:
                _latency(way, taken[way.name], effort.of(LATENCY_REQUESTS, least=20))
            for way in ways[1:]:
                _cpu(way, taken[way.name], effort.of(CPU_REQUESTS, least=16))
    yield from _figures(taken["direct"], taken["gateway"], taken["litellm"])


def _start(stack: ExitStack) -> list[Way]:
    _, model = stack.enter_context(servers.python_server("tests.bench.gateway.stub_model"))
    gateway = stack.enter_context(servers.gateway(model_port=model))
    other = stack.enter_context(litellm(stack.enter_context(servers.scratch()), model))
    return [
        Way("direct", model, "none", lambda: 0.0),
        Way("gateway", gateway.app, APP_TOKEN, lambda: cpu.seconds(gateway.pid)),
        Way("litellm", other.port, KEY, lambda: cpu.session_seconds(other.leader)),
    ]


def _send(way: Way, count: int, *, stream: bool, connections: int) -> answers.Timed:
    with cpu.core(cpu.LOAD):
        timed = answers.run(way.port, way.requests(count, stream=stream), connections=connections)
    assert timed.statuses == {200: count}, f"{way.name}: {timed.statuses}"
    return timed


def _latency(way: Way, taken: Taken, count: int) -> None:
    whole = _send(way, count, stream=False, connections=1).whole
    first = _send(way, count, stream=True, connections=1).first_byte
    taken.p50.append(percentile(whole, 0.5) * 1000)
    taken.p99.append(percentile(whole, 0.99) * 1000)
    taken.first_p50.append(percentile(first, 0.5) * 1000)
    taken.first_p99.append(percentile(first, 0.99) * 1000)


def _cpu(way: Way, taken: Taken, count: int) -> None:
    for stream, into in ((False, taken.cpu_whole), (True, taken.cpu_stream)):
        before = way.seconds()
        _send(way, count, stream=stream, connections=CONNECTIONS)
        into.append((way.seconds() - before) / count)


def _figures(direct: Taken, ours: Taken, theirs: Taken) -> Iterator[Figure]:
    for name, part in zip(NAMES, ("p50", "p99", "first_p50", "first_p99"), strict=False):
        base = getattr(direct, part)[1:]  # the first round warms all of them up
        added = _minus(getattr(ours, part)[1:], base)
        other = Figure.median(name, _minus(getattr(theirs, part)[1:], base), unit="ms", goal="").value
        yield Figure.median(name, added, unit="ms", goal="< LiteLLM's", litellm_ms=round(other, 3))
    for name, part in zip(NAMES[4:], ("cpu_whole", "cpu_stream"), strict=True):
        mine, other_costs = getattr(ours, part)[1:], getattr(theirs, part)[1:]
        ratios = [b / a for a, b in zip(mine, other_costs, strict=True)]
        yield Figure.median(
            name, ratios, unit="ratio", goal=">=5", gateway_us=_micros(mine), litellm_us=_micros(other_costs)
        )


def _minus(values: list[float], base: list[float]) -> list[float]:
    return [value - other for value, other in zip(values, base, strict=True)]


def _micros(seconds: list[float]) -> int:
    return round(Figure.median("", seconds, unit="", goal="").value * 1e6)
