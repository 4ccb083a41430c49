"""The proof as a table of Markdown, written between two marks of a page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.bench.gateway.figure import Figure

BEGIN, END = "<!-- begin: make bench-decisions -->", "<!-- end: make bench-decisions -->"
_ABOUT = {
    "decisions.aa_false_abort": "two equal models, 24 h, a look every 5 minutes, 5 → 25 → 50 %: taken back",
    "decisions.simpson_false_abort": "the base rate triples while the weight rises, equal models: taken back",
    "decisions.harm_2x_found": "twice the down-votes (base 2 %) at 50/50: taken back within 4 200 sessions",
    "decisions.srm_found": "5.5 % of sessions where the weight says 10 %: found within 2 000 sessions",
    "decisions.sequence_coverage": "confidence sequence holds the true ratio at every look",
    "decisions.gate_false_ship": "a candidate exactly at the margin of 5 %: shipped (exact, worst case)",
    "decisions.gate_equal_ships": "an equal candidate, 200 items, 5 % of answers changed: shipped (exact)",
    "decisions.tango_coverage": "90 % Tango interval, 200 items, 10 % changed: coverage (exact)",
    "decisions.clopper_pearson_coverage": "95 % Clopper-Pearson interval, 3 % of 200: coverage (exact)",
}


def table(figures: Iterable[Figure]) -> str:
    """The figures, the rules that are used elsewhere on the same streams, and the gate's power."""
    made = {figure.name: figure for figure in figures}
    rows = [f"| {_ABOUT[name]} | {f.value:.3f} | {f.goal} |" for name, f in made.items() if name in _ABOUT]
    parts = ["| case | probability | goal |", "|---|---|---|", *rows, *_rivals(made), *_power(made)]
    return "\n".join(parts)


def _rivals(made: dict[str, Figure]) -> list[str]:
    cases = [made[n] for n in ("decisions.aa_false_abort", "decisions.simpson_false_abort") if n in made]
    lines = ["", "The same streams under rules that are in use:", "", "| case | rule | taken back |", "|---|---|---|"]
    for figure in cases:
        rules = figure.more["rules"]
        assert isinstance(rules, dict)
        lines += [f"| {_ABOUT[figure.name].split(':')[0]} | {rule} | {share:.3f} |" for rule, share in rules.items()]
    return lines


def _power(made: dict[str, Figure]) -> list[str]:
    if "decisions.gate_power" not in made:
        return []
    by_n = made["decisions.gate_power"].more["by_n"]
    assert isinstance(by_n, dict)
    churns = list(next(iter(by_n.values())))
    head = " | ".join(f"{float(c):.0%} changed" for c in churns)
    lines = ["", "An equal candidate ships (margin 5 %, alpha 0.05):", "", f"| items | {head} |", "|---" * 4 + "|"]
    return lines + [f"| {n} | " + " | ".join(f"{row[c]:.3f}" for c in churns) + " |" for n, row in by_n.items()]


def write(page: Path, text: str) -> None:
    """Replaces what stands between the marks. Raises ValueError when the page lacks them."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no section {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
