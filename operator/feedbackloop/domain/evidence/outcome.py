"""What the looks show about an outcome: harm, non-inferiority, or nothing yet.

Failed when the harm e-value has ever reached its bound: an abort needs no second crossing.
Successful while the non-inferiority e-value is at its bound and enough units are rated: promotion
stands on the evidence as it is now. The harm alpha of each outcome is divided by the number of
outcomes, because any one of them may abort; promotion needs all, so it needs no correction
(an intersection-union test). Where the loop bounds its regressions over its life, promotion also
needs 1/level (`domain.lifetime`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedbackloop.api.rollout import Mean, Outcome
from feedbackloop.api.rolloutstatus import ArmCounts, Look, OutcomeStatus, Verdict
from feedbackloop.domain.evidence import eprocess, means, ratio
from feedbackloop.domain.evidence.counting import added, arm_counts, counts
from feedbackloop.domain.statistics.numerals import numeral, numeral_of_log


class _Evidence(NamedTuple):
    harm: float
    """The largest log e-value so far."""
    safe: float
    """The log e-value of non-inferiority as it is now."""
    estimate: float | None
    lower: float | None
    upper: float | None


def harm_bound(outcome: Outcome, outcomes: int = 1) -> float:
    """The harm e-value that aborts."""
    return outcomes / float(outcome.harm.alpha)


def non_inferiority_bound(outcome: Outcome, level: float | None = None) -> float:
    """The non-inferiority e-value that promotes; `level` is the loop's, where it bounds its regressions."""
    alpha = float(outcome.non_inferiority.alpha)
    return 1 / (alpha if level is None else min(alpha, level))


def evaluate_looks(
    outcome: Outcome, looks: Iterable[Look], outcomes: int = 1, level: float | None = None
) -> OutcomeStatus:
    """How `outcome` stands, recomputed from all looks of the run."""
    mine = [look for look in looks if look.outcome == outcome.name]
    found = _events(outcome, mine) if outcome.mean is None else _means(outcome, outcome.mean, mine)
    stable, canary = added([look.stable for look in mine]), added([look.canary for look in mine])
    enough = stable.rated + canary.rated >= outcome.min_rated_units
    verdict = Verdict.INCONCLUSIVE
    if found.harm >= math.log(harm_bound(outcome, outcomes)):
        verdict = Verdict.FAILED
    elif enough and found.safe >= math.log(non_inferiority_bound(outcome, level)):
        verdict = Verdict.SUCCESSFUL
    return OutcomeStatus(
        name=outcome.name,
        verdict=verdict,
        harm_e_value=numeral_of_log(found.harm),
        non_inferiority_e_value=numeral_of_log(found.safe),
        stable=arm_counts(stable),
        canary=arm_counts(canary),
        estimate=_numeral(found.estimate),
        lower=_numeral(found.lower),
        upper=_numeral(found.upper),
    )


def describe(outcome: Outcome, status: OutcomeStatus, outcomes: int = 1, level: float | None = None) -> str:
    """The evidence in a sentence, with every number that the verdict rests on."""
    rated = status.stable.rated + status.canary.rated
    return (
        f"{outcome.name}: non-inferiority e-value {status.non_inferiority_e_value}"
        f" (bound {numeral(non_inferiority_bound(outcome, level))} for {_allowed(outcome)}),"
        f" harm e-value {status.harm_e_value} (bound {numeral(harm_bound(outcome, outcomes))}),"
        f" {_arms(outcome, status)}, rated {rated} of {outcome.min_rated_units}"
    )


def describe_estimate(outcome: Outcome, status: OutcomeStatus) -> str:
    """The ratio of the event rates, or the difference of the means, with its confidence sequence."""
    what = "ratio" if outcome.mean is None else "difference"
    if status.lower is None or status.upper is None:
        return f"{outcome.name}: {what} unknown"
    shown = "" if status.estimate is None else f", estimated {numeral(float(status.estimate), 3)}"
    between = f"between {numeral(float(status.lower), 3)} and {numeral(float(status.upper), 3)}"
    return f"{outcome.name}: {what} {between}{shown}"


def _events(outcome: Outcome, looks: Sequence[Look]) -> _Evidence:
    safe = eprocess.non_inferiority_now(looks, float(outcome.non_inferiority.ratio))
    interval = ratio.confidence_sequence(looks, float(outcome.non_inferiority.alpha)) if looks else (None, None)
    return _Evidence(eprocess.harm_peak(looks), safe, ratio.estimate(looks), *interval)


def _means(outcome: Outcome, mean: Mean, looks: Sequence[Look]) -> _Evidence:
    harm = max([0.0, *means.harm(mean, looks)])
    safe = [0.0, *means.non_inferiority(mean, looks)][-1]
    interval = means.confidence_sequence(mean, looks, float(outcome.non_inferiority.alpha)) or (None, None)
    return _Evidence(harm, safe, means.estimate(mean, looks), *interval)


def _numeral(value: float | None) -> str | None:
    return None if value is None else numeral(value)


def _allowed(outcome: Outcome) -> str:
    if outcome.mean is None:
        return f"a ratio below {outcome.non_inferiority.ratio}"
    return f"a loss below {outcome.mean.margin}"


def _arms(outcome: Outcome, status: OutcomeStatus) -> str:
    if outcome.mean is None:
        return f"events/units stable {_share(status.stable)}, canary {_share(status.canary)}"
    return f"mean of rated units stable {_mean(status.stable)}, canary {_mean(status.canary)}"


def _share(arm: ArmCounts) -> str:
    return f"{arm.events}/{arm.units}"


def _mean(arm: ArmCounts) -> str:
    value = means.mean_of(counts(arm))
    return "none" if value is None else f"{numeral(value)} of {arm.rated}"
