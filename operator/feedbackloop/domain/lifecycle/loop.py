"""What is due for a loop: one total function from what was observed to status, effects and the next look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.lifecycle import loop_history, loop_periodic
from feedbackloop.domain.lifecycle.loop_checks import belongs, leftovers, stalled, unfit, unready
from feedbackloop.domain.lifecycle.loop_delete import decide_deletion
from feedbackloop.domain.lifecycle.loop_effects import Announcement, Create, Decision, Effect
from feedbackloop.domain.lifecycle.loop_findings import (
    collection_ready,
    keys_erasable,
    storage_reachable,
    suites_fresh,
    target_adopted,
)
from feedbackloop.domain.lifecycle.loop_models import Models, roles
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopFacts, LoopObservation
from feedbackloop.domain.lifecycle.loop_plan import Plan, plan
from feedbackloop.domain.lifecycle.loop_runs import consumed, summaries
from feedbackloop.domain.lifecycle.loop_trigger import NewRun, due, run_object
from feedbackloop.domain.lifecycle.loop_watch import regressed
from feedbackloop.domain.project_loop import Summary, announcements, counters, project

STALLED_SECONDS = 30.0
"""A stalled loop is looked at again this often: what stalls it (a Service, another Deployment) may not wake it."""


def decide(seen: LoopObservation, admin: AdminConfig, now: datetime) -> Decision:
    """The whole decision; the same observation at the same time gives the same one."""
    if seen.loop.deleting_since is not None:
        return decide_deletion(seen, admin, seen.loop.deleting_since, now)
    stall = unready(seen, admin) or (None if started(seen) else unfit(seen, admin))
    if stall is not None:
        return _stalled(seen, stall, now)
    if leftovers(seen):
        return _waiting(seen, admin, now)
    planned = planned_for(seen, admin, now)
    if planned is None:  # `unready` has judged the same facts; said rather than asserted, so that this stays total
        return _stalled(seen, stalled(Reason.INVALID_SPEC, "the loop's objects cannot be rendered"), now)
    return _Turn(seen, admin, planned, now).decision()


def started(seen: LoopObservation) -> bool:
    """Whether it has a gateway: from then on an obstacle holds runs back, but never the way back of a rollout."""
    live = seen.children.get(Child("ConfigMap", naming.gateway(seen.loop.ref.name)))
    return live is not None and belongs(seen, live)


def adoption_to_try(seen: LoopObservation, admin: AdminConfig, now: datetime) -> Json | None:
    """What to apply to the target as a dry run before anything is made, if it would change the target."""
    if seen.loop.deleting_since is not None or unready(seen, admin) or (not started(seen) and unfit(seen, admin)):
        return None
    planned = planned_for(seen, admin, now)
    return planned.adoption if planned and not planned.adoption_applied else None


def planned_for(seen: LoopObservation, admin: AdminConfig, now: datetime) -> Plan | None:
    """The plan with roles and runs as they shall be."""
    return plan(seen, admin, bookkeeping(seen, seen.loop.spec, now)) if seen.loop.spec else None


def bookkeeping(seen: LoopObservation, spec: FeedbackLoopSpec, now: datetime) -> FeedbackLoopStatus:
    """The status with what follows from the spec and the runs alone."""
    run = seen.active
    return seen.loop.status.model_copy(
        update={
            "promotions": loop_history.promotions(seen, now),
            "suites": loop_history.suites(seen, now),
            "lifetime": loop_history.lifetime(seen, spec.rollout),
            **_roles(roles(spec, seen.loop.status, run, seen.runs, now)),
            "candidate": run.status.candidate if run and run.status.rollout else None,
            "active_run_name": run.name if run else None,
            "active_run_uid": run.uid if run else None,
            "runs": summaries(seen, now),
            "consumed": consumed(seen),
        }
    )


def _roles(models: Models) -> dict[str, object]:
    return {"declared_model": models.declared, "champion": models.champion, "previous": models.previous}


def _stalled(seen: LoopObservation, stall: Finding, now: datetime) -> Decision:
    return refusal(seen.loop, stall, now)


def refusal(loop: LoopFacts, stall: Finding, now: datetime) -> Decision:
    """Nothing is made, and nothing that is there is touched."""
    before = loop.status
    after = project(
        before,
        before.model_copy(update={"stage": "Stalled"}),
        summary=Summary(False, stall.reason, stall.message, stalled=True),
        generation=loop.generation,
        now=now,
    )
    told = announcements(before, after)
    return Decision(after, loop.has_finalizer, announcements=told, requeue_seconds=STALLED_SECONDS)


def _waiting(seen: LoopObservation, admin: AdminConfig, now: datetime) -> Decision:
    """A former loop of our name is not gone yet."""
    names = ", ".join(f"{child.kind} {child.name}" for child in leftovers(seen))
    before = seen.loop.status
    after = project(
        before,
        before.model_copy(update={"stage": "Waiting"}),
        summary=Summary(False, Reason.WAITING, f"a former loop of this name has left {names}, which is being deleted"),
        generation=seen.loop.generation,
        now=now,
    )
    return Decision(after, seen.loop.has_finalizer, requeue_seconds=admin.limits.poll_active_seconds)


@dataclass(frozen=True)
class _Turn:
    """One look at a loop whose objects can be rendered."""

    seen: LoopObservation
    admin: AdminConfig
    plan: Plan
    now: datetime

    def decision(self) -> Decision:
        findings = self._findings()
        stall = unfit(self.seen, self.admin) or self.seen.refused
        summary = self._summary(stall, findings)
        run = self._new_run() if stall is None and findings[0].status else None
        periodic = loop_periodic.decide(self.seen, self.plan.around, self.admin, self.now)
        after = self._status(summary, (*findings, *periodic.findings), run, periodic.status)
        return Decision(
            after,
            finalizer=True,
            effects=(*self._objects(stall), *_creation(self.seen, run), *periodic.effects),
            announcements=(*announcements(self.seen.loop.status, after), *_started(run)),
            requeue_seconds=self._requeue(summary, run),
        )

    def _findings(self) -> tuple[Finding, ...]:
        champion = self.plan.status.champion
        adopted = target_adopted(
            self.seen,
            self.plan.spec,
            digest=champion.digest if champion else "",
            applied=self.plan.adoption_applied,
            promoting=self._is_promoting,
        )
        return (adopted, collection_ready(self.seen, self.plan.spec.collection.replicas), storage_reachable(self.seen))

    @property
    def _is_promoting(self) -> bool:
        run = self.seen.active
        return run is not None and run.status.rollout is not None and run.status.rollout.promoting_since is not None

    def _summary(self, stall: Finding | None, findings: tuple[Finding, ...]) -> Summary:
        if stall is not None:
            return Summary(False, stall.reason, stall.message, stalled=True)
        for finding in findings:
            if not finding.status:
                return Summary(False, finding.reason, finding.message)
        if self._configuration_is_pending():
            return Summary(False, Reason.PROGRESSING, "the gateway applies a new configuration")
        if self.plan.spec.suspend:
            return Summary(True, Reason.SUSPENDED, "it collects, but starts no run: spec.suspend is true")
        return Summary(True, Reason.AS_DECLARED, "it collects, and starts a run when enough signals are new")

    def _configuration_is_pending(self) -> bool:
        """A change of the weight is the rollout's business; this is about everything else in the configuration."""
        routing = self.plan.routing
        epoch = (routing.run_uid, routing.epoch)
        pods = self.seen.gateways or ()
        return any(g.revision != self.plan.revision and (g.run_uid, g.epoch) == epoch for g in pods)

    def _new_run(self) -> NewRun | None:
        gateways = self.seen.gateways
        if self.seen.active is not None or gateways is None or any(g.drained for g in gateways):
            return None
        return due(self.seen.loop.ref, self.plan.spec, self.plan.status, gateways, self.now)

    def _status(
        self, summary: Summary, findings: tuple[Finding, ...], run: NewRun | None, periodic: dict[str, Any]
    ) -> FeedbackLoopStatus:
        before, gateways = self.seen.loop.status, self.seen.gateways
        update = {
            "stage": _stage(self.seen, summary, run),
            "weight": self.plan.routing.weight,
            "counters": before.counters if gateways is None else counters(gateways, self.now),
            "gateway_revision": _revision(self.seen) or before.gateway_revision,
            **({"active_run_name": run.name} if run else {}),
            **periodic,
        }
        return project(
            before,
            self.plan.status.model_copy(update=update),
            summary=summary,
            findings=(*findings, *keys_erasable(self.seen, self.plan.spec), *self._over_runs()),
            absent=(ConditionType.REGRESSED, ConditionType.SUITES_FRESH),
            generation=self.seen.loop.generation,
            now=self.now,
        )

    def _over_runs(self) -> tuple[Finding, ...]:
        """What more than one run has to say; absent when there is nothing."""
        status, spec = self.plan.status, self.plan.spec
        found = (regressed(self.seen, spec, status, self.now), suites_fresh(spec, status.suites))
        return tuple(f for f in found if f is not None)

    def _objects(self, stall: Finding | None) -> tuple[Effect, ...]:
        """A loop that must act against an obstacle keeps its routes, but does not overrule whoever owns the target."""
        adopt = self.seen.adoption_conflict is None and not _is_foreign_target(stall)
        return self.plan.effects(self.now, adopt=adopt)

    def _requeue(self, summary: Summary, run: NewRun | None) -> float:
        limits = self.admin.limits
        busy = self.seen.active is not None or run is not None
        settling = not summary.ready and not summary.stalled
        return limits.poll_active_seconds if busy or settling else limits.poll_idle_seconds


