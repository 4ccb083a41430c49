"""The controller of `ErasureRequest`: accepts it and answers that it is not served yet."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import ERASURE_REQUEST
from feedbackloop.api.erasurerequest import ErasureRequestStatus
from feedbackloop.domain.project_erasure import project
from feedbackloop.engine.keys import Key
from feedbackloop.engine.watch import Watch, by_name

WATCHES = (
    Watch(ERASURE_REQUEST.group, ERASURE_REQUEST.version, ERASURE_REQUEST.plural, ERASURE_REQUEST.kind, by_name),
)


class ErasureReconciler:
    """One status write a request."""

    kind = ERASURE_REQUEST.kind

    def __init__(self, adapters: Adapters) -> None:
        self._kubernetes = adapters.kubernetes

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        body = await self._kubernetes.get(ERASURE_REQUEST, key.namespace, key.name)
        if body is None:
            return None
        before = ErasureRequestStatus.model_validate(body.get("status") or {})
        after = project(before, generation=int(body["metadata"]["generation"]), now=now)
        if after != before:
            meta = {k: body["metadata"][k] for k in ("name", "namespace", "resourceVersion")}
            wanted = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": meta}
            await self._kubernetes.apply({**wanted, "status": after.to_wire()}, subresource="status")
        return None
