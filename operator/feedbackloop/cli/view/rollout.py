"""A rollout: its steps and weight, the evidence with its bounds, the plan, guardrails and approvals."""

from __future__ import annotations

import math
from datetime import datetime

from feedbackloop.api.conditions import Condition, ConditionStatus, ConditionType, find_condition
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.api.rollout import Outcome, Rollout
from feedbackloop.api.rolloutstatus import ArmCounts, OutcomeStatus, PlanStatus, RolloutStatus, Verdict
from feedbackloop.cli.view.steps import steps
from feedbackloop.cli.view.text import Style, block, columns, duration, named
from feedbackloop.domain.evidence.outcome import harm_bound, non_inferiority_bound
from feedbackloop.domain.rfc3339 import seconds_since

_MARK = {Verdict.SUCCESSFUL: "done", Verdict.FAILED: "failed", Verdict.INCONCLUSIVE: "open", Verdict.ERROR: "warn"}
_CHECKS = (
    ConditionType.PAUSED,
    ConditionType.INSIDE_WINDOW,
    ConditionType.APPROVAL_PENDING,
    ConditionType.ROUTING_READY,
    ConditionType.METRICS_AVAILABLE,
    ConditionType.SAMPLE_RATIO_OK,
    ConditionType.RATED_SHARE_OK,
    ConditionType.TARGET_DEGRADED,
    ConditionType.SHADOWED,
)
_GOOD_WHEN_FALSE = frozenset({ConditionType.PAUSED, ConditionType.APPROVAL_PENDING, ConditionType.TARGET_DEGRADED})


def rollout_lines(
    style: Style, run: ImprovementRunStatus, rules: Rollout, level: float | None, now: datetime
) -> list[str]:
    """Nothing is shown of what there is none of."""
    rollout = run.rollout
    if rollout is None:
        return []
    return [
        *block(style, "Steps", steps(style, rules.steps, rollout, now)),
        *block(style, "Weight", [_weight(style, rollout)]),
        *block(style, "Evidence", _evidence(style, rules, rollout, level)),
        *block(style, "Plan", [_plan(p) for p in rollout.plan]),
        *block(style, "Checks", _checks(style, run) if run.outcome is None else []),
        *block(style, "Sources", _sources(rollout)),
        *block(style, "Approvals", _approvals(style, rollout, now)),
    ]


def _weight(style: Style, rollout: RolloutStatus) -> str:
    applying = "" if rollout.epoch == 0 or rollout.epoch_started_at else ", being applied"
    resume = f", {rollout.resume_weight} % once the canary is back" if rollout.resume_weight else ""
    pods = f"{rollout.canary_replicas} canary pods" if rollout.canary_replicas else "no canary pods"
    return f"{style.bar(rollout.weight / 100)} {rollout.weight} %{applying}{resume}, {pods}, epoch {rollout.epoch}"


def _evidence(style: Style, rules: Rollout, rollout: RolloutStatus, level: float | None) -> list[str]:
    declared = {o.name: o for o in rules.outcomes}
    count = len(rules.outcomes)
    bounds = {name: (non_inferiority_bound(o, level), harm_bound(o, count)) for name, o in declared.items()}
    return [
        line
        for status in rollout.outcomes
        if status.name in declared
        for line in _outcome(style, declared[status.name], status, *bounds[status.name])
    ]


def _outcome(style: Style, declared: Outcome, status: OutcomeStatus, promote: float, abort: float) -> list[str]:
    what = "events/units" if declared.mean is None else "mean of rated"
    rated = status.stable.rated + status.canary.rated
    head = f"{style.mark(_MARK[status.verdict])} {style.paint(status.name, 'bold')} {status.verdict.value}"
    numbers = f"{what} stable {_arm(declared, status.stable)}, canary {_arm(declared, status.canary)}"
    return [
        f"{head}  {numbers}, rated {rated} of {declared.min_rated_units}{_interval(style, declared, status)}",
        *columns(
            [
                _scale(style, "promotes", status.non_inferiority_e_value, promote),
                _scale(style, "aborts", status.harm_e_value, abort),
            ]
        ),
    ]


def _arm(declared: Outcome, arm: ArmCounts) -> str:
    if declared.mean is None:
        return f"{arm.events}/{arm.units}"
    return f"{arm.total / 1000 / arm.rated:.3g}" if arm.rated else "none"


def _interval(style: Style, declared: Outcome, status: OutcomeStatus) -> str:
    if status.lower is None or status.upper is None:
        return ""
    what = "ratio" if declared.mean is None else "difference"
    estimate = f" {status.estimate}" if status.estimate is not None else ""
    return f", {what}{estimate} [{status.lower}, {status.upper}]"


def _scale(style: Style, what: str, e_value: str, bound: float) -> tuple[str, ...]:
    """How far an e-value is on its way, on the scale of its logarithm."""
    value = float(e_value)
    share = math.log(value) / math.log(bound) if value > 1 and bound > 1 else 0.0
    return (f"    {what}", style.bar(share, 16), f"e-value {e_value} of {bound:.4g}")


def _plan(plan: PlanStatus) -> str:
    if plan.message:
        return f"{plan.outcome}: {plan.message.removeprefix(f'{plan.outcome}: ')}"
    needed = plan.sessions_needed if plan.sessions_needed is not None else "too many"
    return f"{plan.outcome}: {needed} sessions, {plan.days_needed or '?'} days at {plan.sessions_per_day} a day"


def _checks(style: Style, run: ImprovementRunStatus) -> list[str]:
    """What freezes it, with the reasons; what is well is named only."""
    found = [(t, c) for t in _CHECKS if (c := find_condition(run.conditions, t)) is not None]
    bad = [f"{style.mark('warn')} {named(c)}: {c.message}" for t, c in found if not _is_well(t, c)]
    well = [f"not {t.value}" if t in _GOOD_WHEN_FALSE else t.value for t, c in found if _is_well(t, c)]
    return [*bad, *([f"{style.mark('done')} {', '.join(well)}"] if well else [])]


def _is_well(type_: ConditionType, condition: Condition) -> bool:
    wanted = ConditionStatus.FALSE if type_ in _GOOD_WHEN_FALSE else ConditionStatus.TRUE
    return condition.status is wanted


def _sources(rollout: RolloutStatus) -> list[str]:
    rows = [
        (q.name, f"canary {q.canary or '?'}", f"stable {q.stable or '?'}", f"away since {q.unavailable_since}")
        if q.unavailable_since
        else (q.name, f"canary {q.canary or '?'}", f"stable {q.stable or '?'}", f"at {q.at}")
        for q in rollout.queries
    ]
    provider = rollout.provider
    routed = [f"router at weight {provider.weight} {provider.message}".strip()] if provider else []
    return [*columns(rows), *routed]


def _approvals(style: Style, rollout: RolloutStatus, now: datetime) -> list[str]:
    return [
        f"{style.mark('done' if a.approved else 'failed')} step {a.step_index + 1}: {a.user},"
        f" {duration(seconds_since(a.at, now))} ago{f', {a.comment!r}' if a.comment else ''}"
        for a in rollout.approvals
    ]
