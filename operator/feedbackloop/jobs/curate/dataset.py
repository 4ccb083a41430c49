"""The whole of curation as one pure function: events and settings in, files and counts out.

Nothing here reads a clock, a file or a random source, and the order in which events arrive does
not matter. `_conserved` is the law of the house: every feedback event ends in exactly one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from feedbackloop.api.collection import TRAINABLE, Purpose, SignalKind
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.domain.gates.power import INTENTS
from feedbackloop.events.ledger.chain import Head
from feedbackloop.events.ledger.consents import Standings, forbidden
from feedbackloop.events.ledger.reading import Ledger as ConsentLedger
from feedbackloop.jobs.curate import consent, kept, preferences
from feedbackloop.jobs.curate.chain import standing_votes
from feedbackloop.jobs.curate.computed import Computed, computed
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.join import Joiner, consented, distinct, distinct_interactions, partition
from feedbackloop.jobs.curate.kept import Barred, Kept, identity
from feedbackloop.jobs.curate.preferences import Pair, Raters
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Feedback, Interaction, Vote
from feedbackloop.jobs.curate.training import Training, training
from feedbackloop.jobs.golden import GoldenItem, Topics, conversation, question

T = TypeVar("T")


@dataclass(frozen=True)
class DataSet:
    training: Training
    pairs: tuple[Pair, ...]
    raters: Raters
    excluded: tuple[Excluded, ...]
    topics: Topics
    funnel: Mapping[str, int]
    """Events left after each stage, in order."""
    interactions: int
    config: Config
    slices: Mapping[str, int]
    heads: Mapping[str, Head] = field(default_factory=dict)
    """How far the consent ledgers went that decided about it."""
    computed: Computed = field(default_factory=Computed)
    """What the sessions say besides what was sent."""
    named: NamedEntities | None = None
    """What became of the names in the rows."""
    kept: tuple[Kept, ...] = ()
    """Regression items of earlier data sets that today's corrections do not make anew."""

    def reasons(self) -> dict[str, int]:
        """How many events were left out, by reason."""
        counted = Counter(str(excluded.reason) for excluded in self.excluded)
        return {reason: counted[reason] for reason in sorted(counted)}

    def counts(self) -> dict[str, Any]:
        """The numbers of the manifest."""
        return {
            "events": self.funnel["events"],
            "interactions": self.interactions,
            "used": self.funnel["used"],
            "excluded": len(self.excluded),
            "trainingRows": len(self.training.rows),
            "correctionRows": len(self.training.corrections),
            "replayRows": len(self.training.replayed),
            "regressionItems": len(self.training.regressions) + len(self.kept),
            "keptRegressionItems": len(self.kept),
            "preferencePairs": len(self.pairs),
            "correctedTopics": len(self.training.topics),
        }


class Ledger:
    """Keeps what every stage left out, and how many events it left in."""

    def __init__(self, events: int) -> None:
        self.excluded: list[Excluded] = []
        self.funnel = {"events": events}

    def stage(self, name: str, outcome: tuple[list[T], list[Excluded]]) -> list[T]:
        left, out = outcome
        self.excluded += out
        self.funnel[name] = len(left)
        return left

    def aside(self, excluded: Iterable[Excluded]) -> None:
        self.excluded += excluded


def curate(
    interactions: Iterable[Interaction],
    events: Iterable[Feedback],
    golden: Mapping[str, Sequence[GoldenItem]],
    config: Config,
    consents: ConsentLedger | None = None,
    earlier: Sequence[Kept] = (),
) -> DataSet:
    """From everything stored to what may be trained on."""
    events, interactions = list(events), distinct_interactions(interactions)
    items = list(chain.from_iterable(golden.values()))
    topics, leaks, ledger = Topics.of(items), _prompts(items), Ledger(len(events))
    consents = consents or ConsentLedger()
    earlier = kept.standing(earlier, consents.standings())
    joiner = Joiner(interactions, config.signals, topics, config.orphan_window_seconds)
    votes = _votes(events, joiner, config, ledger, consents.standings())
    made, pairs, raters = _rows(votes, leaks, config, ledger, Barred(earlier))
    today = {identity(row.topic, row.prompt.key) for row in made.regressions}
    stay = kept.still(earlier, today, made.answers)
    corrected = [vote for vote in votes if vote.kind is SignalKind.CORRECTION]
    used = [
        *(v for row in (*made.rows, *made.regressions) for v in row.votes),
        *(v for pair in pairs for v in pair.votes),
    ]
    ledger.funnel["used"] = len(used)
    data = DataSet(
        training=made,
        pairs=tuple(pairs),
        raters=raters,
        excluded=tuple(sorted(ledger.excluded, key=lambda e: e.event.order)),
        topics=topics,
        funnel=ledger.funnel,
        interactions=len(interactions),
        config=config,
        slices=slices(golden, made, config, stay),
        heads=consents.heads,
        computed=computed(interactions, events, corrected, config, _usable(config, consents.standings())),
        kept=stay,
    )
    _conserved(events, used, data.excluded)
    _clean(data, leaks)
    return data


