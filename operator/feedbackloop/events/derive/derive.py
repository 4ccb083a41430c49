"""All computed signals of a cut, for the kinds that a loop declares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from feedbackloop.api.collection import SignalKind
from feedbackloop.events.derive.distance import edit_distance
from feedbackloop.events.derive.followup import CLASSIFIER_VERSION, classify
from feedbackloop.events.derive.model import Action, Answer, Correction, Derived
from feedbackloop.events.derive.sessions import abandoned, action_times, by_session, followed, regenerated


@dataclass(frozen=True)
class Derivation:
    """What is asked for."""

    kinds: Collection[SignalKind]
    abandonment_ms: int
    until_ms: int
    """The newest time of the cut: what happens after it is not known."""


def derive(
    answers: Iterable[Answer], actions: Iterable[Action], corrections: Iterable[Correction], wanted: Derivation
) -> list[Derived]:
    """The computed signals, ordered by time and output."""
    found: list[Derived] = []
    times = action_times(actions)
    for said in by_session(answers).values():
        if SignalKind.FOLLOW_UP in wanted.kinds:
            found += _follow_ups(said)
        if SignalKind.REGENERATE in wanted.kinds:
            found += _regenerations(said)
        if SignalKind.ABANDONMENT in wanted.kinds:
            left = abandoned(said, times, window_ms=wanted.abandonment_ms, until_ms=wanted.until_ms)
            found += [_of(answer, SignalKind.ABANDONMENT, wanted.abandonment_ms, answer.at) for answer in left]
    if SignalKind.EDIT in wanted.kinds:
        found += _edits(corrections)
    return sorted(found, key=lambda derived: (derived.at, derived.output_id, derived.kind))


def _follow_ups(said: Sequence[Answer]) -> list[Derived]:
    return [
        _of(
            before,
            SignalKind.FOLLOW_UP,
            classify(before.question, before.answer, after.question).value,
            after.at,
            CLASSIFIER_VERSION,
        )
        for before, after in followed(said)
    ]


def _regenerations(said: Sequence[Answer]) -> list[Derived]:
    return [_of(before, SignalKind.REGENERATE, None, after.at, after.output_id) for before, after in regenerated(said)]


def _edits(corrections: Iterable[Correction]) -> list[Derived]:
    return [
        Derived(
            SignalKind.EDIT,
            edit_distance(correction.before, correction.after),
            correction.at,
            correction.output_id,
            correction.session,
            correction.subject,
            "correction",
        )
        for correction in corrections
    ]


def _of(answer: Answer, kind: SignalKind, value: str | int | None, at: int, detail: str = "") -> Derived:
    return Derived(kind, value, at, answer.output_id, answer.session, answer.subject, detail)
