"""ConfigMaps with items and the judge's token reach the jobs that read them, and what is missing is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feedbackloop.api.adminconfig import Endpoint, EndpointType, PodProfile
from feedbackloop.api.gateway import LoopRef
from feedbackloop.api.improvementrun import StageName
from feedbackloop.domain.children import jobs
from feedbackloop.domain.children.jobs import Attempt, RunRef
from feedbackloop.domain.jobs import specs
from feedbackloop.domain.jobs.identity import Rendered
from feedbackloop.domain.jobs.outcome import ended
from feedbackloop.domain.jobs.seen import job_seen
from tests.support.fakeworld import declared
from tests.unit.domain.run import given

DIGEST = "sha256:" + "4" * 64
JUDGE = {
    "endpointName": "judge",
    "model": "judge-7b",
    "family": "llama",
    "targetFamily": "ours",
    "tokenSecretName": "judge-token",
    "labels": {"objectName": "labels.jsonl", "digest": DIGEST},
}


def evaluation() -> dict[str, Any]:
    own = declared.loop()["spec"]["evaluation"]
    mine = {"name": "mine", "source": {"configMap": {"name": "items", "key": "a.jsonl"}, "digest": DIGEST}}
    gate = {"name": "ends", "suite": "mine", "type": "NoNewFailures", "metric": "stopped"}
    return {**own, "suites": [*own["suites"], mine], "gates": [*own["gates"], gate], "judge": JUDGE}


def pod(stage: StageName) -> dict[str, Any]:
    run = RunRef("ml", "bot", "bot-finetune-0123456789ab", "run-uid")
    attempt = Attempt(stage, Rendered("s-0123456789ab", "{}", "sha256:" + "1" * 64), 1, 0, 60)
    profile = PodProfile.model_validate({"name": "cpu", "image": "trainer:1"})
    made: dict[str, Any] = jobs.job(run, attempt, profile, given.loop(evaluation=evaluation()).spec)
    spec: dict[str, Any] = made["spec"]["template"]["spec"]
    return spec


def mounts(stage: StageName) -> dict[str, str]:
    return {mount["mountPath"]: mount["name"] for mount in pod(stage)["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize(
    ("stage", "items", "token"),
    [(StageName.CURATE, True, False), (StageName.TRAIN, False, False), (StageName.EVALUATE, True, True)],
)
def test_each_stage_gets_what_it_reads(stage: StageName, items: bool, token: bool) -> None:
    found = mounts(stage)
    assert ("/etc/feedbackloop/suites/items" in found) is items
    assert ("/etc/feedbackloop/secrets/judge" in found) is token


def test_a_config_map_that_is_missing_does_not_hold_the_pod_back_without_a_word() -> None:
    (volume,) = [v for v in pod(StageName.EVALUATE)["volumes"] if v["name"] == "suite-0"]
    assert volume["configMap"] == {"name": "items", "optional": True}


def test_the_jobs_own_words_about_its_end_reach_the_message() -> None:
    state = {"terminated": {"exitCode": 10, "reason": "Error", "message": "suite mine: ConfigMap items,\n key a.jsonl"}}
    job = {"metadata": {}, "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "Backoff"}]}}
    end = ended(job_seen(job, [{"metadata": {}, "status": {"containerStatuses": [{"state": state}]}}]))
    assert end is not None
    assert end.message == "the job refused its spec (exit 10): suite mine: ConfigMap items, key a.jsonl"


def test_the_evaluation_is_told_where_its_judge_is_and_the_labels_below_the_loops_prefix() -> None:
    endpoint = Endpoint(name="judge", type=EndpointType.JUDGE, url="http://judge:8000")
    admin = declared.ADMIN.model_copy(update={"endpoints": (*declared.ADMIN.endpoints, endpoint)})
    seen = given.new(loop=given.loop(evaluation=evaluation()))
    assert seen.loop is not None
    pinned = given.decide(seen, admin, given.NOW).status
    told = specs.Brief(
        loop=LoopRef(namespace="ml", name="bot", uid="u"),
        run_name="r",
        inputs=pinned.inputs,  # type: ignore[arg-type]
        spec=seen.loop.spec,
        improvement=seen.loop.spec.improvements[0],
        mlflow_run_id="m",
        admin=admin,
    )
    judge = specs.judge(told)
    assert judge is not None
    assert (judge.url, judge.labels_object) == ("http://judge:8000/v1", "ml/labels.jsonl")
    assert specs.config_maps(seen.loop.spec) == ("items",)


def test_a_judge_that_the_admin_does_not_declare_is_told_before_anything_is_started() -> None:
    decision = given.decided(replace(given.new(), loop=given.loop(evaluation=evaluation())))
    assert "endpointName: the admin declares no Judge endpoint judge" in str(decision.status.conditions)
