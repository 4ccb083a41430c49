"""What `feedbackloop replay` shows: a line for each decision, and between them how the evidence grew."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from feedbackloop.domain.replay.check import Replayed, Step

_WIDTH = 116


def timeline(replayed: Replayed) -> Iterator[str]:
    """Oldest first."""
    looks = 0
    for step in replayed.steps:
        looks += len(step.result.status.looks) - len(step.before.get("looks", ()))
        if _silent(step):
            continue
        if looks:
            yield from _entry(step, "", _evidence(step, looks))
            looks = 0
        yield from _told(step)
    if looks:
        yield from _entry(replayed.steps[-1], "", _evidence(replayed.steps[-1], looks))


def _silent(step: Step) -> bool:
    begins = step.frame.begins and step.frame.n > 0
    return not (step.result.records or begins or step.unwritten or step.result.outcome)


def _told(step: Step) -> Iterator[str]:
    if step.frame.begins and step.frame.n > 0:
        yield from _entry(step, "", "the operator began anew")
    for record in step.result.records:
        yield from _entry(step, record.what, record.why)
    if step.unwritten:
        yield from _entry(step, "", "this was never written: the next look decided anew")
    if step.result.outcome is not None:
        yield from _entry(step, step.result.outcome.value, step.result.message)


def _evidence(step: Step, looks: int) -> str:
    stands = (
        f"{o.name} {o.verdict.value}, harm {o.harm_e_value}, non-inferiority {o.non_inferiority_e_value}"
        for o in step.result.status.outcomes
    )
    return f"{looks} look{'s' if looks > 1 else ''} closed: {'; '.join(stands)}"


def _entry(step: Step, what: str, why: str) -> Iterator[str]:
    head = f"{step.frame.at[:19].replace('T', ' ')}  {what:<18} "
    for i, line in enumerate(textwrap.wrap(why, _WIDTH - len(head)) or [""]):
        yield f"{head if i == 0 else ' ' * len(head)}{line}"
