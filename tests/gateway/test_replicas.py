"""Three real pods on one bucket: a session lives in one of them, whichever pod its requests reach."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Record
from feedbackloop.gateway.upstream import WARM_UP_REQUESTS
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway, event
from tests.gateway.replicas import Replicas, lawful
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for

BEARER = {"Authorization": f"Bearer {APP_TOKEN}"}


@pytest.fixture
def replicas(make_gateway: MakeGateway, model: Model) -> Replicas:
    return Replicas(make_gateway, 3, stable_port=model.port).start()


def stored(replicas: Replicas, objects: S3Client) -> list[Record]:
    """Every record of every pod, when all is uploaded."""
    found: list[Record] = []
    for pod in replicas.pods:
        uploaded(pod)
        found += records(pod, objects)
    return found


def asked(pod: Gateway, session: str) -> str:
    """A proxied answer's token."""
    reply = pod.ask("how?", session=session)
    assert reply.status == 200
    return str(reply.headers["x-feedback-token"])


def units(replicas: Replicas) -> dict[str, int]:
    counts = [count for status in replicas.statuses() for count in status.get("units", ())]
    return {name: sum(count.get(name, 0) for count in counts) for name in ("units", "rated", "events")}


def test_a_session_that_wanders_is_one_unit_and_its_last_vote_counts(replicas: Replicas, objects: S3Client) -> None:
    chance = random.Random(3)
    sessions = [f"s-{n}" for n in range(12)]
    for session in sessions:
        for _ in range(3):
            token = asked(chance.choice(replicas.pods), session)
        for value in (True, False):
            assert chance.choice(replicas.pods).vote(token, event("helpful", value)).status == 202
    wait_for(lambda: units(replicas)["units"] == 12, "every unit is closed")
    assert units(replicas) == {"units": 12, "rated": 12, "events": 12}
    traffic = [count for status in replicas.statuses() for count in status["traffic"]]
    assert sum(count["requests"] for count in traffic) == 36 - 3 * WARM_UP_REQUESTS, "counted where it was answered"
    assert all(map(lawful, replicas.statuses()))
    found = stored(replicas, objects)
    places: dict[str, set[str]] = {}
    for record in found:
        assert isinstance(record, InteractionRecord | FeedbackRecord)
        places.setdefault(record.session, set()).add(record.pod)
    assert len(places) == 12
    assert all(len(pods) == 1 for pods in places.values())
    assert len({pod for pods in places.values() for pod in pods}) == 3
    assert len(found) == 36 + 24


def test_a_repetition_is_known_at_every_pod(replicas: Replicas) -> None:
    for ordinal, names in replicas.sessions().items():
        token, vote = asked(replicas.pods[0], names[0]), event()
        answers = [pod.vote(token, vote).json() for pod in replicas.pods]
        assert [a["accepted"] for a in answers] == [1, 0, 0], ordinal
        assert [a["duplicate"] for a in answers] == [0, 1, 1]
        other = replicas.pods[1].vote(token, vote | {"value": False})
        assert (other.status, other.json()["rejected"][0]["code"]) == (422, "conflict")
    assert all(map(lawful, replicas.statuses()))


def test_an_interaction_is_posted_to_its_owner_and_its_token_works_everywhere(replicas: Replicas) -> None:
    names = replicas.sessions()
    posted = {"event_id": "0193d6a0-0000-7000-8000-000000000001", "session_id": names[2][0], "raters": ["r-1", "r-2"]}
    first, again = replicas.pods[0].interact(**posted), replicas.pods[1].interact(**posted)
    assert (first.status, first.json()["duplicate"]) == (202, False)
    assert again.status == 422, "another output under the same id"
    assert [t["rater"] for t in first.json()["tokens"]] == ["r-1", "r-2"]
    for pod, token in zip(replicas.pods, first.json()["tokens"] * 2, strict=False):
        assert pod.vote(token["token"], event()).status == 202
    refused = replicas.pods[0].interact(session_id=names[1][0], event_id="no uuid")
    assert (refused.status, refused.json()["error"]["path"]) == (422, "$.event_id")
    assert all(map(lawful, replicas.statuses()))


