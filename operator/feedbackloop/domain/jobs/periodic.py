"""What the periodic jobs are told: the sweep of what has expired, and the projection of feedback into MLflow."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus, KeyService, LoopRef, ObjectStore
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunOutcome
from feedbackloop.api.jobs import AssessSpec, MlflowRef, SweepSpec

MOST_NAMED = 500
"""Digests that one spec names: it travels in an annotation."""


@dataclass(frozen=True)
class Surroundings:
    """What both specs need."""

    loop: LoopRef
    spec: FeedbackLoopSpec
    status: FeedbackLoopStatus
    """With the roles as they shall be."""
    storage: ObjectStore
    models: ObjectStore
    encryption: KeyService
    runs: tuple[ImprovementRunStatus, ...]
    """Of this loop, as far as their objects are still there."""
    served_elsewhere: frozenset[str] = frozenset()
    """Digests that other loops of the namespace declare or serve."""


def sweep(around: Surroundings, run_id: str, *, force: bool) -> SweepSpec:
    """Deletes what has expired."""
    retention = around.status.retention
    return SweepSpec(
        stage="sweep",
        run_id=run_id,
        loop=around.loop,
        run_name=around.loop.name,
        storage=around.storage,
        encryption=around.encryption,
        retention=around.spec.retention,
        registered_model=around.spec.registry.registered_model,
        models=around.models,
        keep_models=tuple(sorted(_served(around))),
        rejected_models=_rejected(around.runs)[:MOST_NAMED],
        keep_datasets=_datasets_in_use(around.runs)[:MOST_NAMED],
        last_sweep=(retention.last_sweep_at or "") if retention else "",
        force=force,
    )


def _served(around: Surroundings) -> frozenset[str]:
    """Models that serve, served, or are about to."""
    status = around.status
    roles = (status.declared_model, status.champion, status.previous, status.candidate)
    under_way = (run.candidate for run in around.runs if run.outcome is None)
    ours = {role.digest for role in (*roles, *under_way) if role is not None}
    return frozenset(ours | {around.spec.target.model.digest}) | around.served_elsewhere


def _rejected(runs: tuple[ImprovementRunStatus, ...]) -> tuple[str, ...]:
    """Candidates that never became champion, of the runs that are known; what nobody knows of is kept."""
    return tuple(sorted({run.candidate.digest for run in runs if run.candidate is not None and _never_served(run)}))


def _never_served(run: ImprovementRunStatus) -> bool:
    if run.outcome is None or run.outcome is RunOutcome.PROMOTED:
        return False
    return run.rollout is None or run.rollout.promoting_since is None


def _datasets_in_use(runs: tuple[ImprovementRunStatus, ...]) -> tuple[str, ...]:
    return tuple(sorted({run.dataset.digest for run in runs if run.outcome is None and run.dataset is not None}))


def assess(
    around: Surroundings, run_id: str, admin: AdminConfig, gateways: tuple[GatewayStatus, ...]
) -> AssessSpec | None:
    """Projects what is new; None when the admin declares no such MLflow."""
    registry = admin.endpoint(around.spec.registry.endpoint_name, EndpointType.MLFLOW)
    if registry is None:
        return None
    before = around.status.assessments
    return AssessSpec(
        stage="assess",
        run_id=run_id,
        loop=around.loop,
        run_name=around.loop.name,
        storage=around.storage,
        encryption=around.encryption,
        mlflow=MlflowRef(tracking_uri=registry.url, run_id=""),
        experiment=f"{around.loop.namespace}.{around.loop.name}",
        cut=stored(gateways),
        since=before.until if before else (),
        signals=around.spec.collection.signals,
        consent_required=around.spec.collection.consent.required,
    )


def stored(gateways: tuple[GatewayStatus, ...]) -> tuple[PodOffset, ...]:
    """How far every pod's log is in object storage."""
    return tuple(
        PodOffset(pod=g.pod, offset=g.uploaded.offset, trainable=g.uploaded.trainable)
        for g in sorted(gateways, key=lambda g: g.pod)
    )
