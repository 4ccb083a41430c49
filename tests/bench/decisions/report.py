"""The proof as tables of Markdown, written between two marks of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.bench.gateway.figure import Figure

BEGIN, END = "<!-- begin: make bench-decisions -->", "<!-- end: make bench-decisions -->"
_ABOUT = {
    "decisions.aa_false_abort": "two equal models, 24 h, a look every 5 minutes, 5 → 25 → 50 %: taken back",
    "decisions.false_promotion": "a candidate exactly at the ratio of 1.25, base 10 %, the same day: promoted",
    "decisions.simpson_false_abort": "the base rate triples while the weight rises, equal models: taken back",
    "decisions.harm_2x_found": "twice the down-votes (base 2 %) at 50/50: taken back within 4 200 sessions",
    "decisions.srm_found": "5.5 % of sessions where the weight says 10 %: found within 2 000 sessions",
    "decisions.srm_false_alarm": "10 % where the weight says 10 %: alarm within a day",
    "decisions.sequence_coverage": "confidence sequence holds the true ratio at every tenth of a day",
    "decisions.plan_kept": "an equal candidate is decided within the sessions of `status.plan`",
    "decisions.mean_aa_false_abort": "means (stars of skewed raters), equal models, the same day: taken back",
    "decisions.mean_false_promotion": "means, a candidate exactly at the margin of 0.2: promoted",
    "decisions.mean_harm_found": "means, 0.2 standard deviations worse, canary 10 %: taken back within a day",
    "decisions.mean_equal_promoted": "means, an equal candidate at 50/50: promoted within a day",
    "decisions.mean_sequence_coverage": "means: confidence sequence holds the true difference at every tenth of a day",
    "decisions.pairs_false_fail": "shadow pairs, an even candidate, judged after every 25 of 2 000: failed",
    "decisions.pairs_false_pass": "shadow pairs, a win rate exactly at 45 % (margin 5 %): passed",
    "decisions.pairs_45_found": "shadow pairs, a win rate of 45 %: failed within 6 000 pairs",
    "decisions.pairs_even_passes": "shadow pairs, an even candidate: passed within 2 000 pairs",
    "decisions.pairs_even_half_ties_passes": "the same when half of the pairs are ties",
    "decisions.pairs_coverage": "shadow pairs: the interval holds the true win rate at every 200th pair",
    "decisions.lifetime_regressions": "regressions among the promotions of a loop's 50 cycles, 500 loops, alpha 0.1",
    "decisions.spending_false_ship": "a candidate at the margin ships in any of 12 looks at one set, `Spend`",
    "decisions.gate_false_ship": "a candidate exactly at the margin of 5 %: shipped (exact, worst of {sizes} sizes)",
    "decisions.gate_false_ship_other_margins": "the same at margins of 3, 2 and 1 %",
    "decisions.gate_equal_ships": "an equal candidate, 200 items, 5 % of answers changed: shipped (exact)",
    "decisions.clustered_false_ship": "four phrasings of 100 intents, a candidate at the margin: shipped",
    "decisions.bootstrap_coverage": "90 % bootstrap interval, 100 clusters of log-normal differences: coverage",
    "decisions.bootstrap_false_pass": "bootstrap, a mean exactly at the limit (those 100 clusters): shipped",
    "decisions.tango_coverage": "90 % Tango interval, 200 items, worst of 13 truths: coverage (exact)",
    "decisions.clopper_pearson_coverage": "95 % Clopper-Pearson interval, 200 items, worst of 100 shares: coverage",
}


def table(figures: Iterable[Figure]) -> str:
    """The figures, the rules that are used elsewhere on the same streams, and the gate's power."""
    made = {figure.name: figure for figure in figures}
    rows = [_row(text, made[name]) for name, text in _ABOUT.items() if name in made]
    details = (_rivals, _lives, _reuse, _clusters, _pairs, _power)
    parts = ["| case | value | goal |", "|---|---|---|", *rows]
    return "\n".join([*parts, *(line for detail in details for line in detail(made))])


