"""A small simulated world around `advance`: pods, gateways, sessions and votes, on a clock of its own.

It applies what is intended as the controllers would, through `serving`, and checks the invariants
after every step: statuses survive the API server, a repeated step changes nothing, the canary's
weight rises only towards an available, gated candidate and only while nothing is wrong.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feedbackloop.api.feedbackloop import FeedbackLoopStatus, ModelStatus
from feedbackloop.api.gateway import Arm, GatewayStatus, Routing, TrafficCounts, UnitCounts
from feedbackloop.api.improvementrun import DecisionRecord, ImprovementRunStatus, RunInputs, RunOutcome
from feedbackloop.api.rollout import Rollout, Step
from feedbackloop.api.rolloutaction import Action, ActionResult
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout import (
    ActionAnswer,
    ActionSeen,
    Advance,
    ArmObserved,
    RolloutObservation,
    advance,
    begin,
)
from feedbackloop.domain.rollout.situation import Situation
from feedbackloop.domain.serving import Serving, serving
from feedbackloop.domain.traffic import ProviderSeen

CHAMPION, CANDIDATE, OTHER = (f"sha256:{c * 64}" for c in "abc")
RUN_UID = "11111111-2222-3333-4444-555555555555"
START = datetime(2027, 1, 1, tzinfo=UTC)
BOUNDS = (100, 500, 1000, 2000, 5000)


def model(digest: str) -> ModelStatus:
    return ModelStatus(uri=f"s3://models/bot/{digest[7:19]}/", digest=digest, short=digest[7:19])


def rollout_spec(**changes: Any) -> Rollout:
    """The demo's rollout; `changes` in the words of the API."""
    demo: dict[str, Any] = {
        "steps": [
            {"setWeight": 10},
            {"analysis": {}},
            {"setWeight": 50},
            {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
        ],
        "outcomes": [
            {"name": "downvotes", "signal": "helpful", "attributionWindowSeconds": 15, "minRatedUnits": 60},
        ],
        "guardrails": [
            {"name": "errors", "metric": "ErrorRate", "maxRatio": "0.05", "minRequests": 20},
            {"name": "slow", "metric": "LatencyP95", "maxMilliseconds": 2000, "minRequests": 20},
        ],
        "bakeSeconds": 20,
        "progressDeadlineSeconds": 120,
        "maxDurationSeconds": 3600,
    }
    return Rollout.model_validate(demo | changes)


@dataclass
class Behaviour:
    """How an arm does: of its sessions so many are rated, rate badly, fail, are slow."""

    down: float = 0.3
    rated: float = 1.0
    errors: float = 0.0
    milliseconds: int = 300


@dataclass
class Pods:
    """An arm's pods, which take their time to become ready; an update surges, so capacity never drops."""

    replicas: int
    digest: str | None
    ready: int = 0
    """Ready for longer than the last change."""
    ready_at: float = 0.0
    updated_at: float | None = None
    broken: bool = False

    def scale(self, replicas: int, second: float, start_seconds: float) -> None:
        self.ready = min(self.observed(second).ready, replicas)
        self.replicas, self.ready_at, self.digest = replicas, second + start_seconds, CANDIDATE

    def roll_out(self, digest: str, done_at: float) -> None:
        self.digest, self.updated_at = digest, done_at

    def observed(self, second: float) -> ArmObserved:
        if self.broken:
            return ArmObserved(self.replicas, 0, None)
        ready = self.replicas if second >= self.ready_at else self.ready
        mixed = ready == 0 or (self.updated_at is not None and second < self.updated_at)
        return ArmObserved(self.replicas, ready, None if mixed else self.digest)


@dataclass
class World:
    seed: int = 0
    spec: Rollout = field(default_factory=rollout_spec)
    stable: Behaviour = field(default_factory=Behaviour)
    canary: Behaviour = field(default_factory=lambda: Behaviour(down=0.1))
    sessions_per_second: float = 10.0
    window_seconds: float = 15.0
    tick_seconds: float = 2.0
    start_seconds: float = 10.0
    gateway_pods: int = 1
    reachable: bool = True
    frozen_gateways: bool = False
    superseded: bool = False
    suspended: bool = False
    skew: float = 1.0
    """Share of the canary's units that reach the counts; below 1 the sample ratio is off."""
    paused: bool = False
    promotions: tuple[str, ...] = ()
    level: str | None = None
    steps: tuple[Step, ...] | None = None
    """The loop's steps as they are now; None: as pinned."""
    start: datetime = START
    provider: ProviderSeen | None = None
    """What a router does with every epoch; its epoch and weight are filled in."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.second = 0.0
        self.status = begin(RUN_UID, self.start)
        self.actions: list[ActionSeen] = []
        self.answers: dict[str, ActionAnswer] = {}
        self.target = Pods(2, CHAMPION)
        self.pods = Pods(0, None)
        self.champion = CHAMPION
        self.outcome: RunOutcome | None = None
        self.records: list[DecisionRecord] = []
        self.last: Advance | None = None
        self.weights: list[int] = [0]
        self.routings: list[Routing] = [self.serving.routing] * self.gateway_pods
        self.units: dict[tuple[int, int, Arm], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.traffic: dict[tuple[int, int, Arm], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.latency: dict[tuple[int, int, Arm], dict[str, int]] = defaultdict(dict)
        self.open: list[tuple[float, tuple[int, int, Arm], bool, bool]] = []

    # What the controllers do

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.second)

    @property
    def run(self) -> ImprovementRunStatus:
        inputs = RunInputs(loop_uid="loop", champion=model(CHAMPION), cut=(), pinned_spec="{}")
        return ImprovementRunStatus(
            inputs=inputs, candidate=model(CANDIDATE), rollout=self.status, outcome=self.outcome
        )

    @property
    def serving(self) -> Serving:
        loop = FeedbackLoopStatus(champion=model(self.champion))
        return serving(loop, self.run, run_uid=RUN_UID, stable_host="bot-stable", canary_host="bot-canary", port=8000)

    @property
    def observation(self) -> RolloutObservation:
        gateways = tuple(self._status(i) for i in range(self.gateway_pods)) if self.reachable else None
        applied = self.reachable and all(r == self.serving.routing for r in self.routings)
        target, canary = self.target.observed(self.second), self.pods.observed(self.second)
        return RolloutObservation(
            gateways,
            applied,
            target,
            canary,
            superseded=self.superseded,
            suspended=self.suspended,
            paused=self.paused,
            actions=tuple(a for a in self.actions if a.uid not in self.answers),
            promotions=self.promotions,
            level=self.level,
            provider=self._provider(),
            steps=self.steps,
        )

    @property
    def situation(self) -> Situation:
        """What the rules see now, to ask one of them alone."""
        return Situation(self.spec, self.status, self.observation, self.now, RUN_UID, CHAMPION, CANDIDATE)

    def tick(self) -> None:
        """Time passes, the world obeys, the rollout advances."""
        self.second += self.tick_seconds
        self._actuate()
        self._serve()
        self._close_units()
        if self.outcome is None:
            self.advance()

    def advance(self) -> Advance:
        observed = self.observation
        result = self._advance(self.status, observed)
        again = self._advance(result.status, observed)
        assert again.status == result.status, "a repeated step changes the status"
        assert again.records == (), "a repeated step decides again"
        assert (again.outcome, again.message) == (result.outcome, result.message)
        assert again.answers == result.answers, "an action is answered in two ways"
        self._check(self.status, result, observed)
        self.status = reread(result.status)
        self.records += result.records
        self.outcome, self.last = result.outcome, result
        self.answers |= {answer.uid: answer for answer in result.answers}
        if self.status.weight != self.weights[-1]:
            self.weights.append(self.status.weight)
        return result

    def ask(self, action: Action, **fields: Any) -> ActionSeen:
        """A person creates an action; the next tick answers it."""
        given: dict[str, Any] = {"user": "ann@example.org", "at": stamp(self.now)}
        seen = ActionSeen(uid=f"action-{len(self.actions)}", action=action, **(given | fields))
        self.actions.append(seen)
        return seen

    def answer(self, action: Action, **fields: Any) -> tuple[ActionResult, str]:
        """Ask, let the rollout look, and read what became of it."""
        seen = self.ask(action, **fields)
        self.tick()
        return self.answers[seen.uid].result, self.answers[seen.uid].message

    def run_until_end(self, seconds: float = 4000) -> RunOutcome | None:
        while self.outcome is None and self.second < seconds:
            self.tick()
        return self.outcome

    def run_until(self, **fields: Any) -> None:
        """Tick until the status has these values (`True` means: is set)."""
        for _ in range(3000):
            if all(_matches(getattr(self.status, k), v) for k, v in fields.items()):
                return
            self.tick()
        raise AssertionError(f"never came to {fields}: {self.last and self.last.message}")

    def _provider(self) -> ProviderSeen | None:
        if self.provider is None:
            return None
        return replace(self.provider, epoch=self.status.epoch, weight=self.status.weight)

    def _advance(self, status: RolloutStatus, observed: RolloutObservation) -> Advance:
        return advance(self.spec, status, observed, self.now, run_uid=RUN_UID, champion=CHAMPION, candidate=CANDIDATE)

    def _actuate(self) -> None:
        self._switch_champion()
        wanted = self.serving
        if not self.frozen_gateways:
            self.routings = [wanted.routing] * self.gateway_pods
        if self.pods.replicas != wanted.canary_replicas:
            self.pods.scale(wanted.canary_replicas, self.second, self.start_seconds)
        if self.target.digest != wanted.target_model.digest:
            self.target.roll_out(wanted.target_model.digest, self.second + self.start_seconds)

    def _switch_champion(self) -> None:
        if self.superseded:
            self.champion = OTHER
        elif self.status.abort is not None:
            self.champion = CHAMPION
        elif self.status.promoting_since is not None:
            self.champion = CANDIDATE

    # What users do

    def _serve(self) -> None:
        for _ in range(round(self.sessions_per_second * self.tick_seconds)):
            pod = self.random.randrange(self.gateway_pods)
            routing = self.routings[pod]
            if routing.run_uid:
                self._session(pod, routing)

    def _session(self, pod: int, routing: Routing) -> None:
        arm = Arm.CANARY if self.random.random() * 100 < routing.weight else Arm.STABLE
        key = (pod, routing.epoch, arm)
        canary = self.pods.observed(self.second)
        if arm is Arm.CANARY and canary.ready == 0:
            self.traffic[key][2] += 1
            return
        behaviour = self.canary if arm is Arm.CANARY else self.stable
        self._answer(key, behaviour)
        lost = arm is Arm.CANARY and self.random.random() >= self.skew
        if not lost:
            rated = self.random.random() < behaviour.rated
            down = rated and self.random.random() < behaviour.down
            self.open.append((self.second + self.window_seconds, key, rated, down))

    def _answer(self, key: tuple[int, int, Arm], behaviour: Behaviour) -> None:
        self.traffic[key][0] += 1
        self.traffic[key][1] += self.random.random() < behaviour.errors
        buckets = self.latency[key]
        for bound in (*BOUNDS, "inf"):
            inside = bound == "inf" or behaviour.milliseconds <= int(bound)
            buckets[str(bound)] = buckets.get(str(bound), 0) + inside

    def _close_units(self) -> None:
        due = [u for u in self.open if u[0] <= self.second]
        self.open = [u for u in self.open if u[0] > self.second]
        for _, key, rated, down in due:
            count = self.units[key]
            self.units[key] = [count[0] + 1, count[1] + rated, count[2] + down]

    def _status(self, pod: int) -> GatewayStatus:
        routing = self.routings[pod]
        units = tuple(
            UnitCounts(run_uid=RUN_UID, epoch=e, arm=a, outcome="downvotes", units=n, rated=r, events=x)
            for (p, e, a), (n, r, x) in self.units.items()
            if p == pod
        )
        traffic = tuple(
            TrafficCounts(
                run_uid=RUN_UID, epoch=e, arm=a, requests=n, errors=x, unavailable=u, latency_ms=self.latency[p, e, a]
            )
            for (p, e, a), (n, x, u) in self.traffic.items()
            if p == pod
        )
        return GatewayStatus(
            pod=f"bot-gateway-{pod}", run_uid=routing.run_uid, epoch=routing.epoch, units=units, traffic=traffic
        )

    def forget(self) -> None:
        """The gateways lose their memory."""
        self.units.clear()
        self.traffic.clear()
        self.latency.clear()
        self.open.clear()

    # What must hold

    def _check(self, before: RolloutStatus, result: Advance, observed: RolloutObservation) -> None:
        after = result.status
        assert after.epoch >= before.epoch
        assert (after.weight != before.weight) <= (after.epoch > before.epoch), "a weight needs its own epoch"
        assert len(after.looks) <= 2000
        assert after.looks[: len(before.looks)] == before.looks, "looks are only appended"
        assert result.requeue_seconds > 0
        if after.abort is None and result.outcome is None:
            need = math.ceil(observed.target.replicas * after.weight / 100)
            assert after.canary_replicas >= need, "I4: fewer replicas are wanted than the weight needs"
        if after.weight > before.weight:
            self._check_rise(before, after, result, observed)

    def _check_rise(
        self, before: RolloutStatus, after: RolloutStatus, result: Advance, observed: RolloutObservation
    ) -> None:
        assert observed.gateways, "I3: the weight rose without metrics"
        assert not observed.suspended
        assert not observed.superseded
        assert not observed.paused and not after.pause_reason, "the weight rose in a pause"
        assert before.abort is None and after.abort is None
        assert observed.canary.digest == CANDIDATE, "I2: an ungated model got traffic"
        assert observed.canary.ready >= observed.target.replicas * after.weight / 100, "I4: too few replicas"
        for finding in result.conditions:
            if finding.type in ("MetricsAvailable", "SampleRatioOK", "RatedShareOK"):
                assert finding.status is not False, f"I3: the weight rose while {finding}"
            if finding.type == "TargetDegraded":
                assert finding.status is False, f"I3: the weight rose while {finding}"


def _matches(actual: Any, wanted: Any) -> bool:
    return actual is not None if wanted is True else actual == wanted


def reread(status: RolloutStatus) -> RolloutStatus:
    """The status as the API server returns it."""
    wire = status.to_wire()
    again = RolloutStatus.model_validate(wire)
    assert again == status
    return again
