"""What came of a simulation, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from feedbackloop.api.improvementrun import DecisionRecord
from feedbackloop.api.rolloutstatus import OutcomeStatus
from feedbackloop.cli.simulation.drive import Simulation
from feedbackloop.domain.rfc3339 import instant

_WIDTH = 110


def timeline(done: Simulation) -> Iterator[str]:
    """One paragraph a decision: the day, the word, the numbers."""
    for record in done.records:
        yield from _paragraph(f"day {_day(done, record):7.2f}  {record.what:<18} ", record.why)


def summary(done: Simulation) -> Iterator[str]:
    yield f"{'outcome':<20}{done.outcome.value if done.outcome else 'none: the log ended before a decision'}"
    if done.message:
        yield from _paragraph(f"{'because':<20}", done.message)
    yield f"{'days':<20}{done.days:.2f}"
    exposed = len(done.gateway.exposed)
    share = exposed / done.sessions if done.sessions else 0.0
    yield f"{'sessions':<20}{done.sessions} began, {exposed} were answered by the candidate ({100 * share:.1f} %)"
    for outcome in done.status.outcomes:
        yield from _paragraph(f"{outcome.name:<20}", _stands(outcome))
    yield f"{'looks':<20}{len(done.status.looks)} closed, {done.decisions} decisions asked for"


def document(done: Simulation) -> dict[str, object]:
    """The same for programs."""
    return {
        "outcome": done.outcome.value if done.outcome else None,
        "message": done.message,
        "days": round(done.days, 4),
        "sessions": done.sessions,
        "exposed": len(done.gateway.exposed),
        "looks": len(done.status.looks),
        "outcomes": [o.to_wire() for o in done.status.outcomes],
        "decisions": [{"day": round(_day(done, r), 4), **r.to_wire()} for r in done.records],
    }


def _stands(outcome: OutcomeStatus) -> str:
    stable, canary = outcome.stable, outcome.canary
    interval = "" if outcome.lower is None else f", interval {outcome.lower} to {outcome.upper}"
    estimate = "" if outcome.estimate is None else f", estimate {outcome.estimate}{interval}"
    return (
        f"{outcome.verdict.value}: harm e-value {outcome.harm_e_value}, non-inferiority e-value"
        f" {outcome.non_inferiority_e_value}{estimate}; events/units stable {stable.events}/{stable.units},"
        f" canary {canary.events}/{canary.units}"
    )


def _day(done: Simulation, record: DecisionRecord) -> float:
    return (instant(record.at) - done.begun).total_seconds() / 86_400


def _paragraph(head: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, max(40, _WIDTH - len(head))) or [""]
    yield f"{head}{lines[0]}"
    for line in lines[1:]:
        yield f"{' ' * len(head)}{line}"
