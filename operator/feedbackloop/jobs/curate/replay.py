"""Accepted answers that are trained on again, so that the model keeps what it knows."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate.corrections import spelled
from feedbackloop.jobs.curate.join import grouped, latest, partition
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Row, Vote
from feedbackloop.jobs.text import normalise


def accepted_answers(votes: Sequence[Vote], corrected: Collection[str]) -> tuple[list[Row], list[Excluded]]:
    """Answers that most of their voters like, on the very prompt and in the topic as a whole.

    A voter has one say on an answer, whatever number of sessions it voted in, so that a busy
    spammer is one voice; the topic's say protects prompts that only one subject ever typed.
    """
    votes, superseded = latest(votes, lambda v: (v.subject, v.event.signal, v.prompt.key, _words(v)))
    liked = _majorities(votes, [(v.prompt.key, _words(v)) for v in votes])
    liked_in_topic = _majorities(
        [v for v in votes for _ in v.prompt.topics], [(t, _words(v)) for v in votes for t in v.prompt.topics]
    )
    ups, downs = partition(votes, lambda v: v.event.value is True, Reason.DOWN_VOTE)
    open_, closed = partition(ups, lambda v: not set(v.prompt.topics) & set(corrected), Reason.TOPIC_CORRECTED)
    good, unliked = partition(
        open_,
        lambda v: (
            bool(_words(v))
            and (v.prompt.key, _words(v)) in liked
            and all((topic, _words(v)) in liked_in_topic for topic in v.prompt.topics)
        ),
        Reason.NOT_ACCEPTED,
    )
    groups = grouped(good, lambda v: (v.prompt.key, _words(v)))
    return [_row(group) for group in groups.values()], [*superseded, *downs, *closed, *unliked]


def _words(vote: Vote) -> str:
    return normalise(vote.answer)


def _majorities(votes: Iterable[Vote], keys: Iterable[Hashable]) -> frozenset[Hashable]:
    """The keys that more than half of their subjects like; a subject counts by its last vote there."""
    says: dict[Hashable, dict[str, bool]] = {}
    for vote, key in sorted(zip(votes, keys, strict=True), key=lambda pair: pair[0].event.order):
        says.setdefault(key, {})[vote.subject] = vote.event.value
    return frozenset(key for key, votes_ in says.items() if 2 * sum(votes_.values()) > len(votes_))


def _row(votes: Sequence[Vote]) -> Row:
    text = min(vote.answer for vote in votes)
    return Row(votes[0].prompt, spelled(votes), text, votes[0].prompt.topics[0], tuple(votes))


def wanted(corrections: int, ratio: Decimal) -> int:
    """How many answers are replayed beside so many corrections."""
    return int((ratio * corrections).to_integral_value(ROUND_HALF_UP))


def draw(rows: Sequence[Row], count: int, seed: int) -> tuple[list[Row], list[Row]]:
    """`count` rows (or all there are), taken from the topics in turn; the drawn and the rest.

    The order is that of a keyed hash, so neither arrival nor the number of cores has a say.
    """

    def place(*parts: str) -> str:
        return canonical.sha256("\n".join((f"replay {seed}", *parts)).encode())

    strata: Mapping[str, list[Row]] = grouped(rows, lambda r: r.topic)
    turns = [
        (number, place(topic), row)
        for topic, members in strata.items()
        for number, row in enumerate(sorted(members, key=lambda r: place(r.topic, r.prompt.key, r.text)))
    ]
    ordered = [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])]
    return ordered[:count], ordered[count:]
