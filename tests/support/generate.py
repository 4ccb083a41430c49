"""Writes what is generated besides the CRDs: the chart's copies of them, its values' schema, the tables
of reasons and of events."""

from __future__ import annotations

import ast
import inspect
import shutil
from pathlib import Path

from feedbackloop.api import conditions
from feedbackloop.events.schema import document
from tests.unit.chart import schema as chart_schema

ROOT = Path(__file__).resolve().parents[2]
CHART_CRDS = ROOT / "charts" / "feedbackloop-operator" / "files" / "crds"
CONDITIONS = ROOT / "docs" / "reference" / "conditions.md"
EVENTS = ROOT / "docs" / "reference" / "events.md"

HEAD = """# Conditions and reasons

Written by `make generate` from `operator/feedbackloop/api/conditions.py`; do not edit.

`Ready`, `Reconciling` and `Stalled` follow kstatus: `Stalled` is present only while a person must act. Nothing in the
operator decides from a condition; they are observations for people and tools.
"""


def copy_crds() -> None:
    CHART_CRDS.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        shutil.copyfile(path, CHART_CRDS / path.name)


def documented(name: str) -> list[tuple[str, str]]:
    """(value, docstring) of each member of an enum, read from its source: a string below a member is its docstring."""
    tree = ast.parse(inspect.getsource(conditions))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name).body
    rows: list[tuple[str, str]] = []
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            rows.append((str(node.value.value), ""))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and rows:
            rows[-1] = (rows[-1][0], " ".join(str(node.value.value).split()))
    return rows


def table(title: str, name: str) -> str:
    lines = [f"\n## {title}", "| value | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{value}` | {meaning} |" for value, meaning in documented(name))]) + "\n"


def main() -> None:
    copy_crds()
    chart_schema.PATH.write_text(chart_schema.text(), encoding="utf-8")
    text = HEAD + table("Condition types", "ConditionType") + table("Reasons", "Reason")
    CONDITIONS.write_text(text, encoding="utf-8")
    EVENTS.write_text(document.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
