"""The cluster's part of a simulation: pods that take their time to start, and never fail."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.domain.rollout import ArmObserved


@dataclass
class Pods:
    """An arm's pods; an update surges, so that what was ready serves on."""

    replicas: int
    digest: str | None
    ready_at: float = 0.0
    ready: int = 0
    """Before that time."""

    def want(self, replicas: int, digest: str | None, now: float, start_seconds: float) -> None:
        """Another size, or another model."""
        if (replicas, digest) == (self.replicas, self.digest):
            return
        self.ready = min(self.seen(now).ready, replicas) if digest == self.digest else 0
        self.replicas, self.digest = replicas, digest
        self.ready_at = now + start_seconds if replicas > self.ready else now

    def seen(self, now: float) -> ArmObserved:
        ready = self.replicas if now >= self.ready_at else self.ready
        return ArmObserved(self.replicas, ready, self.digest if ready else None)
