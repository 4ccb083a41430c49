"""Which corrections are believed, and the rows they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedbackloop.events.records import Message
from feedbackloop.jobs.curate.join import latest, partition
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Row, Vote
from feedbackloop.jobs.text import normalise


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a topic's right answer is: the normal form that subjects agree on, and its usual spelling."""

    words: str
    text: str


def meaningful(votes: Iterable[Vote]) -> tuple[list[Vote], list[Excluded]]:
    """Corrections that say something, each subject's last one on a prompt."""
    worded, blank = partition(votes, lambda v: bool(words(v)), Reason.BLANK)
    changing, same = partition(worded, lambda v: words(v) != normalise(v.answer), Reason.NOTHING_CORRECTED)
    last, superseded = latest(changing, lambda v: (v.subject, v.event.signal, v.prompt.key))
    return last, [*blank, *same, *superseded]


def words(vote: Vote) -> str:
    return normalise(vote.event.value)


def accept(votes: Sequence[Vote], minimum: int) -> dict[str, Accepted]:
    """The topics whose correctors agree: at least `minimum` subjects, and more than half of them all.

    A subject has one say in a topic, its last correction there, however often it corrected.
    """
    by_topic: dict[str, list[Vote]] = {}
    for vote in votes:
        for topic in vote.prompt.topics:
            by_topic.setdefault(topic, []).append(vote)
    verdicts = {topic: _verdict(by_topic[topic], minimum) for topic in sorted(by_topic)}
    return {topic: verdict for topic, verdict in verdicts.items() if verdict is not None}


def _verdict(votes: Sequence[Vote], minimum: int) -> Accepted | None:
    says = {vote.subject: words(vote) for vote in sorted(votes, key=lambda v: v.event.order)}
    (winner, supporters), *_ = Counter(says.values()).most_common(1)
    if supporters < minimum or 2 * supporters <= len(says):
        return None
    spellings = Counter(vote.event.value.strip() for vote in votes if words(vote) == winner)
    return Accepted(winner, min(spellings, key=lambda text: (-spellings[text], text)))


def rows(votes: Iterable[Vote], accepted: Mapping[str, Accepted]) -> tuple[list[Row], list[Excluded]]:
    """A row for each prompt of an accepted topic; votes that were not believed are excluded."""
    groups: dict[tuple[str, str], list[Vote]] = {}
    excluded = []
    for vote in votes:
        topic = next((t for t in vote.prompt.topics if t in accepted and accepted[t].words == words(vote)), None)
        if topic is None:
            excluded.append(Excluded(vote.event, Reason.NOT_CORROBORATED))
        else:
            groups.setdefault((vote.prompt.key, topic), []).append(vote)
    return [_row(topic, groups[key, topic], accepted[topic]) for key, topic in sorted(groups)], excluded


def _row(topic: str, votes: list[Vote], accepted: Accepted) -> Row:
    return Row(votes[0].prompt, spelled(votes), accepted.text, topic, tuple(votes))


def spelled(votes: Iterable[Vote]) -> tuple[Message, ...]:
    """Of prompts that differ in spelling only, the one that does not depend on who came first."""
    return min((vote.interaction.messages for vote in votes), key=lambda ms: [(m.role, m.content) for m in ms])
