"""A task of lm-evaluation-harness as a suite: which of its items a model gets right. Nothing is downloaded.

The harness runs in a process of its own, since its libraries read when they are imported that they are offline.
"""

from feedbackloop.jobs.lmeval.running import Scored, evaluate

__all__ = ["Scored", "evaluate"]
