"""Gates on the candidate's failing share alone: Ceiling, and Limit, which is one on numbers."""

from __future__ import annotations

from feedbackloop.api.evaluation import OF_THE_MODEL, Gate
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates.findings import Finding, Level, evidence, needs
from feedbackloop.domain.gates.units import Units, failures, groups
from feedbackloop.domain.statistics import sample_size
from feedbackloop.domain.statistics.binomial import clopper_pearson, lower_tail
from feedbackloop.domain.statistics.numerals import numeral, percent

QUANTILE = 0.95
"""What a Limit of a metric by item is about."""
ABOVE = 1 - QUANTILE


def ceiling(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """Successful when the failing share is shown to be at most maxFailures, Failed when above."""
    most = float(gate.max_failures or "0")
    said = f"{counts.only_champion + counts.neither} of {counts.n} items fail{groups(counts)}"
    words = (
        f"fails at most {percent(most)} of such items",
        f"fails more than {percent(most)} of such items",
        f"not shown below {percent(most)}",
    )
    return _at_most(counts, most, level, said, words)


def limit(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """Of the model's one number a comparison; of a metric by item, that at most 5 % of items lie above."""
    if gate.metric in OF_THE_MODEL:
        return _one_number(gate, counts)
    value, metric, above = counts.value or 0.0, gate.metric.value, counts.only_champion + counts.neither
    said = f"95th percentile {numeral(value)}, {above} of {counts.n} items above{groups(counts)}"
    words = (
        f"{metric} of 95 % of such items is at most {gate.max_value}",
        f"{metric} of more than 5 % of such items is above {gate.max_value}",
        f"not shown that {metric} of 95 % of such items is at most {gate.max_value}",
    )
    return _at_most(counts, ABOVE, level, said, words)._replace(estimate=value, interval=None)


def _one_number(gate: Gate, counts: GateCounts) -> Finding:
    value, most = counts.value or 0.0, float(gate.max_value or "0")
    verdict = Verdict.SUCCESSFUL if value <= most else Verdict.FAILED
    words = "at most" if value <= most else "above"
    return Finding(verdict, f"{gate.metric.value} is {value:.15g}, {words} {gate.max_value}", estimate=value)


def _at_most(counts: GateCounts, most: float, level: Level, said: str, words: tuple[str, str, str]) -> Finding:
    units = failures(counts)
    interval = clopper_pearson(units.losses, units.n, 1 - 2 * level.alpha)
    p, share = lower_tail(units.losses, units.n, most), (counts.only_champion + counts.neither) / counts.n
    shown = evidence(p, level, f"{said}, {percent(share)} ({percent(interval.lower)} to {percent(interval.upper)})")

    def found(verdict: Verdict, message: str, required: int | None = None) -> Finding:
        return Finding(verdict, message, p, required, share, interval)

    if p <= level.alpha:
        return found(Verdict.SUCCESSFUL, f"{words[0]}: {shown}")
    if interval.lower > most:
        return found(Verdict.FAILED, f"{words[1]}: {shown}")
    needed = _needed(units, most, level)
    return found(Verdict.INCONCLUSIVE, f"{words[2]}: {shown}{needs(needed)}", needed)


def _needed(units: Units, most: float, level: Level) -> int | None:
    return units.items(sample_size.ceiling_needed(units.losses, units.n, most, level.alpha))
