"""Offline gates: paired scores on fixed items become verdicts (Argo Rollouts' words).

- **NonInferiority**: Successful when the exact unconditional p-value is at most alpha; Failed when the whole
  Tango interval (1 - 2 alpha) lies below -margin, so that the loss is shown; else Inconclusive.
- **Superiority**: Successful when the exact sign test on the discordant items is at most alpha; Failed when the
  candidate loses at least as many items as it gains, among enough that a better one could have shown it
  (5 at alpha 0.05); else Inconclusive.
- **NoNewFailures**: Successful when no item is right with the champion only, else Failed.
- **Ceiling**: of the candidate alone: Successful when the one-sided Clopper-Pearson limit (1 - alpha) of its failing
  share is at most `maxFailures`; Failed when the lower limit is above it; else Inconclusive.
- **Bootstrap**: of a number by item: Successful when the studentised bootstrap refutes that the mean grows by
  `maxLoss`; Failed when its interval lies above that; else Inconclusive.
- **Limit**: of one number of the model a comparison; of a number by item a Ceiling of 5 % on the items above.

Items that share an intent are no independent observations: the exact tests then count what they are worth, and the
bootstrap draws whole intents.
Inconclusive says how many items a verdict needs at the observed rates.
No items, NaN, items without a score, or counts that cannot be, are an Error: a gate fails closed. Only Successful
opens it. An Advisory gate is judged like the others and decides nothing.
"""

from feedbackloop.domain.gates.evidence import Evidence, path
from feedbackloop.domain.gates.findings import Level
from feedbackloop.domain.gates.judging import decides, judge
from feedbackloop.domain.gates.looks import exhausted, level, levels, levels_of, looked
from feedbackloop.domain.gates.power import Shortage, key, required_items, underpowered
from feedbackloop.domain.gates.rows import ItemRow

__all__ = [
    "Evidence",
    "ItemRow",
    "Level",
    "Shortage",
    "decides",
    "exhausted",
    "judge",
    "key",
    "level",
    "levels",
    "levels_of",
    "looked",
    "path",
    "required_items",
    "underpowered",
]
