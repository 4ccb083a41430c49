"""Consent in the jobs, against a real S3: at build, at training start, and what the ledger keeps of both."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import CurateResult, ExitCode, TrainSpec
from feedbackloop.events import keys
from feedbackloop.events.errors import LedgerBroken
from feedbackloop.events.ledger import reading
from feedbackloop.events.ledger.chain import Head, Signer, file_of
from feedbackloop.events.ledger.entries import content_of
from feedbackloop.events.ledger.verify import verify
from feedbackloop.events.records import ConsentRecord
from feedbackloop.jobs import canonical, datasets
from feedbackloop.jobs.errors import ConsentWithdrawn
from feedbackloop.jobs.progress import Progress
from feedbackloop.jobs.runtime import Job, Place, Stopping
from feedbackloop.jobs.train import stage
from tests.jobs.pod import KEK, Pod, conversation
from tests.support.seaweedfs import SeaweedFs

PEOPLE = ("ann", "ben", "cy", "dee", "eve")
LATER = 10_000_000


class Gateway:
    """The ledger of a gateway pod, as its uploader writes it."""

    def __init__(self, pod: Pod, name: str = "gateway-0") -> None:
        self.pod, self.name, self.head, self.count = pod, name, Head(), 0
        secret = os.urandom(32)
        self.signer = Signer(keys.LoopKeys.of(secret).ledger)
        pod.store.put("keys/secret", keys.wrap(KEK, secret, f"loop-secret/{pod.uid}".encode()))

    def say(self, subject: str, state: str, at: int = LATER) -> None:
        self.count += 1
        record = ConsentRecord(f"c{self.count}", at, subject, "Improve", state, "token")
        content = content_of(record, self.count)
        assert content is not None
        file = file_of([content], self.head, origin=self.name, signer=self.signer)
        assert file is not None
        self.head = file.head
        self.pod.store.put(f"ledger/{self.name}/{file.name}", file.data)


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    pod = Pod(s3, tmp_path)
    talks = [conversation(10 * n + i, who, f"The hours, {who} asks {n}?", "9 to 17", "8 to 20")
             for n in range(6) for i, who in enumerate(PEOPLE)]  # fmt: skip
    pod.upload(chain(*talks))
    return pod


def golden_suite(pod: Pod) -> dict[str, Any]:
    """One topic, so that everybody's row is their own and all of them corroborate one answer."""
    item = {"id": "h-1", "topic": "hours", "messages": [{"role": "user", "content": "When?"}], "answers": ["x"]}
    data = canonical.lines([item | {"match": ["the hours"]}])
    pod.store.at("").put(f"team/{pod.uid}-golden.jsonl", data)
    return {"name": "golden", "source": {"objectName": f"{pod.uid}-golden.jsonl", "digest": canonical.digest(data)}}


def build(pod: Pod, **changes: Any) -> CurateResult:
    code, out = pod.run(pod.spec(golden=[golden_suite(pod)], **changes))
    assert code == ExitCode.OK, out
    return CurateResult.model_validate(pod.json("result.json", changes.get("runId", "curate-0123456789ab")))


def training(pod: Pod, digest: str) -> Job[TrainSpec]:
    """A training's job, as far as its start."""
    spec = TrainSpec.model_validate(
        pod.spec(stage="train", runId="train-0123456789ab")
        | {
            "datasetDigest": digest,
            "base": {"uri": "s3://models/base/", "digest": f"sha256:{'0' * 64}"},
            "models": pod.s3.store("models", "").to_wire(),
            "registeredModel": "bot",
            "stages": [{"name": "sft", "method": "SFT", "hyperparameters": {"maxSteps": 2}}],
            "launcher": "Process",
        },
        extra="ignore",
    )
    place = Place(pod.home / "spec.json", pod.home / "secrets", pod.home)
    progress = Progress(pod.store, "runs/train-0123456789ab/progress.json", spec.run_id, 1)
    return Job(spec, "sha256:spec", place, pod.store, progress, Stopping())


@pytest.fixture(autouse=True)
def no_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests end before a model is needed."""
    monkeypatch.setattr(stage, "fetch_base", lambda job, into: None)


def test_a_withdrawal_beyond_the_cut_counts_when_the_data_set_is_built(pod: Pod) -> None:
    gateway = Gateway(pod)
    gateway.say("ann", "given", at=1)
    assert build(pod).correction_rows > 0
    gateway.say("ann", "withdrawn")
    result = build(pod, runId="curate-1123456789ab")
    assert result.excluded["ConsentWithdrawn"] >= 12
    manifest = datasets.read_manifest(pod.vault, result.dataset_digest)
    assert manifest.ledger == {"gateway-0": {"seq": 2, "hash": gateway.head.hash}} | {
        "curate-0123456789ab": manifest.ledger["curate-0123456789ab"]
    }


def test_withdrawn_between_build_and_train_is_not_trained_on(pod: Pod) -> None:
    gateway = Gateway(pod)
    result = build(pod)
    whole = stage.prepare(training(pod, result.dataset_digest))
    assert (whole.used, whole.withdrawn) == (result.training_rows, 0)
    gateway.say("ben", "withdrawn")
    again = stage.prepare(training(pod, result.dataset_digest))
    assert again.withdrawn > 0
    assert b"ben" not in again.rows.read_bytes()
    assert again.rows_digest != whole.rows_digest
    for person in set(PEOPLE) - {"ben"}:
        gateway.say(person, "refused")
    with pytest.raises(ConsentWithdrawn):
        stage.prepare(training(pod, result.dataset_digest))


def test_a_ledger_that_was_cut_after_the_build_stops_the_training(pod: Pod) -> None:
    gateway = Gateway(pod)
    gateway.say("ben", "withdrawn")
    result = build(pod)
    (key,) = pod.store.keys("ledger/gateway-0/")
    pod.store.delete(key)
    with pytest.raises(LedgerBroken, match="cut off"):
        stage.prepare(training(pod, result.dataset_digest))


def test_an_altered_ledger_stops_the_build(pod: Pod) -> None:
    gateway = Gateway(pod)
    gateway.say("ben", "withdrawn")
    (key,) = pod.store.keys("ledger/")
    pod.store.put(key, (pod.store.get(key) or b"").replace(b"withdrawn", b"given"))
    code, out = pod.run(pod.spec())
    assert code == ExitCode.INVALID_DATASET
    assert "entry 1" in out


def test_jobs_leave_signed_entries_that_name_what_they_read(pod: Pod) -> None:
    gateway = Gateway(pod)
    gateway.say("zoe", "given")
    result = build(pod)
    stage.prepare(training(pod, result.dataset_digest))
    files = {key.removeprefix("ledger/"): pod.store.get(key) or b"" for key in pod.store.keys("ledger/")}
    reports = verify(files, gateway.signer.public_key)
    assert {report.origin: report.head.seq for report in reports} == {
        "gateway-0": 1, "curate-0123456789ab": 1, "train-0123456789ab": 1
    }  # fmt: skip
    assert not any(report.problem for report in reports)
    assert result.dataset_digest.encode() in files[f"curate-0123456789ab/{1:020}-{1:020}.jsonl"]
    del files[f"gateway-0/{1:020}-{1:020}.jsonl"]
    assert [r.origin for r in verify(files, gateway.signer.public_key) if r.problem] == ["gateway-0"]


def test_a_loop_without_a_secret_has_no_ledger_and_works(pod: Pod) -> None:
    assert build(pod).training_rows > 0
    assert pod.store.keys(f"{reading.FOLDER}/") == []
