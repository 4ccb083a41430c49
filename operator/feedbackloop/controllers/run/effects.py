"""Effects of a decision on the cluster. Each may be repeated."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.adapters.kinds import JOB
from feedbackloop.adapters.ports import EventType, Json, KubernetesPort
from feedbackloop.domain.lifecycle.run_effects import Create, Effect, Note


async def perform(kubernetes: KubernetesPort, namespace: str, effects: Iterable[Effect]) -> None:
    """In order."""
    for effect in effects:
        if isinstance(effect, Create):
            # Whether one that exists is ours is checked by the next look, from what is then seen.
            await kubernetes.create(dict(effect.body))
        else:
            await kubernetes.delete(JOB, namespace, effect.name)


async def tell(kubernetes: KubernetesPort, run: Json, notes: Iterable[Note]) -> None:
    """Events for people; a lost one is no loss, as every record is in status too."""
    for note in notes:
        type_: EventType = "Warning" if note.warning else "Normal"
        await kubernetes.event(run, type_=type_, reason=note.reason.value, action=note.reason.value, note=note.note)
