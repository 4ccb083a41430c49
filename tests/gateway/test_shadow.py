"""Mirrored requests and header routes of a real process: who is asked, what is kept, and what never happens."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, ShadowPairRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway, event
from tests.gateway.replicas import Replicas
from tests.gateway.stored import all_records, records, uploaded
from tests.gateway.waiting import wait_for

CANDIDATE = "sha256:" + "c" * 64
CONSENT = {"X_Consent_Train": "true"}


@pytest.fixture
def candidate() -> Iterator[Model]:
    server = Model("candidate-model")
    yield server
    server.answers.set()
    server.go_on.set()
    server.stop()


def shadowed(stable: Model, candidate: Model, *, epoch: int = 1, **mirror: Any) -> dict[str, Any]:
    """All of stable's requests are mirrored, the canary has no weight."""
    backend = candidate.backend() | {"digest": CANDIDATE}
    told = {"percent": 100, "maxConcurrency": 4, "maxPairs": 1000, "backend": backend} | mirror
    return {"runUid": "run-1", "epoch": epoch, "salt": "salt", "stable": stable.backend(), "mirror": told}


def by_header(stable: Model, candidate: Model) -> dict[str, Any]:
    return {
        "runUid": "run-1",
        "epoch": 1,
        "salt": "salt",
        "stable": stable.backend(),
        "canary": candidate.backend() | {"digest": CANDIDATE},
        "fallback": "stable",
        "headerRoutes": [{"header": "X-Try", "values": ["new"]}],
    }


def counts(gateway: Gateway) -> dict[str, int]:
    (found,) = gateway.status()["shadow"] or [{}]
    return {name: found.get(name, 0) for name in ("mirrored", "pairs", "failed", "skipped")}


def said(reply: Any) -> str:
    return str(reply.json()["choices"][0]["message"]["content"])


def pairs(gateway: Gateway, objects: S3Client) -> list[ShadowPairRecord]:
    uploaded(gateway)
    return [record for record in all_records(gateway, objects) if isinstance(record, ShadowPairRecord)]


def test_the_candidate_is_asked_too_and_only_the_pair_is_kept(
    make_gateway: MakeGateway, model: Model, candidate: Model, objects: S3Client
) -> None:
    gateway = make_gateway(routing=shadowed(model, candidate)).start()
    whole = gateway.ask("mail a@example.com", session="s-1", X_Subject_Id="anna", Cookie="c=1", **CONSENT)
    streamed = gateway.ask("and now?", session="s-2", stream=True, X_Shadow="no", **CONSENT)
    wait_for(lambda: counts(gateway)["pairs"] == 2, "both pairs are stored")
    assert said(whole) == "answer of stable-model"
    assert b"candidate" not in whole.body + streamed.body
    for headers, _ in candidate.requests:
        told = {name.lower(): value for name, value in headers.items()}
        assert told["x-shadow"] == "true"
        assert set(told) <= {"host", "content-type", "content-length", "accept", "accept-encoding", "x-shadow"}
    assert [request.get("stream") for _, request in candidate.requests] == [False, True]
    status = gateway.status()
    assert {entry["arm"] for entry in status["traffic"]} <= {"stable"}
    assert (status["accepted"], status["stored"], status["lawDifference"]) == (2, 2, 0)
    assert status["openUnits"] + sum(unit["units"] for unit in status["units"]) == 2, "the users' own sessions"
    first, second = sorted(pairs(gateway, objects), key=lambda pair: pair.seq)
    assert first.messages[0].content == "mail <EMAIL_1>"
    assert (first.stable.content, first.shadow.content) == ("answer of stable-model", "answer of candidate-model")
    assert (first.stable.digest, first.shadow.digest) == (model.backend()["digest"], CANDIDATE)
    assert second.shadow.content == "answer of candidate-model"
    asked = [record for record in records(gateway, objects) if isinstance(record, InteractionRecord)]
    assert {(pair.subject, pair.session, pair.consent) for pair in (first, second)} == {
        (record.subject, record.session, True) for record in asked
    }
    assert (first.run_uid, first.epoch) == ("run-1", 1)


def test_what_could_act_or_was_not_agreed_to_is_not_mirrored(
    make_gateway: MakeGateway, model: Model, candidate: Model
) -> None:
    gateway = make_gateway(routing=shadowed(model, candidate)).start()
    tool = {"type": "function", "function": {"name": "refund"}}
    body = {"model": "bot", "messages": [{"role": "user", "content": "q"}], "tools": [tool]}
    headers = {"Authorization": f"Bearer {APP_TOKEN}", "X-Consent-Train": "true"}
    assert gateway.call(gateway.app, "POST", "/v1/chat/completions", body, headers).status == 200
    assert gateway.ask("q", session="s-1", X_Consent_Train="false").status == 200
    assert gateway.ask("q", session="s-2").status == 200
    wait_for(lambda: counts(gateway)["skipped"] == 3, "all are counted as skipped")
    assert candidate.requests == []


