"""The write-ahead log and its recovery, on a disk that can be made to fail."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from feedbackloop.events import codec
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import FeedbackRecord, LostRecord
from feedbackloop.events.segment import Kind
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.disk import Disk
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.recovery import recover
from feedbackloop.gateway.restore import Restored, decode_entry, restore
from feedbackloop.gateway.state import State
from feedbackloop.gateway.volume import Volume, VolumeInUse
from feedbackloop.gateway.wal import LogUnavailable

KEK = Kek.of(bytes(range(32)))


class FailingDisk(Disk):
    """The real disk, except for the next failures that a test asks for."""

    def __init__(self) -> None:
        self.fail: list[int] = []
        self.keep = 0
        """Bytes of a failing write that reach the file all the same."""
        self.truncates = True

    def write(self, fd: int, data: bytes, offset: int) -> int:
        if self.fail:
            code = self.fail.pop(0)
            super().write(fd, data[: self.keep], offset)
            raise OSError(code, "made to fail")
        return super().write(fd, data, offset)

    def truncate(self, fd: int, length: int) -> None:
        if not self.truncates:
            raise OSError(errno.EIO, "made to fail")
        super().truncate(fd, length)


def vote(number: int) -> FeedbackRecord:
    return FeedbackRecord(f"event-{number}", number, "subject", "helpful", "Thumbs", value=True, fingerprint=1)


class Rig:
    """A volume and a journal on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.disk = root, FailingDisk()
        self.volume = Volume(root, kek=KEK, loop_uid="uid", disk=self.disk)
        self.dedupe = Dedupe(b"k" * 32)
        self.restored: Restored = restore(self.volume, kek=KEK, dedupe=self.dedupe)
        self.journal = Journal(
            self.volume, kek=KEK, loop_uid="uid", pod="pod-0", state=self.restored.state, dedupe=self.dedupe
        )
        self.journal.start(self.restored.next_segment)

    async def put(self, *numbers: int) -> None:
        await self.journal.submit([vote(number) for number in numbers])

    async def close(self) -> None:
        await self.journal.close()
        self.volume.close()


def stored(root: Path) -> list[int]:
    """Numbers of the votes that a new process finds, in order; 0 for a lost one."""
    found = []
    for _, contents in recover(root / "wal", root / "quarantine", kek=KEK):
        for entry in contents.entries:
            record = decode_entry(entry.kind, entry.data)
            found.append(record.received_at if isinstance(record, FeedbackRecord | LostRecord) else -1)
    return found


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedbackloop.gateway.wal.RETRY_SECONDS", 0.0)


