"""The comparison in MLflow: its counts, the judge's quality, a table, and a picture."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from feedbackloop.api.jobs import ShadowResult, ShadowSpec
from feedbackloop.domain.evidence.pairs import win_rate_interval
from feedbackloop.domain.statistics.numerals import percent
from feedbackloop.jobs.shadow.pairs import Skip
from feedbackloop.jobs.tracker import Measure, Tracker

TABLE, PICTURE = "shadow/pairs.json", "shadow/pairs.html"
ALPHA = 0.05
"""Of each end of the interval that is shown; the step's own alpha is the decision's."""
COUNTS = ("wins", "losses", "ties", "inconsistent", "skipped")
QUALITY = ("agreement", "kappa", "kappa_lower", "position_bias", "length_bias")
WIDTH, HEIGHT, LEFT = 720, 130, 10
PARTS = (("wins", "#2e7d4f"), ("ties", "#757575"), ("losses", "#b3382c"))
STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse}"
    "td,th{padding:4px 10px;text-align:left;border-bottom:1px solid #ddd}"
)


def log(tracker: Tracker, spec: ShadowSpec, result: ShadowResult, skipped: Mapping[Skip, int]) -> None:
    tracker.parameters({"shadow.metric": spec.metric.value, "shadow.candidate_digest": spec.candidate_digest})
    tracker.measures(measures(result))
    tracker.table(TABLE, columns(result, skipped))
    tracker.text(PICTURE, page(spec, result, skipped))


def measures(result: ShadowResult) -> Iterator[Measure]:
    now = int(time.time() * 1000)
    for name in ("pairs", *COUNTS):
        yield Measure(f"shadow.{name}", float(getattr(result, name)), now)
    if result.judge is not None:
        for name in QUALITY:
            yield Measure(f"shadow.judge.{name}", float(getattr(result.judge, name)), now)


def columns(result: ShadowResult, skipped: Mapping[Skip, int]) -> dict[str, list[Any]]:
    rows = _rows(result, skipped)
    return {"what": [what for what, _ in rows], "pairs": [number for _, number in rows]}


def page(spec: ShadowSpec, result: ShadowResult, skipped: Mapping[Skip, int]) -> str:
    """Plain HTML and SVG; it holds counts and digests only."""
    rows = "".join(f"<tr><td>{escape(what)}</td><td>{number}</td></tr>" for what, number in _rows(result, skipped))
    return (
        f'<!doctype html><meta charset="utf-8"><title>Shadow pairs</title><style>{STYLE}</style>'
        f"<h1>Shadow pairs</h1><p>Candidate {escape(spec.candidate_digest)} against champion"
        f" {escape(spec.champion_digest)}, by {escape(spec.metric.value)}.</p>"
        f"{bar(result)}{_advisory(result)}<table>{rows}</table>{_judge(result)}"
    )


def bar(result: ShadowResult) -> str:
    """Wins, ties and losses as one bar; below it the win rate with its confidence sequence."""
    if result.pairs == 0:
        return "<p>No pair was compared.</p>"
    parts, at = [], float(LEFT)
    for name, colour in PARTS:
        number = getattr(result, name)
        width = (WIDTH - 2 * LEFT) * number / result.pairs
        parts.append(f'<rect x="{at:.1f}" y="24" width="{width:.1f}" height="26" fill="{colour}"/>')
        if width > 60:
            parts.append(f'<text x="{at + 6:.1f}" y="42" fill="#fff">{number} {name}</text>')
        at += width
    return f"{_open()}{''.join(parts)}{_interval(result)}</svg>"


def _open() -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-size="13">'


def _interval(result: ShadowResult) -> str:
    """A tie is half a win and half a loss, as in the decision."""
    wins, losses = result.wins + result.ties / 2, result.losses + result.ties / 2
    low, high = win_rate_interval(wins, losses, ALPHA)
    rate = wins / result.pairs
    x0, x1, dot, even = (LEFT + (WIDTH - 2 * LEFT) * share for share in (low, high, rate, 0.5))
    return (
        f'<line x1="{even}" x2="{even}" y1="62" y2="98" stroke="#999"/>'
        f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="80" y2="80" stroke="#444" stroke-width="3"/>'
        f'<circle cx="{dot:.1f}" cy="80" r="5" fill="#444"/>'
        f'<text x="{LEFT}" y="122">win rate {percent(rate)}, between {percent(low)} and {percent(high)};'
        " the grey line is 50 %</text>"
    )


def _rows(result: ShadowResult, skipped: Mapping[Skip, int]) -> list[tuple[str, int]]:
    rows = [("compared", result.pairs)] + [(name, getattr(result, name)) for name in COUNTS]
    return rows + [(f"skipped: {reason.value}", number) for reason, number in sorted(skipped.items())]


def _advisory(result: ShadowResult) -> str:
    return f"<p><b>Advisory:</b> {escape(result.advisory)}.</p>" if result.advisory else ""


def _judge(result: ShadowResult) -> str:
    if result.judge is None:
        return ""
    found = result.judge
    rows = "".join(f"<tr><td>{name.replace('_', ' ')}</td><td>{getattr(found, name)}</td></tr>" for name in QUALITY)
    return (
        f"<h2>Judge {escape(found.model)}</h2><p>Consistent on {found.consistent} of {found.labels} labels.</p>"
        f"<table>{rows}</table>"
    )
