"""What pods say to each other: sealed for one receiver and one purpose; who owns what; what is counted where."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any, cast

import pytest

from feedbackloop.api.gateway import GatewayConfig
from feedbackloop.events.records import InteractionRecord, Message, Output, Serving
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.meta import Outcome, Served
from feedbackloop.gateway.peers.peers import Peers
from feedbackloop.gateway.peers.records import dropped, elsewhere, uncounted
from feedbackloop.gateway.peers.seal import NotAPeer, PeerSeal
from feedbackloop.gateway.state import State
from tests.gateway.process import make_config

SECRET, UID = os.urandom(32), "uid-1"


def test_a_message_opens_for_its_receiver_and_purpose_only() -> None:
    seal = PeerSeal(SECRET, UID)
    sealed = seal.seal(b"text", to=1, what="records")
    assert seal.open(sealed, to=1, what="records") == b"text"
    assert b"text" not in sealed
    altered = bytes([*sealed[:-1], sealed[-1] ^ 1])
    for data, to, what in ((sealed, 2, "records"), (sealed, 1, "events"), (altered, 1, "records"), (b"", 1, "records")):
        with pytest.raises(NotAPeer):
            seal.open(data, to=to, what=what)
    for other in (PeerSeal(os.urandom(32), UID), PeerSeal(SECRET, "uid-2")):
        with pytest.raises(NotAPeer):
            other.open(sealed, to=1, what="records")


def test_the_header_admits_one_length_for_one_receiver_and_purpose() -> None:
    seal = PeerSeal(SECRET, UID)
    value = seal.header(to=1, what="records", length=10).encode()
    assert seal.admits(value, to=1, what="records", length=10)
    assert not seal.admits(value, to=1, what="records", length=11)
    assert not seal.admits(value, to=2, what="records", length=10)
    assert not seal.admits(value, to=1, what="events", length=10)
    assert not seal.admits(b"", to=1, what="records", length=10)


def peers_of(own: int, replicas: int, addresses: str) -> Peers:
    made = Peers(PeerSeal(SECRET, UID), own, cast(Journal, None), Counter())
    config: dict[str, Any] = make_config(s3_url="http://s3:1")
    config["collection"]["replicas"], config["peers"] = replicas, addresses
    made.configure(GatewayConfig.model_validate_json(json.dumps(config)))
    return made


def test_a_single_pod_owns_everything_whatever_its_name() -> None:
    for own in (0, 3):
        alone = peers_of(own, 1, "")
        assert not alone.any
        assert alone.owner_of("session", "subject") is None


def test_every_pod_names_the_same_owner() -> None:
    pods = [peers_of(own, 3, "a:1,b:1,c:1") for own in range(3)]
    for session in (f"{n:032x}" for n in range(50)):
        named = {found if (found := pod.owner_of(session, "u")) is not None else pod.own for pod in pods}
        assert len(named) == 1


def test_a_pod_beyond_the_owners_owns_nothing() -> None:
    new = peers_of(1, 1, "pod-{ordinal}:8080")
    assert new.any
    assert new.owner_of("session", "subject") == 0


def test_without_the_address_of_every_owner_nothing_is_handed_on() -> None:
    assert not peers_of(0, 3, "a:1,b:1").any


def answered(**serving: Any) -> InteractionRecord:
    return InteractionRecord(
        event_id="11111111-1111-1111-1111-111111111111",
        received_at=1000,
        subject="u" * 32,
        messages=(Message("user", "q"),),
        outputs=(Output("o", "a"),),
        session="5" * 32,
        serving=Serving(counted=True, **serving),
    )


def test_the_owner_counts_the_unit_and_not_the_traffic() -> None:
    state = State()
    state.units.outcomes = (Outcome("downvotes", "helpful", "ThumbsDown", 2000),)
    state.apply(elsewhere(answered()))
    assert (len(state.units), state.traffic.counts) == (1, {})
    assert elsewhere(answered()).fingerprint != 0, "a repetition is known after a restart too"


def test_what_is_kept_for_an_owner_that_is_away_counts_as_traffic_and_opens_no_unit() -> None:
    state = State()
    state.units.outcomes = (Outcome("downvotes", "helpful", "ThumbsDown", 2000),)
    state.apply(uncounted(answered()))
    assert len(state.units) == 0
    assert sum(count.requests for count in state.traffic.counts.values()) == 1
    assert state.stored == 1


def test_an_owner_is_told_of_a_fallback_without_counting_it() -> None:
    state = State()
    state.units.outcomes = (Outcome("downvotes", "helpful", "ThumbsDown", 2000),)
    state.apply(elsewhere(answered()))
    state.apply(dropped(Served(1001, Serving(counted=True, fallback=True, status=503), "5" * 32)))
    assert (len(state.units), state.traffic.counts) == (0, {})
