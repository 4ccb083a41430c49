"""The picture of a simulation as SVG: weight, e-values with their bounds and confidence sequence, over days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from feedbackloop.api.rollout import Outcome
from feedbackloop.cli.simulation.drive import Point, Simulation
from feedbackloop.domain.evidence.outcome import harm_bound, non_inferiority_bound

WIDTH, HEIGHT, LEFT, RIGHT, GAP, TOP = 960, 190, 76, 130, 46, 64
INK, FAINT, HARM, SAFE, BAND = "#1b1f24", "#d5dae1", "#b3261e", "#11676a", "#11676a22"

XY = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """A plot with its own vertical scale, `low` at its foot."""

    top: float
    low: float
    high: float
    days: float
    title: str

    def x(self, day: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * day / max(self.days, 1e-9)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.top + HEIGHT * (1 - share)


def svg(done: Simulation, title: str) -> str:
    """All outcomes below each other."""
    panels = [_weights(done)]
    for i, outcome in enumerate(done.spec.outcomes):
        panels += [_e_values(done, outcome, 2 * i + 1), _ratios(done, outcome, 2 * i + 2)]
    height = TOP + len(panels) * (HEIGHT + GAP) + 10
    ending = done.outcome.value if done.outcome else "no decision"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="600">{escape(title)}</text>'
        f'<text x="{LEFT}" y="43">{ending} after {done.days:.1f} days</text>'
    )
    return head + "".join("".join(panel) for panel in panels) + "</svg>\n"


def _top(number: int) -> float:
    return TOP + number * (HEIGHT + GAP) + 14


def _weights(done: Simulation) -> Iterator[str]:
    panel = Panel(_top(0), 0, 100, done.days, "canary weight, percent")
    yield from _frame(panel, [(v, str(v)) for v in (0, 25, 50, 75, 100)])
    points = [(_day(done, p), float(p.weight)) for p in done.points]
    yield _line(panel, list(_stairs([*points, (done.days, points[-1][1])])), INK)


def _e_values(done: Simulation, outcome: Outcome, number: int) -> Iterator[str]:
    bounds = math.log10(harm_bound(outcome, len(done.spec.outcomes))), math.log10(non_inferiority_bound(outcome))
    harm, safe = (_series(done, outcome, f) for f in ("harm_e_value", "non_inferiority_e_value"))
    high = math.ceil(max(*bounds, *(math.log10(v) for _, v in (*harm, *safe)), 1) + 0.5)
    panel = Panel(_top(number), -2, min(high, 8), done.days, f"{outcome.name}: e-values")
    yield from _frame(panel, [(v, f"1e{v}" if v else "1") for v in range(-2, int(panel.high) + 1)])
    yield _bound(panel, bounds[0], HARM, "aborts")
    yield _bound(panel, bounds[1], SAFE, "promotes", below=abs(panel.y(bounds[0]) - panel.y(bounds[1])) < 14)
    yield _legend(panel, (("harm", HARM), ("non-inferiority", SAFE)))
    for values, colour in ((harm, HARM), (safe, SAFE)):
        yield _line(panel, [(day, math.log10(v)) for day, v in values], colour)


def _ratios(done: Simulation, outcome: Outcome, number: int) -> Iterator[str]:
    lower, estimate, upper = (_series(done, outcome, f) for f in ("lower", "estimate", "upper"))
    if outcome.mean is not None:
        values = [v for _, v in (*lower, *upper)] or [0.0]
        panel = Panel(_top(number), min(values) - 0.1, max(values) + 0.1, done.days, f"{outcome.name}: difference")
        yield from _frame(panel, [(v, f"{v:.3g}") for v in (panel.low, 0.0, panel.high) if panel.low <= v])
        yield from _sequence(panel, lower, estimate, upper, log=False)
        return
    panel = Panel(_top(number), math.log(0.25), math.log(4), done.days, f"{outcome.name}: ratio of the event rates")
    yield from _frame(panel, [(math.log(v), f"{v:g}") for v in (0.25, 0.5, 1, 2, 4)])
    ratio = float(outcome.non_inferiority.ratio)
    yield _bound(panel, math.log(ratio), SAFE, f"accepted: {ratio:g}")
    yield from _sequence(panel, lower, estimate, upper, log=True)


def _sequence(panel: Panel, lower: list[XY], estimate: list[XY], upper: list[XY], *, log: bool) -> Iterator[str]:
    low, middle, high = ([(d, math.log(v) if log else v) for d, v in s] for s in (lower, estimate, upper))
    around = [*_stairs(high), *reversed(list(_stairs(low)))]
    points = " ".join(f"{panel.x(d):.1f},{panel.y(v):.1f}" for d, v in around)
    yield f'<polygon points="{points}" fill="{BAND}"/>'
    yield _line(panel, middle, SAFE)
    yield _legend(panel, (("estimate, and what is not rejected", SAFE),))


def _series(done: Simulation, outcome: Outcome, field: str) -> list[XY]:
    found = ((p, next((o for o in p.outcomes if o.name == outcome.name), None)) for p in done.points)
    texts = ((_day(done, p), getattr(o, field)) for p, o in found if o is not None)
    return [(day, max(float(text), 1e-9) if "e_value" in field else float(text)) for day, text in texts if text]


def _day(done: Simulation, point: Point) -> float:
    return (point.at - done.begun).total_seconds() / 86_400


def _stairs(points: Sequence[XY]) -> Iterator[XY]:
    """A value stands until the next one."""
    last = None
    for day, value in points:
        if last is not None:
            yield day, last
        yield day, value
        last = value


def _frame(panel: Panel, ticks: Sequence[tuple[float, str]]) -> Iterator[str]:
    right = WIDTH - RIGHT
    yield f'<text x="{LEFT}" y="{panel.top - 7:.1f}" font-weight="600">{escape(panel.title)}</text>'
    for value, text in ticks:
        y = panel.y(value)
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{FAINT}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    foot = panel.top + HEIGHT
    for day in _days(panel.days):
        yield f'<text x="{panel.x(day):.1f}" y="{foot + 16:.1f}" text-anchor="middle">{day:g} d</text>'


def _days(days: float) -> list[float]:
    rough = max(days, 1e-3) / 6
    step = 10 ** math.floor(math.log10(rough))
    step = next(step * m for m in (1, 2, 5, 10) if step * m >= rough)
    return [round(i * step, 6) for i in range(int(days / step) + 1)]


def _bound(panel: Panel, value: float, colour: str, text: str, *, below: bool = False) -> str:
    y, right = panel.y(value), WIDTH - RIGHT
    return (
        f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{colour}" stroke-dasharray="5 4"/>'
        f'<text x="{right + 6}" y="{y + (15 if below else 4):.1f}" fill="{colour}">{escape(text)}</text>'
    )


def _legend(panel: Panel, names: Sequence[tuple[str, str]]) -> str:
    """In the title's line, each name in the colour of its line."""
    inside = "  ".join(f'<tspan fill="{colour}">{escape(name)}</tspan>' for name, colour in names)
    place = f'x="{WIDTH - RIGHT}" y="{panel.top - 7:.1f}" text-anchor="end" font-weight="600"'
    return f'<text {place} xml:space="preserve">{inside}</text>'


def _line(panel: Panel, points: Sequence[XY], colour: str) -> str:
    path = " ".join(f"{panel.x(d):.1f},{panel.y(v):.1f}" for d, v in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
