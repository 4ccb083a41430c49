"""The facts of the stage that is under way: its Job, its pods and its files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import CONFIG_MAP, JOB, POD
from feedbackloop.adapters.ports import KubernetesPort
from feedbackloop.api.conditions import ConditionType
from feedbackloop.api.improvementrun import StageState, StageStatus
from feedbackloop.api.jobs import ProgressFile
from feedbackloop.domain import naming
from feedbackloop.domain.errors import Transient
from feedbackloop.domain.jobs.results import ResultFile
from feedbackloop.domain.jobs.seen import ChildSeen, JobSeen, child_seen, job_seen
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_seen import Outage, RunSeen, StageSeen
from feedbackloop.domain.lifecycle.run_stage import progress_due
from feedbackloop.domain.rfc3339 import stamp

JOB_NAME_LABEL = "batch.kubernetes.io/job-name"


async def with_stage(adapters: Adapters, seen: RunSeen, now: datetime) -> RunSeen:
    """With the facts of the running stage, if there is one."""
    stage = next((s for s in seen.status.stages if s.state is StageState.RUNNING), None)
    if stage is None:
        return seen
    # The Job before its files: a result is written before the Job completes, so a Job that was seen
    # complete has its result visible, and an absent one is really missing.
    job = await _job(adapters.kubernetes, seen, stage)
    config_map = None if job is not None else await _config_map(adapters.kubernetes, seen, stage)
    found = StageSeen(job=job, config_map=config_map)
    try:
        return replace(seen, stage=await _with_files(adapters, seen, stage, found, now))
    except Transient as error:
        outage = Outage(ConditionType.STORAGE_REACHABLE, error.reason, error.message)
        return replace(seen, stage=found, storage_outage=outage)


async def _job(kubernetes: KubernetesPort, seen: RunSeen, stage: StageStatus) -> JobSeen | None:
    name = naming.job(seen.spec.loop_name, stage.run_id, stage.attempt)
    job = await kubernetes.get(JOB, seen.namespace, name)
    if job is None:
        return None
    return job_seen(job, await kubernetes.list(POD, seen.namespace, labels={JOB_NAME_LABEL: name}))


async def _config_map(kubernetes: KubernetesPort, seen: RunSeen, stage: StageStatus) -> ChildSeen | None:
    name = naming.job_spec(seen.spec.loop_name, stage.run_id)
    body = await kubernetes.get(CONFIG_MAP, seen.namespace, name)
    return None if body is None else child_seen(body)


async def _with_files(
    adapters: Adapters, seen: RunSeen, stage: StageStatus, found: StageSeen, now: datetime
) -> StageSeen:
    inputs = seen.status.inputs
    assert inputs is not None
    storage = pinned(inputs.pinned_spec).storage
    path = naming.run_path(naming.storage_prefix(storage.prefix, inputs.loop_uid), stage.run_id)
    read = adapters.objects.read_json
    result = await read(storage.endpoint_name, storage.bucket, f"{path}result.json")
    if result is not None:
        return replace(found, result=ResultFile(*result))
    if not progress_due(stage, stamp(now)):
        return found
    return replace(found, progress=_progress(await read(storage.endpoint_name, storage.bucket, f"{path}progress.json")))


def _progress(file: tuple[dict[str, object], str] | None) -> ProgressFile | None:
    """For people only: one that does not read is as good as none."""
    if file is None:
        return None
    try:
        return ProgressFile.model_validate(file[0])
    except ValidationError:
        return None
