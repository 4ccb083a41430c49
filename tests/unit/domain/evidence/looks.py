"""Looks and gateway counts for tests, made from integers."""

from __future__ import annotations

from datetime import UTC, datetime

from feedbackloop.api.gateway import Arm, GatewayStatus, UnitCounts
from feedbackloop.api.rollout import Outcome, Rollout
from feedbackloop.api.rolloutstatus import ArmCounts, EpochStatus, Look, RolloutStatus

START = datetime(2027, 1, 1, tzinfo=UTC)
RUN = "run-uid"


def counts(units: int, events: int = 0, rated: int | None = None) -> ArmCounts:
    return ArmCounts(units=units, rated=units if rated is None else rated, events=events)


def look(stable: ArmCounts, canary: ArmCounts, epoch: int = 1, outcome: str = "downvotes") -> Look:
    return Look(outcome=outcome, epoch=epoch, at="2027-01-01T00:00:00Z", stable=stable, canary=canary)


def epoch(number: int, weight: int) -> EpochStatus:
    return EpochStatus(epoch=number, weight=weight, intended_at="2027-01-01T00:00:00Z")


def outcome(name: str = "downvotes", min_rated_units: int = 1) -> Outcome:
    return Outcome(name=name, signal="helpful", attribution_window_seconds=15, min_rated_units=min_rated_units)


def spec(*names: str, max_duration_seconds: int = 3600) -> Rollout:
    steps = [{"setWeight": 50}, {"analysis": {"outcomeNames": [names[0]], "until": "Decision"}}]
    outcomes = [outcome(name) for name in names]
    return Rollout.model_validate({"steps": steps, "outcomes": outcomes, "maxDurationSeconds": max_duration_seconds})


def status(*epochs: EpochStatus, looks: tuple[Look, ...] = ()) -> RolloutStatus:
    return RolloutStatus(started_at="2027-01-01T00:00:00Z", salt="s", epochs=epochs, looks=looks)


def gateway(
    *cells: tuple[int, Arm, int, int, int], outcome: str = "downvotes", run_uid: str = RUN, pod: str = "g-0"
) -> GatewayStatus:
    """Cumulative (epoch, arm, units, rated, events)."""
    units = tuple(
        UnitCounts(run_uid=run_uid, epoch=e, arm=a, outcome=outcome, units=n, rated=r, events=x)
        for e, a, n, r, x in cells
    )
    return GatewayStatus(pod=pod, units=units)