def test_a_candidate_that_hangs_costs_users_nothing(make_gateway: MakeGateway, model: Model, candidate: Model) -> None:
    """Edge case 30: by counts, since a slow machine says nothing."""
    candidate.answers.clear()
    gateway = make_gateway(routing=shadowed(model, candidate, maxConcurrency=3)).start()
    for number in range(60):
        assert gateway.ask("x" * 50_000, session=f"s-{number}", **CONSENT).status == 200
    wait_for(lambda: counts(gateway)["skipped"] == 57, "what has no room is skipped")
    assert counts(gateway) == {"mirrored": 3, "pairs": 0, "failed": 0, "skipped": 57}
    assert len(candidate.requests) == 3
    traffic = gateway.status()["traffic"]
    assert sum(entry["requests"] for entry in traffic) == 55, "all but the warm-up, and none of the candidate's"
    assert [entry["errors"] for entry in traffic] == [0]


def test_an_end_does_not_wait_for_shadows(make_gateway: MakeGateway, model: Model, candidate: Model) -> None:
    candidate.answers.clear()
    gateway = make_gateway(routing=shadowed(model, candidate)).start()
    gateway.ask("q", session="s-1", **CONSENT)
    wait_for(lambda: candidate.requests, "the candidate is asked")
    assert gateway.terminate() == 0
    gateway.start()
    assert counts(gateway)["mirrored"] == 1


def test_a_candidate_in_trouble_is_a_failed_pair_and_nobody_notices(
    make_gateway: MakeGateway, model: Model, candidate: Model
) -> None:
    gateway = make_gateway(routing=shadowed(model, candidate)).start()

    def failed(times: int) -> None:
        assert gateway.ask("q", session=f"s-{times}", stream=True, **CONSENT).status == 200
        wait_for(lambda: counts(gateway)["failed"] == times, f"failure {times} is counted")

    candidate.status = 500
    failed(1)
    candidate.status, candidate.breaks = 200, True
    failed(2)
    candidate.stop()
    failed(3)
    assert counts(gateway)["pairs"] == 0
    assert all(entry["errors"] == entry["unavailable"] == 0 for entry in gateway.status()["traffic"])


def test_no_more_pairs_than_are_wanted_and_none_after_the_mirror_is_off(
    make_gateway: MakeGateway, model: Model, candidate: Model
) -> None:
    gateway = make_gateway(routing=shadowed(model, candidate, maxPairs=20, maxConcurrency=1)).start()
    for number in range(20):
        gateway.ask("q", session=f"s-{number}", **CONSENT)
        wait_for(lambda n=number: counts(gateway)["pairs"] == n + 1, "the pair is stored")
    gateway.ask("q", session="s-20", **CONSENT)
    off = shadowed(model, candidate, epoch=2)
    del off["mirror"]
    gateway.configure(gateway.config | {"routing": off})
    wait_for(lambda: gateway.status()["epoch"] == 2, "the mirror is off")
    gateway.ask("q", session="s-21", **CONSENT)
    assert len(candidate.requests) == 20
    assert counts(gateway) == {"mirrored": 20, "pairs": 20, "failed": 0, "skipped": 0}
    gateway.kill()
    gateway.start()
    assert counts(gateway)["pairs"] == 20


def test_a_share_is_mirrored(make_gateway: MakeGateway, model: Model, candidate: Model) -> None:
    gateway = make_gateway(routing=shadowed(model, candidate, percent=30, maxConcurrency=64)).start()
    for number in range(100):
        gateway.ask(f"question {number}", session=f"s-{number % 5}", **CONSENT)
    asked = len(candidate.requests)
    assert 12 <= asked <= 50, "30 of 100; 4 standard deviations"


def test_a_header_leads_to_the_canary_and_counts_for_nobody(
    make_gateway: MakeGateway, model: Model, candidate: Model, objects: S3Client
) -> None:
    gateway = make_gateway(routing=by_header(model, candidate)).start()
    first = gateway.ask("q", session="s-1")
    tried = gateway.ask("q", session="s-1", x_try="new")
    other = gateway.ask("q", session="s-2", X_Try="old")
    assert [said(reply) for reply in (first, tried, other)] == [
        "answer of stable-model",
        "answer of candidate-model",
        "answer of stable-model",
    ]
    assert gateway.vote(tried.headers["X-Feedback-Token"], event("helpful", False)).json()["accepted"] == 1
    assert gateway.vote(other.headers["X-Feedback-Token"], event("helpful", False)).json()["accepted"] == 1
    wait_for(lambda: gateway.status()["openUnits"] == 0, "the windows are closed")
    status = gateway.status()
    assert [(unit["arm"], unit["units"], unit["events"]) for unit in status["units"]] == [("stable", 1, 1)]
    assert {entry["arm"] for entry in status["traffic"]} <= {"stable"}
    uploaded(gateway)
    votes = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert [vote.by_header for vote in votes] == [True, False]


