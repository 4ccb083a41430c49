"""Actions of a run that have no answer yet, as the run sees them."""

from __future__ import annotations

from dataclasses import dataclass

from feedbackloop.api.rolloutaction import Action, RolloutActionSpec
from feedbackloop.domain.rollout.model import ActionSeen


@dataclass(frozen=True)
class HeldAction:
    """An unanswered action of a run, with what its answer is written against."""

    name: str
    resource_version: str
    generation: int
    seen: ActionSeen


def seen_of(uid: str, spec: RolloutActionSpec, created: str) -> ActionSeen:
    """The action as a rollout sees it."""
    return ActionSeen(
        uid=uid,
        action=spec.action,
        user=spec.user,
        groups=spec.groups,
        digest=spec.digest,
        step_index=spec.step_index,
        at=created,
        comment=spec.comment,
    )


def asked(action: Action, user: str, name: str, comment: str) -> str:
    """Who asked for what, in a sentence; it ends with the action's name, so that it is found again."""
    why = f' ("{comment[:300]}")' if comment else ""
    return f"{action.value} by {user}{why} in RolloutAction {name}"
