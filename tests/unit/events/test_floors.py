"""Readers begin at the floor, whatever a sweep is doing to what lies below it."""

from __future__ import annotations

import pytest

from feedbackloop.events import floors, store
from feedbackloop.events.errors import EnvelopeError, ObjectMissing, SegmentMissing
from feedbackloop.events.floors import Floor
from feedbackloop.gateway.joining import numbering
from tests.unit.events.memory_objects import MemoryObjects
from tests.unit.events.test_store import KEK, PREFIX, cut, put, read


def raise_floor(objects: MemoryObjects, first: int, trainable: int = 0, stream: str = store.EVENTS) -> None:
    objects.put(floors.key_of(PREFIX, stream, "pod-0"), Floor(first, trainable).encode())


def numbers(objects: MemoryObjects, offset: int) -> list[int]:
    return [seq for _, seq, _ in read(objects, cut(pod_0=offset))]


@pytest.fixture
def objects() -> MemoryObjects:
    objects = MemoryObjects()
    for first in (1, 3, 5):
        put(objects, "pod-0", first, first + 1)
    return objects


def test_what_is_below_the_floor_is_not_read_whether_it_is_gone_or_not(objects: MemoryObjects) -> None:
    raise_floor(objects, 3)
    assert numbers(objects, 6) == [3, 4, 5, 6]
    del objects.objects[store.object_key(PREFIX, store.EVENTS, "pod-0", 1, 2)]
    assert numbers(objects, 6) == [3, 4, 5, 6]


def test_a_cut_below_the_floor_is_empty(objects: MemoryObjects) -> None:
    raise_floor(objects, 7)
    assert numbers(objects, 4) == []
    assert numbers(objects, 6) == []


def test_a_gap_above_the_floor_is_still_an_error(objects: MemoryObjects) -> None:
    raise_floor(objects, 3)
    del objects.objects[store.object_key(PREFIX, store.EVENTS, "pod-0", 3, 4)]
    with pytest.raises(SegmentMissing, match="from 3"):
        numbers(objects, 6)


def test_what_a_sweep_takes_while_it_is_read_is_left_out_and_anything_else_is_an_error(
    objects: MemoryObjects,
) -> None:
    reading = store.read_events(objects, PREFIX, cut(pod_0=6), KEK)
    assert next(reading).seq == 1
    raise_floor(objects, 5)
    del objects.objects[store.object_key(PREFIX, store.EVENTS, "pod-0", 3, 4)]
    assert [record.seq for record in reading] == [2, 5, 6]
    again = store.read_events(objects, PREFIX, cut(pod_0=6), KEK)
    assert next(again).seq == 5
    reading = store.read_events(objects, PREFIX, cut(pod_0=6), KEK)
    del objects.objects[store.object_key(PREFIX, store.EVENTS, "pod-0", 5, 6)]
    with pytest.raises(SegmentMissing):
        next(reading)


def test_a_lost_object_above_the_floor_is_an_error_also_while_it_is_read(objects: MemoryObjects) -> None:
    reading = store.read_events(objects, PREFIX, cut(pod_0=6), KEK)
    next(reading)
    del objects.objects[store.object_key(PREFIX, store.EVENTS, "pod-0", 3, 4)]
    with pytest.raises(ObjectMissing):
        list(reading)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"first":0}', b'{"first":"x"}', b"null"])
def test_what_is_no_floor_is_refused(objects: MemoryObjects, data: bytes) -> None:
    objects.put(floors.key_of(PREFIX, store.EVENTS, "pod-0"), data)
    with pytest.raises(EnvelopeError, match="floor"):
        numbers(objects, 6)


def test_a_fresh_volume_goes_on_behind_a_log_that_has_wholly_expired() -> None:
    objects = MemoryObjects()
    raise_floor(objects, 7, trainable=4)
    raise_floor(objects, 3, stream=store.BAD_ROWS)
    found = numbering.stored(objects, PREFIX, "pod-0")
    assert (found.last_event, found.last_bad_row) == (6, 2)
    assert numbering.declared_trainable(objects, found) == 4
