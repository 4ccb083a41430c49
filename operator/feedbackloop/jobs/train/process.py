"""The launcher `Process`: the training runs here."""

from __future__ import annotations

from feedbackloop.jobs.errors import Preempted
from feedbackloop.jobs.runtime import Stopping
from feedbackloop.jobs.train.live import Live
from feedbackloop.jobs.train.plan import Outcome, Plan


def launch(plan: Plan, stopping: Stopping) -> Outcome:
    from feedbackloop.jobs.train import sft

    if stopping.requested.is_set():
        # A library that was being imported may have caught the exception of the signal.
        raise Preempted("SIGTERM before the first step")
    stopping.gracefully(Live(plan.work).ask_to_stop)
    return sft.train(plan)
