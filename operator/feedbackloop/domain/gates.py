"""Offline gates: paired counts on fixed items become verdicts (Argo Rollouts' words).

- **NonInferiority**: Successful when the exact unconditional p-value is at most alpha; Failed when the whole
  Tango interval (1 - 2 alpha) lies below -margin, so that the loss is shown; else Inconclusive.
- **Superiority**: Successful when the exact sign test on the discordant items is at most alpha; Failed when the
  candidate loses at least as many items as it gains, among enough that a better one could have shown it
  (5 at alpha 0.05); else Inconclusive.
- **NoNewFailures**: Successful when no item is right with the champion only, else Failed.
- **Ceiling**: of the candidate alone: Successful when the one-sided Clopper-Pearson limit (1 - alpha) of its failing
  share is at most `maxFailures`; Failed when the lower limit is above it; else Inconclusive.

Inconclusive says how many items a verdict needs at the observed rates.
No items, or counts that cannot be, are an Error: a gate fails closed. Only Successful opens it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from feedbackloop.api.evaluation import Gate, GateType
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.statistics import noninferiority, sample_size, superiority, tango
from feedbackloop.domain.statistics.binomial import Interval, clopper_pearson, lower_tail
from feedbackloop.domain.statistics.numerals import numeral, percent


@dataclass(frozen=True)
class Shortage:
    """A gate that no candidate could pass, because its slice has too few items."""

    gate: str
    slice: str
    """`suite` or `suite/slice`."""
    items: int
    required: int

    def __str__(self) -> str:
        return f"gate {self.gate}: {self.slice} has {self.items} items, at least {self.required} are needed"


class _Finding(NamedTuple):
    verdict: Verdict
    message: str
    p: float | None = None
    required_n: int | None = None


def judge(gate: Gate, counts: GateCounts) -> GateResult:
    """What the counts show about this gate, with every number that it rests on."""
    wrong = _impossible(gate, counts)
    if wrong is not None:
        return _result(gate, counts, _Finding(Verdict.ERROR, wrong))
    interval = _interval(gate, counts)
    return _result(gate, counts, _JUDGES[gate.type](gate, counts, interval), interval)


def required_items(gate: Gate) -> int:
    """The smallest n with which the gate can be Successful.

    For NonInferiority that is a candidate which answers every item like the champion, the best
    that a gate against forgetting should count on.
    """
    alpha = float(gate.alpha)
    if gate.type is GateType.CEILING:
        return sample_size.ceiling_minimum(float(gate.max_failures or "0.01"), alpha)
    if gate.type is GateType.NON_INFERIORITY:
        return sample_size.non_inferiority_minimum(float(gate.margin or "0.01"), alpha)
    return sample_size.superiority_minimum(alpha) if gate.type is GateType.SUPERIORITY else 1


def underpowered(gates: Sequence[Gate], slices: Mapping[str, int]) -> tuple[Shortage, ...]:
    """The gates that cannot pass; `slices` are the items per `suite` and `suite/slice`, absent means none."""
    shortages = (Shortage(g.name, key(g), slices.get(key(g), 0), required_items(g)) for g in gates)
    return tuple(s for s in shortages if s.items < s.required)


def key(gate: Gate) -> str:
    """The name of a gate's items in `CurateResult.slices`."""
    return gate.suite if gate.slice is None else f"{gate.suite}/{gate.slice.value}"


def _impossible(gate: Gate, counts: GateCounts) -> str | None:
    if counts.name != gate.name or counts.suite != gate.suite:
        return f"these are the counts of {counts.suite}/{counts.name}, not of {gate.suite}/{gate.name}"
    if counts.n == 0:
        return "no items were compared"
    if min(counts.n, counts.both, counts.only_champion, counts.only_candidate, counts.neither) < 0:
        return "the counts are impossible: they are negative or sum to more than n"
    if gate.type is GateType.NON_INFERIORITY and gate.margin is None:
        return "a NonInferiority gate needs a margin"
    if gate.type is GateType.CEILING and gate.max_failures is None:
        return "a Ceiling gate needs maxFailures"
    return None


def _failures(counts: GateCounts) -> int:
    """Items that the candidate gets wrong."""
    return counts.only_champion + counts.neither


def _interval(gate: Gate, counts: GateCounts) -> Interval:
    if gate.type is GateType.CEILING:
        return clopper_pearson(_failures(counts), counts.n, 1 - 2 * float(gate.alpha))
    return tango.interval(counts.only_candidate, counts.only_champion, counts.n, 1 - 2 * float(gate.alpha))


