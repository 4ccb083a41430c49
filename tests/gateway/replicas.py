"""A gateway of several pods: real processes that share the loop's keys, its configuration and its bucket."""

from __future__ import annotations

from typing import Any

from tests.gateway.conftest import MakeGateway
from tests.gateway.waiting import wait_for


class Replicas:
    """Pods 0 to n-1, not started."""

    def __init__(self, make_gateway: MakeGateway, count: int, **changes: Any) -> None:
        self.pods = [make_gateway(env={"FL_POD_NAME": f"bot-gateway-{n}"}, **changes) for n in range(count)]
        first = self.pods[0]
        for pod in self.pods:
            pod.kek = first.kek
            (pod.root / "secrets" / "kek" / "key").write_bytes(first.kek)
        self.configure(first.config, count)

    def configure(self, config: dict[str, Any], owners: int) -> None:
        """One configuration for all; so many pods own sessions."""
        peers = ",".join(f"127.0.0.1:{pod.app}" for pod in self.pods[:owners])
        config = config | {"collection": config["collection"] | {"replicas": owners}, "peers": peers}
        for pod in self.pods:
            pod.configure(config)

    def start(self) -> Replicas:
        for pod in self.pods:
            pod.start(ready=False)
        for pod in self.pods:
            wait_for(pod.is_ready, f"{pod.root.name} is ready")
        return self

    def owner_of(self, session: str) -> int:
        """The ordinal of the pod that owns a session: the one that stores an interaction of it."""
        before = [status["stored"] for status in self.statuses()]
        assert self.pods[0].interact(session_id=session).status == 202
        after = [status["stored"] for status in self.statuses()]
        (found,) = [n for n in range(len(self.pods)) if after[n] != before[n]]
        return found

    def sessions(self, count: int = 24) -> dict[int, list[str]]:
        """Names of sessions by the pod that owns them, some for each."""
        found: dict[int, list[str]] = {n: [] for n in range(len(self.pods))}
        for name in (f"session-{n}" for n in range(count)):
            found[self.owner_of(name)].append(name)
        assert all(found.values())
        return found

    def statuses(self) -> list[dict[str, Any]]:
        return [pod.status() for pod in self.pods]


def lawful(status: dict[str, Any]) -> bool:
    """Whether every accepted event is stored, a repetition or a bad row."""
    return bool(status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"])
