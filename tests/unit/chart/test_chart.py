"""What the chart installs: rights, the operator's pod, the admin's file and the CRDs."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from feedbackloop.api import LABEL_LOOP
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.domain.children.gateway.access import role
from feedbackloop.domain.children.gateway.policy import OPERATOR_LABELS
from feedbackloop.domain.children.gateway.services import pod_labels
from tests.support import loops
from tests.support.restricted import violations
from tests.unit.chart.conftest import Render, Rendered
from tests.unit.chart.schema import CHART, PATH, text

ROOT = Path(__file__).resolve().parents[3]
FULL = {
    "credentials": [{"endpointName": "minio", "secretName": "fl-s3"}],
    "config": {
        "endpoints": loops.ADMIN["endpoints"],
        "profiles": loops.ADMIN["profiles"],
    },
}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def chart(render: Render) -> Rendered:
    return render(**FULL)


def rules(chart: Rendered) -> list[Json]:
    return [r for (kind, _), body in chart.items() if kind in ("Role", "ClusterRole") for r in body["rules"]]


def granted(chart: Rendered) -> set[tuple[str, str, str]]:
    return {triple for r in rules(chart) for triple in product(r["apiGroups"], r["resources"], r["verbs"])}


def test_no_right_reaches_beyond_a_namespace(chart: Rendered) -> None:
    assert not [key for key in chart if key[0] in ("ClusterRole", "ClusterRoleBinding")]


def test_no_verb_is_granted_on_secrets_nor_any_that_lets_rights_grow(chart: Rendered) -> None:
    every = granted(chart)
    assert not {t for t in every if t[1].startswith("secrets") or t[1] in ("pods/exec", "serviceaccounts/token")}
    assert not {t for t in every if t[2] in ("*", "escalate", "bind", "impersonate") or "*" in t}


def test_the_operator_holds_what_it_grants_to_a_gateway(chart: Rendered) -> None:
    (rule,) = role(loops.LOOP)["rules"]
    wanted = set(product(rule["apiGroups"], rule["resources"], rule["verbs"]))
    assert wanted <= granted(chart)


def test_the_operators_pod_passes_the_restricted_level(chart: Rendered) -> None:
    pod = chart["Deployment", "fl-operator"]["spec"]["template"]["spec"]
    assert violations(pod) == []
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"startupProbe", "livenessProbe", "readinessProbe", "resources"} <= set(pod["containers"][0])


def test_gateways_admit_the_pod_that_the_chart_makes(chart: Rendered) -> None:
    labels = chart["Deployment", "fl-operator"]["spec"]["template"]["metadata"]["labels"]
    assert OPERATOR_LABELS.items() <= labels.items()
    assert config_of(chart).operator_namespace == "ml"


def config_of(chart: Rendered, name: str = "fl-operator") -> AdminConfig:
    return AdminConfig.model_validate(yaml.safe_load(chart["ConfigMap", name]["data"]["config.yaml"]))


def test_the_admins_file_is_what_the_operator_reads(chart: Rendered) -> None:
    config = config_of(chart)
    assert [e.name for e in config.endpoints] == ["minio", "mlflow"]
    assert config.jobs.image == config.gateway.image == "feedbackloop:0.1.0"


def test_an_image_of_its_own_wins_over_the_operators(render: Render) -> None:
    chart = render(config={"jobs": {"name": "jobs", "image": "light:1"}, "gateway": {"image": "gw:1"}})
    assert (config_of(chart).jobs.image, config_of(chart).gateway.image) == ("light:1", "gw:1")


def test_credentials_are_files_below_the_endpoints_name(chart: Rendered) -> None:
    pod = chart["Deployment", "fl-operator"]["spec"]["template"]["spec"]
    mounts = {m["mountPath"]: m for m in pod["containers"][0]["volumeMounts"]}
    volume = mounts["/etc/feedbackloop/credentials/minio"]["name"]
    (secret,) = [v["secret"] for v in pod["volumes"] if v["name"] == volume]
    assert secret["secretName"] == "fl-s3"


def test_another_admins_file_is_another_pod(render: Render) -> None:
    def digest(**config: Any) -> str:
        template = render(config=config)["Deployment", "fl-operator"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["feedbackloop.dev/config-digest"])

    assert digest() == digest()
    assert digest() != digest(limits={"workers": 2})


def test_the_charts_crds_are_those_of_the_repository() -> None:
    ours = {p.name: p.read_text() for p in (ROOT / "crds").glob("*.yaml")}
    assert {p.name: p.read_text() for p in (CHART / "files" / "crds").glob("*.yaml")} == ours


def test_crds_are_rendered_whole_and_kept_on_request(render: Render) -> None:
    chart = render()
    for path in (ROOT / "crds").glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        rendered = chart["CustomResourceDefinition", crd["metadata"]["name"]]
        assert rendered["spec"] == crd["spec"]
        assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    unkept = render(crds={"keep": False})["CustomResourceDefinition", "feedbackloops.feedbackloop.dev"]
    assert "annotations" not in unkept["metadata"]


def test_nothing_cluster_scoped_is_left_when_it_is_switched_off(render: Render) -> None:
    chart = render(crds={"enabled": False}, admissionPolicy={"enabled": False})
    assert all("namespace" in body["metadata"] for body in chart.values())


def test_another_namespace_can_be_watched(render: Render) -> None:
    chart = render(watchNamespace="team", namespace="platform")
    assert chart["Role", "fl-operator"]["metadata"]["namespace"] == "team"
    assert chart["Role", "fl-operator-lease"]["metadata"]["namespace"] == "platform"
    (subject,) = chart["RoleBinding", "fl-operator"]["subjects"]
    assert subject["namespace"] == "platform"
    assert config_of(chart).operator_namespace == "platform"


def test_rights_on_routers_are_given_on_request_only(render: Render) -> None:
    def groups(**values: Any) -> dict[str, list[str]]:
        rules = render(**values)["Role", "fl-operator"]["rules"]
        return {group: rule["verbs"] for rule in rules for group in rule["apiGroups"]}

    routers = {"gateway.networking.k8s.io", "serving.kserve.io"}
    assert not routers & groups().keys()
    enabled = {"gatewayAPI": {"enabled": True}, "kserve": {"enabled": True}}
    assert {groups(trafficRouting=enabled)[g] == ["get", "list", "patch"] for g in routers} == {True}


def test_monitoring_is_made_on_request_only(render: Render) -> None:
    assert not [kind for kind, _ in render() if kind in ("PodMonitor", "PrometheusRule")]
    labels = {"release": "prometheus"}
    chart = render(podMonitor={"enabled": True, "labels": labels}, prometheusRule={"enabled": True, "labels": labels})
    monitor = chart["PodMonitor", "fl-operator-gateways"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod_labels(loops.LOOP).items()
    assert LABEL_LOOP in monitor["spec"]["podTargetLabels"]
    rule = chart["PrometheusRule", "fl-operator"]
    assert rule["metadata"]["labels"].items() >= labels.items()
    assert rule["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())


def test_names_follow_the_release(render: Render) -> None:
    assert ("Deployment", "feedbackloop-operator") in render(release="feedbackloop")
    assert ("Deployment", "my-operator") in render(release="my-operator")
    assert ("Deployment", "other") in render(fullnameOverride="other")


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"config": {"nonsense": 1}}, "nonsense"),
        ({"config": {"gateway": {"drainSeconds": 0}}}, "/config/gateway/drainSeconds"),
        ({"config": {"endpoints": [{"name": "a", "type": "Ftp", "url": "http://a"}]}}, "/config/endpoints/0/type"),
        ({"credentials": [{"endpointName": "a"}]}, "secretName"),
        ({"replica": 2}, "replica"),
    ],
)
def test_wrong_values_are_refused_by_their_path(render: Render, values: Json, path: str) -> None:
    with pytest.raises(ValueError, match=path):
        render(**values)


def test_the_values_schema_is_that_of_the_admins_file() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run `python -m tests.unit.chart.schema`"


def test_every_value_is_explained_in_the_readme() -> None:
    readme = (CHART / "README.md").read_text()
    missing = [name for name in yaml.safe_load((CHART / "values.yaml").read_text()) if f"`{name}" not in readme]
    assert missing == []
