"""Which gates no candidate could pass, because their slices have too few items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedbackloop.api.evaluation import OF_THE_MODEL, Gate, GateEffect, GateType
from feedbackloop.domain.gates import share
from feedbackloop.domain.gates.findings import Level
from feedbackloop.domain.statistics import bootstrap, sample_size, tango
from feedbackloop.domain.statistics.normal import upper_quantile

_MANY = 1_000_000
INTENTS = "#intents"
"""After a slice's name: how many groups its items make, where some share an intent."""


@dataclass(frozen=True)
class Shortage:
    """A gate that no candidate could pass."""

    gate: str
    slice: str
    """`suite` or `suite/slice`."""
    items: int
    required: int
    units: str = "items"
    effect: GateEffect = GateEffect.REQUIRED

    def __str__(self) -> str:
        return f"gate {self.gate}: {self.slice} has {self.items} {self.units}, at least {self.required} are needed"


def required_items(gate: Gate, level: Level | None = None) -> int:
    """The smallest n with which the gate can be Successful.

    For NonInferiority that is a candidate which answers every item like the champion, the best
    that a gate against forgetting should count on.
    """
    alpha = float(gate.alpha) if level is None else level.alpha
    match gate.type:
        case GateType.NON_INFERIORITY:
            return sample_size.non_inferiority_minimum(float(gate.margin or "0.01"), alpha)
        case GateType.CEILING:
            return sample_size.ceiling_minimum(float(gate.max_failures or "0.01"), alpha)
        case GateType.LIMIT:
            return 0 if gate.metric in OF_THE_MODEL else sample_size.ceiling_minimum(share.ABOVE, alpha)
        case GateType.BOOTSTRAP:
            return bootstrap.FEWEST_CLUSTERS
        case GateType.SUPERIORITY:
            return sample_size.superiority_minimum(alpha)
        case GateType.NO_NEW_FAILURES:
            return 1


def underpowered(
    gates: Sequence[Gate],
    slices: Mapping[str, int],
    levels: Mapping[str, Level] | None = None,
    unknown: frozenset[str] = frozenset(),
) -> tuple[Shortage, ...]:
    """The gates that cannot pass. `slices` are the items per `suite` and `suite/slice`, and the groups that they make
    per `suite#intents`; absent means none, except of the suites in `unknown`, whose sizes only the evaluation sees."""
    at = levels or {}
    known = (gate for gate in gates if gate.suite not in unknown)
    return tuple(s for gate in known for s in _shortages(gate, slices, at.get(gate.name)))


def churn(gains: int, losses: int, n: int) -> float:
    """The share of items that changed sides."""
    return (gains + losses) / n if n else 0.0


def items_for_power(margin: float, alpha: float, churned: float, power: float = 0.85) -> int:
    """About how many items show within the margin that an equally good candidate is as good, with that probability.

    By the score statistic: its deviation under a loss of the margin is that of Tango's restricted estimate at the
    observed churn, that of the difference itself is sqrt(churn / n), and half an item is taken off, since the exact
    test moves in whole items. That is on the safe side: the exact power at 5 % margin is 0.89 with 5 % churn.
    """
    least = sample_size.non_inferiority_minimum(margin, alpha)
    if churned == 0:
        return least
    each_way = round(_MANY * churned / 2)
    loss = tango.restricted_loss(each_way, each_way, _MANY, -margin)
    under_null = math.sqrt(max(0.0, 2 * loss - margin * (1 + margin)))
    spread = upper_quantile(alpha) * under_null + upper_quantile(1 - power) * math.sqrt(churned)
    root = (spread + math.sqrt(spread * spread + 2 * margin)) / (2 * margin)
    return max(least, math.ceil(root * root))


def key(gate: Gate) -> str:
    """The name of a gate's items in `CurateResult.slices`."""
    return gate.suite if gate.slice is None else f"{gate.suite}/{gate.slice.value}"


def _shortages(gate: Gate, slices: Mapping[str, int], level: Level | None) -> list[Shortage]:
    name, items, required = key(gate), slices.get(key(gate), 0), required_items(gate, level)
    if items < required:
        return [Shortage(gate.name, name, items, required, effect=gate.effect)]
    # Clustered items of which none is discordant are worth as much as their clusters.
    intents = slices.get(f"{name}{INTENTS}", items)
    if intents < required and gate.type is not GateType.NO_NEW_FAILURES:
        return [Shortage(gate.name, name, intents, required, "intents", gate.effect)]
    return []
