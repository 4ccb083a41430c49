"""What shall serve now: the routing of one epoch, the canary's size and model, the target's model.

Derived from the loop's champion and the active run's rollout alone, so the same status always gives
the same objects. Within one epoch the routing does not change: what depends on the rollout's phase
follows from fields that change together with the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.conditions import Reason
from feedbackloop.api.feedbackloop import FeedbackLoopStatus, Model, ModelStatus
from feedbackloop.api.gateway import Arm, Backend, HeaderTo, Mirror, Routing
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.errors import UserError


@dataclass(frozen=True)
class Serving:
    routing: Routing
    canary_replicas: int
    canary_model: Model | None
    """None: there shall be no canary at all."""
    target_model: Model
    """Always the champion."""


def serving(
    loop: FeedbackLoopStatus,
    run: ImprovementRunStatus | None,
    *,
    run_uid: str,
    stable_host: str,
    canary_host: str,
    port: int,
) -> Serving:
    """How the loop shall be served while `run` is active; its champion is the one that shall be."""
    champion = _champion(loop)
    rollout = _rollout(run)
    if run is None or run.candidate is None or rollout is None:
        stable = Backend(host=stable_host, port=port, digest=champion.digest)
        return Serving(Routing(stable=stable), 0, None, champion)
    stable = Backend(host=stable_host, port=port, digest=_stable_digest(run, rollout, champion))
    canary = Backend(host=canary_host, port=port, digest=run.candidate.digest)
    routing = _routing(rollout, run_uid, stable, canary)
    return Serving(routing, rollout.canary_replicas, _model(run.candidate), champion)


def _rollout(run: ImprovementRunStatus | None) -> RolloutStatus | None:
    """The rollout that is under way, if any."""
    return None if run is None or run.outcome is not None else run.rollout


def _routing(rollout: RolloutStatus, run_uid: str, stable: Backend, canary: Backend) -> Routing:
    """Before the first epoch the run is not seen in the routing at all, and a canary without a share is no backend."""
    if rollout.epoch == 0:
        return Routing(stable=stable)
    headers = _header_routes(rollout)
    fallback = _fallback(rollout) or (Arm.STABLE if headers else None)
    return Routing(
        run_uid=run_uid,
        epoch=rollout.epoch,
        weight=rollout.weight,
        salt=rollout.salt,
        stable=stable,
        canary=None if fallback is None else canary,
        fallback=fallback,
        mirror=_mirror(rollout, canary),
        header_routes=headers,
    )


def _mirror(rollout: RolloutStatus, canary: Backend) -> Mirror | None:
    """Only in the epoch of the shadow step: whatever else changes the routing ends it."""
    shadow = rollout.shadow
    if shadow is None or shadow.epoch != rollout.epoch or rollout.abort is not None:
        return None
    return Mirror(
        percent=shadow.percent, max_concurrency=shadow.max_concurrency, max_pairs=shadow.max_pairs, backend=canary
    )


def _header_routes(rollout: RolloutStatus) -> tuple[HeaderTo, ...]:
    """During the steps alone: later the canary has everything, or nothing."""
    if rollout.weight == 100 or _moved_back(rollout) or rollout.abort is not None:
        return ()
    return tuple(HeaderTo(header=r.header_name, values=r.values) for r in rollout.header_routes)


def _fallback(rollout: RolloutStatus) -> Arm | None:
    """Stable during the steps; the canary from baking on, and still while the updated target takes over."""
    if 0 < rollout.weight < 100:
        return Arm.STABLE
    return Arm.CANARY if rollout.weight == 100 or _moved_back(rollout) else None


def _moved_back(rollout: RolloutStatus) -> bool:
    return rollout.moved_back_since is not None and rollout.abort is None


def _stable_digest(run: ImprovementRunStatus, rollout: RolloutStatus, champion: Model) -> str:
    """The model of the target as this epoch began: while it is updated the label stays the old one."""
    if _moved_back(rollout) and run.candidate is not None:
        return run.candidate.digest
    taken_back = rollout.abort is not None and rollout.weight == 0
    return champion.digest if taken_back or run.inputs is None else run.inputs.champion.digest


def _champion(loop: FeedbackLoopStatus) -> Model:
    status = loop.champion or loop.declared_model
    if status is None:
        raise UserError(Reason.INVALID_SPEC, "the loop has no champion yet: spec.target.model was not acted on")
    return _model(status)


def _model(status: ModelStatus) -> Model:
    return Model(uri=status.uri, digest=status.digest)
