"""Everything but one finite number is an error with its reason, never 0."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from feedbackloop.adapters.prometheus import MOST_BYTES, NoNumber, PrometheusAdapter, parse
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.domain.rollout.queries import QuerySeen, Question


def vector(*values: str) -> dict[str, Any]:
    return {"resultType": "vector", "result": [{"metric": {}, "value": [1.0, v]} for v in values]}


def body(data: object, **more: object) -> bytes:
    return json.dumps({"status": "success", "data": data, **more}).encode()


@pytest.mark.parametrize(
    ("answer", "number"),
    [(vector("0.25"), 0.25), (vector("0"), 0.0), ({"resultType": "scalar", "result": [1, "7"]}, 7)],
)
def test_one_finite_number(answer: object, number: float) -> None:
    assert parse(200, body(answer)) == number


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (200, body(vector()), "gives nothing"),
        (200, body(vector("1", "2")), "2 series"),
        (200, body(vector("NaN")), "NaN"),
        (200, body(vector("+Inf")), "Inf"),
        (200, body(vector("-Inf")), "Inf"),
        (200, body(vector("much")), "no number"),
        (200, body({"resultType": "matrix", "result": []}), "gives a matrix"),
        (200, body({"resultType": "string", "result": [1, "a"]}), "gives a string"),
        (200, body({"resultType": "vector", "result": [{"histogram": [1, {}]}]}), "histogram"),
        (200, body({"resultType": "vector", "result": [3]}), "histogram"),
        (200, body(vector("1"), warnings=["a store did not answer"]), "a store did not answer"),
        (200, body(None), "one number"),
        (200, b"<html>", "answered 200"),
        (200, b"[]", "answered 200"),
        (200, body(vector("1"))[:-5], "answered 200"),
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error at char 3"}', "bad_data: parse error"),
        (401, b"", "answered 401"),
        (503, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "timed out"),
    ],
)
def test_edge_35_anything_else_is_an_error_with_its_reason(status: int, answer: bytes, why: str) -> None:
    with pytest.raises(NoNumber, match=why):
        parse(status, answer)


@dataclass
class Server:
    """An HTTP server that says what the test wants, for what a real Prometheus does not do on demand."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[dict[str, str], str | None]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    padding: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def query(self, request: web.Request) -> web.Response:
        form = {k: str(v) for k, v in (await request.post()).items()}
        self.asked.append((form, request.headers.get("Authorization")))
        await self.gate.wait()
        text = body(self.answers[form["query"]], pad="x" * self.padding)
        return web.Response(body=text, content_type="application/json", headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one, app = Server(), web.Application()
    app.router.add_post("/api/v1/query", one.query)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    one.gate.set()
    yield one
    one.gate.set()
    await runner.cleanup()


@pytest.fixture
def url() -> str | None:
    """Another address than the server's."""
    return None


@pytest.fixture
async def adapter(server: Server, tmp_path: Path, url: str | None) -> AsyncIterator[PrometheusAdapter]:
    pod = {"name": "p", "image": "i"}
    endpoint = {"name": "prom", "type": "Prometheus", "url": url or server.url}
    config = {"endpoints": [endpoint], "profiles": [], "jobs": pod, "gateway": {"image": "i"}}
    one = PrometheusAdapter(AdminConfig.model_validate(config | {"credentialsPath": str(tmp_path)}))
    yield one
    await one.close()


def question(**changes: Any) -> Question:
    fields = {"guardrail": "gpu", "epoch": 2, "endpoint_name": "prom", "interval_seconds": 30}
    return Question(**(fields | {"canary": "c", "stable": "s", "requests": None} | changes))


def now(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def seen(adapter: PrometheusAdapter, at: datetime, **changes: Any) -> QuerySeen:
    adapter.answer("run", question(**changes), at)
    await adapter.settled()
    answer = adapter.answer("run", question(**changes), at)
    assert answer is not None
    return answer


async def test_both_arms_are_asked_for_the_same_time(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers = {"c": vector("0.123456789012"), "s": vector("2")}
    at = now()
    assert await seen(adapter, at) == QuerySeen("gpu", 2, "0.123456789", "2")
    times = {form["time"] for form, _ in server.asked}
    assert times == {f"{at.timestamp():.3f}"}


async def test_a_look_never_waits_for_the_source(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers = {"c": vector("1"), "s": vector("2")}
    server.gate.clear()
    at = now()
    assert adapter.answer("run", question(), at) is None
    assert adapter.answer("run", question(), at + timedelta(seconds=90)) is None, "one question at a time"
    server.gate.set()
    await adapter.settled()
    assert len(server.asked) == 2
    assert adapter.answer("run", question(), at) is not None


async def test_a_question_is_asked_once_in_its_interval(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers = {"c": vector("1"), "s": vector("2")}
    start = now()
    for second in range(0, 60, 2):
        adapter.answer("run", question(), start + timedelta(seconds=second))
        await adapter.settled()
    assert len(server.asked) == 2 * 2
    await seen(adapter, start, epoch=3)
    assert len(server.asked) == 2 * 3, "another epoch is another question"


async def test_edge_36_fractions_of_requests_do_not_count(server: Server, adapter: PrometheusAdapter) -> None:
    """increase() extrapolates: 19.97 requests are 19."""
    server.answers = {"c": vector("1"), "s": vector("2"), "n": vector("19.97"), "m": vector("-3")}
    assert (await seen(adapter, now(), requests="n")).requests == 19
    assert "negative" in (await seen(adapter, now(), requests="m", epoch=3)).error


async def test_one_arm_without_a_number_is_no_answer(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers = {"c": vector("1"), "s": vector("NaN")}
    answer = await seen(adapter, now())
    assert (answer.canary, answer.stable) == (None, None) and "NaN" in answer.error


async def test_a_source_that_is_away_is_an_error(adapter: PrometheusAdapter) -> None:
    adapter._config = adapter._config.model_copy(
        update={
            "endpoints": tuple(e.model_copy(update={"url": "http://127.0.0.1:9"}) for e in adapter._config.endpoints)
        }
    )
    assert "prom does not answer" in (await seen(adapter, now())).error


async def test_an_endpoint_that_the_admin_does_not_declare(adapter: PrometheusAdapter) -> None:
    assert "no Prometheus endpoint 'other'" in (await seen(adapter, now(), endpoint_name="other")).error


async def test_an_answer_is_bounded(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers, server.padding = {"c": vector("1"), "s": vector("2")}, 2 * MOST_BYTES
    assert "larger than" in (await seen(adapter, now())).error


async def test_edge_35_a_source_with_another_clock(server: Server, adapter: PrometheusAdapter) -> None:
    server.answers = {"c": vector("1"), "s": vector("2")}
    assert "behind ours" in (await seen(adapter, now(3600))).error
    assert "ahead of ours" in (await seen(adapter, now(-3600), epoch=3)).error


@pytest.mark.parametrize(
    ("files", "header"),
    [
        ({}, None),
        ({"PROMETHEUS_TOKEN": "t"}, "Bearer t"),
        ({"PROMETHEUS_USERNAME": "u", "PROMETHEUS_PASSWORD": "p"}, "Basic dTpw"),
        ({"PROMETHEUS_USERNAME": "u"}, None),
    ],
)
async def test_credentials_are_files(
    server: Server, adapter: PrometheusAdapter, tmp_path: Path, files: dict[str, str], header: str | None
) -> None:
    (tmp_path / "prom").mkdir()
    for name, text in files.items():
        (tmp_path / "prom" / name).write_text(f"{text}\n")
    server.answers = {"c": vector("1"), "s": vector("2")}
    await seen(adapter, now())
    assert {h for _, h in server.asked} == {header}
