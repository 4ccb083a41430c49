"""Changed and retracted votes: an event that names an earlier one speaks in its place, whichever came first.

A vote that was replaced does not come back: when the one after it is retracted, its subject has no vote there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedbackloop.jobs.curate.join import last_votes, partition
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Feedback, Vote

Named = frozenset[tuple[str, str]]
"""(subject, event id)"""


def named(events: Iterable[Feedback], *, retracted: bool) -> Named:
    """The events that others of the same subject replace, or take back."""
    return frozenset((e.subject, e.supersedes) for e in events if e.supersedes and e.retracted is retracted)


def standing_votes(votes: Sequence[Vote], events: Sequence[Feedback]) -> tuple[list[Vote], list[Excluded]]:
    """The last vote of a subject with one signal on one target, unless it was taken back.

    `events` are all there are: also one that is not joined, or not consented to, replaces another.
    """
    replaced, gone = named(events, retracted=False), named(events, retracted=True)
    said, takings = partition(votes, lambda v: not v.event.retracted, Reason.RETRACTED)
    current, superseded = partition(said, lambda v: _name(v) not in replaced, Reason.SUPERSEDED)
    last, outdated = last_votes(current)
    kept, retracted = partition(last, lambda v: _name(v) not in gone, Reason.RETRACTED)
    outdated = [Excluded(e, Reason.RETRACTED if (e.subject, e.event_id) in gone else r) for e, r in outdated]
    return kept, [*takings, *superseded, *outdated, *retracted]


def _name(vote: Vote) -> tuple[str, str]:
    return vote.event.subject, vote.event.event_id
