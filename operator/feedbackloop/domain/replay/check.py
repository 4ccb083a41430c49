"""Reading a record back: every decision is made once more, and must come out the same, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from feedbackloop.api.improvementrun import DecisionRecord, ImprovementRunStatus, RunOutcome
from feedbackloop.api.rollout import Rollout
from feedbackloop.api.rolloutstatus import RolloutStatus
from feedbackloop.domain.evidence.outcome import evaluate_looks
from feedbackloop.domain.naming import canonical_json
from feedbackloop.domain.replay.delta import ABSENT, changed, first_difference
from feedbackloop.domain.replay.document import Json, digest, given, result, status_document
from feedbackloop.domain.replay.frame import Frame, frame
from feedbackloop.domain.rollout import Advance

ELSEWHERE = frozenset({"plan", "provider", "shadow", "attempt", "approvals", "actions"})
"""Fields of the status that parts beside the rollout's rules write too."""


@dataclass(frozen=True)
class Difference:
    """The first one: `path` is of the decision's JSON."""

    n: int
    at: str
    what: str


@dataclass(frozen=True)
class Step:
    """A frame that was decided again."""

    frame: Frame
    result: Advance
    spec: Rollout
    before: Json
    """The status it was given."""
    decided: Json
    """What it gave."""
    unwritten: bool = False
    """The status it gave never was written: the next look decided anew."""

    @property
    def status(self) -> Json:
        """The status it gave."""
        status: Json = self.decided["status"]
        return status


@dataclass(frozen=True)
class Replayed:
    steps: tuple[Step, ...]
    difference: Difference | None

    @property
    def records(self) -> tuple[DecisionRecord, ...]:
        return tuple(r for step in self.steps if not step.unwritten for r in step.result.records)

    @property
    def versions(self) -> tuple[str, ...]:
        """Of the operators that decided, in order."""
        return tuple(dict.fromkeys(step.frame.version for step in self.steps))


class _Differs(Exception):  # noqa: N818
    """Not the same; the message says what."""


@dataclass
class _Reader:
    """Where the replay stands."""

    steps: list[Step] = field(default_factory=list)
    facts: Json = field(default_factory=dict)
    expected: int = 0

    def read(self, line: str) -> None:
        one = frame(line)
        if one.n != self.expected:
            raise _Differs(f"the record has a gap: frame {self.expected} is missing, {one.n} follows")
        if one.hash != one.chained(self.steps[-1].frame.hash if self.steps else ""):
            raise _Differs("the record was altered: the frame does not have the hash that was recorded with it")
        self.facts = changed({} if one.begins else self.facts, one.facts)
        before = self._before(one)
        facts = given(self.facts, before, datetime.fromisoformat(one.at))
        again = facts.decide()
        recorded, came = changed({**self._result(one), "status": before}, one.decided), result(again)
        _compare(one, recorded, came)
        self.steps.append(Step(one, again, facts.spec, before, came))
        self.expected += 1

    def _result(self, one: Frame) -> Json:
        """What the decision is recorded as a change of."""
        return {} if one.begins or not self.steps else self.steps[-1].decided

    def _before(self, one: Frame) -> Json:
        """The status that the frame was given: what the frame before gave, or was given, or what is written here."""
        last = self.steps[-1] if self.steps else None
        if one.since:
            before: Json = changed(last.status if last else {}, one.since)
            _only_elsewhere(last, before)
        elif last is not None and one.before == last.frame.before != last.frame.status:
            before = last.before
            self.steps[-1] = replace(last, unwritten=True)
        else:
            before = last.status if last else {}
        if digest(before) != one.before:
            raise _Differs("the record has a gap: the status it was given is not the one that the frame before gave")
        return before


def replay(lines: Iterable[str]) -> Replayed:
    """Every frame decided again, up to the first difference."""
    reader = _Reader()
    for line in lines:
        try:
            reader.read(line)
        except (_Differs, ValueError) as error:
            found = Difference(reader.expected, _time(line), str(error)[:1000])
            return Replayed(tuple(reader.steps), found)
    return Replayed(tuple(reader.steps), None)


def against(replayed: Replayed, status: ImprovementRunStatus) -> Difference | None:
    """The first difference between the end of a replay and the run as the API server has it."""
    if replayed.difference is not None or not replayed.steps or status.rollout is None:
        return replayed.difference
    last, held = replayed.steps[-1], status_document(status.rollout)
    if digest(held) == last.frame.before != last.frame.status:
        replayed = replace(replayed, steps=(*replayed.steps[:-1], replace(last, unwritten=True)))
    elif (found := _beside_elsewhere(_with_late_looks(last, status.rollout), held)) is not None:
        return Difference(last.frame.n, last.frame.at, f"the run's status is another: {_say(*found)}")
    return _missing_record(replayed, status)


def _with_late_looks(last: Step, held: RolloutStatus) -> Json:
    """After a promotion looks at late votes go on; what they show follows from them and is computed again."""
    ended = last.result.status
    if last.result.outcome is not RunOutcome.PROMOTED or held.looks[: len(ended.looks)] != ended.looks:
        return last.status
    outcomes = tuple(evaluate_looks(o, held.looks, len(last.spec.outcomes)) for o in last.spec.outcomes)
    return status_document(ended.model_copy(update={"looks": held.looks, "outcomes": outcomes}))


def _missing_record(replayed: Replayed, status: ImprovementRunStatus) -> Difference | None:
    """Decisions that the run no longer has because its list is full are not missed."""
    held = [r.model_dump_json() for r in status.decisions]
    wanted = [r.model_dump_json() for r in replayed.records]
    known = [text for text in wanted if text in set(held)]
    last = replayed.steps[-1].frame
    if wanted[len(wanted) - len(known) :] != known or (len(known) < len(wanted) and len(held) < 50):
        lost = next((text for text in wanted if text not in set(held)), "their order")
        return Difference(last.n, last.at, f"the run's decisions lack {lost}")
    if [text for text in held if text in set(wanted)] != known:
        return Difference(last.n, last.at, "the run's decisions stand in another order")
    return None


def _compare(one: Frame, recorded: Json, came: Json) -> None:
    if canonical_json(recorded) != canonical_json(came):
        path, was, is_ = first_difference(recorded, came) or ("everything", recorded, came)
        raise _Differs(f"{path} was decided as {_short(was)} and is {_short(is_)} now")


def _only_elsewhere(last: Step | None, before: Json) -> None:
    """Between two frames only other parts may have written the status: else a decision is missing."""
    if last is not None and (found := _beside_elsewhere(last.status, before)) is not None:
        raise _Differs(f"a decision is missing before this frame: {_say(*found)}")


def _beside_elsewhere(old: Json, new: Json) -> tuple[str, Any, Any] | None:
    return first_difference(_without(old), _without(new))


def _without(status: Json) -> Json:
    return {key: value for key, value in status.items() if key not in ELSEWHERE}


def _say(path: str, was: Any, is_: Any) -> str:
    return f"{path} was {_short(was)} and is {_short(is_)}"


def _short(value: Any) -> str:
    text = "absent" if value == ABSENT else canonical_json(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _time(line: str) -> str:
    try:
        return frame(line).at
    except ValueError:
        return ""


def lines(text: str) -> Iterator[str]:
    """Of a record's text."""
    return (line for line in text.splitlines() if line.strip())
