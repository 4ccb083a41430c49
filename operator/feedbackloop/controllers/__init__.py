"""The controllers, one for each kind: gather, let `domain` decide, carry out. They own no decision."""

from __future__ import annotations

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import IMPROVEMENT_RUN, JOB
from feedbackloop.api import LABEL_LOOP
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.controllers import action, erasure
from feedbackloop.controllers.action import ActionReconciler
from feedbackloop.controllers.erasure import ErasureReconciler
from feedbackloop.controllers.loop import watches as loop_watches
from feedbackloop.controllers.loop.reconciler import LoopReconciler
from feedbackloop.controllers.run import RunController
from feedbackloop.engine.reconciler import Reconciler
from feedbackloop.engine.watch import Watch, by_owner

_JOBS = Watch(JOB.group, JOB.version, JOB.plural, JOB.kind, by_owner(IMPROVEMENT_RUN.kind), {LABEL_LOOP: None})

WATCHES: tuple[Watch, ...] = (*loop_watches.WATCHES, *erasure.WATCHES, *action.WATCHES, _JOBS)
"""Everything that is watched, each kind once."""


def build(adapters: Adapters, admin_config: AdminConfig) -> list[Reconciler]:
    """All reconcilers."""
    return [
        LoopReconciler(adapters, admin_config),
        RunController(adapters, admin_config),
        ErasureReconciler(adapters),
        ActionReconciler(adapters),
    ]
