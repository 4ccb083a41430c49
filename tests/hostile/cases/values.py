"""Values and schema: what is JSON, what is an event, and what is a value of its kind."""

# ruff: noqa: E501 - the lists are tables
from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

from tests.hostile.case import Case
from tests.hostile.world import World, rejected

TAKEN = (202, "", "")
OUTPUTS = [{"output_id": "o-1", "content": "a"}, {"output_id": "o-2", "content": "b"}]
ID = b'"event_id":"@ID@","signal":"helpful"'


def say(signal: str, value: Any, **fields: Any) -> Callable[[World], Any]:
    """One event about one output; status, code and path."""
    return lambda world: rejected(world.post(world.event(signal, value, **fields)))


def body(wire: bytes, **headers: str) -> Callable[[World], Any]:
    """Bytes as a body, with `@ID@` and `@CANARY@` filled in."""

    def act(world: World) -> Any:
        filled = wire.replace(b"@ID@", str(uuid.uuid4()).encode())
        return rejected(world.post(world.fill(filled), **headers))

    return act


def value(raw: bytes, signal: bytes = b"rating") -> Callable[[World], Any]:
    """A value as its JSON text."""
    return body(b'{"event_id":"@ID@","signal":"' + signal + b'","value":' + raw + b"}")


def pair(first: str, second: str, choice: Any = "a") -> Callable[[World], Any]:
    """A preference between two outputs of a token for `o-1` and `o-2`."""
    sides = [{"output_id": first, "position": 0}, {"output_id": second, "position": 1}]

    def act(world: World) -> Any:
        return rejected(world.post(world.event("prefer", choice, candidates=sides), token=world.token(outputs=OUTPUTS)))

    return act


def with_id(event_id: Any) -> Callable[[World], Any]:
    return lambda world: rejected(world.post(world.event("helpful", True) | {"event_id": event_id}))


def lines(world: World, count: int, *bad: bytes) -> Any:
    """A batch: status, accepted, and the code and path of every refused line."""
    good = [json.dumps(world.event("helpful", True)).encode() for _ in range(count)]
    answer = world.post(b"\n".join([*good, *bad]), path="/v1/feedback:batch", Content_Type="application/x-ndjson")
    content = json.loads(answer.body)
    if "error" in content:
        return answer.status, content["error"]["code"]
    return answer.status, content["accepted"], [(r["code"], r["path"]) for r in content["rejected"]]


def same_id_other_case(world: World) -> Any:
    """The same UUID in capitals is the same event."""
    token, event = world.token(), world.event("helpful", True)
    world.post(event, token=token)
    answer = world.post(event | {"event_id": event["event_id"].upper()}, token=token)
    return answer.status, json.loads(answer.body).get("duplicate")


def same_id_other_body(world: World) -> Any:
    token, event = world.token(), world.event("helpful", True)
    world.post(event, token=token)
    return rejected(world.post(event | {"value": False}, token=token))


def posted(path: str = "", **fields: Any) -> Callable[[World], Any]:
    """A posted interaction with members replaced; status and code."""
    return lambda world: _code(world.gateway.interact(**{"session_id": world.canary()} | fields))


def _code(reply: Any) -> Any:
    return reply.status, (reply.json().get("error") or {}).get("code", "")