def _is_foreign_target(stall: Finding | None) -> bool:
    return stall is not None and stall.reason is Reason.TARGET_OWNED_BY_OTHER_LOOP


def _stage(seen: LoopObservation, summary: Summary, run: NewRun | None) -> str:
    """One or two words for people."""
    if summary.stalled:
        return "Stalled"
    if seen.active is not None:
        return seen.active.status.stage or "StartingRun"
    if run is not None:
        return "StartingRun"
    if not summary.ready:
        return summary.reason.value
    return "Suspended" if summary.reason is Reason.SUSPENDED else "Collecting"


def _revision(seen: LoopObservation) -> str | None:
    """The configuration that every gateway pod has applied, while they agree."""
    revisions = {g.revision for g in seen.gateways or ()}
    return revisions.pop() or None if len(revisions) == 1 else None


def _creation(seen: LoopObservation, run: NewRun | None) -> tuple[Effect, ...]:
    return (Create(run_object(seen.loop.ref, run)),) if run else ()


def _started(run: NewRun | None) -> tuple[Announcement, ...]:
    if run is None:
        return ()
    note = f"{run.signals} new signals are stored: run {run.name} of improvement {run.improvement} starts"
    return (Announcement("Normal", Reason.PROGRESSING, "StartRun", note),)
