"""The run in MLflow: tracked from its first moment, registered once gated, settled at its end.

Kubernetes status is the truth and MLflow a projection of it: versions are looked for by their
tag before they are made, aliases follow what serving says.
"""

from __future__ import annotations

from typing import Literal

from feedbackloop.api import GROUP
from feedbackloop.api.adminconfig import EndpointType
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import ModelStatus
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.domain import naming
from feedbackloop.domain.jobs.specs import Brief, endpoint
from feedbackloop.domain.lifecycle.run_effects import Register, Settle, Track, Version
from feedbackloop.domain.lifecycle.run_inputs import brief
from feedbackloop.domain.lifecycle.run_stop import delete_stopped
from feedbackloop.domain.lifecycle.run_turn import Turn

CHAMPION, PREVIOUS, CANDIDATE = "champion", "previous", "candidate"
ENDS: dict[RunOutcome, Literal["FAILED", "KILLED"]] = {RunOutcome.FAILED: "FAILED", RunOutcome.SUPERSEDED: "KILLED"}


def track(turn: Turn) -> Turn:
    """The MLflow run exists before the first job, which logs into it."""
    if turn.status.mlflow.run_id is not None:
        return turn
    turn = turn.at_stage("Pending", Reason.PROGRESSING, "asks MLflow for a run")
    if turn.seen.registry_outage is not None:
        return turn.outage(turn.seen.registry_outage)
    if turn.seen.answers.run_id is None:
        return turn.ask(_track(turn, brief(turn)))
    return _reached(_mlflow(turn, run_id=turn.seen.answers.run_id))


def register(turn: Turn) -> Turn:
    """A gated candidate gets a version, and the champion too, so that aliases can point at both."""
    candidate = turn.status.candidate
    if candidate is None or turn.status.mlflow.model_version is not None:
        return turn
    turn = turn.at_stage("Registering", Reason.PROGRESSING, "registers the candidate")
    if turn.seen.registry_outage is not None:
        return turn.outage(turn.seen.registry_outage)
    version = turn.seen.answers.version
    if version is None:
        return turn.ask(_register(turn, brief(turn), candidate))
    name = brief(turn).spec.registry.registered_model
    turn = _reached(_mlflow(turn, model_version=version))
    turn = turn.found(ConditionType.REGISTERED, True, Reason.REGISTERED, f"{name} version {version}")
    return turn.record(Reason.REGISTERED, f"{name} version {version}")


def settle(turn: Turn) -> Turn:
    """A run that is over is closed in MLflow too; afterwards MLflow is not asked any more."""
    if turn.status.outcome is None:
        return turn
    turn = turn.at_stage(turn.status.outcome.value, Reason.AS_DECLARED)
    if turn.status.mlflow.settled_at is not None or turn.status.mlflow.run_id is None:
        return turn
    turn = delete_stopped(turn)
    if turn.seen.registry_outage is not None:
        return turn.outage(turn.seen.registry_outage)
    if turn.seen.answers.settled:
        return _reached(_mlflow(turn, settled_at=turn.at))
    if not _serving_settled(turn):
        return turn.hold(turn.poll)
    return turn.ask(_settle(turn, brief(turn)))


def declared_key(digest: str) -> str:
    """The version key of a model that no run of ours made."""
    return f"declared-{digest.removeprefix('sha256:')[:12]}"


def _mlflow(turn: Turn, **changes: str) -> Turn:
    return turn.update(mlflow=turn.status.mlflow.model_copy(update=changes))


def _reached(turn: Turn) -> Turn:
    return turn.found(ConditionType.REGISTRY_REACHABLE, True, Reason.REACHABLE)


def _registry(b: Brief) -> str:
    return endpoint(b.admin, b.spec.registry.endpoint_name, EndpointType.MLFLOW).name