async def test_what_was_committed_is_found_again_in_order(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await asyncio.gather(*(rig.put(number) for number in range(1, 20)))
    await rig.close()
    assert stored(tmp_path) == list(range(1, 20))


async def test_requests_of_one_moment_share_a_frame(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.put(0)
    await asyncio.gather(*(rig.put(number) for number in range(1, 20)))
    assert rig.journal.position == (1, 1)
    await rig.close()


async def test_a_torn_end_is_cut_off_at_every_byte_and_the_rest_is_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "a")
    await rig.put(1)
    await rig.put(2)
    whole = next((tmp_path / "a" / "wal").glob("*.seg")).read_bytes()
    await rig.put(3)
    path = next((tmp_path / "a" / "wal").glob("*.seg"))
    torn = path.read_bytes()
    await rig.close()
    for length in range(len(whole), len(torn)):
        path.write_bytes(torn[:length])
        assert stored(tmp_path / "a") == [1, 2]
        assert path.stat().st_size == len(whole)
    assert list((tmp_path / "a" / "quarantine").iterdir()) == []


async def test_damage_inside_the_log_is_set_aside_and_its_numbers_are_filled(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.put(1)
    before = next((tmp_path / "wal").glob("*.seg")).stat().st_size
    await rig.put(2, 3)
    await rig.put(4)
    await rig.close()
    path = next((tmp_path / "wal").glob("*.seg"))
    data = bytearray(path.read_bytes())
    data[before + 20] ^= 1
    path.write_bytes(bytes(data))
    assert stored(tmp_path) == [1, 0, 0, 4]
    assert [kept.name for kept in (tmp_path / "quarantine").iterdir()] == [path.name]
    again = Rig(tmp_path)
    assert (again.restored.state.stored, again.restored.damaged) == (4, 1)
    await again.close()


async def test_a_segment_whose_header_is_unreadable_leaves_lost_numbers_but_no_gap(tmp_path: Path) -> None:
    for numbers in ((1,), (2, 3), (4,)):
        rig = Rig(tmp_path)
        await rig.put(*numbers)
        await rig.close()
    second = sorted((tmp_path / "wal").glob("*.seg"))[1]
    second.write_bytes(b"x" * second.stat().st_size)
    assert stored(tmp_path) == [1, 0, 0, 4]


async def test_a_full_disk_fails_the_batch_and_recovers_by_itself(tmp_path: Path, unhurried: None) -> None:
    rig = Rig(tmp_path)
    await rig.put(1)
    rig.disk.fail, rig.disk.keep = [errno.ENOSPC], 17
    with pytest.raises(LogUnavailable, match="DiskFull"):
        await rig.put(2)
    assert rig.journal.failure == "DiskFull"
    await rig.put(3)
    assert (rig.journal.failure, rig.journal.state.stored) == (None, 2)
    await rig.close()
    assert stored(tmp_path) == [1, 3]


async def test_a_failed_sync_ends_the_segment_and_what_it_left_is_not_read(tmp_path: Path, unhurried: None) -> None:
    rig = Rig(tmp_path)
    await rig.put(1)
    rig.disk.fail, rig.disk.keep, rig.disk.truncates = [errno.EIO], 10_000, False
    with pytest.raises(LogUnavailable, match="WriteFailed"):
        await rig.put(2)
    await rig.put(3)
    await rig.close()
    assert len(list((tmp_path / "wal").glob("*.seg"))) == 2
    assert stored(tmp_path) == [1, 3]


async def test_an_id_whose_write_failed_may_come_again(tmp_path: Path, unhurried: None) -> None:
    rig = Rig(tmp_path)
    rig.disk.fail = [errno.ENOSPC]
    with pytest.raises(LogUnavailable):
        await rig.journal.submit([vote(1)], keys=[(77, 1)])
    assert rig.dedupe.find(77) is None
    await rig.journal.submit([vote(1)], keys=[(77, 1)])
    assert rig.dedupe.find(77) == (1, None)
    await rig.close()


async def test_above_its_bound_the_log_refuses_until_there_is_room(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.put(1)
    rig.journal.limit_bytes = 10
    rig.journal.review()
    with pytest.raises(LogUnavailable, match="VolumeFull"):
        await rig.put(2)
    rig.journal.limit_bytes = 1 << 20
    rig.journal.review()
    await rig.put(2)
    await rig.close()


async def test_a_new_process_knows_the_ids_of_the_old_one(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    key = rig.dedupe.key_of("subject", "event-1")
    await rig.journal.submit([vote(1)], keys=[(key, 1)])
    await rig.close()
    again = Rig(tmp_path)
    assert again.dedupe.find(key) == (1, None)
    await again.put(2)
    await again.close()
    assert stored(tmp_path) == [1, 2]


async def test_a_process_never_writes_into_a_segment_of_another(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        rig = Rig(tmp_path)
        await rig.put(number)
        await rig.close()
    assert [path.stem for path in sorted((tmp_path / "wal").glob("*.seg"))] == [
        "000000000001",
        "000000000002",
        "000000000003",
    ]


async def test_two_processes_do_not_share_a_volume(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with pytest.raises(VolumeInUse):
        Volume(tmp_path, kek=KEK, loop_uid="uid")
    await rig.close()


async def test_nothing_private_is_readable_on_the_volume(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.journal.submit([FeedbackRecord("e", 1, "s", "note", "Comment", value="planted private text")])
    await rig.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240
    assert files
    assert not any(b"planted" in path.read_bytes() for path in files)


async def test_time_never_runs_backwards_in_the_log(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.put(9_999_999_999_999)
    await rig.close()
    again = Rig(tmp_path)
    assert again.journal.now_ms() >= 9_999_999_999_999
    await again.close()


def test_entries_of_a_segment_are_read_back_by_kind(tmp_path: Path) -> None:
    assert isinstance(decode_entry(Kind.EVENT, codec.encode(vote(1))), FeedbackRecord)
    assert decode_entry(Kind.EVENT, b"\x09junk") is None
    assert State().accepted == 0
