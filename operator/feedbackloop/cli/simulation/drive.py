"""The clock of a simulation. It jumps to where something may be decided: counts that a look or a guardrail waits for,
pods that become ready, the end of a pause, of baking or of the time that the rollout may take."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from feedbackloop.api.collection import Signal
from feedbackloop.api.feedbackloop import FeedbackLoopStatus, ModelStatus
from feedbackloop.api.gateway import Backend, Routing
from feedbackloop.api.improvementrun import DecisionRecord, ImprovementRunStatus, RunInputs, RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import OutcomeStatus, RolloutStatus
from feedbackloop.cli.simulation.crowd import Crowd, Session, merged
from feedbackloop.cli.simulation.gateway import Gateway
from feedbackloop.cli.simulation.log import Entry
from feedbackloop.cli.simulation.pods import Pods
from feedbackloop.domain.evidence.looks import look_rule
from feedbackloop.domain.rfc3339 import instant
from feedbackloop.domain.rollout import Advance, RolloutObservation, advance, begin
from feedbackloop.domain.serving import Serving, serving

RUN_UID = "simulated"
CHAMPION, CANDIDATE = (f"sha256:{c * 64}" for c in "0c")
POLL_SECONDS = 2.0
LONGEST_JUMP = 6 * 3600.0
WINDOWS_JUMP = 600.0
"""Where calendar windows are declared: their edges are found at most this late."""
GROWTH = 1.05
"""Guardrails are looked at again when the canary's requests have grown by this factor."""


@dataclass(frozen=True)
class Assumptions:
    replicas: int = 2
    start_seconds: float = 60.0


@dataclass(frozen=True)
class Point:
    """How it stood at one time."""

    at: datetime
    weight: int
    outcomes: tuple[OutcomeStatus, ...]


