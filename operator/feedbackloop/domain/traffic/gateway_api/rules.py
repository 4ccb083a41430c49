"""The rules of an HTTPRoute that are ours while a rollout routes: the named one, and two for sessions in front of it.

Requests with a bucket follow it: the first rule takes the canary's buckets, the second one every other bucket. Their
matches are those of the named rule plus the bucket's header, so that they come before it by the API's own precedence
(more header matches win) and, among each other, by their order. Requests without a bucket are split by weights.
An arm without a share is no backend at all: with some implementations a weight of 0 still leaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedbackloop.domain import naming
from feedbackloop.domain.traffic.gateway_api.buckets import ANY, canary_buckets, pattern

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


def sticky_names(rule_name: str) -> tuple[str, str]:
    """The names of the rules in front: the canary's and stable's."""
    return f"{rule_name}-canary-sessions", f"{rule_name}-stable-sessions"


def ours(rule_name: str) -> frozenset[str]:
    """The names of all rules that are ours of this route."""
    return frozenset((rule_name, *sticky_names(rule_name)))


def rules(original: Json, split: Split) -> list[Json]:
    """The rules that stand in the place of `original`, every default of the API written out."""
    weighted = {**original, "backendRefs": _backends(split)}
    if not 0 < split.weight < 100:
        return [weighted]
    names = sticky_names(original["name"])
    buckets = pattern(canary_buckets(split.salt, split.weight))
    return [
        _sticky(original, names[0], split, buckets, _backend(naming.canary(split.loop), split.port, 1)),
        _sticky(original, names[1], split, ANY, _backend(naming.stable(split.loop), split.port, 1)),
        weighted,
    ]


def _backends(split: Split) -> list[Json]:
    shares = ((naming.stable(split.loop), 100 - split.weight), (naming.canary(split.loop), split.weight))
    return [_backend(name, split.port, share) for name, share in shares if share > 0]


def _backend(name: str, port: int, weight: int) -> Json:
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight}


def _sticky(original: Json, name: str, split: Split, buckets: str, backend: Json) -> Json:
    header = {"type": "RegularExpression", "name": split.bucket_header, "value": buckets}
    matches = [{**match, "headers": [*match.get("headers", ()), header]} for match in original["matches"]]
    return {**original, "name": name, "matches": matches, "backendRefs": [backend]}
