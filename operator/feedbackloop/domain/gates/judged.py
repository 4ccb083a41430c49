"""Gates that a judge scores: its wins are corrected by what people said of the labelled pairs.

The exact test on the judge's own verdicts holds for the items, the prediction-powered one for people's opinion; a gate
needs both, since the latter alone would trust a handful of items that all tie.
"""

from __future__ import annotations

from collections.abc import Callable

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates.findings import Finding, Level, evidence
from feedbackloop.domain.gates.units import pairs
from feedbackloop.domain.statistics import prediction_powered
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.numerals import numeral, percent

Rule = Callable[[Gate, GateCounts, Level], Finding]


def corrected(rule: Rule) -> Rule:
    """The paired rule, with the judge held against people."""

    def judged(gate: Gate, counts: GateCounts, level: Level) -> Finding:
        return _corrected(gate, counts, level, rule(gate, counts, level))

    return judged


def _corrected(gate: Gate, counts: GateCounts, level: Level, exact: Finding) -> Finding:
    margin, units = float(gate.margin or "0"), pairs(counts)
    said = units.gains, units.losses, units.n - units.gains - units.losses
    wins = prediction_powered.net_wins(counts.judge_labels, *said, level.alpha)
    p = max(exact.p or 0.0, prediction_powered.p_value(counts.judge_labels, *said, margin))
    found = exact._replace(p=p, estimate=wins.estimate, interval=Interval(wins.lower, wins.upper))
    spread = f"{percent(wins.estimate)} ({percent(wins.lower)} to {percent(wins.upper)})"
    labels = f"net wins as people would say {spread} by {sum(counts.judge_labels)} labels, p = {numeral(p)}"
    if p <= level.alpha:
        return found._replace(message=f"{exact.message}; {labels}")
    if wins.upper < -margin:
        shown = evidence(p, level, labels)
        return found._replace(verdict=Verdict.FAILED, message=f"people would prefer the champion: {shown}")
    verdict = Verdict.INCONCLUSIVE if exact.verdict is Verdict.SUCCESSFUL else exact.verdict
    return found._replace(verdict=verdict, message=f"{exact.message}; {labels}")
