"""OTLP/HTTP on the app port of a real process: both encodings, bounds, partial success, repeated exports."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from feedbackloop.events import store
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, SIGNALS, Gateway, Reply, event
from tests.gateway.replicas import Replicas
from tests.gateway.stored import keyring, records, uploaded
from tests.gateway.waiting import wait_for

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


def export(gateway: Gateway, path: str, body: bytes, kind: str = PROTOBUF, **headers: str) -> Reply:
    sent = {"Authorization": f"Bearer {APP_TOKEN}", "Content-Type": kind}
    return gateway.call(gateway.app, "POST", path, body, sent | {k.replace("_", "-"): v for k, v in headers.items()})


def pair(name: str, value: Any) -> KeyValue:
    made = AnyValue()
    if isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, float):
        made.double_value = value
    else:
        made.string_value = value
    return KeyValue(key=name, value=made)


def evaluations(*attributes: dict[str, Any]) -> bytes:
    """An export of one evaluation event for each."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number, given in enumerate(attributes):
        log = scope.log_records.add(
            event_name="gen_ai.evaluation.result", time_unix_nano=10**18 + number, trace_id=TRACE, span_id=SPAN
        )
        log.attributes.extend(pair(name, value) for name, value in given.items())
    return request.SerializeToString()


def vote(score: float, **more: Any) -> dict[str, Any]:
    return {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": score} | more


def chat(*answers: str, subject: str = "anna") -> bytes:
    """An export of one chat span."""
    request = ExportTraceServiceRequest()
    asked = {"role": "user", "parts": [{"type": "text", "content": "call 0170 1234567"}]}
    said = [{"role": "assistant", "parts": [{"type": "text", "content": answer}]} for answer in answers]
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat", trace_id=TRACE, span_id=SPAN)
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.conversation.id": "s-1",
        "user.id": subject,
        "gen_ai.input.messages": json.dumps([asked]),
        "gen_ai.output.messages": json.dumps(said),
    }
    span.attributes.extend(pair(name, value) for name, value in given.items())
    other = request.resource_spans[0].scope_spans[0].spans.add(name="GET /", trace_id=TRACE, span_id=SPAN)
    other.attributes.append(pair("http.request.method", "GET"))
    return request.SerializeToString()


def metrics(gateway: Gateway) -> dict[str, int]:
    text = gateway.call(gateway.admin, "GET", "/metrics").body.decode()
    found = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("feedbackloop_gateway_otlp"))
    return {name.removeprefix("feedbackloop_gateway_otlp_").removesuffix("_total"): int(value) for name, value in found}


def law_holds(gateway: Gateway) -> bool:
    status = gateway.status()
    return bool(status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"])


def test_a_span_and_its_evaluation_are_an_interaction_and_its_feedback(gateway: Gateway, objects: S3Client) -> None:
    reply = export(gateway, "/v1/traces", chat("two weeks"))
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"", PROTOBUF)
    said = vote(0.0, **{"gen_ai.evaluation.score.label": "style", "gen_ai.evaluation.explanation": "mail a@b.example"})
    said |= {"gen_ai.response.id": "chatcmpl-1", "gen_ai.conversation.id": "s-1", "feedbackloop.subject_id": "anna"}
    assert export(gateway, "/v1/logs", evaluations(said)).status == 200
    uploaded(gateway)
    interaction, *votes = records(gateway, objects)
    assert isinstance(interaction, InteractionRecord)
    assert (interaction.channel, interaction.response_id) == ("otlp", "chatcmpl-1")
    assert (interaction.trace_id, interaction.span_id) == (TRACE.hex(), SPAN.hex())
    assert "<PHONE_1>" in interaction.messages[0].content
    assert [output.content for output in interaction.outputs] == ["two weeks"]
    feedback = {vote.signal: vote for vote in votes if isinstance(vote, FeedbackRecord)}
    assert {name: vote.value for name, vote in feedback.items()} == {
        "helpful": False,
        "why": "style",
        "note": "mail <EMAIL_1>",
    }
    for record in feedback.values():
        assert (record.channel, record.response_id, record.subject) == ("otlp", "chatcmpl-1", interaction.subject)
        assert record.session == interaction.session
    found = metrics(gateway)
    assert (found["spans"], found["spans_ignored"], found["log_records"]) == (2, 1, 1)


