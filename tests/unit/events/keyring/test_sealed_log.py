"""The stored log through both layers: what is altered, moved, left out, repeated or of another key is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events import codec, inner, sealing, store
from feedbackloop.events.codec import Stored
from feedbackloop.events.errors import EnvelopeError
from feedbackloop.events.keyring.blob import Family
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.rotation import finish
from feedbackloop.events.keyring.secret import SecretRoot
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import (
    AuditRecord,
    BadRow,
    ConsentRecord,
    ErasedRecord,
    FeedbackRecord,
    InteractionRecord,
    LostRecord,
    Message,
    Output,
    Record,
)
from tests.unit.events.keyring.rig import PREFIX, RAW, Loop

ANNA, BERT = "abc1" + "0" * 28, "fff2" + "0" * 28
EPOCH_MS = inner.EPOCH_SECONDS * 1000


def said(number: int, subject: str = ANNA, text: str = "planted words", at: int = 0) -> FeedbackRecord:
    return FeedbackRecord(f"event-{number}", at or number, subject, "note", "Comment", value=f"{text} {number}")


def entries(
    ring: Kek, records: Sequence[Stored], pod: str = "pod-0", stream: str = store.EVENTS, first: int = 1
) -> list[bytes]:
    rows = [inner.row_of(record) for record in records]
    at = sealing.place("uid-1", pod, stream)
    return inner.seal([codec.encode(record) for record in records], rows, kek=ring, at=at, first=first)


def put(
    loop: Loop, ring: Kek, sealed: Sequence[bytes], *, pod: str = "pod-0", stream: str = store.EVENTS, first: int = 1
) -> str:
    key = store.object_key(PREFIX, stream, pod, first, first + len(sealed) - 1)
    loop.objects.put(key, store.seal(sealed, key=key, kek=ring))
    return key


def read(loop: Loop, ring: Kek, pod: str = "pod-0", offset: int = 0) -> list[Record]:
    count = offset or max(s.last for s in store.segments(loop.objects, PREFIX, store.EVENTS, pod))
    return list(store.read_events(loop.objects, PREFIX, [PodOffset(pod=pod, offset=count, trainable=0)], ring))


def values(records: Sequence[Record]) -> list[object]:
    return [record.value if isinstance(record, FeedbackRecord) else type(record) for record in records]


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def ring(loop: Loop) -> Keyring:
    return loop.keyring()


def test_records_come_back_through_both_layers(loop: Loop, ring: Keyring) -> None:
    asked = InteractionRecord("i-1", 5, ANNA, (Message("user", "q"),), (Output("o", "a"),))
    put(loop, ring, entries(ring, [said(1), asked, said(3, BERT, at=EPOCH_MS)]))
    found = read(loop, loop.keyring())
    assert values(found) == ["planted words 1", InteractionRecord, "planted words 3"]
    assert [record.seq for record in found] == [1, 2, 3]
    assert loop.names("shards/") == ["shards/abc", "shards/fff"]


def test_inside_the_envelope_nothing_of_a_subject_is_readable(ring: Keyring) -> None:
    (sealed,) = entries(ring, [said(1)])
    assert b"planted" not in sealed
    assert b"Comment" not in sealed


def test_what_has_no_content_of_a_subject_stays_under_the_outer_layer(loop: Loop, ring: Keyring) -> None:
    records: list[Stored] = [
        ConsentRecord("c-1", 1, ANNA, "Train", "given", "app"),
        AuditRecord(2, "config.applied"),
        LostRecord(),
        said(4, ""),
    ]
    sealed = entries(ring, records)
    assert not any(map(sealing.is_sealed, sealed))
    put(loop, ring, sealed)
    assert [type(record) for record in read(loop, ring)] == [ConsentRecord, AuditRecord, LostRecord, FeedbackRecord]
    assert loop.names("shards/") == []


def test_a_log_of_before_stays_readable(loop: Loop, ring: Keyring) -> None:
    put(loop, Kek.of(RAW), [codec.encode(said(1))])
    put(loop, ring, entries(ring, [said(2)], first=2), first=2)
    assert values(read(loop, ring)) == ["planted words 1", "planted words 2"]


def test_bad_rows_are_sealed_too(loop: Loop, ring: Keyring) -> None:
    row = BadRow("b-1", 5, "bad_value", "$.value", '{"value":"planted"}', subject=ANNA)
    sealed = entries(ring, [row], stream=store.BAD_ROWS)
    assert sealing.is_sealed(sealed[0])
    put(loop, ring, sealed, stream=store.BAD_ROWS)
    (found,) = store.read_badrows(loop.objects, PREFIX, loop.keyring())
    assert (found.raw, found.seq) == (row.raw, 1)
    ring.subjects.destroy(ANNA, "request")
    assert list(store.read_badrows(loop.objects, PREFIX, loop.keyring())) == []


def test_rotations_leave_every_object_readable_and_untouched(loop: Loop, ring: Keyring) -> None:
    key = put(loop, ring, entries(ring, [said(1)]))
    before = loop.objects.get(key)
    for family in Family:
        ring.add(family)
    finish(ring, settled=True), finish(ring, settled=True)
    put(loop, ring, entries(ring, [said(2)], first=2), first=2)
    assert values(read(loop, loop.keyring())) == ["planted words 1", "planted words 2"]
    assert loop.objects.get(key) == before
    assert loop.names("inner/") == ["inner/2"]


def test_an_erased_subject_is_erased_in_every_object_and_nobody_else_is(loop: Loop, ring: Keyring) -> None:
    put(loop, ring, entries(ring, [said(1), said(2, BERT), said(3, at=EPOCH_MS)]))
    ring.subjects.destroy(ANNA, "request")
    found = read(loop, loop.keyring())
    assert values(found) == [ErasedRecord, "planted words 2", ErasedRecord]
    assert [(record.pod, record.seq) for record in found] == [("pod-0", n) for n in (1, 2, 3)]


def test_what_an_erased_subject_says_afterwards_is_not_stored(loop: Loop, ring: Keyring) -> None:
    ring.subjects.destroy(ANNA, "request")
    sealed = entries(ring, [said(1), said(2, BERT)])
    assert sealed[0] == inner.ERASED
    put(loop, ring, sealed)
    assert values(read(loop, ring)) == [ErasedRecord, "planted words 2"]


def test_a_lost_table_is_an_error_that_names_the_object(loop: Loop, ring: Keyring) -> None:
    key = put(loop, ring, entries(ring, [said(1)]))
    loop.objects.delete(f"{PREFIX}keys/shards/abc")
    with pytest.raises(EnvelopeError, match=f"{key}.*no tombstone"):
        read(loop, loop.keyring())


def test_without_a_keyring_sealed_records_are_not_read(loop: Loop, ring: Keyring) -> None:
    key = put(loop, ring, entries(ring, [said(1)]))
    outer_only = Kek({"outer/1": ring.key("outer/1")}, "outer/1")
    with pytest.raises(EnvelopeError, match=f"{key}.*keyring"):
        read(loop, outer_only)


def test_another_root_key_reads_nothing(loop: Loop, ring: Keyring) -> None:
    put(loop, ring, entries(ring, [said(1)]))
    other = Loop().keyring(SecretRoot(bytes(32)))
    with pytest.raises(EnvelopeError):
        read(loop, other)


def test_records_that_were_reordered_inside_an_object_are_refused(loop: Loop, ring: Keyring) -> None:
    one, two = entries(ring, [said(1), said(2)])
    key = put(loop, ring, [two, one])
    with pytest.raises(EnvelopeError, match=f"{key}.*record 1"):
        read(loop, ring)


def test_a_record_that_was_repeated_is_refused(loop: Loop, ring: Keyring) -> None:
    one, _ = entries(ring, [said(1), said(2)])
    put(loop, ring, [one, one])
    with pytest.raises(EnvelopeError, match="record 2"):
        read(loop, ring)


def test_a_record_of_another_pod_stream_or_loop_is_refused(loop: Loop, ring: Keyring) -> None:
    foreign = [
        entries(ring, [said(1)], pod="pod-1"),
        entries(ring, [said(1)], stream=store.BAD_ROWS),
        inner.seal(
            [codec.encode(said(1))], [(ANNA, 0)], kek=ring, at=sealing.place("uid-2", "pod-0", "events"), first=1
        ),
    ]
    for sealed in foreign:
        put(loop, ring, sealed)
        with pytest.raises(EnvelopeError, match="record 1"):
            read(loop, ring)


def test_an_object_that_was_put_in_anothers_place_is_refused(loop: Loop, ring: Keyring) -> None:
    key = put(loop, ring, entries(ring, [said(1)]))
    loop.objects.put(key.replace("pod-0", "pod-1"), loop.objects.get(key))
    with pytest.raises(EnvelopeError, match="another object"):
        read(loop, ring, pod="pod-1")


def test_an_older_object_that_is_played_back_under_a_later_name_is_refused(loop: Loop, ring: Keyring) -> None:
    key = put(loop, ring, entries(ring, [said(1)]))
    later = store.object_key(PREFIX, store.EVENTS, "pod-0", 2, 2)
    loop.objects.put(later, loop.objects.get(key))
    with pytest.raises(EnvelopeError, match="another object"):
        read(loop, ring)


def test_every_altered_byte_of_a_sealed_record_is_noticed(loop: Loop, ring: Keyring) -> None:
    (sealed,) = entries(ring, [said(1)])
    for at in range(1, len(sealed)):
        put(loop, ring, [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]])
        with pytest.raises(EnvelopeError):
            read(loop, ring)


@pytest.mark.parametrize("length", [1, 2, 3, 20, 45, 60, -1])
def test_a_truncated_record_is_refused(loop: Loop, ring: Keyring, length: int) -> None:
    (sealed,) = entries(ring, [said(1)])
    put(loop, ring, [sealed[:length]])
    with pytest.raises(EnvelopeError):
        read(loop, ring)


def test_the_name_of_another_subject_on_a_record_is_refused(loop: Loop, ring: Keyring) -> None:
    """Also when that subject was erased or has a key."""
    (sealed,) = entries(ring, [said(1)])
    ring.subjects.for_sealing([(BERT, 0)])
    put(loop, ring, [sealed.replace(ANNA.encode(), BERT.encode())])
    with pytest.raises(EnvelopeError, match="record 1"):
        read(loop, ring)


def test_no_nonce_comes_twice(ring: Keyring) -> None:
    sealed = entries(ring, [said(n) for n in range(500)]) + entries(ring, [said(n) for n in range(500)])
    start = 3 + sealed[0][2]
    assert len({entry[start : start + sealing.NONCE_BYTES] for entry in sealed}) == 1000


def test_sealing_compresses(ring: Keyring) -> None:
    record = said(1, text="please shorten the answers, the reports are too long to be read on a phone")
    (sealed,) = entries(ring, [record])
    overhead = 3 + 40 + sealing.NONCE_BYTES + 16
    assert len(sealed) < len(codec.encode(record)) + overhead - 40
