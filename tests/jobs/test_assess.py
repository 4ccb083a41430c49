"""Feedback as assessments in a real MLflow server: each once, whatever was repeated or broke off."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from feedbackloop.api.jobs import ExitCode
from feedbackloop.events.records import Candidate, FeedbackRecord, InteractionRecord, Message, Output
from tests.jobs.pod import Pod, conversation
from tests.support.mlflow_server import mlflow_server
from tests.support.seaweedfs import SeaweedFs

Records = list[InteractionRecord | FeedbackRecord]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)


def assess(pod: Pod, uri: str, number: int = 0, **changes: Any) -> tuple[int, dict[str, Any], str]:
    """Runs the job in a process of its own: exit code, result, log."""
    run_id = f"assess-{number:012x}"
    spec = pod.spec(
        stage="assess", runId=run_id, experiment=pod.uid, mlflow={"trackingUri": uri, "runId": ""}, **changes
    )
    for name in ("curation", "goldenPrefix"):
        spec.pop(name)
    pod.write_spec(spec)
    process = pod.start("assess")
    _, said = process.communicate(timeout=120)
    return process.returncode, pod.json("result.json", run_id) or {}, said


def traces(pod: Pod, uri: str) -> dict[str, Any]:
    """The traces of the experiment by the first output's id."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(pod.uid)
    assert experiment is not None
    found = client.search_traces(locations=[experiment.experiment_id], include_spans=False)
    return {trace.info.tags["feedbackloop.output_ids"].split(",")[0]: trace.info for trace in found}


def assessments(info: Any) -> list[tuple[str, Any, Any]]:
    made = sorted(info.assessments, key=lambda one: (one.name, str(one.metadata["feedbackloop.event_id"])))
    return [(one.name, one.feedback.value if one.feedback else one.expectation.value, one.rationale) for one in made]


def vote(event_id: str, value: bool, at: int, **more: Any) -> FeedbackRecord:
    fields: dict[str, Any] = {"output_id": "o-1", "consent": True} | more
    return FeedbackRecord(event_id, at, "ann", "helpful", "Thumbs", value, **fields)


def test_votes_corrections_and_comments_become_assessments_of_one_trace(pod: Pod, uri: str) -> None:
    comment = FeedbackRecord("e-c", 5_000, "ann", "note", "Comment", "too long ago", output_id="o-1", consent=True)
    preference = FeedbackRecord(
        "e-p",
        6_000,
        "ben",
        "prefer",
        "Preference",
        "b",
        candidates=(Candidate("o-2"), Candidate("o-1", 1)),
        consent=True,
    )
    pod.upload([*conversation(1, "ann", "how long?", "two weeks", "three weeks"), comment])
    pod.upload([*conversation(2, "ben", "where?", "here"), preference], pod="gateway-1")
    code, result, said = assess(pod, uri)
    assert code == ExitCode.OK, said
    assert (result["assessments"], result["traces"]) == (5, 2)
    assert result["until"] == [
        {"pod": "gateway-0", "offset": 4, "trainable": 0},
        {"pod": "gateway-1", "offset": 3, "trainable": 0},
    ]
    found = traces(pod, uri)
    assert assessments(found["o-1"]) == [
        ("expected_response", "three weeks", None),
        ("helpful", False, None),
        ("note", "comment", "too long ago"),
    ]
    assert assessments(found["o-2"]) == [("helpful", True, None), ("prefer", "b", None)]
    assert json.loads(found["o-1"].request_preview)["messages"][0]["content"] == "how long?"
    assert {one.source.source_type for one in found["o-1"].assessments} == {"HUMAN"}
    assert {one.source.source_id for one in found["o-1"].assessments} == {"ann"}


