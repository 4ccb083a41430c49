"""Specs, admin files and targets as Hypothesis makes them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, Model
from feedbackloop.api.gateway import LoopRef
from tests.support import loops

names = st.from_regex(r"\A[a-z][-a-z0-9]{0,20}[a-z0-9]\Z")
labels = st.dictionaries(names, names, max_size=3)
resources = st.sampled_from([{}, {"requests": {"cpu": "0.5"}}, {"limits": {"memory": "1Gi"}}])
models = st.integers(0, 15).map(lambda n: Model(uri=f"s3://models/m{n}/", digest="sha256:" + f"{n:x}" * 64))
refs = st.builds(LoopRef, namespace=names, name=names, uid=st.uuids().map(str))


@st.composite
def admins(draw: st.DrawFn) -> AdminConfig:
    """An admin's file with other images, resources and volumes."""
    light = {"name": "light", "image": draw(names), "resources": draw(resources)}
    gateway = {"image": draw(names), "resources": draw(resources), "storageClassName": draw(st.none() | names)}
    operator = draw(st.none() | names)
    return loops.admin(jobs=light, gateway=gateway, **({"operatorNamespace": operator} if operator else {}))


def keys() -> st.SearchStrategy[dict[str, Any]]:
    """A root key of each sort."""
    kms = {"endpointName": "kms", "keyId": "alias/loop"}
    vault = {"endpointName": "vault", "keyName": "loop"}
    return st.one_of(
        names.map(lambda n: {"secretName": n}),
        names.map(lambda n: {"awsKms": {**kms, "credentialsSecretName": n}}),
        names.map(lambda n: {"vaultTransit": {**vault, "credentialsSecretName": n}}),
    )


@st.composite
def specs(draw: st.DrawFn) -> FeedbackLoopSpec:
    """A spec with other names of Secrets."""
    body = loops.spec_json()
    body["storage"]["credentialsSecretName"] = draw(names)
    body["models"]["credentialsSecretName"] = draw(names.filter(lambda n: n != "s3-models-write"))
    body["encryption"]["key"] = draw(keys())
    body["collection"]["replicas"] = draw(st.integers(1, 16))
    body["collection"]["appTokenSecretName"] = draw(names)
    return FeedbackLoopSpec.model_validate(body)


@st.composite
def targets(draw: st.DrawFn) -> dict[str, Any]:
    """A target that passes the restricted level, with more labels, containers, environment and mounts."""
    made = copy.deepcopy(loops.TARGET)
    template = made["spec"]["template"]
    server = template["spec"]["containers"][0]
    selector = draw(st.dictionaries(names, names, min_size=1, max_size=3))
    made["spec"]["selector"] = {"matchLabels": selector}
    template["metadata"] = {"labels": {**draw(labels), **selector}, "creationTimestamp": None}
    server["env"] = [{"name": n.upper().replace("-", "_"), "value": v} for n, v in draw(labels).items()]
    server["resources"] = draw(resources)
    if draw(st.booleans()):
        template["spec"]["containers"].append({**copy.deepcopy(server), "name": "sidecar", "ports": []})
    if draw(st.booleans()):
        template["spec"]["initContainers"] = [{**copy.deepcopy(server), "name": "prepare", "ports": []}]
        template["spec"]["volumes"] = [{"name": "cache", "emptyDir": {}}]
    return made
