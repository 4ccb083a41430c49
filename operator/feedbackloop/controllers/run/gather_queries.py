"""The facts of other sources: what they last answered about the guardrails of the epoch that is under way."""

from __future__ import annotations

from datetime import datetime

from feedbackloop.adapters.ports import SourcesPort
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.rollout.queries import QuerySeen, questions


def queries_seen(sources: SourcesPort, seen: RunSeen, now: datetime) -> tuple[QuerySeen, ...]:
    """At once: what is not answered yet is not there."""
    inputs, status = seen.status.inputs, seen.status.rollout
    spec = pinned(inputs.pinned_spec).rollout if inputs is not None else None
    if spec is None or status is None:
        return ()
    asked = questions(spec, status, seen.namespace, seen.spec.loop_name, now)
    answers = (sources.answer(seen.uid, question, now) for question in asked)
    return tuple(answer for answer in answers if answer is not None)
