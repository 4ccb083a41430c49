"""How an output is scored: see `jobs.scorers`."""

from feedbackloop.jobs.scorers.words import contains_answer

__all__ = ["contains_answer"]
