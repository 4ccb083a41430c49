"""How many gateway pods own sessions. It follows the pods, and never changes under a rollout.

New pods first become ready, then they own: until then their sessions would have no owner. And a session that moves
to another pod in the middle of a rollout could be counted by both, so a growing loop waits for the rollout's end.
"""

from __future__ import annotations

import json

from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import CONFIG_KEY
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation


def owning_replicas(seen: LoopObservation, spec: FeedbackLoopSpec) -> int:
    """Pods that shall own sessions, by the configuration that stands and the pods that are ready."""
    wanted, before = spec.collection.replicas, _owning_now(seen)
    if before is None or before >= wanted:
        return before or wanted
    return before if _in_rollout(seen) or ready_replicas(seen) < wanted else wanted


def ready_replicas(seen: LoopObservation) -> int:
    """Gateway pods that are ready."""
    return int(_stateful_set(seen).get("status", {}).get("readyReplicas", 0))


def _in_rollout(seen: LoopObservation) -> bool:
    return seen.active is not None and seen.active.status.rollout is not None


def _owning_now(seen: LoopObservation) -> int | None:
    """By the live ConfigMap; None while there is none, or when it is not to be read (it is then written anew)."""
    live = seen.children.get(Child("ConfigMap", naming.gateway(seen.loop.ref.name)))
    try:
        config = json.loads((live or {}).get("data", {})[CONFIG_KEY])
        return int(config.get("collection", {}).get("replicas", 1))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _stateful_set(seen: LoopObservation) -> Json:
    return seen.children.get(Child("StatefulSet", naming.gateway(seen.loop.ref.name)), {})