def _non_inferiority(gate: Gate, counts: GateCounts, interval: Interval) -> _Finding:
    margin, alpha = float(gate.margin or "0"), float(gate.alpha)
    pair = counts.only_candidate, counts.only_champion
    p = noninferiority.p_value(*pair, counts.n, margin)
    evidence = f"p = {numeral(p)}, alpha {gate.alpha}; {_difference(counts, interval)}"
    if p <= alpha:
        return _Finding(Verdict.SUCCESSFUL, f"not worse than the champion by {percent(margin)}: {evidence}", p)
    if interval.upper < -margin:
        return _Finding(Verdict.FAILED, f"worse than the champion by more than {percent(margin)}: {evidence}", p)
    needed = sample_size.non_inferiority_needed(*pair, counts.n, margin, alpha)
    return _Finding(Verdict.INCONCLUSIVE, f"not shown within {percent(margin)}: {evidence}{_needs(needed)}", p, needed)


def _superiority(gate: Gate, counts: GateCounts, interval: Interval) -> _Finding:
    gains, losses, alpha = counts.only_candidate, counts.only_champion, float(gate.alpha)
    p = superiority.p_value(gains, losses)
    evidence = f"p = {numeral(p)}, alpha {gate.alpha}; {_difference(counts, interval)}"
    if p <= alpha:
        return _Finding(Verdict.SUCCESSFUL, f"better than the champion: {evidence}", p)
    if gains <= losses and gains + losses >= sample_size.superiority_minimum(alpha):
        return _Finding(Verdict.FAILED, f"not better than the champion: {evidence}", p)
    needed = sample_size.superiority_needed(gains, losses, counts.n, p, alpha)
    return _Finding(Verdict.INCONCLUSIVE, f"not shown to be better: {evidence}{_needs(needed)}", p, needed)


def _no_new_failures(gate: Gate, counts: GateCounts, interval: Interval) -> _Finding:
    del gate, interval
    if counts.only_champion == 0:
        return _Finding(Verdict.SUCCESSFUL, f"no new failure on {counts.n} items")
    return _Finding(Verdict.FAILED, f"{counts.only_champion} of {counts.n} items fail that the champion gets right")


def _ceiling(gate: Gate, counts: GateCounts, interval: Interval) -> _Finding:
    most, failures = float(gate.max_failures or "0"), _failures(counts)
    p = lower_tail(failures, counts.n, most)
    share = f"{percent(failures / counts.n)} ({percent(interval.lower)} to {percent(interval.upper)})"
    evidence = f"p = {numeral(p)}, alpha {gate.alpha}; {failures} of {counts.n} items fail, {share}"
    if p <= float(gate.alpha):
        return _Finding(Verdict.SUCCESSFUL, f"fails at most {percent(most)} of such items: {evidence}", p)
    if interval.lower > most:
        return _Finding(Verdict.FAILED, f"fails more than {percent(most)} of such items: {evidence}", p)
    needed = sample_size.ceiling_needed(failures, counts.n, most, float(gate.alpha))
    return _Finding(Verdict.INCONCLUSIVE, f"not shown below {percent(most)}: {evidence}{_needs(needed)}", p, needed)


_JUDGES = {
    GateType.NON_INFERIORITY: _non_inferiority,
    GateType.SUPERIORITY: _superiority,
    GateType.NO_NEW_FAILURES: _no_new_failures,
    GateType.CEILING: _ceiling,
}


def _difference(counts: GateCounts, interval: Interval) -> str:
    gains, losses = counts.only_candidate, counts.only_champion
    shown = f"{percent((gains - losses) / counts.n)} ({percent(interval.lower)} to {percent(interval.upper)})"
    return f"+{gains} -{losses} of {counts.n} items, difference {shown}"


def _needs(items: int | None) -> str:
    return "; no number of items would show it at these rates" if items is None else f"; needs about {items} items"


def _result(gate: Gate, counts: GateCounts, found: _Finding, interval: Interval | None = None) -> GateResult:
    estimate = _failures(counts) if gate.type is GateType.CEILING else counts.only_candidate - counts.only_champion
    return GateResult(
        name=gate.name,
        verdict=found.verdict,
        type=gate.type.value,
        n=max(0, counts.n),
        both=max(0, counts.both),
        only_champion=max(0, counts.only_champion),
        only_candidate=max(0, counts.only_candidate),
        estimate=None if interval is None else numeral(estimate / counts.n),
        lower=None if interval is None else numeral(interval.lower),
        upper=None if interval is None else numeral(interval.upper),
        p_value=None if found.p is None else numeral(found.p),
        required_n=found.required_n,
        message=found.message,
    )
