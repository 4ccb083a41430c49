"""A stage's ConfigMap and Job, as rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.api.adminconfig import PodProfile
from feedbackloop.api.improvementrun import StageName
from feedbackloop.domain.children import jobs
from feedbackloop.domain.children.jobs import Attempt, RunRef
from feedbackloop.domain.jobs.identity import Rendered
from tests.unit.domain.run import given

RUN = RunRef("ml", "bot", "bot-finetune-0123456789ab", "run-uid")
SPEC = Rendered("train-0123456789ab", "{}", "sha256:" + "1" * 64)
PROFILE = PodProfile.model_validate(
    {
        "name": "gpu",
        "image": "trainer:1",
        "python": "/opt/trainer/bin/python",
        "env": {"OMP_NUM_THREADS": "2", "HOME": "/root"},
        "resources": {"limits": {"memory": "2Gi"}},
        "nodeSelector": {"gpu": "yes"},
        "volumes": [{"claimName": "trainer", "mountPath": "/opt/trainer"}],
    }
)


def job(stage: StageName = StageName.TRAIN) -> dict[str, Any]:
    return jobs.job(RUN, Attempt(stage, SPEC, 2, 1, 600), PROFILE, given.loop().spec)


def pod(stage: StageName = StageName.TRAIN) -> dict[str, Any]:
    spec: dict[str, Any] = job(stage)["spec"]["template"]["spec"]
    return spec


def test_every_attempt_has_a_name_of_its_own_and_no_retries_of_kubernetes() -> None:
    made = job()
    assert made["metadata"]["name"] == "bot-train-0123456789ab-a2"
    assert made["spec"]["backoffLimit"] == 0
    assert made["spec"]["activeDeadlineSeconds"] == 600


def test_the_children_belong_to_the_run_and_name_their_spec() -> None:
    for made in (job(), jobs.config_map(RUN, StageName.TRAIN, SPEC)):
        assert made["metadata"]["ownerReferences"][0]["uid"] == "run-uid"
        assert made["metadata"]["annotations"]["feedbackloop.dev/spec-digest"] == SPEC.digest
        assert made["metadata"]["labels"]["feedbackloop.dev/loop"] == "bot"


def test_the_spec_file_cannot_change() -> None:
    made = jobs.config_map(RUN, StageName.TRAIN, SPEC)
    assert made["immutable"] is True
    assert made["metadata"]["name"] == "bot-train-0123456789ab-spec"
    assert made["data"] == {"spec.json": "{}"}


@pytest.mark.parametrize(
    ("stage", "secrets"),
    [
        (StageName.CURATE, {"storage", "kek"}),
        (StageName.TRAIN, {"storage", "kek", "models", "models-write"}),
        (StageName.EVALUATE, {"storage", "kek", "models"}),
    ],
)
def test_a_stage_gets_only_the_secrets_that_it_needs(stage: StageName, secrets: set[str]) -> None:
    mounts = pod(stage)["containers"][0]["volumeMounts"]
    paths = {m["mountPath"] for m in mounts if m["mountPath"].startswith("/etc/feedbackloop/secrets/")}
    assert {p.rsplit("/", 1)[-1] for p in paths} == secrets


def test_the_pod_passes_the_restricted_level_and_has_no_token() -> None:
    made = pod()
    container = made["containers"][0]
    assert made["automountServiceAccountToken"] is False
    assert made["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert made["restartPolicy"] == "Never"


def test_only_scratch_can_be_written_and_it_is_memory() -> None:
    made = pod()
    writable = [m["name"] for m in made["containers"][0]["volumeMounts"] if not m.get("readOnly")]
    assert writable == ["scratch"]
    scratch = next(v for v in made["volumes"] if v["name"] == "scratch")
    assert scratch["emptyDir"]["medium"] == "Memory"


def test_the_profile_decides_image_interpreter_place_and_volumes() -> None:
    made = pod()
    container = made["containers"][0]
    assert container["image"] == "trainer:1"
    assert container["command"] == ["/opt/trainer/bin/python", "-m", "feedbackloop.jobs.train"]
    assert made["nodeSelector"] == {"gpu": "yes"}
    assert {"name": "profile-0", "mountPath": "/opt/trainer", "readOnly": True} in container["volumeMounts"]


def test_the_profile_cannot_change_what_the_contract_sets() -> None:
    env = {e["name"]: e["value"] for e in pod()["containers"][0]["env"]}
    assert env["OMP_NUM_THREADS"] == "2"
    assert (env["HOME"], env["FL_SCRATCH"], env["FL_ATTEMPT"], env["FL_HALVINGS"]) == ("/scratch", "/scratch", "2", "1")


def test_the_run_id_is_made_from_the_inputs_and_from_nothing_else() -> None:
    one, two = given.tracked(), given.tracked()
    assert given.current(one).run_id == given.current(two).run_id
    spec = json.loads(given.spec_text(one))
    assert spec["runId"] == given.current(one).run_id
    assert "attempt" not in spec


def test_the_longest_names_still_fit_a_label() -> None:
    run = RunRef("ml", "l" * 35, "x" * 200, "run-uid")
    rendered = Rendered("evaluate-0123456789ab", "{}", SPEC.digest)
    made = jobs.job(run, Attempt(StageName.EVALUATE, rendered, 99, 0, 60), PROFILE, given.loop().spec)
    assert len(made["metadata"]["name"]) <= 63
    assert all(len(value) <= 63 for value in made["metadata"]["labels"].values())
