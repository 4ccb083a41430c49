"""The steps of a rollout, each with what became of it."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.api.rollout import Step
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.cli.view.text import Style, duration
from feedbackloop.domain.rfc3339 import seconds_since


def steps(style: Style, declared: tuple[Step, ...], rollout: RolloutStatus, now: datetime) -> list[str]:
    """One line a step; a finished rollout has none under way."""
    return [_line(style, number, step, rollout, now) for number, step in enumerate(declared)]


def _line(style: Style, index: int, step: Step, rollout: RolloutStatus, now: datetime) -> str:
    text = f"{index + 1:>2} {words(step)}"
    if index < rollout.step_index:
        return f"{style.mark('done')} {text}"
    if index > rollout.step_index:
        return f"{style.mark('open')} {style.paint(text, 'dim')}"
    if rollout.abort is not None:
        return f"{style.mark('failed')} {text}"
    since = f"  since {duration(seconds_since(rollout.step_since, now))}" if rollout.step_since else ""
    return f"{style.mark('now')} {style.paint(text, 'bold')}{since}"


def words(step: Step) -> str:
    """A step in a few words, in the names of the API."""
    for name, say in _WORDS:
        value = getattr(step, name)
        if value is not None:
            return str(say(value))
    return "nothing"


def _pause(pause: object) -> str:
    seconds = getattr(pause, "duration_seconds", None)
    return f"pause {duration(seconds)}" if seconds else "pause until a person goes on"


def _scale(scale: object) -> str:
    replicas, percent = getattr(scale, "replicas", None), getattr(scale, "percent", None)
    if replicas is not None:
        return f"setCanaryScale {replicas} replica{'' if replicas == 1 else 's'}"
    return f"setCanaryScale {percent} %" if percent is not None else "setCanaryScale as the weight needs"


def _analysis(analysis: object) -> str:
    names = getattr(analysis, "outcome_names", ())
    until = " until they are decided" if getattr(analysis, "until", None) else ""
    return f"analysis of {', '.join(names)}{until}" if names else "analysis of guardrails"


def _approval(approval: object) -> str:
    count, groups = getattr(approval, "min_approvals", 1), getattr(approval, "groups", ())
    return f"approval by {count}" + (f" of {', '.join(groups)}" if groups else "")


def _header(route: object) -> str:
    values = ", ".join(getattr(route, "values", ()))
    return f"setHeaderRoute {getattr(route, 'header_name', '')}: {values or 'none any more'}"


_WORDS = (
    ("set_weight", lambda weight: f"setWeight {weight}"),
    ("pause", _pause),
    ("set_canary_scale", _scale),
    ("shadow", lambda shadow: f"shadow {shadow.percent} %, by {shadow.metric.value}"),
    ("analysis", _analysis),
    ("approval", _approval),
    ("set_header_route", _header),
)
