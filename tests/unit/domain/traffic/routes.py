"""An HTTPRoute as a Gateway API implementation and other writers would leave it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from feedbackloop.api.gateway import Backend, LoopRef, Routing
from feedbackloop.api.rollout.routing import GatewayApi
from feedbackloop.domain.traffic.gateway_api import Route, observe, to_apply
from feedbackloop.domain.traffic.model import RouterSeen

Json = dict[str, Any]
LOOP = LoopRef(namespace="ml", name="bot", uid="uid-of-the-loop")
SPEC = GatewayApi(http_route_name="support", rule_name="chat")
AT = "2027-01-01T00:00:00Z"


def backend(name: str, weight: int = 1, port: int = 8000) -> Json:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight}


def rule(name: str, path: str, *backends: Json) -> Json:
    matches = [{"path": {"type": "PathPrefix", "value": path}}]
    return {"name": name, "matches": matches, "backendRefs": list(backends)}


CHAT = rule("chat", "/v1/chat", backend("support"))
FILES = rule("files", "/v1/files", backend("files", port=9000))
HEALTH = rule("health", "/healthz", backend("support"))


def body(*rules: Json) -> Json:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "support", "namespace": "ml", "resourceVersion": "7", "generation": 1},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": list(rules or (FILES, CHAT, HEALTH))},
    }


def routing(epoch: int, weight: int, salt: str = "5a17") -> Routing:
    stable = Backend(host="bot-stable", port=8000, digest="sha256:a")
    canary = Backend(host="bot-canary", port=8000, digest="sha256:b") if weight else None
    return Routing(run_uid="run", epoch=epoch, weight=weight, salt=salt, stable=stable, canary=canary)


class World:
    """One route, and what happens to it."""

    def __init__(self, *rules: Json) -> None:
        self.body = body(*rules)

    @property
    def route(self) -> Route:
        return Route(copy.deepcopy(self.body), LOOP, SPEC)

    @property
    def rules(self) -> list[Json]:
        found: list[Json] = self.body["spec"]["rules"]
        return found

    def named(self, name: str) -> Json:
        return next(r for r in self.rules if r.get("name") == name)

    def apply(self, wanted: Routing) -> Json | None:
        """Both steps of the operator, with a router that knows the backends after the first one; the last apply."""
        last = None
        for _ in range(2):
            last = self.step(wanted) or last
        return last

    def step(self, wanted: Routing) -> Json | None:
        """One apply; the API server keeps annotations of others and takes the list as it is."""
        applied = to_apply(self.route, wanted)
        if applied is not None:
            self._write("feedbackloop", applied["spec"]["rules"])
            annotations = self.body["metadata"].get("annotations", {})
            kept = {k: v for k, v in annotations.items() if not k.startswith("feedbackloop.dev/")}
            self.body["metadata"]["annotations"] = {**kept, **applied["metadata"]["annotations"]}
        return applied

    def other_writes(self, rules: list[Json], manager: str = "argocd", at: str = AT) -> None:
        self._write(manager, rules, at)

    def _write(self, manager: str, rules: list[Json], at: str = AT) -> None:
        meta = self.body["metadata"]
        self.body["spec"]["rules"] = copy.deepcopy(rules)
        meta["generation"] += 1
        meta["managedFields"] = [{"manager": manager, "time": at, "fieldsV1": {"f:spec": {"f:rules": {}}}}]

    def router_answers(self, *, accepted: str = "True", resolved: str = "True", generation: int | None = None) -> None:
        seen = self.body["metadata"]["generation"] if generation is None else generation
        conditions = [
            {"type": kind, "status": status, "reason": "Said", "message": "in words", "observedGeneration": seen}
            for kind, status in (("Accepted", accepted), ("ResolvedRefs", resolved))
        ]
        entry = {"parentRef": {"name": "edge"}, "controllerName": "example.net/gateway", "conditions": conditions}
        self.body["status"] = {"parents": [entry]}

    def seen(self, wanted: Routing, *, written_before: bool = False, stable: int = 0, canary: int = 0) -> RouterSeen:
        seen = observe(self.route, wanted, written_before=written_before)
        return replace(seen, stable=stable, canary=canary)
