"""Whatever is declared, our pods pass the restricted level and carry exactly what the design allows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api import LABEL_ARM, LABEL_LOOP
from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, Model
from feedbackloop.api.gateway import LoopRef
from feedbackloop.domain.children import target as readings
from feedbackloop.domain.children.adoption import ModelSource, adoption, source
from feedbackloop.domain.children.canary import canary_deployment
from feedbackloop.domain.children.compare import contains
from feedbackloop.domain.children.gateway.workload import stateful_set
from tests.support import loops
from tests.support.restricted import violations
from tests.unit.domain.children import generated

Json = dict[str, Any]


def origin(admin: AdminConfig) -> ModelSource:
    endpoint = admin.endpoint("minio", EndpointType.S3)
    assert endpoint is not None
    return source(admin, endpoint, "s3-models-read")


def canary_of(loop: LoopRef, target: Json, model: Model, admin: AdminConfig, replicas: int = 1) -> Json:
    return canary_deployment(
        loop,
        target,
        loops.spec().target,
        model,
        origin(admin),
        replicas=replicas,
        progress_deadline_seconds=900,
    )


def pod_of(body: Json) -> Json:
    found: Json = body["spec"]["template"]["spec"]
    return found


@given(generated.refs, generated.specs(), generated.admins())
def test_the_gateways_pod_passes_the_restricted_level(
    loop: LoopRef, spec: FeedbackLoopSpec, admin: AdminConfig
) -> None:
    assert violations(pod_of(stateful_set(loop, spec, admin.gateway, None))) == []


@given(generated.refs, generated.targets(), generated.models, generated.admins())
def test_a_canary_of_a_restricted_target_passes_the_restricted_level(
    loop: LoopRef, target: Json, model: Model, admin: AdminConfig
) -> None:
    assert violations(pod_of(canary_of(loop, target, model, admin))) == []


@given(generated.targets(), generated.models, generated.admins())
def test_adoption_adds_nothing_that_the_restricted_level_forbids(
    target: Json, model: Model, admin: AdminConfig
) -> None:
    patch = pod_of(adoption(target, loops.spec().target, model, origin(admin)))
    assert violations({**patch, "containers": []}) == []


@given(generated.targets(), generated.models, generated.admins())
def test_adoption_touches_exactly_four_things(target: Json, model: Model, admin: AdminConfig) -> None:
    pod = pod_of(adoption(target, loops.spec().target, model, origin(admin)))
    assert set(pod) == {"initContainers", "containers", "volumes"}
    assert [c["name"] for c in pod["initContainers"]] == ["feedbackloop-model"]
    assert pod["volumes"] == [{"name": "feedbackloop-model", "emptyDir": {}}]
    (server,) = pod["containers"]
    assert set(server) == {"name", "env", "volumeMounts"}
    assert {e["name"]: e["value"] for e in server["env"]} == {"MODEL_URI": model.uri, "MODEL_DIGEST": model.digest}


def test_adoption_names_the_deployment_that_was_read_and_no_later_one() -> None:
    patch = adoption(loops.target(), loops.spec().target, Model(**loops.BASE), origin(loops.admin()))
    assert patch["metadata"] == {"name": "bot", "namespace": "ml", "uid": loops.TARGET["metadata"]["uid"]}


def test_the_server_gets_no_credential_and_the_init_container_only_the_read_one() -> None:
    pod = pod_of(adoption(loops.target(), loops.spec().target, Model(**loops.BASE), origin(loops.admin())))
    assert all("valueFrom" not in e for e in pod["containers"][0]["env"])
    secrets = {e["valueFrom"]["secretKeyRef"]["name"] for e in pod["initContainers"][0]["env"] if "valueFrom" in e}
    assert secrets == {"s3-models-read"}


@given(generated.refs, generated.targets(), generated.models, generated.admins())
def test_no_canary_pod_is_ever_selected_by_the_target(
    loop: LoopRef, target: Json, model: Model, admin: AdminConfig
) -> None:
    body = canary_of(loop, target, model, admin)
    labels = body["spec"]["template"]["metadata"]["labels"]
    assert not set(readings.selector_keys(target)) & set(labels)
    assert body["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[LABEL_LOOP] == loop.name
    assert labels[LABEL_ARM] == "canary"


@given(generated.refs, generated.targets(), generated.models, generated.models, generated.admins())
def test_a_canary_differs_from_the_adopted_target_by_its_model_alone(
    loop: LoopRef, target: Json, champion: Model, candidate: Model, admin: AdminConfig
) -> None:
    patch = adoption(target, loops.spec().target, champion, origin(admin))
    adopted = merged(target, patch)
    assert contains(adopted["spec"], patch["spec"])
    ours = pod_of(canary_of(loop, adopted, candidate, admin))
    theirs = pod_of(merged(target, adoption(target, loops.spec().target, candidate, origin(admin))))
    for part in ("containers", "initContainers", "volumes"):
        assert contains(ours[part], theirs[part])
        assert len(ours[part]) == len(theirs[part])


@given(generated.refs, generated.targets(), st.integers(0, 9))
def test_a_canary_has_the_replicas_and_the_deadline_that_it_is_given(
    loop: LoopRef, target: Json, replicas: int
) -> None:
    spec = canary_of(loop, target, Model(**loops.CANDIDATE), loops.admin(), replicas)["spec"]
    assert (spec["replicas"], spec["progressDeadlineSeconds"]) == (replicas, 900)


def test_what_the_server_has_set_is_not_copied() -> None:
    target = loops.target()
    target["spec"]["template"]["metadata"]["creationTimestamp"] = None
    target["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "now", "keep": "me"}
    metadata = canary_of(loops.LOOP, target, Model(**loops.CANDIDATE), loops.admin())["spec"]["template"]["metadata"]
    assert metadata["annotations"] == {"keep": "me"}
    assert "creationTimestamp" not in metadata


def test_an_upgrade_of_the_admins_file_leaves_the_claim_of_a_running_gateway_alone() -> None:
    loop, spec = loops.LOOP, loops.spec()
    old = stateful_set(loop, spec, loops.admin().gateway, None)
    larger = loops.admin(gateway={"image": "x", "storage": "100Gi", "storageClassName": "fast"})
    claims = stateful_set(loop, spec, larger.gateway, old)["spec"]["volumeClaimTemplates"]
    assert claims == old["spec"]["volumeClaimTemplates"]


def merged(target: Json, patch: Json) -> Json:
    """What a server-side apply of the adoption makes of the target: lists merge by their keys."""
    pod, ours = pod_of(target), pod_of(patch)
    containers = [
        {**c, **_merged_container(c, ours["containers"][0])} if c["name"] == "server" else c for c in pod["containers"]
    ]
    spec = {
        **pod,
        "initContainers": [*pod.get("initContainers", []), *ours["initContainers"]],
        "containers": containers,
        "volumes": [*pod.get("volumes", []), *ours["volumes"]],
    }
    template = {**target["spec"]["template"], "spec": spec}
    return {**target, "spec": {**target["spec"], "template": template}}


def _merged_container(container: Json, ours: Json) -> Json:
    return {
        "env": [*container.get("env", []), *ours["env"]],
        "volumeMounts": [*container.get("volumeMounts", []), *ours["volumeMounts"]],
    }
