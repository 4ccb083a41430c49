"""The feedback and app ports of a real process: answers, idempotency, bad rows, the law of conservation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from feedbackloop.events import store
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import SIGNALS, Gateway, event
from tests.gateway.stored import keyring, records, uploaded
from tests.gateway.waiting import wait_for


def law_holds(status: dict[str, Any]) -> bool:
    return bool(status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"])


def test_every_signal_is_taken_with_the_context_of_its_token(gateway: Gateway, objects: S3Client) -> None:
    outputs = [{"output_id": "o-1", "content": "a"}, {"output_id": "o-2", "content": "b"}]
    token = gateway.token(outputs=outputs, consent={"train": True}, subject_id="anna")
    sides = [{"output_id": "o-2", "position": 0}, {"output_id": "o-1", "position": 1}]
    events = [
        event("helpful", False, output_id="o-1"),
        event("why", "style", output_id="o-1"),
        event("fix", "thirty days", output_id="o-2"),
        event("note", "fine", output_id="o-1", occurred_at="2026-11-23T02:00:00Z"),
        event("prefer", "a", candidates=sides),
        event("seen", None, output_id="o-1"),
    ]
    assert gateway.vote(token, {"events": events}).json() == {"accepted": 6, "duplicate": 0, "rejected": []}
    status = uploaded(gateway)
    assert status["bySignal"] == {signal["name"]: 1 for signal in SIGNALS}
    assert (status["stored"], status["uploaded"]["trainable"]) == (7, 3)
    interaction, *votes = records(gateway, objects)
    assert isinstance(interaction, InteractionRecord)
    assert all(isinstance(vote, FeedbackRecord) and vote.subject == interaction.subject for vote in votes)
    preference = next(vote for vote in votes if isinstance(vote, FeedbackRecord) and vote.kind == "Preference")
    assert [side.output_id for side in preference.candidates] == ["o-2", "o-1"]


def test_each_event_of_a_request_stands_for_itself(gateway: Gateway) -> None:
    token = gateway.token()
    reply = gateway.vote(token, {"events": [event(), event("stars", 5), event("helpful", "yes"), 7]})
    assert reply.status == 202
    answer = reply.json()
    assert (answer["accepted"], answer["duplicate"]) == (1, 0)
    found = [(item["index"], item["code"], item["path"]) for item in answer["rejected"]]
    assert found == [
        (1, "unknown_signal", "$.events[1].signal"),
        (2, "bad_value", "$.events[2].value"),
        (3, "malformed", "$.events[3]"),
    ]
    assert law_holds(gateway.status())


def test_when_all_events_are_bad_the_answer_is_422_and_the_rows_are_kept(gateway: Gateway, objects: S3Client) -> None:
    reply = gateway.vote(gateway.token(), event("stars", "call +49 170 1234567"))
    assert reply.status == 422
    uploaded(gateway)
    (row,) = store.read_badrows(objects, gateway.prefix, keyring(gateway))
    assert row.bad_row_id == reply.json()["rejected"][0]["bad_row_id"]
    assert "<PHONE_1>" in row.raw


def test_a_repeated_event_is_a_duplicate_also_after_a_crash_and_a_restart(gateway: Gateway) -> None:
    token, vote = gateway.token(), event()
    assert gateway.vote(token, vote).json()["accepted"] == 1
    assert gateway.vote(token, vote).json()["duplicate"] == 1
    assert gateway.vote(token, {"events": [vote, vote]}).json()["duplicate"] == 2
    gateway.kill()
    gateway.start()
    assert gateway.vote(token, vote).json()["duplicate"] == 1
    uploaded(gateway)
    gateway.kill()
    gateway.start()
    assert gateway.vote(token, vote).json()["duplicate"] == 1
    status = gateway.status()
    assert (status["stored"], status["bySignal"]) == (2, {"helpful": 1})
    assert law_holds(status)


def test_an_id_used_again_with_another_body_is_a_conflict_and_another_subjects_id_is_its_own(gateway: Gateway) -> None:
    vote = event()
    token, other = gateway.token(session_id="s-1"), gateway.token(session_id="s-2")
    gateway.vote(token, vote)
    reply = gateway.vote(token, vote | {"value": False})
    assert (reply.status, reply.json()["rejected"][0]["code"]) == (422, "conflict")
    assert gateway.vote(other, vote).json()["accepted"] == 1


def test_a_body_can_only_withdraw_consent(gateway: Gateway, objects: S3Client) -> None:
    agreed, silent = gateway.token(session_id="a", consent={"train": True}), gateway.token(session_id="b")
    gateway.vote(agreed, event(consent={"train": False}))
    gateway.vote(silent, event(consent={"train": True}))
    gateway.vote(agreed, event())
    status = uploaded(gateway)
    assert status["uploaded"].get("trainable", 0) == 0, "what was withdrawn stays withdrawn, whatever the token says"
    assert status["consents"] == {"Improve/given": 1, "Improve/withdrawn": 1}
    votes = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert [(vote.consent, vote.trainable) for vote in votes] == [(False, False), (None, False), (False, False)]


REFUSED = [
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 100_000, 400),
    (b'{"events": [' + b"{}," * 60 + b"{}]}", 413),
    (b" " * (257 << 10), 413),
    (b"[]", 422),
    (b'"text"', 422),
]


@pytest.mark.parametrize(("body", "status"), REFUSED)
def test_bodies_that_are_no_events_are_refused_and_the_server_goes_on(
    gateway: Gateway, body: bytes, status: int
) -> None:
    token = gateway.token()
    assert gateway.vote(token, body).status == status
    assert gateway.vote(token, event()).status == 202
    assert law_holds(gateway.status())


def test_without_a_valid_token_nothing_is_taken(gateway: Gateway) -> None:
    for token in ("", "x", "Bearer", gateway.token()[:-2]):
        assert gateway.vote(token, event()).status == 401
    assert gateway.call(gateway.feedback, "GET", "/v1/feedback").status == 405
    assert gateway.call(gateway.feedback, "POST", "/status").status == 404
    assert gateway.call(gateway.app, "POST", "/v1/interactions", {}).status == 401


def test_a_posted_interaction_gives_a_token_for_each_rater(gateway: Gateway) -> None:
    reply = gateway.interact(raters=["r-1", "r-2", "r-3"])
    tokens = reply.json()["tokens"]
    assert [token["rater"] for token in tokens] == ["r-1", "r-2", "r-3"]
    vote = event()
    assert [gateway.vote(token["token"], vote).json()["accepted"] for token in tokens] == [1, 1, 1]


def test_a_posted_interaction_is_idempotent(gateway: Gateway) -> None:
    fields = {"event_id": str(uuid.uuid4()), "outputs": [{"output_id": "o", "content": "a"}]}
    first, second = gateway.interact(**fields), gateway.interact(**fields)
    assert (first.json()["duplicate"], second.json()["duplicate"]) == (False, True)
    assert gateway.vote(second.json()["tokens"][0]["token"], event()).status == 202
    changed = gateway.interact(**fields | {"outputs": [{"output_id": "o", "content": "b"}]})
    assert (changed.status, changed.json()["error"]["code"]) == (422, "conflict")
    assert law_holds(gateway.status())


MALFORMED = [
    ({"event_id": "1"}, "malformed", "$.event_id"),
    ({"outputs": []}, "bad_value", "$.outputs"),
    ({"outputs": [{"output_id": f"o-{n}", "content": ""} for n in range(9)]}, "too_large", "$.outputs"),
    ({"outputs": [{"output_id": "o", "content": None}]}, "malformed", "$.outputs[0].content"),
    ({"outputs": [{"output_id": "o", "content": "a"}] * 2}, "bad_value", "$.outputs[1].output_id"),
    ({"raters": ["r"] * 2}, "bad_value", "$.raters[1]"),
    ({"messages": [{"role": "user"}]}, "missing_field", "$.messages[0].content"),
    ({"surprise": 1}, "unknown_field", "$"),
]


@pytest.mark.parametrize(("fields", "code", "path"), MALFORMED)
def test_a_malformed_interaction_is_explained_and_kept(
    gateway: Gateway, fields: dict[str, Any], code: str, path: str
) -> None:
    reply = gateway.interact(**fields)
    assert reply.status == 422
    assert (reply.json()["error"]["code"], reply.json()["error"]["path"]) == (code, path)
    assert gateway.status()["badRows"] == 1


def test_an_output_id_with_something_private_in_it_still_joins(gateway: Gateway, objects: S3Client) -> None:
    outputs = [{"output_id": "a@example.com", "content": "x"}, {"output_id": "b@example.com", "content": "y"}]
    token = gateway.token(outputs=outputs)
    assert gateway.vote(token, event(output_id="b@example.com")).json()["accepted"] == 1
    uploaded(gateway)
    interaction, vote = records(gateway, objects)
    assert isinstance(interaction, InteractionRecord)
    assert isinstance(vote, FeedbackRecord)
    assert vote.output_id == interaction.outputs[1].output_id
    assert "example" not in vote.output_id


def test_over_a_rate_limit_the_answer_is_429_with_retry_after(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    limits = {"perToken": {"requests": 2, "periodSeconds": 3600}, "perSubject": {"requests": 3, "periodSeconds": 3600}}
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"rateLimits": limits}})
    gateway.start()
    first, second = gateway.token(), gateway.token()
    assert [gateway.vote(first, event()).status for _ in range(3)] == [202, 202, 429]
    reply = [gateway.vote(second, event()) for _ in range(2)][-1]
    assert reply.status == 429
    assert 0 < int(reply.headers["retry-after"]) <= 3600


def test_a_full_volume_answers_503_and_recovers_when_uploads_make_room(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(env={"FL_VOLUME_BYTES": "20000"}).start()
    token = gateway.token()

    def refused() -> bool:
        reply = gateway.vote(token, event("note", "x" * 4000))
        assert reply.status in (202, 503)
        return reply.status == 503 and "retry-after" in reply.headers

    wait_for(refused, "the bound is reached")
    wait_for(lambda: gateway.vote(token, event()).status == 202, "uploads made room")
    assert law_holds(gateway.status())