CASES = [
    Case("V01", "a signal that the loop does not declare", "422 unknown_signal", say("applause", True),
         (422, "unknown_signal", "$.signal")),
    Case("V02", "a signal name of 10,000 characters", "422, not kept as it is", say("x" * 10_000, True),
         [(422, "malformed", "$.signal"), (422, "too_large", "$.signal"), (422, "unknown_signal", "$.signal")],
         any_of=True),
    Case("V03", "true for stars", "422 bad_value: a boolean is no number", say("rating", True),
         (422, "bad_value", "$.value")),
    Case("V04", "1 for a thumb", "422 bad_value: a number is no boolean", say("helpful", 1),
         (422, "bad_value", "$.value")),
    Case("V05", "0 stars", "422 bad_value", say("rating", 0), (422, "bad_value", "$.value")),
    Case("V06", "6 stars of 5", "422 bad_value", say("rating", 6), (422, "bad_value", "$.value")),
    Case("V07", "2.5 stars", "422 bad_value", say("rating", 2.5), (422, "bad_value", "$.value")),
    Case("V08", "4.0 stars", "422 bad_value: no integer", value(b"4.0"), (422, "bad_value", "$.value")),
    Case("V09", "stars as text", "422 bad_value", say("rating", "5"), (422, "bad_value", "$.value")),
    Case("V10", "NaN", "400 or 422: no JSON", value(b"NaN", b"bought"), [(400, "not_json", "$"), (422, "malformed", "$")],
         any_of=True),
    Case("V11", "-Infinity", "400 or 422: no JSON", value(b"-Infinity", b"bought"),
         [(400, "not_json", "$"), (422, "malformed", "$")], any_of=True),
    Case("V12", "1e999", "refused: no reader keeps it", value(b"1e999", b"bought"),
         [(422, "malformed", "$.value"), (422, "bad_value", "$.value"), (422, "malformed", "$"), (400, "not_json", "$")],
         any_of=True),
    Case("V13", "an integer of 10,000 digits", "refused", value(b"9" * 10_000, b"dwell"),
         [(422, "malformed", "$.value"), (422, "bad_value", "$.value"), (422, "malformed", "$"), (400, "not_json", "$")],
         any_of=True),
    Case("V14", "2^53 for milliseconds", "422: not exact in every reader", value(b"9007199254740992", b"dwell"),
         [(422, "malformed", "$.value"), (422, "bad_value", "$.value")], any_of=True),
    Case("V15", "a negative time", "422 bad_value", say("dwell", -1), (422, "bad_value", "$.value")),
    Case("V16", "an edit distance of 1.0000001", "422 bad_value", say("edited", 1.0000001), (422, "bad_value", "$.value")),
    Case("V17", "the edited text instead of its distance", "422 bad_value, the text not readable anywhere",
         lambda world: rejected(world.post(world.event("edited", world.canary()))), (422, "bad_value", "$.value")),
    Case("V18", "a computed signal (FollowUp) from a client", "422 computed_signal", say("asked-on", "rephrase"),
         (422, "computed_signal", "$.signal")),
    Case("V19", "a computed signal (Abandonment) from a client", "422 computed_signal", say("left", None),
         (422, "computed_signal", "$.signal")),
    Case("V20", "a reason that the signal does not list", "422 bad_value", say("why", "because"),
         (422, "bad_value", "$.value")),
    Case("V21", "a value for a signal that has none", "422 bad_value", say("skip", True), (422, "bad_value", "$.value")),
    Case("V22", "a comment of white space", "422 bad_value", say("note", " \t\n\u2003"), (422, "bad_value", "$.value")),
    Case("V23", "a comment of 4,097 characters", "422 too_large",
         lambda world: rejected(world.post(world.event("note", world.canary() + "x" * 4097))),
         (422, "too_large", "$.value")),
    Case("V24", "a comment of 4,096 characters of four bytes each", "taken", say("note", "\U0001f600" * 4096), TAKEN),
    Case("V25", "a preference between an output and itself", "422 bad_value", pair("o-1", "o-1"),
         (422, "bad_value", "$.candidates")),
    Case("V26", "a preference with an output of somebody else", "422 unknown_output", pair("o-1", "o-9"),
         (422, "unknown_output", "$.candidates[1].output_id")),
    Case("V27", "a preference for c", "422 bad_value", pair("o-1", "o-2", "c"), (422, "bad_value", "$.value")),
    Case("V28", "the same key twice with different values", "one event, the last value or a refusal, never both",
         body(b'{"event_id":"@ID@","signal":"helpful","value":true,"value":7}'), (422, "bad_value", "$.value")),
    Case("V29", "the same key twice, once escaped", "the same",
         body(b'{"event_id":"@ID@","signal":"helpful","value":true,"v\\u0061lue":7}'), (422, "bad_value", "$.value")),
    Case("V30", "an unknown field", "422 unknown_field", say("helpful", True, is_admin=True), (422, "unknown_field", "$")),
    Case("V31", "the token's claims in the body", "422 unknown_field", say("helpful", True, arm="canary", subject="x"),
         (422, "unknown_field", "$")),
    Case("V32", "100,000 opening brackets", "400", body(b"[" * 100_000), (400, "not_json", "$")),
    Case("V33", "objects nested 5,000 deep as a value", "refused without a crash",
         value(b'{"a":' * 5000 + b"1" + b"}" * 5000),
         [(400, "not_json", "$"), (422, "malformed", "$.value"), (422, "malformed", "$")], any_of=True),
    Case("V34", "a lone surrogate in a comment", "refused: no text", value(b'"\\ud800@CANARY@"', b"note"),
         [(400, "not_json", "$"), (422, "malformed", "$")], any_of=True),
    Case("V35", "invalid UTF-8 in a comment", "refused: no text", value(b'"@CANARY@\xff\xfe"', b"note"),
         [(400, "not_json", "$"), (422, "malformed", "$")], any_of=True),
    Case("V36", "an overlong UTF-8 form of a slash", "refused: no text", value(b'"\xc0\xaf@CANARY@"', b"note"),
         [(400, "not_json", "$"), (422, "malformed", "$")], any_of=True),
    Case("V37", "NUL, escaped, in a comment", "taken as text", value(b'"a\\u0000b@CANARY@"', b"note"), TAKEN),
    Case("V38", "a byte order mark before the JSON", "400", body(b'\xef\xbb\xbf{"event_id":"@ID@"}'), (400, "not_json", "$")),
    Case("V39", "UTF-16", "400", body('{"event_id":1}'.encode("utf-16")), (400, "not_json", "$")),
    Case("V40", "JSON with a comment and a trailing comma", "400", body(b'{"a":1,/*@CANARY@*/}'), (400, "not_json", "$")),
    Case("V41", "two JSON values in one body", "400", body(b"{}{}"), (400, "not_json", "$")),
    Case("V42", "an empty body", "400", body(b""), (400, "not_json", "$")),
    Case("V43", "gzip that is not asked for", "400 or 415: never inflated",
         lambda world: world.post(gzip.compress(json.dumps(world.event()).encode()), Content_Encoding="gzip").status,
         [400, 415], any_of=True),
    Case("V44", "event_id without hyphens", "422 malformed", with_id(uuid.uuid4().hex), (422, "malformed", "$.event_id")),
    Case("V45", "event_id in braces", "422 too_large", with_id("{" + str(uuid.uuid4()) + "}"),
         (422, "too_large", "$.event_id")),
    Case("V46", "event_id with a line break at its end", "422 too_large", with_id(str(uuid.uuid4()) + "\n"),
         (422, "too_large", "$.event_id")),
    Case("V47", "event_id with fullwidth digits", "422 malformed",
         with_id("１" + str(uuid.uuid4())[1:]), (422, "malformed", "$.event_id")),
    Case("V48", "event_id as a number", "422 malformed", with_id(7), (422, "malformed", "$.event_id")),
    Case("V49", "the same event_id in capitals", "202 duplicate: the same event", same_id_other_case, (202, 1)),
    Case("V50", "an event_id again with another value", "422 conflict", same_id_other_body,
         (422, "conflict", "$.event_id")),
    Case("V51", "501 lines", "413, nothing taken", lambda world: lines(world, 501), (413, "too_large")),
    Case("V52", "51 events in a list", "413, nothing taken",
         lambda world: rejected(world.post({"events": [world.event("helpful", True) for _ in range(51)]})),
         (413, "too_large", "$.events")),
    Case("V53", "500 lines of which none is JSON", "422, one bad row a line",
         lambda world: lines(world, 0, *[b"{" + world.canary().encode()] * 500)[:2], (422, 0)),
    Case("V54", "a bad line between good ones", "the good ones are taken, the bad one has its path",
         lambda world: lines(world, 2, b"[]"), (202, 2, [("malformed", "$.lines[2]")])),
    Case("V55", "lines that end in CR LF, and empty lines", "all taken",
         lambda world: lines(world, 2, json.dumps(world.event("helpful", True)).encode() + b"\r", b"", b"\r"),
         (202, 3, [])),
    Case("V56", "an event for an output that the token is not about", "422 unknown_output",
         say("helpful", True, output_id="o-of-another"), (422, "unknown_output", "$.output_id")),
    Case("V57", "a time in year 99999", "422 malformed", say("helpful", True, occurred_at="99999-01-01T00:00:00Z"),
         (422, "malformed", "$.occurred_at")),
    Case("V58", "a time without an offset", "422 malformed", say("helpful", True, occurred_at="2026-11-24T10:00:00"),
         (422, "malformed", "$.occurred_at")),
    Case("V59", "an event that supersedes itself", "422 bad_value",
         lambda world: rejected(world.post((e := world.event("helpful", True)) | {"supersedes": e["event_id"]})),
         (422, "bad_value", "$.supersedes")),
    Case("V60", "retracted without what it retracts", "422 missing_field", say("helpful", True, retracted=True),
         (422, "missing_field", "$.supersedes")),
    Case("V61", "nine outputs in a posted interaction", "422",
         posted(outputs=[{"output_id": f"o-{n}", "content": ""} for n in range(9)]), (422, "too_large")),
    Case("V62", "the same output twice in a posted interaction", "422", posted(outputs=[OUTPUTS[0]] * 2),
         (422, "bad_value")),
    Case("V63", "an id of 201 characters in a posted interaction", "422", posted(subject_id="x" * 201),
         [(422, "too_large"), (422, "malformed")], any_of=True),
    Case("V64", "a role that is an object", "422", posted(messages=[{"role": {"a": 1}, "content": "q"}]),
         (422, "malformed")),
]  # fmt: skip
