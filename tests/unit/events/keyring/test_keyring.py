"""Loop keys: made once, found again, cached, rotated, and never trusted for what they say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbackloop.events import keys
from feedbackloop.events.errors import (
    EnvelopeError,
    KeyMissing,
    KeyRefused,
    KeyServiceUnavailable,
    StorageUnavailable,
)
from feedbackloop.events.keyring.blob import Blob, Family, KeyName
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.events.keys import Kek
from tests.unit.events.keyring.rig import PREFIX, RAW, Loop, Service

KEY = b"k" * 32


def test_the_first_start_of_a_loop_makes_its_keys_and_the_second_finds_them() -> None:
    loop = Loop()
    wrapped = keys.wrap(loop.keyring(), KEY, b"purpose")
    assert loop.names() == ["inner/1", "outer/1"]
    assert keys.unwrap(loop.keyring(), wrapped, b"purpose") == KEY
    assert loop.names() == ["inner/1", "outer/1"]


def test_no_key_lies_readable_in_storage_or_on_the_volume(tmp_path: Path) -> None:
    loop = Loop()
    ring = loop.keyring(cache=tmp_path)
    opened = [ring.key("outer/1"), ring.inner(1), RAW]
    stored = [*loop.objects.objects.values(), *(path.read_bytes() for path in tmp_path.iterdir())]
    assert not any(key in place or key.hex().encode() in place for key in opened for place in stored)


def test_after_a_rotation_new_wrapping_is_under_the_new_key_and_the_old_stays_readable() -> None:
    loop = Loop()
    ring, other = loop.keyring(), loop.keyring()
    before = keys.wrap(ring, KEY, b"p")
    ring.add(Family.OUTER)
    after = keys.wrap(ring, KEY, b"p")
    assert (ring.current, b"outer/1" in before, b"outer/2" in after) == ("outer/2", True, True)
    for reader in (ring, other, loop.keyring()):
        assert [keys.unwrap(reader, wrapped, b"p") for wrapped in (before, after)] == [KEY, KEY]
    assert other.current == "outer/1"
    other.refresh()
    assert other.current == "outer/2"


def test_two_pods_that_rotate_at_once_make_one_key() -> None:
    loop = Loop()
    one, other = loop.keyring(), loop.keyring()
    one.add(Family.OUTER)
    other.storage.create = one.storage.create  # type: ignore[method-assign]
    other._create(KeyName(Family.OUTER, 2))
    other.refresh()
    assert one.key("outer/2") == other.key("outer/2")
    assert loop.names("outer/") == ["outer/1", "outer/2"]


def test_what_was_written_before_loops_had_keys_stays_readable() -> None:
    wrapped = keys.wrap(Kek.of(RAW), KEY, b"p")
    assert keys.unwrap(Loop().keyring(), wrapped, b"p") == KEY
    with pytest.raises(KeyMissing):
        keys.unwrap(Loop().keyring(Service()), wrapped, b"p")


def test_a_restart_while_storage_is_away_works_from_the_volumes_copies(tmp_path: Path) -> None:
    loop, service = Loop(), Service()
    ring = loop.keyring(service, cache=tmp_path)
    before = keys.wrap(ring, KEY, b"p")
    ring.add(Family.OUTER)
    after = keys.wrap(ring, KEY, b"p")
    loop.away = True
    again = loop.keyring(service, cache=tmp_path)
    assert again.current == "outer/2"
    assert [keys.unwrap(again, wrapped, b"p") for wrapped in (before, after)] == [KEY, KEY]


def test_a_first_start_needs_storage(tmp_path: Path) -> None:
    loop = Loop()
    loop.away = True
    with pytest.raises(StorageUnavailable):
        loop.keyring(cache=tmp_path)


def test_inner_keys_are_not_copied_to_the_volume(tmp_path: Path) -> None:
    Loop().keyring(cache=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["outer-1"]


def test_the_key_service_may_go_away_after_the_start_but_not_before(tmp_path: Path) -> None:
    loop, service = Loop(), Service()
    ring = loop.keyring(service, cache=tmp_path)
    service.away = True
    assert keys.unwrap(ring, keys.wrap(ring, KEY, b"p"), b"p") == KEY
    ring.refresh()
    with pytest.raises(KeyServiceUnavailable):
        loop.keyring(service, cache=tmp_path)


def test_another_root_key_is_refused_with_what_to_do() -> None:
    loop = Loop()
    loop.keyring()
    with pytest.raises(KeyRefused, match="previous"):
        loop.keyring(SecretRoot(bytes(32)))


def test_a_key_that_was_put_in_anothers_place_is_refused() -> None:
    loop = Loop()
    loop.keyring()
    loop.objects.put(f"{PREFIX}keys/outer/2", loop.objects.get(f"{PREFIX}keys/outer/1"))
    with pytest.raises(KeyRefused):
        loop.keyring()


def test_a_key_under_a_root_that_is_not_configured_is_not_trusted() -> None:
    """Whoever can write to the bucket must not choose the root."""
    loop, theirs = Loop(), SecretRoot(bytes(32))
    loop.keyring()
    name = KeyName(Family.OUTER, 2)
    forged = Blob(theirs.ident, theirs.wrap(KEY, name.context("uid-1")), 0)
    loop.objects.put(f"{PREFIX}keys/outer/2", forged.encode())
    with pytest.raises(KeyRefused, match="outer/2"):
        loop.keyring()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"v":1}', b'{"v":2,"root":"","wrapped":"","created":1}', b"\xff"]
)
def test_what_is_no_key_is_named(data: bytes) -> None:
    loop = Loop()
    loop.keyring()
    loop.objects.put(f"{PREFIX}keys/outer/1", data)
    with pytest.raises(EnvelopeError, match="keys/outer/1"):
        loop.keyring()


def test_lost_keys_come_back_from_a_volume(tmp_path: Path) -> None:
    loop = Loop()
    ring = loop.keyring(cache=tmp_path)
    wrapped = keys.wrap(ring, KEY, b"p")
    loop.objects.delete(f"{PREFIX}keys/outer/1")
    assert keys.unwrap(loop.keyring(cache=tmp_path), wrapped, b"p") == KEY
    assert keys.unwrap(loop.keyring(), wrapped, b"p") == KEY


def test_a_loop_with_events_and_no_keys_gets_no_new_ones() -> None:
    loop = Loop()
    loop.objects.put(f"{PREFIX}events/pod-0/x.seg", b"")
    with pytest.raises(KeyRefused, match="no keys"):
        loop.keyring(Service())


@pytest.mark.parametrize("ident", ["outer/9", "inner/1", "outer/01", "outer/-1", "keys", "", "outer/" + "9" * 40])
def test_only_data_keys_of_the_loop_are_found(ident: str) -> None:
    with pytest.raises(EnvelopeError):
        Loop().keyring().key(ident)
