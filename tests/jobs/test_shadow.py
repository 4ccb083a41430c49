"""The shadow job: real S3, real encryption, real MLflow, a real server for the judge whose mind is made up."""

from __future__ import annotations

import io
import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from feedbackloop.api.jobs import ExitCode, ShadowResult, ShadowSpec
from feedbackloop.events.records import Message, ShadowAnswer, ShadowPairRecord
from feedbackloop.jobs import canonical
from feedbackloop.jobs.judging import client
from feedbackloop.jobs.runtime import Place, main
from feedbackloop.jobs.shadow.stage import run
from tests.jobs.pod import Pod, conversation
from tests.support.fake_judge import FakeJudge, serving
from tests.support.mlflow_server import mlflow_server
from tests.support.seaweedfs import SeaweedFs

RUN_ID = "shadow-0123456789ab"
SORRY = "I'm sorry, but I can't help with that."


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)


def pair(number: int, stable: str, shadow: str, consent: bool | None = True) -> ShadowPairRecord:
    return ShadowPairRecord(
        f"pair-{number}",
        1_000 + number,
        f"subject-{number % 7}",
        (Message("user", f"private question {number}"),),
        ShadowAnswer(stable, "sha256:old", 12),
        ShadowAnswer(shadow, "sha256:new", 15),
        run_uid="rollout-1",
        epoch=2,
        consent=consent,
    )


def marked(count: int, first: int = 0) -> list[ShadowPairRecord]:
    """Three wins, one loss and one tie in turn."""
    worth = [(1, 5), (2, 5), (1, 3), (5, 1), (3, 3)]
    return [
        pair(first + n, *(f"[{w}] {side} {n}" for w, side in zip(worth[n % 5], "ab", strict=True)))
        for n in range(count)
    ]


def body(pod: Pod, **changes: Any) -> dict[str, Any]:
    made = pod.spec(
        stage="shadow",
        runId=RUN_ID,
        rolloutRunUid="rollout-1",
        fromEpoch=2,
        metric="NoRefusal",
        maxPairs=500,
        championDigest="sha256:old",
        candidateDigest="sha256:new",
        **changes,
    )
    return {name: value for name, value in made.items() if name not in ("curation", "goldenPrefix", "signals")}


def compared(pod: Pod, spec: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    """Exit code, result, log; in this process."""
    pod.write_spec(spec)
    said, handler = io.StringIO(), signal.getsignal(signal.SIGTERM)
    listener = logging.StreamHandler(said)
    logging.getLogger().addHandler(listener)
    logging.getLogger("feedbackloop").setLevel(logging.INFO)
    try:
        code = main(ShadowSpec, ShadowResult, run, Place(pod.home / "spec.json", pod.home / "secrets", pod.home))
    finally:
        logging.getLogger().removeHandler(listener)
        signal.signal(signal.SIGTERM, handler)
    return code, pod.json("result.json", RUN_ID) or {}, said.getvalue()


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result.get(name, 0) for name in ("pairs", "wins", "losses", "ties", "skipped"))