def _row(text: str, figure: Figure) -> str:
    goal = figure.goal.replace("<=", "≤ ").replace(">=", "≥ ")
    return f"| {text.format_map(figure.more)} | {figure.value:.3f} | {goal} |"


def _rivals(made: Mapping[str, Figure]) -> list[str]:
    cases = [made[n] for n in ("decisions.aa_false_abort", "decisions.simpson_false_abort") if n in made]
    lines = ["", "The same streams under rules that are in use:", "", "| case | rule | taken back |", "|---|---|---|"]
    for figure in cases:
        rules = _more(figure, "rules")
        lines += [f"| {_ABOUT[figure.name].split(':')[0]} | {rule} | {share:.3f} |" for rule, share in rules.items()]
    return lines


def _lives(made: Mapping[str, Figure]) -> list[str]:
    if "decisions.lifetime_regressions" not in made:
        return []
    lines = ["", "Regressions among the promotions of 50 cycles, and the good candidates that were promoted:", ""]
    lines += ["| candidates | rule | regressions | good ones promoted |", "|---|---|---|---|"]
    for name, life in _more(made["decisions.lifetime_regressions"], "lives").items():
        for rule, key in (("e-LOND", "e_lond"), ("every run alone", "each_alone")):
            good = life[f"good_promoted_{key}"]
            shown = "–" if good is None else f"{good:.3f}"
            lines.append(f"| {name} | {rule} | {life[key]:.4f} | {shown} |")
    return lines


def _reuse(made: Mapping[str, Figure]) -> list[str]:
    if "decisions.spending_false_ship" not in made:
        return []
    lines = ["", "A candidate at the margin ships at least once in 12 looks at the same 200 items:", ""]
    lines += ["| rule, and what the next candidate is made from | shipped |", "|---|---|"]
    rules = _more(made["decisions.spending_false_ship"], "rules")
    return lines + [f"| {rule} | {share:.3f} |" for rule, share in rules.items()]


def _clusters(made: Mapping[str, Figure]) -> list[str]:
    if "decisions.clustered_false_ship" not in made:
        return []
    lines = ["", "A candidate at the margin on four phrasings of each of 100 intents ships:", ""]
    lines += ["| phrasings that do what their intent does | clustered counts | plain counts |", "|---|---|---|"]
    likeness = _more(made["decisions.clustered_false_ship"], "by_likeness")
    return lines + [f"| {float(a):.0%} | {x['clustered']:.3f} | {x['plain']:.3f} |" for a, x in likeness.items()]


def _pairs(made: Mapping[str, Figure]) -> list[str]:
    if "decisions.pairs_45_found" not in made:
        return []
    lines = [
        "",
        "Shadow pairs until harm is shown:",
        "",
        "| win rate | found within 6 000 | median pairs |",
        "|---|---|---|",
    ]
    rates = _more(made["decisions.pairs_45_found"], "by_win_rate")
    return lines + [f"| {float(r):.3g} | {x['found']:.3f} | {x['median_pairs']:.0f} |" for r, x in rates.items()]


def _power(made: Mapping[str, Figure]) -> list[str]:
    if "decisions.gate_power" not in made:
        return []
    by_n = _more(made["decisions.gate_power"], "by_n")
    churns = list(next(iter(by_n.values())))
    head = " | ".join(f"{float(c):.0%} changed" for c in churns)
    lines = ["", "An equal candidate ships (margin 5 %, alpha 0.05):", "", f"| items | {head} |", "|---" * 4 + "|"]
    return lines + [f"| {n} | " + " | ".join(f"{row[c]:.3f}" for c in churns) + " |" for n, row in by_n.items()]


def _more(figure: Figure, key: str) -> dict[str, Any]:
    found = figure.more[key]
    assert isinstance(found, dict)
    return found


def write(page: Path, text: str) -> None:
    """Replaces what stands between the marks. Raises ValueError when the page lacks them."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no section {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
