"""The Kubernetes adapter on a real API server: what the server does is not for us to imagine."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from feedbackloop.adapters.connection import connect
from feedbackloop.adapters.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    SERVICE_ACCOUNT,
    Kind,
)
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.requests import Requests
from feedbackloop.api import API_VERSION
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Conflict, Gone, Transient, UserError
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
pytestmark = pytest.mark.api


def config_map(namespace: str, name: str = "cm", **data: str) -> Json:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def run(namespace: str, name: str = "r1") -> Json:
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"loopName": "l", "improvementName": "i"},
    }


def deployment(namespace: str, **template: Any) -> Json:
    labels = {"app": "server"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "server", "image": "x", **template}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server", "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
    }


async def test_an_absent_object_is_none(kubernetes: KubernetesAdapter, namespace: str) -> None:
    assert await kubernetes.get(CONFIG_MAP, namespace, "absent") is None


async def test_an_apply_creates_and_an_identical_apply_changes_nothing(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    first = await kubernetes.apply(config_map(namespace, a="1"))
    second = await kubernetes.apply(config_map(namespace, a="1"))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    assert "managedFields" not in first["metadata"]


async def test_a_field_that_we_stop_applying_goes_away(kubernetes: KubernetesAdapter, namespace: str) -> None:
    await kubernetes.apply(config_map(namespace, a="1", b="2"))
    await kubernetes.apply(config_map(namespace, a="1"))
    found = await kubernetes.get(CONFIG_MAP, namespace, "cm")
    assert found is not None
    assert found["data"] == {"a": "1"}


async def test_a_field_of_another_manager_is_a_conflict_that_names_both(
    kubernetes: KubernetesAdapter, server: ApiServer, namespace: str
) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(deployment(namespace)))
    with pytest.raises(Conflict) as raised:
        await kubernetes.apply(deployment(namespace, image="y"), force=False)
    assert raised.value.managers == ("kubectl",)
    assert raised.value.fields == ('.spec.template.spec.containers[name="server"].image',)
    assert raised.value.reason is Reason.FIELD_MANAGER_CONFLICT


async def test_a_forced_apply_takes_the_field(kubernetes: KubernetesAdapter, server: ApiServer, namespace: str) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(deployment(namespace)))
    taken = await kubernetes.apply(deployment(namespace, image="y"), force=True)
    assert taken["spec"]["template"]["spec"]["containers"][0]["image"] == "y"


async def test_fields_that_nobody_owns_are_added_without_force(
    kubernetes: KubernetesAdapter, server: ApiServer, namespace: str
) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(deployment(namespace)))
    ours = deployment(namespace, env=[{"name": "MODEL_DIGEST", "value": "sha256:1"}])
    del ours["spec"]["template"]["spec"]["containers"][0]["image"]
    await kubernetes.apply(ours, force=False)
    found = await kubernetes.get(DEPLOYMENT, namespace, "server")
    assert found is not None
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["env"][0]["name"]) == ("x", "MODEL_DIGEST")


async def test_a_dry_run_tells_the_conflict_and_writes_nothing(kubernetes: KubernetesAdapter, namespace: str) -> None:
    result = await kubernetes.apply(config_map(namespace, a="1"), dry_run=True)
    assert result["data"] == {"a": "1"}
    assert await kubernetes.get(CONFIG_MAP, namespace, "cm") is None


async def test_a_status_is_written_by_compare_and_set(kubernetes: KubernetesAdapter, namespace: str) -> None:
    created = await kubernetes.create(run(namespace))
    assert created is not None
    version = created["metadata"]["resourceVersion"]
    written = await kubernetes.apply(_status(created, version, stage="Curate"), subresource="status")
    assert written["status"]["stage"] == "Curate"
    with pytest.raises(Conflict) as raised:
        await kubernetes.apply(_status(created, version, stage="Train"), subresource="status")
    assert raised.value.managers == ()
    again = await kubernetes.apply(
        _status(created, written["metadata"]["resourceVersion"], stage="Train"), subresource="status"
    )
    assert again["status"]["stage"] == "Train"


async def test_a_status_that_was_not_read_anew_does_not_bring_a_deleted_object_back(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    created = await kubernetes.create(run(namespace))
    assert created is not None
    await kubernetes.delete(IMPROVEMENT_RUN, namespace, "r1")
    with pytest.raises((Conflict, Gone)):
        await kubernetes.apply(
            _status(created, created["metadata"]["resourceVersion"], stage="Curate"), subresource="status"
        )
    assert await kubernetes.get(IMPROVEMENT_RUN, namespace, "r1") is None


async def test_a_name_that_is_taken_is_not_created_twice(kubernetes: KubernetesAdapter, namespace: str) -> None:
    assert await kubernetes.create(run(namespace)) is not None
    assert await kubernetes.create(run(namespace)) is None


async def test_deleting_what_is_absent_or_has_another_uid_is_fine(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    await kubernetes.delete(CONFIG_MAP, namespace, "absent")
    made = await kubernetes.apply(config_map(namespace))
    await kubernetes.delete(CONFIG_MAP, namespace, "cm", uid="11111111-2222-3333-4444-555555555555")
    assert await kubernetes.get(CONFIG_MAP, namespace, "cm") is not None
    await kubernetes.delete(CONFIG_MAP, namespace, "cm", uid=made["metadata"]["uid"])
    assert await kubernetes.get(CONFIG_MAP, namespace, "cm") is None


async def test_finalizers_are_replaced_only_on_the_object_as_it_was_read(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    created = await kubernetes.create(run(namespace))
    assert created is not None
    held = await kubernetes.set_finalizers(IMPROVEMENT_RUN, created, ["feedbackloop.dev/drain"])
    assert held["metadata"]["finalizers"] == ["feedbackloop.dev/drain"]
    with pytest.raises(Conflict):
        await kubernetes.set_finalizers(IMPROVEMENT_RUN, created, [])
    await kubernetes.delete(IMPROVEMENT_RUN, namespace, "r1")
    deleting = await kubernetes.get(IMPROVEMENT_RUN, namespace, "r1")
    assert deleting is not None
    await kubernetes.set_finalizers(IMPROVEMENT_RUN, deleting, [])
    assert await kubernetes.get(IMPROVEMENT_RUN, namespace, "r1") is None


@pytest.mark.parametrize("make", [config_map, run, deployment])
async def test_an_unknown_field_is_refused_by_name(
    kubernetes: KubernetesAdapter, namespace: str, make: Callable[[str], Json]
) -> None:
    body = make(namespace)
    body["dada"] = {}
    with pytest.raises(UserError, match="dada") as raised:
        await kubernetes.apply(body)
    assert raised.value.reason is Reason.INVALID_SPEC


async def test_an_invalid_object_is_refused_with_the_servers_words(
    kubernetes: KubernetesAdapter, namespace: str
) -> None:
    body = deployment(namespace)
    body["spec"]["replicas"] = -1
    with pytest.raises(UserError, match=r"spec\.replicas"):
        await kubernetes.apply(body)


async def test_a_namespace_that_is_absent_is_gone(kubernetes: KubernetesAdapter) -> None:
    with pytest.raises(Gone, match="nowhere"):
        await kubernetes.apply(config_map("nowhere"))


async def test_a_kind_that_is_not_served_is_told_by_the_probe(kubernetes: KubernetesAdapter, namespace: str) -> None:
    await kubernetes.probe(FEEDBACK_LOOP, namespace)
    with pytest.raises(Gone):
        await kubernetes.probe(Kind("feedbackloop.dev", "v1alpha1", "nothings", "Nothing"), namespace)


async def test_what_the_role_does_not_allow_is_forbidden_by_verb_and_resource(
    server: ApiServer, namespace: str
) -> None:
    connection = await connect(str(server.kubeconfig))
    connection.client.set_default_header("Impersonate-User", f"system:serviceaccount:{namespace}:default")
    try:
        with pytest.raises(UserError, match=r"may not apply services .*cannot patch") as raised:
            service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": namespace}}
            await KubernetesAdapter(Requests(connection)).apply(service)
        assert raised.value.reason is Reason.FORBIDDEN
    finally:
        await connection.close()


async def test_lists_are_selected_by_label_come_in_pages_and_know_their_kind(
    kubernetes: KubernetesAdapter, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        body = config_map(namespace, f"cm-{number}")
        body["metadata"]["labels"] = {"parity": str(number % 2)}
        await kubernetes.apply(body)
    monkeypatch.setattr("feedbackloop.adapters.kubernetes.PAGE", "2")
    even = await kubernetes.list(CONFIG_MAP, namespace, labels={"parity": "0"})
    assert [item["metadata"]["name"] for item in even] == ["cm-0", "cm-2", "cm-4"]
    assert {(item["apiVersion"], item["kind"]) for item in even} == {("v1", "ConfigMap")}
    metadata = await kubernetes.metadata(CONFIG_MAP, namespace, selector={"parity": None})
    assert len(metadata) == 5
    assert all(item["resourceVersion"] for item in metadata)


async def test_an_event_is_told_once_for_a_transition_and_again_for_the_next(
    kubernetes: KubernetesAdapter, server: ApiServer, namespace: str
) -> None:
    created = await kubernetes.create(run(namespace))
    assert created is not None
    for _ in range(2):
        await kubernetes.event(created, type_="Normal", reason="Curated", action="Curate", note="é" * 2000)
    await kubernetes.event(created, type_="Warning", reason="StageFailed", action="Train", note="exit 14")
    events = await kubernetes.list(EVENT, namespace)
    assert sorted(e["reason"] for e in events) == ["Curated", "StageFailed"]
    assert all(len(e["note"].encode()) <= 1024 for e in events)
    assert "StageFailed" in server.kubectl("events", "-n", namespace, "--for", "improvementrun/r1")


async def test_an_event_that_cannot_be_told_disturbs_nobody(kubernetes: KubernetesAdapter, namespace: str) -> None:
    created = await kubernetes.create(run(namespace))
    assert created is not None
    created["metadata"]["namespace"] = "nowhere"
    await kubernetes.event(created, type_="Normal", reason="Curated", action="Curate", note="-")


async def test_every_request_is_counted_by_verb_resource_and_code(
    kubernetes: KubernetesAdapter, namespace: str, counted: Counter[tuple[str, str, str]]
) -> None:
    await kubernetes.get(CONFIG_MAP, namespace, "cm")
    await kubernetes.apply(deployment(namespace))
    assert counted == {("get", "configmaps", "404"): 1, ("apply", "deployments.apps", "201"): 1}


async def test_a_process_without_the_lease_reads_but_writes_nothing(
    server: ApiServer, namespace: str, kubernetes: KubernetesAdapter
) -> None:
    connection = await connect(str(server.kubeconfig))
    fenced = KubernetesAdapter(Requests(connection, may_write=lambda: False))
    try:
        assert await fenced.list(SERVICE_ACCOUNT, namespace) is not None
        with pytest.raises(Transient, match="not the leader"):
            await fenced.apply(config_map(namespace))
    finally:
        await connection.close()
    assert await kubernetes.get(CONFIG_MAP, namespace, "cm") is None


async def test_many_requests_share_one_client(kubernetes: KubernetesAdapter, namespace: str) -> None:
    await asyncio.gather(*(kubernetes.apply(config_map(namespace, f"cm-{n}")) for n in range(50)))
    names = {item["metadata"]["name"] for item in await kubernetes.list(CONFIG_MAP, namespace)}
    assert {f"cm-{n}" for n in range(50)} <= names


def _status(created: Json, version: str, **status: Any) -> Json:
    metadata = {"name": created["metadata"]["name"], "namespace": created["metadata"]["namespace"]}
    return {
        "apiVersion": created["apiVersion"],
        "kind": created["kind"],
        "metadata": {**metadata, "resourceVersion": version},
        "status": status,
    }
