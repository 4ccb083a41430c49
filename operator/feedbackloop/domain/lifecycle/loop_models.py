"""Who is champion: the declared model first, then what runs have proven, and back when a promotion is taken back.

Every change is an intent in status; the target follows it. `since` orders a person's declaration
against a run's promotion, so that a promotion that a person has overruled is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, Model, ModelStatus
from feedbackloop.domain.lifecycle.loop_observation import RunSeen
from feedbackloop.domain.rfc3339 import instant, stamp


@dataclass(frozen=True)
class Models:
    """The models' roles."""

    declared: ModelStatus
    champion: ModelStatus
    previous: ModelStatus | None


def short(digest: str) -> str:
    """The digits that people see."""
    return digest.removeprefix("sha256:")[:12]


def roles(
    spec: FeedbackLoopSpec,
    status: FeedbackLoopStatus,
    active: RunSeen | None,
    runs: Iterable[RunSeen],
    now: datetime,
) -> Models:
    """The roles as they shall be."""
    declared = _declared(spec.target.model, status.declared_model, now)
    if status.champion is None:
        return Models(declared, declared, None)
    current = Models(declared, status.champion, status.previous)
    if status.declared_model is not None and _differs(declared, status.declared_model):
        return _crown(current, declared)
    maker = next((r for r in runs if r.name == current.champion.run_name), None)
    return _taken_back(current, maker, now) or _promoted(current, active, now) or current


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


def _taken_back(models: Models, maker: RunSeen | None, now: datetime) -> Models | None:
    """The champion of before, when the run that made this one has taken it back, be it over or not."""
    if maker is None or maker.status.rollout is None or maker.status.inputs is None:
        return None
    if maker.status.rollout.abort is None:
        return None
    return Models(models.declared, maker.status.inputs.champion.model_copy(update={"since": stamp(now)}), None)


def _promoted(models: Models, run: RunSeen | None, now: datetime) -> Models | None:
    """The candidate of the active run, once the run has decided to update the target to it."""
    if run is None or run.status.rollout is None or run.status.candidate is None:
        return None
    rollout = run.status.rollout
    if rollout.abort is not None or rollout.promoting_since is None or models.champion.run_name == run.name:
        return None
    if models.champion.since and instant(models.champion.since) >= instant(rollout.promoting_since):
        return None  # somebody declared a model after this promotion was decided
    candidate = run.status.candidate
    update = {"since": stamp(now), "run_name": run.name, "short": short(candidate.digest)}
    return _crown(models, candidate.model_copy(update=update))
