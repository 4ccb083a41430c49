"""The report page: one self-contained HTML file, readable on paper too."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.demo.report import pictures
from examples.demo.report.pictures import AMBER, GOOD

if TYPE_CHECKING:
    from examples.demo.drive import Story

STYLE = """
:root { --ink: #1f2933; --muted: #616e7c; --line: #e4e7eb; --good: #2f9e6e; --bad: #d64545; --wait: #d9902f; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: #f5f7fa; }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 0 0 10px; }
p { margin: 6px 0; } .muted { color: var(--muted); }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-top: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin-top: 18px; }
.tile { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: left; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--muted); } td.n, th.n { text-align: right; }
.Successful, .promoted, .completed { color: var(--good); }
.Failed, .rolled-back, .gated { color: var(--bad); }
.Inconclusive { color: var(--wait); }
"""


def write(story: Story, path: Path) -> Path:
    """Write the page; everything on it comes from the status of the loop and from what users did."""
    status = story.run.get("status", {})
    sections = [
        headline(story, status),
        tiles(story, status),
        quality(story, status),
        rollout(story, status),
        gates(status),
    ]
    sections += [funnel(story, status), rates(story), decisions(status)]
    title = f"FeedbackLoop demo: {story.settings.scenario.value}"
    page = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>" \
           f"<meta name=viewport content='width=device-width, initial-scale=1'><style>{STYLE}</style></head>" \
           f"<body><main>{''.join(sections)}</main></body></html>"  # fmt: skip
    path.write_text(page, encoding="utf-8")
    return path


def section(title: str, body: str, note: str = "") -> str:
    remark = f"<p class=muted>{html.escape(note)}</p>" if note else ""
    return f"<section><h2>{html.escape(title)}</h2>{body}{remark}</section>"


def headline(story: Story, status: dict[str, Any]) -> str:
    name = html.escape(story.run.get("metadata", {}).get("name", "no run"))
    message = html.escape(status.get("message", ""))
    return f"<h1>{name}: <span class='{story.outcome}'>{story.outcome}</span></h1><p class=muted>{message}</p>"


def tiles(story: Story, status: dict[str, Any]) -> str:
    dataset = status.get("dataset") or {}
    facts = [
        ("seconds in all", f"{story.seconds:.0f}"),
        ("of them set-up", f"{story.setup_seconds:.0f}"),
        ("events stored", f"{len(story.found.events):,}"),
        ("events lost", str(story.lost)),
        ("training rows", f"{dataset.get('trainingRows', 0):,}"),
        ("preference pairs", f"{dataset.get('preferencePairs', 0):,}"),
    ]
    return f"<div class=tiles>{''.join(f'<div class=tile><b>{v}</b>{k}</div>' for k, v in facts)}</div>"


def quality(story: Story, status: dict[str, Any]) -> str:
    if story.accuracy_before is None:
        return ""
    bars = [
        ("before the loop", story.accuracy_before, AMBER),
        ("what is served now", story.accuracy_after, GOOD),
    ]
    return section("Quality", pictures.quality(bars), "Questions that no user typed, asked over HTTP before and after.")


def rollout(story: Story, status: dict[str, Any]) -> str:
    if not story.samples:
        return ""
    note = (
        "Above the dashed line the evidence is strong enough to promote (green)"
        " or to take the candidate back (red), whenever one looks."
    )
    return section("Weight and evidence", pictures.rollout(story.samples), note)


def gates(status: dict[str, Any]) -> str:
    if not status.get("gates"):
        return ""
    head = "".join(f"<th class={c}>{t}</th>" for t, c in GATE_HEAD)
    rows = "".join(gate_row(g) for g in status["gates"])
    return section(
        "Gates",
        f"<div class=scroll><table><tr>{head}</tr>{rows}</table></div>",
        "Champion and candidate answered the same items.",
    )


GATE_HEAD = (
    ("gate", "t"), ("verdict", "t"), ("items", "n"), ("both right", "n"), ("only champion", "n"),
    ("only candidate", "n"), ("difference", "n"), ("interval", "n"), ("p", "n"),
)  # fmt: skip


def gate_row(gate: dict[str, Any]) -> str:
    interval = f"{short(gate.get('lower'))} … {short(gate.get('upper'))}"
    cells = [gate.get("n"), gate.get("both"), gate.get("onlyChampion"), gate.get("onlyCandidate")]
    cells += [short(gate.get("estimate")), interval, short(gate.get("pValue"))]
    verdict = gate["verdict"]
    numbers = "".join(f"<td class=n>{html.escape(str(c))}</td>" for c in cells)
    return f"<tr><td>{html.escape(gate['name'])}</td><td class={verdict}>{verdict}</td>{numbers}</tr>"


def short(number: str | None) -> str:
    return "–" if number is None else f"{float(number):.3g}"


def funnel(story: Story, status: dict[str, Any]) -> str:
    dataset = status.get("dataset")
    if not dataset:
        return ""
    stages = [
        ("interactions read", dataset.get("interactions", 0)),
        ("feedback events read", dataset.get("events", 0)),
        ("training rows", dataset.get("trainingRows", 0)),
        ("regression items", dataset.get("regressionItems", 0)),
        ("preference pairs", dataset.get("preferencePairs", 0)),
    ]
    rows = "".join(
        f"<tr><td>{html.escape(e['reason'])}</td><td class=n>{e['count']:,}</td></tr>"
        for e in dataset.get("excluded", [])
    )
    rows += "".join(
        f"<tr><td>bad row: {html.escape(r)}</td><td class=n>{n:,}</td></tr>" for r, n in story.found.refusals.items()
    )
    table = f"<table><tr><th>left out because</th><th class=n>events</th></tr>{rows}</table>" if rows else ""
    return section("From events to training rows", pictures.funnel(stages) + table, f"Data set {dataset['digest']}")


def rates(story: Story) -> str:
    if not story.votes:
        return ""
    wanted = ("Curating", "Training", "Baking")
    marks = [(k, v - story.traffic_start) for k, v in story.moments.items() if k in wanted]
    return section(
        "Realised rates",
        pictures.rates(story.votes, marks),
        "What users did. They see answers only, never an arm or a revision.",
    )


def decisions(status: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(d['at'][11:19])}</td><td>{html.escape(d['what'])}</td><td>{html.escape(d['why'])}</td></tr>"
        for d in status.get("decisions", [])
    )
    return section("Decisions", f"<table><tr><th>at</th><th>what</th><th>why</th></tr>{rows}</table>") if rows else ""
