"""The gates as one page: a table, and every interval beside zero. Plain HTML and SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from feedbackloop.api.evaluation import GateType
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.rolloutstatus import Verdict

COLOURS = {Verdict.SUCCESSFUL: "#2e7d4f", Verdict.FAILED: "#b3382c", Verdict.INCONCLUSIVE: "#a8751a"}
OTHER = "#666"
WIDTH, LEFT, ROW, RIGHT = 760, 150, 34, 40
STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{padding:4px 10px;text-align:left;border-bottom:1px solid #ddd}"
)
HEADERS = ("gate", "verdict", "items", "both", "only champion", "only candidate", "why")


def page(results: Sequence[GateResult], accuracy: Mapping[str, Mapping[str, float]]) -> str:
    shares = "".join(_row((suite, f"{s['champion']:.1%}", f"{s['candidate']:.1%}")) for suite, s in accuracy.items())
    return (
        f'<!doctype html><meta charset="utf-8"><title>Gates</title><style>{STYLE}</style>'
        f"<h1>Gates</h1><table>{_row(HEADERS, 'th')}{''.join(_gate(r) for r in results)}</table>"
        f"<h2>Candidate minus champion</h2>{intervals(results)}"
        f"<h2>Right answers</h2><table>{_row(('suite', 'champion', 'candidate'), 'th')}{shares}</table>"
    )


def intervals(results: Sequence[GateResult]) -> str:
    """A line from the lower to the upper limit of each paired gate, a dot at the estimate."""
    ticks = "".join(_tick(share) for share in (-1.0, -0.5, 0.0, 0.5, 1.0))
    paired = [result for result in results if result.type != GateType.CEILING]
    lines = "".join(_interval(row, result) for row, result in enumerate(paired))
    height = (len(paired) + 1) * ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-size="13">{ticks}{lines}</svg>'
    )


def _gate(result: GateResult) -> str:
    counts = (result.n, result.both, result.only_champion, result.only_candidate)
    return _row((result.name, result.verdict.value, *map(str, counts), result.message))


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _x(share: float) -> float:
    return round(LEFT + (share + 1) / 2 * (WIDTH - LEFT - RIGHT), 1)


def _tick(share: float) -> str:
    colour = "#999" if share == 0 else "#ddd"
    line = f'<line x1="{_x(share)}" x2="{_x(share)}" y1="0" y2="100%" stroke="{colour}"/>'
    return f'{line}<text x="{_x(share) + 3}" y="12" fill="#666">{share:+.1f}</text>'


def _interval(row: int, result: GateResult) -> str:
    y = (row + 1) * ROW
    name = f'<text x="4" y="{y + 4}">{escape(result.name)}</text>'
    if result.estimate is None:
        return name
    at, colour = _x(float(result.estimate)), COLOURS.get(result.verdict, OTHER)
    low, high = (_x(float(limit if limit is not None else result.estimate)) for limit in (result.lower, result.upper))
    line = f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
    return f'{name}{line}<circle cx="{at}" cy="{y}" r="5" fill="{colour}"/>'
