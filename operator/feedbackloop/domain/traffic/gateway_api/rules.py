"""The rules of an HTTPRoute that are ours while a rollout routes: the named one, and three in front of it.

Requests with a bucket follow it: the first rule takes the canary's buckets, the second one stable's. Their matches
are those of the named rule plus the bucket's header, so that they come before it by the API's own precedence (more
header matches win) and, among each other, by their order. Requests without a bucket are split by weights. An arm
without a share is no backend of the named rule at all: with some implementations a weight of 0 still leaks.

No request is lost in a change, because nothing is used that the router does not know yet. Data planes learn of routes
and of backends by different ways; a route that gets ahead of a new backend answers 503. So every rule in front is
there during the whole rollout, with a header that never matches where it shall have nothing, the third one for what
the named rule used before us. Before the first split `warming` only names the backends, and after the last one the
rules in front stay for a moment, since a data plane may also hear too early that a backend is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedbackloop.domain import naming
from feedbackloop.domain.traffic.gateway_api.buckets import ANY, BUCKETS, NEVER, canary_buckets, pattern

Json = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """One epoch of the routing, as a route needs it."""

    loop: str
    port: int
    weight: int
    """The canary's share in percent."""
    salt: str
    bucket_header: str


def names_in_front(rule_name: str) -> tuple[str, str, str]:
    """The names of the rules in front: the canary's, stable's, and that of the backends before us."""
    return f"{rule_name}-canary-sessions", f"{rule_name}-stable-sessions", f"{rule_name}-before"


def ours(rule_name: str) -> frozenset[str]:
    """The names of all rules that are ours of this route."""
    return frozenset((rule_name, *names_in_front(rule_name)))


def warming(original: Json, split: Split) -> list[Json]:
    """Every backend is named where nothing matches; the named rule is as it was."""
    return [*_in_front(original, split, canary=NEVER, stable=NEVER), original]


def rules(original: Json, split: Split) -> list[Json]:
    """The rules that stand in the place of `original`, every default of the API written out."""
    canary = pattern(canary_buckets(split.salt, split.weight))
    front = _in_front(original, split, canary=canary, stable=NEVER if split.weight == BUCKETS else ANY)
    return [*front, {**original, "backendRefs": _backends(split)}]


def _in_front(original: Json, split: Split, *, canary: str, stable: str) -> list[Json]:
    names = names_in_front(original["name"])
    arms = (naming.canary(split.loop), canary), (naming.stable(split.loop), stable)
    sticky = [
        _matching(original, name, split.bucket_header, buckets, [_backend(arm, split.port, 1)])
        for name, (arm, buckets) in zip(names[:2], arms, strict=True)
    ]
    return [*sticky, _matching(original, names[2], split.bucket_header, NEVER, original["backendRefs"])]


def _backends(split: Split) -> list[Json]:
    shares = ((naming.stable(split.loop), 100 - split.weight), (naming.canary(split.loop), split.weight))
    return [_backend(name, split.port, share) for name, share in shares if share > 0]


def _backend(name: str, port: int, weight: int) -> Json:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight}


def _matching(original: Json, name: str, header: str, value: str, backends: list[Json]) -> Json:
    wanted = {"type": "RegularExpression", "name": header, "value": value}
    matches = [{**match, "headers": [*match.get("headers", ()), wanted]} for match in original["matches"]]
    return {**original, "name": name, "matches": matches, "backendRefs": backends}


def never(rule: Json, header: str) -> Json:
    """The rule in front, with a header that never matches."""
    matches = [{**m, "headers": [_never(h, header) for h in m.get("headers", ())]} for m in rule["matches"]]
    return {**rule, "matches": matches}


def _never(wanted: Json, header: str) -> Json:
    return {**wanted, "value": NEVER} if wanted["name"] == header else wanted
