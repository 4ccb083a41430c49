"""Retention against a real S3, with versions and without."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import SweepResult, SweepSpec
from feedbackloop.events import floors
from feedbackloop.jobs.progress import Progress
from feedbackloop.jobs.runtime import Job, Place, Stopping
from feedbackloop.jobs.storage import Objects
from feedbackloop.jobs.sweep.bucket import Bucket
from feedbackloop.jobs.sweep.clock import Times
from feedbackloop.jobs.sweep.stage import sweep
from tests.jobs.pod import Pod, conversation
from tests.support.seaweedfs import SeaweedFs

DAY, NONE = 86_400, timedelta()
REJECTED, SERVED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def bucket(s3: SeaweedFs, name: str, versioning: str = "") -> str:
    """A bucket of that name, made once."""
    client = s3.client()
    if name not in {known["Name"] for known in client.list_buckets()["Buckets"]}:
        s3.make_bucket(name)
        if versioning:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
    return name


@pytest.fixture(params=["", "Enabled"], ids=["plain", "versioned"])
def pod(request: pytest.FixtureRequest, s3: SeaweedFs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    versioning: str = request.param
    name = bucket(s3, f"swept-{versioning.lower() or 'plain'}", versioning)
    monkeypatch.setattr("tests.jobs.pod.BUCKET", name)
    s3.write_secret(tmp_path / "secrets" / "models-write")
    return Pod(s3, tmp_path)


def job(pod: Pod, **changes: Any) -> Job[SweepSpec]:
    retention = {"rawSeconds": DAY, "badRowsSeconds": 2 * DAY, "datasetsSeconds": 4 * DAY}
    body = pod.spec(stage="sweep", runId="sweep-0123456789ab", retention=retention | {"rejectedCandidatesSeconds": DAY})
    for name in ("cut", "signals", "consentRequired", "curation", "goldenPrefix"):
        del body[name]
    spec = SweepSpec.model_validate(body | changes)
    place = Place(pod.home / "spec.json", pod.home / "secrets", pod.home)
    return Job(spec, "sha256:s", place, pod.store, Progress(pod.store, "x", "r", 1), Stopping())


def swept(pod: Pod, days: float, *, most: int = 50_000, apart: timedelta = NONE, **changes: Any) -> SweepResult:
    """A sweep so many days from now, by both clocks."""
    store = datetime.now(UTC) + timedelta(days=days)
    return sweep(job(pod, **changes), Bucket(pod.store), Times(store + apart, store), most)


def fill(pod: Pod, segments: int = 4) -> None:
    for n in range(segments):
        pod.upload(conversation(n, "ann", "hours?", "9", "8"), pod=f"gw-{n % 2}")
    for key in ("badrows/gw-0/" + f"{1:020}-{3:020}.seg", "datasets/aa/manifest.json", "datasets/aa/train.jsonl",
                "runs/curate-1/result.json", "runs/curate-1/attempts/1.json", "keys/secret-x", "keys/shards/000",
                "ledger/gw-0/" + f"{1:020}-{2:020}.jsonl"):  # fmt: skip
        pod.store.put(key, b"first")
        pod.store.put(key, b"second")
    pod.store.put("datasets/aa/extra", b"x")
    pod.store.delete("datasets/aa/extra")


def versions(pod: Pod, below: str = "") -> list[str]:
    """Keys of all versions and delete markers that are listed."""
    return sorted({version.key for version in Bucket(pod.store).versions(below)})


def test_every_class_goes_at_its_time_with_all_its_versions_and_nothing_else(pod: Pod) -> None:
    fill(pod)
    keys = versions(pod, "keys/")
    assert swept(pod, 0.5).deleted == {}
    first = swept(pod, 1.5)
    assert (first.deleted, first.kept, first.verified) == ({"events": 4}, {}, True)
    second = swept(pod, 2.5)
    assert second.deleted == {"badRows": 1}
    third = swept(pod, 4.5)
    assert third.deleted["runs"] == 2
    assert third.deleted["datasets"] >= 2
    assert third.verified
    assert versions(pod, "keys/") == keys
    left = [key for key in versions(pod) if not key.startswith("keys/")]
    assert left == [
        "badrows/gw-0/FLOOR",
        "events/gw-0/FLOOR",
        "events/gw-1/FLOOR",
        f"ledger/gw-0/{1:020}-{2:020}.jsonl",
    ]
    assert swept(pod, 5).deleted == {}


def test_the_floor_is_above_what_went_and_is_never_lowered(pod: Pod) -> None:
    fill(pod)
    swept(pod, 1.5)
    floor = floors.read(Objects(pod.store), pod.prefix, "events", "gw-0")
    assert floor.first == pod.counts["gw-0"] + 1
    pod.upload(conversation(9, "ann", "hours?", "9"), pod="gw-0")
    swept(pod, 0)
    assert floors.read(Objects(pod.store), pod.prefix, "events", "gw-0") == floor
    assert len(versions(pod, "events/gw-0/")) == 2


def test_a_sweep_that_died_after_the_floor_is_finished_by_the_next(pod: Pod) -> None:
    fill(pod)
    last = pod.counts["gw-0"]
    pod.store.put("events/gw-0/FLOOR", floors.Floor(last + 1).encode())
    result = swept(pod, 0)
    assert (result.deleted, result.verified) == ({"events": 2}, True)
    assert versions(pod, "events/gw-0/") == ["events/gw-0/FLOOR"]


def test_a_bounded_sweep_goes_on_the_next_time(pod: Pod) -> None:
    fill(pod, segments=6)
    first = swept(pod, 1.5, most=2)
    assert (first.deleted, first.kept) == ({"events": 2}, {"bound": 4})
    assert swept(pod, 1.5, most=2).deleted == {"events": 2}
    assert swept(pod, 1.5, most=2).deleted == {"events": 2}
    assert swept(pod, 1.5, most=2).deleted == {}


def test_a_legal_hold_keeps_everything_and_says_so(pod: Pod) -> None:
    fill(pod)
    before = versions(pod)
    held: dict[str, Any] = {"retention": {"rawSeconds": DAY, "legalHold": True}}
    result = swept(pod, 400, **held)
    assert result.deleted == {}
    assert result.kept["legal-hold"] >= 9
    assert versions(pod) == before


@pytest.mark.parametrize("hours", [25, -25])
def test_clocks_that_are_apart_delete_nothing(pod: Pod, hours: int) -> None:
    fill(pod)
    before = versions(pod)
    result = swept(pod, 10, apart=timedelta(hours=hours))
    assert (result.deleted, result.verified, result.swept_at) == ({}, False, "")
    assert result.kept["clock"] > 0
    assert result.message
    assert versions(pod) == before


def test_a_clock_behind_the_last_sweep_deletes_nothing(pod: Pod) -> None:
    fill(pod)
    later = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert swept(pod, 10, lastSweep=later).kept["clock"] > 0


def test_more_than_half_at_once_waits_for_a_confirmation(pod: Pod) -> None:
    fill(pod, segments=12)
    result = swept(pod, 1.5)
    assert (result.deleted, result.kept) == ({}, {"too-many": 12})
    assert swept(pod, 1.5, force=True).deleted == {"events": 12}


def test_data_sets_in_use_stay(pod: Pod) -> None:
    fill(pod)
    result = swept(pod, 5, keepDatasets=["sha256:aa"])
    assert "datasets" not in result.deleted
    assert result.kept["in-use"] >= 2
    assert pod.store.get("datasets/aa/manifest.json") == b"second"


def test_of_models_only_named_candidates_go_that_are_not_served(pod: Pod) -> None:
    models = pod.store.at("")
    models.bucket = bucket(pod.s3, "models", "Enabled")
    for digest in (REJECTED, SERVED, f"sha256:{'c' * 64}"):
        for name in ("manifest.json", "model.safetensors"):
            models.put(f"bot-{pod.uid}/{digest.removeprefix('sha256:')}/{name}", b"x")
    where = {"models": pod.s3.store("models").to_wire(), "registeredModel": f"bot-{pod.uid}"}
    changes: dict[str, Any] = where | {"rejectedModels": [REJECTED, SERVED], "keepModels": [SERVED]}
    result = swept(pod, 1.5, **changes)
    assert (result.deleted, result.kept) == ({"models": 2}, {"in-use": 2})
    left = {key.split("/")[1][:1] for key in models.keys(f"bot-{pod.uid}/")}
    assert left == {"b", "c"}


def test_a_store_that_says_deleted_and_keeps_a_version_is_found_out(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """As SeaweedFS does with delete markers of a bucket whose versioning was suspended."""
    fill(pod)
    delete = Bucket.delete
    monkeypatch.setattr(Bucket, "delete", lambda self, versions: delete(self, versions[1:]))
    assert not swept(pod, 1.5).verified
    monkeypatch.undo()
    monkeypatch.setattr("tests.jobs.pod.BUCKET", pod.store.bucket)
    assert swept(pod, 1.5).verified
    assert versions(pod, "events/") == ["events/gw-0/FLOOR", "events/gw-1/FLOOR"]


def test_the_job_runs_as_a_process_and_leaves_its_result(pod: Pod) -> None:
    fill(pod)
    body = json.loads(job(pod).spec.model_dump_json(by_alias=True, exclude_none=True))
    pod.write_spec(body)
    process = pod.start("sweep")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    result = SweepResult.model_validate(pod.json("result.json", "sweep-0123456789ab"))
    assert (result.deleted, result.verified) == ({}, True)
    assert result.swept_at
