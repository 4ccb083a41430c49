"""Bootstrap gates: whether the mean of a number by item grows, candidate against champion on the same items."""

from __future__ import annotations

import math

from feedbackloop.api.evaluation import Gate
from feedbackloop.api.jobs import Continuous, GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates.findings import Finding, Level, evidence, needs
from feedbackloop.domain.statistics import bootstrap
from feedbackloop.domain.statistics.binomial import Interval
from feedbackloop.domain.statistics.numerals import numeral

WORDS = {
    Verdict.SUCCESSFUL: "mean {} grows by less than {}",
    Verdict.FAILED: "mean {} grows by more than {}",
    Verdict.INCONCLUSIVE: "not shown that mean {} grows by less than {}",
}


def growth(gate: Gate, counts: GateCounts, level: Level) -> Finding:
    """Successful when the mean increase is shown to be below maxLoss, Failed when it is shown to be above."""
    found, most = _numbers(counts), float(gate.max_loss or "0")
    spread = f"{numeral(found.mean)} ({numeral(found.lower)} to {numeral(found.upper)})"
    said = f"mean difference {spread} on {counts.n} items in {found.clusters} groups"
    verdict, needed = _decided(counts, found, most, level)
    tail = "" if verdict is not Verdict.INCONCLUSIVE else needs(needed)
    message = f"{WORDS[verdict].format(gate.metric.value, gate.max_loss)}: {evidence(found.p_value, level, said)}{tail}"
    return Finding(verdict, message, found.p_value, needed, found.mean, Interval(found.lower, found.upper))


def impossible(counts: GateCounts) -> str | None:
    """Why the bootstrap's numbers cannot be used."""
    found = counts.continuous
    if found is None:
        return "there are no bootstrap numbers"
    numbers = (found.mean, found.standard_error, found.lower, found.upper, found.p_value)
    if not all(map(math.isfinite, numbers)):
        return "a bootstrap number is not finite"
    if found.standard_error < 0 or found.lower > found.upper or not 0 <= found.p_value <= 1 or found.clusters < 1:
        return "the bootstrap numbers are impossible"
    return None


def _numbers(counts: GateCounts) -> Continuous:
    assert counts.continuous is not None
    return counts.continuous


def _decided(counts: GateCounts, found: Continuous, most: float, level: Level) -> tuple[Verdict, int | None]:
    enough = found.clusters >= bootstrap.FEWEST_CLUSTERS
    if enough and found.p_value <= level.alpha:
        return Verdict.SUCCESSFUL, None
    if enough and found.lower > most:
        return Verdict.FAILED, None
    return Verdict.INCONCLUSIVE, _needed(counts, found, most, level)


def _needed(counts: GateCounts, found: Continuous, most: float, level: Level) -> int | None:
    """Items that as many groups of the observed size have as the observed mean and spread need."""
    seen = bootstrap.Bootstrap(*(getattr(found, name) for name in bootstrap.Bootstrap._fields))
    groups = bootstrap.clusters_needed(seen, most, level.alpha)
    return None if groups is None else math.ceil(groups * counts.n / found.clusters)
