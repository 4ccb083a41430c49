"""The policy that is simulated: the loop's rollout, without the steps and sources that a log cannot play."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from feedbackloop.api.collection import Signal
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.rollout import GuardrailMetric, Rollout, Step, TrafficRouting


class LoopError(Exception):
    """The loop's file cannot be used; the message names the field."""


@dataclass(frozen=True)
class Plan:
    spec: Rollout
    signals: tuple[Signal, ...]
    notes: tuple[str, ...]
    """What is left out, and what is assumed instead."""


def read(path: Path) -> Plan:
    """The first FeedbackLoop of a YAML file."""
    try:
        bodies = [b for b in yaml.safe_load_all(path.read_text()) if isinstance(b, dict)]
    except (OSError, yaml.YAMLError) as error:
        raise LoopError(f"{path}: {error}") from None
    loop = next((b for b in bodies if b.get("kind") == "FeedbackLoop"), None)
    if loop is None:
        raise LoopError(f"{path}: there is no FeedbackLoop in it")
    try:
        spec = FeedbackLoopSpec.model_validate(loop.get("spec"))
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)[:4])
        raise LoopError(f"{path}: spec.{places}") from None
    if spec.rollout is None:
        raise LoopError(f"{path}: spec.rollout is missing: there is no policy to simulate")
    return _plan(spec.rollout, spec.collection.signals)


def _plan(rollout: Rollout, signals: tuple[Signal, ...]) -> Plan:
    steps = [(n, step, _left_out(step)) for n, step in enumerate(rollout.steps, 1)]
    notes = [f"step {n}: {why}" for n, _, why in steps if why]
    asked = [g.name for g in rollout.guardrails if g.metric is GuardrailMetric.PROMETHEUS]
    notes += [f"guardrail {name}: is assumed to be within its limit" for name in asked]
    changes = {
        "steps": tuple(step for _, step, why in steps if not why),
        "guardrails": tuple(g for g in rollout.guardrails if g.name not in asked),
        "traffic_routing": TrafficRouting.model_validate({"gateway": {}}),
        "paused": False,
    }
    return Plan(rollout.model_copy(update=changes), signals, tuple(notes))


def _left_out(step: Step) -> str:
    """Why a step is not played; empty for one that is."""
    if step.approval is not None:
        return "the approval is assumed at once"
    if step.pause is not None and step.pause.duration_seconds is None:
        return "the pause without a duration is assumed to be ended at once"
    if step.shadow is not None:
        return "shadow is assumed to pass: a log has no pairs"
    return "header routes are not counted" if step.set_header_route is not None else ""
