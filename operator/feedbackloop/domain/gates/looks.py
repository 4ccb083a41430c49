"""How often the same items have decided, and what that leaves of a gate's error rate.

Whoever asks the same items again and again learns them (Dwork et al.: The reusable holdout. Science 349 (2015)
636-638), so looks are counted by digest. With `Spend` the looks of a set's life share alpha equally: by the union
bound a bad candidate passes in any of them with at most alpha, whatever was learnt from the looks before, as
long as each look's own test holds its level for the candidate that it meets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from feedbackloop.api.evaluation import Evaluation, Gate, GateEffect, Reuse, Suite
from feedbackloop.api.feedbackloop import SuiteLooks
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.domain.gates.findings import Level
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.statistics.spending import alpha_of_look

KEPT = 32
"""Sets that a loop's status remembers; the ones that decided last."""


def level(gate: Gate, suite: Suite, digest: str, looks: Sequence[SuiteLooks]) -> Level:
    """The error rate of the coming look at the items of that digest; an empty digest is not counted."""
    alpha = float(gate.alpha)
    if not digest:
        return Level(alpha)
    number = before(digest, looks) + 1
    allowed = suite.refresh.looks if suite.refresh.reuse is Reuse.SPEND else 0
    # Beyond the last look there is nothing to spend, which `Level.exhausted` says; the number is for display.
    share = alpha_of_look(suite.refresh, alpha, min(number, suite.refresh.looks)) if allowed else alpha
    return Level(share or alpha, number, allowed)


def before(digest: str, looks: Sequence[SuiteLooks]) -> int:
    """How often these items have decided so far."""
    return next((entry.looks for entry in looks if entry.digest == digest), 0)


def digests(suites: Sequence[Suite], found: Mapping[str, str]) -> dict[str, str]:
    """The digest of every suite as far as it is known before the items are asked: declared, or `found` by a job."""
    declared = {suite.name: suite.source.digest for suite in suites if suite.source.digest is not None}
    return {**found, **declared}


def levels(evaluation: Evaluation, found: Mapping[str, str], looks: Sequence[SuiteLooks]) -> dict[str, Level]:
    """The level of every gate, by its name."""
    known, suites = digests(evaluation.suites, found), {suite.name: suite for suite in evaluation.suites}
    return {gate.name: level(gate, suites[gate.suite], known.get(gate.suite, ""), looks) for gate in evaluation.gates}


def levels_of(
    evaluation: Evaluation, counts: Mapping[str, GateCounts], looks: Sequence[SuiteLooks]
) -> dict[str, Level]:
    """The level of every gate by the digest of the items that it was counted on."""
    suites, nothing = {suite.name: suite for suite in evaluation.suites}, GateCounts(name="", suite="", n=0)
    return {
        gate.name: level(gate, suites[gate.suite], counts.get(gate.name, nothing).suite_digest, looks)
        for gate in evaluation.gates
    }


def exhausted(evaluation: Evaluation, at: Mapping[str, Level]) -> str:
    """Which suites of Required gates have nothing left to spend, for a person; empty when all may decide."""
    spent = {
        gate.suite: at[gate.name]
        for gate in evaluation.gates
        if gate.effect is GateEffect.REQUIRED and at[gate.name].exhausted
    }
    return "; ".join(
        f"suite {name} has decided {found.look - 1} times, its refresh policy allows {found.of}: give it new items"
        for name, found in sorted(spent.items())
    )


def looked(previous: Sequence[SuiteLooks], results: Sequence[GateResult], now: datetime) -> tuple[SuiteLooks, ...]:
    """The counts with an evaluation's looks in them. Counting the same results again changes nothing.

    A look has the number that it was judged with, so a set has been looked at as often as its highest number.
    """
    entries = {entry.digest: entry for entry in previous}
    for result in results:
        known = entries.get(result.suite_digest)
        if result.look and result.suite_digest and (known is None or known.looks < result.look):
            entries[result.suite_digest] = SuiteLooks(
                digest=result.suite_digest, suite=result.suite, looks=result.look, last_at=stamp(now)
            )
    kept = sorted(entries.values(), key=lambda entry: (entry.last_at, entry.digest))[-KEPT:]
    return tuple(sorted(kept, key=lambda entry: entry.digest))
