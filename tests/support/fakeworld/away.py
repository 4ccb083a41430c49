"""The API server, away for a while: every call fails as it does when nobody listens."""

from __future__ import annotations

from collections.abc import Mapping

from feedbackloop.adapters.kinds import Kind
from feedbackloop.adapters.ports import EventType, Finalizers, Json, KubernetesPort
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient
from tests.support.fakeworld.state import State

SERVICE = "kubernetes"
_NO_LABELS: Mapping[str, str] = {}


class SometimesAway:
    """`KubernetesPort` that fails while the world says so."""

    def __init__(self, inner: KubernetesPort, state: State) -> None:
        self._inner = inner
        self._state = state

    @property
    def _there(self) -> KubernetesPort:
        if SERVICE in self._state.away:
            raise Transient(Reason.API_UNAVAILABLE, "the API server does not answer")
        return self._inner

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return await self._there.get(kind, namespace, name)

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] = _NO_LABELS) -> list[Json]:
        return await self._there.list(kind, namespace, labels=labels)

    async def apply(
        self, body: Json, *, force: bool = True, dry_run: bool = False, subresource: str | None = None
    ) -> Json:
        return await self._there.apply(body, force=force, dry_run=dry_run, subresource=subresource)

    async def create(self, body: Json) -> Json | None:
        return await self._there.create(body)

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        await self._there.delete(kind, namespace, name, uid=uid)

    async def set_finalizers(self, kind: Kind, body: Json, finalizers: Finalizers) -> Json:
        return await self._there.set_finalizers(kind, body, finalizers)

    async def event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> None:
        await self._there.event(regarding, type_=type_, reason=reason, action=action, note=note)
