"""A change of the root key: the few loop keys come under the new one, nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbackloop.events import keys
from feedbackloop.events.errors import KeyRefused
from feedbackloop.events.keyring.blob import Family
from feedbackloop.events.keyring.rotation import due, rewrap
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.events.keys import Kek
from tests.unit.events.keyring.rig import RAW, Loop, Service

KEY = b"k" * 32
OLD, NEW = SecretRoot(RAW), SecretRoot(bytes(32))


def test_after_rewrapping_the_new_root_alone_opens_everything() -> None:
    loop = Loop()
    ring = loop.keyring(OLD)
    ring.add(Family.OUTER)
    ring.subjects.for_sealing([("abc", 1)])
    wrapped, table = keys.wrap(ring, KEY, b"p"), loop.objects.get("team/uid-1/keys/shards/abc")
    assert rewrap(loop.keyring(NEW, previous=(OLD,))) == 3
    assert keys.unwrap(loop.keyring(NEW), wrapped, b"p") == KEY
    assert loop.keyring(NEW).subjects.for_opening([("abc", 1)])
    assert loop.objects.get("team/uid-1/keys/shards/abc") == table
    with pytest.raises(KeyRefused):
        loop.keyring(OLD)
    assert rewrap(loop.keyring(NEW)) == 0


@pytest.mark.parametrize("new", [NEW, Service(bytes(32))], ids=["secret", "service"])
def test_data_of_before_loops_had_keys_outlives_its_root(new: SecretRoot | Service) -> None:
    loop, before = Loop(), keys.wrap(Kek.of(RAW), KEY, b"p")
    loop.keyring(OLD)
    ring = loop.keyring(new, previous=(OLD,))
    assert keys.unwrap(ring, before, b"p") == KEY
    rewrap(ring)
    assert keys.unwrap(loop.keyring(new), before, b"p") == KEY
    assert RAW not in loop.objects.get("team/uid-1/keys/outer/0")


def test_rewrapping_keeps_the_age_of_keys() -> None:
    loop = Loop()
    made = loop.keyring(OLD).created(Family.OUTER)
    rewrap(loop.keyring(NEW, previous=(OLD,)))
    assert loop.keyring(NEW).created(Family.OUTER) == made > 0


def test_a_pod_whose_copies_are_under_the_old_root_takes_up_the_new_ones(tmp_path: Path) -> None:
    loop = Loop()
    wrapped = keys.wrap(loop.keyring(OLD, cache=tmp_path), KEY, b"p")
    rewrap(loop.keyring(NEW, previous=(OLD,)))
    loop.keyring(NEW, cache=tmp_path)
    loop.away = True
    assert keys.unwrap(loop.keyring(NEW, cache=tmp_path), wrapped, b"p") == KEY


def test_keys_are_due_after_their_period_and_when_a_clock_was_far_ahead() -> None:
    ring = Loop().keyring()
    made = ring.created(Family.OUTER)
    assert list(due(ring, 3600, made + 3599)) == []
    assert list(due(ring, 3600, made + 3600)) == list(Family)
    assert list(due(ring, 3600, made - 80_000)) == []
    assert list(due(ring, 3600, made - 90_000)) == list(Family)