def test_a_repeated_export_is_a_duplicate_also_after_a_crash(gateway: Gateway) -> None:
    logs, traces = evaluations(vote(1.0), vote(0.0)), chat("a", "b")
    for _ in range(2):
        assert export(gateway, "/v1/logs", logs).body == b""
        assert export(gateway, "/v1/traces", traces).body == b""
    wait_for(lambda: gateway.status()["duplicate"] == 3, "the repetitions are counted")
    assert (gateway.status()["stored"], gateway.status()["badRows"]) == (3, 0)
    gateway.kill()
    gateway.start()
    assert export(gateway, "/v1/logs", logs).body == b""
    assert gateway.status()["stored"] == 3
    assert law_holds(gateway)


def test_what_the_schema_refuses_is_a_partial_success_and_a_bad_row(gateway: Gateway, objects: S3Client) -> None:
    body = evaluations(vote(1.0), vote(0.5), {"gen_ai.evaluation.name": "relevance"}, vote(0.0))
    response = ExportLogsServiceResponse.FromString(export(gateway, "/v1/logs", body).body)
    assert response.partial_success.rejected_log_records == 2
    assert response.partial_success.error_message == "bad_value at $.logRecords[1].value"
    uploaded(gateway)
    rows = list(store.read_badrows(objects, gateway.prefix, keyring(gateway)))
    assert [(row.code, row.channel) for row in rows] == [("bad_value", "otlp"), ("unknown_signal", "otlp")]
    assert law_holds(gateway)
    changed = ExportTraceServiceResponse.FromString(export(gateway, "/v1/traces", chat("a")).body)
    assert not changed.partial_success.rejected_spans
    changed = ExportTraceServiceResponse.FromString(export(gateway, "/v1/traces", chat("b")).body)
    assert changed.partial_success.error_message == "conflict at $.spans[0].event_id"


def test_json_is_answered_in_json(gateway: Gateway) -> None:
    attributes = [
        {"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}},
        {"key": "gen_ai.evaluation.score.value", "value": {"intValue": "1"}},
        {"key": "gen_ai.response.id", "value": {"stringValue": "chatcmpl-1"}},
    ]
    log = {"eventName": "gen_ai.evaluation.result", "timeUnixNano": "1764000000000000000", "attributes": attributes}
    bad = log | {"traceId": TRACE.hex(), "attributes": [attributes[0]]}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log, bad, {"body": {"stringValue": "a log line"}}]}]}]}
    reply = export(gateway, "/v1/logs", json.dumps(body).encode(), JSON)
    assert (reply.status, reply.headers["content-type"]) == (200, JSON)
    partial = {"rejectedLogRecords": "1", "errorMessage": "missing_field at $.logRecords[1].value"}
    assert reply.json() == {"partialSuccess": partial}
    assert metrics(gateway)["log_records_ignored"] == 1
    assert gateway.status()["bySignal"] == {"helpful": 1}


def test_every_event_of_an_export_goes_to_the_pod_of_its_session(make_gateway: MakeGateway, model: Model) -> None:
    replicas = Replicas(make_gateway, 2, stable_port=model.port).start()
    names = [name for owned in replicas.sessions().values() for name in owned[:3]]
    body = evaluations(*(vote(1.0, **{"gen_ai.conversation.id": name}) for name in names), vote(0.5))
    for pod in (*replicas.pods, *replicas.pods):
        response = ExportLogsServiceResponse.FromString(export(pod, "/v1/logs", body).body)
        assert response.partial_success.rejected_log_records == 1
    assert [pod.status()["bySignal"] for pod in replicas.pods] == [{"helpful": 3}, {"helpful": 3}]
    assert all(map(law_holds, replicas.pods))


REFUSED = [
    ("/v1/logs", b"\xff\xff", {}, 400),
    ("/v1/traces", b"not gzip", {"Content_Encoding": "gzip"}, 400),
    ("/v1/logs", gzip.compress(b"x" * 1000)[:-4], {"Content_Encoding": "gzip"}, 400),
    ("/v1/logs", b"", {"Content_Encoding": "br"}, 400),
    ("/v1/logs", b"{}", {"Content_Type": "text/plain"}, 400),
    ("/v1/logs", gzip.compress(bytes(200 << 20), 9), {"Content_Encoding": "gzip"}, 413),
    ("/v1/traces", gzip.compress(bytes(10 << 20), 9) * 40, {"Content_Encoding": "gzip"}, 413),
    ("/v1/logs", gzip.compress(b"\x0a\x00" * (7 << 20), 9), {"Content_Encoding": "gzip"}, 413),
    ("/v1/traces", bytes(5 << 20), {}, 413),
]


