"""Events per CPU-second against MLflow's own endpoint for feedback on traces, in the same run.

MLflow runs as its own command starts it (one worker, sqlite), its CPU time is that of all processes of its session.
Both take the same comment, one a request: MLflow on 8 connections, which suits it best, the gateway on 32.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3

from tests.bench import load
from tests.bench.gateway import cpu, payloads, servers
from tests.bench.gateway.figure import Effort, Figure
from tests.support.mlflow_server import mlflow_process

NAMES = ("ingest.vs_mlflow",)
COUNT, MLFLOW_COUNT, MLFLOW_CONNECTIONS = 8000, 300, 8


@dataclass(frozen=True)
class MlFlow:
    """A running server with one trace, which assessments are logged on."""

    uri: str
    leader: int
    trace: str

    @property
    def port(self) -> int:
        return urlsplit(self.uri).port or 0

    def call(self, path: str, body: Any) -> Any:
        reply = urllib3.request("POST", f"{self.uri}/api/{path}", json=body)
        assert reply.status == 200, reply.data[:500]
        return reply.json()

    def requests(self, count: int) -> list[bytes]:
        return [self._request() for _ in range(count)]

    def _request(self) -> bytes:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        assessment = {
            "assessment_name": "note",
            "trace_id": self.trace,
            "source": {"source_type": "HUMAN", "source_id": str(uuid.uuid4())},
            "create_time": now,
            "last_update_time": now,
            "feedback": {"value": payloads.TEXT},
        }
        path = f"/api/3.0/mlflow/traces/{self.trace}/assessments"
        return payloads.post(
            path, "none", json.dumps({"assessment": assessment}).encode(), host=urlsplit(self.uri).netloc
        )

    def logged(self) -> int:
        """Assessments of the trace."""
        url = f"{self.uri}/api/3.0/mlflow/traces/{self.trace}"
        return len(urllib3.request("GET", url).json()["trace"]["trace_info"].get("assessments", ()))


def measure(effort: Effort) -> Iterator[Figure]:
    ratios, costs, total = [], [], 0
    with ExitStack() as stack:
        mlflow, gateway = _mlflow(stack), stack.enter_context(servers.gateway())
        tokens = servers.tokens(gateway)
        sent = []
        for _ in range(effort.pairs + 1):
            sent.append(payloads.singles(tokens, effort.of(COUNT)))
            ours = servers.rate(gateway.pid, gateway.feedback, sent[-1])
            theirs, count = _rate(mlflow, effort.of(MLFLOW_COUNT, least=20))
            total += count
            ratios.append(ours / theirs)
            costs.append(theirs)
        assert mlflow.logged() == total, f"{total} were answered 200, {mlflow.logged()} are there"
        servers.verify(gateway, sent)
    per_second = [round(cost) for cost in costs[1:]]
    yield Figure.median(NAMES[0], ratios[1:], unit="ratio", goal=">=50", mlflow_events_per_cpu_second=per_second)


def _mlflow(stack: ExitStack) -> MlFlow:
    folder = stack.enter_context(servers.scratch())
    with cpu.core(cpu.SERVER):
        uri, leader = stack.enter_context(mlflow_process(folder / "mlflow"))
    server = MlFlow(uri, leader, f"tr-{uuid.uuid4().hex}")
    experiment = server.call("2.0/mlflow/experiments/create", {"name": "bench"})["experiment_id"]
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    info = {
        "trace_id": server.trace,
        "trace_location": location,
        "request_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "state": "OK",
    }
    server.call("3.0/mlflow/traces", {"trace": {"trace_info": info}})
    return server


def _rate(mlflow: MlFlow, count: int) -> tuple[float, int]:
    before = cpu.session_seconds(mlflow.leader)
    with cpu.core(cpu.LOAD):
        result = load.run(mlflow.port, mlflow.requests(count), connections=MLFLOW_CONNECTIONS)
    assert result.statuses == {b"200": count}, result.statuses
    return count / (cpu.session_seconds(mlflow.leader) - before), count
