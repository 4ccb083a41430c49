"""Preference pairs from raters who chose between two answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from feedbackloop.events.records import Message
from feedbackloop.jobs.curate.join import grouped
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Vote

TIE, BOTH_BAD = "tie", "both_bad"
NEITHER = frozenset({TIE, BOTH_BAD})


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of `preferences.jsonl`."""

    prompt_key: str
    question: str
    messages: tuple[Message, ...]
    chosen: str
    rejected: str
    votes: tuple[Vote, ...]


class Raters(NamedTuple):
    """How far raters of one item agreed."""

    agreeing: int = 0
    compared: int = 0
    ties: int = 0

    @property
    def agreement(self) -> float | None:
        return round(self.agreeing / self.compared, 6) if self.compared else None


def pairs(votes: Iterable[Vote]) -> tuple[list[Pair], list[Excluded], Raters]:
    """A pair for each item with a majority; an item is two outputs of one interaction."""
    sound, excluded = _sound(votes)
    found: list[Pair] = []
    raters = Raters()
    for item in grouped(sound, lambda v: (v.interaction.event_id, tuple(sorted(v.event.candidates)))).values():
        raters = _count(raters, item)
        winner = _majority(item)
        if winner in NEITHER or winner is None:
            reason = Reason.NO_MAJORITY if winner is None else Reason.TIE
            excluded += [Excluded(vote.event, reason) for vote in item]
        else:
            pair, lost = _decided(item, winner)
            found += pair
            excluded += lost
    return found, excluded, raters


def _sound(votes: Iterable[Vote]) -> tuple[list[Vote], list[Excluded]]:
    kept, excluded = list[Vote](), list[Excluded]()
    for vote in votes:
        reason = _flaw(vote)
        if reason is None:
            kept.append(vote)
        else:
            excluded.append(Excluded(vote.event, reason))
    return kept, excluded


def _flaw(vote: Vote) -> Reason | None:
    texts = [vote.interaction.text(candidate) for candidate in vote.event.candidates]
    if len(texts) != 2 or None in texts or vote.event.candidates[0] == vote.event.candidates[1]:
        return Reason.MALFORMED_CANDIDATES
    return Reason.IDENTICAL_OUTPUTS if (texts[0] or "").strip() == (texts[1] or "").strip() else None


def choice(vote: Vote) -> str:
    """The id of the chosen output, wherever it was shown, or that neither was."""
    value: str = vote.event.value
    return dict(zip("ab", vote.event.candidates, strict=True)).get(value, value)


def _majority(item: Sequence[Vote]) -> str | None:
    """The choice of more than half of the raters. Two kinds of "neither" are one choice."""
    choices = Counter(TIE if choice(vote) in NEITHER else choice(vote) for vote in item)
    (winner, count), *_ = choices.most_common(1)
    return winner if 2 * count > len(item) else None


def _count(raters: Raters, item: Sequence[Vote]) -> Raters:
    compared = [choice(one) == choice(other) for one, other in combinations(item, 2)]
    tied = int(_majority(item) in NEITHER)
    return Raters(raters.agreeing + sum(compared), raters.compared + len(compared), raters.ties + tied)


def _decided(item: Sequence[Vote], winner: str) -> tuple[list[Pair], list[Excluded]]:
    interaction, prompt = item[0].interaction, item[0].prompt
    loser = next(candidate for candidate in item[0].event.candidates if candidate != winner)
    chosen, rejected = interaction.text(winner) or "", interaction.text(loser) or ""
    if not chosen.strip():
        return [], [Excluded(vote.event, Reason.BLANK) for vote in item]
    agreeing = tuple(vote for vote in item if choice(vote) == winner)
    outvoted = [Excluded(vote.event, Reason.OUTVOTED) for vote in item if choice(vote) != winner]
    return [Pair(prompt.key, prompt.text, interaction.messages, chosen, rejected, agreeing)], outvoted


def trainable(
    found: Iterable[Pair], leaks: Collection[str], held_out: Collection[str]
) -> tuple[list[Pair], list[Excluded]]:
    """Pairs that may be trained on, each once."""
    kept: dict[tuple[str, str, str], Pair] = {}
    excluded = list[Excluded]()
    for pair in sorted(found, key=lambda p: p.votes[0].interaction.event_id):
        key = (pair.prompt_key, pair.chosen, pair.rejected)
        reason = _bar(pair, leaks, held_out) or (Reason.DUPLICATE_PAIR if key in kept else None)
        if reason is None:
            kept[key] = pair
        else:
            excluded += [Excluded(vote.event, reason) for vote in pair.votes]
    return list(kept.values()), excluded


def _bar(pair: Pair, leaks: Collection[str], held_out: Collection[str]) -> Reason | None:
    if pair.prompt_key in leaks or pair.question in leaks:
        return Reason.GOLDEN_LEAK
    return Reason.HELD_OUT if pair.prompt_key in held_out else None
