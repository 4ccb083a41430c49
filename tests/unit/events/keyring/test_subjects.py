"""Subject keys: made once for all pods, found by every reader, and gone for good when they are destroyed."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from feedbackloop.events.errors import EnvelopeError, KeyMissing, StorageUnavailable
from feedbackloop.events.keyring import subjects as module
from feedbackloop.events.keyring.blob import Family, KeyName
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.rotation import finish
from feedbackloop.events.keyring.subjects import Keys, UnknownSubjectKey
from feedbackloop.events.keyring.table import Row, shard_of
from tests.unit.events.keyring.rig import PREFIX, Loop

ANNA, BERT = "abc1" + "0" * 28, "abc2" + "0" * 28
"""In one shard."""
CARL = "fff1" + "0" * 28


def opens(sealing: Keys, opening: Keys, rows: Iterable[Row]) -> bool:
    """What one sealed, the other opens."""
    for row in rows:
        one, other = sealing[row], opening[row]
        if one is None or other is None:
            return False
        if other.aead.decrypt(b"n" * 12, one.aead.encrypt(b"n" * 12, b"text", None), None) != b"text":
            return False
    return True


def test_a_key_is_made_once_and_found_by_every_reader() -> None:
    loop, rows = Loop(), [(ANNA, 1), (ANNA, 2), (BERT, 1), (CARL, 1)]
    made = loop.keyring().subjects.for_sealing(rows)
    assert opens(made, loop.keyring().subjects.for_opening(rows), rows)
    assert opens(made, loop.keyring().subjects.for_sealing(rows), rows)
    assert loop.names("shards/") == ["shards/abc", "shards/fff"]


def test_every_subject_and_epoch_has_a_key_of_its_own() -> None:
    keys = Loop().keyring().subjects.for_sealing([(ANNA, 1), (ANNA, 2), (BERT, 1)])
    sealed = [key.aead.encrypt(b"n" * 12, b"text", None) for key in keys.values() if key]
    assert len(set(sealed)) == 3


def test_a_second_flush_of_the_same_subjects_asks_nobody() -> None:
    loop, rows = Loop(), [(ANNA, 1), (CARL, 1)]
    subjects = loop.keyring().subjects
    first = subjects.for_sealing(rows)
    loop.away = True
    assert subjects.for_sealing(rows) == first
    with pytest.raises(StorageUnavailable):
        subjects.for_sealing([(BERT, 1)])


def test_pods_that_write_one_shard_at_once_lose_no_row() -> None:
    loop = Loop()
    pods = [loop.keyring().subjects for _ in range(6)]
    rows = [[(f"abc{pod}{n:028}", 1) for n in range(8)] for pod in range(6)]
    made: list[Keys] = [{}] * 6

    def work(pod: int) -> None:
        for row in rows[pod]:
            made[pod] = {**made[pod], **pods[pod].for_sealing([row])}

    threads = [threading.Thread(target=work, args=(pod,)) for pod in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = loop.keyring().subjects
    assert all(opens(made[pod], reader.for_opening(rows[pod]), rows[pod]) for pod in range(6))


def test_many_new_shards_are_made_without_reading_each() -> None:
    loop, rows = Loop(), [(f"{n:03x}" + "0" * 29, 1) for n in range(40)]
    read, loop.objects.get_with_etag = loop.objects.get_with_etag, None  # type: ignore[assignment, method-assign]
    made = loop.keyring().subjects.for_sealing(rows)
    loop.objects.get_with_etag = read  # type: ignore[method-assign]
    assert opens(made, loop.keyring().subjects.for_opening(rows), rows)


def test_shards_that_another_pod_makes_after_the_listing_are_read_all_the_same() -> None:
    loop, rows = Loop(), [(f"{n:03x}" + "0" * 29, 1) for n in range(40)]
    late, first = loop.keyring().subjects, loop.keyring().subjects
    late._note_absent({f"{n:03x}": [] for n in range(40)})  # type: ignore[arg-type]
    made = first.for_sealing(rows)
    assert opens(made, late.for_sealing(rows), rows)


def test_a_key_that_is_not_there_is_a_loss_and_not_an_erasure() -> None:
    loop = Loop()
    loop.keyring().subjects.for_sealing([(ANNA, 1)])
    with pytest.raises(UnknownSubjectKey, match="abc"):
        loop.keyring().subjects.for_opening([(BERT, 1)])
    with pytest.raises(UnknownSubjectKey):
        loop.keyring().subjects.for_opening([(ANNA, 2)])


def test_a_destroyed_subject_has_no_key_in_any_epoch_and_gets_no_new_one() -> None:
    loop, rows = Loop(), [(ANNA, 1), (ANNA, 2)]
    ring = loop.keyring()
    ring.subjects.for_sealing([*rows, (BERT, 1)])
    done = ring.subjects.destroy(ANNA, "request", at=7)
    assert (done.at, done.generation, sorted(done.fingerprints), done.shard) == (7, 1, [1, 2], "abc")
    assert done.etag_before != done.etag_after
    for subjects in (ring.subjects, loop.keyring().subjects):
        assert subjects.for_opening([*rows, (ANNA, 3)]) == {(ANNA, 1): None, (ANNA, 2): None, (ANNA, 3): None}
        assert subjects.for_sealing([(ANNA, 3)]) == {(ANNA, 3): None}
        assert subjects.for_opening([(BERT, 1)])[(BERT, 1)] is not None


def test_destroying_twice_changes_nothing() -> None:
    loop = Loop()
    subjects = loop.keyring().subjects
    subjects.for_sealing([(ANNA, 1)])
    first = subjects.destroy(ANNA, "request", at=7)
    before = dict(loop.objects.objects)
    again = subjects.destroy(ANNA, "another", at=9)
    assert (again.at, again.generation, again.fingerprints) == (first.at, first.generation, {})
    assert loop.objects.objects == before


def test_a_subject_that_was_never_seen_can_be_destroyed() -> None:
    loop = Loop()
    loop.keyring().subjects.destroy(CARL, "request", at=7)
    assert loop.keyring().subjects.for_sealing([(CARL, 1)]) == {(CARL, 1): None}


def test_opened_keys_are_forgotten_after_five_minutes_and_when_something_was_destroyed() -> None:
    loop = Loop()
    pod, eraser = loop.keyring().subjects, loop.keyring().subjects
    pod.for_sealing([(ANNA, 1), (BERT, 1)])
    eraser.destroy(ANNA, "request")
    assert pod.for_sealing([(ANNA, 1)])[(ANNA, 1)] is not None  # nobody told it yet
    loop.now += 300
    assert pod.for_sealing([(ANNA, 1)]) == {(ANNA, 1): None}
    other = loop.keyring().subjects
    other.for_sealing([(BERT, 1)])
    eraser.destroy(BERT, "request")
    other.for_sealing([("abc3" + "0" * 28, 1)])  # its swap fails, it reads the table anew
    assert other.for_sealing([(BERT, 1)]) == {(BERT, 1): None}


def restored(loop: Loop, saved: dict[str, bytes], *names: str) -> Keyring:
    """A keyring after somebody has put old objects back."""
    for name in names:
        loop.objects.put(f"{PREFIX}keys/{name}", saved[f"{PREFIX}keys/{name}"])
    return loop.keyring()


def test_only_an_old_table_with_its_inner_key_brings_a_destroyed_key_back_and_rotation_ends_that() -> None:
    loop, row = Loop(), (ANNA, 1)
    ring = loop.keyring()
    ring.subjects.for_sealing([row, (BERT, 1)])
    backup = dict(loop.objects.objects)
    ring.subjects.destroy(ANNA, "request")
    assert restored(loop, backup, "shards/abc").subjects.for_opening([row])[row] is not None
    ring = loop.keyring()
    ring.subjects.destroy(ANNA, "request")
    ring.add(Family.INNER)
    assert [finish(ring, settled=True), finish(ring, settled=True)] == [0, 1]
    assert loop.names() == ["inner/2", "outer/1", "shards/abc"]
    with pytest.raises((EnvelopeError, KeyMissing)):
        restored(loop, backup, "shards/abc").subjects.for_opening([row])


def test_after_an_inner_rotation_the_same_keys_are_found() -> None:
    loop, rows = Loop(), [(ANNA, 1), (BERT, 1), (CARL, 1)]
    ring, other = loop.keyring(), loop.keyring()
    made = ring.subjects.for_sealing(rows)
    other.subjects.for_sealing(rows)
    ring.add(Family.INNER)
    assert finish(ring, settled=False) == 0
    assert loop.names("inner/") == ["inner/1", "inner/2"]
    assert finish(ring, settled=True) == 1
    assert opens(made, loop.keyring().subjects.for_opening(rows), rows)
    loop.now += 300
    assert opens(made, other.subjects.for_opening(rows), rows)
    with pytest.raises(KeyMissing):
        loop.keyring().inner(1)


def test_a_pod_that_missed_a_rotation_never_writes_a_table_under_the_old_key() -> None:
    loop = Loop()
    late, ring = loop.keyring(), loop.keyring()
    late.subjects.for_sealing([(ANNA, 1)])
    ring.add(Family.INNER)
    finish(ring, settled=False)
    late.subjects.for_sealing([(BERT, 1)])
    assert finish(ring, settled=True) == 1
    assert loop.keyring().subjects.for_opening([(ANNA, 1), (BERT, 1)])


def table(loop: Loop) -> bytes:
    return loop.objects.get(f"{PREFIX}keys/shards/abc")


def test_every_altered_byte_of_a_table_is_noticed() -> None:
    loop = Loop()
    loop.keyring().subjects.for_sealing([(ANNA, 1)])
    good = table(loop)
    for at in range(len(good)):
        loop.objects.put(f"{PREFIX}keys/shards/abc", good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(EnvelopeError):
            loop.keyring().subjects.for_opening([(ANNA, 1)])


def test_a_table_in_anothers_place_is_refused() -> None:
    loop = Loop()
    loop.keyring().subjects.for_sealing([(ANNA, 1)])
    loop.objects.put(f"{PREFIX}keys/shards/fff", table(loop))
    with pytest.raises(EnvelopeError, match="fff"):
        loop.keyring().subjects.for_opening([(CARL, 1)])


def test_a_tombstone_cannot_be_forged_without_the_inner_key() -> None:
    """Whoever can write to the bucket must not make a loss look like an erasure."""
    loop, theirs = Loop(), Loop()
    loop.keyring().subjects.for_sealing([(ANNA, 1)])
    theirs.keyring().subjects.destroy(ANNA, "request")
    loop.objects.put(f"{PREFIX}keys/shards/abc", table(theirs))
    with pytest.raises(EnvelopeError):
        loop.keyring().subjects.for_opening([(ANNA, 1)])


def test_neither_pseudonyms_nor_keys_are_readable_in_a_table() -> None:
    loop = Loop()
    loop.keyring().subjects.for_sealing([(ANNA, 1)])
    assert ANNA.encode() not in table(loop)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedbackloop.events.keyring.cache.MOST_ROWS", 20)
    loop, rows = Loop(), [(f"{n:03x}" + "0" * 29, 1) for n in range(40)]
    subjects = loop.keyring().subjects
    made = subjects.for_sealing(rows)
    assert opens(made, subjects.for_opening(rows), rows)
    assert subjects._cache._weight <= 20


def test_every_pseudonym_has_a_shard() -> None:
    assert shard_of(ANNA) == "abc"
    for other in ("", "subject", "ABCDEF", "a", "\ud800"):
        assert len(shard_of(other)) == 3


def test_the_threads_are_few() -> None:
    assert module.THREADS <= 8


def test_key_names_are_read_back() -> None:
    assert KeyName.parse("inner/12") == KeyName(Family.INNER, 12)
    assert [KeyName.parse(text) for text in ("inner/", "x/1", "outer/1/2", "outer/²")] == [None] * 4
