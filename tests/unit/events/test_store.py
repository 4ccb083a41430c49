"""The stored log: order, gaps, and objects that are not what their name says."""

from __future__ import annotations

import pytest

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events import codec, store
from feedbackloop.events.errors import EnvelopeError, FrameError, SegmentMissing
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import BadRow, FeedbackRecord
from tests.unit.events.memory_objects import MemoryObjects

KEK, PREFIX = Kek.of(bytes(range(32))), "team/uid-1/"


def vote(number: int) -> FeedbackRecord:
    return FeedbackRecord(f"event-{number}", number, "subject", "helpful", "Thumbs", value=True)


def put(objects: MemoryObjects, pod: str, first: int, last: int) -> str:
    key = store.object_key(PREFIX, store.EVENTS, pod, first, last)
    objects.put_new(key, store.seal([codec.encode(vote(n)) for n in range(first, last + 1)], key=key, kek=KEK))
    return key


def cut(**offsets: int) -> list[PodOffset]:
    return [PodOffset(pod=pod.replace("_", "-"), offset=offset, trainable=0) for pod, offset in offsets.items()]


def read(objects: MemoryObjects, positions: list[PodOffset]) -> list[tuple[str, int, str]]:
    found = store.read_events(objects, PREFIX, positions, KEK)
    return [(record.pod, record.seq, record.event_id) for record in found if isinstance(record, FeedbackRecord)]


def test_records_come_by_pod_and_number_up_to_the_cut() -> None:
    objects = MemoryObjects()
    put(objects, "pod-1", 1, 1)
    put(objects, "pod-0", 3, 4)
    put(objects, "pod-0", 1, 2)
    put(objects, "pod-0", 5, 9)
    expected = [("pod-0", n, f"event-{n}") for n in (1, 2, 3, 4)] + [("pod-1", 1, "event-1")]
    assert read(objects, cut(pod_1=1, pod_0=4)) == expected


def test_a_cut_inside_an_object_ends_there() -> None:
    objects = MemoryObjects()
    put(objects, "pod-0", 1, 10)
    assert len(read(objects, cut(pod_0=3))) == 3


def test_reading_goes_on_behind_an_earlier_cut_and_skips_what_is_wholly_before_it() -> None:
    objects = MemoryObjects()
    del objects.objects[put(objects, "pod-0", 1, 2)]
    objects.put(store.object_key(PREFIX, store.EVENTS, "pod-0", 1, 2), b"not to be opened")
    put(objects, "pod-0", 3, 6)
    put(objects, "pod-1", 1, 2)
    found = store.read_events(objects, PREFIX, cut(pod_0=5, pod_1=2), KEK, since=cut(pod_0=3))
    assert [(record.pod, record.seq) for record in found] == [("pod-0", 4), ("pod-0", 5), ("pod-1", 1), ("pod-1", 2)]


def test_an_empty_cut_reads_nothing() -> None:
    assert read(MemoryObjects(), cut(pod_0=0)) == []


def test_a_missing_object_is_named_before_anything_is_read() -> None:
    objects = MemoryObjects()
    put(objects, "pod-0", 1, 2)
    put(objects, "pod-0", 5, 6)
    with pytest.raises(SegmentMissing, match=r"pod-0.*from 3"):
        next(store.read_events(objects, PREFIX, cut(pod_0=6), KEK))


def test_a_log_that_ends_before_the_cut_is_an_error() -> None:
    objects = MemoryObjects()
    put(objects, "pod-0", 1, 2)
    with pytest.raises(SegmentMissing, match="3 to 7"):
        read(objects, cut(pod_0=7))


def test_overlapping_objects_are_an_error() -> None:
    objects = MemoryObjects()
    put(objects, "pod-0", 1, 3)
    put(objects, "pod-0", 2, 5)
    with pytest.raises(SegmentMissing):
        read(objects, cut(pod_0=5))


def test_an_object_under_anothers_key_is_refused() -> None:
    objects = MemoryObjects()
    moved = objects.objects.pop(put(objects, "pod-0", 1, 2))
    objects.put(store.object_key(PREFIX, store.EVENTS, "pod-1", 1, 2), moved)
    with pytest.raises(EnvelopeError, match="another object"):
        read(objects, cut(pod_1=2))


@pytest.mark.parametrize("length", [0, 10, 200, -1])
def test_a_truncated_object_is_refused(length: int) -> None:
    objects = MemoryObjects()
    key = put(objects, "pod-0", 1, 2)
    objects.put(key, objects.get(key)[:length])
    with pytest.raises(EnvelopeError):
        read(objects, cut(pod_0=2))


def test_another_kek_reads_nothing() -> None:
    objects = MemoryObjects()
    put(objects, "pod-0", 1, 2)
    with pytest.raises(EnvelopeError):
        list(store.read_events(objects, PREFIX, cut(pod_0=2), Kek.of(bytes(32))))


def test_an_object_with_fewer_records_than_its_name_says_is_refused() -> None:
    objects = MemoryObjects()
    key = store.object_key(PREFIX, store.EVENTS, "pod-0", 1, 3)
    objects.put(key, store.seal([codec.encode(vote(1))], key=key, kek=KEK))
    with pytest.raises(EnvelopeError, match="does not hold"):
        read(objects, cut(pod_0=3))


def test_no_plaintext_is_in_an_object() -> None:
    objects = MemoryObjects()
    assert b"event-1" not in objects.get(put(objects, "pod-0", 1, 2))


def test_bad_rows_are_read_with_their_place() -> None:
    objects = MemoryObjects()
    row = BadRow("b-1", 5, "bad_value", "$.value", '{"value":7}')
    key = store.object_key(PREFIX, store.BAD_ROWS, "pod-0", 1, 1)
    objects.put_new(key, store.seal([codec.encode(row)], key=key, kek=KEK))
    (found,) = store.read_badrows(objects, PREFIX, KEK)
    assert (found.pod, found.seq, found.code, found.raw) == ("pod-0", 1, "bad_value", '{"value":7}')


def test_bad_rows_are_read_from_a_place_on() -> None:
    objects = MemoryObjects()
    for pod, first, last in (("pod-0", 1, 2), ("pod-0", 3, 4), ("pod-1", 1, 1)):
        key = store.object_key(PREFIX, store.BAD_ROWS, pod, first, last)
        rows = [codec.encode(BadRow(f"b-{pod}-{n}", 5, "bad_value", "$.value", "1")) for n in range(first, last + 1)]
        objects.put_new(key, store.seal(rows, key=key, kek=KEK))
    found = [(row.pod, row.seq) for row in store.read_badrows(objects, PREFIX, KEK, after=("pod-0", 2))]
    assert found == [("pod-0", 3), ("pod-0", 4), ("pod-1", 1)]


def test_an_entry_of_an_unknown_format_is_an_error() -> None:
    with pytest.raises(FrameError):
        codec.decode(b"\x07something")


def test_fields_of_a_newer_version_are_skipped() -> None:
    import msgspec

    data = msgspec.msgpack.decode(codec.encode(vote(1))[1:]) | {"added_later": 1}
    assert codec.decode(codec.PLAIN + msgspec.msgpack.encode(data)) == vote(1)
