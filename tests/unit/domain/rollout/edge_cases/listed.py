"""The list as a part of the documentation: `python -m tests.unit.domain.rollout.edge_cases.listed` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.unit.domain.rollout.edge_cases.cases import EDGE_CASES, EdgeCase

ROOT = Path(__file__).resolve().parents[5]
DOCUMENT = ROOT / "docs" / "rollouts.md"
BEGIN, END = "<!-- edge cases: generated -->", "<!-- end of edge cases -->"


def written(document: str) -> str:
    """The document with the table of all cases between its two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    head = "| # | What happens | What follows | Shown by |\n|---|---|---|---|"
    return "\n".join([head, *(_row(case) for case in EDGE_CASES)])


def _row(case: EdgeCase) -> str:
    shown = "<br>".join(f"[`{name(test)}`](../{test.split('::')[0]})" for test in case.tests)
    return f"| {case.number} | {case.happens} | {case.answer} | {shown} |"


def name(test: str) -> str:
    return test.rsplit("::", maxsplit=1)[-1].removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
