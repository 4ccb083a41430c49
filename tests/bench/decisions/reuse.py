"""The same golden set in twelve cycles: the chance that a candidate at the margin ships at least once.

Three ways of making the next candidate, all of them worse by the margin on the population of questions: afresh; on the
last one's back whenever its verdict was good news (only verdicts come back, as the operator does it); and by climbing
on the item counts themselves, which the operator does not reveal to training.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from feedbackloop.api.evaluation import RefreshPolicy
from feedbackloop.domain.statistics import tango
from feedbackloop.domain.statistics.spending import alpha_of_look
from tests.bench.decisions.offline import critical

MARGIN, ALPHA = 0.05, 0.05
CYCLES, ITEMS = 12, 200
P_LOSS, P_GAIN = 0.075, 0.025
KEPT = 0.6
"""Share of the items on which the next candidate behaves like the one that it is made from."""
SPEND = RefreshPolicy.model_validate({"reuse": "Spend", "looks": CYCLES})
COUNT = RefreshPolicy.model_validate({"reuse": "Count", "looks": CYCLES})
Items = npt.NDArray[np.int64]


class Feedback(StrEnum):
    """What the next candidate is made from."""

    NOTHING = "nothing comes back"
    VERDICT = "the verdict comes back"
    COUNTS = "the counts come back"


def false_ship(refresh: RefreshPolicy, feedback: Feedback, count: int, seed: int) -> float:
    """The share of sets on which a candidate at the margin ships in any of the cycles."""
    return float(np.mean([_ships(refresh, feedback, np.random.default_rng((seed, i))) for i in range(count)]))


def _ships(refresh: RefreshPolicy, feedback: Feedback, rng: np.random.Generator) -> bool:
    model = best = _fresh(rng)
    for look in range(1, CYCLES + 1):
        alpha = alpha_of_look(refresh, ALPHA, look)
        if alpha is None:
            return False
        gains, losses = int((model > 0).sum()), int((model < 0).sum())
        if tango.score(gains, losses, ITEMS, -MARGIN) > critical(ITEMS, MARGIN, alpha) - 1e-9:
            return True
        better = _keep(feedback, model, best, gains - losses)
        best = model if better else best
        model = _fresh(rng)
        if feedback is not Feedback.NOTHING:
            model = np.where(rng.random(ITEMS) < KEPT, best, model)
    return False


def _keep(feedback: Feedback, model: Items, best: Items, difference: int) -> bool:
    if feedback is Feedback.COUNTS:
        return difference > int(best.sum())
    failed = tango.interval(int((model > 0).sum()), int((model < 0).sum()), ITEMS, 1 - 2 * ALPHA).upper < -MARGIN
    return not failed


def _fresh(rng: np.random.Generator) -> Items:
    """By item: -1 lost, 1 gained."""
    return rng.choice(np.array((-1, 1, 0)), ITEMS, p=(P_LOSS, P_GAIN, 1 - P_LOSS - P_GAIN))
