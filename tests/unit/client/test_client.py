"""The Python client against a server that answers by a script."""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from feedbackloop.client import Feedback, FeedbackError, Refused, Unavailable, uuid7
from feedbackloop.client.transport import Transport, retry_after
from tests.unit.client.server import DROP, Script, scripted


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as running:
        yield running


@pytest.fixture
def feedback(script: Script) -> Iterator[Feedback]:
    with Feedback(script.url, app_token="t", total=5.0) as client:
        yield client


def test_a_vote_goes_out_with_reason_and_comment_in_one_request(feedback: Feedback, script: Script) -> None:
    event_id = feedback.thumbs("o-1", False, reason="inaccurate", comment="wrong", session_id="s", consent=True)
    ((path, headers, body),) = script.asked
    vote, reason, comment = body["events"]
    assert (path, headers["Authorization"]) == ("/v1/feedback", "Bearer t")
    assert vote == {
        "signal": "helpful",
        "event_id": event_id,
        "occurred_at": vote["occurred_at"],
        "output_id": "o-1",
        "value": False,
        "session_id": "s",
        "consent": {"train": True},
    }
    assert [(event["signal"], event["value"]) for event in (reason, comment)] == [
        ("why", "inaccurate"),
        ("note", "wrong"),
    ]
    assert uuid.UUID(event_id).version == 7


def test_the_loops_own_names_are_found_by_kind_and_dimension(feedback: Feedback, script: Script) -> None:
    feedback.ask("o", "no", dimension="Factuality")
    feedback.copy("o", 12, fraction=0.5)
    feedback.thumbs("o", True, signal="liked")
    assert [event["signal"] for event in script.events()] == ["correct", "copied", "liked"]
    with pytest.raises(FeedbackError, match="2 signals of kind Question"):
        feedback.ask("o", "no")
    with pytest.raises(FeedbackError, match="no signals of kind Dwell"):
        feedback.dwell("o", 1)


def test_names_may_be_given_instead(script: Script) -> None:
    with Feedback(script.url, token="t", signals={"Dwell": "read"}) as client:
        client.dwell(None, 1500)
    (event,) = script.events()
    assert (event["signal"], "output_id" in event) == ("read", False)


@pytest.mark.parametrize("answer", [DROP, (429, {"Retry-After": "0"}), (503, {}), (502, {}), (504, {})])
def test_a_failed_request_is_repeated_with_the_same_ids(feedback: Feedback, script: Script, answer: Any) -> None:
    script.answers = [answer, answer]
    event_id = feedback.thumbs("o", True)
    assert [event["event_id"] for event in script.events()] == [event_id] * 3


def test_a_kept_connection_that_the_server_closed_costs_no_pause(script: Script) -> None:
    pauses: list[float] = []
    transport = Transport(script.url, wait=pauses.append)
    headers = {"Content-Type": "application/json"}
    assert transport.request("POST", "/", headers, b"{}", 5.0).status == 202
    script.answers = [DROP]
    assert transport.request("POST", "/", headers, b"{}", 5.0).status == 202
    assert (len(script.asked), pauses) == (3, [])


def test_retry_after_is_honoured_and_the_total_time_is_bounded(script: Script) -> None:
    pauses: list[float] = []
    now = [0.0]

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    script.answers = [(503, {"Retry-After": "7"})] * 9
    transport = Transport(script.url, wait=wait, clock=lambda: now[0])
    with pytest.raises(Unavailable, match="status 503"):
        transport.request("POST", "/", {}, b"{}", 20.0)
    assert pauses == [7.0, 7.0]


def test_retry_after_may_be_a_date() -> None:
    assert retry_after({}) == retry_after({"retry-after": "soon"}) == 0.0
    assert retry_after({"retry-after": formatdate(0, usegmt=True)}) == 0.0
    assert retry_after({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) > 3e8


def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        client = Feedback(f"http://127.0.0.1:{closed.getsockname()[1]}", token="t", signals={"Thumbs": "up"}, total=0.3)
        with pytest.raises(Unavailable, match="ConnectionRefusedError"):
            client.thumbs("o", True)


def test_a_refused_event_says_why(feedback: Feedback, script: Script) -> None:
    rejected = {"index": 0, "event_id": None, "code": "bad_value", "path": "$.events[0].value", "message": "m"}
    script.outcome = lambda events: {"accepted": 0, "duplicate": 0, "rejected": [rejected]}
    script.answers = [(422, {})]
    with pytest.raises(Refused, match="bad_value") as caught:
        feedback.thumbs("o", True)
    assert (caught.value.code, caught.value.path) == ("bad_value", "$.events[0].value")
    script.answers = [(401, {})]
    with pytest.raises(Refused, match="no"):
        feedback.thumbs("o", True)


def test_events_are_sent_in_requests_within_the_gateways_limits(feedback: Feedback, script: Script) -> None:
    events = [{"event_id": uuid7(), "signal": "note", "value": "é" * 4000} for _ in range(120)]
    assert feedback.send(events).accepted == 120
    assert script.events() == events
    assert all(
        len(body["events"]) <= 50 and int(headers["Content-Length"]) <= 256 << 10 for _, headers, body in script.asked
    )


def test_a_retraction_names_what_it_takes_back(feedback: Feedback, script: Script) -> None:
    first = feedback.prefer("b", "o-1", "o-2", positions=(1, 0), session_id="s")
    feedback.retract(first)
    vote, back = script.events()
    assert back["event_id"] != first
    assert {name: back[name] for name in back if name not in ("event_id", "occurred_at")} == {
        "signal": "prefer",
        "candidates": vote["candidates"],
        "session_id": "s",
        "supersedes": first,
        "retracted": True,
    }
    feedback.retract(uuid7(), signal="helpful", output_id="o-9")
    with pytest.raises(FeedbackError, match="signal"):
        feedback.retract(uuid7())


def test_in_the_background_nothing_raises_and_losses_are_counted(script: Script) -> None:
    with Feedback(script.url, token="t", background=True) as client:
        ids = [client.copy("o", number) for number in range(120)]
        assert client.flush(10.0)
        assert (client.stats.accepted, client.stats.dropped) == (120, 0)
        assert [event["event_id"] for event in script.events()] == ids
        script.answers = [(400, {})]
        client.copy("o", 1)
        client.dwell("o", 1)
        assert client.flush(10.0)
    assert client.stats.dropped == 2
    client.copy("o", 1)
    assert (client.stats.dropped, client.stats.last_error) == (3, "closed")


def test_a_full_queue_drops_and_counts() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        client = Feedback(url, token="t", background=True, queue=10, signals={"Copy": "copied"}, total=0.1)
        for _ in range(200):
            client.copy("o", 1)
        client.close(5.0)
    assert client.stats.accepted == 0
    assert client.stats.dropped == 200


def test_ids_are_version_7_and_sort_by_time() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


@pytest.mark.parametrize(
    ("url", "tokens"),
    [("gateway:8080", {"token": "t"}), ("http://g", {}), ("http://g", {"token": "a", "app_token": "b"})],
)
def test_wrong_settings_are_told_at_once(url: str, tokens: dict[str, str]) -> None:
    with pytest.raises(FeedbackError):
        Feedback(url, **tokens)  # type: ignore[arg-type]


def test_the_client_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, feedbackloop.client as c; print({m.split('.')[0] for m in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, 'operator'); {code}"],
                          check=True, capture_output=True, text=True)  # fmt: skip
    assert done.stdout.strip() in ("{'feedbackloop', '__main__'}", "{'__main__', 'feedbackloop'}")
