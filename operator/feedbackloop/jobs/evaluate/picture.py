"""The gates as one page: verdicts, intervals beside their bounds, items, power. Plain HTML and SVG, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from feedbackloop.api.evaluation import GateType
from feedbackloop.api.jobs import JudgeQuality
from feedbackloop.domain.gates import Evidence, decides
from feedbackloop.domain.gates.power import churn, items_for_power
from feedbackloop.domain.statistics.numerals import percent
from feedbackloop.jobs.evaluate.axes import COLOURS, OTHER, axes, draw

STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:1.2em;max-width:1100px;color:#222}h1{margin:0 0 .2em}"
    "table{border-collapse:collapse;margin:.4em 0 1em}td,th{padding:5px 10px;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #ddd}th{color:#555;font-weight:600}td.n{text-align:right}"
    "tr.g td{border-bottom:none;padding-bottom:0}td.w{color:#444;padding-top:1px}"
    ".v{color:#fff;border-radius:3px;padding:1px 7px;white-space:nowrap}.a{color:#777}code{font-size:12px}"
    "svg{max-width:100%;height:auto}summary{cursor:pointer;margin:.3em 0}p.s{margin:.2em 0 1em;color:#444}"
)
HEADERS = ("gate", "verdict", "items", "both", "only champion", "only candidate")
LEGEND = "Dot: the estimate. Line: its interval at 1 \u2212 2 alpha. Dashed: the bound that it must not reach."
LISTED = 50
"""Items of a gate that the page names; the table beside it has all."""
Accuracy = Mapping[str, Mapping[str, float]]


def page(kept: Sequence[Evidence], accuracy: Accuracy, judge: JudgeQuality | None = None) -> str:
    charts = "".join(f"<h2>{escape(axis.title)}</h2>{draw(axis)}" for axis in axes(kept))
    charts += f'<p class="s">{LEGEND}</p>' if charts else ""
    parts = (
        f'<!doctype html><meta charset="utf-8"><title>Gates</title><style>{STYLE}</style>',
        f'<h1>Gates</h1><p class="s">{escape(summary(kept))}</p>',
        f"<table>{_row(HEADERS, 'th')}{''.join(map(_gate, kept))}</table>",
        charts,
        _listed("How many items a verdict needs", [text for one in kept if (text := power(one))]),
        _listed("The judge against people", [quality(judge)] if judge is not None else []),
        _shares(accuracy),
        _changed(kept),
        _digests(kept),
    )
    return "".join(parts)


def summary(kept: Sequence[Evidence]) -> str:
    """The whole in a sentence."""
    deciding = [one for one in kept if decides(one.verdict)]
    passed = sum(one.verdict.verdict == "Successful" for one in deciding)
    advisory = len(kept) - len(deciding)
    more = f"; {advisory} more {'is' if advisory == 1 else 'are'} advisory" if advisory else ""
    return f"{passed} of {len(deciding)} required gates are Successful{more}."


def power(one: Evidence) -> str:
    """What the observed churn asks of the number of items, of a NonInferiority gate."""
    counts, gate = one.counts, one.gate
    if gate.type is not GateType.NON_INFERIORITY or not counts.n or counts.error:
        return ""
    churned = churn(counts.only_candidate, counts.only_champion, counts.n)
    margin, worth = float(gate.margin or "0"), counts.effective.n if counts.effective is not None else counts.n
    needed = items_for_power(margin, one.level.alpha, churned)
    has = f"it has {counts.n}" if worth == counts.n else f"its {counts.n} are worth {worth} independent ones"
    return (
        f"{gate.name}: {percent(churned)} of the items changed sides (churn). To show {percent(margin)} at this churn,"
        f" with an equal candidate and 85 % power, you need about {needed} items; {has}."
    )


def quality(judge: JudgeQuality) -> str:
    return (
        f"{judge.model}: on {judge.labels} human labels it answers alike in both orders for {judge.consistent}, agrees"
        f" with people in {percent(judge.agreement)}, kappa {judge.kappa:.2f} (at least {judge.kappa_lower:.2f})."
    )


def _gate(one: Evidence) -> str:
    """Two rows: MLflow's pane is narrow, and the reason is long."""
    found = one.verdict
    chip = f'<span class="v" style="background:{COLOURS.get(found.verdict, OTHER)}">{found.verdict.value}</span>'
    effect = "" if decides(found) else " advisory"
    about = f'<b>{escape(found.name)}</b> <span class="a">{found.type}, {found.metric}{effect}</span>'
    numbers = "".join(f'<td class="n">{n}</td>' for n in (found.n, *_pairs(one)))
    why = f'<tr><td class="w" colspan="{len(HEADERS)}">{escape(found.message)}</td></tr>'
    return f'<tr class="g"><td>{about}</td><td>{chip}</td>{numbers}</tr>{why}'


def _pairs(one: Evidence) -> tuple[object, object, object]:
    """A mean has none."""
    if one.gate.type is GateType.BOOTSTRAP:
        return "", "", ""
    return one.verdict.both, one.verdict.only_champion, one.verdict.only_candidate


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _listed(title: str, texts: Sequence[str]) -> str:
    return f"<h2>{title}</h2>{''.join(f'<p>{escape(text)}</p>' for text in texts)}" if texts else ""


def _shares(accuracy: Accuracy) -> str:
    rows = "".join(_row((suite, f"{s['champion']:.1%}", f"{s['candidate']:.1%}")) for suite, s in accuracy.items())
    return (
        f"<h2>Right answers</h2><table>{_row(('suite', 'champion', 'candidate'), 'th')}{rows}</table>" if rows else ""
    )


def _changed(kept: Sequence[Evidence]) -> str:
    """Which items changed sides, by id."""
    found = ""
    for one in kept:
        lost, gained = [row.id for row in one.items if row.lost], [row.id for row in one.items if row.gained]
        if lost or gained:
            title = f"{escape(one.gate.name)}: {len(lost)} lost, {len(gained)} gained"
            found += f"<details><summary>{title}</summary>{_ids('lost', lost)}{_ids('gained', gained)}</details>"
    return f"<h2>Items that changed sides</h2>{found}" if found else ""


def _ids(name: str, ids: Sequence[str]) -> str:
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    return f"<p>{name}: {escape(', '.join(ids[:LISTED]))}{more}</p>" if ids else ""


def _digests(kept: Sequence[Evidence]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.gate.name)}</td><td><code>{one.suite_digest}</code></td><td><code>{one.digest}</code></td></tr>"
        for one in kept
    )
    head = _row(("gate", "items", "evidence"), "th")
    return (
        f"<h2>Digests</h2><table>{head}{rows}</table><p>`feedbackloop explain gate RUN` recomputes every verdict.</p>"
    )
