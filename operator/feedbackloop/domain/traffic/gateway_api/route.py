"""The HTTPRoute: what is read of it, and what is applied to it.

`spec.rules` is one atomic list, so an apply holds all rules: those of others exactly as they were read, and the
resourceVersion that was read, so that the API server refuses it when anybody wrote in between. The rule as it was
before us is kept in an annotation, and put back when no rollout routes any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from feedbackloop.api import GROUP
from feedbackloop.api.gateway import LoopRef, Routing
from feedbackloop.api.rollout.routing import GatewayApi
from feedbackloop.domain import naming
from feedbackloop.domain.traffic.gateway_api.rules import Split, names_in_front, never, ours, rules, warming

Json = dict[str, Any]
API_VERSION = "gateway.networking.k8s.io/v1"
_PREFIX = f"{GROUP}/rule-before."


class Kept(NamedTuple):
    """What the annotation holds."""

    before: Json
    """The rule as it was before us."""
    wrote: str
    """The digest of our rules as we last wrote them: others may change the list without touching them."""


@dataclass(frozen=True)
class Route:
    """A live HTTPRoute, and whose and which rule of it is meant."""

    body: Json
    """With its managedFields."""
    loop: LoopRef
    spec: GatewayApi

    @cached_property
    def rules(self) -> list[Json]:
        found: list[Json] = self.body.get("spec", {}).get("rules", [])
        return found

    @cached_property
    def annotations(self) -> dict[str, str]:
        found: dict[str, str] = self.body["metadata"].get("annotations") or {}
        return found

    @property
    def annotation(self) -> str:
        """Of this loop: several may own rules of one route."""
        return f"{_PREFIX}{naming.sha256_hex(self.loop.uid)[:12]}"

    @cached_property
    def named(self) -> Json | None:
        """The rule of that name, as it is now."""
        return next((r for r in self.rules if r.get("name") == self.spec.rule_name), None)

    @cached_property
    def kept(self) -> Kept | None:
        """None while the rule is not ours, or when what was kept is no longer readable."""
        try:
            found: Any = json.loads(self.annotations.get(self.annotation, "null"))
            kept = Kept(before=found["before"], wrote=str(found["wrote"]))
        except (ValueError, TypeError, KeyError):
            return None
        return kept if isinstance(kept.before, dict) and kept.before.get("name") == self.spec.rule_name else None

    @property
    def original(self) -> Json | None:
        """The rule to put back: what was kept, or else what is there, without our backends if they are in it."""
        rule = self.kept.before if self.kept else self.named
        if rule is None:
            return None
        stable, canary = naming.stable(self.loop.name), naming.canary(self.loop.name)
        others = [b for b in rule.get("backendRefs", ()) if b["name"] not in (stable, canary)]
        refs = others or [b for b in rule.get("backendRefs", ()) if b["name"] == stable]
        return {**rule, "backendRefs": refs}

    @property
    def live(self) -> list[Json]:
        """Our rules, as they are now."""
        return [r for r in self.rules if r.get("name") in ours(self.spec.rule_name)]

    @property
    def untouched(self) -> bool:
        """Our rules are as we last wrote them."""
        return self.kept is not None and self.kept.wrote == digest(self.live)


def digest(ours_: list[Json]) -> str:
    """Of rules of ours."""
    return naming.sha256_hex(ours_)[:16]


def split_of(route: Route, routing: Routing) -> Split:
    return Split(route.loop.name, routing.stable.port, routing.weight, routing.salt, route.spec.bucket_header)


def routes(routing: Routing) -> bool:
    """Whether a rollout routes at all: otherwise the rule is as it was before us."""
    return routing.epoch > 0


def intended(route: Route, routing: Routing) -> list[Json] | None:
    """Our rules as they shall be; None when the route has no rule of that name."""
    original = route.original
    if original is None:
        return None
    return rules(original, split_of(route, routing)) if routes(routing) else [original]


def warm(route: Route, routing: Routing) -> list[Json] | None:
    """Our rules as they are to be before the first split."""
    return None if route.original is None else warming(route.original, split_of(route, routing))


def fronts(route: Route) -> list[Json]:
    """The rules in front, as they are now."""
    return [r for r in route.live if r.get("name") != route.spec.rule_name]


def parked(route: Route) -> list[Json]:
    """Our rules as they are, with nothing that matches in front, and the named one as it was before us."""
    return [*(never(r, route.spec.bucket_header) for r in fronts(route)), *([route.original] if route.original else [])]


def is_parked(route: Route) -> bool:
    """Backends are named that nothing is sent to: at the beginning of a rollout, and at its end."""
    return route.kept is not None and bool(fronts(route)) and route.live == parked(route)


def next_rules(route: Route, routing: Routing) -> list[Json] | None:
    """The next step on the way to `intended`, by way of the parked rules in both directions.

    A data plane may hear of a backend after the route that names it, and that it is gone before the route's change.
    """
    if routes(routing):
        known = {r["name"] for r in fronts(route)} == {*names_in_front(route.spec.rule_name)}
        return intended(route, routing) if known else warm(route, routing)
    return parked(route) if route.kept and fronts(route) and not is_parked(route) else intended(route, routing)


def to_apply(route: Route, routing: Routing) -> Json | None:
    """The apply (with force) that goes one step further; None when our rules are in place, or cannot be.

    Whether the router has followed the step before is the caller's to see.
    """
    wanted = next_rules(route, routing)
    keep = routes(routing) or (wanted is not None and len(wanted) > 1)
    if wanted is None or (route.live == wanted and keep == (route.annotation in route.annotations)):
        return None
    meta = route.body["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": "HTTPRoute",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "resourceVersion": meta["resourceVersion"],
            "annotations": _annotations(route, wanted if keep else None),
        },
        "spec": {"rules": _merged(route, wanted)},
    }


def _annotations(route: Route, wanted: list[Json] | None) -> dict[str, str]:
    """Ours of every loop: an apply takes away what it leaves out, and all loops apply under one name."""
    others = {k: v for k, v in route.annotations.items() if k.startswith(_PREFIX) and k != route.annotation}
    if wanted is None:
        return others
    kept = {"before": route.original, "wrote": digest(wanted)}
    return {**others, route.annotation: naming.canonical_json(kept)}


def _merged(route: Route, wanted: list[Json]) -> list[Json]:
    """All rules in their order, ours in the place of the first one of ours."""
    names = ours(route.spec.rule_name)
    place = next((i for i, r in enumerate(route.rules) if r.get("name") in names), len(route.rules))
    others = [r for r in route.rules if r.get("name") not in names]
    before = sum(1 for r in route.rules[:place] if r.get("name") not in names)
    return [*others[:before], *wanted, *others[before:]]
