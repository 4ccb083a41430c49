"""The facts of the periodic jobs: read only when one is due, so that a loop at rest costs nothing for them."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import JOB
from feedbackloop.domain import naming
from feedbackloop.domain.errors import Transient
from feedbackloop.domain.jobs.seen import job_seen
from feedbackloop.domain.lifecycle.loop_observation import Due, LoopFacts, PeriodicSeen
from feedbackloop.domain.lifecycle.loop_periodic import due


async def periodic_seen(adapters: Adapters, facts: LoopFacts, now: datetime) -> tuple[PeriodicSeen, ...]:
    """Each due job with its Job and its result."""
    return tuple([await _one(adapters, facts, each) for each in due(facts, now)])


async def _one(adapters: Adapters, facts: LoopFacts, each: Due) -> PeriodicSeen:
    # The Job before its result: one that was seen complete has its result visible.
    job = await adapters.kubernetes.get(JOB, facts.ref.namespace, naming.job(facts.ref.name, each.run_id, 1))
    seen = job_seen(job, ()) if job is not None else None
    state = PeriodicSeen(each, job, complete=bool(seen and seen.complete), failed=bool(seen and seen.failed))
    if seen is not None and not (seen.complete or seen.failed):
        return state
    assert facts.spec is not None
    storage = facts.spec.storage
    path = naming.run_path(naming.storage_prefix(storage.prefix, facts.ref.uid), each.run_id)
    try:
        found = await adapters.objects.read_json(storage.endpoint_name, storage.bucket, f"{path}result.json")
    except Transient:
        return PeriodicSeen(each, job, away=True)
    return PeriodicSeen(each, job, state.complete, state.failed, found[0] if found else None)
