"""One moment of a rollout, as the rules see it, and what a rule may answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import Arm, GatewayStatus
from feedbackloop.api.improvementrun import DecisionRecord, RunOutcome
from feedbackloop.api.rollout import Rollout, Step
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.evidence import counting, rated_share, sample_ratio
from feedbackloop.domain.rfc3339 import seconds_since
from feedbackloop.domain.rollout.model import RolloutObservation
from feedbackloop.domain.rollout.readings import Reading, readings
from feedbackloop.domain.rollout.traffic import traffic


@dataclass(frozen=True)
class Move:
    """The rule changes the intents (or ends the run); the rules are then asked again from the first."""

    status: RolloutStatus
    record: DecisionRecord | None = None
    outcome: RunOutcome | None = None
    message: str = ""


@dataclass(frozen=True)
class Hold:
    """The rule keeps everything as it is; no later rule is asked."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Situation:
    spec: Rollout
    status: RolloutStatus
    observed: RolloutObservation
    now: datetime
    run_uid: str
    champion: str
    candidate: str

    @property
    def gateways(self) -> tuple[GatewayStatus, ...]:
        return self.observed.gateways or ()

    @property
    def applied(self) -> bool:
        """The intended epoch is in force in every gateway pod, by the pods' own word too."""
        intended = self.run_uid, self.status.epoch
        reported = self.observed.applied and bool(self.gateways) and self._all_report(intended)
        return reported and self.router_ready

    def _all_report(self, intended: tuple[str, int]) -> bool:
        return all((g.run_uid, g.epoch) == intended for g in self.gateways)

    @property
    def router_ready(self) -> bool:
        """Whoever splits the traffic beside the gateway has accepted the intended epoch; unseen is not accepted."""
        if self.split_by_gateway:
            return True
        provider = self.observed.provider
        return provider is not None and provider.epoch == self.status.epoch and provider.accepted

    @property
    def split_by_gateway(self) -> bool:
        return self.spec.traffic_routing.gateway is not None

    @property
    def step(self) -> Step | None:
        """The step that is under way; None once all are done, or none is needed."""
        index = self.status.step_index
        if self.status.skip_steps or self.beyond_steps or index >= len(self.spec.steps):
            return None
        return self.spec.steps[index]

    @property
    def beyond_steps(self) -> bool:
        """The canary serves everything, or did until it became unavailable: an edit of the steps comes too late."""
        return self.promoting or 100 in (self.status.weight, self.status.resume_weight)

    @property
    def frozen(self) -> bool:
        """A person or a rule has paused the steps; guardrails and harm still abort."""
        return self.observed.suspended or self.observed.paused or self.status.pause_reason != ""

    @property
    def level(self) -> float | None:
        """What the online procedure over the loop's life gives this decision; None: the run is judged alone."""
        return None if self.observed.level is None else float(self.observed.level)

    @property
    def canary_available(self) -> bool:
        canary, wanted = self.observed.canary, max(1, self.status.canary_replicas)
        return canary.ready >= wanted and canary.digest == self.candidate

    @property
    def promoting(self) -> bool:
        """The candidate is, or is becoming, what the target runs."""
        return self.status.promoting_since is not None

    def replicas_for(self, weight: int) -> int:
        """The canary replicas that a weight needs, as many as the target would have for it, or that were asked for."""
        return max(1, math.ceil(self.observed.target.replicas * weight / 100), self.status.scale or 0)

    def elapsed(self, since: str | None) -> float:
        return 0.0 if since is None else seconds_since(since, self.now)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """The guardrails in this epoch; none while the canary has no traffic of its own."""
        status = self.status
        if not self.gateways or status.weight == 0 or status.moved_back_since is not None:
            return ()
        return readings(self.spec.guardrails, self.gateways, self.run_uid, status.epoch, status.weight, status.queries)

    @cached_property
    def sample_ratio(self) -> tuple[sample_ratio.Mismatch, ...]:
        """The epochs in which the arms have not their shares; unknown, so none, while the gateways do not answer."""
        if not self.gateways:
            return ()
        units = counting.closed(self.gateways, self.run_uid)
        cells = traffic(self.gateways, self.run_uid)
        unavailable = {epoch: cell.unavailable for (epoch, arm), cell in cells.items() if arm is Arm.CANARY}
        return sample_ratio.mismatches(self.status.epochs, self.status.looks, units, unavailable)

    @cached_property
    def rated_share(self) -> tuple[rated_share.Uneven, ...]:
        return rated_share.uneven(self.status.looks)


Rule = Callable[[Situation], Move | Hold | None]
"""A named check: it changes something, or holds, or has nothing to say."""
