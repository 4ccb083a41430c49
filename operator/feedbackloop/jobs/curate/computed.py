"""Computed signals of a cut, for the kinds that the loop declares, and what its corrections changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.collection import CLASSES, SignalClass, SignalKind
from feedbackloop.events.derive import Action, Answer, Correction, Derivation, Derived, derive, edit_distance
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.rows import Feedback, Interaction, Vote

AS_IS, REWRITTEN = 0.02, 0.6
"""Below the first a correction changed next to nothing, above the second next to everything."""
Usable = Callable[[Interaction], bool]


@dataclass(frozen=True)
class Distances:
    """How far corrections are from what they correct."""

    values: tuple[float, ...] = ()

    @property
    def mean(self) -> float | None:
        return round(sum(self.values) / len(self.values), 6) if self.values else None

    def summary(self) -> dict[str, Any]:
        as_is = sum(value < AS_IS for value in self.values)
        rewritten = sum(value > REWRITTEN for value in self.values)
        changed = len(self.values) - as_is - rewritten
        return {"mean": self.mean, "asIs": as_is, "changed": changed, "rewritten": rewritten}


@dataclass(frozen=True)
class Computed:
    """Computed signals by the name under which the loop declares them."""

    signals: tuple[tuple[str, Derived], ...] = ()
    distances: Distances = Distances()

    def counts(self) -> dict[str, int]:
        """Events by `<signal>/<value>`; by signal alone where the value is a number or none."""
        names = (f"{name}/{each.value}" if isinstance(each.value, str) else name for name, each in self.signals)
        counted = Counter(names)
        return {name: counted[name] for name in sorted(counted)}

    def lines(self) -> list[dict[str, Any]]:
        """The lines of `computed.jsonl`."""
        return [
            {
                "signal": name,
                "kind": each.kind.value,
                "value": each.value,
                "output_id": each.output_id,
                "subject": each.subject,
                "at": each.at,
                "detail": each.detail,
            }
            for name, each in self.signals
        ]


def computed(
    interactions: Sequence[Interaction],
    events: Sequence[Feedback],
    corrected: Iterable[Vote],
    config: Config,
    usable: Usable,
) -> Computed:
    """What the sessions of a cut say besides what was sent; of interactions that are not usable nothing is told."""
    names = {signal.kind: signal.name for signal in reversed(config.signals)}
    kinds = {signal.name: signal.kind for signal in config.signals}
    corrections = [_correction(vote) for vote in corrected if vote.answer]
    wanted = Derivation(names.keys(), config.abandonment_seconds * 1000, _newest(interactions, events))
    found = derive(map(_answer, filter(_answered, interactions)), _actions(events, kinds), corrections, wanted)
    told = {(kinds.get(event.signal), event.output_id) for event in events}
    open_to = {output.id for interaction in interactions if usable(interaction) for output in interaction.outputs}
    return Computed(
        tuple((names[each.kind], each) for each in found
              if each.output_id in open_to and (each.kind, each.output_id) not in told),
        Distances(tuple(edit_distance(each.before, each.after) for each in corrections)),
    )  # fmt: skip


def _newest(interactions: Sequence[Interaction], events: Sequence[Feedback]) -> int:
    return max((*(i.received_at for i in interactions), *(event.order[0] for event in events)), default=0)


def _answered(interaction: Interaction) -> bool:
    return bool(interaction.outputs)


def _answer(interaction: Interaction) -> Answer:
    asked = [message.content for message in interaction.messages if message.role == "user"]
    shown = interaction.outputs[0]
    return Answer(
        at=interaction.received_at,
        output_id=shown.id,
        session=interaction.session,
        subject=interaction.subject,
        question=asked[-1] if asked else "",
        answer=shown.text,
        parent_output_id=interaction.parent_output_id,
    )


def _actions(events: Iterable[Feedback], kinds: dict[str, SignalKind]) -> list[Action]:
    """What people did. That a form was shown to them, and what is known days later, is nothing they did then."""
    active = {
        name
        for name, kind in kinds.items()
        if CLASSES[kind] is not SignalClass.SYSTEM and kind is not SignalKind.CONVERSION
    }
    return [Action(event.order[0], event.session) for event in events if event.signal in active]


def _correction(vote: Vote) -> Correction:
    event = vote.event
    return Correction(event.order[0], event.output_id or "", event.session, event.subject, vote.answer, event.value)