def test_a_header_route_without_a_ready_canary_is_answered_by_stable(
    make_gateway: MakeGateway, model: Model, candidate: Model
) -> None:
    gateway = make_gateway(routing=by_header(model, candidate)).start()
    candidate.stop()
    assert said(gateway.ask("q", session="s-1", X_Try="new")) == "answer of stable-model"
    assert gateway.status()["traffic"] == []


def test_pairs_and_header_routes_where_another_pod_owns_the_session(
    make_gateway: MakeGateway, model: Model, candidate: Model, objects: S3Client
) -> None:
    both = shadowed(model, candidate, maxConcurrency=64) | by_header(model, candidate)
    replicas = Replicas(make_gateway, 2, routing=both).start()
    owned = replicas.sessions(8)
    for session in (*owned[0][:2], *owned[1][:2]):
        for pod in replicas.pods:
            assert pod.ask("q", session=session, **CONSENT).status == 200
    wait_for(lambda: sum(counts(pod)["pairs"] for pod in replicas.pods) == 8, "every request gave a pair")
    for pod in replicas.pods:
        assert said(pod.ask("q", session=owned[0][0], X_Try="new")) == "answer of candidate-model"
    wait_for(lambda: all(pod.status()["openUnits"] == 0 for pod in replicas.pods), "the windows are closed")
    units = [unit for status in replicas.statuses() for unit in status["units"]]
    assert sum(unit["units"] for unit in units) == 3, "the session that a header led elsewhere counts no more"
    stored = [pair for pod in replicas.pods for pair in pairs(pod, objects)]
    assert len({pair.event_id for pair in stored}) == len(stored) == 8


def test_what_guardrails_want_to_know_of_answers_is_counted(gateway: Gateway, model: Model) -> None:
    for _ in range(5):
        gateway.ask("warm up", session="w")
    gateway.ask("q", session="s-1", stream=True)
    model.content = "I'm sorry, but I cannot help with that."
    gateway.ask("q", session="s-2")
    gateway.ask("q", session="s-3", stream=True)
    model.content = ""
    gateway.ask("q", session="s-4")
    gateway.ask("q", session="s-5", stream=True)
    model.tool_calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    gateway.ask("q", session="s-6")
    (traffic,) = gateway.status()["traffic"]
    assert (traffic["requests"], traffic["streamed"], traffic["errors"]) == (6, 3, 0)
    assert (traffic["refusals"], traffic["empty"], traffic["cancelled"]) == (2, 2, 0)
    assert traffic["firstTokenMs"]["inf"] == 2, "a stream without content has no first token"


def test_a_client_that_leaves_is_no_error(gateway: Gateway, model: Model) -> None:
    """Edge case 31: a cancelled answer is its own event."""
    for _ in range(5):
        gateway.ask("warm up", session="w")
    model.answers.clear()
    _leave(gateway, lambda: len(model.requests) == 6)
    wait_for(lambda: gateway.status()["traffic"], "it is counted")
    model.answers.set()
    (traffic,) = gateway.status()["traffic"]
    assert (traffic["requests"], traffic["errors"], traffic["cancelled"]) == (0, 0, 1)


def _leave(gateway: Gateway, when: Any) -> None:
    """A request whose client goes away once it has reached the model."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.app, timeout=20)
    body = json.dumps({"model": "bot", "messages": [{"role": "user", "content": "q"}]})
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {APP_TOKEN}"})
    wait_for(when, "the model is asked")
    connection.close()


def test_means_and_events_beyond_thumbs_survive_a_kill(make_gateway: MakeGateway, model: Model) -> None:
    signals = [{"name": "stars", "kind": "Stars"}, {"name": "again", "kind": "Regenerate"}]
    window = {"attributionWindowSeconds": 15}
    gateway = make_gateway(
        stable_port=model.port,
        collection={"signals": signals, "flushSeconds": 1, "appTokenSecretName": "app-token"},
        outcomes=[
            {"name": "stars", "signal": "stars", "event": "Mean"} | window,
            {"name": "again", "signal": "again", "event": "Regenerated"} | window,
        ],
    ).start()
    first, second = (gateway.ask("q", session="s-1").headers["X-Feedback-Token"] for _ in range(2))
    gateway.ask("q", session="s-2")
    regenerated = {name: value for name, value in event("again").items() if name != "value"}
    for token, said_so in ((first, event("stars", 5)), (first, event("stars", 2)), (second, event("stars", 5)),
                           (second, regenerated)):  # fmt: skip
        assert gateway.vote(token, said_so).json()["accepted"] == 1
    uploaded(gateway)
    gateway.kill()
    gateway.start()
    wait_for(lambda: gateway.status()["openUnits"] == 0, "the windows are closed", 60)
    units = {unit["outcome"]: unit for unit in gateway.status()["units"]}
    stars, again = units["stars"], units["again"]
    assert [stars[name] for name in ("units", "rated", "events", "total", "squares")] == [2, 1, 0, 3500, 12_250_000]
    assert [again[name] for name in ("units", "rated", "events", "total")] == [2, 2, 1, 0]
