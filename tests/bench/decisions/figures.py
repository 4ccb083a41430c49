"""What is proved: groups of figures, each of which runs on its own (in a process of its own)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from tests.bench.decisions import clusters, life, means, offline, online, pairs, reuse
from tests.bench.gateway.figure import Effort, Figure

SEED = 20261124
MARGIN = 0.05
CHURNS = (0.02, 0.05, 0.10)
_P = "probability"


def equal_models(effort: Effort) -> Iterator[Figure]:
    aa = online.false_aborts(effort.of(2000), SEED)
    yield Figure("decisions.aa_false_abort", aa["e-process"], _P, "<=0.05", more={"rules": aa})


def candidates_at_the_ratio(effort: Effort) -> Iterator[Figure]:
    promoted = online.false_promotions(effort.of(1000), SEED)
    yield Figure("decisions.false_promotion", promoted, _P, "<=0.05")
    trap = online.simpson(effort.of(1000), SEED)
    yield Figure("decisions.simpson_false_abort", trap["e-process"], _P, "<=0.05", more={"rules": trap})


def harmful_models(effort: Effort) -> Iterator[Figure]:
    found, median = online.harm_found(effort.of(1000), SEED)
    yield Figure("decisions.harm_2x_found", found, _P, ">=0.9", more={"median_sessions": median})
    found, false = online.wrong_share_found(effort.of(2000), SEED)
    yield Figure("decisions.srm_found", found, _P, ">=0.7", more={"false_alarms": false})
    yield Figure("decisions.srm_false_alarm", false, _P, "<=0.003")


def sequences(effort: Effort) -> Iterator[Figure]:
    yield Figure("decisions.sequence_coverage", online.sequence_coverage(effort.of(1000), SEED), _P, ">=0.9")
    kept, needed = online.plan_kept(effort.of(400), SEED)
    yield Figure("decisions.plan_kept", kept, _P, "0.75 to 0.85", more={"sessions": needed})


def of_means(effort: Effort) -> Iterator[Figure]:
    yield Figure("decisions.mean_aa_false_abort", means.false_aborts(effort.of(2000), SEED), _P, "<=0.05")
    yield Figure("decisions.mean_false_promotion", means.false_promotions(effort.of(1000), SEED), _P, "<=0.05")
    found, median = means.harm_found(effort.of(500), SEED)
    yield Figure("decisions.mean_harm_found", found, _P, ">=0.8", more={"median_rated_of_canary": median})
    yield Figure("decisions.mean_equal_promoted", means.equal_promoted(effort.of(500), SEED), _P, ">=0.8")
    yield Figure("decisions.mean_sequence_coverage", means.sequence_coverage(effort.of(500), SEED), _P, ">=0.9")


def of_pairs(effort: Effort) -> Iterator[Figure]:
    even, _ = pairs.found_worse(0.5, effort.of(2000), SEED)
    yield Figure("decisions.pairs_false_fail", even, _P, "<=0.05")
    yield Figure("decisions.pairs_false_pass", pairs.passed(0.45, effort.of(2000), SEED), _P, "<=0.05")
    powers = {f"{rate:.3g}": pairs.found_worse(rate, effort.of(500), SEED, 6000) for rate in (0.475, 0.45, 0.40)}
    by_rate = {rate: {"found": found, "median_pairs": median} for rate, (found, median) in powers.items()}
    yield Figure("decisions.pairs_45_found", powers["0.45"][0], _P, ">=0.9", more={"by_win_rate": by_rate})
    yield Figure("decisions.pairs_even_passes", pairs.passed(0.5, effort.of(1000), SEED), _P, ">=0.85")
    half = pairs.passed(0.5, effort.of(1000), SEED, ties=0.5)
    yield Figure("decisions.pairs_even_half_ties_passes", half, _P, ">=0.85")
    yield Figure("decisions.pairs_coverage", pairs.coverage(effort.of(1000), SEED), _P, ">=0.9")


def of_lives(effort: Effort) -> Iterator[Figure]:
    kinds = {"realistic": life.REALISTIC, "nine of ten at the ratio": life.ASTRAY, "all at the ratio": life.HOPELESS}
    found = {name: life.lives(kind, effort.of(500), SEED) for name, kind in kinds.items()}
    more: dict[str, object] = {
        name: {
            "e_lond": corrected.regressions,
            "each_alone": alone.regressions,
            "good_promoted_e_lond": _or_none(corrected.promoted_good),
            "good_promoted_each_alone": _or_none(alone.promoted_good),
        }
        for name, (corrected, alone) in found.items()
    }
    worst = max(corrected.regressions for corrected, _ in found.values())
    yield Figure("decisions.lifetime_regressions", worst, "share", "<=0.1", more={"lives": more})


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value


def of_reuse(effort: Effort) -> Iterator[Figure]:
    rules = {"Spend": reuse.SPEND, "Count": reuse.COUNT}
    shipped = {
        f"{rule}, {feedback}": reuse.false_ship(refresh, feedback, effort.of(2000), SEED)
        for rule, refresh in rules.items()
        for feedback in reuse.Feedback
    }
    spent = max(shipped[f"Spend, {f}"] for f in (reuse.Feedback.NOTHING, reuse.Feedback.VERDICT))
    yield Figure("decisions.spending_false_ship", spent, _P, "<=0.05", more={"rules": shipped})


def of_clusters(effort: Effort) -> Iterator[Figure]:
    covered, shown = clusters.bootstrap_errors(100, effort.of(600), SEED)
    yield Figure("decisions.bootstrap_coverage", covered, _P, ">=0.87", more={"clusters": 100})
    yield Figure("decisions.bootstrap_false_pass", shown, _P, "<=0.065", more={"clusters": 100})
    likeness = (0.3,) if effort.quick else (0.0, 0.3, 0.6, 1.0)
    by_likeness = {str(a): clusters.false_ship(a, effort.of(1000), SEED) for a in likeness}
    worst = max(clustered for clustered, _ in by_likeness.values())
    more: dict[str, object] = {a: {"clustered": c, "plain": p} for a, (c, p) in by_likeness.items()}
    yield Figure("decisions.clustered_false_ship", worst, _P, "<=0.05", more={"by_likeness": more})


def gates(effort: Effort) -> Iterator[Figure]:
    sizes = (59,) if effort.quick else (*range(59, 401), 500, 1000)
    worst = {n: offline.worst_false_ship(n, MARGIN) for n in sizes}
    by_n = {str(n): round(worst[n], 4) for n in worst if n in (59, 100, 200, 300, 400, 500, 1000)}
    n = max(worst, key=lambda size: worst[size])
    more: dict[str, object] = {"sizes": len(worst), "worst_n": n, "by_n": by_n}
    yield Figure("decisions.gate_false_ship", worst[n], _P, "<=0.05", more=more)
    others = {"0.03": (99, 150, 300), "0.02": (149, 300), "0.01": (299,)} if not effort.quick else {"0.1": (29,)}
    found = {f"{n} at {m}": round(offline.worst_false_ship(n, float(m)), 4) for m, ns in others.items() for n in ns}
    yield Figure("decisions.gate_false_ship_other_margins", max(found.values()), _P, "<=0.05", more={"by_n": found})
    yield Figure("decisions.gate_equal_ships", offline.ships(200, MARGIN, 0.05, 0.0), _P, ">=0.85")


def power(effort: Effort) -> Iterator[Figure]:
    sizes = (59,) if effort.quick else (59, 100, 150, 200, 300, 400)
    table = {str(n): {str(c): round(offline.ships(n, MARGIN, c, 0.0), 3) for c in CHURNS} for n in sizes}
    yield Figure("decisions.gate_power", table[str(sizes[-1])]["0.05"], _P, ">=0.85", more={"by_n": table})
    n = 59 if effort.quick else 200
    yield Figure("decisions.tango_coverage", offline.worst_tango_coverage(n), _P, ">=0.87")
    yield Figure("decisions.clopper_pearson_coverage", offline.worst_clopper_pearson_coverage(n), _P, ">=0.95")


GROUPS: tuple[Callable[[Effort], Iterator[Figure]], ...] = (
    of_lives,
    of_pairs,
    gates,
    equal_models,
    of_means,
    of_clusters,
    of_reuse,
    sequences,
    candidates_at_the_ratio,
    harmful_models,
    power,
)
"""The longest first."""