@pytest.mark.parametrize(("path", "body", "headers", "status"), REFUSED)
def test_bodies_beyond_the_bounds_are_refused_in_bounded_memory(
    gateway: Gateway, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    for _ in range(3):
        reply = export(gateway, path, body, **headers)
        assert reply.status == status
        assert "retry-after" not in reply.headers
    assert peak_mib(gateway) < 192
    assert export(gateway, "/v1/logs", evaluations(vote(1.0))).status == 200


def test_many_bombs_at_once_are_refused_or_put_off_while_votes_go_on(gateway: Gateway) -> None:
    bomb, token = gzip.compress(bytes(64 << 20), 9) + bytes(3 << 20), gateway.token()
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(export, gateway, "/v1/traces", bomb, Content_Encoding="gzip") for _ in range(32)]
        voted = [gateway.vote(token, event("helpful", True)).status for _ in range(50)]
        replies = [each.result() for each in sent]
    assert set(voted) == {202}
    assert {reply.status for reply in replies} <= {413, 503}
    assert all(("retry-after" in reply.headers) == (reply.status == 503) for reply in replies)
    assert peak_mib(gateway) < 256
    assert law_holds(gateway)


def peak_mib(gateway: Gateway) -> int:
    with open(f"/proc/{gateway.pid}/status") as file:  # noqa: PTH123
        return next(int(line.split()[1]) >> 10 for line in file if line.startswith("VmHWM"))


def test_gzip_is_taken(gateway: Gateway) -> None:
    body = gzip.compress(evaluations(*(vote(1.0) for _ in range(300))))
    assert export(gateway, "/v1/logs", body, Content_Encoding="gzip").status == 200
    assert gateway.status()["stored"] == 300


def test_a_log_that_takes_nothing_is_retryable(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(env={"FL_VOLUME_BYTES": "1"}).start()
    export(gateway, "/v1/logs", evaluations(vote(1.0)))
    reply = export(gateway, "/v1/logs", evaluations(vote(0.0)))
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")


def test_without_the_app_token_nothing_is_taken(gateway: Gateway) -> None:
    for path in ("/v1/logs", "/v1/traces"):
        assert gateway.call(gateway.app, "POST", path, b"", {"Content-Type": PROTOBUF}).status == 401


def test_signals_may_be_named_by_what_they_ask(make_gateway: MakeGateway) -> None:
    signals = [*SIGNALS, {"name": "true", "kind": "Question", "dimension": "Factuality"}]
    gateway = make_gateway()
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"signals": signals}})
    gateway.start()
    named = {"gen_ai.evaluation.name": "user.factuality.question", "gen_ai.evaluation.score.label": "no"}
    assert export(gateway, "/v1/logs", evaluations(named)).body == b""
    assert gateway.status()["bySignal"] == {"true": 1}


EXPORTER = """
import sys
try:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
except ImportError:
    sys.exit(77)
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

url, token = sys.argv[1:]
settings = {"headers": {"Authorization": f"Bearer {token}"}, "compression": Compression.Gzip}
traces, logs = TracerProvider(), LoggerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces", **settings)))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{url}/v1/logs", **settings)))
with traces.get_tracer("app").start_as_current_span("chat m-7b") as span:
    span.set_attributes({
        "gen_ai.operation.name": "chat",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "How long?"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Two weeks."}]}]',
    })
    logs.get_logger("app").emit(LogRecord(
        event_name="gen_ai.evaluation.result",
        attributes={"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 1.0},
    ))
traces.shutdown()
logs.shutdown()
"""


def test_the_sdks_own_exporter_is_understood(gateway: Gateway, objects: S3Client) -> None:
    python = os.environ.get("OTLP_EXPORTER_PYTHON", sys.executable)
    command = [python, "-c", EXPORTER, f"http://127.0.0.1:{gateway.app}", APP_TOKEN]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("opentelemetry-exporter-otlp-proto-http is not installed")
    assert done.returncode == 0, done.stderr
    uploaded(gateway)
    found = {type(record): record for record in records(gateway, objects)}
    interaction, feedback = found[InteractionRecord], found[FeedbackRecord]
    assert isinstance(interaction, InteractionRecord)
    assert isinstance(feedback, FeedbackRecord)
    assert interaction.outputs[0].content == "Two weeks."
    assert (feedback.trace_id, feedback.span_id) == (interaction.trace_id, interaction.span_id)
