from pathlib import Path

import pytest

from feedbackloop.events.keys import Kek
from feedbackloop.jobs.errors import StorageUnavailable
from feedbackloop.jobs.train import resume
from feedbackloop.jobs.train.checkpoints import Checkpoints
from feedbackloop.jobs.vault import Vault
from tests.unit.jobs.memory import MemoryS3

KEK = Kek.of(bytes(32))
RUN = "train-0123456789ab"


def checkpoints(s3: MemoryS3, spec: str = "sha256:1", rows: str = "sha256:rows") -> Checkpoints:
    return Checkpoints(Vault(s3.store("feedback", "team/uid/"), KEK), RUN, spec, rows)


def local(path: Path, step: int, words: str = "weights") -> Path:
    path.mkdir(parents=True)
    (path / "model.safetensors").write_text(f"{words} {step}")
    (path / "trainer_state.json").write_text(f'{{"global_step": {step}, "log_history": []}}')
    (path / "training_args.bin").write_text("pickle")
    return path


def key(step: int, name: str) -> str:
    return f"team/uid/runs/{RUN}/checkpoints/{step}/{name}"


def test_the_newest_checkpoint_is_restored(tmp_path: Path) -> None:
    stored = checkpoints(MemoryS3())
    for step in (5, 10):
        stored.commit(step, local(tmp_path / str(step), step))
    assert stored.restore(tmp_path / "into") == 10
    assert (tmp_path / "into" / "model.safetensors").read_text() == "weights 10"


def test_pickles_of_settings_are_not_stored_and_nothing_is_readable(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3).commit(5, local(tmp_path / "5", 5))
    assert key(5, "training_args.bin") not in s3.objects
    assert not any(b"weights" in data or b"global_step" in data for data in s3.objects.values())


def test_the_marker_is_written_last(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3).commit(5, local(tmp_path / "5", 5))
    assert s3.written[-1] == key(5, "COMMITTED")


def test_a_checkpoint_without_its_marker_is_none(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3).commit(5, local(tmp_path / "5", 5))
    del s3.objects[key(5, "COMMITTED")]
    assert checkpoints(s3).restore(tmp_path / "into") is None


@pytest.mark.parametrize("damage", ["removed", "altered", "swapped"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    s3 = MemoryS3()
    for step in (5, 10):
        checkpoints(s3).commit(step, local(tmp_path / str(step), step))
    broken = key(10, "model.safetensors")
    if damage == "removed":
        del s3.objects[broken]
    else:
        s3.objects[broken] = b"junk" if damage == "altered" else s3.objects[key(5, "model.safetensors")]
    assert checkpoints(s3).restore(tmp_path / "into") == 5


def test_a_checkpoint_of_another_spec_is_not_ours(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3, "sha256:1").commit(5, local(tmp_path / "5", 5))
    assert checkpoints(s3, "sha256:2").restore(tmp_path / "into") is None


def test_a_committed_checkpoint_is_never_written_again(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3).commit(5, local(tmp_path / "a", 5))
    checkpoints(s3).commit(5, local(tmp_path / "b", 5, "others"))
    checkpoints(s3).restore(tmp_path / "into")
    assert (tmp_path / "into" / "model.safetensors").read_text() == "weights 5"


def test_only_the_newest_two_are_kept(tmp_path: Path) -> None:
    s3 = MemoryS3()
    for step in (5, 10, 15):
        checkpoints(s3).commit(step, local(tmp_path / str(step), step))
    assert checkpoints(s3).committed() == [15, 10]
    assert not [k for k in s3.objects if "/5/" in k]


def test_storage_that_is_away_is_no_empty_storage(tmp_path: Path) -> None:
    s3 = MemoryS3()
    s3.away = True
    with pytest.raises(StorageUnavailable):
        checkpoints(s3).restore(tmp_path / "into")


def test_a_launchers_checkpoint_wins_when_it_is_newer(tmp_path: Path) -> None:
    stored = checkpoints(MemoryS3())
    stored.commit(5, local(tmp_path / "5", 5))
    kept = local(tmp_path / "kept", 10)
    resume.sign(kept)
    assert resume.newest(stored, tmp_path / "into", kept) == (10, kept)


def test_a_torn_checkpoint_of_a_launcher_is_left_out(tmp_path: Path) -> None:
    stored = checkpoints(MemoryS3())
    stored.commit(5, local(tmp_path / "5", 5))
    kept = local(tmp_path / "kept", 10)
    resume.sign(kept)
    (kept / "model.safetensors").write_text("")
    assert resume.newest(stored, tmp_path / "into", kept) == (5, tmp_path / "into")


def test_an_unsigned_checkpoint_of_a_launcher_is_left_out(tmp_path: Path) -> None:
    assert resume.newest(checkpoints(MemoryS3()), tmp_path / "into", local(tmp_path / "kept", 10)) is None


def test_what_learned_from_withdrawn_rows_is_deleted_and_pushes_no_new_checkpoint_out(tmp_path: Path) -> None:
    s3 = MemoryS3()
    before = checkpoints(s3)
    for step in (20, 30):
        before.commit(step, local(tmp_path / str(step), step))
    after = checkpoints(s3, rows="sha256:fewer")
    assert after.restore(tmp_path / "into") is None
    assert s3.objects == {}
    after.commit(10, local(tmp_path / "10", 10))
    assert checkpoints(s3, rows="sha256:fewer").restore(tmp_path / "again") == 10


def test_checkpoints_of_another_spec_are_left_alone(tmp_path: Path) -> None:
    s3 = MemoryS3()
    checkpoints(s3).commit(20, local(tmp_path / "20", 20))
    assert checkpoints(s3, spec="sha256:2").restore(tmp_path / "into") is None
    assert checkpoints(s3).restore(tmp_path / "into") == 20
