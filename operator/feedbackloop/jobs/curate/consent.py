"""What the ledger says about the people behind joined events, read to its end when the data set is built."""

from __future__ import annotations

from collections.abc import Sequence

from feedbackloop.api.collection import Purpose
from feedbackloop.events.ledger.consents import Standings, forbidden
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Joined, Vote


def standing(joined: Sequence[Joined], standings: Standings) -> tuple[list[Joined], list[Excluded]]:
    """Events nobody behind which has refused since: neither who said it, nor whose conversation it is about."""
    kept, excluded = list[Joined](), list[Excluded]()
    for pair in joined:
        if any(forbidden(standings, who, Purpose.IMPROVE, at) for who, at in _people(pair)):
            excluded.append(Excluded(pair.event, Reason.CONSENT_WITHDRAWN))
        else:
            kept.append(pair)
    return kept, excluded


def _people(pair: Joined | Vote) -> tuple[tuple[str, int], tuple[str, int]]:
    """Who is behind an event, and since when what they said is stored (Unix milliseconds)."""
    event, interaction = pair.event, pair.interaction
    return (event.subject, event.order[0]), (interaction.subject, interaction.received_at)


def subjects(votes: Sequence[Vote]) -> list[list[object]]:
    """The people behind a row, each with the time of the oldest thing of theirs in it: `[[pseudonym, ms], …]`."""
    since: dict[str, int] = {}
    for vote in votes:
        for who, at in _people(vote):
            since[who] = min(at, since.get(who, at))
    return [[who, at] for who, at in sorted(since.items())]
