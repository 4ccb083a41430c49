"""How an answer is scored: one small function for each metric, each with a versioned name for the evidence.

`check` says before anything is generated whether the items have what a metric needs, `score` scores one answer,
`name` is the scorer with its version. `judged_better` and `lm_eval` are no scorers of single answers:
see `jobs.judging` and `jobs.lmeval`.
"""

from feedbackloop.jobs.scorers.answer import Answer
from feedbackloop.jobs.scorers.scoring import SCORED, Score, check, name, prepare, score

__all__ = ["SCORED", "Answer", "Score", "check", "name", "prepare", "score"]
