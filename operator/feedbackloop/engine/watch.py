"""Declarations of what wakes which key; controllers write them, the feeder registers them with Kopf.

It imports nothing heavy, so that controllers can declare watches without importing Kopf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from feedbackloop.engine.keys import Key


@dataclass(frozen=True)
class Owner:
    """An owner reference of an object that was seen."""

    kind: str
    name: str


@dataclass(frozen=True)
class Seen:
    """An object that changed, reduced to what may name a key: no body ever enters the queue."""

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    owners: tuple[Owner, ...]


KeysOf = Callable[[Seen], Iterable[Key]]


@dataclass(frozen=True)
class Watch:
    """A kind that is watched in our namespace, and the keys that a change of one of its objects wakes."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str
    keys: KeysOf
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """A label selector: a value, or None for any value of that label."""

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def by_name(seen: Seen) -> Iterable[Key]:
    """The key of the object itself."""
    return (Key(seen.kind, seen.namespace, seen.name),)


def by_owner(kind: str) -> KeysOf:
    """The keys of the owners of that kind."""

    def keys(seen: Seen) -> Iterable[Key]:
        return tuple(Key(kind, seen.namespace, o.name) for o in seen.owners if o.kind == kind)

    return keys


def by_label(kind: str, label: str) -> KeysOf:
    """The key that a label of the object names."""

    def keys(seen: Seen) -> Iterable[Key]:
        name = seen.labels.get(label)
        return (Key(kind, seen.namespace, name),) if name else ()

    return keys


def several(*functions: KeysOf) -> KeysOf:
    """The keys of all the functions."""

    def keys(seen: Seen) -> Iterable[Key]:
        return tuple(key for function in functions for key in function(seen))

    return keys