def _votes(
    events: Sequence[Feedback], joiner: Joiner, config: Config, ledger: Ledger, standings: Standings
) -> list[Vote]:
    """The votes that rows may be made of."""
    first = ledger.stage("distinct", distinct(events))
    joined = ledger.stage("joined", joiner.join(first))
    agreed = ledger.stage("consented", consented(joined, required=config.consent_required))
    standing = ledger.stage("standing", consent.standing(agreed, standings))
    declared = ledger.stage("declared", joiner.votes(standing))
    last = ledger.stage("lastVotes", standing_votes(declared, first))
    trainable = ledger.stage("trainable", partition(last, _is_trainable, Reason.NOT_TRAINABLE))
    return ledger.stage("worded", partition(trainable, lambda v: bool(v.prompt.key), Reason.BLANK))


def _usable(config: Config, standings: Standings) -> Callable[[Interaction], bool]:
    """Whether an interaction may be told of: its author agreed, and has not refused since."""

    def usable(interaction: Interaction) -> bool:
        agreed = interaction.consent is True or (interaction.consent is None and not config.consent_required)
        return agreed and not forbidden(standings, interaction.subject, Purpose.IMPROVE, interaction.received_at)

    return usable


def _is_trainable(vote: Vote) -> bool:
    return vote.kind in TRAINABLE and vote.event.level == "output"


def _rows(
    votes: Sequence[Vote], leaks: frozenset[str], config: Config, ledger: Ledger, barred: Barred
) -> tuple[Training, list[Pair], Raters]:
    """What the votes are made into; all others go into the ledger."""
    corrected, rated, compared = (
        [vote for vote in votes if vote.kind is kind]
        for kind in (SignalKind.CORRECTION, SignalKind.THUMBS, SignalKind.PREFERENCE)
    )
    made, unused = training(corrected, rated, leaks, config, barred)
    chosen, undecided, raters = preferences.pairs(compared)
    pairs, left_out = preferences.trainable(chosen, leaks, made.held_out)
    ledger.aside([*unused, *undecided, *left_out])
    return made, pairs, raters


def _prompts(items: Iterable[GoldenItem]) -> frozenset[str]:
    """What golden items ask, as prompts are compared."""
    items = list(items)
    asked = {question(item.messages) for item in items} | {conversation(item.messages) for item in items}
    return frozenset(asked - {""})


def slices(
    golden: Mapping[str, Sequence[GoldenItem]], made: Training, config: Config, stay: Sequence[Kept] = ()
) -> dict[str, int]:
    """Items by suite and slice, and the intents that they make, from which a gate's power is known before training."""
    found: dict[str, int] = {}
    for name, items in golden.items():
        found |= sized(name, items) | sized(f"{name}/unchanged", [i for i in items if i.topic not in made.topics])
    found[config.regressions] = len(made.regressions) + len(stay)
    found[f"{config.regressions}/unchanged"] = sum(one.item.topic not in made.topics for one in stay)
    return found


def sized(name: str, items: Sequence[GoldenItem]) -> dict[str, int]:
    """A slice's items, and its groups where items share an intent."""
    groups = len({item.intent or f"item {item.id}" for item in items})
    return {name: len(items)} | ({f"{name}{INTENTS}": groups} if groups < len(items) else {})


def _conserved(events: Sequence[Feedback], used: Sequence[Vote], excluded: Sequence[Excluded]) -> None:
    """Every event is used or excluded, once. A violation is a bug, whose data set nobody may use."""
    placed = Counter(vote.event.order for vote in used) + Counter(e.event.order for e in excluded)
    if placed != Counter(event.order for event in events):
        raise AssertionError("curation lost events or placed them twice")


def _clean(data: DataSet, leaks: frozenset[str]) -> None:
    """No training row may be a question of a gate, and no replay may contradict a correction."""
    keys = {row.prompt.key for row in data.training.rows} | {pair.prompt_key for pair in data.pairs}
    texts = {row.prompt.text for row in data.training.rows} | {pair.question for pair in data.pairs}
    replayed = {topic for row in data.training.replayed for topic in row.prompt.topics}
    if keys & (leaks | data.training.held_out) or texts & leaks or replayed & set(data.training.topics):
        raise AssertionError("curation let a gate's question or a corrected topic through")
