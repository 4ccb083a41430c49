"""The gateway's objects: rights, order, configuration and who may reach it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from feedbackloop.api import LABEL_LOOP
from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import Backend, GatewayConfig, KeyService, LoopRef, Routing, revision
from feedbackloop.domain.children.arms import canary_service, stable_service
from feedbackloop.domain.children.gateway import gateway_objects
from feedbackloop.domain.children.gateway.config import config_json, gateway_config
from tests.support import loops
from tests.unit.domain.children import generated

Json = dict[str, Any]
ROUTING = Routing(stable=Backend(host="support-bot-stable.ml.svc", port=9000, digest="sha256:" + "a" * 64))


def config(loop: LoopRef = loops.LOOP, spec: FeedbackLoopSpec | None = None) -> GatewayConfig:
    endpoint = loops.admin().endpoint("minio", EndpointType.S3)
    assert endpoint is not None
    spec = spec or loops.spec()
    owners = spec.collection.replicas
    return gateway_config(loop, spec, endpoint, spec.rollout, ROUTING, encryption=KeyService(), owners=owners)


def objects(
    loop: LoopRef = loops.LOOP, admin: AdminConfig | None = None, spec: FeedbackLoopSpec | None = None
) -> dict[str, Json]:
    made = gateway_objects(loop, spec or loops.spec(), admin or loops.admin(), config(loop, spec), None)
    return {f"{o['kind']}/{o['metadata']['name']}": o for o in made}


@given(generated.refs)
def test_every_object_is_owned_by_its_loop_and_found_by_its_label(loop: LoopRef) -> None:
    for body in objects(loop).values():
        (owner,) = body["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("FeedbackLoop", loop.uid, True)
        assert body["metadata"]["labels"][LABEL_LOOP] == loop.name
        assert body["metadata"]["namespace"] == loop.namespace


def test_the_configuration_is_there_before_the_pods() -> None:
    kinds = [name.split("/")[0] for name in objects()]
    assert kinds.index("ConfigMap") < kinds.index("StatefulSet")
    assert kinds.index("RoleBinding") < kinds.index("StatefulSet")
    assert kinds[-1] == "StatefulSet"


def test_the_gateway_may_read_one_config_map_and_nothing_else() -> None:
    made = objects()
    assert made["Role/support-bot-gateway"]["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["support-bot-gateway"],
            "verbs": ["get", "watch"],
        }
    ]
    subjects = made["RoleBinding/support-bot-gateway"]["subjects"]
    assert subjects == [{"kind": "ServiceAccount", "name": "support-bot-gateway", "namespace": "ml"}]


def test_only_the_operator_reaches_the_admin_port() -> None:
    policy = objects(admin=loops.admin(operatorNamespace="platform"))["NetworkPolicy/support-bot-gateway"]
    everybody, operator = policy["spec"]["ingress"]
    assert [p["port"] for p in everybody["ports"]] == [8080, 8081]
    assert "from" not in everybody
    assert [p["port"] for p in operator["ports"]] == [8082]
    (peer,) = operator["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "platform"}
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "feedbackloop-operator"}


def test_without_a_word_of_the_admin_the_operator_is_expected_in_the_loops_namespace() -> None:
    policy = objects()["NetworkPolicy/support-bot-gateway"]
    (peer,) = policy["spec"]["ingress"][1]["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "ml"}


def test_metrics_are_read_by_whom_the_admin_names_and_by_nobody_else() -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    admin = loops.admin(gateway={"image": "gateway:1", "metricsFrom": peers})
    (rule,) = objects(admin=admin)["NetworkPolicy/support-bot-gateway"]["spec"]["ingress"][2:]
    assert rule == {"from": peers, "ports": [{"port": 8083, "protocol": "TCP"}]}
    silent = objects()["NetworkPolicy/support-bot-gateway"]["spec"]["ingress"]
    assert not [p for rule in silent for p in rule["ports"] if p["port"] == 8083]


def test_the_volume_outlives_the_stateful_set() -> None:
    spec = objects()["StatefulSet/support-bot-gateway"]["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "log"
    assert claim["metadata"]["annotations"] == {"feedbackloop.dev/loop-uid": loops.LOOP.uid}


def test_a_pod_that_is_not_ready_is_still_found_by_the_operator() -> None:
    assert objects()["Service/support-bot-gateway-pods"]["spec"]["publishNotReadyAddresses"] is True


def test_each_secret_is_mounted_read_only_where_the_contract_says() -> None:
    pod = objects()["StatefulSet/support-bot-gateway"]["spec"]["template"]["spec"]
    secrets = {name: secret for name, (secret, _) in secret_files(loops.spec()).items()}
    assert secrets == {"storage": "s3", "kek": "loop-kek", "app": "app-token"}
    mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"] if m.get("readOnly")}
    assert mounts == {name: f"/etc/feedbackloop/secrets/{name}" for name in secrets}


def collection(**changes: Any) -> FeedbackLoopSpec:
    return loops.spec(collection={**loops.SPEC["collection"], **changes})


def secret_files(spec: FeedbackLoopSpec) -> dict[str, tuple[str, list[str]]]:
    pod = objects(spec=spec)["StatefulSet/support-bot-gateway"]["spec"]["template"]["spec"]
    secrets = {v["name"]: v["secret"] for v in pod["volumes"] if "secret" in v}
    found = {name: (s["secretName"], [item["key"] for item in s["items"]]) for name, s in secrets.items()}
    (projected,) = [v["projected"]["sources"] for v in pod["volumes"] if v["name"] == "kek"]
    now, before = (source["secret"] for source in projected)
    assert (before["name"], before["optional"]) == (now["name"], True)
    assert before["items"] == [{"key": "previous", "path": "previous"}]
    return {**found, "kek": (now["name"], [item["key"] for item in now["items"]])}


def test_of_each_secret_only_the_keys_of_the_contract_are_mounted() -> None:
    kms = {"awsKms": {"endpointName": "kms", "keyId": "alias/loop", "credentialsSecretName": "kms-user"}}
    vault = {"vaultTransit": {"endpointName": "vault", "keyName": "loop", "credentialsSecretName": "vault-token"}}
    aws = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert secret_files(loops.spec()) == {
        "storage": ("s3", aws),
        "kek": ("loop-kek", ["key"]),
        "app": ("app-token", ["token"]),
    }
    assert secret_files(loops.spec(encryption={"key": kms}))["kek"] == ("kms-user", aws)
    assert secret_files(loops.spec(encryption={"key": vault}))["kek"] == ("vault-token", ["token"])
    assert secret_files(collection(verifiedTokenSecretName="experts"))["verified"] == ("experts", ["token"])


def test_several_pods_find_each_other_keep_apart_and_go_one_at_a_time() -> None:
    made = objects(spec=collection(replicas=3))
    pods = made["StatefulSet/support-bot-gateway"]["spec"]
    told = json.loads(made["ConfigMap/support-bot-gateway"]["data"]["config.json"])
    assert pods["replicas"] == told["collection"]["replicas"] == 3
    assert told["peers"] == "support-bot-gateway-{ordinal}.support-bot-gateway-pods.ml.svc:8080"
    (term,) = pods["template"]["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["labelSelector"] == pods["selector"]
    budget = made["PodDisruptionBudget/support-bot-gateway"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": pods["selector"]}
    assert {p["port"] for p in made["Service/support-bot-gateway-pods"]["spec"]["ports"]} == {8080, 8082}


def test_the_pods_reach_each_others_app_port_through_the_policy() -> None:
    policy = objects(spec=collection(replicas=3))["NetworkPolicy/support-bot-gateway"]
    everybody = policy["spec"]["ingress"][0]
    assert 8080 in [p["port"] for p in everybody["ports"]]
    assert "from" not in everybody


def test_a_single_pod_has_no_peers_no_budget_and_no_affinity() -> None:
    made = objects()
    assert "PodDisruptionBudget/support-bot-gateway" not in made
    assert "affinity" not in made["StatefulSet/support-bot-gateway"]["spec"]["template"]["spec"]
    assert json.loads(made["ConfigMap/support-bot-gateway"]["data"]["config.json"]).get("peers", "") == ""


def test_the_config_map_carries_the_bytes_whose_digest_is_the_revision() -> None:
    text = objects()["ConfigMap/support-bot-gateway"]["data"]["config.json"]
    assert text == config_json(config())
    assert GatewayConfig.model_validate_json(text) == config()
    assert len(revision(text)) == 16


def test_the_gateway_stores_below_the_loops_uid_and_counts_the_rollouts_outcomes() -> None:
    told = json.loads(config_json(config()))
    assert told["storage"]["prefix"] == f"ml/{loops.LOOP.uid}/"
    assert told["outcomes"] == [
        {"name": "downvotes", "signal": "helpful", "event": "ThumbsDown", "attributionWindowSeconds": 15}
    ]


def test_a_loop_that_only_collects_counts_nothing_and_uses_the_usual_header() -> None:
    spec = loops.spec(improvements=[], rollout=None, evaluation=None)
    told = config(spec=spec)
    assert told.outcomes == ()
    assert told.session_header == "X-Session-Id"


def test_the_arms_are_headless_services_on_the_targets_container_port() -> None:
    stable = stable_service(loops.LOOP, selector={"app": "bot"}, port_name="http", port=9000)
    canary = canary_service(loops.LOOP, port_name="http", port=9000)
    for body in (stable, canary):
        assert body["spec"]["clusterIP"] == "None"
        assert body["spec"]["ports"] == [{"name": "http", "port": 9000, "targetPort": 9000, "protocol": "TCP"}]
    assert stable["spec"]["selector"] == {"app": "bot"}
    assert canary["spec"]["selector"] == {LABEL_LOOP: "support-bot", "feedbackloop.dev/arm": "canary"}
