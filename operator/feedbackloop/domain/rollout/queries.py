"""Guardrails whose number comes from another source: what is asked, and what was seen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from feedbackloop.api.gateway import Arm
from feedbackloop.api.rollout import Guardrail, PrometheusQuery, Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.rfc3339 import seconds_since

LONGEST_WINDOW = 86_400
"""Seconds: a longer range makes a query that costs the source much, and shows late what has changed."""

_VARIABLE = re.compile(r"\$(arm|loop|namespace|window)\b")
_PLAIN = re.compile(r"[A-Za-z0-9.-]+")


@dataclass(frozen=True)
class QuerySeen:
    """What a source said about one guardrail, both arms for the same time."""

    name: str
    """The guardrail."""
    epoch: int
    """The epoch that it was asked for."""
    canary: str | None = None
    """Decimal numbers; None when there is an error."""
    stable: str | None = None
    """None also while the canary serves everything: then stable is not asked."""
    requests: int | None = None
    """The canary's requests by the source; None: not asked."""
    error: str = ""
    """Why there are no numbers."""


@dataclass(frozen=True)
class Question:
    """What a source is asked for one guardrail in one epoch."""

    guardrail: str
    epoch: int
    endpoint_name: str
    interval_seconds: int
    canary: str
    """PromQL."""
    stable: str | None
    requests: str | None


def questions(spec: Rollout, status: RolloutStatus, namespace: str, loop: str, now: datetime) -> tuple[Question, ...]:
    """What is to be known now: of an epoch with traffic for the canary, once it is as old as the guardrail's interval.

    How often a question is really asked is the asker's concern, by its `interval_seconds`.
    """
    started = status.epoch_started_at
    over = status.abort is not None or status.moved_back_since is not None
    if started is None or status.weight == 0 or over:
        return ()
    age = seconds_since(started, now)
    names = {"namespace": namespace, "loop": loop}
    asked = ((g, g.prometheus) for g in spec.guardrails)
    return tuple(
        _question(g, query, status, age, names) for g, query in asked if query and age >= query.interval_seconds
    )


def _question(
    guardrail: Guardrail, query: PrometheusQuery, status: RolloutStatus, age: float, names: Mapping[str, str]
) -> Question:
    window = {**names, "window": f"{min(LONGEST_WINDOW, math.floor(age))}s"}
    canary, stable = ({**window, "arm": arm.value} for arm in (Arm.CANARY, Arm.STABLE))
    return Question(
        guardrail=guardrail.name,
        epoch=status.epoch,
        endpoint_name=query.endpoint_name,
        interval_seconds=query.interval_seconds,
        canary=render(query.query, canary),
        # While the canary serves everything stable has no requests: its numbers of the epoch before stand.
        stable=render(query.query, stable) if status.weight < 100 else None,
        requests=render(query.requests_query, canary) if query.requests_query else None,
    )


def render(query: str, values: Mapping[str, str]) -> str:
    """The query with its variables replaced. Every other `$` belongs to PromQL and stays.

    Values are names and durations; anything that could end a string or a selector raises ValueError.
    """
    for name, value in values.items():
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"${name} would be {value!r}: only letters, digits, dots and dashes may enter a query")
    return _VARIABLE.sub(lambda found: values[found.group(1)], query)
