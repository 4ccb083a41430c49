"""Counts become a verdict. No items, or numbers that cannot be, are an Error: a gate fails closed."""

from __future__ import annotations

import math
from collections.abc import Callable

from feedbackloop.api.evaluation import Gate, GateEffect, GateType, Metric
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import continuous, judged, paired, share
from feedbackloop.domain.gates.findings import Finding, Level
from feedbackloop.domain.statistics.agreement import KINDS
from feedbackloop.domain.statistics.numerals import numeral

Rule = Callable[[Gate, GateCounts, Level], Finding]
TEXT = 1024

RULES: dict[GateType, Rule] = {
    GateType.NON_INFERIORITY: paired.non_inferiority,
    GateType.SUPERIORITY: paired.superiority_,
    GateType.NO_NEW_FAILURES: paired.no_new_failures,
    GateType.CEILING: share.ceiling,
    GateType.BOOTSTRAP: continuous.growth,
    GateType.LIMIT: share.limit,
}
JUDGED: dict[GateType, Rule] = {
    GateType.NON_INFERIORITY: judged.corrected(paired.non_inferiority),
    GateType.SUPERIORITY: judged.corrected(paired.superiority_),
}
"""Of metric `judged_better`."""
BOUNDS = {
    GateType.NON_INFERIORITY: "margin",
    GateType.CEILING: "max_failures",
    GateType.BOOTSTRAP: "max_loss",
    GateType.LIMIT: "max_value",
}
NAMES = {"max_failures": "maxFailures", "max_loss": "maxLoss", "max_value": "maxValue"}


def judge(gate: Gate, counts: GateCounts, level: Level | None = None) -> GateResult:
    """What the counts show about this gate, with every number that it rests on; `level` is its own alpha if unset."""
    level = level or Level(float(gate.alpha))
    wrong = _impossible(gate, counts, level)
    if wrong is not None:
        return _result(gate, counts, level, Finding(Verdict.ERROR, wrong))
    return _result(gate, counts, level, _rule(gate, counts)(gate, counts, level))


def _rule(gate: Gate, counts: GateCounts) -> Rule:
    if gate.metric is Metric.JUDGED_BETTER and any(counts.judge_labels):
        return JUDGED.get(gate.type, RULES[gate.type])
    return RULES[gate.type]


def decides(result: GateResult) -> bool:
    """Whether the candidate needs this gate."""
    return result.effect != GateEffect.ADVISORY


def _impossible(gate: Gate, counts: GateCounts, level: Level) -> str | None:
    if counts.name != gate.name or counts.suite != gate.suite:
        return f"these are the counts of {counts.suite}/{counts.name}, not of {gate.suite}/{gate.name}"
    if counts.error:
        return counts.error
    if level.exhausted:
        return f"the suite has decided {level.look - 1} times, its refresh policy allows {level.of}; give it new items"
    bound = BOUNDS.get(gate.type)
    if bound is not None and getattr(gate, bound) is None:
        return f"a {gate.type.value} gate needs {NAMES.get(bound, bound)}"
    return _wrong_counts(counts) or _wrong_numbers(gate, counts)


def _wrong_counts(counts: GateCounts) -> str | None:
    if counts.n == 0:
        return "no items were compared"
    if min(counts.n, counts.both, counts.only_champion, counts.only_candidate, counts.neither) < 0:
        return "the counts are impossible: they are negative or sum to more than n"
    if counts.clusters is not None and not 1 <= counts.clusters <= counts.n:
        return "the counts are impossible: there are no clusters, or more than items"
    found = counts.effective
    if found is not None and (min(found.n, found.gains, found.losses) < 0 or found.gains + found.losses > found.n):
        return "the effective counts are impossible: they are negative or sum to more than n"
    if found is not None and (found.n > counts.n or not math.isfinite(found.design_effect)):
        return "the effective counts are impossible: clusters are worth no more than their items"
    return None


def _wrong_numbers(gate: Gate, counts: GateCounts) -> str | None:
    labels = counts.judge_labels
    if gate.metric is Metric.JUDGED_BETTER and not counts.advisory and sum(labels) == 0:
        return "no labels say what the judge is worth"
    if labels and (len(labels) != KINDS * KINDS or min(labels) < 0):
        return "the table of the judge's labels is impossible"
    if gate.type is GateType.LIMIT and (counts.value is None or not math.isfinite(counts.value)):
        return f"{gate.metric.value} was not measured"
    if gate.type is GateType.BOOTSTRAP:
        return continuous.impossible(counts)
    if counts.clusters is not None and (counts.effective is None or counts.effective.n == 0):
        return "the counts do not say what the clusters are worth"
    return None


def _result(gate: Gate, counts: GateCounts, level: Level, found: Finding) -> GateResult:
    advisory = bool(counts.advisory) or gate.effect is GateEffect.ADVISORY
    why = f"advisory, {counts.advisory}: " if counts.advisory else ""
    return GateResult(
        name=gate.name,
        verdict=found.verdict,
        type=gate.type.value,
        n=max(0, counts.n),
        both=max(0, counts.both),
        only_champion=max(0, counts.only_champion),
        only_candidate=max(0, counts.only_candidate),
        estimate=_numeral(found.estimate),
        lower=None if found.interval is None else numeral(found.interval.lower),
        upper=None if found.interval is None else numeral(found.interval.upper),
        effect=(GateEffect.ADVISORY if advisory else gate.effect).value,
        metric=gate.metric.value,
        suite=gate.suite,
        suite_digest=counts.suite_digest,
        look=level.look,
        alpha=numeral(level.alpha),
        clusters=None if counts.clusters is None else max(0, counts.clusters),
        evidence_digest=counts.evidence_digest,
        p_value=_numeral(found.p),
        required_n=found.required_n,
        message=f"{why}{found.message}"[:TEXT],
    )


def _numeral(value: float | None) -> str | None:
    return None if value is None else numeral(value)