@dataclass
class Simulation:
    spec: Rollout
    crowd: Crowd
    signals: Sequence[Signal]
    assumed: Assumptions = Assumptions()
    records: list[DecisionRecord] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    sessions: int = 0
    """That began during the rollout."""
    decisions: int = 0
    """How often `advance` was asked."""
    outcome: RunOutcome | None = None
    message: str = ""

    def __post_init__(self) -> None:
        self.start = self.crowd.sessions[0].entries[0].at / 1000
        self.begun = datetime.fromtimestamp(self.start, UTC)
        self.second = self.start
        self.status: RolloutStatus = begin(RUN_UID, self.now)
        self._target, self._canary = Pods(self.assumed.replicas, CHAMPION), Pods(0, None)
        routing = Routing(stable=Backend(host="stable", port=8000, digest=CHAMPION))
        self.gateway = Gateway(self.spec.outcomes, self.signals, routing)
        self._due: list[tuple[int, int, Entry]] = []
        self._order = itertools.count()
        self._rule = look_rule(self.spec)
        self._looked, self._looked_at, self._requests = 0, self.second, 0

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.second, UTC)

    @property
    def days(self) -> float:
        return (self.second - self.start) / 86_400

    def run(self) -> None:
        """Until it is decided, or the log and every window have ended."""
        self._look()
        happening = merged(iter(self.crowd.sessions), self._due)
        for one in happening:
            at = (one.entries[0].at if isinstance(one, Session) else one.at) / 1000
            self._look_until(at)
            if self.outcome is not None:
                return
            self._take(one, at)
        self._after_the_log()

    def _after_the_log(self) -> None:
        """The last windows close; without new sessions nothing else is to come."""
        longest = max(o.attribution_window_seconds for o in self.spec.outcomes)
        self._look_until(self.second + longest + 60)

    def _take(self, one: Session | Entry, at: float) -> None:
        self.second = max(self.second, at)
        if isinstance(one, Session):
            self.sessions += 1
            first, *rest = self.crowd.behaviour(one, self.gateway.arm(one.name))
            for entry in rest:
                heapq.heappush(self._due, (entry.at, next(self._order), entry))
            one = first
        self.gateway.advance(one.at)
        self.gateway.take(one)
        if self._awaited():
            self._look()

    def _awaited(self) -> bool:
        """Whether a look may close now, or a guardrail has seen what it waits for."""
        new, waited = self.gateway.closed - self._looked, self.second - self._looked_at
        if new and (new >= max(20, self._rule.share * self.gateway.closed) or waited >= self._rule.interval_seconds):
            return True
        return self.status.weight > 0 and self.gateway.canary_requests() >= self._requests

    def _look_until(self, end: float) -> None:
        """The looks that come by time alone."""
        while self.outcome is None and (due := self._next()) <= end:
            self.second = max(self.second, due)
            self.gateway.advance(round(self.second * 1000))
            self._look()

    def _next(self) -> float:
        """When time alone may decide something."""
        status, spec = self.status, self.spec
        jump = WINDOWS_JUMP if spec.windows else LONGEST_JUMP
        moments = [self._looked_at + jump, *(m for m in self._moments() if m > self._looked_at)]
        if status.epoch > 0 and status.epoch_started_at is None:
            moments.append(self._looked_at + POLL_SECONDS)
        return min(moments)

    def _moments(self) -> Iterator[float]:
        status, spec = self.status, self.spec
        yield self._canary.ready_at
        yield self._target.ready_at
        step = spec.steps[status.step_index] if status.step_index < len(spec.steps) else None
        pause = step.pause.duration_seconds if step and step.pause and step.pause.duration_seconds else 0
        for since, seconds in (
            (status.step_since, pause),
            (status.baking_since, spec.bake_seconds),
            (status.started_at, spec.max_duration_seconds + 1),
            (status.canary_awaited_since, spec.progress_deadline_seconds + 1),
        ):
            if since is not None:
                yield instant(since).timestamp() + seconds

    def _look(self) -> None:
        """Let the policy decide, and let the cluster follow, until both are at rest."""
        for _ in range(8):
            before = self.status
            self._decide()
            self._follow()
            if _intents(self.status) == _intents(before) or self.outcome is not None:
                break
            self.second += POLL_SECONDS
        self._looked, self._looked_at = self.gateway.closed, self.second
        self._requests = self._next_requests()

    def _decide(self) -> Advance:
        before = self.status
        result = advance(
            self.spec, before, self._observed(), self.now, run_uid=RUN_UID, champion=CHAMPION, candidate=CANDIDATE
        )
        self.decisions += 1
        self.status, self.outcome, self.message = result.status, result.outcome, result.message
        self.records += result.records
        if (before.weight, before.outcomes) != (self.status.weight, self.status.outcomes) or not self.points:
            self.points.append(Point(self.now, self.status.weight, self.status.outcomes))
        return result

    def _observed(self) -> RolloutObservation:
        return RolloutObservation(
            gateways=(self.gateway.status(),),
            applied=True,
            target=self._target.seen(self.second),
            canary=self._canary.seen(self.second),
        )

    def _follow(self) -> None:
        wanted, start = self._serving(), self.assumed.start_seconds
        self.gateway.routing = wanted.routing
        self._canary.want(wanted.canary_replicas, CANDIDATE if wanted.canary_replicas else None, self.second, start)
        self._target.want(self.assumed.replicas, wanted.target_model.digest, self.second, start)

    def _serving(self) -> Serving:
        promoted = self.status.promoting_since is not None and self.status.abort is None
        champion = _model(CANDIDATE if promoted else CHAMPION)
        inputs = RunInputs(loop_uid="loop", champion=_model(CHAMPION), cut=(), pinned_spec="{}")
        run = ImprovementRunStatus(
            inputs=inputs, candidate=_model(CANDIDATE), rollout=self.status, outcome=self.outcome
        )
        loop = FeedbackLoopStatus(champion=champion)
        return serving(loop, run, run_uid=RUN_UID, stable_host="stable", canary_host="canary", port=8000)

    def _next_requests(self) -> int:
        """The canary's requests at which guardrails are looked at again: what one waits for, then now and then."""
        seen = self.gateway.canary_requests()
        waited = [g.min_requests for g in self.spec.guardrails if g.min_requests > seen]
        return min([*waited, int(seen * GROWTH) + 10])


def _intents(status: RolloutStatus) -> RolloutStatus:
    """All but the evidence: while only that grew, deciding again would decide nothing."""
    return status.model_copy(update={"looks": (), "outcomes": ()})


def _model(digest: str) -> ModelStatus:
    return ModelStatus(uri=f"s3://models/bot/{digest[7:19]}/", digest=digest, short=digest[7:19])
