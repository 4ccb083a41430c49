"""Everything that is known about a loop when it is decided: frozen facts, gathered before and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus
from feedbackloop.api.gateway import GatewayStatus, LoopRef
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.traffic.provider import RouterRead


@dataclass(frozen=True)
class OtherLoop:
    """Another loop of the namespace: what decides whose target it is."""

    name: str
    uid: str
    created: str
    target: str | None
    models: frozenset[str] = frozenset()
    """Digests that it declares or serves."""
    route: str | None = None
    """What it writes of a router's objects, by `domain.traffic.ownership`."""


@dataclass(frozen=True)
class RunSeen:
    """An ImprovementRun of this loop."""

    name: str
    uid: str
    created: str
    improvement: str
    status: ImprovementRunStatus


@dataclass(frozen=True)
class PodsSeen:
    """The pods of the target, those on their way out excepted."""

    total: int = 0
    ready: int = 0
    digests: frozenset[str | None] = frozenset()
    """What the pods' specs carry as MODEL_DIGEST; None for one that carries none."""


@dataclass(frozen=True)
class LoopFacts:
    """The FeedbackLoop itself."""

    ref: LoopRef
    generation: int
    created: str
    spec: FeedbackLoopSpec | None
    spec_error: str
    """Why there is no spec: the field and the fix."""
    status: FeedbackLoopStatus
    has_finalizer: bool
    deleting_since: datetime | None = None
    confirmed_sweep: str = ""
    """The annotation that confirms a sweep of more than half of a class."""


class Due(NamedTuple):
    """A periodic job whose time has come."""

    what: str
    run_id: str


class PeriodicSeen(NamedTuple):
    """A due job with what is there of it."""

    due: Due
    job: Json | None = None
    complete: bool = False
    failed: bool = False
    result: Json | None = None
    away: bool = False
    """Object storage did not say whether there is a result."""


class Child(NamedTuple):
    """The address of an object in the loop's namespace."""

    kind: str
    name: str


@dataclass(frozen=True)
class LoopObservation:
    loop: LoopFacts
    others: tuple[OtherLoop, ...] = ()
    runs: tuple[RunSeen, ...] = ()
    active: RunSeen | None = None
    """The one whose turn it is."""
    target: Json | None = None
    target_pods: PodsSeen = PodsSeen()
    services: tuple[Json, ...] = ()
    children: Mapping[Child, Json] = field(default_factory=dict)
    """The objects that stand under the names of our children, whoever made them."""
    gateways: tuple[GatewayStatus, ...] | None = None
    gateway_waits: str = ""
    """What a gateway pod that is not ready says it waits for."""
    keys_versioned: bool | None = None
    """Whether the bucket of wrapped keys keeps old versions; None while that is not known."""
    periodic: tuple[PeriodicSeen, ...] = ()
    """The periodic jobs that are due."""
    adoption_conflict: Finding | None = None
    """What the dry run of the adoption said, if it was needed and refused."""
    router: RouterRead | None = None
    """The object that splits the traffic; None when the gateway does alone."""
    refused: Finding | None = None
    """What the API server refused when it was last asked to hold our objects."""
