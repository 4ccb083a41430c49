"""What the looks show about an outcome: harm, non-inferiority, or nothing yet.

Failed when the harm e-value has ever reached its bound: an abort needs no second crossing.
Successful while the non-inferiority e-value is at its bound and enough units are rated: promotion
stands on the evidence as it is now. The harm alpha of each outcome is divided by the number of
outcomes, because any one of them may abort; promotion needs all, so it needs no correction
(an intersection-union test).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce

from feedbackloop.api.rollout import Outcome
from feedbackloop.api.rolloutstatus import ArmCounts, Look, OutcomeStatus, Verdict
from feedbackloop.domain.evidence import eprocess
from feedbackloop.domain.evidence.counting import Counts, arm_counts, counts
from feedbackloop.domain.evidence.ratio import confidence_sequence
from feedbackloop.domain.statistics.numerals import numeral, numeral_of_log


def harm_bound(outcome: Outcome, outcomes: int = 1) -> float:
    """The harm e-value that aborts."""
    return outcomes / float(outcome.harm.alpha)


def non_inferiority_bound(outcome: Outcome) -> float:
    """The non-inferiority e-value that promotes."""
    return 1 / float(outcome.non_inferiority.alpha)


def evaluate_looks(outcome: Outcome, looks: Iterable[Look], outcomes: int = 1) -> OutcomeStatus:
    """How `outcome` stands, recomputed from all looks of the run."""
    mine = [look for look in looks if look.outcome == outcome.name]
    harm = max([0.0, *eprocess.harm(mine)])
    safe = [0.0, *eprocess.non_inferiority(mine, float(outcome.non_inferiority.ratio))][-1]
    stable, canary = _total(look.stable for look in mine), _total(look.canary for look in mine)
    enough = stable.rated + canary.rated >= outcome.min_rated_units
    verdict = Verdict.INCONCLUSIVE
    if harm >= math.log(harm_bound(outcome, outcomes)):
        verdict = Verdict.FAILED
    elif enough and safe >= math.log(non_inferiority_bound(outcome)):
        verdict = Verdict.SUCCESSFUL
    return OutcomeStatus(
        name=outcome.name,
        verdict=verdict,
        harm_e_value=numeral_of_log(harm),
        non_inferiority_e_value=numeral_of_log(safe),
        stable=arm_counts(stable),
        canary=arm_counts(canary),
    )


def describe(outcome: Outcome, status: OutcomeStatus, outcomes: int = 1) -> str:
    """The evidence in a sentence, with every number that the verdict rests on."""
    rated = status.stable.rated + status.canary.rated
    return (
        f"{outcome.name}: non-inferiority e-value {status.non_inferiority_e_value}"
        f" (bound {numeral(non_inferiority_bound(outcome))} for a ratio below {outcome.non_inferiority.ratio}),"
        f" harm e-value {status.harm_e_value} (bound {numeral(harm_bound(outcome, outcomes))}),"
        f" events/units stable {_share(status.stable)}, canary {_share(status.canary)},"
        f" rated {rated} of {outcome.min_rated_units}"
    )


def describe_ratio(outcome: Outcome, looks: Sequence[Look]) -> str:
    """The ratio of the event rates with its confidence sequence."""
    mine = [look for look in looks if look.outcome == outcome.name]
    interval = confidence_sequence(mine, float(outcome.non_inferiority.alpha))
    return f"{outcome.name}: ratio between {numeral(interval.lower, 3)} and {numeral(interval.upper, 3)}"


def _total(arms: Iterable[ArmCounts]) -> Counts:
    return reduce(Counts.plus, (counts(arm) for arm in arms), Counts())


def _share(arm: ArmCounts) -> str:
    return f"{arm.events}/{arm.units}"
