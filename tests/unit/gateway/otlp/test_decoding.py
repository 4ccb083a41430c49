"""OTLP bodies to entries: both encodings say the same, and no body costs more than its limits."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from feedbackloop.gateway.asgi import TooLarge
from feedbackloop.gateway.otlp import inflate, jsonform, protobuf, reply
from feedbackloop.gateway.otlp.model import MAX_RECORDS, TooMany, Undecodable

TRACE, SPAN = bytes(range(16)), bytes(range(8))
VALUES = {
    "text": AnyValue(string_value="é"),
    "yes": AnyValue(bool_value=True),
    "whole": AnyValue(int_value=-(2**40)),
    "half": AnyValue(double_value=0.5),
    "list": AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="x")])),
    "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=AnyValue(bool_value=False))])),
    "bytes": AnyValue(bytes_value=b"\x00\xff"),
    "none": AnyValue(),
}
PLAIN = {"text": "é", "yes": True, "whole": -(2**40), "half": 0.5, "list": [1, "x"], "map": {"k": False},
         "bytes": "AP8=", "none": None}  # fmt: skip


def attributes() -> list[KeyValue]:
    return [KeyValue(key=name, value=value) for name, value in VALUES.items()]


def log_request() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for group in range(2):
        scope = request.resource_logs.add().scope_logs.add()
        for record in range(2):
            log = scope.log_records.add(
                event_name=f"e{group}{record}", time_unix_nano=10**18, trace_id=TRACE, span_id=SPAN
            )
            log.attributes.extend(attributes())
            log.body.string_value = "said"
    return request


def as_json(request: ExportLogsServiceRequest | ExportTraceServiceRequest) -> bytes:
    """OTLP/JSON, which differs from protobuf's own JSON in that ids are hex."""
    body = json.dumps(MessageToDict(request))
    for raw in (TRACE, SPAN):
        body = body.replace(base64.b64encode(raw).decode(), raw.hex())
    return body.encode()


def test_both_encodings_give_the_same_log_entries() -> None:
    request = log_request()
    found = protobuf.logs(request.SerializeToString())
    assert found == jsonform.logs(as_json(request))
    assert [entry.name for entry in found] == ["e00", "e01", "e10", "e11"]
    assert found[0].attributes == PLAIN
    assert (found[0].trace_id, found[0].span_id, found[0].time_ns) == (TRACE.hex(), SPAN.hex(), 10**18)
    assert found[0].body == "said"


def test_both_encodings_give_the_same_spans() -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat", trace_id=TRACE, span_id=SPAN)
    span.attributes.extend(attributes())
    span.events.add(name="gen_ai.choice").attributes.extend(attributes())
    found = protobuf.spans(request.SerializeToString())
    assert found == jsonform.spans(as_json(request))
    assert found[0].events[0].attributes == PLAIN


def test_unknown_fields_are_passed_over() -> None:
    body = {"resourceLogs": [{"new": {}, "scopeLogs": [{"logRecords": [{"eventName": "e", "x": [1]}]}]}], "y": None}
    assert [entry.name for entry in jsonform.logs(json.dumps(body).encode())] == ["e"]


def json_log(**record: object) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


NOT_JSON = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"resourceLogs":{}}',
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[7]}]}]}',
    json_log(traceId="00"),
    json_log(traceId="zz" * 16),
    json_log(timeUnixNano="soon"),
    json_log(attributes=[{"key": "k", "value": {"intValue": str(2**70)}}]),
    b'{"resourceLogs":' + b"[" * 5000,
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_what_is_no_otlp_json_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        jsonform.logs(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_entries_or_undecodable(body: bytes) -> None:
    for read in (protobuf.logs, protobuf.spans, jsonform.logs, jsonform.spans):
        with contextlib.suppress(Undecodable):
            assert isinstance(read(body), list)


@given(st.data())
def test_a_truncated_request_never_raises_anything_else(data: st.DataObject) -> None:
    body = log_request().SerializeToString()
    at = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(Undecodable):
        protobuf.logs(body[:at])


def nested(field: int, data: bytes) -> bytes:
    """A length-delimited field."""
    length = bytearray()
    rest = len(data)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([field << 3 | 2, *length, rest]) + data


def test_deep_values_are_undecodable() -> None:
    value = AnyValue(string_value="x").SerializeToString()
    for _ in range(200):
        value = nested(5, nested(1, value))
    with pytest.raises(Undecodable):
        protobuf.logs(nested(1, nested(2, nested(2, nested(5, value)))))
    deep = json.dumps({"stringValue": "x"})
    for _ in range(3000):
        deep = '{"arrayValue":{"values":[' + deep + "]}}"
    with pytest.raises(Undecodable):
        jsonform.logs(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + deep.encode() + b"}]}]}]}")


BOMBS: list[tuple[Callable[[bytes], object], bytes]] = [
    (protobuf.logs, b"\x0a\x00" * (8 << 20)),
    (protobuf.spans, b"\x0a\x02\x12\x00" * (4 << 20)),
    (jsonform.logs, b'{"resourceLogs":[' + b"{}," * (5 << 20) + b"{}]}"),
]


@pytest.mark.parametrize(("read", "body"), BOMBS)
def test_sixteen_megabytes_of_nothing_are_refused_without_making_objects_of_them(
    read: Callable[[bytes], object], body: bytes
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooMany):
            read(body)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_more_records_than_allowed_are_refused() -> None:
    one = b'{"eventName":"e"},'
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + one * MAX_RECORDS + b"{}]}]}]}"
    with pytest.raises(TooMany):
        jsonform.logs(body)


def test_gzip_is_undone_also_in_several_members() -> None:
    assert inflate.plain(b"as it is", b"") == b"as it is"
    assert inflate.plain(gzip.compress(b"one") + gzip.compress(b"two"), b"gzip") == b"onetwo"


@pytest.mark.parametrize(
    "body", [b"", b"x", gzip.compress(b"whole")[:-3], gzip.compress(b"a") + b"junk", zlib.compress(b"a")]
)
def test_what_is_no_whole_gzip_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        inflate.plain(body, b"gzip")


def test_other_encodings_are_undecodable() -> None:
    with pytest.raises(Undecodable):
        inflate.plain(b"", b"br")


def test_a_bomb_is_stopped_at_the_limit() -> None:
    member = gzip.compress(bytes(64 << 20))
    for bomb in (member, gzip.compress(bytes(10 << 20)) * 30):
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                inflate.plain(bomb, b"gzip")
            assert tracemalloc.get_traced_memory()[1] < 3 * inflate.MAX_INFLATED
        finally:
            tracemalloc.stop()
    assert inflate.plain(gzip.compress(bytes(100)), b"gzip", limit=100) == bytes(100)
    with pytest.raises(TooLarge):
        inflate.plain(gzip.compress(bytes(101)), b"gzip", limit=100)


def test_answers_are_the_protocols_messages() -> None:
    made = reply.accepted(as_json=False, counter="rejectedLogRecords", rejected=300, message="bad_value at $")
    response = ExportLogsServiceResponse.FromString(made.body)
    assert response.partial_success.rejected_log_records == 300
    assert response.partial_success.error_message == "bad_value at $"
    assert (
        ExportLogsServiceResponse.FromString(reply.accepted(as_json=False, counter="rejectedLogRecords").body)
        == ExportLogsServiceResponse()
    )
    partial = json.loads(reply.accepted(as_json=True, counter="rejectedLogRecords", rejected=1, message="m").body)
    assert partial == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "m"}}
    assert dict(reply.refused(503, "later", as_json=False, retry_after=2).headers)[b"retry-after"] == b"2"
