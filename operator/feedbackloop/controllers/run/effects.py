"""Effects of a decision on the cluster. Each may be repeated."""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.adapters.kinds import JOB, ROLLOUT_ACTION
from feedbackloop.adapters.ports import EventType, Json, KubernetesPort
from feedbackloop.api.rolloutaction import RolloutActionStatus
from feedbackloop.domain.lifecycle.run_effects import AnswerAction, Create, DeleteJob, Effect, Note


async def perform(kubernetes: KubernetesPort, namespace: str, effects: Iterable[Effect]) -> None:
    """In order."""
    for effect in effects:
        match effect:
            case Create(body):
                # Whether one that exists is ours is checked by the next look, from what is then seen.
                await kubernetes.create(dict(body))
            case DeleteJob(name):
                await kubernetes.delete(JOB, namespace, name)
            case AnswerAction():
                await _answer(kubernetes, namespace, effect)


async def _answer(kubernetes: KubernetesPort, namespace: str, answer: AnswerAction) -> None:
    """Against the version that was read: an action that was answered or deleted meanwhile is a conflict, read again."""
    metadata = {"name": answer.name, "namespace": namespace, "resourceVersion": answer.resource_version}
    status = RolloutActionStatus(
        observed_generation=answer.generation, result=answer.result, message=answer.message, at=answer.at
    )
    head = {"apiVersion": ROLLOUT_ACTION.api_version, "kind": ROLLOUT_ACTION.kind, "metadata": metadata}
    await kubernetes.apply({**head, "status": status.to_wire()}, subresource="status")


async def tell(kubernetes: KubernetesPort, run: Json, notes: Iterable[Note]) -> None:
    """Events for people; a lost one is no loss, as every record is in status too."""
    for note in notes:
        type_: EventType = "Warning" if note.warning else "Normal"
        await kubernetes.event(run, type_=type_, reason=note.reason.value, action=note.reason.value, note=note.note)
