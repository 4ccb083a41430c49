"""A namespace with a team's objects in it, and how it looks in the end."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from feedbackloop.adapters.connection import Connection, connect
from feedbackloop.adapters.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    JOB,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    ROLLOUT_ACTION,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Kind,
)
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.adapters.requests import Request, Requests
from tests.support.clock import START, FakeClock
from tests.support.fakeworld import declared, jobs
from tests.support.fakeworld.mirror import Mirror
from tests.support.fakeworld.state import State
from tests.support.fakeworld.world import Story, World

NAMESPACE = Kind("", "v1", "namespaces", "Namespace", namespaced=False)
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
KINDS = (
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    ROLLOUT_ACTION,
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
)
NOT_OURS = {"kube-root-ca.crt", "default"}
KNOWN = {
    declared.BASE["digest"].removeprefix("sha256:"): "BASE",
    jobs.CANDIDATE.digest.removeprefix("sha256:"): "CANDIDATE",
    jobs.DATASET.removeprefix("sha256:"): "DATASET",
}
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
HEX = re.compile(r"\b[0-9a-f]{12,64}\b")


@asynccontextmanager
async def connection(kubeconfig: str) -> AsyncIterator[Connection]:
    made = await connect(kubeconfig)
    try:
        yield made
    finally:
        await made.close()


async def begin(connection: Connection, namespace: str, loop: Json | None = None, mirror: Mirror | None = None) -> None:
    """A restricted namespace with the target and the loop; there is no other operator in it."""
    requests = Requests(connection)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": RESTRICTED}}
    await requests.send(Request("create", NAMESPACE, "", body=body))
    made = [
        await add(connection, namespace, declared.target(), DEPLOYMENT),
        await add(connection, namespace, loop or declared.loop(), FEEDBACK_LOOP),
    ]
    if mirror is not None:
        for body in made:
            mirror.put(body)


async def add(connection: Connection, namespace: str, body: Json, kind: Kind) -> Json:
    """Create an object as its team would."""
    return await Requests(connection).send(Request("create", kind, namespace, body=body))


async def leave(connection: Connection, namespace: str) -> None:
    """Give back what is scarce: the server has a few hundred addresses for Services. The rest goes with the server."""
    await Requests(connection).send(Request("delete", SERVICE, namespace, f"{declared.LOOP}-gateway"))


def new_world(
    connection: Connection,
    namespace: str,
    story: Story | None = None,
    state: State | None = None,
    mirror: Mirror | None = None,
) -> World:
    """The world as it is in the beginning, or as it was left."""
    state = state or State(now=START.timestamp())
    clock = FakeClock(datetime.fromtimestamp(state.now, tz=START.tzinfo))
    return World(connection, namespace, clock, state, story or Story(), mirror)


async def picture(kubernetes: KubernetesPort, namespace: str) -> dict[str, Json]:
    """All objects, without times, uids, versions and what is derived from them."""
    found: dict[str, Json] = {}
    for kind in KINDS:
        for body in await kubernetes.list(kind, namespace):
            if body["metadata"]["name"] not in NOT_OURS:
                found |= {_plain(f"{kind.kind}/{body['metadata']['name']}", namespace): _object(body, namespace)}
    return found


def _object(body: Json, namespace: str) -> Json:
    metadata = {k: body["metadata"].get(k) for k in ("name", "labels", "annotations", "ownerReferences", "finalizers")}
    if body["kind"] == "Deployment":  # the Deployment controller's own bookkeeping
        metadata["annotations"] = None
    ours = body["apiVersion"].startswith("feedbackloop.dev/")
    kept = {
        k: v
        for k, v in body.items()
        if k in ("spec", "data", "rules", "roleRef", "subjects", *(("status",) if ours else ()))
    }
    kept = _without_measurements(_without_addresses(kept))
    made: Json = json.loads(_plain(json.dumps({"metadata": metadata, **kept}), namespace))
    return made


def _without_addresses(body: Json) -> Json:
    spec = {k: v for k, v in body.get("spec", {}).items() if k not in ("clusterIP", "clusterIPs")}
    return {**body, **({"spec": spec} if "spec" in body else {})}


def _without_measurements(body: Json) -> Json:
    """Sessions that were counted by some moment, and the plan made of them, say when one looked."""
    measured = {"inputs": "units", "rollout": "plan"}
    status = {k: _without(v, measured[k]) if k in measured else v for k, v in body.get("status", {}).items()}
    return {**body, **({"status": status} if "status" in body else {})}


def _without(body: Json, key: str) -> Json:
    return {k: v for k, v in body.items() if k != key}


def _plain(text: str, namespace: str) -> str:
    for digest, name in KNOWN.items():
        text = text.replace(digest, name)
    text = TIME.sub("<time>", UID.sub("<uid>", text))
    return HEX.sub("<hex>", text).replace(namespace, "<namespace>")


async def runs(kubernetes: KubernetesPort, namespace: str) -> list[Json]:
    return await kubernetes.list(IMPROVEMENT_RUN, namespace)


def settled(run: Json) -> bool:
    """Whether a run is over, and told to MLflow if that knows it."""
    status: dict[str, Any] = run.get("status") or {}
    mlflow = status.get("mlflow") or {}
    return bool(status.get("outcome")) and ("runId" not in mlflow or "settledAt" in mlflow)
