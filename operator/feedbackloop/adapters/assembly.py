"""Builds the real adapters over one connection. `__main__` calls it; tests may, and replace what they fake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.gateways import GatewaysAdapter
from feedbackloop.adapters.kubernetes import KubernetesAdapter
from feedbackloop.adapters.leases import LeaseStore
from feedbackloop.adapters.mlflow import MlflowAdapter
from feedbackloop.adapters.mlflow_rest import MlflowRest
from feedbackloop.adapters.objects import ObjectsAdapter
from feedbackloop.adapters.prometheus import PrometheusAdapter
from feedbackloop.adapters.requests import Count, Requests
from feedbackloop.api.adminconfig import AdminConfig


@dataclass(frozen=True)
class Assembly:
    """The adapters as their concrete selves, and how to close them."""

    kubernetes: KubernetesAdapter
    objects: ObjectsAdapter
    rest: MlflowRest
    gateways: GatewaysAdapter
    sources: PrometheusAdapter

    @property
    def adapters(self) -> Adapters:
        return Adapters(self.kubernetes, self.objects, MlflowAdapter(self.rest), self.gateways, self.sources)

    async def close(self) -> None:
        self.objects.close()
        await self.rest.close()
        await self.gateways.close()
        await self.sources.close()


def assemble(
    connection: Connection,
    config: AdminConfig,
    *,
    instance: str,
    count: Count | None = None,
    may_write: Callable[[], bool] | None = None,
) -> Assembly:
    """Adapters whose writes are refused while `may_write` says no."""
    requests = Requests(connection, count=count, may_write=may_write)
    kubernetes = KubernetesAdapter(requests, instance=instance)
    gateways, sources = GatewaysAdapter(kubernetes), PrometheusAdapter(config)
    return Assembly(kubernetes, ObjectsAdapter(config), MlflowRest(config), gateways, sources)


def lease_store(connection: Connection, namespace: str, name: str, *, count: Count | None = None) -> LeaseStore:
    """The Lease, over the same connection but not fenced by itself."""
    return LeaseStore(KubernetesAdapter(Requests(connection, count=count)), namespace, name)
