"""Who looks after the keys, when a new one is made, and when an old one may end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from feedbackloop.events.errors import StorageUnavailable
from feedbackloop.events.keyring.blob import Family
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.keeper import GatewayKeys, Keeper
from tests.unit.events.keyring.rig import RAW, Loop

PERIOD = 3600
ROW = ("abc1" + "0" * 28, 1)


class Clock:
    """Monotonic time of the process under test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("feedbackloop.gateway.keeper.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def keeper(ring: Keyring, *, lowest: bool = True) -> Keeper:
    config = SimpleNamespace(encryption=SimpleNamespace(rotation_period_seconds=PERIOD))
    keys: Any = SimpleNamespace(ring=ring, applied=SimpleNamespace(config=config))
    return Keeper(cast(GatewayKeys, keys), cast(Journal, None), lowest=lowest)


def test_only_the_first_pod_makes_keys_and_only_when_they_are_due(clock: Clock) -> None:
    loop = Loop()
    ring = loop.keyring()
    made = ring.created(Family.OUTER)
    assert keeper(ring, lowest=False).step(lambda: made + PERIOD) == []
    first = keeper(ring)
    assert first.step(lambda: made + PERIOD - 1) == []
    assert first.step(lambda: made + PERIOD) == ["outer/2", "inner/2"]
    assert first.step(lambda: made + PERIOD - 1) == []


def test_an_old_inner_key_ends_when_time_has_passed_and_no_table_needs_it(clock: Clock) -> None:
    loop = Loop()
    ring = loop.keyring()
    ring.subjects.for_sealing([ROW])
    first = keeper(ring)
    first.step(lambda: ring.created(Family.INNER) + PERIOD)
    for seconds in (1, 118):
        clock.now += seconds
        first.step()
        assert loop.names("inner/") == ["inner/1", "inner/2"]
    clock.now += 2
    first.step()
    assert loop.names("inner/") == ["inner/2"]
    assert loop.keyring().subjects.for_opening([ROW])[ROW] is not None


def test_a_pod_that_starts_anew_waits_again_before_it_destroys(clock: Clock) -> None:
    loop = Loop()
    ring = loop.keyring()
    keeper(ring).step(lambda: ring.created(Family.INNER) + PERIOD)
    clock.now += 500
    again = keeper(loop.keyring())
    again.step()
    assert loop.names("inner/") == ["inner/1", "inner/2"]
    clock.now += 120
    again.step()
    assert loop.names("inner/") == ["inner/2"]


def test_other_pods_forget_what_they_opened_under_an_inner_key_of_before(clock: Clock) -> None:
    loop = Loop()
    ring, other = loop.keyring(), loop.keyring()
    second = keeper(other, lowest=False)
    second.step()
    other.subjects.for_sealing([ROW])
    keeper(ring).step(lambda: ring.created(Family.INNER) + PERIOD)
    second.step()
    assert other.subjects._cache.key(ROW) is None


def test_a_new_root_takes_the_keys_over_once(clock: Clock) -> None:
    loop = Loop()
    loop.keyring()
    new = SecretRoot(bytes(32))
    ring = loop.keyring(new, previous=(SecretRoot(RAW),))
    first = keeper(ring)
    first.step()
    assert loop.keyring(new).current == "outer/1"
    before = dict(loop.objects.objects)
    first.step()
    assert loop.objects.objects == before


def test_while_storage_is_away_nothing_changes(clock: Clock) -> None:
    loop = Loop()
    ring = loop.keyring()
    loop.away = True
    with pytest.raises(StorageUnavailable):
        keeper(ring).step()
    assert ring.current == "outer/1"