def test_a_repeated_run_writes_nothing_and_a_new_one_only_what_is_new(pod: Pod, uri: str) -> None:
    pod.upload(conversation(1, "ann", "how long?", "two weeks"))
    _, first, _ = assess(pod, uri)
    code, second, said = assess(pod, uri, 1)
    assert code == ExitCode.OK, said
    assert (first["assessments"], second["assessments"], second["traces"]) == (1, 0, 0)
    pod.upload([vote("e-late", False, 9_000)])
    _, third, _ = assess(pod, uri, 2, since=first["until"])
    assert (third["assessments"], third["traces"]) == (1, 0)
    assert assessments(traces(pod, uri)["o-1"]) == [("helpful", True, None), ("helpful", False, None)]


def test_a_changed_vote_overrides_and_a_retracted_one_is_gone(pod: Pod, uri: str) -> None:
    pod.upload([*conversation(1, "ann", "how long?", "two weeks"), vote("e-2", False, 9_000, supersedes="e-1-helpful")])
    assess(pod, uri)
    old, new = sorted(traces(pod, uri)["o-1"].assessments, key=lambda one: one.metadata["feedbackloop.event_id"])
    assert (old.feedback.value, old.valid, old.overrides) == (True, False, None)
    assert (new.feedback.value, new.valid, new.overrides) == (False, True, old.assessment_id)
    pod.upload([vote("e-3", False, 9_500, supersedes="e-2", retracted=True)])
    _, result, _ = assess(pod, uri, 1)
    assert result["assessments"] == 0
    assert traces(pod, uri)["o-1"].assessments == []


def test_without_consent_a_trace_has_votes_and_no_texts(pod: Pod, uri: str) -> None:
    comment = FeedbackRecord("e-c", 5_000, "ann", "note", "Comment", "secret words", output_id="o-1", consent=False)
    pod.upload([*conversation(1, "ann", "secret question", "secret answer", "secret fix", consent=False), comment])
    code, result, said = assess(pod, uri)
    assert code == ExitCode.OK, said
    info = traces(pod, uri)["o-1"]
    assert assessments(info) == [("helpful", False, None), ("note", "comment", None)]
    assert "secret" not in json.dumps(info.to_dict())
    assert result["assessments"] == 2


def test_feedback_of_no_interaction_waits_for_nobody(pod: Pod, uri: str) -> None:
    pod.upload([vote("e-1", True, 1_000, output_id="o-unknown")])
    code, result, said = assess(pod, uri)
    assert code == ExitCode.OK, said
    assert (result["assessments"], result["traces"]) == (0, 0)
    assert "1 of them of no interaction" in said


def test_while_mlflow_is_away_the_job_waits_and_the_next_attempt_goes_on(pod: Pod, uri: str) -> None:
    pod.upload(conversation(1, "ann", "secret question", "two weeks"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        code, result, said = assess(pod, f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert (code, result) == (ExitCode.STORAGE_UNAVAILABLE, {})
    assert "secret" not in said
    code, result, _ = assess(pod, uri, 1)
    assert (code, result["assessments"]) == (ExitCode.OK, 1)


def test_a_deleted_experiment_is_told(pod: Pod, uri: str) -> None:
    client = MlflowClient(uri)
    client.delete_experiment(client.create_experiment(pod.uid))
    pod.upload(conversation(1, "ann", "how long?", "two weeks"))
    code, _, said = assess(pod, uri)
    assert code == ExitCode.INVALID_SPEC
    assert "was deleted" in said


def test_an_interaction_with_several_answers_is_one_trace(pod: Pod, uri: str) -> None:
    outputs = tuple(Output(f"o-{n}", f"answer {n}") for n in range(1, 4))
    asked = InteractionRecord("i-1", 1, "ann", (Message("user", "which?"),), outputs, session="s" * 32, consent=True)
    records: Records = [asked, *(vote(f"e-{n}", n == 1, 10 + n, output_id=f"o-{n}") for n in range(1, 4))]
    pod.upload(records)
    _, result, said = assess(pod, uri)
    assert (result.get("assessments"), result.get("traces")) == (3, 1), said
    info = traces(pod, uri)["o-1"]
    assert info.trace_metadata["mlflow.trace.session"] == "s" * 32
    assert sorted(one.metadata["feedbackloop.output_id"] for one in info.assessments) == ["o-1", "o-2", "o-3"]
