"""From a live HTTPRoute to what the router is doing with the intended split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from feedbackloop.api import FIELD_MANAGER
from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import Routing
from feedbackloop.domain import naming
from feedbackloop.domain.traffic.gateway_api.route import Json, Route, intended, is_parked, routes, to_apply
from feedbackloop.domain.traffic.model import RouterSeen

NEEDED = ("Accepted", "ResolvedRefs")
MOST_RULES, MOST_MATCHES, MOST_HEADERS = 16, 128, 16
"""Limits of the HTTPRoute API."""
OURS = 4
"""Rules of ours: the named one and those in front."""


class Writer(NamedTuple):
    """A field manager that owns the list of rules."""

    name: str
    at: str | None


def observe(route: Route, routing: Routing, *, written_before: bool) -> RouterSeen:
    """`written_before`: an earlier look of this rollout found our rules in place."""
    obstacle = _obstacle(route, routing)
    if obstacle is not None:
        return obstacle
    written = to_apply(route, routing) is None
    seen = RouterSeen(weight=weight_of(route), written=written)
    disturbed = not written and not route.untouched and (written_before or route.kept is not None)
    others = writers(route.body) if disturbed else ()
    if others:
        latest = max(others, key=lambda w: w.at or "")
        return replace(seen, writers=tuple(w.name for w in others), disturbed_at=latest.at)
    if is_parked(route):
        return _parked(seen, route, begins=routes(routing))
    return _with_conditions(seen, route) if written else seen


def _parked(seen: RouterSeen, route: Route, *, begins: bool) -> RouterSeen:
    """Not in force by any word of the router, but what it refuses now it would refuse later too."""
    said = replace(_with_conditions(seen, route), warming_since=_written_at(route))
    if begins and said.handled and not said.accepted:
        return replace(said, written=True)
    text = said.message or "the router gets to know the backends, to which no request goes"
    return replace(said, handled=False, accepted=False, warm=said.accepted, message=text)


def _written_at(route: Route) -> str | None:
    """When the rules were last written, by us or, other rules, by others."""
    return max((w.at or "" for w in _owners(route.body)), default="") or None


def weight_of(route: Route) -> int:
    """The canary's share in the named rule as it is now, in percent."""
    refs: list[Json] = (route.named or {}).get("backendRefs", [])
    total = sum(int(b.get("weight", 1)) for b in refs)
    canary = sum(int(b.get("weight", 1)) for b in refs if b["name"] == naming.canary(route.loop.name))
    return round(100 * canary / total) if total else 0


def writers(body: Json) -> tuple[Writer, ...]:
    """Who but us owns the rules: whoever changed the list last, since it is atomic."""
    return tuple(w for w in _owners(body) if w.name != FIELD_MANAGER)


def _owners(body: Json) -> tuple[Writer, ...]:
    entries: Iterable[Json] = body["metadata"].get("managedFields") or ()
    owning = (e for e in entries if "f:rules" in e.get("fieldsV1", {}).get("f:spec", {}))
    return tuple(Writer(e["manager"], e.get("time")) for e in owning)


def _with_conditions(seen: RouterSeen, route: Route) -> RouterSeen:
    """What every parent says about the generation that is there."""
    parents: list[Json] = route.body.get("spec", {}).get("parentRefs") or []
    if not parents:
        return replace(seen, message=f"HTTPRoute {route.spec.http_route_name} has no parentRefs: no Gateway serves it")
    answers = [(p, c) for p in parents for c in _answers(route.body, p)]
    late = [f"Gateway {p['name']}" for p in parents if not any(q is p for q, _ in answers)]
    late += [f"{c['controllerName']} for Gateway {p['name']}" for p, c in answers if not _is_current(route.body, c)]
    if late:
        return replace(seen, message=f"waiting for {', '.join(sorted(set(late)))} to look at the route")
    refused = [said for _, c in answers for said in _refusals(c)]
    return replace(seen, handled=True, accepted=not refused, message="; ".join(refused))


def _answers(body: Json, parent: Json) -> list[Json]:
    """The entries of status that are about this parent; several controllers may report one."""
    found: list[Json] = body.get("status", {}).get("parents") or []
    return [entry for entry in found if _key(entry["parentRef"], body) == _key(parent, body)]


def _key(parent: Json, body: Json) -> tuple[Any, ...]:
    namespace = parent.get("namespace", body["metadata"]["namespace"])
    return namespace, parent["name"], parent.get("sectionName"), parent.get("port")


def _is_current(body: Json, entry: Json) -> bool:
    generation = body["metadata"]["generation"]
    by_type = {c["type"]: c for c in entry.get("conditions") or ()}
    return all(t in by_type and by_type[t].get("observedGeneration", 0) >= generation for t in NEEDED)


def _refusals(entry: Json) -> list[str]:
    conditions = [c for c in entry.get("conditions") or () if c["type"] in NEEDED and c["status"] != "True"]
    return [f"{c['type']} is {c['status']}: {c.get('reason', '')}: {c.get('message', '')}" for c in conditions]


def _obstacle(route: Route, routing: Routing) -> RouterSeen | None:
    """What no waiting mends."""
    if intended(route, routing) is None:
        names = ", ".join(str(r["name"]) for r in route.rules if r.get("name")) or "none with a name"
        text = f"HTTPRoute {route.spec.http_route_name} has no rule named {route.spec.rule_name}; it has {names}"
        return RouterSeen(impossible=Reason.ROUTE_NOT_ACCEPTED, message=text)
    text = _foreign_backend(route) or _beyond_limits(route)
    return RouterSeen(weight=weight_of(route), impossible=Reason.ROUTER_NOT_SUPPORTED, message=text) if text else None


def _foreign_backend(route: Route) -> str:
    """What the rule sends to today is what the target's pods replace: that must be Services of this namespace."""
    namespace = route.body["metadata"]["namespace"]
    if not (route.original or {}).get("backendRefs"):
        return f"rule {route.spec.rule_name} has no backendRefs; name the rule that sends to the target's Service"
    for ref in (route.original or {}).get("backendRefs", ()):
        if ref.get("kind", "Service") != "Service" or ref.get("group", ""):
            return f"rule {route.spec.rule_name} sends to {ref.get('kind')} {ref['name']}; only Services can be split"
        if ref.get("namespace", namespace) != namespace:
            return (
                f"rule {route.spec.rule_name} sends to Service {ref['namespace']}/{ref['name']}; name a rule whose"
                f" backends are in namespace {namespace}"
            )
    return ""


def _beyond_limits(route: Route) -> str:
    name, header = route.spec.rule_name, route.spec.bucket_header
    matches = (route.original or {}).get("matches", [])
    if any(h["name"].lower() == header.lower() for m in matches for h in m.get("headers", ())):
        return f"rule {name} matches header {header} itself; name another bucketHeader"
    if any(len(m.get("headers", ())) >= MOST_HEADERS for m in matches):
        return f"rule {name} matches {MOST_HEADERS} headers, and one more is needed"
    others = [r for r in route.rules if r not in route.live]
    if len(others) + OURS > MOST_RULES:
        return f"HTTPRoute {route.spec.http_route_name} has no room for three more rules (at most {MOST_RULES})"
    if sum(len(r.get("matches", ())) for r in others) + OURS * len(matches) > MOST_MATCHES:
        return f"HTTPRoute {route.spec.http_route_name} has no room for {(OURS - 1) * len(matches)} more matches"
    return ""
