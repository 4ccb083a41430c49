"""Rendezvous hashing: every pod finds the same owner, evenly, and a new replica takes only what it wins."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.gateway.peers.ownership import addresses, ordinal_of, owner, owner_key, weight

keys = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(keys, st.integers(1, 16))
def test_the_owner_is_a_replica_and_the_only_one_is_the_first(key: str, replicas: int) -> None:
    assert 0 <= owner(key, replicas) < replicas
    assert owner(key, 1) == 0


@given(keys, st.integers(1, 15))
def test_a_new_replica_takes_sessions_and_moves_none_between_the_others(key: str, replicas: int) -> None:
    assert owner(key, replicas + 1) in (owner(key, replicas), replicas)


@pytest.mark.parametrize("replicas", [2, 3, 5, 16])
def test_a_new_replica_moves_one_in_n(replicas: int) -> None:
    sessions = [f"{n:032x}" for n in range(4000)]
    moved = sum(owner(key, replicas - 1) != owner(key, replicas) for key in sessions)
    assert moved == pytest.approx(len(sessions) / replicas, rel=0.2)


@pytest.mark.parametrize("replicas", [2, 3, 5, 16])
def test_sessions_are_spread_evenly(replicas: int) -> None:
    counts = Counter(owner(f"{n:032x}", replicas) for n in range(8000))
    assert all(count == pytest.approx(8000 / replicas, rel=0.2) for count in counts.values())
    assert len(counts) == replicas


def test_the_score_is_the_contracts() -> None:
    assert weight(1, "ab") == int.from_bytes(hashlib.blake2b(b"1/ab", digest_size=8).digest(), "big")


def test_without_a_session_the_subject_decides() -> None:
    assert owner_key("s", "u") == "s"
    assert owner_key("", "u") == "u"


@pytest.mark.parametrize(("pod", "ordinal"), [("bot-gateway-0", 0), ("bot-gateway-12", 12), ("bot", 0)])
def test_a_pod_knows_its_number(pod: str, ordinal: int) -> None:
    assert ordinal_of(pod) == ordinal


def test_addresses_come_from_a_template_or_a_list() -> None:
    template = "bot-gateway-{ordinal}.bot-gateway-pods.ml.svc:8080"
    assert addresses(template, 2)[1] == "bot-gateway-1.bot-gateway-pods.ml.svc:8080"
    assert addresses("127.0.0.1:1, 127.0.0.1:2", 3) == ("127.0.0.1:1", "127.0.0.1:2")
    assert addresses("", 1) == ()