def test_a_trusted_batch_is_cut_by_owner_and_answered_as_one(replicas: Replicas, objects: S3Client) -> None:
    names = [name for owned in replicas.sessions().values() for name in owned[:2]]
    lines = [event(session_id=name, subject_id=f"u-{name}", output_id=f"o-{name}") for name in names]
    lines[3]["value"] = "perhaps"
    body = b"\n".join(map(_json, lines))
    reply = replicas.pods[0].call(replicas.pods[0].app, "POST", "/v1/feedback:batch", body, BEARER)
    told = reply.json()
    assert (reply.status, told["accepted"], told["duplicate"]) == (202, len(lines) - 1, 0)
    (rejected,) = told["rejected"]
    assert (rejected["index"], rejected["event_id"], rejected["path"]) == (3, lines[3]["event_id"], "$.lines[3].value")
    again = replicas.pods[2].call(replicas.pods[2].app, "POST", "/v1/feedback:batch", body, BEARER).json()
    assert (again["accepted"], again["duplicate"]) == (0, len(lines) - 1)
    assert all(map(lawful, replicas.statuses()))
    votes = [record for record in stored(replicas, objects) if isinstance(record, FeedbackRecord)]
    assert len(votes) == len(lines) - 1
    assert len({vote.pod for vote in votes}) == 3


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_while_the_owner_is_away_answers_go_on_and_feedback_waits(replicas: Replicas, objects: S3Client) -> None:
    names = replicas.sessions()
    tokens = {n: asked(replicas.pods[n], names[n][0]) for n in names}
    replicas.pods[2].kill()
    here = replicas.pods[0]
    votes = {n: event() for n in names}
    assert here.vote(tokens[1], votes[1]).status == 202
    refused = here.vote(tokens[2], votes[2])
    assert (refused.status, "retry-after" in refused.headers) == (503, True)
    assert here.interact(session_id=names[2][0]).status == 503
    answered = here.ask("how?", session=names[2][1])
    assert (answered.status, "x-feedback-token" in answered.headers) == (200, True)
    streamed = here.ask("how?", session=names[2][1], stream=True)
    assert streamed.body.endswith(b"data: [DONE]\n\n")
    wait_for(lambda: here.status()["openUnits"] == 0, "the units of this pod are closed")
    kept = uploaded(here)
    replicas.pods[2].start()
    late = wait_for(lambda: [r for r in [here.vote(tokens[2], votes[2])] if r.status == 202], "it is taken")
    assert late[0].json()["accepted"] == 1
    assert replicas.pods[1].vote(tokens[2], votes[2]).json()["duplicate"] == 1
    assert here.vote(str(answered.headers["x-feedback-token"]), event()).status == 202
    found = stored(replicas, objects)
    ids = [record.event_id for record in found if isinstance(record, FeedbackRecord)]
    assert len(ids) == len(set(ids)) == 3
    uncounted = [r for r in found if isinstance(r, InteractionRecord) and r.serving and not r.serving.counted]
    assert [record.pod for record in uncounted] == ["bot-gateway-0"] * 2
    assert here.status()["stored"] == kept["stored"], "feedback about them is the owner's"
    assert all(map(lawful, replicas.statuses()))


def test_owners_that_are_killed_under_load_lose_nothing_and_store_nothing_twice(
    replicas: Replicas, objects: S3Client
) -> None:
    tokens = [asked(replicas.pods[n % 3], f"s-{n}") for n in range(9)]
    stop = threading.Event()
    clients = [Client(replicas, tokens, seed, stop) for seed in range(4)]
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(client.run) for client in clients]
        for ordinal in (1, 2, 0):
            count(clients, "acknowledged", 40)
            replicas.pods[ordinal].kill()
            count(clients, "refused", 10)
            replicas.pods[ordinal].start()
        stop.set()
    assert [ended.exception() for ended in running] == [None] * len(clients)
    sent = [vote for client in clients for vote in client.sent]
    for token in tokens:
        mine = [vote for by, vote in sent if by == token]
        for start in range(0, len(mine), 50):
            answer = replicas.pods[0].vote(token, {"events": mine[start : start + 50]}).json()
            assert answer["accepted"] + answer["duplicate"] == len(mine[start : start + 50])
    found = [record.event_id for record in stored(replicas, objects) if isinstance(record, FeedbackRecord)]
    assert sorted(found) == sorted(vote["event_id"] for _, vote in sent)
    assert all(map(lawful, replicas.statuses()))


class Client:
    """Votes as fast as it can, each time at another pod; remembers what it sent and what was answered."""

    def __init__(self, replicas: Replicas, tokens: list[str], seed: int, stop: threading.Event) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.acknowledged, self.refused = 0, 0
        self._replicas, self._tokens, self._chance, self._stop = replicas, tokens, random.Random(seed), stop

    def run(self) -> None:
        while not self._stop.is_set():
            vote = self._chance.choice(self._tokens), event("note", f"text {len(self.sent)}")
            self.sent.append(vote)
            try:
                status = self._chance.choice(self._replicas.pods).vote(*vote).status
            except urllib3.exceptions.HTTPError:
                status = 503
            assert status in (202, 503)
            self.acknowledged += status == 202
            self.refused += status == 503


def count(clients: list[Client], what: str, more: int) -> None:
    """Waits until so many more votes were acknowledged, or refused."""
    goal = sum(getattr(client, what) for client in clients) + more
    wait_for(lambda: sum(getattr(client, what) for client in clients) >= goal, f"votes are {what}", 60)


def test_a_new_pod_owns_nothing_until_the_configuration_says_so(make_gateway: MakeGateway, model: Model) -> None:
    replicas = Replicas(make_gateway, 3, stable_port=model.port)
    replicas.configure(replicas.pods[0].config, owners=2)
    replicas.start()
    for n in range(12):
        token = asked(replicas.pods[2], f"s-{n}")
        assert replicas.pods[2].vote(token, event()).status == 202
    assert [status["stored"] > 0 for status in replicas.statuses()] == [True, True, False]
    replicas.configure(replicas.pods[0].config, owners=3)
    revision = {pod.status()["revision"] for pod in replicas.pods}
    wait_for(lambda: {p.status()["revision"] for p in replicas.pods} != revision, "the configuration is applied")
    replicas.sessions()
    assert replicas.pods[2].status()["stored"] > 0


def test_strangers_are_not_peers(replicas: Replicas) -> None:
    pod = replicas.pods[0]
    for headers in (BEARER, {"X-Feedback-Peer": "0" * 64}, BEARER | {"X-Feedback-Peer": "x"}):
        for what in ("records", "events", "interaction", "other"):
            reply = pod.call(pod.app, "POST", f"/v1/peer/{what}", b"x" * 100, headers)
            assert reply.status == 404
    assert pod.status()["accepted"] == 0
