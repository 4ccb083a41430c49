"""Durable events in NDJSON batches of fifty per CPU-second, over single requests of a bare echo server."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.gateway import payloads
from tests.bench.gateway.figure import Effort, Figure
from tests.bench.gateway.single import compare

NAMES = ("ingest.batch50_vs_echo",)
COUNT = 40_000


def measure(effort: Effort) -> Iterator[Figure]:
    ratios = compare(effort, payloads.batches, effort.of(COUNT, least=10 * payloads.BATCH))
    yield Figure.median(NAMES[0], ratios, unit="ratio", goal=">=1.5")
