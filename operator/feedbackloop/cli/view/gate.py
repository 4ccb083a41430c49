"""A gate as a person wants it: the verdict, its interval beside its bound, the items that changed sides, the checks."""

from __future__ import annotations

from feedbackloop.api.evaluation import OF_THE_MODEL, GateType, Reuse
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.cli.view.text import Style, block
from feedbackloop.domain.gates import Evidence, decides
from feedbackloop.domain.gates.power import churn, items_for_power
from feedbackloop.domain.gates.recomputing import Recomputed
from feedbackloop.domain.statistics.numerals import percent

COLOURS = {Verdict.SUCCESSFUL: "green", Verdict.FAILED: "red", Verdict.INCONCLUSIVE: "yellow", Verdict.ERROR: "red"}
LISTED = 12
SCALE = 48
"""Columns of an interval."""


def gate_lines(found: Recomputed, style: Style) -> list[str]:
    if found.evidence is None:
        return [f"{style.paint(found.name, 'bold')}  {style.paint('unknown', 'red')}", *_checks(found, style)]
    one = found.evidence
    verdict = style.paint(one.verdict.verdict.value, COLOURS[one.verdict.verdict])
    about = f"{one.gate.type.value} of {one.gate.metric.value} on {_slice(one)}"
    effect = "" if decides(one.verdict) else ", advisory: decides nothing"
    return [
        f"{style.paint(found.name, 'bold')}  {verdict}  {about}{effect}",
        *block(style, "  why", [one.verdict.message]),
        *block(style, "  interval", _interval(one, style)),
        *block(style, "  items", _items(one)),
        *block(style, "  lost", _changed([row.id for row in one.items if row.lost])),
        *block(style, "  gained", _changed([row.id for row in one.items if row.gained])),
        *block(style, "  level", [_level(one)]),
        *block(style, "  needs", _needs(one)),
        *block(style, "  judge", _judge(one)),
        *block(style, "  measured", _measured(one)),
        *_checks(found, style),
    ]


def _slice(one: Evidence) -> str:
    part = "" if one.gate.slice is None else f", slice {one.gate.slice.value}"
    return f"suite {one.gate.suite}{part}"


def _items(one: Evidence) -> list[str]:
    counts = one.counts
    if one.gate.metric in OF_THE_MODEL:
        return []
    if one.gate.type is GateType.BOOTSTRAP or counts.error:
        return [f"{counts.n}"]
    shown = (
        f"{counts.n}: both right {counts.both}, only champion {counts.only_champion},"
        f" only candidate {counts.only_candidate}, neither {counts.neither}"
    )
    if counts.effective is None:
        return [shown]
    worth = f"{counts.clusters} intents, worth {counts.effective.n} independent items"
    return [shown, f"{worth} (design effect {counts.effective.design_effect:.3g})"]


def _changed(ids: list[str]) -> list[str]:
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    return [f"{', '.join(ids[:LISTED])}{more}"] if ids else []


def _level(one: Evidence) -> str:
    level, refresh = one.level, one.suite.refresh
    alpha = f"alpha {level.alpha:.4g}"
    if level.look == 0:
        return alpha
    if refresh.reuse is Reuse.SPEND:
        return f"{alpha} = {one.gate.alpha} / {level.of} looks; this is look {level.look} at these items"
    stale = f", {refresh.looks} were planned: refresh the set" if level.look > refresh.looks else ""
    return f"{alpha}; look {level.look} at these items (counted{stale})"


def _needs(one: Evidence) -> list[str]:
    found, counts = one.verdict, one.counts
    said = [] if found.required_n is None else [f"about {found.required_n} items for a verdict at these rates"]
    if one.gate.type is GateType.NON_INFERIORITY and counts.n and not counts.error:
        share = churn(counts.only_candidate, counts.only_champion, counts.n)
        margin = float(one.gate.margin or "0")
        needed = items_for_power(margin, one.level.alpha, share)
        said.append(
            f"{percent(share)} churn: an equal candidate shows {percent(margin)} in 85 % with about {needed} items"
        )
    return said


def _judge(one: Evidence) -> list[str]:
    found = one.judge
    if not found:
        return []
    return [
        f"{found.get('model')} (family {found.get('family')}): kappa {found.get('kappa')} against {found.get('labels')}"
        f" human labels, at least {found.get('minKappa')} is declared; agreement {found.get('agreement')}"
    ]


def _measured(one: Evidence) -> list[str]:
    how = ", ".join(f"{name} {value}" for name, value in sorted(one.decoding.items()))
    short = {name: digest.removeprefix("sha256:")[:12] for name, digest in one.models.items()}
    return [
        f"candidate {short.get('candidate')} against champion {short.get('champion')}",
        f"scorer {one.scorer}; {how}; bootstrap seed {one.seed}",
        f"items {one.suite_digest}",
        f"evidence {one.digest}",
    ]


def _checks(found: Recomputed, style: Style) -> list[str]:
    good = [f"{style.mark('done')} {what}" for what in found.agreed]
    return block(style, "  checks", [*good, *(f"{style.mark('failed')} {what}" for what in found.problems)])


def _interval(one: Evidence, style: Style) -> list[str]:
    """From the lower to the upper limit, with zero and the bound that must not be reached."""
    found = one.verdict
    if found.lower is None or found.upper is None or found.estimate is None:
        return []
    low, at, high = float(found.lower), float(found.estimate), float(found.upper)
    bound = _bound(one)
    known = [low, high, 0.0, *([bound] if bound is not None else [])]
    left, right = min(known), max(known)
    if right <= left:
        return []
    pad = (right - left) * 0.04
    drawn = _draw(style, (left - pad, right + pad), (low, at, high), bound)
    marks = f"0 at {_sign(style, '│', '|')}" + ("" if bound is None else f", bound {_show(one, bound)} at !")
    return [drawn, f"{_show(one, low)} … {_show(one, at)} … {_show(one, high)}   ({marks})"]


def _draw(style: Style, ends: tuple[float, float], values: tuple[float, float, float], bound: float | None) -> str:
    def column(value: float) -> int:
        return max(0, min(SCALE - 1, round((value - ends[0]) / (ends[1] - ends[0]) * (SCALE - 1))))

    low, at, high = map(column, values)
    line = [" "] * SCALE
    for place in range(low, high + 1):
        line[place] = _sign(style, "━", "=")
    line[column(0.0)] = _sign(style, "│", "|")
    if bound is not None:
        line[column(bound)] = "!"
    line[at] = _sign(style, "●", "o")
    return "".join(line)


def _sign(style: Style, unicode: str, plain: str) -> str:
    return unicode if style.unicode else plain


def _bound(one: Evidence) -> float | None:
    gate = one.gate
    if gate.type is GateType.NON_INFERIORITY:
        return -float(gate.margin or "0")
    declared = gate.max_failures if gate.type is GateType.CEILING else gate.max_loss
    return None if declared is None else float(declared)


def _show(one: Evidence, value: float) -> str:
    return f"{value:.4g}" if one.gate.type is GateType.BOOTSTRAP else percent(value)
