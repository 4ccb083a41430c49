"""Gates on pairs of right and wrong answers, candidate against champion on the same items."""

from __future__ import annotations

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates.findings import Finding, Level, evidence, needs
from feedbackloop.domain.gates.units import groups, pairs
from feedbackloop.domain.statistics import noninferiority, sample_size, superiority, tango
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.numerals import percent


def non_inferiority(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """Successful when a loss of the margin is refuted, Failed when one is shown."""
    margin, units = float(gate.margin or "0"), pairs(counts)
    p, interval = noninferiority.p_value(units.gains, units.losses, units.n, margin), _interval(counts, level)
    shown = evidence(p, level, _difference(counts, interval))

    def found(verdict: Verdict, message: str, required: int | None = None) -> Finding:
        return Finding(verdict, message, p, required, _estimate(counts), interval)

    if p <= level.alpha:
        return found(Verdict.SUCCESSFUL, f"not worse than the champion by {percent(margin)}: {shown}")
    if interval.upper < -margin:
        return found(Verdict.FAILED, f"worse than the champion by more than {percent(margin)}: {shown}")
    needed = units.items(sample_size.non_inferiority_needed(*units[:3], margin, level.alpha))
    return found(Verdict.INCONCLUSIVE, f"not shown within {percent(margin)}: {shown}{needs(needed)}", needed)


def superiority_(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """Successful when the candidate is better, Failed when it had the room to show that and did not."""
    del gate
    units = pairs(counts)
    p, interval = superiority.p_value(units.gains, units.losses), _interval(counts, level)
    shown = evidence(p, level, _difference(counts, interval))

    def found(verdict: Verdict, message: str, required: int | None = None) -> Finding:
        return Finding(verdict, message, p, required, _estimate(counts), interval)

    if p <= level.alpha:
        return found(Verdict.SUCCESSFUL, f"better than the champion: {shown}")
    if units.gains <= units.losses and units.gains + units.losses >= sample_size.superiority_minimum(level.alpha):
        return found(Verdict.FAILED, f"not better than the champion: {shown}")
    needed = units.items(sample_size.superiority_needed(*units[:3], p, level.alpha))
    return found(Verdict.INCONCLUSIVE, f"not shown to be better: {shown}{needs(needed)}", needed)


def no_new_failures(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """A rule about these very items, not about others like them: no error rate applies."""
    del gate
    numbers = (None, None, _estimate(counts), _interval(counts, level))
    if counts.only_champion == 0:
        return Finding(Verdict.SUCCESSFUL, f"no new failure on {counts.n} items", *numbers)
    failures = f"{counts.only_champion} of {counts.n} items fail that the champion gets right"
    return Finding(Verdict.FAILED, failures, *numbers)


def _estimate(counts: GateCounts) -> float:
    return (counts.only_candidate - counts.only_champion) / counts.n


def _interval(counts: GateCounts, level: Level) -> Interval:
    return tango.interval(*pairs(counts)[:3], 1 - 2 * level.alpha)


def _difference(counts: GateCounts, interval: Interval) -> str:
    """Gains, losses and the interval of their difference, for a person."""
    shown = f"{percent(_estimate(counts))} ({percent(interval.lower)} to {percent(interval.upper)})"
    pair = f"+{counts.only_candidate} -{counts.only_champion} of {counts.n} items{groups(counts)}"
    return f"{pair}, difference {shown}"
