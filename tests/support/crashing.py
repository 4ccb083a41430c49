"""A KubernetesPort that dies at the k-th write: how a kill -9 between any two writes looks from inside.

`Crash` is no `Exception`: nothing in the operator may catch it, as nothing catches SIGKILL. After it,
every further call dies too, since a dead process does not go on; throw the whole engine away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedbackloop.adapters.kinds import Kind
from feedbackloop.adapters.ports import EventType, Finalizers, Json, KubernetesPort


class Crash(BaseException):
    """The process is dead."""


class CrashingKubernetes:
    """Counts writes; with `crash_at=k` it dies at the k-th (from 1), before or after the server has done it."""

    def __init__(self, inner: KubernetesPort, *, crash_at: int | None = None, before: bool = False) -> None:
        self.inner = inner
        self.crash_at = crash_at
        self.before = before
        self.writes: list[str] = []
        """What was written, in order: `apply Service/loop-gateway`. A dry run is not a write."""
        self.crashed = False

    @property
    def count(self) -> int:
        return len(self.writes)

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        self._alive()
        return await self.inner.get(kind, namespace, name)

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] | None = None) -> list[Json]:
        self._alive()
        return await self.inner.list(kind, namespace, labels=labels or {})

    async def apply(
        self, body: Json, *, force: bool = True, dry_run: bool = False, subresource: str | None = None
    ) -> Json:
        call = self.inner.apply(body, force=force, dry_run=dry_run, subresource=subresource)
        if dry_run:
            self._alive(call)
            return await call
        result: Json = await self._write(_name("apply", body, subresource), call)
        return result

    async def create(self, body: Json) -> Json | None:
        result: Json | None = await self._write(_name("create", body), self.inner.create(body))
        return result

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        await self._write(f"delete {kind.kind}/{name}", self.inner.delete(kind, namespace, name, uid=uid))

    async def set_finalizers(self, kind: Kind, body: Json, finalizers: Finalizers) -> Json:
        call = self.inner.set_finalizers(kind, body, finalizers)
        result: Json = await self._write(_name("finalizers", {"kind": kind.kind, **body}), call)
        return result

    async def event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> None:
        call = self.inner.event(regarding, type_=type_, reason=reason, action=action, note=note)
        await self._write(_name(f"event {reason}", regarding), call)

    async def _write(self, what: str, call: Any) -> Any:
        self._alive(call)
        self.writes.append(what)
        due = self.crash_at is not None and len(self.writes) >= self.crash_at
        if due and self.before:
            call.close()
            self._die(what)
        result = await call
        if due:
            self._die(what)
        return result

    def _die(self, what: str) -> None:
        self.crashed = True
        raise Crash(what)

    def _alive(self, call: Any = None) -> None:
        if self.crashed:
            if call is not None:
                call.close()
            raise Crash("dead already")


def _name(verb: str, body: Json, subresource: str | None = None) -> str:
    tail = f"/{subresource}" if subresource else ""
    return f"{verb} {body['kind']}/{body['metadata']['name']}{tail}"