def judge(pod: Pod, url: str, labels: int = 40, **changes: Any) -> dict[str, Any]:
    """A judge's reference, its labels in the bucket and its token beside the other secrets."""
    rows = [
        {
            "id": f"label-{n}",
            "messages": [{"role": "user", "content": f"labelled question {n}"}],
            "champion": f"[{1 + n % 3}] x {n}",
            "candidate": f"[{1 + n // 3 % 3}] y {n}",
            "verdict": ("champion", "tie", "candidate")[(n // 3 % 3 > n % 3) - (n // 3 % 3 < n % 3) + 1],
        }
        for n in range(labels)
    ]
    data = canonical.lines(rows)
    pod.store.put("labels.jsonl", data)
    (pod.home / "secrets" / "judge").mkdir(exist_ok=True)
    (pod.home / "secrets" / "judge" / "token").write_text("token-of-the-judge")
    found = {"url": url, "model": "fake-judge", "family": "other", "labelsDigest": canonical.digest(data)}
    return found | {"labelsObject": f"{pod.prefix}labels.jsonl"} | changes


def test_the_job_runs_as_a_process(pod: Pod) -> None:
    pod.upload([pair(1, SORRY, "yes")])
    pod.write_spec(body(pod))
    process = pod.start("shadow")
    _, said = process.communicate(timeout=120)
    assert process.returncode == ExitCode.OK, said
    assert counts(pod.json("result.json", RUN_ID)) == (1, 1, 0, 0, 0)
    assert pod.json("progress.json", RUN_ID)["step"] == 1


def test_pairs_are_compared_and_shown_and_nothing_private_is_written(pod: Pod, uri: str) -> None:
    pod.upload([*conversation(1, "ann", "how long?", "two weeks"), pair(1, SORRY, "yes"), pair(2, "yes", "yes")])
    pod.upload([pair(3, "yes", SORRY), pair(4, SORRY, "yes", consent=None)], pod="gateway-1")
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment(pod.uid)).info.run_id
    code, result, said = compared(pod, body(pod, mlflow={"trackingUri": uri, "runId": run}))
    assert code == ExitCode.OK, said
    assert counts(result) == (3, 1, 1, 1, 1)
    metrics = client.get_run(run).data.metrics
    assert (metrics["shadow.wins"], metrics["shadow.skipped"]) == (1.0, 1.0)
    assert {"pairs.json", "pairs.html"} == {Path(a.path).name for a in client.list_artifacts(run, "shadow")}
    assert not any(word in f"{said}{json.dumps(result)}" for word in ("private", "sorry", "weeks"))


def test_a_judge_compares_in_both_orders_and_its_worth_is_part_of_the_result(pod: Pod) -> None:
    fake = FakeJudge(token="token-of-the-judge")
    with serving(fake) as url:
        pod.upload(marked(60))
        code, result, said = compared(pod, body(pod, judge=judge(pod, url)) | {"metric": "Judge"})
    assert code == ExitCode.OK, said
    assert counts(result) == (60, 36, 12, 12, 0)
    assert (result["judge"]["labels"], result["judge"]["kappa"]) == (40, 1.0)
    assert result.get("advisory", "") == ""
    assert "token-of-the-judge" not in said + json.dumps(result)


def test_a_judge_of_places_finds_only_ties_and_is_advisory(pod: Pod) -> None:
    with serving(FakeJudge(position=1.0)) as url:
        pod.upload(marked(20))
        code, result, said = compared(pod, body(pod, judge=judge(pod, url)) | {"metric": "Judge"})
    assert code == ExitCode.OK, said
    assert counts(result) == (20, 0, 0, 20, 0)
    assert result["inconsistent"] == 20
    assert "kappa is 0" in result["advisory"]


def test_no_more_pairs_than_may_be_compared_or_asked_about(pod: Pod) -> None:
    pod.upload(marked(50))
    _, result, _ = compared(pod, body(pod) | {"maxPairs": 25})
    assert counts(result)[0] == 25
    other = Pod(pod.s3, pod.home)
    other.upload(marked(50))
    fake = FakeJudge()
    with serving(fake) as url:
        code, result, said = compared(
            other, body(other, judge=judge(other, url, maxRequests=100)) | {"metric": "Judge"}
        )
    assert code == ExitCode.OK, said
    assert len(fake.asked) <= 100
    assert 0 < counts(result)[0] < 50


def test_a_judge_that_is_away_is_an_outage(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONGEST_SECONDS", 0.01)
    pod.upload(marked(2))
    code, result, said = compared(pod, body(pod, judge=judge(pod, "http://127.0.0.1:9/v1")) | {"metric": "Judge"})
    assert (code, result) == (ExitCode.STORAGE_UNAVAILABLE, {})
    assert "judge 127.0.0.1" in said


@pytest.mark.parametrize(
    ("changes", "exit_code", "word"),
    [
        ({}, ExitCode.INVALID_SPEC, "evaluation.judge"),
        ({"labelsDigest": "sha256:other"}, ExitCode.INVALID_DATASET, "labels.jsonl"),
        ({"url": "nowhere"}, ExitCode.INVALID_SPEC, "judge.url"),
        ({"maxRequests": 60}, ExitCode.INVALID_SPEC, "judge.maxRequests"),
    ],
)
def test_what_cannot_be_carried_out_is_named(pod: Pod, changes: dict[str, Any], exit_code: ExitCode, word: str) -> None:
    pod.upload(marked(2))
    spec = (
        body(pod) | {"metric": "Judge"} | ({"judge": judge(pod, "http://127.0.0.1:9/v1") | changes} if changes else {})
    )
    code, _, said = compared(pod, spec)
    assert code == exit_code, said
    assert word in said


def test_a_second_attempt_finds_the_first_ones_result(pod: Pod) -> None:
    pod.upload([pair(1, SORRY, "yes")])
    spec = body(pod)
    _, first, _ = compared(pod, spec)
    pod.upload([pair(2, SORRY, "yes")])
    code, second, said = compared(pod, spec)
    assert (code, second) == (ExitCode.OK, first)
    assert "exists already" in said


def test_a_pair_of_another_key_is_not_read_as_nothing(pod: Pod) -> None:
    pod.upload([pair(1, "a", "b")])
    key = next(k for k in pod.store.keys("events/"))
    pod.store.put(key, (pod.store.get(key) or b"")[:-40] + bytes(40))
    code, _, said = compared(pod, body(pod))
    assert code == ExitCode.INVALID_DATASET, said
