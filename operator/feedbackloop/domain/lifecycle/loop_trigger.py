"""When a run starts: enough new signals are in object storage, none is active, and the last one is long enough ago."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedbackloop.api import ANNOTATION_CUT, API_VERSION, LABEL_LOOP
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, PodOffset
from feedbackloop.api.gateway import GatewayStatus, LoopRef
from feedbackloop.api.improvement import Improvement
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, owner_reference
from feedbackloop.domain.lifecycle.loop_runs import last_end


@dataclass(frozen=True)
class NewRun:
    """A run that is due."""

    name: str
    improvement: str
    cut: tuple[PodOffset, ...]
    signals: int


def due(
    loop: LoopRef,
    spec: FeedbackLoopSpec,
    status: FeedbackLoopStatus,
    gateways: Iterable[GatewayStatus],
    now: datetime,
) -> NewRun | None:
    """The first declared improvement whose trigger holds; `status` has consumed and champion as they shall be."""
    cut = cut_of(gateways)
    signals = new_signals(cut, status.consumed)
    ready = (i for i in spec.improvements if _holds(i, signals, status, now))
    improvement = next(ready, None)
    if improvement is None or status.champion is None or spec.suspend:
        return None
    name = naming.run(
        loop=loop.name,
        loop_uid=loop.uid,
        improvement=improvement,
        champion_digest=status.champion.digest,
        cut=cut,
    )
    return NewRun(name, improvement.name, cut, signals)


def cut_of(gateways: Iterable[GatewayStatus]) -> tuple[PodOffset, ...]:
    """How far every pod's log is in object storage."""
    offsets = (PodOffset(pod=g.pod, offset=g.uploaded.offset, trainable=g.uploaded.trainable) for g in gateways)
    return tuple(sorted(offsets, key=lambda o: o.pod))


def new_signals(cut: Iterable[PodOffset], consumed: Iterable[PodOffset]) -> int:
    """Trainable signals that no run has consumed; a pod whose log began anew counts from zero, never below."""
    before = {o.pod: o.trainable for o in consumed}
    return sum(max(0, o.trainable - before.get(o.pod, 0)) for o in cut)


def _holds(improvement: Improvement, signals: int, status: FeedbackLoopStatus, now: datetime) -> bool:
    if signals < improvement.trigger.min_new_signals:
        return False
    ended = last_end(status, improvement.name)
    return ended is None or now >= ended + timedelta(seconds=improvement.trigger.cooldown_seconds)


def run_object(loop: LoopRef, run: NewRun) -> Json:
    """The ImprovementRun, which carries its cut until it has pinned it."""
    cut = json.dumps([o.to_wire() for o in run.cut], separators=(",", ":"))
    return {
        "apiVersion": API_VERSION,
        "kind": "ImprovementRun",
        "metadata": {
            "name": run.name,
            "namespace": loop.namespace,
            "labels": {LABEL_LOOP: loop.name, "app.kubernetes.io/managed-by": "feedbackloop"},
            "annotations": {ANNOTATION_CUT: cut},
            "ownerReferences": [owner_reference(loop)],
        },
        "spec": {"loopName": loop.name, "improvementName": run.improvement},
    }
