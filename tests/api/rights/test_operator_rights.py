"""What the operator's own token may do, and above all what it may not."""

from __future__ import annotations

import pytest

from feedbackloop.domain.children.gateway.access import role, role_binding
from tests.api.rights.conftest import Person
from tests.support import loops
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.api

SECRET_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


@pytest.mark.parametrize("verb", SECRET_VERBS)
def test_the_operator_has_no_verb_on_secrets(operator: Person, verb: str) -> None:
    assert not operator.may(verb, "secrets")


def test_the_server_refuses_the_operator_a_secret(server: ApiServer, operator: Person) -> None:
    server.kubectl("-n", operator.namespace, "create", "secret", "generic", "precious", "--from-literal=a=b")
    for words in (("get", "secret", "precious"), ("get", "secrets")):
        refused = operator.kubectl("-n", operator.namespace, *words)
        assert refused.returncode != 0
        assert "forbidden" in refused.stderr


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("create", "pods/exec"),
        ("create", "pods"),
        ("create", "serviceaccounts/token"),
        ("bind", "roles"),
        ("escalate", "roles"),
        ("impersonate", "users"),
        ("delete", "feedbackloops.feedbackloop.dev"),
        ("patch", "improvementruns.feedbackloop.dev"),
        ("get", "nodes"),
        ("list", "namespaces"),
        ("get", "customresourcedefinitions.apiextensions.k8s.io"),
        ("get", "clusterroles.rbac.authorization.k8s.io"),
        ("create", "validatingadmissionpolicies.admissionregistration.k8s.io"),
    ],
)
def test_the_operator_may_not(operator: Person, verb: str, resource: str) -> None:
    assert not operator.may(verb, resource)


@pytest.mark.parametrize("resource", ["feedbackloops.feedbackloop.dev", "deployments.apps", "configmaps"])
def test_other_namespaces_are_closed(server: ApiServer, operator: Person, resource: str) -> None:
    other = server.namespace()
    assert not any(operator.may(verb, resource, namespace=other) for verb in ("get", "list", "create", "patch"))
    assert operator.may("get", resource)


def test_the_operator_can_give_a_gateway_its_role_without_escalating(operator: Person) -> None:
    for body in (role(loops.LOOP), role_binding(loops.LOOP)):
        body["metadata"] = {"name": "gateway", "namespace": operator.namespace}
        body.get("roleRef", {}).update(name="gateway")
        done = operator.apply(body, "--server-side")
        assert done.returncode == 0, done.stderr


def test_the_server_refuses_the_operator_a_role_with_more_than_it_holds(operator: Person) -> None:
    body = role(loops.LOOP)
    body["metadata"] = {"name": "greedy", "namespace": operator.namespace}
    body["rules"] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    refused = operator.apply(body, "--server-side")
    assert refused.returncode != 0
    assert "attempting to grant RBAC permissions not currently held" in refused.stderr


def test_the_operator_elects_its_leader_with_one_lease_only(operator: Person) -> None:
    assert operator.may("update", "leases.coordination.k8s.io", name="fl-operator")
    assert not operator.may("update", "leases.coordination.k8s.io", name="somebody-elses")
