"""From events to votes: distinct, declared, joined to their interaction, consented, the last of their subject."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from feedbackloop.api.collection import Signal, SignalKind
from feedbackloop.events.validation import Refusal
from feedbackloop.events.validation.values import VALUES
from feedbackloop.jobs.curate.known import Interactions, missed, output_in
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Feedback, Interaction, Joined, Prompt, Vote
from feedbackloop.jobs.golden import Topics, conversation, question

T = TypeVar("T")


def distinct(events: Iterable[Feedback]) -> tuple[list[Feedback], list[Excluded]]:
    """An event once, in the order of the events, which does not depend on who read them first."""
    kept: dict[tuple[str, str], Feedback] = {}
    excluded = []
    for event in sorted(events, key=lambda e: e.order):
        if kept.setdefault((event.subject, event.event_id), event) is not event:
            excluded.append(Excluded(event, Reason.DUPLICATE_EVENT))
    return list(kept.values()), excluded


def distinct_interactions(interactions: Iterable[Interaction]) -> list[Interaction]:
    """An interaction once, ordered by its id."""
    ordered = sorted(interactions, key=lambda i: (i.event_id, i.subject))
    return list({interaction.event_id: interaction for interaction in reversed(ordered)}.values())[::-1]


class Joiner:
    """Knows the interactions and the declared signals, and joins events to them."""

    def __init__(
        self, interactions: Sequence[Interaction], signals: Iterable[Signal], topics: Topics, window_seconds: int
    ) -> None:
        self._signals = {signal.name: signal for signal in signals}
        self._known = Interactions(interactions)
        self._newest_ms = max((interaction.received_at for interaction in interactions), default=0)
        self._window_ms = window_seconds * 1000
        self._topics = topics
        self._prompts: dict[str, Prompt] = {}

    def join(self, events: Sequence[Feedback]) -> tuple[list[Joined], list[Excluded]]:
        """Events with their interaction, and those that still wait for one or have waited in vain.

        The time is that of the newest record of the cut, so that the same cut gives the same rows.
        """
        newest_ms = max((self._newest_ms, *(event.order[0] for event in events)))
        joined, missed_ones = list[Joined](), list[Excluded]()
        for event in events:
            interaction = self._known.of(event)
            reason = missed(event, interaction, newest_ms=newest_ms, window_ms=self._window_ms)
            if reason is not None or interaction is None:
                missed_ones.append(Excluded(event, reason or Reason.WAITING))
            else:
                joined.append(Joined(event, interaction))
        return joined, missed_ones

    def votes(self, joined: Iterable[Joined]) -> tuple[list[Vote], list[Excluded]]:
        """Votes by signals of the schema, and what is none."""
        votes, excluded = [], []
        for event, interaction in joined:
            signal = self._signals.get(event.signal)
            if signal is None:
                excluded.append(Excluded(event, Reason.UNDECLARED_SIGNAL))
            elif not event.retracted and not _suits(signal, event.value):
                excluded.append(Excluded(event, Reason.BAD_VALUE))
            else:
                output_id = output_in(event, interaction)
                answer = interaction.text(output_id) if output_id else None
                votes.append(Vote(event, signal.kind, interaction, self._prompt(interaction), answer or ""))
        return votes, excluded

    def _prompt(self, interaction: Interaction) -> Prompt:
        found = self._prompts.get(interaction.event_id)
        if found is None:
            key, text = conversation(interaction.messages), question(interaction.messages)
            found = self._prompts[interaction.event_id] = Prompt(key, text, self._topics.find(text, key))
        return found


def _suits(signal: Signal, value: Any) -> bool:
    """The declaration may have changed since the gateway checked the event."""
    try:
        VALUES[signal.kind](signal, value)
    except Refusal:
        return False
    return True


def consented(joined: Sequence[Joined], *, required: bool) -> tuple[list[Joined], list[Excluded]]:
    """Consent is the author's and the voter's. A withdrawal counts whenever it came and whatever signal
    brought it, also where consent is not required; the author's takes the whole interaction with it."""
    withdrawn = {(i.event_id, event.subject) for event, i in joined if event.consent is False}

    def usable(event: Feedback, interaction: Interaction) -> bool:
        people = (event.subject, interaction.subject)
        given = (event.consent, interaction.consent)
        if False in given or any((interaction.event_id, person) in withdrawn for person in people):
            return False
        return not required or all(given)

    kept = [pair for pair in joined if usable(*pair)]
    return kept, [Excluded(pair.event, Reason.NO_CONSENT) for pair in joined if not usable(*pair)]


def last_votes(votes: Iterable[Vote]) -> tuple[list[Vote], list[Excluded]]:
    """The last vote of a subject with one signal on one target."""
    return latest(votes, lambda v: (v.subject, v.event.signal, _target(v)))


def _target(vote: Vote) -> Hashable:
    event = vote.event
    if event.level != "output":
        return (event.level, event.session, event.turn_id)
    if vote.kind is SignalKind.PREFERENCE:
        return (vote.interaction.event_id, frozenset(event.candidates))
    return output_in(event, vote.interaction)


def latest(votes: Iterable[Vote], key: Callable[[Vote], Hashable]) -> tuple[list[Vote], list[Excluded]]:
    """The last vote of each key; votes keep their order."""
    votes = list(votes)
    last = {key(vote): vote for vote in sorted(votes, key=lambda v: v.event.order)}
    return partition(votes, lambda vote: last[key(vote)] is vote, Reason.SUPERSEDED)


def partition(votes: Iterable[Vote], keep: Callable[[Vote], bool], reason: Reason) -> tuple[list[Vote], list[Excluded]]:
    kept: list[Vote] = []
    excluded: list[Excluded] = []
    for vote in votes:
        if keep(vote):
            kept.append(vote)
        else:
            excluded.append(Excluded(vote.event, reason))
    return kept, excluded


def grouped(items: Iterable[T], key: Callable[[T], Any]) -> Mapping[Any, list[T]]:
    """Groups in the order of their keys."""
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return {name: groups[name] for name in sorted(groups)}
