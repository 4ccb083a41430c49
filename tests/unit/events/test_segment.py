"""The log segment's format: torn at every byte, altered at every byte, never two frames under one nonce."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.events.errors import EnvelopeError, FrameError
from feedbackloop.events.keys import Kek
from feedbackloop.events.segment import Kind, SegmentReader, SegmentWriter, pack_entry

KEK = Kek.of(bytes(range(32)))


def write(batches: list[list[bytes]], *, number: int = 1) -> tuple[bytes, list[int]]:
    """A segment's bytes, and where the header and each frame end."""
    writer = SegmentWriter(kek=KEK, loop_uid="uid", pod="pod-0", number=number, position=(1, 1))
    data, ends, event = writer.header, [len(writer.header)], 1
    for batch in batches:
        packed = b"".join(pack_entry(Kind.EVENT, entry) for entry in batch)
        data += writer.frame(first_event=event, first_bad_row=1, entries=packed)
        event += len(batch)
        ends.append(len(data))
    return data, ends


def read(data: bytes) -> list[bytes]:
    """The entries before the first damage."""
    entries: list[bytes] = []
    try:
        for frame in SegmentReader(data, kek=KEK).frames():
            entries += [entry for _, entry in frame.entries]
    except FrameError:
        pass
    return entries


@given(st.lists(st.lists(st.binary(max_size=50), max_size=4), max_size=4))
def test_what_was_written_is_read(batches: list[list[bytes]]) -> None:
    data, _ = write(batches)
    assert read(data) == [entry for batch in batches for entry in batch]


def test_torn_at_any_byte_it_yields_the_frames_before_that_byte() -> None:
    batches = [[b"one", b"two"], [b"three"], [b"four" * 10]]
    data, ends = write(batches)
    for length in range(ends[0], len(data)):
        whole = sum(end <= length for end in ends[1:])
        assert read(data[:length]) == [entry for batch in batches[:whole] for entry in batch]
    for length in range(ends[0]):
        with pytest.raises(FrameError):
            SegmentReader(data[:length], kek=KEK)


def test_an_altered_byte_anywhere_in_a_frame_is_noticed() -> None:
    data, ends = write([[b"one"], [b"two"]])
    for at in range(ends[0], ends[1]):
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert read(broken) == []


def test_frames_cannot_be_swapped_repeated_or_taken_from_another_segment() -> None:
    data, ends = write([[b"one"], [b"two"]])
    first, second = data[ends[0] : ends[1]], data[ends[1] :]
    assert read(data[: ends[0]] + second + first) == [b"two"]  # a gap in numbers is allowed, going back is not
    assert read(data[: ends[1]] + first) == [b"one"]
    other, other_ends = write([[b"other"]], number=2)
    assert read(data[: ends[0]] + other[other_ends[0] :]) == []


def test_another_kek_does_not_open_it() -> None:
    data, _ = write([[b"one"]])
    with pytest.raises(EnvelopeError):
        SegmentReader(data, kek=Kek.of(bytes(32)))


def test_no_plaintext_is_in_the_file() -> None:
    data, _ = write([[b"planted private text"]])
    assert b"planted" not in data


def test_a_failed_write_spends_its_number() -> None:
    writer = SegmentWriter(kek=KEK, loop_uid="uid", pod="pod-0", number=1, position=(1, 1))
    lost = writer.frame(first_event=1, first_bad_row=1, entries=pack_entry(Kind.EVENT, b"lost"))
    kept = writer.frame(first_event=1, first_bad_row=1, entries=pack_entry(Kind.EVENT, b"kept"))
    assert lost[8:] != kept[8:]
    assert read(writer.header + kept) == [b"kept"]
