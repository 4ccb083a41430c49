"""FakeGateways: `GatewaysPort` that reads the ConfigMap it is given, applies it at once, and counts a model's votes."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.adapters.kinds import CONFIG_MAP, POD
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.api.gateway import CONFIG_KEY, GatewayConfig, GatewayStatus, LogPosition, Routing, revision
from tests.support.clock import FakeClock
from tests.support.fakeworld.state import Epoch, State
from tests.support.fakeworld.voters import Voters

SERVICE = "gateways"
POSITION = LogPosition(offset=400, trainable=120)


class FakeGateways:
    """Pods that answer while all of them are ready; the first one has counted everything."""

    def __init__(self, kubernetes: KubernetesPort, clock: FakeClock, state: State, voters: Voters) -> None:
        self._kubernetes = kubernetes
        self._clock = clock
        self._state = state
        self._voters = voters
        self.position = POSITION

    async def statuses(self, namespace: str, loop: str, expected: int) -> tuple[GatewayStatus, ...] | None:
        text = await self.apply(namespace, loop)
        if SERVICE in self._state.away or text is None or not await self._ready(namespace, loop, expected):
            return None
        config = GatewayConfig.model_validate_json(text)
        routing = config.routing
        told = {"revision": revision(text), "run_uid": routing.run_uid, "epoch": routing.epoch}
        others = (GatewayStatus(pod=f"{loop}-gateway-{ordinal}", **told) for ordinal in range(1, expected))
        return (self._first(config, loop, told), *others)

    async def _ready(self, namespace: str, loop: str, expected: int) -> bool:
        """Every expected pod, and no other one."""
        names = [f"{loop}-gateway-{ordinal}" for ordinal in range(expected + 1)]
        pods = [await self._kubernetes.get(POD, namespace, name) for name in names]
        return all(map(ready, pods[:expected])) and pods[expected] is None

    def _first(self, config: GatewayConfig, loop: str, told: Json) -> GatewayStatus:
        now = seconds(self._clock.now())
        epochs = self._state.epochs
        return GatewayStatus(
            pod=f"{loop}-gateway-0",
            **told,
            appended=self.position,
            uploaded=self.position,
            accepted=self.position.offset,
            stored=self.position.offset,
            units=tuple(u for e in epochs for o in config.outcomes for u in self._voters.units(e, o.name, now)),
            traffic=tuple(t for e in epochs for t in self._voters.traffic(e, now)),
        )

    def waiting(self, namespace: str, loop: str) -> str:
        """A pod that is not ready says nothing."""
        return ""

    async def drain(self, namespace: str, loop: str) -> None:
        """Everything is uploaded already."""

    async def apply(self, namespace: str, loop: str) -> str | None:
        """What the pod's watch does: take the configuration over; None while the pod is not ready."""
        config = await self._kubernetes.get(CONFIG_MAP, namespace, f"{loop}-gateway")
        pod = await self._kubernetes.get(POD, namespace, f"{loop}-gateway-0")
        if config is None or not ready(pod):
            return None
        text = str(config["data"][CONFIG_KEY])
        self._enter(GatewayConfig.model_validate_json(text).routing)
        return text

    def _enter(self, routing: Routing) -> None:
        now, epochs = seconds(self._clock.now()), self._state.epochs
        if epochs and (epochs[-1].run_uid, epochs[-1].epoch) == (routing.run_uid, routing.epoch):
            return
        if epochs:
            epochs[-1].ended = now
        epochs.append(Epoch(routing.run_uid, routing.epoch, routing.weight, routing.canary is not None, now))
        self._state.changed()


def seconds(now: datetime) -> float:
    return now.timestamp()


def ready(pod: Json | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
