"""What the API server itself refuses, and in which words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import api
from tests.support import loops
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.api
Json = dict[str, Any]
EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples").glob("*.yaml"))


def dry_run(server: ApiServer, namespace: str, body: Json) -> str:
    """What kubectl says of applying it; empty when it is accepted."""
    command = (str(api.binary("kubectl")), f"--kubeconfig={server.kubeconfig}", "-n", namespace)
    words = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
    done = subprocess.run((*command, *words), input=json.dumps(body), capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def changed(change: Callable[[Json], object]) -> Json:
    body = loops.loop_object()
    del body["metadata"]["namespace"]
    change(body["spec"])
    return body


def documents(path: Path) -> list[Json]:
    """The objects of ours in an example."""
    found = [d for d in yaml.safe_load_all(path.read_text()) if d]
    return [d for d in found if str(d["apiVersion"]).startswith("feedbackloop.dev/")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_every_example_is_accepted(server: ApiServer, namespace: str, path: Path) -> None:
    bodies = documents(path)
    assert bodies
    for body in bodies:
        body["metadata"].pop("namespace", None)
        assert dry_run(server, namespace, body) == ""


def test_the_loop_that_the_other_cases_change_is_accepted(server: ApiServer, namespace: str) -> None:
    assert dry_run(server, namespace, changed(lambda spec: None)) == ""


NEGATIVES: dict[str, tuple[Callable[[Json], object], str]] = {
    "no rollout": (lambda s: s.pop("rollout"), "evaluation, rollout: both are required when an improvement trains"),
    "outcome of an unknown signal": (
        lambda s: s["rollout"]["outcomes"][0].update(signal="fix"),
        "rollout.outcomes: signal must be the name of a collected signal whose kind fits",
    ),
    "models beside feedback": (
        lambda s: s["models"].update(bucket="feedback"),
        "models.bucket: models and feedback need buckets of their own",
    ),
    "one credential for both": (
        lambda s: s["models"].update(writeCredentialsSecretName="s3-models-read"),
        "models.writeCredentialsSecretName: serving pods must not get the write credential; name two Secrets",
    ),
    "reason without codes": (
        lambda s: s["collection"]["signals"].append({"name": "why", "kind": "Reason"}),
        "values: a Reason signal lists its codes in values",
    ),
    "codes on a thumb": (
        lambda s: s["collection"]["signals"][0].update(values=["a"]),
        "values: a Reason signal lists its codes in values",
    ),
    "suite of two sources": (
        lambda s: s["evaluation"]["suites"][0]["source"].update(objectName="golden.jsonl"),
        "source: give objectName or configMap, each with digest, or acceptedCorrections: {}, probes or lmEvalTask",
    ),
    "margin on superiority": (
        lambda s: s["evaluation"]["gates"][0].update(margin="0.05"),
        "margin: a NonInferiority gate needs a margin",
    ),
    "gate of an unknown suite": (
        lambda s: s["evaluation"]["gates"][0].update(suite="nowhere"),
        "gates: every gate's suite must be one of suites",
    ),
    "step of two kinds": (
        lambda s: s["rollout"]["steps"][0].update(analysis={}),
        "steps: each step has exactly one of setCanaryScale, setWeight, pause, shadow, analysis, approval and",
    ),
    "promotion without evidence": (
        lambda s: s["rollout"]["steps"][1].update(analysis={}),
        "nothing is promoted without evidence",
    ),
    "step of an unknown outcome": (
        lambda s: s["rollout"]["steps"][1]["analysis"].update(outcomeNames=["nothing"]),
        "steps: outcomeNames must be names of outcomes",
    ),
    "first step is an analysis": (
        lambda s: s["rollout"]["steps"].reverse(),
        "steps: the first step must not be an analysis",
    ),
    "no step with a weight": (
        lambda s: s["rollout"]["steps"].__setitem__(0, {"pause": {"durationSeconds": 5}}),
        "steps: at least one step must be setWeight",
    ),
    "pause longer than the rollout": (
        lambda s: s["rollout"]["steps"].insert(1, {"pause": {"durationSeconds": 31_536_000}}),
        "steps: a pause must be shorter than maxDurationSeconds",
    ),
    "event and mean": (
        lambda s: s["rollout"]["outcomes"][0].update(
            event="ThumbsDown", mean={"direction": "LowerIsBetter", "margin": "0.1"}
        ),
        "outcomes: give event (ThumbsDown, AnsweredNo, Regenerated, Edited or Skipped) or mean, not both",
    ),
    "two routers": (
        lambda s: s["rollout"].update(trafficRouting={"gateway": {}, "replicas": {}}),
        "trafficRouting: give exactly one of gateway, gatewayAPI, kserve and replicas",
    ),
    "judged without a judge": (
        lambda s: s["evaluation"]["gates"][0].update(metric="judged_better"),
        "gates: metric judged_better needs evaluation.judge",
    ),
    "only advice": (
        lambda s: [gate.update(effect="Advisory") for gate in s["evaluation"]["gates"]],
        "gates: at least one gate must be Required",
    ),
    "guardrail with another's limit": (
        lambda s: s["rollout"].update(
            guardrails=[{"name": "g", "metric": "ErrorRate", "maxMilliseconds": 5, "minRequests": 5}]
        ),
        "guardrails: ErrorRate, RefusalRate and EmptyRate need maxRatio, LatencyP95 and FirstTokenP95 need",
    ),
    "no replay": (
        lambda s: s["improvements"][0].update(curation={"replayRatio": "0"}),
        "replayRatio: training on corrections alone makes a model forget",
    ),
    "an unknown field": (lambda s: s.update(image="mine"), 'unknown field "spec.image"'),
    "a field of a wrong type": (lambda s: s.update(suspend="maybe"), "spec.suspend"),
    "a missing field": (lambda s: s["target"].pop("port"), "spec.target.port: Required value"),
    "an unknown method": (
        lambda s: s["improvements"][0]["training"]["stages"][0].update(method="PPO"),
        'spec.improvements[0].training.stages[0].method: Unsupported value: "PPO"',
    ),
    "weight 100 as a step": (
        lambda s: s["rollout"]["steps"][0].update(setWeight=100),
        "spec.rollout.steps[0].setWeight",
    ),
    "no digest": (lambda s: s["target"]["model"].update(digest="latest"), "spec.target.model.digest"),
    "a uri of another scheme": (lambda s: s["target"]["model"].update(uri="https://x/"), "spec.target.model.uri"),
}


@pytest.mark.parametrize(("change", "message"), NEGATIVES.values(), ids=NEGATIVES.keys())
def test_a_wrong_spec_is_refused_with_the_field_and_the_fix(
    server: ApiServer, namespace: str, change: Callable[[Json], object], message: str
) -> None:
    assert message in dry_run(server, namespace, changed(change))


def test_a_name_that_leaves_no_room_for_children_is_refused(server: ApiServer, namespace: str) -> None:
    body = changed(lambda spec: None)
    body["metadata"]["name"] = "x" * 36
    assert "metadata.name: at most 35 characters" in dry_run(server, namespace, body)


@pytest.mark.parametrize("kind", ["ImprovementRun", "ErasureRequest"])
def test_a_run_and_a_request_cannot_be_changed(server: ApiServer, namespace: str, kind: str) -> None:
    spec = {"loopName": "bot", **({"improvementName": "a"} if kind == "ImprovementRun" else {"subject": "a" * 32})}
    body = {"apiVersion": "feedbackloop.dev/v1alpha1", "kind": kind, "metadata": {"name": "one"}, "spec": spec}
    server.kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(body))
    body["spec"] = {**spec, "loopName": "other"}
    assert "is immutable; create another one" in dry_run(server, namespace, body)
