"""Sessions in the order in which they happened."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from feedbackloop.events.derive.model import Action, Answer

Pair = tuple[Answer, Answer]


def by_session(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """The answers of each session in order; those without a session stand for themselves and follow nothing."""
    found: dict[str, list[Answer]] = {}
    for answer in sorted(answers, key=lambda answer: (answer.at, answer.output_id)):
        if answer.session:
            found.setdefault(answer.session, []).append(answer)
    return {session: found[session] for session in sorted(found)}


def regenerated(answers: Sequence[Answer]) -> list[Pair]:
    """(replaced answer, the one in its place): told by the app, or the same question asked again at once."""
    known = {answer.output_id: answer for answer in answers}
    found: dict[str, Pair] = {}
    for before, after in pairwise(answers):
        if not after.parent_output_id and _same(before.question, after.question):
            found[after.output_id] = (before, after)
    for answer in answers:
        if answer.parent_output_id in known:
            found[answer.output_id] = (known[answer.parent_output_id], answer)
    return [found[answer.output_id] for answer in answers if answer.output_id in found]


def _same(one: str, other: str) -> bool:
    return bool(one.strip()) and " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def followed(answers: Sequence[Answer]) -> list[Pair]:
    """(answer, the next one of its session), regenerations left out."""
    replaced = {after.output_id for _, after in regenerated(answers)}
    pairs = pairwise(answers)
    return [(before, after) for before, after in pairs if after.output_id not in replaced]


def abandoned(
    answers: Sequence[Answer], actions: Mapping[str, Sequence[int]], *, window_ms: int, until_ms: int
) -> list[Answer]:
    """Answers after which nobody did anything within the window; a window that is still open says nothing yet."""
    asked = [answer.at for answer in answers]
    return [
        answer
        for answer in answers
        if answer.at + window_ms <= until_ms
        and not any(
            _within(times, answer.at, answer.at + window_ms) for times in (asked, actions.get(answer.session, ()))
        )
    ]


def _within(times: Sequence[int], start: int, end: int) -> bool:
    at = bisect_right(times, start)
    return at < len(times) and times[at] <= end


def action_times(actions: Iterable[Action]) -> dict[str, list[int]]:
    """When something was done, by session, in order."""
    found: dict[str, list[int]] = {}
    for action in actions:
        if action.session:
            found.setdefault(action.session, []).append(action.at)
    return {session: sorted(times) for session, times in found.items()}
