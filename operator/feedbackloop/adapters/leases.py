"""The Lease object of leader election, as `feedbackloop.engine.lease` wants to read and write it."""

from __future__ import annotations

from feedbackloop.adapters.kinds import LEASE
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.ports import Json
from feedbackloop.domain.errors import Conflict, Gone


class LeaseStore:
    """One Lease, with compare-and-set. Its adapter must not be fenced by the lease itself."""

    def __init__(self, kubernetes: KubernetesAdapter, namespace: str, name: str) -> None:
        self._kubernetes = kubernetes
        self._namespace = namespace
        self._name = name

    async def read(self) -> Json | None:
        return await self._kubernetes.get(LEASE, self._namespace, self._name)

    async def create(self, spec: Json) -> Json | None:
        """None: somebody was first."""
        metadata = {"name": self._name, "namespace": self._namespace}
        return await self._kubernetes.create(
            {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}
        )

    async def replace(self, lease: Json, spec: Json) -> Json | None:
        """Write the spec over the lease as it was read; None: somebody wrote since."""
        try:
            return await self._kubernetes.replace({**lease, "spec": spec})
        except (Conflict, Gone):
            return None