def _track(turn: Turn, b: Brief) -> Track:
    return Track(
        endpoint=_registry(b),
        experiment=f"{turn.seen.namespace}.{b.loop.name}",
        run_uid=turn.seen.uid,
        name=turn.seen.name,
        tags={
            f"{GROUP}/loop": b.loop.name,
            f"{GROUP}/namespace": turn.seen.namespace,
            f"{GROUP}/run": turn.seen.name,
            f"{GROUP}/improvement": b.improvement.name,
        },
        params={
            "improvement": naming.canonical_json(b.improvement.to_wire()),
            "champion_digest": b.inputs.champion.digest,
            "cut": naming.canonical_json([c.to_wire() for c in b.inputs.cut]),
        },
    )


def _register(turn: Turn, b: Brief, candidate: ModelStatus) -> Register:
    dataset = turn.status.dataset
    lineage = {
        f"{GROUP}/run": turn.seen.name,
        f"{GROUP}/dataset-digest": dataset.digest if dataset else "",
        f"{GROUP}/base-digest": b.inputs.champion.digest,
    }
    return Register(
        endpoint=_registry(b),
        registered_model=b.spec.registry.registered_model,
        run_id=b.mlflow_run_id,
        candidate=Version(_key(turn, candidate), candidate.uri, {**_artefact(b, candidate), **lineage}),
        champion=_version(turn, b, b.inputs.champion),
    )


def _version(turn: Turn, b: Brief, model: ModelStatus) -> Version:
    """The version of a model that is serving: of the run that made it, or of its declaration."""
    candidate = turn.status.candidate
    if candidate is not None and candidate.digest == model.digest:
        return Version(_key(turn, candidate), model.uri, _artefact(b, model))
    key = dict(turn.seen.model_keys).get(model.digest) or declared_key(model.digest)
    return Version(key, model.uri, _artefact(b, model))


def _key(turn: Turn, candidate: ModelStatus) -> str:
    """Of a candidate that is rolled out again: of the run that made it."""
    if candidate.run_name == turn.seen.name:
        return turn.seen.uid
    return dict(turn.seen.model_keys).get(candidate.digest, turn.seen.uid)


def _artefact(b: Brief, model: ModelStatus) -> dict[str, str]:
    return {
        f"{GROUP}/loop": b.loop.name,
        f"{GROUP}/namespace": b.loop.namespace,
        f"{GROUP}/artefact-digest": model.digest,
        f"{GROUP}/artefact-uri": model.uri,
    }


def _serving_settled(turn: Turn) -> bool:
    """Whether the loop's champion is what the outcome says: it is switched by another controller."""
    loop, candidate = turn.seen.loop, turn.status.candidate
    if turn.status.rollout is None or candidate is None or loop is None or loop.status.champion is None:
        return True
    promoted = turn.status.outcome is RunOutcome.PROMOTED
    changed = turn.status.inputs is not None and candidate.digest != turn.status.inputs.champion.digest
    return not changed or promoted == (loop.status.champion.digest == candidate.digest)


def _settle(turn: Turn, b: Brief) -> Settle:
    outcome = turn.status.outcome or RunOutcome.FAILED
    dataset = turn.status.dataset
    registered = turn.status.mlflow.model_version is not None
    return Settle(
        endpoint=_registry(b),
        run_id=b.mlflow_run_id,
        status=ENDS.get(outcome, "FINISHED"),
        tags={
            f"{GROUP}/outcome": outcome.value,
            f"{GROUP}/message": turn.status.message,
            **({f"{GROUP}/dataset-digest": dataset.digest} if dataset else {}),
        },
        registered_model=b.spec.registry.registered_model if registered else None,
        aliases=_aliases(turn, b),
    )


def _aliases(turn: Turn, b: Brief) -> dict[str, Version | None]:
    """What serves, as the loop says; a loop that is gone serves nothing, and its aliases stay."""
    loop = turn.seen.loop
    if loop is None or loop.uid != b.inputs.loop_uid or loop.status.champion is None:
        return {CANDIDATE: None}
    aliases: dict[str, Version | None] = {CANDIDATE: None, CHAMPION: _version(turn, b, loop.status.champion)}
    if loop.status.previous is not None:
        aliases[PREVIOUS] = _version(turn, b, loop.status.previous)
    return aliases
