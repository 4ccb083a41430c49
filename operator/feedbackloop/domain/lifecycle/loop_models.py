"""Who is champion: the declared model first, then what runs have proven, and back when a promotion is taken back.

Every change is an intent in status; the target follows it. `since` orders a person's declaration
against a run's promotion, so that a promotion that a person has overruled is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, Model, ModelStatus
from feedbackloop.domain.lifecycle.loop_observation import RunSeen
from feedbackloop.domain.lifecycle.run_time import instant, stamp


@dataclass(frozen=True)
class Models:
    """The models' roles."""

    declared: ModelStatus
    champion: ModelStatus
    previous: ModelStatus | None


def short(digest: str) -> str:
    """The digits that people see."""
    return digest.removeprefix("sha256:")[:12]


def roles(spec: FeedbackLoopSpec, status: FeedbackLoopStatus, run: RunSeen | None, now: datetime) -> Models:
    """The roles as they shall be; `run` is the active one."""
    declared = _declared(spec.target.model, status.declared_model, now)
    if status.champion is None:
        return Models(declared, declared, None)
    current = Models(declared, status.champion, status.previous)
    if status.declared_model is not None and _differs(declared, status.declared_model):
        return _crown(current, declared)
    return _after_run(current, run, now)


def _declared(model: Model, before: ModelStatus | None, now: datetime) -> ModelStatus:
    if before is not None and (before.uri, before.digest) == (model.uri, model.digest):
        return before
    return ModelStatus(uri=model.uri, digest=model.digest, short=short(model.digest), since=stamp(now))


def _differs(one: ModelStatus, other: ModelStatus) -> bool:
    return (one.uri, one.digest) != (other.uri, other.digest)


def _crown(models: Models, heir: ModelStatus) -> Models:
    """The heir as champion; declaring what serves already changes nothing."""
    if heir.digest == models.champion.digest:
        return models
    return Models(models.declared, heir, models.champion)


def _after_run(models: Models, run: RunSeen | None, now: datetime) -> Models:
    if run is None or run.status.rollout is None or run.status.candidate is None or run.status.inputs is None:
        return models
    rollout, candidate = run.status.rollout, run.status.candidate
    serves = models.champion.digest == candidate.digest and models.champion.run_name == run.name
    if rollout.abort is not None:
        back = run.status.inputs.champion.model_copy(update={"since": stamp(now)})
        return Models(models.declared, back, None) if serves else models
    if rollout.promoting_since is None or serves:
        return models
    if models.champion.since and instant(models.champion.since) >= instant(rollout.promoting_since):
        return models  # somebody declared a model after this promotion was decided
    return _crown(models, _promoted(candidate, run.name, now))


def _promoted(candidate: ModelStatus, run_name: str, now: datetime) -> ModelStatus:
    update = {"since": stamp(now), "run_name": run_name, "short": short(candidate.digest)}
    return candidate.model_copy(update=update)


def as_model(status: ModelStatus) -> Model:
    """The artefact of a role."""
    return Model(uri=status.uri, digest=status.digest)
