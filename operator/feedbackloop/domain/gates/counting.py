"""From scored items to the counts that gates judge: the same code in the job and in `feedbackloop explain gate`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from feedbackloop.api.evaluation import CONTINUOUS, OF_THE_MODEL, Gate, GateType
from feedbackloop.api.jobs import Continuous, EffectiveCounts, GateCounts
from feedbackloop.domain.gates.findings import Level
from feedbackloop.domain.gates.rows import ItemRow, clustered, clusters, named
from feedbackloop.domain.gates.share import QUANTILE
from feedbackloop.domain.statistics.bootstrap import REPLICATES, paired_bootstrap
from feedbackloop.domain.statistics.clustered import ClusterCounts, effective

NUMBERS = CONTINUOUS | OF_THE_MODEL
ALONE = frozenset({GateType.CEILING, GateType.LIMIT})
"""Types that look at the candidate alone."""


def count(gate: Gate, rows: Sequence[ItemRow], level: Level, *, seed: int = 0, suite_digest: str = "") -> GateCounts:
    """The counts of a gate's items, in whatever order they come."""
    head = GateCounts(name=gate.name, suite=gate.suite, n=len(rows), suite_digest=suite_digest)
    wrong = _wrong(gate, rows)
    if wrong:
        return head.model_copy(update={"error": wrong})
    if gate.type is GateType.BOOTSTRAP:
        return head.model_copy(update=_mean_growth(gate, rows, level, seed))
    if gate.type is GateType.LIMIT:
        head = head.model_copy(update={"value": quantile([float(row.candidate or 0) for row in rows])})
        rows = [_held(row, float(gate.max_value or "0")) for row in rows]
    return head.model_copy(update=_pairs(rows) | _groups(gate, rows))


def quantile(values: Sequence[float], share: float = QUANTILE) -> float:
    """The smallest value that at least this share of the values does not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered) - 1e-9) - 1] if ordered else math.nan


def _wrong(gate: Gate, rows: Sequence[ItemRow]) -> str:
    """Why the rows give no counts."""
    if not rows:
        return "no items were compared"
    if len({row.id for row in rows}) < len(rows):
        return "an item stands twice among the rows"
    unscored = [row for row in rows if row.unscored]
    if unscored:
        return f"{len(unscored)} of {len(rows)} items have no score: {named(unscored)}"
    numbers = gate.metric in NUMBERS
    other = [row for row in rows if any(isinstance(s, bool) is numbers for s in (row.champion, row.candidate))]
    if other:
        wanted = "numbers" if numbers else "right or wrong"
        return f"{len(other)} of {len(rows)} items are not scored as {wanted}: {named(other)}"
    return ""


def _held(row: ItemRow, most: float) -> ItemRow:
    """A number as right or wrong: at most the limit or not."""
    champion, candidate = (float(score or 0) <= most for score in (row.champion, row.candidate))
    return ItemRow(row.id, champion, candidate, row.intent)


def _pairs(rows: Sequence[ItemRow]) -> dict[str, int]:
    return {
        "both": sum(row.champion is True and row.candidate is True for row in rows),
        "only_champion": sum(row.lost for row in rows),
        "only_candidate": sum(row.gained for row in rows),
    }


def _groups(gate: Gate, rows: Sequence[ItemRow]) -> dict[str, int | EffectiveCounts]:
    """What clusters are worth, where there are any."""
    if not clustered(rows) or gate.type is GateType.NO_NEW_FAILURES or gate.metric in OF_THE_MODEL:
        return {}
    groups = clusters(rows)
    found = effective([_cluster(gate, group) for group in groups.values()])
    worth = EffectiveCounts(n=found.n, gains=found.gains, losses=found.losses, design_effect=found.design_effect)
    return {"clusters": len(groups), "effective": worth}


def _cluster(gate: Gate, rows: Sequence[ItemRow]) -> ClusterCounts:
    if gate.type in ALONE:
        return ClusterCounts(0, sum(row.candidate is False for row in rows), len(rows))
    return ClusterCounts(sum(row.gained for row in rows), sum(row.lost for row in rows), len(rows))


def _mean_growth(gate: Gate, rows: Sequence[ItemRow], level: Level, seed: int) -> dict[str, object]:
    groups = clusters(rows)
    grown = [(name, float(row.candidate or 0) - float(row.champion or 0)) for name, g in groups.items() for row in g]
    found = paired_bootstrap(
        [difference for _, difference in grown],
        [name for name, _ in grown],
        limit=float(gate.max_loss or "0"),
        alpha=level.alpha,
        seed=seed,
    )
    numbers = Continuous(**found._asdict(), replicates=REPLICATES, seed=seed)
    return {"continuous": numbers, "clusters": len(groups) if len(groups) < len(rows) else None}
