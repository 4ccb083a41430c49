"""What controllers may ask of the world: protocols, implemented by the modules beside this one and by fakes in tests.

Every method raises only `feedbackloop.domain.errors` and finishes in bounded time. An endpoint is
a name of the admin's file, never a URL: only those hosts ever receive a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from feedbackloop.adapters.kinds import Kind
from feedbackloop.api.gateway import GatewayStatus
from feedbackloop.domain.rollout.queries import QuerySeen, Question

Json = dict[str, Any]
"""An object as the API server speaks it; one that was read is the caller's own copy."""

RunStatus = Literal["FINISHED", "FAILED", "KILLED"]
EventType = Literal["Normal", "Warning"]

Finalizers = list[str]

_NO_LABELS: Mapping[str, str] = {}


class KubernetesPort(Protocol):
    """The API server, in our namespace."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The object; None when it is absent."""
        ...

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] = _NO_LABELS) -> list[Json]:
        """The objects that carry these labels, each with its `apiVersion` and `kind`."""
        ...

    async def apply(
        self, body: Json, *, force: bool = True, dry_run: bool = False, subresource: str | None = None
    ) -> Json:
        """Server-side apply as `feedbackloop`.

        `Conflict` with `managers` and `fields`: somebody else owns fields of ours (only without `force`).
        `Conflict` without managers: `metadata.resourceVersion` of the body is stale, read again.
        """
        ...

    async def create(self, body: Json) -> Json | None:
        """Create it; None when the name exists already: read it and check whose it is."""
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Delete it in the background; absent, or another uid under this name, is fine."""
        ...

    async def set_finalizers(self, kind: Kind, body: Json, finalizers: Finalizers) -> Json:
        """Replace the finalizers of the object as it was read: `Conflict` when it changed since."""
        ...

    async def event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> None:
        """Tell people about one transition; failures are counted and never raised. `note` holds no private text."""
        ...


class ObjectsPort(Protocol):
    """Object storage, read-only, with the operator's own credentials."""

    async def read_json(self, endpoint_name: str, bucket: str, key: str) -> tuple[Json, str] | None:
        """The object and the sha256 (hex) of its bytes; None when it is absent."""
        ...

    def keeps_versions(self, endpoint_name: str, bucket: str) -> bool | None:
        """Whether a bucket keeps old versions of its objects, as was last seen; None while that is not known.

        Answers at once: it asks in the background, every few minutes, and never fails.
        """
        ...


class MlflowPort(Protocol):
    """The registry of runs and versions, by REST. Everything may be repeated."""

    async def ensure_experiment(self, endpoint_name: str, name: str) -> str:
        """The experiment's id."""
        ...

    async def ensure_run(
        self, endpoint_name: str, experiment_id: str, *, run_uid: str, name: str, tags: Mapping[str, str]
    ) -> str:
        """The id of the run that is tagged with `run_uid`."""
        ...

    async def log(
        self,
        endpoint_name: str,
        run_id: str,
        *,
        params: Mapping[str, str] = ...,
        metrics: Mapping[str, float] = ...,
        tags: Mapping[str, str] = ...,
    ) -> None:
        """Add parameters, metrics and tags to a run; a parameter cannot change later."""
        ...

    async def end_run(self, endpoint_name: str, run_id: str, status: RunStatus) -> None:
        """Close the run."""
        ...

    async def ensure_registered_model(self, endpoint_name: str, name: str) -> None:
        """The registered model exists."""
        ...

    async def ensure_version(
        self, endpoint_name: str, name: str, *, run_uid: str, run_id: str, source: str, tags: Mapping[str, str]
    ) -> str:
        """The number of the version that is tagged with `run_uid`."""
        ...

    async def set_tags(self, endpoint_name: str, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version; tags that are not named stay."""
        ...

    async def set_alias(self, endpoint_name: str, name: str, alias: str, version: str) -> None:
        """The alias names this version; no write when it does already."""
        ...

    async def delete_alias(self, endpoint_name: str, name: str, alias: str) -> None:
        """The alias names nothing."""
        ...

    async def get_aliases(self, endpoint_name: str, name: str) -> dict[str, str]:
        """Every alias of the registered model with its version; empty when there is no such model."""
        ...


class GatewaysPort(Protocol):
    """The admin ports of a loop's gateway pods."""

    async def statuses(self, namespace: str, loop: str, expected: int) -> tuple[GatewayStatus, ...] | None:
        """What every pod says, ordered by pod; None unless `expected` distinct pods answered."""
        ...

    def waiting(self, namespace: str, loop: str) -> str:
        """What a pod that is not ready said it waits for when it was last asked; empty when none did."""
        ...

    async def drain(self, namespace: str, loop: str) -> None:
        """Ask every pod to seal and upload everything; `drained` on its status tells when it has."""
        ...


class SourcesPort(Protocol):
    """Other sources of guardrails' numbers."""

    def answer(self, run_uid: str, question: Question, now: datetime) -> QuerySeen | None:
        """What was last answered, an error included; None before the first answer.

        Answers at once: it asks in the background, each question at most once in its interval.
        """
        ...


class NoSources:
    """There are none."""

    def answer(self, run_uid: str, question: Question, now: datetime) -> QuerySeen | None:
        return QuerySeen(question.guardrail, question.epoch, error="this operator asks no other source")
