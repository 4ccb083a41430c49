"""The manifests beside the chart are true."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from feedbackloop.api.gateway import ADMIN_PORT
from feedbackloop.domain.children.gateway.policy import OPERATOR_LABELS
from feedbackloop.domain.children.gateway.services import COMPONENT
from tests.unit.chart.conftest import Render
from tests.unit.chart.schema import CHART

MANIFESTS = CHART.parents[1] / "manifests"
LUA = next((path for name in ("lua5.4", "lua") if (path := shutil.which(name))), None)


def loaded(name: str) -> list[dict[str, Any]]:
    return [body for body in yaml.safe_load_all((MANIFESTS / name).read_text()) if body]


def test_the_rights_to_read_are_those_that_the_chart_installs(render: Render) -> None:
    chart = render(release="feedbackloop")
    kinds = ("ServiceAccount", "Role", "RoleBinding")
    assert {(b["kind"], b["metadata"]["name"]): b for b in loaded("rbac.yaml")} == {
        key: body for key, body in chart.items() if key[0] in kinds
    }


def test_the_sample_of_egress_names_the_pods_that_there_are() -> None:
    (policy,) = loaded("networkpolicy-egress.yaml")
    assert policy["spec"]["podSelector"]["matchLabels"] == OPERATOR_LABELS
    gateways = policy["spec"]["egress"][-1]
    assert gateways["to"][0]["podSelector"]["matchLabels"] == COMPONENT
    assert gateways["ports"][0]["port"] == ADMIN_PORT


CASES = {
    "new": ("{metadata={generation=1}}", "Progressing"),
    "changed": ("{metadata={generation=2}, status={observedGeneration=1, conditions={%(ready)s}}}", "Progressing"),
    "ready": ("{metadata={generation=1}, status={observedGeneration=1, conditions={%(ready)s}}}", "Healthy"),
    "suspended": ("{metadata={generation=1}, status={observedGeneration=1, conditions={%(suspended)s}}}", "Suspended"),
    "starting": ("{metadata={generation=1}, status={observedGeneration=1, conditions={%(starting)s}}}", "Progressing"),
    "stalled": (
        "{metadata={generation=1}, status={observedGeneration=1, conditions={%(starting)s, %(stalled)s}}}",
        "Degraded",
    ),
}
CONDITIONS = {
    "ready": "{type='Ready', status='True', reason='AsDeclared', message='m'}",
    "suspended": "{type='Ready', status='True', reason='Suspended', message='m'}",
    "starting": "{type='Ready', status='False', reason='Adopting', message='m'}",
    "stalled": "{type='Stalled', status='True', reason='InvalidSpec', message='m'}",
}


@pytest.mark.skipif(LUA is None, reason="there is no Lua interpreter: install lua5.4")
@pytest.mark.parametrize(("obj", "health"), CASES.values(), ids=CASES.keys())
def test_argo_cd_sees_a_loops_health(tmp_path: Path, obj: str, health: str) -> None:
    assert LUA is not None
    script = tmp_path / "case.lua"
    body = (MANIFESTS / "argocd-health.lua").read_text()
    script.write_text(f"obj = {obj % CONDITIONS}\nlocal function health()\n{body}\nend\nprint(health().status)\n")
    done = subprocess.run([LUA, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == health
