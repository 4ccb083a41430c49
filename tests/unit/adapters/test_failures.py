"""Answers of the API server and what they mean; the bodies are what a real 1.36 server sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.adapters.failures import AlreadyExists, Answer, OtherObject, error
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Conflict, Gone, OperatorError, Transient, UserError


def answer(code: int, message: str = "", reason: str = "", causes: list[dict[str, str]] | None = None) -> Answer:
    status: dict[str, Any] = {"kind": "Status", "message": message, "reason": reason, "details": {"causes": causes}}
    return Answer(code, json.dumps(status).encode(), "apply", "deployments.apps ns/server", retry_after=7.0)


OWNED = [
    {"reason": "FieldManagerConflict", "message": 'conflict with "helm" using apps/v1', "field": ".spec.b"},
    {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using apps/v1', "field": ".spec.a"},
    {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1',
        "field": ".spec.replicas",
    },
]


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        pytest.param(answer(409, "changed", "Conflict"), Conflict, Reason.WAITING, id="stale resourceVersion"),
        pytest.param(answer(409, "exists", "AlreadyExists"), AlreadyExists, Reason.WAITING, id="name taken"),
        pytest.param(
            answer(409, "the UID in the precondition (1) does not match the UID in record (2)", "Conflict"),
            OtherObject,
            Reason.WAITING,
            id="another object under the name",
        ),
        pytest.param(answer(403, "cannot patch"), UserError, Reason.FORBIDDEN, id="no right"),
        pytest.param(
            answer(403, "being terminated", causes=[{"reason": "NamespaceTerminating"}]),
            Gone,
            Reason.API_UNAVAILABLE,
            id="namespace that ends",
        ),
        pytest.param(answer(404, "not found"), Gone, Reason.API_UNAVAILABLE, id="absent"),
        pytest.param(answer(410, "expired"), Gone, Reason.API_UNAVAILABLE, id="list token too old"),
        pytest.param(answer(422, "spec.replicas: must be"), UserError, Reason.INVALID_SPEC, id="invalid"),
        pytest.param(answer(400, "strict decoding"), UserError, Reason.INVALID_SPEC, id="malformed"),
        pytest.param(
            answer(500, "failed to create typed patch object: .dada: field not declared in schema"),
            UserError,
            Reason.INVALID_SPEC,
            id="unknown field in an apply",
        ),
        pytest.param(
            answer(500, "etcdserver: request timed out"), Transient, Reason.API_UNAVAILABLE, id="server error"
        ),
        pytest.param(answer(401, "Unauthorized"), Transient, Reason.API_UNAVAILABLE, id="token refused"),
        pytest.param(answer(503, "starting"), Transient, Reason.API_UNAVAILABLE, id="starting"),
    ],
)
def test_an_answer_means(given: Answer, kind: type[OperatorError], reason: Reason) -> None:
    found = error(given)
    assert (type(found), found.reason) == (kind, reason)
    assert "ns/server" in found.message


def test_a_field_conflict_names_every_manager_and_field_in_order() -> None:
    found = error(answer(409, "Apply failed", "Conflict", OWNED))
    assert isinstance(found, Conflict)
    assert found.managers == ("helm", "kube-controller-manager", "kubectl")
    assert found.fields == (".spec.a", ".spec.b", ".spec.replicas")
    assert found.reason is Reason.FIELD_MANAGER_CONFLICT


def test_a_server_that_is_busy_says_when_to_come_back() -> None:
    found = error(answer(429, "too many requests"))
    assert isinstance(found, Transient)
    assert found.retry_after == 7.0


def test_a_body_that_is_no_status_is_cut_short() -> None:
    found = error(Answer(502, b"<html>" + b"x" * 5000, "get", "configmaps ns/cm"))
    assert len(found.message) < 400
