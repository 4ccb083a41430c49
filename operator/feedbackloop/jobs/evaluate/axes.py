"""Interval charts as SVG: one axis for the gates that share a unit, a mark where each gate's bound lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from feedbackloop.api.evaluation import GateType
from feedbackloop.domain.gates import Evidence

WIDTH, LEFT, ROW, RIGHT, TOP = 820, 190, 34, 60, 26
COLOURS = {"Successful": "#2e7d4f", "Failed": "#b3382c", "Inconclusive": "#a8751a"}
OTHER = "#666"
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Line:
    """One gate on an axis."""

    name: str
    verdict: str
    estimate: float
    lower: float
    upper: float
    bound: float | None = None
    """The value that the interval must not reach."""


@dataclass(frozen=True)
class Axis:
    title: str
    lines: tuple[Line, ...]
    format: str = "{:+.3g} %"
    """Of a value; one with a % is of a share."""


def axes(kept: Sequence[Evidence]) -> list[Axis]:
    """The charts of an evaluation; gates without an interval are in none."""
    drawn = [one for one in kept if one.verdict.lower is not None and one.verdict.upper is not None]
    shares = [one for one in drawn if one.gate.type is GateType.CEILING]
    numbers = [one for one in drawn if one.gate.type is GateType.BOOTSTRAP]
    paired = [one for one in drawn if one not in shares and one not in numbers]
    found = [
        Axis("Right answers, candidate minus champion", tuple(_line(one, -1.0) for one in paired)),
        Axis("Share of items that the candidate fails", tuple(_line(one, 1.0) for one in shares), "{:.3g} %"),
        Axis("Growth of the mean, in units of maxLoss", tuple(map(_relative, numbers)), "{:.3g}"),
    ]
    return [axis for axis in found if axis.lines]


def draw(axis: Axis) -> str:
    """A line from the lower to the upper limit of each gate, a dot at the estimate, a dashed mark at its bound."""
    low, high, step = _range(axis)
    ticks = [low + step * i for i in range(round((high - low) / step) + 1)]
    scale = _Scale(low, high)
    marks = "".join(_tick(scale, at, axis.format) for at in ticks)
    lines = "".join(_interval(scale, row, line, axis.format) for row, line in enumerate(axis.lines))
    height = TOP + len(axis.lines) * ROW + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' font-size="13" role="img"><title>{escape(axis.title)}</title>{marks}{lines}</svg>'
    )


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        inside = min(self.high, max(self.low, value))
        return round(LEFT + (inside - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT), 1)


def _line(one: Evidence, sign: float) -> Line:
    gate, found = one.gate, one.verdict
    declared = gate.margin if gate.type is GateType.NON_INFERIORITY else gate.max_failures
    bound = sign * float(declared) if declared is not None else None
    if gate.type is GateType.SUPERIORITY:
        bound = 0.0
    estimate, lower, upper = (float(text or "0") for text in (found.estimate, found.lower, found.upper))
    return Line(gate.name, found.verdict.value, estimate, lower, upper, bound)


def _relative(one: Evidence) -> Line:
    found, unit = one.verdict, float(one.gate.max_loss or "0") or 1.0
    estimate, lower, upper = (float(text or "0") / unit for text in (found.estimate, found.lower, found.upper))
    return Line(one.gate.name, found.verdict.value, estimate, lower, upper, 1.0)


def _range(axis: Axis) -> tuple[float, float, float]:
    """Both ends at multiples of a round step, with zero inside; about eight steps in all."""
    values = [v for line in axis.lines for v in (line.lower, line.upper, line.bound or 0.0)]
    low, high = min(0.0, *values), max(0.0, *values)
    step = next((s for s in STEPS if (high - low) / s <= 8), 10 ** math.ceil(math.log10((high - low) / 8)))
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _label(value: float, form: str) -> str:
    shown = form.format(value * 100 if "%" in form else value)
    return "0" if abs(value) < 1e-9 else shown.replace("-", "\u2212")


def _tick(scale: _Scale, at: float, form: str) -> str:
    colour = "#888" if abs(at) < 1e-9 else "#e4e4e4"
    x = scale.x(at)
    line = f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="100%" stroke="{colour}"/>'
    return f'{line}<text x="{x}" y="{TOP - 12}" fill="#666" text-anchor="middle">{_label(at, form)}</text>'


def _interval(scale: _Scale, row: int, line: Line, form: str) -> str:
    y, colour = TOP + row * ROW + ROW // 2, COLOURS.get(line.verdict, OTHER)
    at, low, high = (scale.x(value) for value in (line.estimate, line.lower, line.upper))
    name = f'<text x="4" y="{y + 4}">{escape(line.name)}</text>'
    bar = f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
    dot = f'<circle cx="{at}" cy="{y}" r="5" fill="{colour}"/>'
    return f"{name}{_bound(scale, y, line, form)}{bar}{dot}"


def _bound(scale: _Scale, y: int, line: Line, form: str) -> str:
    if line.bound is None:
        return ""
    x, height = scale.x(line.bound), ROW // 2 - 3
    dashed = f'x1="{x}" x2="{x}" y1="{y - height}" y2="{y + height}" stroke="#b3382c" stroke-dasharray="4 3"'
    return f'<line {dashed} stroke-width="2"><title>bound {_label(line.bound, form)}</title></line>'
